"""The fast way: it says what feedparser would say, or leaves the feed to feedparser."""

import contextlib
import importlib.util
import random
import sys
import time
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ParseError
from digest.feeds import clean, decode, strict, usual
from digest.feeds.entries import ParsedFeed
from digest.feeds.parse import parse
from tests.conftest import shared_data

URL = "https://news.example/feeds/all.xml"
SPACES = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:itunes="http://www.itunes.com/DTDs/PodCast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom"'


def rss(inner: str, channel: str = "") -> str:
    return f'<rss version="2.0" {SPACES}><channel><title>T</title>{channel}<item>{inner}</item></channel></rss>'


def atom(inner: str, attributes: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>T</title><entry>{inner}</entry></feed>'


def is_fast(text: str) -> bool:
    return strict.read(decode.xml_document(text)[1].encode(), URL) is not None


def is_shortest(text: str) -> bool:
    document = decode.plain_document(text.encode())
    return document is not None and usual.read(document, URL) is not None


def on_the_longer_way(body: bytes) -> ParsedFeed:
    with mock.patch.object(usual, "read", return_value=None):
        return parse(body, "", URL)


def slowly(body: bytes) -> ParsedFeed:
    with mock.patch.object(usual, "read", return_value=None), mock.patch.object(strict, "read", return_value=None):
        return parse(body, "", URL)


USUAL = [
    rss("<title>A &amp;amp; B</title><link>/a?x=1&amp;y=2</link><guid>post-1</guid><pubDate>Thu, 12 Mar 2026 09:30:00 EST</pubDate>"),
    rss("<title>&lt;b&gt;Bold&lt;/b&gt; caf\u00c3\u00a9 \u0093q\u0094</title><description>One &lt;i&gt;two&lt;/i&gt;</description><description>Three</description>"),
    rss("<media:title>M</media:title><title>T</title><media:group><media:content url='/a.jpg' medium='image' width='9'><media:title>Deep</media:title><media:description>D</media:description></media:content></media:group>"),
    rss("<title></title><dc:title>Second</dc:title><dc:creator>ada@a.example (Ada)</dc:creator><author>Jon</author><dc:date>2026-03-12T09:30:00+05:30</dc:date>"),
    rss("<title>T</title><category domain='d'>A</category><category domain='d'>B</category><itunes:keywords>x, y</itunes:keywords><media:category label='L'>c</media:category>"),
    rss("<title>T</title><itunes:subtitle>Sub</itunes:subtitle><itunes:summary>Sum &lt;p&gt;x&lt;/p&gt;</itunes:summary><itunes:image href='/i.jpg'/><enclosure url='/e.png' type='image/png'/>"),
    rss("<title>T</title><content:encoded><![CDATA[<p>One<br>two</p><figure><img src='i.jpg' alt='Al'><figcaption>no</figcaption></figure>]]></content:encoded>", "<language>de</language><ttl>30</ttl>"),
    rss("<title xml:lang='fr'>T</title><atom:link href='https://a.example/1'/><link>https://a.example/2</link><source url='x'>S</source>", "<atom:link rel='self' href='/f'/>"),
    atom("<title type='html'>A &amp;lt;b&amp;gt;</title><link href='a/1'/><id>urn:1</id><updated>2026-02-30T09:30:00Z</updated><author><name>Ada</name><email>a@b.example</email></author>", "xml:base='https://base.example/x/' xml:lang='en-GB'"),
    atom("<title>T</title><content type='xhtml' xml:base='sub/'><div xmlns='http://www.w3.org/1999/xhtml'><p>One &lt; two</p><img src='i.png' alt='Al'/></div></content><category term='t' label='L'/>"),
    atom("<title>T</title><summary>S</summary><link rel='enclosure' href='/e.jpg' type='image/jpeg'/><published>2026-03-12T09:30:00.123-08:00</published><source><title>Other</title><id>x</id></source>"),
    '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>T</title><entry><title>A</title><issued>2026-03-12T09:30:00Z</issued><modified>2026-03-12T10:30:00Z</modified><created>2026-03-12T08:30:00Z</created><content type="text/html" mode="escaped">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel rdf:about="c"><title>T</title><items><rdf:Seq><rdf:li rdf:resource="x"/></rdf:Seq></items></channel><item rdf:about="https://a.example/1"><title>A</title><link>https://a.example/1</link></item></rdf:RDF>',
    '<rss version="0.91"><channel><title>T</title><image><title>I</title><url>u</url></image><item><title>A</title><link>http:///a.example//b</link></item></channel></rss>',
]  # fmt: skip
UNUSUAL = {
    "not well-formed": "<rss><channel><item><title>A & B</title></item></channel></rss>",
    "markup in a title": rss("<title>A <b>B</b></title>"),
    "markup in a description": rss("<description>A <b>B</b></description>"),
    "a borrowed prefix": '<rss xmlns:dc="http://other.example/"><channel><item><dc:title>A</dc:title></item></channel></rss>',
    "a vocabulary of its own": '<rss xmlns="http://other.example/"><channel><item><title>A</title></item></channel></rss>',
    "base64": atom("<title type='text' mode='base64'>QQ==</title>"),
    "another media type": atom("<content type='image/png'>QQ==</content>"),
    "a plain base": atom("<link base='http://a.example/' href='x'/>"),
    "a picture of its own": rss("<image><url>x</url></image>"),
    "a silent prefix that stands for more than one vocabulary": '<rss xmlns:thr="http://other.example/"><channel><item><thr:title xmlns:thr="http://search.yahoo.com/mrss/">A</thr:title><thr:title>B</thr:title></item></channel></rss>',
    "items in odd places": "<rss><channel><items><item><title>A</title></item></items></channel></rss>",
    "no feed": "<catalog/>",
}


@pytest.mark.parametrize("text", USUAL)
def test_a_usual_feed_is_read_fast_and_as_feedparser_reads_it(text: str) -> None:
    assert is_fast(text)
    assert parse(text.encode(), "", URL) == on_the_longer_way(text.encode()) == slowly(text.encode())


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_feedparser(name: str) -> None:
    assert not is_fast(UNUSUAL[name])
    assert not is_shortest(UNUSUAL[name])


_WORD = st.sampled_from(["a", "ä", "&amp;", "&lt;b&gt;", " ", "\n", "&#8230;", "x=1&amp;y=2", "&#x93;", "/p/1", "A B"])
SHORTEST = [
    rss("<title>A &amp; B</title><link>https://a.example/1</link><guid isPermaLink='false'>p 1</guid><category domain='d'>A</category><category>B</category><content:encoded>&lt;p&gt;x&lt;/p&gt;</content:encoded>", "<language>de</language><ttl>30</ttl>"),
    rss("<title>T</title><guid>https://a.example/1</guid><description>x</description><media:thumbnail url='/i.jpg' width='90'/><media:credit role='photographer'>Ada</media:credit>"),
    rss("<title>T</title><link>/a/b</link><enclosure url='/e.png' type='image/png' length='9'/><source url='https://s.example/'>S</source>", "<image><url>u</url><title>I</title></image>"),
    rss("<title>T</title><link>a</link><author>ada@a.example (Ada)</author><comments>x</comments>"),
    f'<rss {SPACES} xmlns:own="https://own.example/"><channel><own:note>x</own:note><item><title>T</title><own:note>x</own:note></item></channel></rss>',
    atom("<title type='html'>A &amp;lt;b&amp;gt;</title><link href='/a/1'/><link rel='replies' href='/r'/><id>urn:1</id><updated>2026-02-28T09:30:00Z</updated><author><name>Ada</name><uri>https://a.example/</uri></author><author><name>Jon</name></author>", "xml:lang='en_GB'"),
    atom("<title>x &lt;b&gt;y&lt;/b&gt;</title><content type='html'>&lt;p&gt;One&lt;/p&gt;&lt;img src='i.png' alt='it&apos;s'&gt;</content><category term='t' label='L'/><published>2026-03-12T09:30:00-08:00</published>"),
    atom("<title>T</title><summary>S</summary><link rel='enclosure' href='/e.jpg' type='image/jpeg'/><source><title>Other</title><id>x</id></source>"),
    rss("<media:content url='/m.jpg' medium='image'><media:title type='html'>M</media:title><media:credit>Ada</media:credit></media:content><title>T</title><description>D</description>"),
    rss("<title>T</title><media:group><media:title>M</media:title><media:content url='/v.mp4' type='video/mp4'/><media:thumbnail url='/t.jpg'/><media:description>D &lt;p&gt; d</media:description></media:group>"),
    atom("<title>T</title><author><name>Ada</name><gd:image width='9' src='//i.example/b.gif'/></author><thr:total>0</thr:total>", "xmlns:gd='http://gd.example/' xmlns:thr='http://purl.org/syndication/thread/1.0'"),
    '<rss xmlns:cc="http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html"><channel><item><title>T</title><cc:license>x</cc:license></item></channel></rss>',
]  # fmt: skip
XHTML = "http://www.w3.org/1999/xhtml"
SHORTEST += [
    atom(f"<title>T</title><content type='xhtml'><div xmlns='{XHTML}'><p>One &lt; two&#160;&quot;</p><br></br><img src='i.png' alt='it&apos;s &gt; 1'/>ä<p/>x</div></content>"),
    atom(f"<title>A</title><summary type='xhtml'><div xmlns='{XHTML}'>S</div></summary><content type='html'>&lt;p&gt;C</content></entry><entry><summary type='application/xhtml+xml'><div>base database</div></summary>"),
    atom("<source><title>Other</title></source><content type='xhtml' src='ab'><div>x</div></content></entry><entry><content type='text'>y</content></entry><entry><content type='XHTML'><b>z</b></content>"),
    rss("<description>&lt;p&gt;S &amp;amp; T&lt;/p&gt;</description><content:encoded>&lt;p&gt;C</content:encoded><media:content url='/m.jpg'><media:description type='plain'>M</media:description></media:content>"),
    rss("<description>S</description><content:encoded>C</content:encoded><media:content url='/m.jpg'><media:description type='plain'>S</media:description></media:content><media:group><media:description>N</media:description></media:group>"),
]  # fmt: skip
LONGER = {
    "twice the same": rss("<title>A</title><title>B</title>"),
    "an attribute of its own base": rss("<link base='https://b.example/'>x</link>"),
    "xml:base": rss("<link xml:base='https://b.example/'>x</link>"),
    "a language of one text": rss("<title xml:lang='fr'>A</title>"),
    "XHTML of another vocabulary": atom("<content type='xhtml'><x:div xmlns:x='http://www.w3.org/1999/xhtml'>x</x:div></content>"),
    "XHTML beside a comment": atom(f"<content type='xhtml'><div xmlns='{XHTML}'>x<!-- </content> --></div></content>"),
    "XHTML in a source": atom(f"<source><content type='xhtml'><p>S</p></content></source><content type='xhtml'><div xmlns='{XHTML}'>x</div></content >"),
    "XHTML behind a second prefix": atom(f"<a:content type='xhtml'>x<div xmlns='{XHTML}'>y</div></a:content>", "xmlns:a='http://www.w3.org/2005/Atom'"),
    "XHTML with a bracket in an attribute": atom("<content type='xhtml' src='a>b'><div>x</div></content>"),
    "XHTML without an end": atom("<content type='xhtml'/>"),
    "XHTML with mends": atom("<content type='xhtml'><div>caf&#195;&#169; &#147;q&#148;</div></content>"),
    "XHTML seen from elsewhere": atom("<content type='xhtml'><div><img xml:base='/b/' src='i.png'/></div></content>"),
    "XHTML with a drawing": atom("<content type='xhtml'><div><svg xmlns='http://www.w3.org/2000/svg'/>x</div></content>"),
    "a known vocabulary behind another's prefix": '<rss xmlns:dc="http://search.yahoo.com/mrss/"><channel><item><dc:title>A</dc:title></item></channel></rss>',
    "a foreign vocabulary behind a known prefix somewhere": '<rss xmlns:own="https://own.example/"><channel><item><own:title xmlns:own="https://own.example/">A</own:title></item></channel></rss>',
    "an item in what is passed over": "<rss><channel><image><item><title>A</title></item></image></channel></rss>",
    "a title of a picture where the item has none": rss("<title></title><media:content url='/m.jpg'><media:title>M</media:title></media:content>"),
    "a description of a picture beside the item's": rss("<description>D</description><media:content url='/m.jpg'><media:description>M</media:description></media:content>"),
    "a title of a picture in another language": rss("<title>T</title><media:content url='/m.jpg'><media:title xml:lang='fr'>M</media:title></media:content>"),
    "two ways to credit": rss("<title>A</title><author>Ada</author><author>Jon</author>"),
}  # fmt: skip


@pytest.mark.parametrize("text", SHORTEST)
def test_what_publishing_systems_write_is_read_on_the_shortest_way(text: str) -> None:
    assert is_shortest(text)
    assert parse(text.encode(), "", URL) == on_the_longer_way(text.encode()) == slowly(text.encode())


@pytest.mark.parametrize("name", LONGER)
def test_what_needs_a_thought_is_not_read_on_the_shortest_way(name: str) -> None:
    assert not is_shortest(LONGER[name])
    body = LONGER[name].encode()
    assert parse(body, "", URL) == on_the_longer_way(body) == slowly(body)


def test_a_picture_does_not_decide_of_which_type_the_text_of_its_item_is() -> None:
    text = "&lt;p&gt;Bread &amp;amp; butter&lt;/p&gt;"
    picture = "<media:content url='/m.jpg'><media:description type='plain'>A loaf</media:description></media:content>"
    body = rss(f"<description>{text}</description><content:encoded>C</content:encoded>{picture}").encode()
    for read in (lambda body: parse(body, "", URL), on_the_longer_way, slowly):
        assert read(body).entries[0].summary == "Bread & butter"


def test_what_is_found_unusual_is_not_tried_again_and_what_is_mended_is() -> None:
    with mock.patch.object(usual, "read", wraps=usual.read) as tried:
        parse(rss("<title>A</title><title>B</title>").encode(), "", URL)
        assert tried.call_count == 1
        assert parse(rss("<title>A\x0cB</title>").encode(), "", URL).entries[0].title == "AB"
        assert parse(rss("<title>Caf\xe9</title>").encode("latin-1"), "", URL).entries[0].title == "Café"
        assert tried.call_count == 5


@pytest.mark.parametrize(
    "prolog",
    ["", "\ufeff", "\n ", "<?xml version='1.0' encoding='iso-8859-1'?>", "<!-- a - b -->\n<?xml-stylesheet href='x'?>", "<!DOCTYPE rss>", "x <!-- <rss> -->"],
)  # fmt: skip
def test_what_stands_before_a_feed_changes_nothing(prolog: str) -> None:
    plain = rss("<title>Caf\xe9 &nbsp;&hellip;&bogus; ~ \xa0</title><link>https://a.example/?a=1&amp;b</link>")
    assert parse((prolog + plain).encode(), "", URL) == parse(plain.encode(), "", URL)


_ATOM_NAMES = st.sampled_from(
    ["title", "title type='html'", "id", "summary", "content type='html'", "published", "updated", "category term='t'"]
)


@given(st.lists(st.tuples(_ATOM_NAMES, st.lists(_WORD, max_size=4).map("".join)), max_size=8), st.booleans())
def test_the_same_holds_for_atom(parts: list[tuple[str, str]], author: bool) -> None:
    inner = "".join(f"<{name}>{text}</{name.split()[0]}>" for name, text in parts)
    body = atom(inner + ("<author><name>Ada</name></author>" if author else ""), "xml:lang='de'").encode()
    assert parse(body, "", URL) == on_the_longer_way(body) == slowly(body)


def test_deep_nesting_and_outer_entities_never_get_through() -> None:
    assert not is_fast(rss("<a>" * 400 + "</a>" * 400))
    with pytest.raises(ParseError, match="entities"):
        parse(b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss("<title>&x;</title>").encode(), "", URL)


_NAMES = st.sampled_from(
    "title link guid id description summary content:encoded dc:creator author pubDate category media:title media:thumbnail"  # noqa: SIM905
    " itunes:summary itunes:subtitle dc:date comments media:group enclosure atom:link media:description dc:subject".split()
)


@given(st.lists(st.tuples(_NAMES, st.lists(_WORD, max_size=4).map("".join)), max_size=8))
def test_whatever_the_order_of_elements_both_ways_agree(parts: list[tuple[str, str]]) -> None:
    body = rss("".join(f"<{name}>{text}</{name}>" for name, text in parts)).encode()
    assert parse(body, "", URL) == on_the_longer_way(body) == slowly(body)


_TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<br>",
        "<br/>",
        "<div>",
        "</div>",
        "<b>",
        "</b>",
        "<li>",
        "<td>",
        "</td>",
        "<script>x</script>",
        "<figcaption>c</figcaption>",
        "<h2>",
        "</h2>",
        "&amp;",
        "&lt;",
        "&nbsp;",
        "&bogus;",
        "<",
        "&",
        "<!--c-->",
        "<p\n",
        "<a href='x>y'>",
        '<img alt="a > b">',
        "word",
        " ",
        "\n\n",
        "\u200b",
        "�",
        "é",
        "é",
        "\x85",
    ]
)


@given(st.lists(_TAGS, max_size=14).map("".join))
def test_words_are_the_same_with_and_without_a_tree(html: str) -> None:
    assert clean.plain_text(html) == clean.words_of(clean.html_tree(html))


def _compare() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "compare_feeds.py"
    spec = importlib.util.spec_from_file_location("compare_feeds", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_feeds"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(shared_data() is None, reason="DIGEST_TEST_DATA names no folder of real feeds")
def test_no_file_of_other_people_differs_from_feedparser_without_a_reason() -> None:
    tool, folder = _compare(), (shared_data() or Path()) / "feeds"
    found = tool.files(folder)
    assert len(found) > 200
    rows = [each for path in found for each in tool.compare(path, path.name)]
    assert [each for each in rows if each.why == tool.UNEXPLAINED] == []
    differing = {str(path.relative_to(folder)) for path in found if tool.fast_and_slow_differ(path)}
    assert differing <= set(tool.WHY_FAST_DIFFERS)
    assert sum(map(tool.is_fast, found)) > 200


@pytest.mark.skipif(shared_data() is None, reason="DIGEST_TEST_DATA names no folder of real feeds")
def test_mutated_real_feeds_raise_nothing_but_parse_errors_and_end_soon() -> None:
    chance = random.Random(3)
    bodies = [path.read_bytes() for path in sorted((shared_data() or Path()).rglob("feeds/**/*.xml"))]
    pieces = [b"<", b">", b"&", b"&#0;", b"]]>", b"<![CDATA[", b"\xff", b"\0", b"<item>", b"</item>", b'xml:base="x"', b" base='y'", b"<title>"]  # fmt: skip
    for _ in range(400):
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(body) + 1)
            body[at : at + chance.randint(0, 3)] = chance.choice(pieces)
        begin = time.process_time()
        with contextlib.suppress(ParseError):
            parse(bytes(body), "", URL)
        assert time.process_time() - begin < 5
