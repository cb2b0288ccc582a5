"""The desk over real HTTP: who gets in, who may do what, and that looking changes nothing."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from digest.errors import FetchError
from digest.feeds.fetch import Fetcher
from digest.store import audit_log, issues
from digest.store.tables import Article, Feed, LedgerRow, QueueRow, Subscriber, Subscription
from digest.web.desk import mail, routes
from digest.workflows import subscribe
from digest.workflows.context import Context
from digest.workflows.sign_in import Role, ensure_editor, make_link
from tests.web.desk_house import EDITOR, HEADLINES, csrf_of, draft_issue, issue_of, rows_of, sign_in, story_of

TOP, COURT = HEADLINES[0][0], HEADLINES[1][0]


@pytest.fixture
def issue_id(ctx: Context) -> int:
    return draft_issue(ctx)


def everything(ctx: Context) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with ctx.db.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in SQLModel.metadata.tables
        }


def issues_newsletter(ctx: Context, issue_id: int) -> str:
    with ctx.db.read() as session:
        return issues.slug_of(session, issues.get(session, issue_id))


def edit(client: requests.Session, issue_id: int, story: int, **form: str) -> requests.Response:
    return client.post(f"/desk/issues/{issue_id}/stories/{story}", data={"csrf": csrf_of(client), **form})


# Getting in


def test_whoever_is_signed_out_is_sent_to_the_sign_in_page(client: requests.Session, issue_id: int) -> None:
    for method, path in (("GET", ""), ("GET", "/mail"), ("GET", "/checks"), ("POST", "/approve")):
        answer = client.request(method, f"/desk/issues/{issue_id}{path}", allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sign-in"), path
    answer = client.get("/desk", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sign-in")
    # A part of a page that htmx asks for must not put the sign-in page into a corner.
    answer = client.get(f"/desk/issues/{issue_id}/checks", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/desk/sign-in"


def test_a_link_shows_a_button_and_the_button_opens_the_desk(ctx: Context, client: requests.Session) -> None:
    ensure_editor(ctx, EDITOR)
    link = f"/desk/sign-in/{make_link(ctx, EDITOR)}"
    for _ in range(2):  # a mail scanner, then the editor
        assert "<button" in client.get(link).text
        assert not client.cookies
    answer = client.post(link)
    assert answer.url.endswith("/desk")
    assert EDITOR in answer.text


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(ctx: Context, client: requests.Session) -> None:
    ensure_editor(ctx, EDITOR)
    answer = client.post(f"/desk/sign-in/{make_link(ctx, EDITOR)}", allow_redirects=False)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "digest_session=" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert f"max-age={14 * 24 * 3600}" in cookie
    assert "secure" not in cookie  # http on loopback


def test_a_used_link_says_that_it_has_run_out(ctx: Context, client: requests.Session) -> None:
    ensure_editor(ctx, EDITOR)
    link = f"/desk/sign-in/{make_link(ctx, EDITOR)}"
    client.post(link)
    assert client.get(link).status_code == client.post(link).status_code == 404


def test_asking_for_a_link_tells_nothing_about_the_address(ctx: Context, client: requests.Session) -> None:
    ensure_editor(ctx, EDITOR)
    known = client.post("/desk/sign-in", data={"address": EDITOR})
    unknown = client.post("/desk/sign-in", data={"address": "nobody@example.com"})
    assert known.text.replace(EDITOR, "X") == unknown.text.replace("nobody@example.com", "X")


def test_a_sign_in_sent_from_another_site_is_refused(ctx: Context, client: requests.Session) -> None:
    ensure_editor(ctx, EDITOR)
    link = f"/desk/sign-in/{make_link(ctx, EDITOR)}"
    for name, value in (
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
    ):
        assert client.post(link, headers={name: value}).status_code == 403
        assert client.post("/desk/sign-in", headers={name: value}).status_code == 403
    assert client.post(link, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}).status_code == 200


def test_signing_out_ends_the_session(ctx: Context, client: requests.Session) -> None:
    sign_in(ctx, client)
    token = client.cookies["digest_session"]
    client.post("/desk/sign-out", data={"csrf": csrf_of(client)})
    client.cookies.set("digest_session", token, path="/desk")
    assert client.get("/desk").url.endswith("/desk/sign-in")


# Who may do what

STEPS = ("stories/{story}", "undo", "approve", "hold", "pause", "resume", "cancel", "test")


def test_a_form_without_the_sessions_token_is_refused(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    before = everything(ctx)
    story = story_of(ctx, issue_id, TOP)
    form = {"do": "drop", "revision": "0", "address": EDITOR}
    for step in STEPS:
        for csrf in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
            answer = client.post(f"/desk/issues/{issue_id}/{step.format(story=story)}", data=form | csrf)
            assert (step, answer.status_code) == (step, 403)
    assert everything(ctx) == before


@pytest.mark.parametrize(
    ("role", "refused"),
    [("viewer", STEPS), ("editor", ("approve", "pause", "resume", "cancel")), ("publisher", ()), ("admin", ())],
)
def test_roles_are_kept(
    ctx: Context, client: requests.Session, issue_id: int, role: Role, refused: tuple[str, ...]
) -> None:
    sign_in(ctx, client, role)
    csrf, story = csrf_of(client), story_of(ctx, issue_id, TOP)
    form = {"csrf": csrf, "do": "pin", "revision": "-1", "address": EDITOR}
    for step in STEPS:
        answer = client.post(f"/desk/issues/{issue_id}/{step.format(story=story)}", data=form, allow_redirects=False)
        assert (step, answer.status_code) == (step, 403 if step in refused else 303)


def test_a_viewer_sees_no_buttons(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "viewer")
    page = client.get(f"/desk/issues/{issue_id}").text
    assert TOP in page
    assert 'name="do"' not in page
    assert "Approve No. 12" not in page


def test_every_route_that_changes_something_is_a_post(ctx: Context) -> None:
    methods = {route.path: route.methods for route in routes.router(ctx).routes}  # type: ignore[attr-defined]
    acting = re.compile(r"/(approve|hold|pause|resume|cancel|test|undo|sign-out|stories/\{story_id\})$")
    assert {path for path, allowed in methods.items() if acting.search(path) and allowed != {"POST"}} == set()


# Looking


def test_looking_changes_nothing(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    before = everything(ctx)
    for path in (
        "/desk", f"/desk/issues/{issue_id}", f"/desk/issues/{issue_id}?ask=approve&view=dark",
        f"/desk/issues/{issue_id}/mail", f"/desk/issues/{issue_id}/mail?view=eml", f"/desk/issues/{issue_id}/checks",
        f"/desk/issues/{issue_id}/progress", f"/desk/issues/{issue_id}/forecast",
    ):  # fmt: skip
        assert client.get(path).status_code == 200, path
    for path in (f"/desk/issues/{issue_id}/approve", f"/desk/issues/{issue_id}/undo"):
        assert client.get(path).status_code == 405, path
    assert everything(ctx) == before


def test_a_draft_says_who_would_get_it_before_it_is_approved(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client)
    part = client.get(f"/desk/issues/{issue_id}/forecast").text
    assert "Nobody reads this newsletter yet" in part
    slug = issues_newsletter(ctx, issue_id)
    subscribe.add_subscriber(ctx, "rosa@example.org", newsletter=[slug], confirmed=True)
    subscribe.add_subscriber(ctx, "tom@example.org", newsletter=[slug], frequency="weekly", confirmed=True)
    whole = client.get(f"/desk/issues/{issue_id}?ask=forecast").text
    for text_ in (part := client.get(f"/desk/issues/{issue_id}/forecast").text, whole):
        assert re.search(r"recipients</dt><dd>1<", text_), part
        assert "not on this day: weekly" in text_


def test_the_first_page_says_what_to_do_today_then_lists_issues(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    with ctx.db.write() as session:
        session.add(
            Feed(url="https://d.example/", name="The Docket", failures=7, last_error="503 <b>from</b> d.example")
        )
    sign_in(ctx, client)
    page = client.get("/desk").text
    assert f'href="/desk/issues/{issue_id}"' in page
    assert TOP in page
    assert "1 source fails" in page
    assert "503 &lt;b&gt;from" in page
    assert "<table" not in page[: page.index("The Ledger</h2>")]
    assert page.index("Approve No. 12 of The Ledger") < page.index("1 source fails")


def test_a_day_without_anything_to_do_says_so(ctx: Context, client: requests.Session) -> None:
    with ctx.db.write() as session:
        session.add(Feed(url="https://d.example/", name="The Docket", last_success_at=ctx.clock()))
    sign_in(ctx, client)
    assert "Nothing waits for you." in client.get("/desk").text


def test_feeds_are_asked_at_once_when_an_editor_wants_it(ctx: Context, client: requests.Session) -> None:
    later = ctx.clock() + timedelta(hours=5)
    with ctx.db.write() as session:
        session.add(Feed(url="https://d.example/", name="The Docket", next_check_at=later, failures=3))
        session.add(Feed(url="https://e.example/", name="Ended", next_check_at=later, retired_at=ctx.clock()))
    sign_in(ctx, client, "editor")
    assert "1 feed is asked within a minute" in client.post("/desk/fetch", {"csrf": csrf_of(client)}).text
    with ctx.db.read() as session:
        asked = session.exec(select(Feed.next_check_at).order_by(col(Feed.id))).all()
    assert asked == [ctx.clock(), later]


def test_an_issue_is_drafted_at_once_and_waits_for_approval(ctx: Context, client: requests.Session) -> None:
    sign_in(ctx, client, "editor")
    before = client.post("/desk/draft", {"csrf": csrf_of(client), "newsletter": "ledger"}).text
    assert "There is nothing to say yet" in before
    with ctx.db.read() as session:  # and nothing is left of it: no empty number, no window that has been told
        assert issues.recent(session, "ledger") == []
    ctx.clock.advance(minutes=1)  # type: ignore[attr-defined]
    with ctx.db.write() as session:
        session.add(Feed(url="https://d.example/", name="The Docket"))
        session.flush()
        for number, title in enumerate(("Law passed in Lisbon", "Price of copper rises", "Court names a law void")):
            at = ctx.clock() - timedelta(hours=number + 1)
            session.add(Article(url=f"https://d.example/{number}", title=title, summary=f"{title}, it was said.", source="The Docket", feed_id=1, published_at=at, first_seen_at=at))  # fmt: skip
    page = client.post("/desk/draft", {"csrf": csrf_of(client), "newsletter": "ledger"})
    assert "It waits for approval." in page.text
    assert issue_of(ctx, int(page.url.rsplit("/", 1)[1])).state == "draft"
    assert "No newsletter" in client.post("/desk/draft", {"csrf": csrf_of(client), "newsletter": "x"}).text


def test_viewers_can_neither_fetch_nor_draft(ctx: Context, client: requests.Session) -> None:
    sign_in(ctx, client, "viewer")
    assert "Draft now" not in client.get("/desk").text
    for path in ("/desk/fetch", "/desk/draft"):
        assert client.post(path, {"csrf": csrf_of(client), "newsletter": "ledger"}).status_code == 403


def test_an_empty_shelf_says_how_to_get_an_issue(ctx: Context, client: requests.Session) -> None:
    sign_in(ctx, client)
    assert "digest draft week" in client.get("/desk").text


def test_an_unknown_issue_is_a_plain_404(ctx: Context, client: requests.Session) -> None:
    sign_in(ctx, client)
    for path in ("/desk/issues/404", "/desk/issues/404/progress"):
        assert client.get(path).status_code == 404


def test_a_row_shows_parts_that_add_up(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    page = client.get(f"/desk/issues/{issue_id}").text
    story = story_of(ctx, issue_id, COURT)
    row = page[page.index(f'id="s-{story}"') :]
    row = row[: row.index("</li>")]
    parts = [float(value) for value in re.findall(r'<td class="num[^"]*">([+−][\d.]+)</td>', row)]
    total = re.search(r'<th scope="row">Score</th><td class="num">([\d.]+)', row)
    assert total
    assert len(parts) == 3
    assert round(sum(parts), 2) == float(total[1])
    assert "behind #1" in row
    assert "would be #1 if an editor gave it" in row
    assert "+2 outlets" in row


def test_a_loss_bears_a_minus_sign(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    page = client.get(f"/desk/issues/{issue_id}").text
    assert '<td class="num loss">\N{MINUS SIGN}0.30</td>' in page
    assert "-0.30" not in page


# The mail in its frame


def frame(client: requests.Session, issue_id: int, query: str = "") -> requests.Response:
    return client.get(f"/desk/issues/{issue_id}/mail{query}")


def test_the_frame_runs_no_script_and_loads_nothing_from_elsewhere(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client)
    policy = frame(client, issue_id).headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'none'", "img-src 'self';", "form-action 'none'", "sandbox"):
        assert rule in policy
    assert "img-src 'none'" in frame(client, issue_id, "?view=no-images").headers["Content-Security-Policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in client.get(f"/desk/issues/{issue_id}").text


def test_the_frame_shows_the_mail_of_the_chosen_reader(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    bitcoin = "Bitcoin slips under support"
    assert bitcoin in frame(client, issue_id).text
    assert bitcoin not in frame(client, issue_id, "?topics=policy").text
    assert COURT in frame(client, issue_id, "?topics=policy").text
    assert COURT not in frame(client, issue_id, "?topics=markets").text
    # As a weekly reader sees it: of a first issue the same, as there is no week before it.
    assert frame(client, issue_id, "?topics=policy&often=weekly").text == frame(client, issue_id, "?topics=policy").text
    asked = client.get(f"/desk/issues/{issue_id}?often=weekly").text
    assert "a reader of everything, once a week" in asked
    assert f"/desk/issues/{issue_id}/mail?often=weekly" in asked


def test_a_reader_who_is_not_there_is_said_in_the_frame(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    answer = frame(client, issue_id, f"?subscriber={quote('<b>@example.com')}")
    assert answer.status_code == 409
    assert "<b>@" not in answer.text


def test_the_text_view_is_the_text_part_as_text(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    text_view = frame(client, issue_id, "?view=text").text
    assert "<pre>" in text_view
    assert TOP in text_view


def test_the_eml_is_a_whole_message(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    answer = frame(client, issue_id, "?view=eml")
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert b"\r\nList-Unsubscribe:" in answer.content


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="https://news.example/media/a.png">', '<img src="http://127.0.0.1:8/media/a.png">'),
        ('<a href="https://news.example">', '<a href="http://127.0.0.1:8">'),
        ("https://news.example.org/x", "https://news.example.org/x"),
        ("https://other.example/x", "https://other.example/x"),
    ],
)
def test_only_our_own_origin_is_pointed_at_the_editors(html: str, expected: str) -> None:
    assert mail.here(html, "https://news.example", "http://127.0.0.1:8") == expected


def test_the_view_answers_for_the_readers_screen() -> None:
    html = "<head><style>@media (prefers-color-scheme: dark){a{}}@media(prefers-color-scheme:light){b{}}</style></head>"
    dark, light = mail.as_seen(html, "dark"), mail.as_seen(html, "light")
    assert "@media (min-width:0){a{}}@media(max-width:0){b{}}" in dark
    assert "@media (max-width:0){a{}}@media(min-width:0){b{}}" in light


# Shaping an issue and letting it out


def test_a_story_is_pinned_retitled_and_dropped(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "editor")
    story = story_of(ctx, issue_id, COURT)
    edit(client, issue_id, story, do="pin")
    page = edit(client, issue_id, story, do="retitle", headline='Court says <i>"explain"</i>', dek="").text
    assert "The new words are in the mail." in page
    assert "Court says &lt;i&gt;" in page
    row = next(row for row in rows_of(ctx, issue_id, "section:policy") if row.story_id == story)
    assert (row.pinned, row.headline) == (True, 'Court says <i>"explain"</i>')
    assert "Left out" in edit(client, issue_id, story, do="drop").text
    page = client.post(f"/desk/issues/{issue_id}/undo", data={"csrf": csrf_of(client)}).text
    assert "Undone: drop." in page
    with ctx.db.read() as session:
        log = [(entry.action, entry.actor) for entry in audit_log.about(session, f"issue:{issue_id}")]
    assert log == [("undo", EDITOR), ("drop", EDITOR), ("retitle", EDITOR), ("pin", EDITOR)]


def test_what_can_not_be_done_is_said_in_place(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    story = story_of(ctx, issue_id, TOP)
    for form, words in (
        ({"do": "up"}, "already stands first"),
        ({"do": "move", "to": "section:sports"}, "no section"),
        ({"do": "explode"}, "no step"),
        ({"do": "retitle", "headline": "x" * 201}, "201 characters"),
    ):
        page = edit(client, issue_id, story, **form)
        assert page.status_code == 200
        assert words in page.text
        assert words not in client.get(f"/desk/issues/{issue_id}").text  # said once
    assert issue_of(ctx, issue_id).revision == 0


def test_the_view_is_kept_over_an_edit(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    path = f"/desk/issues/{issue_id}/stories/{story_of(ctx, issue_id, TOP)}?view=dark&topics=policy"
    answer = client.post(path, data={"csrf": csrf_of(client), "do": "pin"})
    assert answer.url.endswith(f"/desk/issues/{issue_id}?view=dark&topics=policy")


def test_warnings_are_asked_about_before_approval(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    form = {"csrf": csrf_of(client), "revision": "0"}
    page = client.post(f"/desk/issues/{issue_id}/approve", data=form).text  # the public URL is not https
    assert "Approve No. 12 of The Ledger all the same" in page
    assert issue_of(ctx, issue_id).state == "draft"
    page = client.post(f"/desk/issues/{issue_id}/approve", data={**form, "seen": "yes"}).text
    assert "No. 12 is approved" in page
    issue = issue_of(ctx, issue_id)
    assert (issue.state, issue.approved_by) == ("approved", EDITOR)


def test_only_the_revision_that_was_looked_at_is_approved(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client)
    edit(client, issue_id, story_of(ctx, issue_id, TOP), do="pin")
    form = {"csrf": csrf_of(client), "revision": "0", "seen": "yes"}
    assert "changed since you opened this page" in client.post(f"/desk/issues/{issue_id}/approve", data=form).text
    assert issue_of(ctx, issue_id).state == "draft"


@pytest.mark.parametrize(("step", "state"), [("hold", "held"), ("cancel", "cancelled")])
def test_an_issue_is_kept_back_with_a_reason(
    ctx: Context, client: requests.Session, issue_id: int, step: str, state: str
) -> None:
    sign_in(ctx, client)
    form = {"csrf": csrf_of(client), "why": "a name is wrong", "sure": "yes"}
    page = client.post(f"/desk/issues/{issue_id}/{step}", data=form).text
    assert "a name is wrong" in page
    assert (issue_of(ctx, issue_id).state, issue_of(ctx, issue_id).reason) == (state, "a name is wrong")


def test_nothing_is_cancelled_by_a_second_click(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    form = {"csrf": csrf_of(client), "revision": "0", "seen": "yes"}
    page = client.post(f"/desk/issues/{issue_id}/approve", data=form).text
    steps = page[page.index('<div class="steps">') :]
    # What stands first where the button to approve stood does nothing, and ending an issue is far from it.
    assert steps.index("disabled>Approved<") < steps.index("Hold…") < steps.index("Why is this #")
    assert steps.index("Cancel No. 12 of The Ledger…") > steps.index('id="checks"')
    answer = client.post(f"/desk/issues/{issue_id}/cancel", data={"csrf": csrf_of(client), "why": ""}).text
    assert "tick the box" in answer
    assert issue_of(ctx, issue_id).state == "approved"


def test_an_issue_that_is_being_sent_is_paused_and_goes_on_by_buttons(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client)
    with ctx.db.write() as session:
        issues.move(session, issue_id, ["draft"], "sending", approved_at=ctx.clock())
    path, csrf = f"/desk/issues/{issue_id}", csrf_of(client)
    assert "Pause No. 12" in client.get(path).text
    page = client.post(f"{path}/pause", data={"csrf": csrf}).text
    assert issue_of(ctx, issue_id).state == "held"
    assert "Resume No. 12" in page
    assert "Approve No. 12" not in page
    assert "goes on where it stopped" in client.post(f"{path}/resume", data={"csrf": csrf}).text
    assert issue_of(ctx, issue_id).state == "approved"


def test_progress_is_asked_for_again_while_an_issue_is_being_sent(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client)
    states = ("sent", "sent", "sent", "queued", "skipped", "unknown")
    with ctx.db.write() as session:
        newsletter, _ = issues.newsletter(session, "ledger")
        for number, state in enumerate(states):
            address = f"r{number}@example.com"
            reader = Subscriber(address=address, address_key=address, created_at=ctx.clock())
            session.add(reader)
            session.flush()
            signed = Subscription(subscriber_id=reader.id, newsletter_id=newsletter.id, created_at=ctx.clock())
            session.add(signed)
            session.flush()
            half = QueueRow if state in ("queued", "unknown") else LedgerRow
            session.add(half(issue_id=issue_id, subscriber_id=reader.id, subscription_id=signed.id, state=state))
        issues.move(session, issue_id, ["draft"], "sending")
    page = client.get(f"/desk/issues/{issue_id}").text
    assert "sending 83" in page
    assert 'hx-trigger="every 2s"' in page
    assert "never sent again blindly" in page
    part = client.get(f"/desk/issues/{issue_id}/progress").text
    numbers = {state: int(found) for state, found in re.findall(r"(\w+)</dt><dd>([\d,]+)</dd>", part)}
    assert numbers == {"sent": 3, "sending": 0, "queued": 1, "skipped": 1, "failed": 0, "unknown": 1, "audience": 6}
    with ctx.db.write() as session:
        issues.move(session, issue_id, ["sending"], "sent")
    assert "every 2s" not in client.get(f"/desk/issues/{issue_id}/progress").text


def test_a_test_copy_goes_to_one_address_and_into_no_ledger(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client, "editor")
    page = client.post(
        f"/desk/issues/{issue_id}/test", data={"csrf": csrf_of(client), "address": "me@example.com"}
    ).text
    assert "on its way to me@example.com" in page
    (message,) = ctx.sender.messages  # type: ignore[attr-defined]
    assert message.recipient == "me@example.com"
    assert message.delivery_id is None


def test_pages_stand_without_inline_scripts_and_styles(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client)
    for path in ("/desk", f"/desk/issues/{issue_id}", "/desk/sign-in"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", page), path


def test_links_are_looked_up_at_a_buttons_press_by_those_who_may_edit(
    ctx: Context, client: requests.Session, issue_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get(_fetcher: object, url: str, **_limits: object) -> None:
        asked.append(url)
        raise FetchError("it answered 404", status=404)

    monkeypatch.setattr(Fetcher, "get", get)
    sign_in(ctx, client)
    page = client.get(f"/desk/issues/{issue_id}?ask=checks").text
    assert "Look up every link" in page
    assert asked == []
    answer = client.post(f"/desk/issues/{issue_id}/links", data={"csrf": csrf_of(client)})
    assert answer.status_code == 200
    assert f"{len(asked)} links were looked up" in answer.text
    assert len(asked) > 5
    # A link that stands in two places is told once; many of a kind wait behind a fold.
    assert answer.text.count("does not answer: it answered 404") == len(asked)
    assert f"{len(asked)} of them do not answer" in answer.text
    assert f"{len(asked) - 3} more of links-unreachable" in answer.text
    assert ", section:policy" in answer.text
    # That address is no page of its own: who opens it anew gets the issue, and nobody is asked again.
    again = client.get(f"/desk/issues/{issue_id}/links")
    assert (again.url.split("/desk/")[1], again.status_code) == (f"issues/{issue_id}?ask=checks#checks", 200)
    assert client.post(f"/desk/issues/{issue_id}/links", data={"csrf": "forged"}).status_code in (400, 403)
