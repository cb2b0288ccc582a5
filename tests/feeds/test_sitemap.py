"""News sitemaps to entries."""

import gzip
from datetime import UTC, datetime

import pytest

from digest.domain.content import Image
from digest.errors import ParseError
from digest.feeds.sitemap import parse_sitemap

URL = "https://news.example/sitemap-news.xml"
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc>https://news.example/about</loc></url>
  <url><loc>/2026/ports?a=1&amp;b=2</loc><lastmod>2026-03-12T10:00:00Z</lastmod>
    <news:news><news:publication><news:name>Harbor Wire</news:name><news:language>en</news:language></news:publication>
      <news:publication_date>2026-03-12T09:30:00+01:00</news:publication_date>
      <news:title>Ports &amp; rates: &#x201C;calm&#x201D;</news:title><news:keywords>Ports, Rates</news:keywords></news:news>
    <image:image><image:loc>/pictures/quay.jpg</image:loc><image:caption>The quay at dawn</image:caption></image:image></url>
  <url><loc>https://news.example/newer</loc>
    <news:news><news:publication_date>2026-03-12</news:publication_date><news:title>Older by date</news:title></news:news></url>
</urlset>"""


@pytest.mark.parametrize("body", [SITEMAP.encode(), gzip.compress(SITEMAP.encode())])
def test_a_news_sitemap_yields_link_title_dates_tags_picture_and_language(body: bytes) -> None:
    first, second = parse_sitemap(body, "application/xml", URL).entries
    assert (first.url, first.guid) == ("https://news.example/2026/ports?a=1&b=2",) * 2
    assert (first.title, first.tags, first.language) == ("Ports & rates: “calm”", ("Ports", "Rates"), "en")
    assert (first.published_at, first.updated_at) == (
        datetime(2026, 3, 12, 8, 30, tzinfo=UTC),
        datetime(2026, 3, 12, 10, tzinfo=UTC),
    )
    assert first.image == Image("https://news.example/pictures/quay.jpg", "The quay at dawn")
    assert second.title == "Older by date"  # newest first; pages without news are no entries


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><html></html>", "web page"),
        (b"<rss></rss>", "root element is <rss>"),
        (b"", "missing"),
        (b"<urlset><url><loc>https://a.example/</loc></url></urlset>", "no news"),
        (b"<sitemapindex><sitemap><loc>/news-1.xml</loc></sitemap></sitemapindex>", "https://news.example/news-1.xml"),
        (b'<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset>&x;</urlset>', "entities"),
        (gzip.compress(bytes(20_000_000)), "larger than 10 MB"),
        (b"\x1f\x8bnot packed", "compression is broken"),
    ],
)
def test_what_is_no_news_sitemap_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_sitemap(body, "", URL)
