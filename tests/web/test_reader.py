"""The reader's pages, over HTTP, without JavaScript."""

import email
import email.policy
import re
import threading
import time
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup, Tag
from requests import Response
from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from digest.domain.mail import Message
from digest.errors import SenderUnavailable
from digest.feeds.parse import parse
from digest.store import media
from digest.store.subscribers import topics_of
from digest.store.tables import Newsletter, Notice, Subscription
from digest.workflows import subscribe
from digest.workflows.context import Context
from tests.conftest import Clock
from tests.web.conftest import Client
from tests.web.house import KeepingSender, publish

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def joined(ctx: Context, newsletter: str = "ledger", **more: object) -> int:
    return subscribe.add_subscriber(ctx, "rosa@example.org", newsletter=[newsletter], confirmed=True, **more)[0]  # type: ignore[arg-type]


def unsubscribe_path(ctx: Context, number: int) -> str:
    return f"/unsubscribe/{ctx.signer.sign('unsubscribe', number)}"


def preferences_path(ctx: Context, number: int) -> str:
    return f"/preferences/{ctx.signer.sign('preferences', number)}"


def everything(ctx: Context) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with ctx.db.read() as session:
        return {
            name: [tuple(row) for row in session.execute(table.select())]
            for name, table in SQLModel.metadata.tables.items()
        }


def states(ctx: Context) -> list[str]:
    with ctx.db.read() as session:
        return list(session.exec(select(Subscription.state).order_by(col(Subscription.id))))


def notices(ctx: Context) -> list[Notice]:
    with ctx.db.read() as session:
        return list(session.exec(select(Notice).order_by(col(Notice.id))))


def outbox(ctx: Context) -> list[Message]:
    """Mails are sent after the answer: wait for them as a reader would, but not for long."""
    assert isinstance(ctx.sender, KeepingSender)
    deadline = time.monotonic() + 5
    while not ctx.sender.messages and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return ctx.sender.messages


def mailed_link(ctx: Context) -> str:
    """The one address in the newest mail's text that leads to a page of ours by token."""
    mail = email.message_from_bytes(outbox(ctx)[-1].data, policy=email.policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    [link] = set(re.findall(rf"{ctx.public_url}/[a-z]+/[A-Za-z0-9_=-]{{32}}", body.get_content()))
    return str(link)


def page(response: Response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def heading(response: Response) -> str:
    found = page(response).h1
    assert found is not None
    return found.get_text(" ", strip=True)


def submit(client: Client, response: Response, **changes: str | list[str]) -> Response:
    """Send the page's first form as a browser would, with some fields filled in."""
    form = page(response).select_one("main form")
    assert isinstance(form, Tag)
    fields: dict[str, list[str]] = {}
    for control in form.select("input[name], select[name]"):
        kind = control.get("type", "text")
        if control.name == "select":
            chosen = control.select_one("option[selected]")
            fields.setdefault(str(control["name"]), []).append(str(chosen["value"]) if chosen else "")
        elif kind not in ("checkbox", "radio") or control.has_attr("checked"):
            fields.setdefault(str(control["name"]), []).append(str(control.get("value", "")))
    for name, value in changes.items():
        fields[name] = [value] if isinstance(value, str) else value
    return client.post(str(form["action"]), data=fields)


# --- signing up -----------------------------------------------------------------------------------------------------


def test_the_front_page_lists_every_newsletter_with_what_it_promises(client: Client) -> None:
    shown = page(client.get("/")).get_text(" ", strip=True)
    for words in (
        "Harbour Street Press", "The Ledger", "Decoding crypto and the markets.", "Daily, with Ada Morrow",
        "The Long Week", "Seven days in ten minutes.", "Fridays, with Ben Okafor", "Policy", "Markets", "Stablecoins",
    ):  # fmt: skip
        assert words in shown


def test_a_page_that_is_not_there_still_bears_the_name_of_the_house(client: Client) -> None:
    answer = client.get("/nothing")
    assert (answer.status_code, heading(answer)) == (404, "There is nothing here")
    assert page(answer).select_one(".masthead-name").get_text(strip=True) == "Harbour Street Press"  # type: ignore[union-attr]


def test_from_the_front_page_to_the_first_choices(client: Client, ctx: Context) -> None:
    answer = submit(client, client.get("/"), address="rosa@example.org", topics=["ledger:policy", "week:markets"])
    assert (answer.status_code, heading(answer)) == (200, "Check your inbox")
    assert states(ctx) == ["pending"]

    assert [mail.recipient for mail in outbox(ctx)] == ["rosa@example.org"]
    link = mailed_link(ctx)
    question = client.get(link)
    assert (heading(question), states(ctx)) == ("Do you want this in your inbox?", ["pending"])

    done = submit(client, question)
    assert (done.status_code, heading(done), states(ctx)) == (200, "You are in", ["active"])
    assert heading(client.post(link)) == "You are in"
    door = page(done).select_one('main a[href^="/preferences/"]')
    assert door is not None
    choices = page(client.get(str(door["href"])))
    assert [box["value"] for box in choices.select('input[name="topics"][checked]')] == ["policy"]


@pytest.mark.parametrize("known", ["nobody", "active", "pending", "ended"])
def test_the_answer_is_the_same_whoever_asks(client: Client, ctx: Context, known: str) -> None:
    form = {"newsletters": "ledger", "address": "rosa@example.org"}
    stranger = client.post("/subscribe", data=form)
    if known in ("active", "ended"):
        subscribe.confirm(ctx, ctx.signer.sign("confirm", 1))
    if known == "ended":
        subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", 1))
    again = client.post("/subscribe", data=form)
    assert (again.status_code, again.text) == (stranger.status_code, stranger.text)
    link = {"address": "rosa@example.org" if known != "nobody" else "nobody@example.org"}
    answer = client.post("/preferences", data=link)
    other = client.post("/preferences", data={"address": "unknown@example.org"})
    assert answer.text.replace(link["address"], "") == other.text.replace("unknown@example.org", "")


def test_bare_topics_count_for_every_ticked_newsletter(client: Client, ctx: Context) -> None:
    data = {"address": "rosa@example.org", "newsletters": ["ledger", "week"], "topics": ["markets", "week:stablecoins"]}
    client.post("/subscribe", data=data)
    with ctx.db.read() as session:
        chosen = [topics_of(session, number) for number in (1, 2)]
    assert chosen == [{"markets"}, {"markets", "stablecoins"}]


def test_a_form_on_another_site_is_named_in_the_proof_of_consent(client: Client, ctx: Context) -> None:
    snippet = page(client.get("/embed/ledger")).textarea
    assert snippet is not None
    form = BeautifulSoup(unescape(snippet.get_text()), "html.parser").form
    assert form is not None
    fields = {str(each["name"]): str(each.get("value", "")) for each in form.select("input")}
    there = {"Referer": "https://blog.example.net/about"}
    client.post(str(form["action"]), data={**fields, "address": "rosa@example.org"}, headers=there)
    with ctx.db.read() as session:
        assert session.exec(select(Subscription.consent_url)).one() == "https://blog.example.net/about"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"newsletters": "week", "address": "rosa@"}, "not an address that we can write to"),
        ({"newsletters": "week"}, "not an address that we can write to"),
        ({"address": "rosa@example.org"}, "Choose at least one newsletter."),
        ({"address": "rosa@example.org", "newsletters": "nope"}, "Choose at least one newsletter."),
    ],
)
def test_a_mistake_in_the_form_is_explained_and_what_was_written_is_kept(
    client: Client, ctx: Context, fields: dict[str, str], words: str
) -> None:
    answer = client.post("/subscribe", data={**fields, "topics": "week:markets"})
    shown = page(answer)
    alert = shown.select_one("[role=alert]")
    assert answer.status_code == 400
    assert alert is not None
    assert words in alert.get_text()
    assert [box["value"] for box in shown.select('input[name="topics"][checked]')] == ["week:markets"]
    address = shown.select_one("#address")
    assert address is not None
    assert address["value"] == fields.get("address", "")
    assert states(ctx) == []


def test_a_machine_that_fills_in_every_field_reads_the_same_and_gets_nothing(client: Client, ctx: Context) -> None:
    fields = {"newsletters": "ledger", "address": "rosa@example.org"}
    machine = client.post("/subscribe", data={**fields, "website": "https://spam.example"})
    assert (states(ctx), notices(ctx)) == ([], [])
    assert machine.text == client.post("/subscribe", data=fields).text


def test_an_outbox_that_cannot_be_reached_does_not_trouble_the_reader(client: Client, ctx: Context) -> None:
    class Unreachable(KeepingSender):
        def send(self, *_args: object) -> object:  # type: ignore[override]
            raise SenderUnavailable("no connection")

    object.__setattr__(ctx, "sender", Unreachable())
    answer = client.post("/subscribe", data={"newsletters": "ledger", "address": "rosa@example.org"})
    assert answer.status_code == 200
    assert [notice.state for notice in notices(ctx)] == ["queued"]


# --- GET asks, POST acts --------------------------------------------------------------------------------------------


def test_a_scanner_that_opens_every_link_changes_no_row(client: Client, ctx: Context) -> None:
    number = joined(ctx)
    subscribe.sign_up(ctx, subscribe.SignUp("new@example.org", {"week": frozenset()}))
    publish(ctx)
    queue = [
        "/", "/preferences", "/embed/ledger", preferences_path(ctx, number), unsubscribe_path(ctx, number),
        f"/confirm/{ctx.signer.sign('confirm', number + 1)}", "/subscribe",
    ]  # fmt: skip
    before, seen = everything(ctx), set[str]()
    while queue:
        path = queue.pop()
        if path in seen or path.startswith("/static/"):
            continue
        seen.add(path)
        for method in ("HEAD", "OPTIONS", "GET"):
            answer = client.request(method, path, allow_redirects=False)
            assert answer.status_code < 500, path
        if "xml" in answer.headers["Content-Type"]:
            continue
        links = [str(tag.get("href") or tag.get("action") or "") for tag in page(answer).select("[href], form[action]")]
        queue += [link.removeprefix(ctx.public_url) for link in links if link.startswith(("/", ctx.public_url))]
    assert len(seen) > 10
    assert everything(ctx) == before


def test_head_says_what_get_says_without_the_body(client: Client, ctx: Context) -> None:
    path = unsubscribe_path(ctx, joined(ctx))
    got, headed = client.get(path), client.head(path)
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]


# --- leaving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_one_click_unsubscribes_without_cookie_or_redirect(client: Client, ctx: Context, encoding: str) -> None:
    path = unsubscribe_path(ctx, joined(ctx))
    for _ in range(2):
        answer = (
            client.post(path, data=ONE_CLICK, allow_redirects=False)
            if encoding == "urlencoded"
            else client.post(path, files={"List-Unsubscribe": (None, "One-Click")}, allow_redirects=False)
        )
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert states(ctx) == ["ended"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": {"List-Unsubscribe": "Maybe"}},
        {"data": {"list-unsubscribe": "One-Click"}},
        {"json": {"List-Unsubscribe": "One-Click"}},
        {"data": b"\xff\xfe\x00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"garbage", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ],
)
def test_a_body_of_another_kind_unsubscribes_nobody(client: Client, ctx: Context, options: dict[str, object]) -> None:
    answer = client.post(unsubscribe_path(ctx, joined(ctx)), **options)
    assert (answer.status_code, states(ctx)) == (400, ["active"])


def test_leaving_by_the_page_and_coming_back(client: Client, ctx: Context) -> None:
    joined(ctx, "week")
    path = unsubscribe_path(ctx, joined(ctx))
    question = client.get(path)
    assert (heading(question), states(ctx)) == ("Leave The Ledger?", ["active", "active"])
    left = submit(client, question, reason="too much")
    assert (heading(left), states(ctx)) == ("You have left The Ledger", ["active", "ended"])
    assert "You still get The Long Week" in page(left).get_text()
    assert heading(client.get(path)) == "You have left The Ledger"
    back = submit(client, left)
    assert (heading(back), states(ctx)) == ("Welcome back", ["active", "active"])


def test_leaving_everything_by_the_page(client: Client, ctx: Context) -> None:
    joined(ctx, "week")
    submit(client, client.get(unsubscribe_path(ctx, joined(ctx))), everything="1")
    assert states(ctx) == ["ended", "ended"]


@pytest.mark.parametrize("door", ["unsubscribe", "confirm", "preferences"])
@pytest.mark.parametrize("change", ["altered", "another purpose", "nobody", "short"])
def test_a_token_that_is_not_ours_gets_the_plain_page_for_nothing(
    client: Client, ctx: Context, door: str, change: str
) -> None:
    number = joined(ctx)
    good = ctx.signer.sign(door, number)  # type: ignore[arg-type]
    token = {
        "altered": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "another purpose": ctx.signer.sign("archive", number),
        "nobody": ctx.signer.sign(door, 999),  # type: ignore[arg-type]
        "short": good[:8],
    }[change]
    before = everything(ctx)
    nothing = client.get("/no/such/page")
    for answer in (client.get(f"/{door}/{token}"), client.post(f"/{door}/{token}", data=ONE_CLICK)):
        assert (answer.status_code, answer.text) == (404, nothing.text)
    assert "rosa" not in nothing.text
    assert everything(ctx) == before


# --- choosing -------------------------------------------------------------------------------------------------------


def test_choices_are_saved_and_shown(client: Client, ctx: Context) -> None:
    path = preferences_path(ctx, joined(ctx))
    changes = {"topics": ["markets"], "frequency": "weekly", "zone": "Europe/Lisbon", "pause_until": "2026-03-20"}
    answer = submit(client, client.get(path), **changes)  # type: ignore[arg-type]
    assert [step.status_code for step in answer.history] == [303]
    shown = page(answer)
    status = shown.select_one("[role=status]")
    assert status is not None
    assert "Saved. Markets, weekly. Paused until Friday, March 20, 2026." in status.get_text(" ", strip=True)
    assert [box["value"] for box in shown.select("input[checked]")] == ["markets", "weekly"]
    assert [option["value"] for option in shown.select("#zone option[selected]")] == ["Europe/Lisbon"]
    pause = shown.select_one("#pause_until")
    assert pause is not None
    assert pause["value"] == "2026-03-20"


def test_an_hour_and_a_topic_that_comes_weekly_are_chosen_without_scripts(client: Client, ctx: Context) -> None:
    path = preferences_path(ctx, joined(ctx))
    changes = {"topics": ["markets", "policy"], "often:markets": "weekly", "hour": "07:00", "zone": "Europe/Lisbon"}
    shown = page(submit(client, client.get(path), **changes))  # type: ignore[arg-type]
    status = shown.select_one("[role=status]")
    assert status is not None
    assert "Policy and Markets (once a week), every issue, at 7:00 AM." in status.get_text(" ", strip=True)
    chosen = [option["value"] for option in shown.select("option[selected]")]
    assert chosen == ["weekly", "07:00", "Europe/Lisbon"]
    changes = {
        "topics": ["markets", "policy"],
        "often:markets": "daily",
        "often:policy": "weekdays",
        "frequency": "weekly",
    }
    shown = page(submit(client, client.get(path), **changes))  # type: ignore[arg-type]
    status = shown.select_one("[role=status]")
    assert status is not None
    assert "Policy (on weekdays) and Markets (once a day), weekly" in status.get_text(" ", strip=True)
    # Without a tick, how often means nothing.
    shown = page(submit(client, client.get(path), **{"topics": ["policy"], "often:policy": ""}))  # type: ignore[arg-type]
    assert [option["value"] for option in shown.select(".topic-row option[selected]")] == []


def dressed(ctx: Context, **theme: object) -> None:
    """Give The Ledger a theme."""
    with ctx.db.write() as session:
        row = session.exec(select(Newsletter).where(Newsletter.slug == "ledger")).one()
        row.spec = {**row.spec, "theme": {**row.spec["theme"], **theme}}


def test_pages_about_a_newsletter_bear_its_name_and_colours(client: Client, ctx: Context) -> None:
    number = joined(ctx)
    publish(ctx)
    paths = [preferences_path(ctx, number), unsubscribe_path(ctx, number), "/archive/ledger", "/embed/ledger",
             f"/confirm/{ctx.signer.sign('confirm', number)}"]  # fmt: skip
    sheets = set()
    for accent in ("#1f5a6b", "#1746d1"):
        dressed(ctx, accent=accent, serif="'Iowan Old Style', serif")
        for path in paths:
            shown = page(client.get(path))
            [own] = [
                str(link["href"]) for link in shown.select("link[rel=stylesheet]") if "/theme/" in str(link["href"])
            ]
            sheets.add(own)
            answer = client.get(own)
            assert answer.headers["Content-Type"].startswith("text/css")
            assert "immutable" in answer.headers["Cache-Control"]
            assert f"--accent: {accent};" in answer.text
            assert "--serif: 'Iowan Old Style', serif;" in answer.text
            name = shown.select_one(".masthead-name")
            assert name is not None
            assert name.get_text(strip=True) == ("Harbour Street Press" if path == "/archive/ledger" else "The Ledger")
    assert len(sheets) == 2  # another theme is another address, so that either may be kept
    assert "immutable" not in client.get("/theme/ledger.css?v=other").headers["Cache-Control"]
    assert client.get("/theme/nope.css").status_code == 404
    assert "/theme/" not in client.get("/").text  # two newsletters: the house's own look


@pytest.mark.parametrize("theme", [{"accent": "#fff0f0"}, {"dark_muted": "#222222"}, {"sans": "x; } body { display: none"}])  # fmt: skip
def test_a_theme_that_can_not_be_read_leaves_the_look_of_the_house(
    client: Client, ctx: Context, theme: dict[str, str]
) -> None:
    dressed(ctx, **theme)
    shown = client.get(preferences_path(ctx, joined(ctx)))
    assert shown.status_code == 200
    assert "/theme/" not in shown.text
    assert client.get("/theme/ledger.css").text == ""


def test_a_newsletters_logo_stands_in_place_of_its_name(client: Client, ctx: Context) -> None:
    dressed(ctx, logo="https://cdn.example.com/logo.png", logo_width=200)
    path = preferences_path(ctx, joined(ctx))
    assert page(client.get(path)).select("img") == []  # nobody waits while a picture is fetched from elsewhere
    ctx.media.mkdir(parents=True)
    (ctx.media / "a.png").write_bytes(b"PNG")
    with ctx.db.write() as session:
        media.remember(
            session, "https://cdn.example.com/logo.png#200x0", ctx.clock(), name="a.png", width=200, height=40
        )
    [logo] = page(client.get(path)).select(".masthead-name img")
    assert (logo["src"], logo["alt"], logo["width"]) == ("/media/a.png", "The Ledger", "200")


def test_time_zones_say_what_their_clocks_show_in_one_way_of_writing_times(client: Client, ctx: Context) -> None:
    shown = page(client.get(preferences_path(ctx, joined(ctx))))  # it is 11:00 UTC
    labels = {str(option["value"]): option.get_text() for option in shown.select("#zone option")}
    assert labels["Asia/Kolkata"] == "Kolkata · UTC+5:30 · 4:30 PM"
    assert labels["America/Argentina/Ushuaia"] == "Ushuaia, Argentina · UTC\N{MINUS SIGN}3 · 8:00 AM"
    assert labels["UTC"] == "UTC · 11:00 AM"
    assert shown.select("#hour option")[1].get_text() == "12:00 AM"  # hours of delivery are written the same way
    asia = [option.get_text().split(" · ")[1] for option in shown.select("#zone optgroup[label=Asia] option")]
    assert (asia[0], asia[-1]) == ("UTC+2", "UTC+12")


@pytest.mark.parametrize(
    ("languages", "likely"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", ["UTC", "Europe/Vienna"]),
        # One for each clock of a large country, and no place twice; what is no language is no matter.
        ("en-US", ["UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Adak", "Pacific/Honolulu"]),
        ("*;q=!!, <script>-ZZ, de, " + "x" * 3000, ["UTC"]),
        ("", ["UTC"]),
    ],
)  # fmt: skip
def test_the_zones_of_the_readers_country_come_first(
    client: Client, ctx: Context, languages: str, likely: list[str]
) -> None:
    shown = page(client.get(preferences_path(ctx, joined(ctx)), headers={"Accept-Language": languages}))
    first = shown.select("#zone optgroup")[0]
    assert first["label"] == "Most likely"
    assert [option["value"] for option in first.select("option")] == likely
    assert [option["value"] for option in shown.select("#zone option[selected]")] == ["UTC"]


def test_a_pause_is_ended_by_its_button_and_nothing_else_changes(client: Client, ctx: Context) -> None:
    path = preferences_path(ctx, joined(ctx, topics=["policy"]))
    client.post(path, data={"topics": "policy", "pause_until": "2026-03-20", "frequency": "weekly"})
    assert "Friday, March 20, 2026" in client.get(path).text
    answer = page(client.post(path, data={"resume": "1", "frequency": "daily"}))
    assert [box["value"] for box in answer.select("input[checked]")] == ["policy", "weekly"]
    assert "March 20" not in answer.get_text()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pause_until", "2020-01-01", "between tomorrow and a year from now"),
        ("pause_until", "soon", "year-month-day"),
        ("zone", "Mars", "no time zone"),
        ("frequency", "hourly", "no frequency"),
        ("hour", "25:00", "no hour"),
    ],
)
def test_a_choice_that_cannot_be_is_explained_and_nothing_is_saved(
    client: Client, ctx: Context, field: str, value: str, words: str
) -> None:
    path = preferences_path(ctx, joined(ctx, topics=["policy"]))
    before = everything(ctx)
    answer = client.post(path, data={"topics": "markets", field: value})
    alert = page(answer).select_one("[role=alert]")
    assert answer.status_code == 400
    assert alert is not None
    assert words in alert.get_text()
    assert [box["value"] for box in page(answer).select('input[name="topics"][checked]')] == ["markets"]
    assert everything(ctx) == before


def test_who_has_left_sees_the_way_back_instead_of_choices(client: Client, ctx: Context) -> None:
    number = joined(ctx)
    client.post(unsubscribe_path(ctx, number), data=ONE_CLICK)
    path = preferences_path(ctx, number)
    assert page(client.get(path)).select('input[name="topics"]') == []
    assert client.post(path, data={"frequency": "weekly"}).status_code == 409
    assert heading(submit(client, client.get(path))) == "Welcome back"


def test_a_reader_adds_another_newsletter_from_the_page(client: Client, ctx: Context) -> None:
    path = preferences_path(ctx, joined(ctx))
    answer = client.post(f"{path}/join", data={"newsletter": "week"})
    assert states(ctx) == ["active", "active"]
    assert "You are in." in page(answer).get_text()
    assert client.post(f"{path}/join", data={"newsletter": "nope"}).status_code == 400


def test_the_link_comes_by_mail(client: Client, ctx: Context) -> None:
    joined(ctx)
    answer = submit(client, client.get("/preferences"), address="ROSA@example.org")
    assert heading(answer) == "Check your inbox"
    assert [mail.recipient for mail in outbox(ctx)] == ["rosa@example.org"]
    assert heading(client.get(mailed_link(ctx))) == "Your choices"


def test_the_page_points_to_the_newest_issue(client: Client, ctx: Context, clock: Clock) -> None:
    path = preferences_path(ctx, joined(ctx))
    assert "Read the newest issue" not in client.get(path).text
    publish(ctx)
    clock.advance(days=1)
    newest = publish(ctx, headline="Ports close again")
    assert f'href="/archive/ledger/{newest}"' in client.get(path).text


# --- the archive ----------------------------------------------------------------------------------------------------


def test_the_archive_shows_what_was_sent_and_nothing_else(client: Client, ctx: Context) -> None:
    sent = publish(ctx, headline="Sent & <b>bold</b>")
    hidden = [
        publish(ctx, headline=f"Not {state}", state=state) for state in ("draft", "approved", "held", "cancelled")
    ]
    listing = client.get("/archive/ledger")
    assert "Sent &amp; &lt;b&gt;bold" in listing.text
    assert "Not " not in listing.text
    assert client.get(f"/archive/ledger/{sent}").status_code == 200
    assert [client.get(f"/archive/ledger/{number}").status_code for number in hidden] == [404] * 4
    assert client.get(f"/archive/week/{sent}").status_code == 404


def test_an_issue_being_sent_can_be_read_as_its_mails_link_to_it(client: Client, ctx: Context) -> None:
    number = publish(ctx, state="sending")
    answer = client.get(f"/archive/ledger/{number}")
    assert heading(answer) == "The Ledger"
    assert "Ports reopen" in answer.text
    assert "@@" not in answer.text


def test_a_story_is_handed_on_by_plain_links(client: Client, ctx: Context) -> None:
    number = publish(ctx, headline="Ports & <b>docks</b>")
    story = re.search(rf"/archive/ledger/{number}/share/(\d+)", client.get(f"/archive/ledger/{number}").text)
    assert story
    page = client.get(story[0]).text
    assert "Ports &amp; &lt;b&gt;docks" in page
    links = [unescape(link) for link in re.findall(r'class="target" href="([^"]+)"', page)]
    assert links[0] == "https://wire.example.com/1"
    assert "mailto:?subject=Ports%20%26%20%3Cb%3Edocks%3C%2Fb%3E&body=https%3A%2F%2Fwire.example.com%2F1" in links
    assert all(link.startswith(("https://", "mailto:", "/archive/")) for link in links)
    assert "<script" not in page.partition("ways")[2].partition("</ul>")[0]
    assert 'href="/?newsletter=ledger"' in page
    hidden = publish(ctx, headline="Not yet", state="approved")
    assert client.get(f"/archive/ledger/{hidden}/share/1").status_code == 404
    assert client.get(f"/archive/ledger/{number}/share/999").status_code == 404


@pytest.mark.parametrize(
    ("locale", "lang", "way", "seen"),
    [
        ("de-AT", "de-AT", "ltr", ["Weitergeben", "Die ganze Ausgabe lesen", "E-Mail", "Alle Newsletter", "Zum Inhalt springen"]),
        ("ar", "ar", "rtl", ["شارك الخبر", "اقرأ العدد كاملًا", "كل النشرات"]),
        ("fi-FI", "en", "ltr", ["Hand it on", "Read the whole issue"]),
    ],
)  # fmt: skip
def test_a_story_is_handed_on_in_the_newsletters_language(
    client: Client, ctx: Context, locale: str, lang: str, way: str, seen: list[str]
) -> None:
    with ctx.db.write() as session:
        row = session.exec(select(Newsletter).where(Newsletter.slug == "ledger")).one()
        row.spec = {**row.spec, "locale": locale}
    number = publish(ctx, headline="{headline} <i>")
    story = re.search(rf"/archive/ledger/{number}/share/(\d+)", client.get(f"/archive/ledger/{number}").text)
    assert story
    shown = page(client.get(story[0]))
    assert shown.html is not None
    assert (str(shown.html["lang"])[:2], shown.html["dir"]) == (lang[:2], way)
    assert all(words in shown.get_text() for words in seen)
    assert shown.title is not None
    assert shown.title.get_text().endswith(": {headline} <i>")


@pytest.mark.parametrize("path", ["/archive/nope", "/archive/ledger/99", "/archive/ledger/x", "/archive/ledger/99999999999999999999"])  # fmt: skip
def test_an_issue_that_is_not_there_is_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_feed_lists_the_issues(client: Client, ctx: Context, clock: Clock) -> None:
    publish(ctx, headline="First & foremost")
    clock.advance(days=1)
    newest = publish(ctx, headline="Second")
    answer = client.get("/archive/ledger/feed.xml")
    feed = ET.fromstring(answer.content)
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert [entry.findtext("a:title", "", atom) for entry in feed.findall("a:entry", atom)] == [
        "Second",
        "First & foremost",
    ]
    assert feed.findtext("a:entry/a:id", "", atom) == f"{ctx.public_url}/archive/ledger/{newest}"
    assert feed.findtext("a:updated", "", atom) == "2026-03-13T11:00:00+00:00"


@pytest.mark.parametrize("file", ["feed.xml", "feed.json"])
def test_a_feed_reader_finds_the_issues_in_both_feeds(client: Client, ctx: Context, file: str) -> None:
    number = publish(ctx, headline="First & <foremost>")
    assert f"/archive/ledger/{file}" in client.get("/archive/ledger").text
    answer = client.get(f"/archive/ledger/{file}")
    read = parse(answer.content, answer.headers["Content-Type"], answer.url)
    assert [(entry.title, entry.url) for entry in read.entries] == [
        ("First & <foremost>", f"{ctx.public_url}/archive/ledger/{number}")
    ]
    assert read.entries[0].published_at == ctx.clock()
    assert "@" not in answer.text.replace(f"{ctx.public_url}", "")


def test_an_archive_that_must_not_be_indexed_says_so_on_every_page(client: Client, ctx: Context) -> None:
    number = publish(ctx)
    paths = [f"/archive/ledger{rest}" for rest in ("", f"/{number}", "/feed.xml", "/feed.json")]
    assert [client.get(path).headers.get("X-Robots-Tag") for path in paths] == [None] * 4
    with ctx.db.write() as session:
        row = session.exec(select(Newsletter).where(Newsletter.slug == "ledger")).one()
        row.spec = {**row.spec, "indexed": False}
    assert [client.get(path).headers.get("X-Robots-Tag") for path in paths] == ["noindex"] * 4


def test_a_house_without_newsletters_says_so(client: Client, ctx: Context) -> None:
    with ctx.db.write() as session:
        session.execute(text("DELETE FROM newsletter"))
    assert heading(client.get("/")) == "No newsletter yet"
