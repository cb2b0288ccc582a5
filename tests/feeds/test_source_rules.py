"""Pages read by CSS and XPath, JSON read by dot paths."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.content import Image
from digest.domain.source_rules import JsonRules, PageRules
from digest.errors import ParseError
from digest.feeds.json_path import at, parse_json_by
from digest.feeds.page_rules import parse_page

URL = "https://desk.example/press/"
PAGE = """<!doctype html><html lang="en-GB"><head><title>Press room</title><base href="https://desk.example/base/"></head>
<body><nav><a href="/home">Home</a></nav>
<div class="row card"><h3><a href="one">Rates &amp; ports</a></h3><p class="dek">A quiet <b>day</b>.</p>
  <span class="by">Ann Lee</span><span class="by">Bo Oak</span><time datetime="2026-03-12T09:00:00+01:00">today</time>
  <img src="data:image/gif;base64,x" data-src="/pic.jpg" alt="The quay"><i class="tag">Policy</i><i class="tag">Rates</i></div>
<div class="row card"><h3><a href="https://other.example/two">Second</a></h3><em>14 March 2026, 18:00</em></div>
<div class="row card"><h3>No link here</h3></div>
<div class="row card"><h3><a href="one">Rates &amp; ports, again</a></h3></div>
</body></html>"""
CSS = PageRules(item="div.card", title="h3 a", link="h3 a", summary="p.dek", author=".by", tags="i.tag")
XPATH = PageRules(
    item="//div[contains(@class, 'card')]", title="./h3/a", link=".//h3/a/@href", summary="./p",
    author="./span", date="./time/@datetime", image="./img/@data-src", tags="./i/text()",
)  # fmt: skip


@pytest.mark.parametrize("rules", [CSS, XPATH])
def test_a_page_is_read_by_css_and_by_xpath(rules: PageRules) -> None:
    page = parse_page(PAGE.encode(), "text/html", URL, rules)
    assert (page.title, [entry.url for entry in page.entries]) == (
        "Press room", ["https://desk.example/base/one", "https://other.example/two"],
    )  # fmt: skip
    first = page.entries[0]
    assert (first.title, first.summary, first.author) == ("Rates & ports", "A quiet day.", "Ann Lee, Bo Oak")
    assert (first.published_at, first.tags, first.language) == (
        datetime(2026, 3, 12, 8, tzinfo=UTC), ("Policy", "Rates"), "en-GB",
    )  # fmt: skip
    assert first.image is not None
    assert first.image.url == "https://desk.example/pic.jpg"
    assert first.image == Image(first.image.url, "The quay" if rules is CSS else "")


def test_dates_are_read_by_the_format_and_zone_of_the_page() -> None:
    rules = PageRules("div.card", date="em", date_format="%d %B %Y, %H:%M", zone="Europe/Berlin")
    dates = {entry.title: entry.published_at for entry in parse_page(PAGE.encode(), "", URL, rules).entries}
    assert dates["Second"] == datetime(2026, 3, 14, 17, tzinfo=UTC)


def test_an_item_that_is_itself_the_link_is_found() -> None:
    (entry,) = parse_page(PAGE.encode(), "", URL, PageRules("nav a")).entries
    assert (entry.title, entry.url) == ("Home", "https://desk.example/home")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (PageRules("article"), "item = 'article' finds nothing on this page"),
        (PageRules("div.card", title="h4"), "title = 'h4' finds nothing"),
        (PageRules("div.card", title="h3", link="q"), "link = 'q' finds nothing"),
        (PageRules("//div[", title="h3"), "neither a CSS selector nor an XPath"),
    ],
)
def test_a_page_that_has_changed_is_said_by_the_rule_that_fails(rules: PageRules, words: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse_page(PAGE.encode(), "", URL, rules)
    assert words in str(refused.value)


DATA: Any = {
    "data": {"hits": [
        {"id": 7, "headline": "Rates <i>hold</i>", "slug": "rates hold", "section": {"slug": "markets"}, "at": 1773306000,
         "people": [{"name": "Ann"}, {"name": "Bo"}], "labels": ["Policy", "Rates"], "dek.short": "Calm.", "pic": "/p.jpg"},
        {"id": 8, "headline": "No slug"}, {"headline": None}, "odd",
    ]}
}  # fmt: skip
RULES = JsonRules(
    items="data.hits", title="headline", link="https://desk.example/{section.slug}/{slug}", date="at",
    author="people.*.name", tags="labels", summary="dek\\.short", image="pic",
)  # fmt: skip


def test_json_is_read_by_dot_paths() -> None:
    (entry,) = parse_json_by(json.dumps(DATA).encode(), "application/json", URL, RULES).entries
    assert (entry.guid, entry.title, entry.url) == ("7", "Rates hold", "https://desk.example/markets/rates%20hold")
    assert (entry.author, entry.tags, entry.summary) == ("Ann, Bo", ("Policy", "Rates"), "Calm.")
    assert entry.published_at == datetime(2026, 3, 12, 9, tzinfo=UTC)
    assert entry.image == Image("https://desk.example/p.jpg")


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.0.b", [1]), ("a.-1.b", [2]), ("a.*.b", [1, 2]), ("a.9.b", []), ("a.b", []), ("c", []), ("", [{"a": [{"b": 1}, {"b": 2}], "c": None}])],
)  # fmt: skip
def test_a_dot_path_leads_to(path: str, found: list[Any]) -> None:
    assert at({"a": [{"b": 1}, {"b": 2}], "c": None}, path) == found


@pytest.mark.parametrize(
    ("data", "rules", "words"),
    [
        (DATA, JsonRules(items="data.items"), "at data, there are the names hits"),
        (DATA, JsonRules(), "say in `items` where the list stands; there are the names data"),
        (DATA, JsonRules(items="data.hits"), "title = 'title' finds nothing in the 4 items; there are the names id, headline"),
        (DATA, JsonRules(items="data.hits", title="headline"), "link = 'url' finds nothing"),
    ],
)  # fmt: skip
def test_json_that_has_changed_is_said_by_how_far_the_path_leads(data: Any, rules: JsonRules, words: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse_json_by(json.dumps(data).encode(), "", URL, rules)
    assert words in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "hits", "headline", "slug", "at"]), inner),
)  # fmt: skip


@given(JSON, st.binary(max_size=200))
def test_only_parse_errors_escape_whatever_the_bytes(value: Any, noise: bytes) -> None:
    for body in (json.dumps(value).encode(), noise, PAGE.encode()[:900] + noise):
        for read in (lambda b: parse_json_by(b, "", URL, RULES), lambda b: parse_page(b, "", URL, CSS)):
            try:
                read(body)
            except ParseError:
                continue
