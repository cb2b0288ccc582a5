"""The reader's pages as readers meet them."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from digest.store.subscribers import choice_of
from digest.workflows import subscribe
from digest.workflows.approve import approve
from tests.browser.conftest import House
from tests.web.desk_house import EDITOR, HEADLINES, draft_issue
from tests.web.house import publish

pytestmark = pytest.mark.browser

COURT, BITCOIN = HEADLINES[1][0], HEADLINES[2][0]

STICKS_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
    .filter(each => each.getBoundingClientRect().right > innerWidth).map(each => each.outerHTML.slice(0, 200))"""
"""What is wider than its window, element by element."""

AXE = Path(__file__).resolve().parents[2] / "tools" / "node_modules" / "axe-core" / "axe.min.js"


def doors(house: House) -> dict[str, str]:
    """Every page that a reader can come to, by name."""
    ctx, sign = house.ctx, house.ctx.signer.sign
    number = subscribe.add_subscriber(
        ctx, "rosa@example.org", newsletter=["ledger"], topics=["policy"], confirmed=True
    )[0]
    pending = subscribe.add_subscriber(ctx, "new@example.org", newsletter=["week"])[0]
    issue = publish(ctx, headline="A headline that is long enough to be broken over several lines of a telephone")
    return {
        "front": "/",
        "confirm": f"/confirm/{sign('confirm', pending)}",
        "preferences": f"/preferences/{sign('preferences', number)}?saved=choices",
        "link": "/preferences",
        "unsubscribe": f"/unsubscribe/{sign('unsubscribe', number)}",
        "archive": "/archive/ledger",
        "issue": f"/archive/ledger/{issue}",
        "embed": "/embed/ledger",
        "nothing": "/nothing",
    }


def test_a_reader_without_scripts_signs_up_chooses_and_leaves(house: House) -> None:
    page = house.window(width=375, scripts=False)
    page.goto("/")
    page.get_by_role("checkbox", name="The Ledger").check()
    page.get_by_role("checkbox", name="Policy").check()
    page.get_by_label("Your mail address").fill("rosa@example.org")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("h1")).to_have_text("Check your inbox")

    page.goto(f"/confirm/{house.ctx.signer.sign('confirm', 1)}")
    page.get_by_role("button", name="Yes, send it to me").click()
    expect(page.locator("h1")).to_have_text("You are in")

    page.get_by_role("button", name="Choose topics and how often").click()
    expect(page.get_by_role("checkbox", name="Policy")).to_be_checked()
    page.get_by_role("checkbox", name="Markets").check()
    page.get_by_label("Weekly").check()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("status")).to_contain_text("Policy and Markets, weekly.")

    page.get_by_role("link", name="Unsubscribe from The Ledger").click()
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.locator("h1")).to_have_text("You have left The Ledger")
    page.get_by_role("button", name="Resubscribe").click()
    expect(page.locator("h1")).to_have_text("Welcome back")


def test_the_copy_follows_what_is_ticked(house: House) -> None:
    approve(house.ctx, draft_issue(house.ctx), EDITOR)
    number = subscribe.add_subscriber(
        house.ctx, "rosa@example.org", newsletter=["ledger"], topics=["policy"], confirmed=True
    )[0]
    page = house.window(width=1280)
    page.goto(f"/preferences/{house.ctx.signer.sign('preferences', number)}")
    mail = page.frame_locator("#copy iframe").locator("body")
    expect(mail).to_contain_text(COURT)
    expect(mail).not_to_contain_text(BITCOIN)
    page.get_by_role("checkbox", name="Markets").check()
    expect(mail).to_contain_text(BITCOIN)
    page.get_by_role("checkbox", name="Policy").uncheck()
    expect(mail).not_to_contain_text(COURT)
    page.get_by_label("Weekly").check()
    expect(page.locator("#copy")).to_contain_text("No mail from this issue.")
    page.get_by_label("Every issue").check()
    expect(mail).to_contain_text(BITCOIN)
    with house.ctx.db.read() as session:
        assert choice_of(session, number).topics == {"policy"}
    page.get_by_role("button", name="Save my choices").click()
    expect(page.locator(".message")).to_contain_text("Markets, every issue.")
    assert house.complaints == []


def test_without_scripts_a_button_shows_the_copy(house: House) -> None:
    approve(house.ctx, draft_issue(house.ctx), EDITOR)
    number = subscribe.add_subscriber(house.ctx, "rosa@example.org", newsletter=["ledger"], confirmed=True)[0]
    page = house.window(width=375, scripts=False)
    page.goto(f"/preferences/{house.ctx.signer.sign('preferences', number)}")
    page.get_by_role("checkbox", name="Markets").check()
    page.get_by_role("button", name="Show what I’d get").click()
    expect(page.get_by_role("checkbox", name="Markets")).to_be_checked()
    mail = page.frame_locator("#copy iframe").locator("body")
    expect(mail).to_contain_text(BITCOIN)
    expect(mail).not_to_contain_text(COURT)


def test_topics_appear_with_the_newsletter_that_they_belong_to(house: House) -> None:
    page = house.window()
    page.goto("/")
    expect(page.get_by_label("Stablecoins")).to_be_hidden()
    page.get_by_role("checkbox", name="The Long Week").check()
    expect(page.get_by_label("Stablecoins")).to_be_visible()


def test_a_reader_gets_through_the_form_by_keyboard(house: House) -> None:
    page = house.window()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="The Ledger")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("Policy")).to_be_checked()
    page.get_by_label("Your mail address").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign up")).to_be_focused()  # the field for machines is skipped


@pytest.mark.parametrize("width", [320, 375])
def test_no_page_scrolls_sideways_on_a_telephone(house: House, width: int) -> None:
    page = house.window(width=width)
    for name, path in doors(house).items():
        page.goto(path)
        assert page.evaluate(STICKS_OUT) == [], name


def test_what_is_pressed_is_large_enough_for_a_thumb(house: House) -> None:
    page = house.window(width=375)
    found = doors(house)
    del found["issue"]  # a mail, with links in running text
    small = """() => [...document.querySelectorAll("main :is(button, select, summary, [role=button], .chip, .option, .pick, a.target, input:not([type=checkbox], [type=radio], [type=hidden]))")]
        .filter(each => each.getClientRects().length && each.getBoundingClientRect().right > 0)
        .filter(each => each.getBoundingClientRect().height < 43.9).map(each => each.outerHTML)"""
    for name, path in found.items():
        page.goto(path)
        assert page.evaluate(small) == [], name


def test_no_page_breaks_its_own_security_policy(house: House) -> None:
    page = house.window()
    for path in doors(house).values():
        page.goto(path)
    assert [each for each in house.complaints if "404" not in each] == []


def test_the_page_turns_dark_with_the_readers_screen(house: House) -> None:
    grounds = []
    for dark in (False, True):
        page = house.window(dark=dark)
        page.goto("/")
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 253, 249)", "rgb(20, 22, 26)"]


@pytest.mark.skipif(
    not AXE.is_file() and not os.environ.get("DIGEST_TEST_REQUIRE_TOOLS"), reason="`make tools` installs axe-core"
)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(house: House, dark: bool) -> None:
    page = house.window(width=375, dark=dark, policy=False)
    found = doors(house)
    del found["issue"]  # the mail's own tests look at it
    for name, path in found.items():
        page.goto(path)
        page.add_script_tag(path=AXE)
        report = page.evaluate("axe.run(document)")
        serious = [each["id"] for each in report["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == [], name


def test_no_page_scrolls_sideways_where_the_letters_are_wide(house: House) -> None:
    """Readers' fonts differ: half as wide again must still fit."""
    page = house.window(width=320, policy=False)
    for name, path in doors(house).items():
        page.goto(path)
        page.add_style_tag(
            content="* { font-family: 'DejaVu Sans', 'Liberation Sans', sans-serif !important; letter-spacing: 0.25em !important; }"
        )
        assert page.evaluate(STICKS_OUT) == [], name
