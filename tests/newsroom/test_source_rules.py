"""Rules of sources are judged before the first fetch: by file, line and key."""

import re
from pathlib import Path

import pytest

from digest.newsroom import read
from tests.newsroom.test_read import newsroom

HEAD = '[[feeds]]\nurl = "https://a.example.org/"\nname = "A"\n'


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ('kind = "page"\n', r"feeds\.toml:4: feeds\[0\]\.kind: .*needs its rules.*\[feeds\.page\]"),
        ('kind = "json"\n', r"feeds\.toml:4: feeds\[0\]\.kind: .*needs its rules.*\[feeds\.json\]"),
        ('[feeds.page]\nitem = "li"\n', r"feeds\.toml:4: feeds\[0\]\.page: rules for kind 'page', but .*'feed'"),
        ('kind = "page"\n[feeds.page]\ntitle = "a"\n', r"feeds\.toml:5: feeds\[0\]\.page\.item: is missing"),
        ('kind = "page"\n[feeds.page]\nitem = "li"\ntitel = "a"\n', r"feeds\.toml:7: feeds\[0\]\.page\.titel: unknown key"),
        ('kind = "page"\n[feeds.page]\nitem = "li["\n', r"feeds\.toml:6: feeds\[0\]\.page\.item: 'li\[' is no CSS selector"),
        ('kind = "page"\n[feeds.page]\nitem = "li"\nlink = ".//a["\n', r"feeds\.toml:7: feeds\[0\]\.page\.link: .* no XPath"),
        ('kind = "page"\n[feeds.page]\nitem = "a@href"\n', r"feeds\.toml:6: feeds\[0\]\.page\.item: .*attribute"),
        ('kind = "page"\n[feeds.page]\nitem = "li"\nzone = "Mars/Base"\n', r"feeds\.toml:7: feeds\[0\]\.page\.zone: "),
        ('kind = "json"\n[feeds.json]\nitems = "a..b"\n', r"feeds\.toml:6: feeds\[0\]\.json\.items: .*empty step"),
        ('kind = "json"\n[feeds.json]\nlink = ""\n', r"feeds\.toml:6: feeds\[0\]\.json\.link: must not be empty"),
        ('kind = "json"\n[feeds.json]\nlink = "https://a.example/{}"\n', r"feeds\.toml:6: feeds\[0\]\.json\.link: .*braces"),
        ('kind = "json"\n[feeds.json]\ndate_format = "dd.mm"\n', r"feeds\.toml:6: feeds\[0\]\.json\.date_format: "),
        ('kind = "quotes"\nprovider = "yahoo"\n', r"feeds\.toml:5: feeds\[0\]\.provider: 'yahoo' is no provider"),
        ('provider = "csv"\n', r"feeds\.toml:4: feeds\[0\]\.provider: only a source of kind 'quotes'"),
        ('kind = "quotes"\nfresh_hours = -1\n', r"feeds\.toml:5: feeds\[0\]\.fresh_hours: must not be below 0"),
        ('kind = "sitmap"\n', r"feeds\.toml:4: feeds\[0\]\.kind: is 'sitmap', but must be one of .*'sitemap'"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named_by_file_line_and_key(tmp_path: Path, more: str, where: str) -> None:
    _, problems = read.check(newsroom(tmp_path, feeds=HEAD + more))
    (problem,) = problems
    assert re.search(where, str(problem)), str(problem)
