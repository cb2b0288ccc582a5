"""The finished mail: headers that every server and client reads the same way, and the same bytes every time."""

import email
import email.policy
import html
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.issue import Selection
from digest.domain.mail import Cut
from digest.errors import MessageError, RenderError
from digest.render import headers, quoted
from digest.render.clean import clean_line
from digest.render.cut import cut_for, in_cut, whole
from digest.render.message import HTML_PART, TEXT_PART, Head, sender_id, tokens
from digest.render.stitch import Stitcher, message
from tests.render import documents

DOCUMENT = documents.document()
FRAGMENTS = documents.renderer().render(DOCUMENT)
HEAD = Head.of(DOCUMENT)
WHOLE = whole(FRAGMENTS)
STITCHER = Stitcher(HEAD, FRAGMENTS)


def sent(**changes: object) -> bytes:
    return message(HEAD, FRAGMENTS, WHOLE, documents.addressee(**changes)).data


def parsed(data: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


def test_the_same_arguments_give_the_same_bytes() -> None:
    again = documents.renderer().render(documents.document())
    assert again == FRAGMENTS
    assert message(Head.of(documents.document()), again, WHOLE, documents.addressee()).data == sent()


@given(
    bits=st.integers(0, (1 << len(FRAGMENTS) + 4) - 1),
    address=st.sampled_from(["ada@reader.example", "a&b'c@reader.example", " a-b.c+d@x-y.example ", "u" * 64 + "@x.example"]),
    link=st.sampled_from(["https://f.example/u/x_-Y", "https://f.example/?a=1&b=2", "https://f.example/" + "." * 90]),
)  # fmt: skip
def test_any_cut_is_the_join_of_its_fragments_with_the_readers_own_words_between(
    bits: int, address: str, link: str
) -> None:
    cut, reader = Cut(bits), documents.addressee(address=address, unsubscribe_url=link)
    values = tokens(HEAD, FRAGMENTS, cut, reader)
    head, text, page = STITCHER.message(cut, reader).data.split(b"--" + HEAD.boundary)[:3]
    chosen = in_cut(FRAGMENTS, cut)
    assert text == TEXT_PART + quoted.fill(b"".join(f.text for f in chosen), values)
    assert page == HTML_PART + quoted.fill(b"".join(f.html for f in chosen), values, html.escape)
    assert parsed(head)["Subject"] == HEAD.lines_for(FRAGMENTS, cut).subject


@given(st.from_regex(r"[A-Za-z0-9' =?.-]{0,60}", fullmatch=True), st.sampled_from(["a@b.example", "a" * 50 + "@b.co"]))
def test_a_name_of_usual_letters_is_read_as_it_is_written(name: str, address: str) -> None:
    field = headers.mailbox("To", name, address)
    assert all(len(line) <= headers.FOLD for line in field.decode().split("\r\n"))
    shown, bare = parseaddr(str(email.message_from_bytes(field)["To"]).replace("\r\n", ""))
    assert (str(make_header(decode_header(shown))), bare) == (clean_line(name), address)


def test_the_mail_has_each_header_once_and_as_the_rfcs_want_them() -> None:
    mail = parsed(sent())
    assert {name: mail.get_all(name) for name in ("To", "From", "Date", "Message-ID", "List-Id", "Precedence")} == {
        "To": ["Ada Lovelace <ada@reader.example>"],
        "From": ["The Float <mara@float.example>"],
        "Date": ["Thu, 12 Mar 2026 11:00:00 +0000"],
        "Message-ID": ["<k5twq7hz3nd6x2ab@float.example>"],
        "List-Id": ["The Float <the-float.float.example>"],
        "Precedence": ["bulk"],
    }
    assert mail["Subject"] == "⚓ Hong Kong licenses four exchanges, and Beijing looks on without a word"
    assert mail["List-Unsubscribe"] == "<https://mail.float.example/unsubscribe/AAAAAAAAAAEwTAtGc2x0fJc1bJ0Yd9mK>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"] == "42:the-float:issue:floatexample"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_wish_to_leave_may_come_by_mail_where_an_address_takes_it() -> None:
    head = Head.of(replace(DOCUMENT, unsubscribe_by_mail="leave+a&b@float.example"))
    data = Stitcher(head, FRAGMENTS).message(WHOLE, documents.addressee()).data
    token = "AAAAAAAAAAEwTAtGc2x0fJc1bJ0Yd9mK"
    assert parsed(data)["List-Unsubscribe"] == (
        f"<https://mail.float.example/unsubscribe/{token}>, "
        f"<mailto:leave+a%26b@float.example?subject=unsubscribe%20{token}>"
    )
    assert parsed(data)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    by_mail = f",\r\n <mailto:leave+a%26b@float.example?subject=unsubscribe%20{token}>"
    assert data.replace(by_mail.encode(), b"") == sent()


def test_every_line_ends_in_crlf_and_is_printable_ascii() -> None:
    data = sent(name="Ådå", unsubscribe_url="https://mail.float.example/unsubscribe/" + "A" * 500)
    assert data.replace(b"\r\n", b"").isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert not any(line.startswith(b".") for line in data.split(b"\r\n"))
    assert parsed(data)["List-Unsubscribe"].endswith("A" * 500 + ">")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""),
        ("Ada Lovelace", "Ada Lovelace"),
        ('Ada "Countess" Lovelace', 'Ada "Countess" Lovelace'),
        ("Lovelace, Ada", "Lovelace, Ada"),
        ("Åsa Öberg", "Åsa Öberg"),
        ("Ada\r\nBcc: x@y.example", "Ada Bcc: x@y.example"),
        ("山田太郎" * 20, "山田太郎" * 20),
        ("=?utf-8?q?x?=", "=?utf-8?q?x?="),
    ],
)
def test_a_name_is_quoted_or_encoded_where_it_must_be(name: str, shown: str) -> None:
    mail = parsed(sent(name=name))
    raw_name, address = parseaddr(str(email.message_from_bytes(sent(name=name))["To"]).replace("\r\n", ""))
    assert address == "ada@reader.example"
    assert mail["To"].addresses[0].addr_spec == "ada@reader.example"
    assert str(make_header(decode_header(raw_name))) == shown
    assert mail["Bcc"] is None


def test_a_domain_goes_out_as_a_labels() -> None:
    letter = message(HEAD, FRAGMENTS, WHOLE, documents.addressee(address="ada@bücher.example", name=""))
    assert letter.recipient == "ada@xn--bcher-kva.example"
    assert parsed(letter.data)["To"] == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["ädä@reader.example", "ada", "ada@", "@reader.example", "a b@reader.example", "ada@reader.example\r\nBcc: x@y.z",
     "<ada@reader.example>", "ada@-bad-.example", "x" * 65 + "@reader.example"],
)  # fmt: skip
def test_an_address_that_cannot_be_written_to_is_refused(address: str) -> None:
    with pytest.raises(MessageError):
        sent(address=address)


@pytest.mark.parametrize("url", ["", "javascript:x", "https://a.example/\r\nBcc: x", "https://a.example/>,<b"])
def test_a_link_that_would_break_the_header_is_refused(url: str) -> None:
    with pytest.raises(MessageError):
        sent(unsubscribe_url=url)


def test_subject_and_preheader_come_from_the_cuts_own_top_story() -> None:
    cut = cut_for(FRAGMENTS, Selection(lead=9, items={"section:infra": (10,)}))
    mail = parsed(message(HEAD, FRAGMENTS, cut, documents.addressee()).data)
    assert mail["Subject"] == "⚓ A client bug halts Lumen’s mainnet for 94 minutes"
    lines = HEAD.lines_for(FRAGMENTS, cut)
    assert lines.preheader == documents.story(9).dek
    assert lines.preheader in mail.get_body(("html",)).get_content()


@pytest.mark.parametrize(
    ("headline", "subject"),
    [
        ("word " * 60, "⚓ " + "word " * 23 + "word…"),
        ("x" * 300, "⚓ " + "x" * 117 + "…"),
    ],
)
def test_a_long_subject_is_cut_at_a_word(headline: str, subject: str) -> None:
    document = documents.framed(documents.lead([documents.story(1, headline=headline)]))
    found = Head.of(document).lines[1].subject
    assert len(found) <= 120
    assert found.rstrip("…").rstrip() == subject[: len(found)].rstrip("…").rstrip()
    assert found.endswith("…")


@given(st.text(max_size=400), st.text(max_size=400))
def test_the_preheader_has_30_to_150_characters_whatever_the_dek(headline: str, dek: str) -> None:
    document = documents.framed(documents.lead([documents.story(1, headline=headline, dek=dek)]))
    lines = Head.of(document).lines[1]
    assert 30 <= len(lines.preheader) <= 150
    assert 0 < len(lines.subject) <= 120


@given(st.text(max_size=300))
def test_any_text_survives_an_unstructured_header(text: str) -> None:
    field = headers.unstructured("Subject", text)
    assert field.isascii()
    assert field.endswith(b"\r\n")
    assert all(len(line) <= 78 or " " not in line.strip().decode()[9:] for line in field.split(b"\r\n"))
    assert all(len(word) <= 75 for word in field.split() if word.startswith(b"=?"))
    raw = email.message_from_bytes(field + b"\r\n")["Subject"] or ""
    unfolded = raw.replace("\r\n ", " ").replace("\n ", " ")
    assert str(make_header(decode_header(unfolded))).strip() == clean_line(text)


def test_a_test_mail_says_so_in_subject_and_feedback_id() -> None:
    head = Head.of(DOCUMENT, test=True)
    mail = parsed(message(head, FRAGMENTS, WHOLE, documents.addressee()).data)
    assert mail["Subject"].startswith("[Test] ⚓ Hong Kong")
    assert mail["Feedback-ID"] == "42:the-float:test:floatexample"


@pytest.mark.parametrize("template", ["{{ top.nothing }}", "{{ unknown }}", "{% if %}", "{{ ''.__class__.__mro__ }}"])
def test_a_subject_template_that_cannot_be_filled_is_named(template: str) -> None:
    with pytest.raises(RenderError, match="subject"):
        Head.of(replace(DOCUMENT, subject=template))


@pytest.mark.parametrize("domain", ["a.io", "float.example", "a-very-long-domain-name.example.com"])
def test_the_sender_id_has_5_to_15_characters(domain: str) -> None:
    assert 5 <= len(sender_id(domain)) <= 15
    assert sender_id(domain).isalnum()


def test_dates_are_written_with_their_zone() -> None:
    assert b"Date: Fri, 02 Jan 2026 00:00:00 +0000\r\n" in sent(date=datetime(2026, 1, 2, tzinfo=UTC))
