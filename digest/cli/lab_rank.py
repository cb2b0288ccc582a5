"""``digest lab classify``, ``rank``, ``explain`` and ``backtest``."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.errors import UsageError

Out = Annotated[Path, typer.Option("--out", metavar="OUT.csv", help="Where to write.")]
Window = Annotated[str, typer.Option(help="Length of an issue's window: 24h or 7d.")]
Weights = Annotated[Path | None, typer.Option(help="TOML file with a table [ranking] of weights to try.")]

_LENGTH = re.compile(r"(\d+)([hd])")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (classify, rank, explain, backtest):
        app.command()(command)


def classify(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Rows: id, text.")],
    train: Annotated[Path, typer.Option(metavar="TRAIN.jsonl", help="Rows to learn from: id, text.")],
    gold: Annotated[Path, typer.Option(metavar="GOLD.csv", help="Their topics: id, topic.")],
    out: Out,
) -> None:
    """Name the topic of each text, learned from labelled ones."""
    from digest.curation.lab_rank import classify_rows, learned_from

    topics = {row["id"]: row["topic"] for row in _table(gold, ("id", "topic"))}
    try:
        model = learned_from(_rows(train, "id", "text"), topics)
    except ValueError as error:
        raise UsageError(f"{gold}: {error}, with a row in {train}") from None
    _write(out, ("id", "topic"), classify_rows(_rows(source, "id", "text"), model))


def rank(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSON lines or CSV: story, title, source, ts.")],
    out: Out,
    times: Annotated[Path | None, typer.Option(metavar="TIMES.txt", help="One ISO time a line.")] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            metavar="GOLD.csv", help="Instead of times: id, gain; each `group` of IN is ranked by earlier ones."
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="TRAIN.jsonl", help="With --gold: other rows that teach as well, with their gains in GOLD.csv."
        ),
    ] = None,
    window: Window = "24h",
    weights: Weights = None,
) -> None:
    """Score stories at given times (OUT: story@time, score), or single articles by their outlets' record."""
    from digest.curation.lab_rank import rank_by_record, rank_rows
    from digest.newsroom.ranking import weights_in

    if (times is None) == (gold is None):
        raise UsageError("say either --times TIMES.txt or --gold GOLD.csv")
    if gold is not None:
        gains = {row["id"]: float(row["gain"]) for row in _table(gold, ("id", "gain"))}
        teachers = list(_rows(train, "id", "title")) if train is not None else []
        _write(out, ("id", "score"), rank_by_record(_rows(source, "id", "group", "title"), gains, teachers))
    elif times is not None:
        chosen = weights_in(weights) if weights else None
        scores = rank_rows(_rows(source, "story", "ts"), _times(times), _length(window), weights=chosen)
        _write(out, ("id", "score"), scores)


def explain(
    source: Annotated[Path, typer.Argument(metavar="IN", help="JSON lines or CSV: story, title, source, ts.")],
    at: Annotated[str, typer.Option(help="ISO time at which the stories are ranked.")],
    story: Annotated[str, typer.Option(help="Name of a story; default: the first ones.")] = "",
    top: Annotated[int, typer.Option(min=1, help="How many stories, without --story.")] = 3,
    window: Window = "24h",
    weights: Weights = None,
) -> None:
    """Say why stories stand where they stand: parts, gaps to the neighbours, what would lead."""
    from digest.curation.lab_rank import explained, moment, ranked_at
    from digest.newsroom.ranking import weights_in

    try:
        time = moment(at)
    except ValueError:
        raise UsageError(f"{at!r} is no ISO time such as 2026-03-12T06:00:00Z") from None
    length, chosen = _length(window), weights_in(weights) if weights else None
    _, ranked, names = next(ranked_at(_rows(source, "story", "ts"), [time], length, chosen))
    if story and story not in names:
        raise UsageError(f"{source}: no story {story!r} in the window before {at}")
    shown = [names.index(story)] if story else range(min(top, len(ranked)))
    typer.echo("\n\n".join(explained(ranked, index, length, chosen) for index in shown) or "no story in this window")


def backtest(
    newsletter: Annotated[str, typer.Argument(help="The newsletter's slug.")],
    days: Annotated[int, typer.Option(min=1, help="Issues of so many days.")] = 7,
    weights: Weights = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Rebuild past issues and say what other weights (default: those in force) would have changed."""
    from digest.cli.common import emit, open_service
    from digest.newsroom.ranking import weights_in
    from digest.workflows.backtest import backtest as rebuild

    chosen = weights_in(weights) if weights else None
    with open_service() as (ctx, _settings):
        found = rebuild(ctx, newsletter, days, chosen)
    words = "\n\n".join(str(issue) for issue in found) or f"{newsletter} had no issue in these {days} days"
    emit(as_json, {"issues": [issue.as_dict() for issue in found]}, words)


def _rows(path: Path, *needed: str) -> Iterator[dict[str, Any]]:
    """Rows of a file of JSON lines or, by its name, of CSV; ``ref_story`` is another name of ``story``."""
    if path.suffix == ".csv":
        for number, row in enumerate(_table(path, ()), start=2):
            yield _checked(path, number, row, needed)
        return
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(f"{path}:{number}: not JSON: {error.msg}") from None
        yield _checked(path, number, found, needed)


def _checked(path: Path, number: int, row: Any, needed: Iterable[str]) -> dict[str, Any]:
    if isinstance(row, dict) and "story" not in row and "ref_story" in row:
        row["story"] = row["ref_story"]
    if not isinstance(row, dict) or any(name not in row for name in needed):
        raise UsageError(f"{path}:{number}: a row needs {', '.join(needed)}")
    return row


def _table(path: Path, needed: Iterable[str]) -> list[dict[str, str]]:
    reader = csv.DictReader(_text(path).splitlines())
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{path}:1: the head needs {', '.join(missing)}")
    return list(reader)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def _times(path: Path) -> dict[str, datetime]:
    from digest.curation.lab_rank import moment

    found: dict[str, datetime] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if wording := line.strip():
            try:
                found[wording] = moment(wording)
            except ValueError:
                raise UsageError(f"{path}:{number}: {wording!r} is no ISO time") from None
    return found


def _length(text: str) -> timedelta:
    found = _LENGTH.fullmatch(text)
    if found is None or not int(found[1]):
        raise UsageError(f"--window: {text!r} is no length such as 24h or 7d")
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


def _write(path: Path, head: tuple[str, str], rows: Iterable[tuple[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
