"""Damaged documents of every kind: each reader reads or refuses them, soon, and raises nothing else."""

import contextlib
import random
import time

import pytest

from digest.errors import ParseError
from digest.feeds.extract import extract
from digest.feeds.opml import read_opml
from digest.feeds.parse import parse
from digest.feeds.sitemap import parse_sitemap
from tests.feeds.mutate import URL, Target, mutated, targets


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_damaged_documents_are_read_or_refused_by_every_reader(target: Target) -> None:
    """The short form of ``make fuzz``."""
    chance = random.Random(target.name)
    for _ in range({"feed": 250, "article page": 60}.get(target.name, 100)):
        body = mutated(chance.choice(target.seeds), chance, target.seeds)
        begin = time.process_time()
        with contextlib.suppress(ParseError):
            target.read(body)
        assert time.process_time() - begin < 5


def test_a_page_whose_references_name_control_characters_is_read() -> None:
    """Found by ``make fuzz``."""
    page = (
        "<html><body><article><h1>T</h1>&#1;<nav>x</nav>&#2;<p>"
        + "Words of the article, enough of them. " * 9
        + "&#3;</p></article>"
    )
    assert "enough of them" in extract(page.encode(), URL).text


def test_names_and_references_that_are_illegal_are_read_past() -> None:
    """Found by ``make fuzz``."""
    body = b'<opml version="2.0"><body><outline a:b:c="x" text="One" xmlUrl="https://one.example/rss"/></body></opml>'
    assert [spec.url for spec in read_opml(body)] == ["https://one.example/rss"]
    news = b"<urlset><url><loc>/1</loc><news><title>A&#xD800;&#0;&#x110000;&#xfffe; b &#8211; c</title></news></url></urlset>"
    assert parse_sitemap(news, "", URL).entries[0].title == "A b \u2013 c"


def test_a_page_whose_picture_is_resized_from_something_that_is_no_address_is_read() -> None:
    broken = "https://cdn.example/fetch/?url=https%3A%2F%2Fpost.ex]]%3E]]%3Eample%2Fferry.jpg"
    words = f"<p>{'The ferry sails again on Monday, its owner said. ' * 8}</p>" * 4
    page = (
        f'<html><head><meta property="og:image" content="https://a.example/img/ferry.jpg"></head><body><article><h1>The ferry</h1>'
        f'<img src="{broken}" width="800" height="400">{words}</article></body></html>'
    )
    assert "sails again" in extract(page.encode(), URL).text


def test_of_a_damaged_feed_with_tags_without_end_the_first_items_are_kept() -> None:
    """Found by ``make fuzz``: the tolerant parser took five seconds for 800 kB."""
    items = [f"<item><title>Item {n}</title><link>https://one.example/{n}</link></item>" for n in range(3)]
    body = f"<rss><channel><title>One</title>{items[0]}{items[1]}{'<b>x</b>' * 120_000}{items[2]}"
    assert [entry.title for entry in parse(body.encode(), "", URL).entries] == ["Item 0", "Item 1"]
