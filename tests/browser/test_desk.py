"""An editor's morning in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from digest.workflows.sign_in import ensure_editor, make_link
from tests.browser.conftest import House
from tests.web.desk_house import EDITOR, HEADLINES, draft_issue, issue_of, rows_of, story_of

pytestmark = pytest.mark.browser

COURT = HEADLINES[1][0]


def signed_in(house: House, **window: object) -> Page:
    ensure_editor(house.ctx, EDITOR)
    page = house.window(**window)  # type: ignore[arg-type]
    page.goto(f"/desk/sign-in/{make_link(house.ctx, EDITOR)}")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/desk$"))
    return page


def test_an_editor_signs_in_shapes_an_issue_looks_at_it_and_approves(house: House) -> None:
    issue_id = draft_issue(house.ctx)
    page = signed_in(house, width=1440)
    page.get_by_role("link", name=HEADLINES[0][0]).click()
    mail = page.frame_locator("#mail")
    expect(mail.locator("body")).to_contain_text(HEADLINES[0][0])

    page.locator("section.order").get_by_role("button", name=f"Pin: {COURT}").first.click()
    expect(page.get_by_role("status")).to_have_text("Pinned: it stands before all others.")
    row = page.locator(f"#lead-{story_of(house.ctx, issue_id, COURT)}")
    expect(row.locator(".rank")).to_have_text("1")

    row.locator(".edit > summary").click()
    row.get_by_label("Headline").fill("Explain yourself, court tells regulator")
    row.get_by_role("button", name="Save the words").click()
    expect(mail.locator("body")).to_contain_text("Explain yourself, court tells regulator")

    page.get_by_role("link", name="Mobile").click()
    expect(page.locator(".frame-mobile iframe")).to_have_attribute("src", re.compile("view=mobile"))
    page.get_by_role("link", name="Dark").click()
    expect(page).to_have_url(re.compile("view=dark"))
    expect(page.locator(".frame-dark iframe")).to_have_attribute("src", re.compile("view=dark"))
    expect(mail.locator("body")).to_have_css("background-color", "rgb(20, 22, 26)")
    picture = mail.locator("img").first
    expect(picture).to_have_js_property("naturalWidth", 2)
    page.get_by_role("link", name="Images off").click()
    expect(picture).to_have_js_property("naturalWidth", 0)

    page.get_by_role("button", name="Approve No. 12 of The Ledger").click()
    page.get_by_role("button", name="Approve No. 12 of The Ledger all the same").click()
    expect(page.get_by_role("status")).to_contain_text("No. 12 is approved")
    issue = issue_of(house.ctx, issue_id)
    assert (issue.state, issue.approved_by, issue.revision) == ("approved", EDITOR, 2)
    # Images off says so in the console, and so may the driver's own look at a picture in a frame that runs no scripts.
    assert [words for words in house.complaints if "img-src" not in words and "allow-scripts" not in words] == []


def test_an_editor_writes_the_letter_sees_it_as_it_grows_and_takes_it_back(house: House) -> None:
    issue_id = draft_issue(house.ctx, written=True)
    page = signed_in(house, width=1440)
    page.goto(f"/desk/issues/{issue_id}")
    mail = page.frame_locator("#mail").locator("body")
    page.get_by_label("Write: Letter").click()
    page.get_by_label("Title").first.fill("Good morning")
    page.get_by_label("Words").first.press_sequentially("Ports are *quiet*.")
    expect(page.locator(".words .look em").first).to_have_text("quiet")
    page.get_by_role("button", name="Save the letter").click()
    expect(page.get_by_role("status")).to_have_text("The words are in the mail.")
    expect(mail).to_contain_text("Ports are quiet.")
    expect(page.get_by_role("button", name="Save the letter")).to_be_hidden()

    page.get_by_label("Write: Mailbag").click()
    page.get_by_label("Questions and answers").fill("No heading asks.")
    page.get_by_role("button", name="Save the mailbag").click()
    expect(page.locator(".words [role=alert]")).to_contain_text("A mailbag needs")
    expect(page.get_by_label("Questions and answers")).to_have_value("No heading asks.")

    page.keyboard.press("Escape")
    page.locator("#undo").click()
    expect(page.get_by_role("status")).to_have_text("Undone: write.")
    expect(mail).not_to_contain_text("Ports are quiet.")
    assert house.complaints == []


def test_a_letter_is_written_without_scripts_too(house: House) -> None:
    issue_id = draft_issue(house.ctx, written=True)
    page = signed_in(house, width=375, scripts=False)
    page.goto(f"/desk/issues/{issue_id}")
    page.get_by_label("Write: Letter").click()
    page.get_by_label("Words").first.fill("Ports are *quiet*.")
    page.get_by_role("button", name="Preview").first.click()
    expect(page.locator(".words .look em").first).to_have_text("quiet")
    page.get_by_role("button", name="Save the letter").click()
    expect(page.get_by_role("status")).to_have_text("The words are in the mail.")


def test_keys_move_through_the_running_order_and_edit_it(house: House) -> None:
    issue_id = draft_issue(house.ctx)
    page = signed_in(house, width=1440)
    page.goto(f"/desk/issues/{issue_id}")
    second = page.locator(f"#s-{story_of(house.ctx, issue_id, COURT)}")
    rows = page.locator("[data-row]")
    at = [rows.nth(index).get_attribute("id") for index in range(rows.count())].index(second.get_attribute("id"))
    for _ in range(at + 1):
        page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("Shift+K")
    expect(page.get_by_role("status")).to_have_text("Moved.")
    expect(second).to_be_focused()
    assert rows_of(house.ctx, issue_id, "section:policy")[0].item["headline"] == COURT
    page.keyboard.press("w")
    expect(second.get_by_role("heading", name="Why is this #2?")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_have_text("Undone: move.")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_an_editor_without_scripts_can_do_the_same(house: House) -> None:
    issue_id = draft_issue(house.ctx)
    page = signed_in(house, scripts=False)
    page.goto(f"/desk/issues/{issue_id}")
    page.get_by_role("button", name=f"Drop: {COURT}").first.click()
    expect(page.get_by_role("status")).to_have_text("Left out of this issue.")
    page.get_by_role("button", name=f"Take back: {COURT}").click()
    expect(page.get_by_role("status")).to_have_text("Taken back into this issue.")
    page.get_by_role("link", name="Run the checks").click()
    expect(page.locator("#checks")).to_contain_text("to look at")


@pytest.mark.parametrize("width", [375, 1024, 1440])
def test_no_page_of_the_desk_scrolls_sideways(house: House, width: int) -> None:
    issue_id = draft_issue(house.ctx, written=True)
    page = signed_in(house, width=width)
    for path in (
        "/desk",
        "/desk/stories",
        "/desk/stories/rules",
        "/desk/feeds",
        f"/desk/issues/{issue_id}",
        f"/desk/issues/{issue_id}?view=mobile",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
