"""Parsing: every format gives the same entries, and only ParseError escapes."""

import gzip
import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.content import Entry, Image
from digest.errors import ParseError
from digest.feeds.parse import parse
from tests.conftest import shared_data

URL = "https://news.example/feeds/all.xml"


def entries(text: str | bytes, content_type: str = "") -> tuple[Entry, ...]:
    return parse(text if isinstance(text, bytes) else text.encode(), content_type, URL).entries


def outcome(body: bytes) -> str:
    """What becomes of any bytes: "read", or the words in which they are refused."""
    try:
        parse(body, "", URL)
    except ParseError as error:
        return str(error)
    return "read"


def rss_item(inner: str) -> Entry:
    spaces = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    (entry,) = entries(f'<rss version="2.0" {spaces}><channel><title>T</title><item>{inner}</item></channel></rss>')
    return entry


EXPECTED = Entry(
    guid="id-1",
    url="https://news.example/a/1",
    title="Fees & more",
    summary="A short dek.",
    content="First paragraph.\n\nSecond one.",
    author="Ada Brandt, Jon Ek",
    published_at=datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
    updated_at=datetime(2026, 3, 12, 10, 0, tzinfo=UTC),
    tags=("Ports", "Tokens"),
    image=Image("https://news.example/img/1.jpg"),
    language="en-GB",
)
HTML = "&lt;p&gt;First paragraph.&lt;/p&gt;&lt;p&gt;Second one.&lt;/p&gt;"
FORMATS = {
    "RSS 2.0": f"""<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>T</title><language>en-GB</language><item>
        <title>Fees &amp;amp; more</title><link>/a/1</link><guid isPermaLink="false">id-1</guid>
        <pubDate>Thu, 12 Mar 2026 10:30:00 +0100</pubDate><atom:updated>2026-03-12T10:00:00Z</atom:updated>
        <dc:creator>Ada Brandt</dc:creator><dc:creator>Jon Ek</dc:creator><description>A short dek.</description>
        <content:encoded>{HTML}</content:encoded><category>Ports</category><category>Tokens</category><category>ports</category>
        <enclosure url="/img/1.jpg" type="image/jpeg" length="1"/></item></channel></rss>""",
    "Atom 1.0": f"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB" xml:base="https://news.example/"><title>T</title><entry>
        <title>Fees &amp; more</title><link href="a/1"/><id>id-1</id><published>2026-03-12T09:30:00Z</published>
        <updated>2026-03-12T11:00:00+01:00</updated><author><name>Ada Brandt</name></author><author><name>Jon Ek</name></author>
        <summary>A short dek.</summary><content type="html">{HTML}</content><category term="ports" label="Ports"/>
        <category term="Tokens"/><link rel="enclosure" type="image/jpeg" href="img/1.jpg"/></entry></feed>""",
    "JSON Feed 1.1": json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", "language": "en-GB", "items": [{
        "id": "id-1", "url": "/a/1", "title": "Fees & more", "summary": "A short dek.",
        "content_html": "<p>First paragraph.</p><p>Second one.</p>", "date_published": "2026-03-12T09:30:00Z",
        "date_modified": "2026-03-12T11:00:00+01:00", "authors": [{"name": "Ada Brandt"}, {"name": "Jon Ek"}],
        "tags": ["Ports", "Tokens"], "image": "/img/1.jpg"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_entry(name: str) -> None:
    assert entries(FORMATS[name]) == (EXPECTED,)


def test_rss_1_0_and_json_feed_1_0_are_read_as_well() -> None:
    rdf = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
        <channel rdf:about="https://news.example/"><title>T</title><sy:updatePeriod>daily</sy:updatePeriod>
        <sy:updateFrequency>4</sy:updateFrequency></channel><item rdf:about="https://news.example/1"><title>One</title>
        <link>https://news.example/1</link><dc:date>2026-03-12T09:30:00Z</dc:date><dc:creator>Ada</dc:creator></item></rdf:RDF>"""
    feed = parse(rdf.encode(), "", URL)
    (entry,) = feed.entries
    assert (feed.title, feed.ttl_minutes) == ("T", 360)
    assert (entry.url, entry.title, entry.author, entry.updated_at) == (
        "https://news.example/1", "One", "Ada", datetime(2026, 3, 12, 9, 30, tzinfo=UTC),
    )  # fmt: skip
    old = {"version": "https://jsonfeed.org/version/1", "title": "T", "author": {"name": "Jon"},
           "items": [{"id": 5, "url": "https://news.example/5", "content_text": "Five."}]}  # fmt: skip
    assert [(e.guid, e.author, e.summary) for e in entries(json.dumps(old))] == [("5", "Jon", "Five.")]


_OLD_ITEM = "<item><title>Fees rise</title><link>/1</link><description>The board met.</description></item>"
OLD = {
    "RSS 0.90": f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>T</title></channel>{_OLD_ITEM}</rdf:RDF>',
    "RSS 0.91": f'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>T</title><language>en-us</language>{_OLD_ITEM}</channel></rss>',
    "RSS 0.92": f'<rss version="0.92"><channel><title>T</title>{_OLD_ITEM}</channel></rss>',
    "RSS 0.93": f'<rss version="0.93"><channel><title>T</title>{_OLD_ITEM.replace("</item>", "<pubDate>Thu, 12 Mar 2026 09:30:00 GMT</pubDate></item>")}</channel></rss>',
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_the_oldest_formats_give_title_link_and_summary(name: str) -> None:
    (entry,) = entries(OLD[name])
    assert (entry.title, entry.url, entry.summary) == ("Fees rise", "https://news.example/1", "The board met.")
    assert (entry.published_at is not None) == (name == "RSS 0.93")


def test_atom_0_3_gives_all_that_atom_1_0_gives() -> None:
    (entry,) = entries(
        """<feed version="0.3" xmlns="http://purl.org/atom/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" xml:lang="en"><title>T</title>
        <entry><title mode="escaped" type="text/html">Fees &amp;amp; more</title><link rel="alternate" type="text/html" href="/1"/><id>tag:a,2026:1</id>
        <issued>2026-03-12T10:30:00+01:00</issued><modified>2026-03-12T10:00:00Z</modified><author><name>Ada Brandt</name></author>
        <dc:subject>Ports</dc:subject><summary type="text/plain">A short dek.</summary>
        <content type="text/html" mode="escaped">&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;&lt;img src="/i.jpg" alt="Cranes"&gt;Second.&lt;/p&gt;</content></entry></feed>"""
    )
    assert entry == Entry(
        "tag:a,2026:1", "https://news.example/1", "Fees & more", "A short dek.", "First.\n\nSecond.", "Ada Brandt",
        datetime(2026, 3, 12, 9, 30, tzinfo=UTC), datetime(2026, 3, 12, 10, tzinfo=UTC), ("Ports",),
        Image("https://news.example/i.jpg", "Cranes"), "en",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("&lt;b&gt;Bold&lt;/b&gt; move", "Bold move"),
        ("<![CDATA[<i>Slanted</i> &eacute;]]>", "Slanted é"),
        ("Use &amp;lt;b&amp;gt; here", "Use <b> here"),
        ("5 &lt; 6", "5 < 6"),
        ("nbsp&nbsp;and&rsquo;s", "nbsp and’s"),
        ("\n  two\n lines ", "two lines"),
        ("pay\u202eload", "payload"),
        ("", ""),
    ],
)
def test_a_title_is_plain_text_decoded_once(title: str, words: str) -> None:
    assert rss_item(f"<title>{title}</title><link>https://a.example/</link>").title == words


@pytest.mark.parametrize(
    ("inner", "url"),
    [
        ("<link>https://a.example/1</link>", "https://a.example/1"),
        ("<link>/1?a=1&amp;b=2</link>", "https://news.example/1?a=1&b=2"),
        ('<guid isPermaLink="true">https://a.example/g</guid>', "https://a.example/g"),
        ("<guid>https://a.example/g</guid>", "https://a.example/g"),
        ("<guid>post-17</guid>", ""),
        ("<link>javascript:alert(1)</link>", ""),
        ("<link>https://user:pw@a.example/</link>", ""),
        ('<enclosure url="https://a.example/1.mp3" type="audio/mpeg"/>', "https://a.example/1.mp3"),
    ],
)
def test_an_item_links_to_its_page(inner: str, url: str) -> None:
    assert rss_item("<title>T</title>" + inner).url == url


@pytest.mark.parametrize(
    ("feed", "url"),
    [
        ("<rss><channel><link>https://site.example/blog/</link>{}</channel></rss>", "https://site.example/2026/one"),
        ("<rss><channel><link>https://www.news.example/</link>{}</channel></rss>", "https://news.example/2026/one"),  # at home
        ("<rss><channel>{}<link>https://site.example/</link></channel></rss>", "https://news.example/2026/one"),  # too late
        ('<rss xml:base="https://base.example/"><channel><link>https://site.example/</link>{}</channel></rss>', "https://base.example/2026/one"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://hub.example/x"/><link rel="alternate" href="https://site.example/"/>{}</feed>', "https://site.example/2026/one"),
        ('{"home_page_url": "https://site.example/", "items": [{"id": "1", "title": "T", "url": "/2026/one", "image": "/i.jpg"}]}', "https://site.example/2026/one"),
    ],
)  # fmt: skip
def test_a_feed_that_somebody_else_hands_out_links_to_its_own_site(feed: str, url: str) -> None:
    rss = "<item><title>T</title><link>/2026/one</link><enclosure url='/i.jpg' type='image/jpeg'/></item>"
    atom = (
        "<entry><title>T</title><link href='/2026/one'/><link rel='enclosure' type='image/jpeg' href='/i.jpg'/></entry>"
    )
    (entry,) = entries(feed.replace("{}", atom if "Atom" in feed else rss))
    assert entry.url == url
    assert entry.image is not None
    assert entry.image.url == url.replace("2026/one", "i.jpg")


def test_an_id_stays_as_the_source_says_it() -> None:
    assert rss_item("<title>T</title><guid>post-17</guid><link>https://a.example/1</link>").guid == "post-17"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Thu, 12 Mar 2026 09:30:00 GMT", datetime(2026, 3, 12, 9, 30, tzinfo=UTC)),
        ("Thu, 12 Mar 2026 09:30:00 EST", datetime(2026, 3, 12, 14, 30, tzinfo=UTC)),
        ("12 Mar 2026 09:30 +0530", datetime(2026, 3, 12, 4, 0, tzinfo=UTC)),
        ("2026-03-12T09:30:00-08:00", datetime(2026, 3, 12, 17, 30, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_utc_and_nonsense_is_none(date: str, moment: datetime | None) -> None:
    assert rss_item(f"<title>T</title><pubDate>{date}</pubDate>").published_at == moment


@pytest.mark.parametrize(
    ("inner", "image"),
    [
        ('<media:content url="/s.jpg" medium="image" width="300"/><media:content url="/l.jpg" medium="image" width="900" height="500"/>', ("https://news.example/l.jpg", "")),
        ('<media:thumbnail url="/t.jpg"/>', ("https://news.example/t.jpg", "")),
        ('<media:content url="/v.mp4" type="video/mp4"/><description>&lt;img src="/i.png" alt="Cranes"&gt;</description>', ("https://news.example/i.png", "Cranes")),
        ('<description>&lt;img src="https://stats.example/pixel.gif" width="1" height="1"&gt;&lt;img src="/i.png" alt="IMG_12.jpg"&gt;</description>', ("https://news.example/i.png", "")),
        ('<media:content url="/i.png" medium="image"/><description>&lt;img src="/i.png?w=9" alt="Cranes"&gt;</description>', ("https://news.example/i.png", "Cranes")),
        ('<description>&lt;img src="data:image/png;base64,AAAA"&gt;</description>', None),
        ("<description>no picture</description>", None),
    ],
)  # fmt: skip
def test_the_picture_is_the_one_that_stands_for_the_item(inner: str, image: tuple[str, str] | None) -> None:
    found = rss_item(f"<title>T</title><link>https://news.example/x</link>{inner}").image
    assert (found and (found.url, found.alt)) == image


def test_a_picture_keeps_its_credit() -> None:
    inner = '<media:content url="/i.jpg" medium="image"><media:credit>Jon Ek / modified by News</media:credit></media:content>'
    image = rss_item(f"<title>T</title>{inner}").image
    assert image is not None
    assert image.credit == "Jon Ek / modified by News"


def test_an_address_is_no_byline() -> None:
    assert rss_item("<title>T</title><author>desk@news.example</author>").author == ""
    assert rss_item("<title>T</title><author>desk@news.example (Ada Brandt)</author>").author == "Ada Brandt"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é".encode(), "text/xml; charset=iso-8859-1"),  # the label lies
        ("é".encode("latin-1"), "text/xml; charset=iso-8859-1"),
        ("é".encode("latin-1"), "text/xml; charset=utf-8"),
        ("é".encode("latin-1"), "text/xml; charset=unicode_escape"),
        ("é".encode("latin-1"), ""),
        (b"&eacute;", ""),
        (b"&#233;", ""),
    ],
)
def test_labels_of_encodings_may_lie(body: bytes, content_type: str) -> None:
    feed = b"<rss version='2.0'><channel><item><title>caf" + body + b"</title></item></channel></rss>"
    assert entries(feed, content_type)[0].title == "café"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1251", "shift_jis"]
)
def test_encodings_are_read(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><rss version='2.0'><channel><item><title>Дом</title></item></channel></rss>"
    assert entries(text.encode(encoding))[0].title == "Дом"


def test_one_wrong_byte_does_not_damage_the_rest() -> None:
    body = "<rss><channel><item><title>café".encode() + b" \x96 " + "naïve</title></item></channel></rss>".encode()
    assert entries(body)[0].title == "café – naïve"


def test_a_feed_that_is_not_well_formed_is_read_all_the_same() -> None:
    broken = "<rss><channel><title>T</title><item><title>A & B</title><link>https://a.example/?x=1&y=2</link></item><item><title>C</title>"
    assert [(entry.title, entry.url) for entry in entries(broken)] == [
        ("A & B", "https://a.example/?x=1&y=2"),
        ("C", ""),
    ]


BOMB = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>'
REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t", "empty"),
    "page": (b"<!DOCTYPE html><html><head></head></html>", "web page"),
    "bare page": (b"<html><body>x</body></html>", "web page"),
    "text": (b"hello there", "neither XML nor JSON"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "neither XML nor JSON"),
    "other XML": (b"<?xml version='1.0'?><catalog><book/></catalog>", "<catalog>"),
    "broken XML": (b"<rss>\n\n<<<", "line 3"),
    "cut short": (b"<rss><channel><title>T</title>\n<link>https://a.example", "line 2"),
    "broken JSON": (b'{"items": [', "valid JSON at line 1"),
    "other JSON": (b'{"hello": 1}', "no list of items"),
    "list": (b"[1, 2]", "no list of items"),
    "deep JSON": (b"[" * 100_000, "nested too deeply"),
    "entities": (BOMB.encode(), "entities"),
    "entities in UTF-16": (BOMB.encode("utf-16"), "entities"),
    "entities behind a comment": (("<!-- <a> -->" + BOMB.partition("?>")[2]).encode(), "entities"),
    "outer entity": (b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', "entities"),
    "parameter entity": (b'<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><rss/>', "entities"),
    "too large": (b"<rss>" + bytes(10_000_001), "larger than 10 MB"),
    "compressed": (gzip.compress(b"<rss/>"), "neither XML nor JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_feed_is_refused_in_words(name: str) -> None:
    body, words = REFUSED[name]
    with pytest.raises(ParseError, match=words):
        parse(body, "", URL)


def test_a_document_type_without_entities_is_harmless() -> None:
    text = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.example/rss.dtd"><rss version="0.91"><channel><item><title>A</title></item></channel></rss>'
    assert entries(text)[0].title == "A"


def test_an_empty_feed_is_a_feed() -> None:
    assert parse(b"<rss version='2.0'><channel><ttl>90</ttl></channel></rss>", "", URL).ttl_minutes == 90
    assert entries('{"version": "https://jsonfeed.org/version/1.1", "items": []}') == ()


HEAD = "<rss version='2.0'><channel><title>t</title><item><title>x</title>"
HEAVY = {
    "author": HEAD + "<author>" + "a" * 200_000 + "</author>",
    "author's host": HEAD + "<author>" + "a@" + "a." * 100_000 + "</author>",
    "tags": HEAD + "".join(f"<category>{n}</category>" for n in range(20_000)),
    "items": HEAD + "<item><title>a</title>" * 60_000,
    "depth": HEAD + "<a>" * 60_000,
    "attributes": HEAD + "<a " + " ".join(f"a{n}='x'" for n in range(20_000)) + "/>",
    "ampersands": HEAD + "&" * 200_000,
    "comments": HEAD + "<!--" * 50_000,
    "sections": HEAD + "<![CDATA[" * 30_000,
    "declarations": "<!DOCTYPE x [" * 20_000,
    "brackets": HEAD + "<" * 200_000,
    "deep markup": HEAD + "<description>" + "&lt;div&gt;" * 100_000 + "</description>",
    "a tag that never ends": "<rdf:RDF xmlns:r" + "0000-00-00T99:99:99Z" * 4_000,
    "tags that never end": "<rss " + "<a b='" * 30_000,
    "trailers": HEAD + "<description>" + "The post " * 50_000 + "</description>",
}


@pytest.mark.parametrize("name", HEAVY)
def test_nothing_takes_long(name: str) -> None:
    begin = time.process_time()
    try:
        found = entries(HEAVY[name])
    except ParseError:
        found = ()
    assert time.process_time() - begin < 5
    assert len(found) <= 2_000


@given(
    st.binary(max_size=300)
    | st.sampled_from([b"<rss>", b"<feed>", b'{"items":[']).flatmap(
        lambda start: st.binary(max_size=200).map(lambda rest: start + rest)
    )
)
def test_only_parse_errors_escape_whatever_the_bytes(body: bytes) -> None:
    assert outcome(body)


def _mutated(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 12)):
        at, span = chance.randrange(len(body) + 1), chance.randint(0, 40)
        piece = chance.choice(
            [
                b"",
                b"<",
                b"&",
                b"]]>",
                b"<![CDATA[",
                b"\xff\xfe",
                b"\0",
                bytes([chance.randrange(256)]),
                b"<item>",
                b'"',
                body[at : at + span],
            ]
        )
        body = body[:at] + piece + body[at + span :]
    return body


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_feeds_are_read_or_refused(name: str) -> None:
    chance = random.Random(name)
    for _ in range(300):
        assert outcome(_mutated(FORMATS[name].encode(), chance))


class TestRealFeeds:
    """Feeds that nobody here wrote, compared with what feedparser alone says."""

    @pytest.fixture
    def files(self) -> list[Path]:
        data = shared_data()
        if data is None:
            pytest.skip("no folder of real feeds: set DIGEST_TEST_DATA")
        return sorted((data / "feeds").rglob("*.xml"))

    def test_no_link_title_id_or_date_is_damaged(self, files: list[Path]) -> None:
        compared, different = 0, []
        for path in files:
            alone = feedparser.parse(path.read_bytes(), response_headers={"content-location": URL})
            try:
                ours = entries(path.read_bytes())
            except ParseError:
                assert not alone.entries, path.name
                continue
            assert len(ours) == len(alone.entries), path.name
            for theirs, entry in zip(alone.entries, ours, strict=True):
                compared += 1
                title = " ".join(theirs.get("title", "").split())
                parsed = dict.get(theirs, "published_parsed")
                date = entry.published_at.timetuple()[:5] if entry.published_at else None
                link = theirs.get("link", "")
                # Where it differs on purpose: markup in titles is removed, a proxy's link gives way to the article's
                # own, and what is no http link is none.
                same_title = title == entry.title or "<" in title or "&lt;" in title or "\x08" in title
                # An id that is no address does not become one.
                own = "feedproxy" in link or not link.startswith("http") or link.endswith(f"/{entry.guid}")
                same_link = link in ("", entry.url) or own
                if not (same_title and same_link and (parsed[:5] if parsed else None) == date):
                    different.append((path.name, title, link, parsed, entry))
        assert compared > 600
        assert different == []

    def test_mutations_of_real_feeds_are_read_or_refused(self, files: list[Path]) -> None:
        chance = random.Random(2026)
        small = [path.read_bytes() for path in files if path.stat().st_size < 6_000]
        for _ in range(400):
            assert outcome(_mutated(chance.choice(small), chance))
