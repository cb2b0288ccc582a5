"""What is written in the sample, and how its files are read."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from digest.errors import ConfigError
from digest.sample import SampleArticle, load_articles, load_outlets

SAMPLE = Path(__file__).resolve().parents[2] / "config" / "sample"
ARTICLES = load_articles(SAMPLE)

EVENTS = {
    "the SEC's custody proposal": r"\bSEC\b.*(custody|tokenized|possession)|custody was always|tokenized shares",
    "bitcoin above 91,000": r"91[,.]?0?0?0?K?\b.*\b(ETF|fund|trade|coins)|\$91",
    "the Fed's minutes": r"minutes|Fed disagree|Fed can't agree",
    "Hong Kong's licences": r"Hong Kong (grants|Monetary)|HKMA",
    "Ethereum's gas limit": r"100 million( gas|.*gas)|gas limit",
    "the theft at Quillbridge": r"Quillbridge.*(million|M\b|drain)",
    "Northgate's charter": r"Northgate",
    "Halden's results": r"Halden",
    "Ridgeline's lease": r"Ridgeline",
    "Japan's tax bill": r"(Japan|Tokyo).*tax",
    "ESMA": r"ESMA|crypto supervision",
    "Larkfin's fees": r"Larkfin",
    "Kestrel's listing": r"Kestrel",
    "Korea's corporate accounts": r"Korea.*accounts",
    "oil under 60": r"Brent",
    "Aldgate's fund": r"Aldgate",
    "Brazil's rule": r"Brazil",
    "Corvane's purchase": r"Corvane",
    "mining difficulty": r"difficulty (falls|retarget|drops|takes)|mining difficulty|mining bitcoin got",
    "memory prices": r"DRAM",
    "Singapore's bills": r"tokenised (MAS )?(government )?bills",
}


def _outlets_on(pattern: str) -> set[str]:
    """Outlets that write about it in the day before the anchor, syndicated copies aside."""
    return {
        article.outlet
        for article in ARTICLES
        if 0 <= article.age <= 22
        and article.author != "Harbor Wire"
        and re.search(pattern, f"{article.title} {article.summary}", re.IGNORECASE | re.DOTALL)
    }


@pytest.mark.parametrize("event", EVENTS)
def test_each_event_is_covered_by_three_outlets_or_more(event: str):
    assert len(_outlets_on(EVENTS[event])) >= 3


def test_one_event_is_covered_by_six_outlets_or_more():
    assert len(_outlets_on(EVENTS["the SEC's custody proposal"])) >= 6


def test_there_is_news_for_today_yesterday_and_the_days_to_come():
    ages = [article.age for article in ARTICLES]
    assert len(ages) >= 150
    assert sum(0 <= age <= 22 for age in ages) >= 105
    assert sum(22 < age <= 48 for age in ages) >= 15
    assert sum(-24 <= age < 0 for age in ages) >= 12
    assert sum(-48 <= age < -24 for age in ages) >= 12
    assert min(ages) >= -48
    assert max(ages) <= 48


def test_addresses_are_unique_and_lead_to_reserved_names():
    assert len({article.url for article in ARTICLES}) == len(ARTICLES)
    slugs = Counter(article.slug for article in ARTICLES)
    assert [slug for slug, count in slugs.items() if count > 1] == []
    for article in ARTICLES:
        assert re.match(r"https://[a-z]+\.example\.(com|net|org)/[a-z0-9-]+$", article.url)


def test_no_outlet_repeats_itself_and_only_copies_repeat_others():
    titles = Counter(article.title for article in ARTICLES)
    copies = {article.title for article in ARTICLES if article.author == "Harbor Wire"}
    assert {title for title, count in titles.items() if count > 1} == copies
    assert copies
    for article in ARTICLES:
        twins = [other for other in ARTICLES if other.summary == article.summary and other is not article]
        assert bool(twins) is (article.title in copies)


def test_summaries_are_one_or_two_sentences_that_end():
    for article in ARTICLES:
        assert re.search(r"[.?”]$", article.summary), article.slug
        assert 60 <= len(article.summary) <= 420, article.slug
        assert not article.title.endswith("."), article.slug


def test_texts_name_no_day_that_would_be_wrong_tomorrow():
    days = r"\b(yesterday|today|tomorrow|(on|last|next) (Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday))\b"
    for article in ARTICLES:
        assert not re.search(days, " ".join((article.title, article.summary, *article.body)), re.IGNORECASE), (
            article.slug
        )


def test_pictures_have_words_for_those_who_do_not_see_them():
    pictures = [article.picture for article in ARTICLES if article.picture]
    assert len(pictures) >= 40
    assert all(picture.alt and picture.credit for picture in pictures)


def test_enough_articles_have_a_body_of_several_paragraphs():
    assert sum(len(article.body) >= 2 for article in ARTICLES) >= 40


def test_all_formats_and_both_kinds_of_content_are_there():
    outlets = load_outlets(SAMPLE)
    assert {outlet.format for outlet in outlets} == {"rss", "atom", "json"}
    assert {outlet.content for outlet in outlets} == {"full", "summary"}
    assert len(outlets) >= 9
    assert any(outlet.delay for outlet in outlets)


def test_a_copy_takes_everything_but_time_and_byline_from_its_original():
    by_slug: dict[str, SampleArticle] = {article.slug: article for article in ARTICLES}
    copy, original = by_slug["halden-revenue"], by_slug["halden-semiconductor-revenue-jumps-44-percent"]
    assert (copy.title, copy.summary, copy.tags, copy.picture) == (
        original.title, original.summary, original.tags, original.picture,
    )  # fmt: skip
    assert (copy.author, copy.outlet) == ("Harbor Wire", "Market Mirror")
    assert copy.age < original.age


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("age = 8.7", 'age = "old"', r"harbor-wire\.toml: articles\[0\]\.age: must be a number"),
        ("age = 8.7", "", r"articles\[0\]\.age: is missing"),
        ('author = "Dana Whitlock"', 'auther = "Dana Whitlock"', r"articles\[0\]\.author: is missing"),
        ("age = 8.7", "age = 8.7\nmood = 1", r"articles\[0\]\.mood: is no key"),
        ('format = "rss"', 'format = "gopher"', r"format: is 'gopher': write one of rss, atom, json"),
        ('scene = "columns"', 'scene = "cat"', r"articles\[0\]\.image\.scene: is 'cat'"),
        ('slug = "sec-', 'slug = "SEC ', r"articles\[0\]\.slug: may hold a-z"),
        ("https://harborwire", "http://harborwire", r"site: must begin with https"),
        ('tags = ["Regulation", "SEC", "Tokenization"]', 'tags = "SEC"', r"articles\[0\]\.tags: must be a list"),
        ('outlet = "Harbor Wire"', "outlet = ", r"harbor-wire\.toml: is not TOML.*line"),
        ('slug = "dollar-slips-euro', 'slug = "gold-record-central-bank-buying"\n#', "appears twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, old: str, new: str, message: str):
    folder = Path(shutil.copytree(SAMPLE, tmp_path / "copy"))
    (folder / "articles" / "market-mirror.toml").unlink()
    file = folder / "articles" / "harbor-wire.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        load_articles(folder)


def test_a_copy_of_nothing_is_named(tmp_path: Path):
    folder = Path(shutil.copytree(SAMPLE, tmp_path / "copy"))
    (folder / "articles" / "harbor-wire.toml").unlink()
    with pytest.raises(ConfigError, match=r"market-mirror\.toml: articles\[0\]\.copy_of: names no article"):
        load_articles(folder)


def test_a_folder_without_articles_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="holds no articles"):
        load_articles(tmp_path)
