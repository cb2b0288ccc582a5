"""Text from feeds cannot leave its block, become markup or a token, or stop an issue."""

import email
import email.policy
import re

import pytest
from bs4 import BeautifulSoup

from digest.domain.content import Image
from digest.domain.issue import Block, Coverage, Selection
from digest.render.clean import HEADLINE, clean_line, clip, href, unfillable
from digest.render.cut import cut_for
from digest.render.message import Head
from digest.render.stitch import message
from tests.render import documents

HOSTILE = (
    "<script>alert(1)</script>",
    "</mj-text></mj-column><mj-raw><h1>owned</h1></mj-raw>",
    "</td></tr></table><table><tr><td>out",
    "<b>unclosed",
    "</div></body></html>",
    "a < b && c > d",
    "AT&T; &amp; &lt;b&gt; &#60;i&#62; &nbsp; &bogus;",
    "<![CDATA[ <b>x</b> ]]>",
    "<!-- comment --> --> <!-- open",
    "<!--[if mso]><table><![endif]-->",
    "]]> <?xml version='1.0'?> <!DOCTYPE html>",
    "nul\0byte",
    "bell\x07 vt\x0b ff\x0c fs\x1c esc\x1b[31m",
    "line\u2028separator\u2029and\x85next",
    "header\r\nBcc: victim@example.com\r\n\r\nbody",
    "\u202eright to left override\u202c",
    "\u2066isolates\u2069 \u200fmarks\u200e",
    "x" * 10_000,
    "ж" * 10_000,
    "🚀🌕👩‍👩‍👧‍👦" * 40,
    "{{7*7}} {% raw %} {{ config }} ${7*7} #{7*7}",
    "@@UNSUBSCRIBE@@ @@PREHEADER@@ @@NAME@@",
    "@@@@ @@ @",
    "=?utf-8?B?QmNjOiB4?= =41=42",
    ".\r\n.\r\nQUIT",
    "From the desk\nFrom here",
    "\" onmouseover=\"alert(1)\" x='",
    "javascript:alert(1)",
    "<img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "<a href='https://evil.example'>click</a>",
    "<svg onload=alert(1)><math><mi>",
    "%3Cscript%3E &#x3C;script&#x3E;",
    "\ufeffbom \ufffe\uffff nonchars",
    "\ud800lone surrogate",
    "Z̸̡͉a̵l̶g̷o" * 30,
    "ﷺ" * 200,
    "   ",
    "\u200b\u200c\u200d\u2060",
    "`rm -rf` | $(id) ; -- 'OR 1=1",
    "https://" + "very-long-address." * 60 + "example/path",
)  # fmt: skip
LINKS = ("javascript:alert(1)", "data:text/html,x", "//evil.example", "", "https://ok.example/\"><script>", "vbscript:x",
         "https://ok.example/a b\nc", "http://[::1", "ftp://x.example/", "https://ok.example/@@UNSUBSCRIBE@@")  # fmt: skip


def hostile_story(number: int, text: str):
    return documents.story(
        number,
        headline=text,
        dek=text,
        source=text,
        reporter=text,
        kicker=text,
        author=text,
        why=text,
        url=LINKS[number % len(LINKS)],
        also=(Coverage(text, text, LINKS[(number + 3) % len(LINKS)]),),
        image=Image(f"https://img.example/{number}.jpg", text, text),
    )


STORIES = [hostile_story(number, text) for number, text in enumerate(HOSTILE, 1)]
DOCUMENT = documents.framed(
    documents.lead(STORIES),
    documents.section("policy", "Policy", STORIES, forms=("card", "brief", "line") * len(STORIES)),
    Block(key="letter", type="letter", title="A letter", body="\n\n".join(HOSTILE)),
    Block(key="links", type="links", title="Links", links=()),
    tagline="A tagline of the usual sort, <b>bold</b> & long enough.",
)
FRAGMENTS = documents.renderer().render(DOCUMENT)
HEAD = Head.of(DOCUMENT)


def mail_of(selection: Selection) -> email.message.EmailMessage:
    data = message(HEAD, FRAGMENTS, cut_for(FRAGMENTS, selection), documents.addressee()).data
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


@pytest.mark.parametrize("number", range(1, len(HOSTILE) + 1))
def test_a_hostile_text_stands_in_its_block_as_text(number: int) -> None:
    expected = clip(unfillable(clean_line(HOSTILE[number - 1])), HEADLINE) or "Untitled"
    mail = mail_of(Selection(lead=number, items={"section:policy": (number % len(HOSTILE) + 1,)}))
    page = BeautifulSoup(mail.get_body(("html",)).get_content(), "html.parser")
    lead = page.find("h2")
    assert " ".join(lead.get_text().split()) == " ".join(expected.split())
    assert len(page.find_all("h1")) == 1
    assert not page.find_all(["script", "svg", "iframe", "math"])
    assert not [tag for tag in page.find_all(True) if tag.name.startswith("mj-")]
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name.lower().startswith("on")]
    assert len(page.find_all("img")) == 1
    assert {a["href"].split(":")[0] for a in page.find_all("a")} <= {"https", "http", "mailto"}
    # The way out is intact: nothing that a source wrote was taken for a token.
    assert len([a for a in page.find_all("a") if a["href"] == documents.addressee().unsubscribe_url]) == 1
    text = mail.get_body(("plain",)).get_content()
    assert text.count(documents.addressee().unsubscribe_url) == 1
    # Nothing is left that a mail provider would fill in, or a client of text would draw as markup.
    assert not re.search(r"\{\{|\{%|\}\}|%\}", page.get_text() + text)
    assert not re.search(r"</?(p|div|td|a|b|script|table)\b|&(nbsp|amp|lt|#\d+);", text)
    if "@@UNSUBSCRIBE@@" in expected:
        assert "@@UNSUBSCRIBE@@" in lead.get_text()
        assert "@@UNSUBSCRIBE@@" in text


@pytest.mark.parametrize("number", range(1, len(HOSTILE) + 1))
def test_a_hostile_headline_makes_a_clean_subject(number: int) -> None:
    mail = mail_of(Selection(lead=number))
    assert 0 < len(mail["Subject"]) <= 120
    assert not any(defect for value in mail.values() for defect in getattr(value, "defects", ()))
    assert mail["Bcc"] is None
    assert mail["List-Unsubscribe"] == f"<{documents.addressee().unsubscribe_url}>"


def test_hostile_text_lines_stay_within_78_columns_but_for_links() -> None:
    everything = Selection(lead=1, items={"section:policy": tuple(range(2, len(HOSTILE) + 1))})
    text = mail_of(everything).get_body(("plain",)).get_content()
    long_lines = [line for line in text.splitlines() if len(line) > 78 and "://" not in line and "ﷺ" not in line]
    assert [line for line in long_lines if line.isascii()] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://a.example/x?y=1&z=2#f", "https://a.example/x?y=1&z=2#f"),
        ("HTTPS://a.example/ü", "HTTPS://a.example/%C3%BC"),
        ('https://a.example/a b"<>', "https://a.example/a%20b%22%3C%3E"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("//evil.example", ""),
        ("https://", ""),
        ("http://[::1", ""),
    ],
)
def test_links_lead_to_web_pages_or_mail_or_nowhere(given: str, expected: str) -> None:
    assert href(given) == expected
