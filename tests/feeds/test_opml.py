"""OPML in and out."""

import pytest

from digest.domain.newsroom import FeedSpec
from digest.domain.source_rules import JsonRules, PageRules
from digest.errors import ParseError
from digest.feeds.opml import read_opml, write_opml

OURS = (
    FeedSpec("https://a.example/rss?x=1&y=2", 'A & "B" <C>', weight=1.5, full_text=True, interval=60),
    FeedSpec("https://b.example/press", "Press", "page", page=PageRules("div.card", date_format="%d %B %Y")),
    FeedSpec("https://c.example/api", "Api", "json", json=JsonRules("data.items", link="https://c.example/{slug}")),
    FeedSpec("https://d.example/q.csv", "Prices", "quotes", provider="csv", fresh_hours=48),
    FeedSpec("https://e.example/rss", "E"),
)


def test_our_own_list_comes_back_whole() -> None:
    assert read_opml(write_opml(OURS, "Ours")) == OURS


def test_other_readers_see_a_plain_subscription_list() -> None:
    text = write_opml(OURS).decode()
    assert '<outline text="E" title="E" type="rss" xmlUrl="https://e.example/rss"/>' in text


def test_a_list_of_another_reader_is_read_with_its_folders_opened() -> None:
    body = b"""<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
    <outline text="News"><outline text="One" xmlUrl="https://one.example/rss" htmlUrl="https://one.example/"/>
      <outline text="Deep"><outline title="Two" text="2" XMLURL=" https://two.example/atom "/></outline></outline>
    <outline text="Again" xmlUrl="https://one.example/rss"/><outline xmlUrl="feed://three.example/rss"/>
    </body></opml>"""
    assert [(spec.url, spec.name) for spec in read_opml(body)] == [
        ("https://one.example/rss", "One"), ("https://two.example/atom", "Two"), ("https://three.example/rss", "three.example"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "root element is missing"),
        (b"<rss/>", "root element is <rss>"),
        (b'<opml><body><outline xmlUrl="javascript:alert(1)"/></body></opml>', "no http or https address"),
        (b'<!DOCTYPE opml [<!ENTITY a "aaaa">]><opml><body>&a;</body></opml>', "entities"),
        (write_opml(OURS).replace(b"&quot;weight&quot;:1.5", b"&quot;weight&quot;:{}"), "was damaged"),
    ],
)
def test_what_is_no_list_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read_opml(body)
