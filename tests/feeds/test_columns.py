"""The words of many texts in one pass are those that each has by itself."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from digest.feeds import clean, columns
from digest.feeds.parse import parse

URL = "https://news.example/feeds/all.xml"
_PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<p class='x'>", '<p class="x">', "<p >", "<p\n", "<P>", "<o:p>", "<br>", "<br/>", "<br />", "<hr/>", "<li>", "<td>", "</td>",
        "<script>x</script>", "<figcaption>c</figcaption>", '<figcaption class="a">', "<figcaption>", "</figcaption>", "</figcaption x>",
        "<figcaption/>", "<a href='x>y'>", '<img alt="a > b">', '<b title="\u200b">', '<b title="', '<b title=">', "<!--c-->", "<", ">", "&", "&amp;", "&amp", "&lt;", "&gt;",
        "&nbsp;", "&bogus;", "&shy;", "&#133;", "&#8203;", "&#8230;", "&#x41;", "; ", "word", "é", "e\u0301", "\u1161", "한", "\U0001f600", "İ", "\ufffd",
        "\u200b", "\xad", "\x7f", "\x85", "\u2003", "\u2028", " ", "  ", "\n\n", "\r\n", "\t", "\x01", "\x02", "\x03", "\x04", "\x05", "\x06",
    ]
)  # fmt: skip
_TEXTS = st.lists(st.lists(_PIECES, max_size=8).map("".join), max_size=6)


@given(_TEXTS)
def test_many_texts_have_the_words_that_each_has_alone(texts: list[str]) -> None:
    assert columns.plain_texts(texts) == [clean.plain_text(text) for text in texts]
    assert columns.one_lines(texts) == [clean.one_line(text) for text in texts]


def test_odd_markup_is_read_by_itself() -> None:
    texts = [
        '<b title=">one</b> two', '<b title="a > b">one</b>', "<b title='>one</b>", "<p >one</p >two", "a < b > c", "&bogus; <p>x", "one &amp", "amp;x",
        "<figcaption>c</figcaption x>d", "<figcaption>c", "c</figcaption>d", "<script>one</script>two", "e\u0301<br>", "<td>a</td><td>b</td>",
    ]  # fmt: skip
    assert columns.plain_texts(texts) == [clean.plain_text(text) for text in texts]


@given(st.lists(st.text(), max_size=4))
def test_so_it_is_with_any_letters(texts: list[str]) -> None:
    assert columns.plain_texts(texts) == [clean.plain_text(text) for text in texts]
    assert columns.one_lines(texts) == [clean.one_line(text) for text in texts]


def test_more_than_is_joined_at_once_is_read_to_the_end() -> None:
    long = "<p>word</p>\n" * 3_000
    texts = [f"<b>{number}</b>" for number in range(20)] + [long] * 5 + ["", "x", "<p>" + "y" * clean.MAX_MARKUP, "z"]
    assert columns.plain_texts(texts) == [clean.plain_text(text) for text in texts]
    assert columns.plain_texts([]) == columns.one_lines([]) == []


def test_letters_that_are_not_doubted_are_printable_and_composed_wherever_they_stand() -> None:
    letters = [chr(code) for code in range(0xA0, 0x11_0000) if not 0xD800 <= code < 0xE000]
    sure = {letter for letter in letters if not columns.DOUBTFUL.match(letter)}
    assert len(sure) > 30_000
    assert all(letter.isprintable() and not unicodedata.combining(letter) for letter in sure)
    assert all(unicodedata.is_normalized("NFC", letter) for letter in sure)
    seconds = {second for letter in letters for second in unicodedata.normalize("NFD", letter)[1:]}
    assert not sure & seconds


def _items(texts: list[str]) -> list[str]:
    return [
        f"<item><title><![CDATA[{text}]]></title><description><![CDATA[{text * 2}]]></description><guid>g</guid></item>"
        for text in texts
    ]


@given(_TEXTS)
def test_an_item_is_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    head, items = '<rss version="2.0"><channel><title>T</title>', _items(texts)
    together = parse(f"{head}{''.join(items)}</channel></rss>".encode(), "", URL).entries
    alone = [parse(f"{head}{item}</channel></rss>".encode(), "", URL).entries[0] for item in items]
    assert list(together) == alone
