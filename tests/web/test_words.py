"""Writing a letter at the desk, over HTTP, without JavaScript."""

import pytest
import requests
from bs4 import BeautifulSoup, Tag

from digest.store import audit_log
from digest.workflows import writing
from digest.workflows.context import Context
from tests.web.desk_house import EDITOR, csrf_of, draft_issue, issue_of, sign_in
from tests.web.test_desk import everything

LETTER = "letter:3"
HOSTILE = (
    'Hello <script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> [y](https://example.org "t")'
)


@pytest.fixture
def issue_id(ctx: Context) -> int:
    return draft_issue(ctx, written=True)


def form_of(text: str, key: str = LETTER) -> Tag:
    found = BeautifulSoup(text, "html.parser").select_one(f'form:has([name="block"][value="{key}"])')
    assert isinstance(found, Tag), "no form to write this block"
    return found


def send(client: requests.Session, issue_id: int, do: str, body: str = "", **more: str) -> requests.Response:
    form = {"csrf": csrf_of(client), "block": LETTER, "title": "", "body": body, "do": do, **more}
    return client.post(f"/desk/issues/{issue_id}/words", data=form)


def test_an_editor_writes_the_letter_and_it_is_in_the_mail(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client, "editor")
    page = client.get(f"/desk/issues/{issue_id}").text
    assert "not written yet" in page
    seen = form_of(page).select_one('[name="seen"]')
    assert seen is not None
    answer = send(client, issue_id, "save", "Ports are *quiet*.", title="Good morning", seen=str(seen["value"]))
    assert answer.url.endswith(f"/desk/issues/{issue_id}")
    assert "The words are in the mail." in answer.text
    area = form_of(answer.text).textarea
    assert area is not None
    assert area.text.strip() == "Ports are *quiet*."
    assert "<em>quiet</em>" in client.get(f"/desk/issues/{issue_id}/mail").text
    with ctx.db.read() as session:
        [entry] = audit_log.about(session, audit_log.issue_subject(issue_id))
    assert (entry.actor, entry.action) == (EDITOR, "write")
    assert "Good morning" in BeautifulSoup(answer.text, "html.parser").select_one("#history").get_text()  # type: ignore[union-attr]


def test_it_is_left_out_and_taken_back(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "editor")
    assert "Read our book." in client.get(f"/desk/issues/{issue_id}/mail").text
    assert "Left out of this issue." in send(client, issue_id, "leave-out", block="promo:8").text
    assert "Read our book." not in client.get(f"/desk/issues/{issue_id}/mail").text
    assert "The drafted words are back." in send(client, issue_id, "take-back", block="promo:8").text
    assert "Read our book." in client.get(f"/desk/issues/{issue_id}/mail").text


def test_a_preview_shows_the_words_and_keeps_them_in_the_form_only(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client, "editor")
    before = everything(ctx)
    form = form_of(send(client, issue_id, "preview", "Ports are *quiet*.", title="Good morning").text)
    assert form.parent is not None
    assert form.parent.has_attr("open")
    assert form.select_one(".look em") is not None
    assert form.textarea is not None
    assert form.textarea.text.strip() == "Ports are *quiet*."
    part = client.post(f"/desk/issues/{issue_id}/words/look", data={"csrf": csrf_of(client), "body": "So *are* we."})
    assert "<em>are</em>" in part.text
    assert everything(ctx) == before


def test_a_preview_runs_nothing_that_was_written(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "editor")
    send(client, issue_id, "save", HOSTILE)
    look = client.post(f"/desk/issues/{issue_id}/words/look", data={"csrf": csrf_of(client), "body": HOSTILE}).text
    shown = form_of(client.get(f"/desk/issues/{issue_id}").text).select_one(".look")
    assert shown is not None
    for found in (BeautifulSoup(look, "html.parser"), shown):
        assert found.select("script, img, [onerror]") == []
        assert [link["href"] for link in found.select("a")] == ["https://example.org"]


def test_whoever_comes_second_keeps_their_words_and_is_told(
    ctx: Context, client: requests.Session, issue_id: int
) -> None:
    sign_in(ctx, client, "editor")
    seen = str(form_of(client.get(f"/desk/issues/{issue_id}").text).select_one('[name="seen"]')["value"])  # type: ignore[index]
    writing.write(ctx, issue_id, LETTER, "", "Ann's words.", "ann@example.com")
    form = form_of(send(client, issue_id, "save", "My words.", seen=seen).text)
    assert "Somebody else wrote here meanwhile" in form.get_text()
    assert form.textarea is not None
    assert form.textarea.text.strip() == "My words."
    again = str(form.select_one('[name="seen"]')["value"])  # type: ignore[index]
    assert "The words are in the mail." in send(client, issue_id, "save", "My words.", seen=again).text


def test_who_may_only_look_sees_the_line_and_no_form(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "viewer")
    assert 'name="block"' not in client.get(f"/desk/issues/{issue_id}").text
    for path in ("words", "words/look"):
        data = {"csrf": csrf_of(client), "do": "save", "block": LETTER, "body": "x"}
        assert client.post(f"/desk/issues/{issue_id}/{path}", data=data).status_code == 403
    assert issue_of(ctx, issue_id).revision == 0


def test_a_form_of_another_site_writes_nothing(ctx: Context, client: requests.Session, issue_id: int) -> None:
    sign_in(ctx, client, "editor")
    for path in ("words", "words/look"):
        data = {"do": "save", "block": LETTER, "body": "x", "csrf": "0" * 64}
        assert client.post(f"/desk/issues/{issue_id}/{path}", data=data).status_code == 403
    assert issue_of(ctx, issue_id).revision == 0


def test_a_sent_issue_has_nothing_to_write(ctx: Context, client: requests.Session) -> None:
    issue_id = draft_issue(ctx, written=True, state="sent")
    sign_in(ctx, client, "editor")
    assert 'name="block"' not in client.get(f"/desk/issues/{issue_id}").text
    answer = send(client, issue_id, "save", "Too late.").text
    assert "can be edited" in answer
    assert "Too late." in answer  # nobody loses what they wrote
    assert issue_of(ctx, issue_id).revision == 0
