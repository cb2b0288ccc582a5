"""What is wrong in a newsroom file is named by file, line and key."""

from pathlib import Path

import pytest

from digest.domain.newsroom import Newsroom
from digest.errors import ConfigError
from digest.newsroom import read, write
from digest.newsroom.diff import plan
from digest.settings import assets

GOOD = {
    "site.toml": '[site]\nname = "Desk"\neditors = ["ed@example.org"]\n',
    "feeds.toml": '[[feeds]]\nurl = "https://a.example.org/rss"\nname = "A"\n\n[[feeds]]\nurl = "{sample}/b"\nname = "B"\n',
    "topics.toml": '[[topics]]\nslug = "bitcoin"\nname = "Bitcoin"\ninclude = ["bitcoin"]\n',
    "newsletters/daily.toml": (
        'name = "The Daily"\ntagline = "News."\nhost = "Ann"\nfrom_address = "daily@example.org"\n'
        'postal_address = "1 Main St, Springfield"\ntopics = ["bitcoin"]\n\n[[blocks]]\ntype = "masthead"\n\n'
        '[[blocks]]\ntype = "section"\ntopic = "bitcoin"\n\n[[blocks]]\ntype = "footer"\n'
    ),
}


def newsroom(folder: Path, **changed: str) -> Path:
    for name, text in {**GOOD, **{key.replace("__", "/") + ".toml": value for key, value in changed.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_good_newsroom_is_read_with_its_addresses_filled_in(tmp_path: Path) -> None:
    found = read.load(newsroom(tmp_path), {"sample": "http://127.0.0.1:8009"})
    assert [feed.url for feed in found.feeds] == ["https://a.example.org/rss", "http://127.0.0.1:8009/b"]
    assert found.newsletters[0].slug == "daily"
    assert found.site.editors == ("ed@example.org",)


LETTER = GOOD["newsletters/daily.toml"]


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("feeds", '[[feeds]]\nurl = "https://a.example.org\nname = "A"\n', r"feeds\.toml:2: not TOML"),
        ("feeds", '[[feeds]]\nname = "A"\n', r"feeds\.toml:1: feeds\[0\]\.url: is missing"),
        ("feeds", '[[feeds]]\nurl = "ftp://x.org"\nname = "A"\n', r"feeds\.toml:2: feeds\[0\]\.url: .*http"),
        (
            "feeds",
            GOOD["feeds.toml"].replace('name = "B"', 'name = "B"\nwieght = 2'),
            r"feeds\.toml:8: feeds\[1\]\.wieght: unknown key",
        ),
        ("feeds", GOOD["feeds.toml"] + "weight = 0\n", r"feeds\.toml:8: feeds\[1\]\.weight: must be above 0"),
        ("topics", GOOD["topics.toml"] * 2, r"topics\.toml:6: topics\[1\]\.slug: 'bitcoin' stands here twice"),
        ("surprise", "a = 1\n", r"surprise\.toml: nothing reads this file"),
        ("newsletters__daily", LETTER.replace('"section"', '"sectoin"'), r"daily\.toml:12: blocks\[1\]\.type: is 'sectoin'"),
        (
            "newsletters__daily",
            'unsubscribe_by_mail = "leave"\n' + LETTER,
            r"daily\.toml:1: unsubscribe_by_mail: ",
        ),
        (
            "newsletters__daily",
            LETTER.replace('topic = "bitcoin"', 'topic = "btc"'),
            r"daily\.toml:13: blocks\[1\]\.topic: 'btc' is no topic; the topics are bitcoin",
        ),
        ("newsletters__daily", 'zone = "Mars"\n' + LETTER, r"daily\.toml:1: zone: 'Mars' is no zone"),
        ("newsletters__daily", 'hour = "6am"\n' + LETTER, r"daily\.toml:1: hour: '6am' is no time"),
        ("newsletters__daily", 'subject = "{{ top."\n' + LETTER, r"daily\.toml:1: subject: not a template"),
        (
            "newsletters__daily",
            LETTER + '\n[theme]\nmuted = "#c8c8c8"\n',
            r"daily\.toml:19: theme\.muted: has contrast 1\.\d on paper; it needs at least 4\.5",
        ),
        ("newsletters__daily", LETTER.replace('"footer"', '"epigraph"'), r"daily\.toml:8: blocks: needs a block of type footer"),
    ],
)  # fmt: skip
def test_a_problem_is_named_by_file_line_and_key(tmp_path: Path, file: str, text: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        read.load(newsroom(tmp_path, **{file: text}), {"sample": "http://127.0.0.1:8009"})


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        read.load(tmp_path / "nowhere")


def test_all_problems_are_found_in_one_go(tmp_path: Path) -> None:
    folder = newsroom(tmp_path, feeds='[[feeds]]\nname = "A"\n', topics='[[topics]]\nname = "T"\n')
    _, problems = read.check(folder)
    assert {Path(problem.file).name for problem in problems} == {"feeds.toml", "topics.toml"}


@pytest.mark.parametrize("name", ["sample", "newsroom"])
def test_the_newsrooms_that_ship_have_no_problem_and_survive_export(tmp_path: Path, name: str) -> None:
    shipped = read.load(assets() / "config" / name, {"sample": "http://127.0.0.1:8009"})
    write.export(shipped, tmp_path)
    assert plan(read.load(tmp_path), shipped) == ()
    assert len(shipped.feeds) >= 8


def test_a_plan_names_what_is_added_changed_and_retired(tmp_path: Path) -> None:
    files = read.load(newsroom(tmp_path, feeds='[[feeds]]\nurl = "https://a.example.org/rss"\nname = "New name"\n'))
    (tmp_path / "tables").mkdir()
    tables = read.load(newsroom(tmp_path / "tables"), {"sample": "http://h"})
    assert [str(change) for change in plan(files, tables)] == [
        "~ feed https://a.example.org/rss (name)",
        "- feed http://h/b",
    ]
    assert {change.action for change in plan(files, Newsroom())} == {"add", "change"}


def test_all_problems_of_a_newsroom_are_named_at_once(tmp_path: Path) -> None:
    feeds = '[[feeds]]\nurll = "https://a.example.org/rss"\nname = "A"\nweight = "heavy"\n'
    with pytest.raises(ConfigError) as caught:
        read.load(newsroom(tmp_path, feeds=feeds))
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["feeds[0].url", "feeds[0].weight", "feeds[0].urll"]
