"""Themes, slots, charts and letters in a newsroom's files: what is picked, and how mistakes are named."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from digest.assets import assets
from digest.domain.newsroom import Theme
from digest.errors import ConfigError
from digest.newsroom import read, write
from digest.newsroom.rules import contrast
from digest.newsroom.themes import theme_files
from tests.newsroom.test_read import LETTER, newsroom

SHIPPED = sorted((assets() / "config" / "themes").glob("*.toml"))
SPONSOR = (
    '[[sponsors]]\nslug = "{0}"\nadvertiser = "Tern"\ntext = "Wallets."\nurl = "https://tern.example"\n'
    "starts = {1}\nends = {2}\napproved = true\n"
)
SOLD = LETTER.replace('type = "masthead"', 'type = "masthead"\n\n[[blocks]]\ntype = "sponsor"')
CHART = '[[charts]]\nslug = "c"\ntitle = "Up"\nlabels = ["a", "b"]\n'


def load(folder: Path, **files: str) -> Theme:
    return read.load(newsroom(folder, **files), {"sample": "http://h"}).newsletters[0].theme


def test_two_themes_ship_and_the_first_is_what_a_newsletter_gets_by_itself() -> None:
    assert [path.stem for path in SHIPPED] == ["broadsheet", "terminal"]
    assert Theme(**tomllib.loads(SHIPPED[0].read_text(encoding="utf-8"))) == Theme()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_themes_say_every_token_and_can_be_read(path: Path) -> None:
    tokens = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tokens.keys() == {field.name for field in fields(Theme)} - {"name", "logo", "logo_width"}
    for side in ("", "dark_"):
        for name in ("ink", "muted", "accent", "positive", "negative"):
            assert contrast(tokens[side + name], tokens[f"{side}paper"]) >= 4.5
        assert contrast(tokens[f"{side}accent_ink"], tokens[f"{side}accent"]) >= 4.5


def test_a_newsletter_takes_a_theme_by_name_and_may_differ_from_it(tmp_path: Path) -> None:
    theme = load(tmp_path, newsletters__daily=LETTER + '\n[theme]\nname = "terminal"\naccent = "#7a1f1f"\n')
    shipped = tomllib.loads(theme_files(tmp_path)["terminal"].read_text(encoding="utf-8"))
    assert (theme.paper, theme.accent, theme.name) == (shipped["paper"], "#7a1f1f", "terminal")


def test_a_newsrooms_own_theme_stands_in_for_a_shipped_one(tmp_path: Path) -> None:
    own = {"themes__terminal": 'ink = "#000000"\n', "newsletters__daily": LETTER + '\n[theme]\nname = "terminal"\n'}
    assert load(tmp_path, **own).ink == "#000000"


def test_a_theme_survives_export_also_where_it_differs_back_to_a_default(tmp_path: Path) -> None:
    letter = LETTER + f'\n[theme]\nname = "terminal"\nink = "{Theme().ink}"\n'
    found = read.load(newsroom(tmp_path / "in", newsletters__daily=letter), {"sample": "http://h"})
    write.export(found, tmp_path / "out")
    assert read.load(tmp_path / "out") == found


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"newsletters__daily": LETTER + '\n[theme]\nname = "neon"\n'}, r"daily\.toml:19: theme\.name: 'neon' is no theme; there are broadsheet, terminal"),
        ({"newsletters__daily": LETTER + '\n[theme]\nname = "own"\n', "themes__own": 'paper = "#ffffff"\nmuted = "#bbbbbb"\n'}, r"own\.toml:2: muted: has contrast 1\.9 on paper"),
        ({"newsletters__daily": LETTER + '\n[theme]\nname = "own"\n', "themes__own": 'inkk = "#000000"\n'}, r"own\.toml:1: inkk: unknown key"),
        ({"newsletters__daily": LETTER + '\n[theme]\nlogo = "logo.png"\n'}, r"daily\.toml:19: theme\.logo: there is no file .*newsletters/daily/logo\.png"),
        ({"newsletters__daily": LETTER + '\n[theme]\nlogo_width = 9000\n'}, r"theme\.logo_width: must be 40 to 592 pixels"),
        ({"newsletters__daily": LETTER.replace('topic = "bitcoin"', 'sources = ["A", "Z"]')}, r"daily\.toml:13: blocks\[1\]\.sources\[1\]: 'Z' is no feed's name"),
        ({"sponsors": SPONSOR.format("t", "2026-01-01", "2026-01-31")}, r"sponsors\.toml:1: sponsors\[0\]\.placement: no newsletter has a sponsor block 'top' for it"),
        (
            {"newsletters__daily": SOLD, "sponsors": SPONSOR.format("t", "2026-01-01", "2026-01-31") + SPONSOR.format("u", "2026-01-31", "2026-02-01")},
            r"sponsors\.toml:14: sponsors\[1\]\.starts: 'u' and 't' \(number 1\) are sold the same slot on the same days",
        ),
        ({"newsletters__daily": SOLD, "sponsors": SPONSOR.format("t", "2026-02-01", "2026-01-31")}, r"sponsors\.toml:7: sponsors\[0\]\.ends: lies before"),
        ({"charts": CHART}, r"charts\.toml:1: charts\[0\]\.series: is missing"),
        ({"charts": CHART + '[[charts.series]]\nname = "n"\nvalues = [1]\n'}, r"“n” has 1 values for 2 labels"),
        ({"letters": '[[letters]]\nslug = "x"\nnewsletter = "weekly"\non = 2026-03-12\nbody = "Hello."\n'}, r"letters\.toml:3: letters\[0\]\.newsletter: 'weekly' is no newsletter; there are daily"),
        ({"letters": '[[letters]]\nslug = "x"\nnewsletter = "daily"\non = 2026-03-12\nbody = "Hello."\n'}, r"letters\.toml:4: letters\[0\]\.on: daily has no block 'letter' on a Thursday"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_file_line_and_key(tmp_path: Path, files: dict[str, str], where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        load(tmp_path, **files)


def test_slots_of_different_names_or_days_can_be_sold_side_by_side(tmp_path: Path) -> None:
    letter = SOLD.replace('type = "footer"', 'type = "sponsor"\nplacement = "low"\n\n[[blocks]]\ntype = "footer"')
    rows = [
        SPONSOR.format("a", "2026-01-01", "2026-01-31"),
        SPONSOR.format("b", "2026-02-01", "2026-02-28"),
        SPONSOR.format("c", "2026-01-01", "2026-02-28") + 'placement = "low"\n',
    ]
    assert load(tmp_path, newsletters__daily=letter, sponsors="\n".join(rows))
