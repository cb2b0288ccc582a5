"""Cleaning text and URLs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.clean import absolute_url, canonical_url, clean_text, clipped, one_line, plain_text, without_trailers


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("AT&amp;T &lt;b&gt; 5 &euro;", "AT&T <b> 5 €"),
        ("AT&amp;amp;T", "AT&amp;T"),  # once, not twice
        ("5 < 6 and 7 > 3 &x=1", "5 < 6 and 7 > 3 &x=1"),
        ("<p>One <b>bo</b>ld.</p><p>Two<br>lines.</p>", "One bold.\n\nTwo\nlines."),
        ("<p>’One’<br/><br/><br/>\n two  é</p>\n<p>\xa0</p>", "’One’\n\ntwo é"),
        ("<p>e\u0301<br>\u200bb\tc</p>", "é\nb c"),
        ("<ul><li>a<li>b</ul>", "a\n\nb"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("a<script>alert(1)</script>b<style>p{}</style>c<!-- d -->e", "abce"),
        ("<figure><img src=x><figcaption>Photo: Agency</figcaption></figure>Text", "Text"),
        ("<img src=x onerror=alert(1)>Text<svg><title>no</title></svg>", "Text"),
        ("<p>\n  much \t space\u00a0here  \n</p>", "much space here"),
        ("</div></body></html>after", "after"),
        ("", ""),
    ],
)
def test_html_becomes_its_words(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pay\u202eload\u202c", "payload"),
        ("one\u2028two\u2029three\x85four\x0bfive", "one two three four five"),
        ("nul\x00 bell\x07 esc\x1b c1\x9f", "nul bell esc c1"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffbom", "softhyphen zerowidth bom"),
        ("cafe\u0301", "café"),
        ("family 👩\u200d👩\u200d👧", "family 👩\u200d👩\u200d👧"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_invisible_and_disruptive_characters_are_gone(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_any_text_is_clean_afterwards_and_stays_as_it_is(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert not [letter for letter in clean if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]
    assert not set(clean) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(alphabet="<>&;/!-[]abpx'\"= \n\x00", max_size=200) | st.text())
def test_any_markup_at_all_gives_text(html: str) -> None:
    assert "\x00" not in plain_text(html)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://News.Example:443/a/B?id=1#part", "https://news.example/a/B?id=1"),
        ("http://news.example:80", "http://news.example/"),
        ("http://news.example:8080/x", "http://news.example:8080/x"),
        ("https://a.example/x?utm_source=rss&utm_medium=feed&id=7&fbclid=abc&gclid=d", "https://a.example/x?id=7"),
        ("https://a.example/x?mc_cid=1&mc_eid=2&_ga=3&msclkid=4&igshid=5&yclid=6", "https://a.example/x"),
        ("https://a.example/x?ref=rss&source=feed", "https://a.example/x"),
        ("https://a.example/x?ref=page-2&source=42", "https://a.example/x?ref=page-2&source=42"),
        ("https://a.example/x?b=2&a=1", "https://a.example/x?b=2&a=1"),  # order may matter
        ("https://a.example/x/?", "https://a.example/x/"),
        ("https://a.example/%7euser/%c3%a9", "https://a.example/%7Euser/%C3%A9"),
        ("https://a.example/é x?q=ü", "https://a.example/%C3%A9%20x?q=%C3%BC"),
        ("https://müller.example/", "https://xn--mller-kva.example/"),
        (" https://a.example/\n", "https://a.example/"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("javascript:alert(1)", ""),
        ("ftp://a.example/", ""),
        ("https://", ""),
        ("https://a.example:99999/", ""),
        ("https://a b.example/", ""),
        ("", ""),
    ],
)
def test_an_article_has_one_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@given(st.text() | st.from_regex(r"https?://[a-zA-Z0-9.:\[\]@-]{1,20}(/[ -~é]{0,20})?(\?[ -~]{0,30})?"))
def test_the_canonical_url_of_anything_is_stable_ascii_without_fragment(url: str) -> None:
    canonical = canonical_url(url)
    assert canonical_url(canonical) == canonical
    assert canonical.isascii()
    assert "#" not in canonical


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("b.html", "https://a.example/dir/b.html"),
        ("/b", "https://a.example/b"),
        ("//c.example/x y", "https://c.example/x%20y"),
        ("javascript:alert(1)", ""),
        ("data:image/png;base64,AA", ""),
        ("https://user@c.example/", ""),
        ("http://[broken/", ""),
        ("", ""),
    ],
)
def test_a_link_is_seen_from_its_base(url: str, absolute: str) -> None:
    assert absolute_url(url, "https://a.example/dir/a.html") == absolute


@pytest.mark.parametrize(
    ("summary", "clean"),
    [
        ("Rates stay. The post Rates stay appeared first on News Example.", "Rates stay."),
        ("Rates stay. Read more", "Rates stay."),
        ("Rates stay. Continue reading Rates stay →", "Rates stay."),
        ("Rates stay […]", "Rates stay…"),
        ("Analysts read more into it than there is", "Analysts read more into it than there is"),
        (
            "The post office appeared first on the list of losers? No.",
            "The post office appeared first on the list of losers? No.",
        ),
    ],
)
def test_what_publishing_systems_hang_on_a_summary_is_cut(summary: str, clean: str) -> None:
    assert without_trailers(summary) == clean


def test_a_long_text_is_cut_at_a_word() -> None:
    assert clipped("one two three", 9) == "one two…"
    assert clipped("one two", 9) == "one two"
