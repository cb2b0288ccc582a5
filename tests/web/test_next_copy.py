"""The copy beside the choices, over HTTP, without JavaScript."""

from html import unescape

import pytest
from bs4 import BeautifulSoup

from digest.web.reader import forms
from digest.workflows import subscribe
from digest.workflows.approve import approve
from digest.workflows.context import Context
from tests.web.conftest import Client
from tests.web.desk_house import EDITOR, HEADLINES, draft_issue
from tests.web.test_reader import everything, joined, preferences_path

COURT, BITCOIN = HEADLINES[1][0], HEADLINES[2][0]


@pytest.fixture
def path(ctx: Context) -> str:
    """The choices of a reader of policy, while an issue is approved."""
    approve(ctx, draft_issue(ctx), EDITOR)
    return preferences_path(ctx, joined(ctx, topics=["policy"]))


def panel(text: str) -> BeautifulSoup:
    found = BeautifulSoup(text, "html.parser").select_one("#copy")
    assert found is not None
    return found  # type: ignore[return-value]


def frame(client: Client, text: str) -> str:
    source = panel(text).select_one("iframe")
    assert source is not None
    return unescape(client.get(str(source["src"])).text)


def test_the_page_shows_the_copy_that_the_kept_choices_make(client: Client, path: str) -> None:
    shown = client.get(path).text
    assert "as it will be sent" in panel(shown).get_text()
    mail = frame(client, shown)
    assert COURT in mail
    assert BITCOIN not in mail


def test_the_button_shows_what_is_ticked_and_saves_nothing(ctx: Context, client: Client, path: str) -> None:
    before = everything(ctx)
    ticked = {"show": "1", "topics": "markets", "frequency": "every-issue", "hour": "07:00", "zone": "Asia/Tokyo"}
    shown = client.get(path, params=ticked).text
    form = BeautifulSoup(shown, "html.parser")
    assert [box["value"] for box in form.select("[name=topics][checked]")] == ["markets"]
    assert [hour["value"] for hour in form.select("[name=hour] [selected]")] == ["07:00"]
    mail = frame(client, shown)
    assert BITCOIN in mail
    assert COURT not in mail
    assert everything(ctx) == before


def test_choices_that_bring_no_mail_say_why_and_show_no_frame(client: Client, path: str) -> None:
    shown = panel(client.get(path, params={"show": "1", "frequency": "weekly"}).text)
    assert "No mail from this issue. With these choices your mail comes on other days." in shown.get_text()
    assert "once a week comes on Mondays" in shown.get_text()
    assert shown.select_one("iframe") is None
    assert client.get(f"{path}/copy", params={"frequency": "weekly"}).status_code == 404


def test_what_cannot_be_chosen_is_told_in_the_panel(client: Client, path: str) -> None:
    shown = client.get(path, params={"show": "1", "topics": "gardening"})
    assert shown.status_code == 200
    assert "gardening" in panel(shown.text).get_text()
    assert client.get(f"{path}/copy", params={"topics": "gardening"}).status_code == 400


def test_the_frame_runs_nothing_and_stands_in_our_pages_only(client: Client, path: str) -> None:
    answer = client.get(f"{path}/copy")
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox allow-popups"):
        assert rule in policy
    assert "script-src" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "rosa@example.org" not in answer.text


def test_a_forged_link_shows_nothing(client: Client, path: str) -> None:
    forged = path[:-4] + ("AAAA" if path[-4:] != "AAAA" else "BBBB")
    assert client.get(forged).status_code == client.get(f"{forged}/copy").status_code == 404


def test_who_has_left_sees_no_copy(ctx: Context, client: Client, path: str) -> None:
    subscribe.unsubscribe(ctx, ctx.signer.sign("unsubscribe", 1))
    assert BeautifulSoup(client.get(path).text, "html.parser").select_one("#copy") is None
    assert client.get(f"{path}/copy").status_code == 404, "nor by the frame's address, which is in many a history"


@pytest.fixture
def three_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "LOOKS_AN_HOUR", 3)


@pytest.mark.usefixtures("three_looks")
def test_looks_are_counted_and_saving_stays_open_to_who_looked_too_often(client: Client, path: str) -> None:
    assert [client.get(f"{path}/copy").status_code for _ in range(3)] == [200] * 3
    answer = client.get(f"{path}/copy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert "many looks" in panel(client.get(path).text).get_text()
    assert "Saved." in client.post(path, data={"topics": "markets", "frequency": "every-issue"}).text
