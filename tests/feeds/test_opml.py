"""OPML in and out."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.domain.newsroom import FeedSpec
from digest.domain.source_rules import JsonRules, PageRules
from digest.errors import ParseError
from digest.feeds.clean import one_line
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


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NAMES = _WORDS.map(one_line).filter(bool)
_RULES = st.builds(
    PageRules,
    st.sampled_from(["div.card", "//div[@class='a & \"b\"']", "ul > li"]),
    title=_WORDS,
    link=_WORDS,
    date=_WORDS,
    summary=_WORDS,
)
_PATHS = st.builds(JsonRules, _WORDS, title=_WORDS, link=_WORDS, author=_WORDS, tags=_WORDS)
_SPECS = st.builds(
    FeedSpec,
    st.tuples(st.sampled_from(["http", "https"]), st.from_regex(r"[a-z]{1,9}\.example(:[1-9][0-9]{3})?/[!-;=?-~]{0,20}", fullmatch=True)).map("://".join),
    _NAMES,
    kind=st.sampled_from(["feed", "sitemap", "quotes", "events"]),
    weight=st.floats(0.1, 10),
    full_text=st.booleans(),
    interval=st.integers(1, 10_000),
    provider=st.sampled_from(["coingecko", "csv", "package.module:Class"]),
    fresh_hours=st.integers(0, 1_000),
) | st.builds(FeedSpec, st.just("https://p.example/"), _NAMES, kind=st.just("page"), page=_RULES) | st.builds(
    FeedSpec, st.just("https://j.example/"), _NAMES, kind=st.just("json"), json=_PATHS
)  # fmt: skip


@given(st.lists(_SPECS, max_size=6, unique_by=lambda spec: spec.url), _WORDS)
@example(
    [FeedSpec("https://p.example/", "P", kind="page", page=PageRules("div.card", summary="\ufffe\x01é"))], "\uffff"
)
def test_any_list_goes_out_and_comes_back_as_it_was(specs: list[FeedSpec], title: str) -> None:
    written = write_opml(specs, title)
    assert read_opml(written) == tuple(specs)
    assert write_opml(read_opml(written), title) == written
