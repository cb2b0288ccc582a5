"""What mail clients and people rely on in the page: structure, sizes, contrast, words for pictures."""

import itertools
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tinycss2
from bs4 import BeautifulSoup, Comment

from digest.domain.newsroom import Theme
from digest.errors import RenderError
from digest.render import inline
from digest.render.archive import archive_html
from digest.render.cut import html_of, text_of, whole
from digest.render.message import Head, tokens
from digest.render.palette import contrast, palette
from digest.render.pipeline import Renderer
from tests.render import documents

DOCUMENT = documents.document()
FRAGMENTS = documents.renderer().render(DOCUMENT)
VALUES = tokens(Head.of(DOCUMENT), FRAGMENTS, whole(FRAGMENTS), documents.addressee())
PAGE = html_of(FRAGMENTS, whole(FRAGMENTS), VALUES)
TEXT = text_of(FRAGMENTS, whole(FRAGMENTS), VALUES)
SOUP = BeautifulSoup(PAGE, "html.parser")


def test_the_page_says_its_language_and_direction_twice() -> None:
    assert PAGE.startswith("<!doctype html>")
    assert (SOUP.html["lang"], SOUP.html["dir"]) == ("en-US", "ltr")
    wrapper = SOUP.body.find("div")
    assert (wrapper["lang"], wrapper["dir"]) == ("en-US", "ltr")


def test_headings_begin_with_one_h1_and_skip_no_level() -> None:
    levels = [int(tag.name[1]) for tag in SOUP.find_all(re.compile(r"^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_layout_tables_are_presentation_and_the_market_table_has_header_cells() -> None:
    data = [table for table in SOUP.find_all("table") if table.get("role") != "presentation"]
    assert len(data) == 1
    assert [cell.get_text() for cell in data[0].find("thead").find_all("th")] == ["Name", "Price", "24 hours", "7 days"]
    assert all(row.find("th")["scope"] == "row" for row in data[0].find("tbody").find_all("tr"))


def test_pictures_have_words_and_a_width_in_numbers() -> None:
    for image in SOUP.find_all("img"):
        assert image["width"].isdigit()
        assert image["alt"]
        assert image["src"].startswith("https://")


def test_rules_for_phones_darkness_and_outlook_survive() -> None:
    styles = " ".join(style.get_text() for style in SOUP.find_all("style"))
    assert "@media (prefers-color-scheme:dark)" in styles
    assert "@media only screen and (max-width:479px)" in styles
    assert "!important" in styles
    assert "[data-ogsc] .ink" in styles
    assert any("[if mso" in comment for comment in SOUP.find_all(string=lambda text: isinstance(text, Comment)))
    assert all(len(style.get_text().encode()) < 16_000 for style in SOUP.find_all("style"))
    assert SOUP.find("meta", attrs={"name": "color-scheme"})["content"] == "light dark"


def test_the_kept_sheets_hold_no_rule_that_a_parser_stumbles_over() -> None:
    for style in SOUP.find_all("style"):
        rules = tinycss2.parse_stylesheet(style.get_text(), skip_comments=True, skip_whitespace=True)
        assert [rule for rule in rules if rule.type == "error"] == []


def test_no_visible_text_is_smaller_than_14_pixels() -> None:
    sizes = re.findall(r"font-size:\s*([\d.]+)px", PAGE.partition("<body")[2])
    # 0 and 1 are MJML's cells without text, the rule and the preheader.
    assert {float(size) for size in sizes if float(size) > 1} >= {14.0, 16.0}
    assert min(float(size) for size in sizes if float(size) > 1) >= 14


def test_a_digest_of_twelve_stories_and_all_blocks_stays_far_below_gmails_limit() -> None:
    assert len(PAGE.encode()) < 80_000


def test_twenty_five_stories_take_at_most_two_fifths_of_gmails_limit() -> None:
    topics = [("policy", range(1, 9)), ("markets", range(9, 17)), ("infra", range(17, 26))]
    sections = [
        documents.section(topic, topic.title(), [documents.story(n) for n in numbers]) for topic, numbers in topics
    ]
    fragments = documents.renderer().render(documents.framed(*sections))
    assert len(html_of(fragments, whole(fragments), VALUES).encode()) < 0.4 * 102_400


def test_the_first_text_is_the_preheader_and_all_that_is_hidden() -> None:
    first = next(SOUP.body.stripped_strings)
    assert first == VALUES["PREHEADER"]
    hidden = [tag.get_text() for tag in SOUP.find_all(style=re.compile("display:none"))]
    assert hidden == [first]


def test_the_text_part_holds_all_stories_all_links_and_the_way_out() -> None:
    for number in range(1, 13):
        story = documents.story(number)
        assert story.headline in " ".join(TEXT.split())
        assert story.url in TEXT
    links = {a["href"] for a in SOUP.find_all("a")}
    assert {link for link in links if link not in TEXT} == set()
    assert documents.POSTAL in " ".join(TEXT.split())
    assert [line for line in TEXT.splitlines() if len(line) > 78 and "://" not in line] == []
    assert "&amp;" not in TEXT


def test_the_archive_page_holds_nothing_personal() -> None:
    page = archive_html(FRAGMENTS, DOCUMENT, "https://mail.float.example/")
    assert "Hong Kong licenses four exchanges" in page
    assert "ada@reader.example" not in page
    assert "/unsubscribe/" not in page
    assert "/preferences/" not in page
    assert "@@" not in page


@pytest.mark.parametrize("prefix", ["", "dark_"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "positive", "negative"])
def test_the_default_theme_is_readable(prefix: str, name: str) -> None:
    colours = palette(Theme())
    assert contrast(colours[prefix + name], colours[prefix + "paper"]) >= 4.5
    # Alt texts stand on the plate.
    assert contrast(colours[prefix + "muted"], colours[prefix + "plate"]) >= 4.5


@pytest.mark.parametrize(
    "change", [{"ink": "red"}, {"paper": "#fff"}, {"serif": "Georgia"}, {"sans": "x}</style>, serif"}]
)
def test_a_theme_that_cannot_stand_in_a_style_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(RenderError, match="theme"):
        documents.renderer().render(replace(DOCUMENT, theme=replace(Theme(), **change)))


def test_a_newsletter_in_arabic_runs_from_right_to_left() -> None:
    document = documents.document(locale="ar")
    fragments = documents.renderer().render(document)
    page = html_of(fragments, whole(fragments), VALUES)
    soup = BeautifulSoup(page, "html.parser")
    assert (soup.html["dir"], soup.body.find("div")["dir"]) == ("rtl", "rtl")
    assert "direction:ltr" not in page
    frames = soup.select("div.sec > table > tbody > tr > td")
    assert frames
    assert all("text-align:right" in frame["style"] for frame in frames)
    assert "text-align:right" in soup.find("thead").find("th")["style"]


def test_an_issue_without_pictures_quotes_or_words_around_it_still_renders() -> None:
    bare = documents.story(1, dek="", source="", also=(), kicker="", topics=())
    document = documents.framed(documents.section("policy", "Policy", [bare], forms=("card",)), tagline="", host="")
    page = html_of(documents.renderer().render(document), whole(documents.renderer().render(document)), VALUES)
    assert bare.headline in page


def test_a_template_that_forgets_a_mark_is_named(tmp_path: Path) -> None:
    shutil.copytree(documents.TEMPLATES / "email", tmp_path / "email")
    broken = tmp_path / "email" / "blocks" / "links.mjml"
    broken.write_text(broken.read_text().replace("{{ mark(block.key) }}", ""))
    with pytest.raises(RenderError, match="links"):
        Renderer(tmp_path).render(DOCUMENT)


def test_an_unknown_name_in_a_template_is_an_error_with_its_place(tmp_path: Path) -> None:
    shutil.copytree(documents.TEMPLATES / "email", tmp_path / "email")
    broken = tmp_path / "email" / "blocks" / "links.txt"
    broken.write_text(broken.read_text() + "{{ nobody.knows }}")
    with pytest.raises(RenderError, match="nobody"):
        Renderer(tmp_path).render(DOCUMENT)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("<!DOCTYPE html>", "doctype"),
        ("@media (prefers-color-scheme:dark)", "prefers-color-scheme"),
        ("[data-ogsc]", "data-ogsc"),
        ("!important", "!important"),
        ("<!--[if mso", "Outlook"),
    ],
)
def test_a_mail_that_lost_what_clients_rely_on_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, lost: str, words: str
) -> None:
    real = inline.inline
    monkeypatch.setattr(inline, "inline", lambda page, css: real(page, css).replace(lost, ""))
    with pytest.raises(RenderError, match=re.escape(words)):
        documents.renderer().render(documents.framed(documents.section("policy", "Policy", [documents.story(1)])))
