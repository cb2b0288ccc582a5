"""Text from feeds cannot leave its block, become markup or a token, or stop an issue."""

import email
import email.policy
import re
from dataclasses import replace
from quopri import decodestring

import pytest
from bs4 import BeautifulSoup

from digest.domain.content import Image
from digest.domain.issue import Block, Coverage, Selection
from digest.render.clean import HEADLINE, clean_line, clip, href, unfillable
from digest.render.cut import cut_for
from digest.render.message import Head
from digest.render.stitch import message
from tests.render import documents
from tests.render.hostile import HOSTILE

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


def skeleton(page: str) -> list[str]:
    """The tags of a page in their order, with what decides the layout and without a word of its text."""
    return re.findall(r"<!--\[if [^\]]*\]>|<!\[endif\]-->|</?[a-z][a-z0-9]*\b", page)


def plain(text: str) -> str:
    return "Plain" if unfillable(clean_line(text)) else ""


def tame(story):
    """The same story with a plain word wherever it has text: what its block must look like."""
    also = tuple(replace(other, source=plain(other.source), title=plain(other.title)) for other in story.also)
    texts = {
        name: plain(getattr(story, name))
        for name in ("headline", "dek", "source", "reporter", "kicker", "author", "why")
    }
    image = story.image and replace(story.image, alt=plain(story.image.alt), credit=plain(story.image.credit))
    return replace(story, also=also, image=image, **texts)


def test_the_corpus_is_large() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


def test_no_text_changes_a_tag_of_any_block() -> None:
    """Tag by tag, each block is what it would be around plain words: nothing left it, nothing came into it."""
    document = documents.framed(
        documents.lead(STORIES), documents.section("policy", "Policy", STORIES, cards=len(STORIES))
    )
    quiet = [tame(story) for story in STORIES]
    twin = documents.framed(documents.lead(quiet), documents.section("policy", "Policy", quiet, cards=len(STORIES)))
    limit = 10_000_000  # with every story as a card, whatever it weighs
    for hostile, harmless in zip(
        documents.renderer().fit(document, limit).fragments,
        documents.renderer().fit(twin, limit).fragments,
        strict=True,
    ):
        assert hostile.key == harmless.key
        shown, expected = (decodestring(fragment.html).decode() for fragment in (hostile, harmless))
        assert skeleton(shown) == skeleton(expected), hostile.key


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_an_editors_text_stays_in_its_block_too(number: int) -> None:
    letter = Block(key="letter", type="letter", title=HOSTILE[number], body=HOSTILE[number])
    fragments = documents.renderer().render(
        documents.framed(letter, documents.section("policy", "Policy", [documents.story(2)]))
    )
    for fragment in fragments:
        page = re.sub(r"<!--.*?-->", "", decodestring(fragment.html).decode(), flags=re.S)
        if fragment.key == "letter":
            open_tags: list[str] = []
            for closes, name in re.findall(r"<(/?)([a-z][a-z0-9]*)\b", page):
                if name not in ("br", "hr", "img", "meta"):
                    assert (open_tags.pop() == name) if closes else open_tags.append(name) is None
            assert open_tags == []
        elif number:
            assert fragment.html == QUIET[fragment.key]


QUIET = {
    fragment.key: fragment.html
    for fragment in documents.renderer().render(
        documents.framed(
            Block(key="letter", type="letter", title="A letter", body="Words."),
            documents.section("policy", "Policy", [documents.story(2)]),
        )
    )
}


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
