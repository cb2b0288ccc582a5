"""``digest inbox`` as a mail server calls it."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """A mail on standard input that is no wish to leave."""
    mail = io.BytesIO(b"Subject: hello\n\n" + b"x" * 1_000_000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(mail))
    return mail


def test_a_mail_is_read_to_its_end_and_one_that_asks_nothing_is_no_error(
    fresh: Callable[..., Run], piped: io.BytesIO
) -> None:
    result = fresh()("inbox", "-", "--json")
    assert (result.code, result.json) == (0, {"read": 1, "left": 0, "again": 0, "others": 1})
    assert piped.read() == b""


@pytest.mark.usefixtures("piped")
def test_where_the_database_cannot_be_reached_the_mail_server_is_told_to_try_again(fresh: Callable[..., Run]) -> None:
    result = fresh(database_url="postgresql://nobody@127.0.0.1:1/nothing")("inbox", "-")
    assert result.code == 75, result.err
    assert "Traceback" not in result.err


def test_a_folder_that_is_no_inbox_is_named(fresh: Callable[..., Run], tmp_path: Path) -> None:
    result = fresh()("inbox", str(tmp_path))
    assert (result.code, "is no Maildir" in result.err) == (2, True)
