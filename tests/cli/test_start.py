"""Help is quick, settings are checked, and bad input ends with a sentence."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from digest.cli import COMMANDS, help_text
from digest.cli.root import application
from digest.settings import Settings
from tests.cli.conftest import ROOT, Run

HEAVY = {"typer", "rich", "pydantic", "sqlmodel", "sqlalchemy", "fastapi", "requests", "jinja2", "lxml", "structlog"}


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, digest.cli\ntry: digest.cli.main(['--help'])\nexcept SystemExit: print(' '.join(sys.modules))"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).split())
    assert loaded & HEAVY == set()


def test_help_names_every_command() -> None:
    from typer.main import get_command

    known = get_command(application(COMMANDS)).commands  # type: ignore[attr-defined]
    assert set(known) == set(COMMANDS)
    assert all(f"  {name} " in help_text() for name in COMMANDS)


def test_every_setting_and_command_is_documented() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text()
    missing = [name for name in Settings.model_fields if f"`DIGEST_{name.upper()}`" not in operating]
    assert missing == []
    guide = (ROOT / "docs" / "user-guide.md").read_text() + operating
    assert [name for name in COMMANDS if f"digest {name}" not in guide] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret_key": "short"}, "DIGEST_SECRET_KEY: is weak"),
        ({"environment": "production"}, "DIGEST_SECRET_KEY: is missing"),
        ({"environment": "produktion"}, "DIGEST_ENVIRONMENT"),
        ({"port": "eighty"}, "DIGEST_PORT"),
        ({"database_url": "mysql://x"}, "DIGEST_DATABASE_URL"),
        ({"sender": "pigeon://loft"}, "DIGEST_SENDER"),
        ({"newsroom": "/nowhere"}, "/nowhere: there is no such folder"),
    ],
)
def test_a_wrong_setting_is_named(fresh: Callable[..., Run], settings: dict[str, str], words: str) -> None:
    result = fresh(**settings)("run", "--once")
    assert result.code == 2, result.err
    assert words in " ".join(result.err.split())
    assert "Traceback" not in result.err


def test_broken_toml_names_file_line_and_key_and_leaves_the_database_empty(
    fresh: Callable[..., Run], tmp_path: Path
) -> None:
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "feeds.toml").write_text('[[feeds]]\nurl = "https://a.example.org/rss"\nname = 5\n', encoding="utf-8")
    digest = fresh(newsroom=str(folder))
    result = digest("newsroom", "apply")
    assert result.code == 2
    assert "feeds.toml:3: feeds[0].name" in result.err
    assert digest("feeds", "list", "--json").json == {"feeds": []}


def test_an_unreachable_mail_server_leaves_the_mails_queued_and_says_so(fresh: Callable[..., Run]) -> None:
    digest = fresh(sender="smtp://127.0.0.1:1")
    result = digest("run", "--once", "--json")
    assert result.code == 1
    issue = next(
        row for row in digest("issue", "list", "--json").json["issues"] if row["newsletter"] == "clearing-price"
    )
    numbers = digest("issue", "audit", str(issue["id"]), "--json").json
    assert numbers["queued"] > 0
    assert (numbers["sent"], numbers["failed"], numbers["unknown"]) == (0, 0, 0)
    assert "127.0.0.1" in issue["reason"]


def test_when_no_feed_at_all_can_be_read_the_job_says_so_and_fails(fresh: Callable[..., Run], tmp_path: Path) -> None:
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "feeds.toml").write_text(
        '[[feeds]]\nurl = "http://127.0.0.1:1/rss"\nname = "A"\n\n[[feeds]]\nurl = "http://127.0.0.1:1/b"\nname = "B"\n',
        encoding="utf-8",
    )
    digest = fresh(newsroom=str(folder), fetch_allow="127.0.0.1")
    result = digest("run", "--once")
    assert (result.code, "no feed could be read" in result.out) == (1, True)
    again = digest("run", "--once")  # none is due yet: that is no failure
    assert again.code == 0, again.out


def test_the_samples_feeds_follow_it_to_another_port_with_what_is_known_of_them(fresh: Callable[..., Run]) -> None:
    first, second = fresh(), fresh()  # the same folder, each with ports of its own
    assert first("run", "--once").code == 0
    before = first("feeds", "list", "--json").json["feeds"]
    again = second("run", "--once")
    assert again.code == 0, again.err
    assert "is not what is in force" not in again.err
    assert second("newsroom", "plan", "--json").json["changes"] == []
    gathered = second("gather", "--json").json
    assert gathered["articles_new"] == 0
    after = second("feeds", "list", "--json").json["feeds"]
    assert len(after) == len(before)
    assert {urlsplit(feed["url"]).port for feed in after} != {urlsplit(feed["url"]).port for feed in before}
    assert [feed["name"] for feed in after if feed["state"] != "ok"] == [
        feed["name"] for feed in before if feed["state"] != "ok"
    ]
