"""What reading a feed costs, beside feedparser on the same bytes, for feeds as different generators write them.

    python benchmarks/parser.py                       # every kind, 30 items of about 2.4 kB each
    python benchmarks/parser.py FOLDER                # … and the real feeds in a folder
    python benchmarks/parser.py --only wordpress      # one kind; --repeat 20 for steadier figures
    python benchmarks/parser.py --write FOLDER        # the feeds themselves, for a look or for another program

CPU microseconds an item. Both readers take turns on the same bytes, and the best of several turns counts: whatever else a
machine does makes a turn longer, never shorter. Feeds are made anew for every turn, with other words, so that
nothing is remembered from the turn before.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import feedparser

from digest.errors import ParseError
from digest.feeds.parse import parse

URL = "https://blog.example/feed/"
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:thr="http://purl.org/syndication/thread/1.0"'
    ' xmlns:cc="http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:googleplay="http://www.google.com/schemas/play-podcasts/1.0"'
)
WORDS = [
    "the", "market", "price", "of", "a", "token", "fell", "sharply", "on", "Monday", "as", "traders", "sold", "what", "they", "had", "bought", "in",
    "spring", "while", "several", "countries", "weighed", "new", "rules", "for", "exchanges", "that", "hold", "customers", "money", "and", "analysts",
]  # fmt: skip
LETTERS = ("d’une", "naïve", "“quote”", "Zürich", "—", "São", "it’s")
ENTITIES = ("&amp;", "&#8217;", "&#8220;up&#8221;", "&nbsp;", "S&amp;P", "&#8212;")

Say = Callable[[int], str]


class Writer:
    """Says the same things in the ways of different generators.

    Attributes:
        size: about how many characters the text of an item has.
    """

    def __init__(self, seed: str, size: int = 1_200) -> None:
        self._chance = random.Random(seed)
        self.size = size

    def say(self, count: int, *more: str) -> str:
        """So many words, and now and then one of ``more``."""
        words = [self._chance.choice(WORDS) for _ in range(count)]
        for at in range(0, count, 9):
            if more:
                words[at] = self._chance.choice(more)
        return " ".join(words)

    def slug(self) -> str:
        """Part of an address."""
        return "-".join(self._chance.choice(WORDS).lower() for _ in range(5))

    def number(self) -> int:
        """An id."""
        return self._chance.randrange(10_000, 99_999)


def _full(writer: Writer, paragraph: Callable[[], str]) -> str:
    pieces, length = [], 0
    while length < writer.size:
        pieces.append(paragraph())
        length += len(pieces[-1])
    return "".join(pieces)


def wordpress_text(writer: Writer) -> str:
    """As the block editor leaves it."""
    page, pictures = f"https://blog.example/2026/03/{writer.slug()}", writer.number()
    figure = (
        f'<figure class="wp-block-image size-large"><img fetchpriority="high" decoding="async" width="1024" height="683"'
        f' src="https://blog.example/wp-content/uploads/2026/03/photo-{pictures}-1024x683.jpg" alt="{writer.say(5)}"'
        f' class="wp-image-{pictures}" srcset="https://blog.example/wp-content/uploads/2026/03/photo-{pictures}-1024x683.jpg 1024w,'
        f' https://blog.example/wp-content/uploads/2026/03/photo-{pictures}-300x200.jpg 300w" sizes="auto, (max-width: 1024px) 100vw" />'
        f'<figcaption class="wp-element-caption">{writer.say(6)}</figcaption></figure>\n\n\n\n'
    )
    paragraphs = iter(range(99))

    def paragraph() -> str:
        if next(paragraphs) == 2:
            return f'<h2 class="wp-block-heading" id="h-{writer.slug()}"><strong>{writer.say(4)}</strong></h2>\n\n\n\n'
        return (
            f"<p>{writer.say(14, *ENTITIES)} <em>{writer.say(2)}</em> {writer.say(12, *LETTERS)}<br />\n{writer.say(6)}"
            f' <a href="{page}?a=1&#038;b=2" target="_blank" rel="noreferrer noopener">{writer.say(3)}</a>, {writer.say(9)}.</p>\n\n\n\n'
        )

    return figure + _full(writer, paragraph)


def plain_text(writer: Writer) -> str:
    """Paragraphs and links, a picture first."""
    picture = (
        f'<p><img src="https://cdn.example/{writer.number()}.jpg" alt="{writer.say(4)}" width="800" height="400"/></p>'
    )
    return picture + _full(
        writer,
        lambda: (
            f'<p>{writer.say(25, *LETTERS)} <a href="https://blog.example/{writer.slug()}">{writer.say(3)}</a> {writer.say(9)}.</p>\n'
        ),
    )


def substack_text(writer: Writer) -> str:
    """Captioned pictures, buttons, footnotes."""
    number = writer.number()
    address = f"https://cdn.example/image/fetch/f_auto,q_auto:good/https%3A%2F%2Fbucket.example%2Fpublic%2Fimages%2F{number}_1456x816.png"
    figure = (
        f'<div class="captioned-image-container"><figure><a class="image-link image2 is-viewable-img" target="_blank" href="{address}"'
        f' data-component-name="Image2ToDOM"><div class="image2-inset"><picture><source type="image/webp" srcset="{address} 424w,'
        f' {address} 848w" sizes="100vw"><img src="{address}" width="1456" height="816" data-attrs="{{&quot;src&quot;:&quot;https://'
        f'bucket.example/{number}.png&quot;,&quot;height&quot;:816}}" class="sizing-normal" alt="" title="" fetchpriority="high"></picture>'
        f'<div></div></div></a><figcaption class="image-caption">{writer.say(6)}</figcaption></figure></div>'
    )
    return figure + _full(
        writer,
        lambda: (
            f"<p>{writer.say(22, *LETTERS)} <strong>{writer.say(2)}</strong> {writer.say(8)}"
            f' <a href="https://a.example/p/{writer.slug()}">{writer.say(2)}</a>.</p><ul><li><p>{writer.say(9)}</p></li></ul>'
        ),
    )


def ghost_text(writer: Writer) -> str:
    """Ghost's cards."""
    return (
        f'<img src="https://blog.example/content/images/2026/03/{writer.number()}.jpg" alt="{writer.say(4)}">'
        + _full(
            writer,
            lambda: (
                f'<p>{writer.say(20, *LETTERS)} <b><strong style="white-space: pre-wrap;">{writer.say(2)}</strong></b> {writer.say(9)}.</p>'
                f'<h3 id="{writer.slug()}">{writer.say(3)}</h3><blockquote>{writer.say(8)}</blockquote>'
            ),
        )
    )


def medium_text(writer: Writer) -> str:
    """Medium's figures, and its counting pixel at the end."""
    return (
        f'<figure><img alt="{writer.say(3)}" src="https://cdn-images.example/max/1024/1*{writer.number()}.jpeg" />'
        f"<figcaption>{writer.say(5)}</figcaption></figure>"
        + _full(
            writer,
            lambda: (
                f"<p>{writer.say(24, *LETTERS)} <em>{writer.say(2)}</em> {writer.say(9)}.</p><h4>{writer.say(3)}</h4>"
            ),
        )
        + '<img src="https://medium.example/_/stat?event=post.clientViewed" width="1" height="1" alt="">'
    )


def blogger_text(writer: Writer) -> str:
    """Blogger's lines that end in breaks, and styles everywhere."""
    number = writer.number()
    picture = (
        f'<div class="separator" style="clear: both; text-align: center;"><a href="https://blogger.example/img/{number}/s4000/a.jpg"'
        f' imageanchor="1" style="margin-left: 1em;"><img border="0" data-original-height="900" data-original-width="1600"'
        f' height="360" src="https://blogger.example/img/{number}/w640-h360/a.jpg" width="640" /></a></div><br />'
    )
    return picture + _full(
        writer,
        lambda: (
            f'<p style="text-align: justify;"><span style="font-family: georgia;">{writer.say(20, "&nbsp;", *LETTERS)}</span></p>'
            f"<div>{writer.say(9)}<br /></div><div><br /></div>"
        ),
    )


def xhtml_text(writer: Writer) -> str:
    """Well-formed."""
    return f'<p><img src="/img/{writer.number()}.png" alt="{writer.say(3)}"/></p>' + _full(
        writer,
        lambda: (
            f'<p>{writer.say(20, *LETTERS)} <a href="/p/{writer.slug()}">{writer.say(2)}</a> &amp; {writer.say(14)}.</p>\n'
        ),
    )


def _cdata(text: str) -> str:
    return f"<![CDATA[{text}]]>"


def _rss(items: Iterator[str], channel: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"\n\t{SPACES}>\n<channel>\n\t<title>The blog</title>\n'
        f'\t<atom:link href="{URL}" rel="self" type="application/rss+xml" />\n\t<link>https://blog.example</link>\n'
        f"\t<description>Of markets</description>\n\t<lastBuildDate>Thu, 12 Mar 2026 09:30:00 +0000</lastBuildDate>\n"
        f"\t<language>en-US</language>\n\t{channel}\n{''.join(items)}</channel>\n</rss>\n"
    )


def _atom(entries: Iterator[str], more: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US" {more}>\n'
        f'<title type="text">The blog</title>\n<link rel="self" href="{URL}"/>\n<link href="https://blog.example/"/>\n'
        f"<id>https://blog.example/</id>\n<updated>2026-03-12T09:30:00Z</updated>\n{''.join(entries)}</feed>\n"
    )


def _wordpress_item(writer: Writer, minute: int, wrap: Callable[[str], str], media: str = "") -> str:
    page, number, text = f"https://blog.example/2026/03/{writer.slug()}/", writer.number(), wordpress_text(writer)
    short = f'<p>{writer.say(50, *ENTITIES)} [&#8230;]</p>\n<p>The post <a href="{page}">{writer.say(8)}</a> appeared first on <a href="https://blog.example">The blog</a>.</p>\n'
    return (
        f"\t<item>\n\t\t<title>{writer.say(8, '&amp;', '&#8217;s')}</title>\n\t\t<link>{page}</link>\n\t\t\t\t\t<comments>{page}#respond</comments>\n"
        f"\t\t\n\t\t<dc:creator>{_cdata('Ada Brandt')}</dc:creator>\n\t\t<pubDate>Thu, 12 Mar 2026 {minute // 60 + 8:02d}:{minute % 60:02d}:11 +0000</pubDate>\n"
        f"\t\t\t\t<category>{_cdata('Markets')}</category>\n\t\t<category>{_cdata('Tokens')}</category>\n\t\t<category>{_cdata(writer.say(2))}</category>\n"
        f'\t\t<guid isPermaLink="false">https://blog.example/?p={number}</guid>\n\n\t\t\t\t\t<description>{wrap(short)}</description>\n'
        f"\t\t\t\t\t\t\t\t\t\t<content:encoded>{wrap(text)}</content:encoded>\n\t\t\t\t\t\n\t\t\t\t\t<wfw:commentRss>{page}feed/</wfw:commentRss>\n"
        f"\t\t\t<slash:comments>0</slash:comments>\n{media}\t</item>\n"
    )


def _media(writer: Writer, inner: str = "") -> str:
    address = f"https://cdn.example/{writer.number()}.jpg?w=800&amp;h=400"
    return (
        f'<media:thumbnail url="{address}" width="150" height="100"/><media:content url="{address}" medium="image" type="image/jpeg"'
        f' width="800" height="400">{inner}</media:content><media:credit role="photographer">Jon Doe</media:credit>'
    )


def wordpress(writer: Writer, items: int) -> str:
    """RSS as WordPress writes it, CDATA."""
    return _rss(_wordpress_item(writer, minute, _cdata) for minute in range(items))


def wordpress_escaped(writer: Writer, items: int) -> str:
    """The same, escaped, with media elements."""
    return _rss(_wordpress_item(writer, minute, escape, _media(writer)) for minute in range(items))


def titled_media(writer: Writer, items: int) -> str:
    """The same, CDATA, with titles inside media elements."""
    inner = '<media:title type="html">A picture</media:title>'
    return _rss(_wordpress_item(writer, minute, _cdata, _media(writer, inner)) for minute in range(items))


def described_media(writer: Writer, items: int) -> str:
    """The same, with descriptions inside media elements as well."""
    inner = '<media:title type="html">A picture</media:title><media:description type="plain">Of a market</media:description>'
    return _rss(_wordpress_item(writer, minute, _cdata, _media(writer, inner)) for minute in range(items))


def description_only(writer: Writer, items: int) -> str:
    """RSS with the whole text as description, and an enclosure."""
    return _rss(
        f"<item><title>{_cdata(writer.say(8, *LETTERS))}</title><description>{_cdata(plain_text(writer))}</description>"
        f'<link>https://blog.example/p/{writer.slug()}</link><guid isPermaLink="true">https://blog.example/p/{writer.number()}</guid>'
        f"<author>ada@blog.example (Ada Brandt)</author><pubDate>Thu, 12 Mar 2026 08:{minute % 60:02d}:00 GMT</pubDate>"
        f'<enclosure url="https://cdn.example/{writer.number()}.jpg" type="image/jpeg" length="0"/></item>\n'
        for minute in range(items)
    )


def _atom_entry(writer: Writer, minute: int, content: str, more: str = "") -> str:
    page = f"https://blog.example/2026/03/{writer.slug()}.html"
    return (
        f"<entry>\n<id>tag:blog.example,2026:post-{writer.number()}</id>\n<title>{writer.say(8, *LETTERS)}</title>\n"
        f'<link rel="alternate" type="text/html" href="{page}"/>\n<link rel="edit" href="{page}?edit"/>\n'
        f"<published>2026-03-12T08:{minute % 60:02d}:00Z</published>\n<updated>2026-03-12T09:{minute % 60:02d}:11+00:00</updated>\n"
        f'<author><name>Ada Brandt</name><uri>https://blog.example/ada</uri></author>\n<category term="markets" label="Markets"/>\n'
        f'<summary type="html">{escape(f"<p>{writer.say(40)}</p>")}</summary>\n{content}\n{more}</entry>\n'
    )


def atom_cdata(writer: Writer, items: int) -> str:
    """Atom, CDATA."""
    return _atom(
        _atom_entry(writer, minute, f'<content type="html">{_cdata(wordpress_text(writer))}</content>')
        for minute in range(items)
    )


def atom_escaped(writer: Writer, items: int) -> str:
    """Atom, escaped, with media elements."""
    return _atom(
        (
            _atom_entry(
                writer, minute, f'<content type="html">{escape(wordpress_text(writer))}</content>', _media(writer)
            )
            for minute in range(items)
        ),
        'xmlns:media="http://search.yahoo.com/mrss/"',
    )


def atom_xhtml(writer: Writer, items: int) -> str:
    """Atom, XHTML."""
    return _atom(
        _atom_entry(
            writer,
            minute,
            f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{xhtml_text(writer)}</div></content>',
        )
        for minute in range(items)
    )


def substack(writer: Writer, items: int) -> str:
    """Substack."""
    return _rss(
        (
            f"<item><title>{_cdata(writer.say(8, *LETTERS))}</title><description>{_cdata(writer.say(12, *LETTERS))}</description>"
            f'<link>https://blog.example/p/{(slug := writer.slug())}</link><guid isPermaLink="false">https://blog.example/p/{slug}</guid>'
            f"<dc:creator>{_cdata('Ada Brandt')}</dc:creator><pubDate>Thu, 12 Mar 2026 08:{minute % 60:02d}:00 GMT</pubDate>"
            f'<enclosure url="https://cdn.example/{writer.number()}.png" length="0" type="image/jpeg"/>'
            f"<content:encoded>{_cdata(substack_text(writer))}</content:encoded></item>"
            for minute in range(items)
        ),
        _OF_SUBSTACK,
    )


def ghost(writer: Writer, items: int) -> str:
    """Ghost."""
    return _rss(
        f"<item><title>{_cdata(writer.say(8, *LETTERS))}</title><description>{_cdata(writer.say(20, *LETTERS))}</description>"
        f'<link>https://blog.example/{writer.slug()}/</link><guid isPermaLink="false">{writer.number():024x}</guid>'
        f"<category>{_cdata('Markets')}</category><dc:creator>{_cdata('Ada Brandt')}</dc:creator>"
        f"<pubDate>Thu, 12 Mar 2026 08:{minute % 60:02d}:00 GMT</pubDate>"
        f'<media:content url="https://blog.example/content/images/{writer.number()}.jpg" medium="image"/>'
        f"<content:encoded>{_cdata(ghost_text(writer))}</content:encoded></item>"
        for minute in range(items)
    )


_OF_MEDIUM = (
    "<image><url>https://cdn-images.example/proxy/1.png</url><title>Stories</title><link>https://medium.example</link></image>"
    "<generator>Medium</generator><webMaster><![CDATA[yourfriends@medium.example]]></webMaster>"
    '<atom:link href="http://medium.example/hub" rel="hub"/>'
)
_OF_SUBSTACK = (
    "<image><url>https://cdn.example/logo.png</url><title>The blog</title><link>https://blog.example</link></image>"
    "<generator>Substack</generator><copyright><![CDATA[Ada Brandt]]></copyright><webMaster><![CDATA[blog@example.com]]></webMaster>"
    "<itunes:owner><itunes:email><![CDATA[blog@example.com]]></itunes:email><itunes:name><![CDATA[Ada]]></itunes:name></itunes:owner>"
    "<itunes:author><![CDATA[Ada Brandt]]></itunes:author><googleplay:owner><![CDATA[blog@example.com]]></googleplay:owner>"
    "<googleplay:email><![CDATA[blog@example.com]]></googleplay:email><googleplay:author><![CDATA[Ada]]></googleplay:author>"
)


def medium(writer: Writer, items: int) -> str:
    """Medium."""
    return _rss(
        (
            f"<item><title>{_cdata(writer.say(8, *LETTERS))}</title><link>https://medium.example/{(slug := writer.slug())}?source=rss----1</link>"
            f'<guid isPermaLink="false">https://medium.example/p/{slug}</guid><category>{_cdata("markets")}</category>'
            f"<category>{_cdata('crypto')}</category><dc:creator>{_cdata('Ada Brandt')}</dc:creator>"
            f"<pubDate>Thu, 12 Mar 2026 08:{minute % 60:02d}:00 GMT</pubDate><atom:updated>2026-03-12T08:{minute % 60:02d}:00.161Z</atom:updated>"
            f"<content:encoded>{_cdata(medium_text(writer))}</content:encoded></item>"
            for minute in range(items)
        ),
        _OF_MEDIUM,
    )


def blogger(writer: Writer, items: int) -> str:
    """Blogger."""
    return _atom(
        (
            f"<entry><id>tag:blogger.example,1999:blog-1.post-{writer.number()}</id><published>2026-03-12T08:{minute % 60:02d}:00.003-08:00</published>"
            f'<updated>2026-03-12T09:{minute % 60:02d}:00.013-08:00</updated><category scheme="http://www.blogger.example/atom/ns#" term="Markets"/>'
            f"<title type='text'>{writer.say(8)}</title><content type='html'>{escape(blogger_text(writer))}</content>"
            f"<link rel='replies' type='application/atom+xml' href='https://blogger.example/c/{writer.number()}' title='Post Comments'/>"
            f"<link rel='alternate' type='text/html' href='https://blogger.example/2026/03/{writer.slug()}.html' title='A'/>"
            f"<author><name>Ada Brandt</name><uri>http://www.blogger.example/profile/1</uri><email>noreply@blogger.example</email>"
            f"<gd:image rel='http://schemas.google.com/g/2005#thumbnail' width='32' height='32' src='//www.blogger.example/img/b.gif'/></author>"
            f"<media:thumbnail url='https://blogger.example/img/{writer.number()}/s72-c/a.jpg' height='72' width='72'/><thr:total>0</thr:total></entry>"
            for minute in range(items)
        ),
        'xmlns:gd="http://schemas.google.com/g/2005" xmlns:thr="http://purl.org/syndication/thread/1.0" xmlns:media="http://search.yahoo.com/mrss/"',
    )


def own(writer: Writer, items: int) -> str:
    """The benchmark's own (``gather.py``)."""

    def item(number: int) -> str:
        page = f"http://blog.example/2026/03/{number}-{writer.slug()}/"
        text = "".join(
            f'<p>{writer.say(30)} <a href="{page}more">{writer.say(3)}</a>, {writer.say(12)}.</p>\n' for _ in range(5)
        )
        return (
            f"<item><title>{writer.say(9)} &amp; {number}</title><link>{page}?utm_source=rss</link>"
            f'<guid isPermaLink="false">http://blog.example/?p={number}</guid>'
            f"<dc:creator><![CDATA[Ada Brandt]]></dc:creator><pubDate>Thu, 12 Mar 2026 09:{number % 60:02d}:00 +0000</pubDate>"
            f"<category><![CDATA[Markets]]></category><category><![CDATA[Tokens]]></category>"
            f"<description><![CDATA[<p>{writer.say(30)} [&#8230;]</p>]]></description>"
            f'<content:encoded><![CDATA[<p><img src="/img/{number}.jpg" alt="{writer.say(5)}" width="800" height="400"/></p>{text}]]>'
            f"</content:encoded></item>"
        )

    return _rss(item(number) for number in range(items))


def one_item(writer: Writer, _: int) -> str:
    """One item."""
    return wordpress(writer, 1)


def short_items(writer: Writer, items: int) -> str:
    """RSS, short items without content."""
    return _rss(
        f"<item><title>{writer.say(9, *LETTERS)}</title><link>https://blog.example/{(slug := writer.slug())}</link>"
        f"<guid>https://blog.example/{slug}</guid><pubDate>Thu, 12 Mar 2026 08:{minute % 60:02d}:00 +0000</pubDate>"
        f"<description>{writer.say(30, *LETTERS)}</description>"
        f'<media:thumbnail width="240" height="135" url="https://cdn.example/{writer.number()}.jpg"/></item>\n'
        for minute in range(items)
    )


KINDS = {
    each.__name__.replace("_", "-"): each
    for each in (
        own, wordpress, wordpress_escaped, description_only, atom_cdata, atom_escaped, titled_media, described_media, atom_xhtml, one_item,
        substack, ghost, medium, blogger, short_items,
    )
}  # fmt: skip


def made(kind: str, turn: int, items: int = 30) -> bytes:
    """A feed; of every turn another."""
    return KINDS[kind](Writer(f"{kind}/{turn}"), items).encode()


def microseconds(read: Callable[[bytes], object], bodies: list[bytes], repeat: int) -> float:
    """CPU time, all bodies so many times."""
    begin = time.process_time()
    for _ in range(repeat):
        for body in bodies:
            read(body)
    return (time.process_time() - begin) * 1e6 / repeat


def _feedparser(body: bytes) -> int:
    return len(feedparser.parse(body, response_headers={"content-location": URL}).entries)


def _ours(body: bytes) -> int:
    return len(parse(body, "", URL).entries)


def compared(turns: list[list[bytes]], warm: int) -> tuple[float, float]:
    """Both readers' best turn, microseconds an item."""
    items = [sum(map(_ours, bodies)) for bodies in turns]
    theirs, ours = [], []
    for bodies, count in zip(turns, items, strict=True):
        theirs.append(microseconds(_feedparser, bodies, 1) / count)
        ours.append(microseconds(_ours, bodies, warm) / count)
    return min(theirs), min(ours)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("folder", nargs="?", type=Path, help="real feeds, measured together")
    options.add_argument("--only", help="one kind")
    options.add_argument("--repeat", type=int, default=8, help="turns")
    options.add_argument("--write", type=Path, help="write the feeds of one turn here, and measure nothing")
    given = options.parse_args()
    kinds = [given.only] if given.only else list(KINDS)
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            (given.write / f"{kind}.xml").write_bytes(made(kind, 0))
        return
    print("| feed | feedparser, µs an item | ours | times as fast |\n|---|---|---|---|")
    for kind in kinds:
        few = 20 if kind == "one-item" else 1
        turns = [[made(kind, turn * few + number) for number in range(few)] for turn in range(given.repeat)]
        _row((KINDS[kind].__doc__ or "").rstrip("."), *compared(turns, 3))
    if given.folder:
        bodies = [body for path in sorted(given.folder.rglob("*.xml")) if _is_read(body := path.read_bytes())]
        _row("real feeds", *compared([bodies] * 3, 2))


def _is_read(body: bytes) -> bool:
    try:
        return _ours(body) > 0
    except ParseError:
        return False


def _row(name: str, theirs: float, ours: float) -> None:
    print(f"| {name} | {theirs:,.0f} | {ours:.1f} | {theirs / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
