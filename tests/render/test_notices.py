"""Mails outside the issues."""

import email
import email.policy

import pytest

from digest.errors import MessageError, RenderError
from digest.render.notices import KINDS, NoticeSender, notice
from tests.render import documents

SENDER = NoticeSender("The Float", "mara@float.example", documents.POSTAL)
URL = "https://mail.float.example/confirm/AAAAAAAAAAEwTAtGc2x0fJc1bJ0Yd9mK"
RENDERER = documents.renderer()


def made(kind: str, payload: dict[str, object], address: str = "ada@reader.example"):
    return notice(
        RENDERER, kind, payload, SENDER, address=address, message_id="<n1@float.example>", date=documents.NOW
    )  # fmt: skip


def parsed(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_has_its_link_in_both_parts_and_no_way_to_unsubscribe(kind: str) -> None:
    letter = made(kind, {"url": URL, "name": "The Float"})
    mail = parsed(letter.data)
    page, text = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
    assert page.count(URL) == 3  # button, link and its text
    assert text.count(URL) == 1
    assert documents.POSTAL in text
    assert mail["List-Unsubscribe"] is None
    assert mail["Precedence"] is None
    assert mail["To"] == "ada@reader.example"
    assert letter.delivery_id is None
    assert letter.data == made(kind, {"url": URL, "name": "The Float"}).data


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("confirm", "Please confirm: The Float"),
        ("preferences-link", "Your preferences for The Float"),
        ("sign-in-link", "Sign in to the desk of The Float"),
    ],
)
def test_subjects_say_what_the_mail_is_for(kind: str, subject: str) -> None:
    assert parsed(made(kind, {"url": URL}).data)["Subject"] == subject


def test_days_and_minutes_are_told_where_they_are_known() -> None:
    confirm = parsed(made("confirm", {"url": URL, "days": 30}).data).get_body(("plain",)).get_content()
    sign_in = parsed(made("sign-in-link", {"url": URL, "minutes": 15}).data).get_body(("plain",)).get_content()
    assert "forgotten after 30 days" in " ".join(confirm.split())
    assert "ends after 15 minutes" in " ".join(sign_in.split())


def test_a_name_with_markup_stays_text() -> None:
    mail = parsed(made("confirm", {"url": URL, "name": "<b>Bold</b>\r\nBcc: x@y.example @@URL@@"}).data)
    assert "&lt;b&gt;Bold&lt;/b&gt;" in mail.get_body(("html",)).get_content()
    assert "@@URL@@" in mail.get_body(("plain",)).get_content()
    assert mail["Bcc"] is None


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(RenderError, match="farewell"):
        made("farewell", {"url": URL})
    with pytest.raises(MessageError, match="no link"):
        made("confirm", {})
    with pytest.raises(MessageError):
        made("confirm", {"url": URL}, address="nobody")


def test_an_alert_names_each_feed_and_what_it_says_stays_text() -> None:
    payload = {"url": URL, "headline": "2 feeds fail", "failing": ["Wire: a < b \x0b</mj-text><script>"], "recovered": ["Post"], "more": 3}  # fmt: skip
    mail = parsed(made("feed-alert", payload).data)
    page, text = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "2 feeds fail"
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    for words in ("Wire: a < b", "Post: answers again.", "And 3 more."):
        assert words in text
