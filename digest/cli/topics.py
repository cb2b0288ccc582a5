"""``digest newsroom topics …``."""

from typing import Annotated

import typer

from digest import bootstrap
from digest.cli.common import Json, emit, open_service
from digest.errors import UsageError
from digest.workflows import topic_learning
from digest.workflows.topics import DAYS, try_topic

app = typer.Typer(no_args_is_help=True, help="Try changes of topics before they are saved.")


@app.callback()
def _topics() -> None:
    """Try changes of topics before they are saved."""


@app.command("try")
def try_command(
    slug: Annotated[str, typer.Argument(help="A topic of the newsroom's files.")],
    days: Annotated[int, typer.Option(min=1, help="Articles of so many days.")] = DAYS,
    as_json: Json = False,
) -> None:
    """Which articles a topic, as it stands in the files, would gain and lose. Nothing is saved."""
    with open_service() as (ctx, loaded):
        wanted = {topic.slug: topic for topic in bootstrap.newsroom_files(loaded).topics}
        if slug not in wanted:
            raise UsageError(f"topics.toml has no topic {slug!r}; it has {', '.join(sorted(wanted)) or 'none'}")
        trial = try_topic(ctx, wanted[slug], days)
    emit(as_json, trial.as_dict(), str(trial))


@app.command()
def correct(
    slug: Annotated[str, typer.Argument(help="A topic in force.")],
    article: Annotated[int, typer.Argument(help="The article's id, as `topics try --json` tells it.")],
    belongs: Annotated[bool, typer.Option("--belongs/--does-not", help="Whether it belongs to the topic.")],
    editor: Annotated[str, typer.Option(help="Who says so.")] = "cli",
    as_json: Json = False,
) -> None:
    """Say of an article that it belongs to a topic, or that it does not: topics are learned from this."""
    with open_service() as (ctx, _loaded):
        topic_learning.correct(ctx, slug, article, belongs=belongs, editor=editor)
    words = "belongs to" if belongs else "does not belong to"
    emit(as_json, {"topic": slug, "article": article, "belongs": belongs}, f"article {article} {words} {slug}")


@app.command()
def learned(as_json: Json = False) -> None:
    """For every corrected topic, whether its rules or a classifier decide, and how well each does."""
    with open_service() as (ctx, _loaded):
        found = topic_learning.verdicts(ctx)
    rows = [
        {"topic": slug, "rules": round(v.rules, 4), "learned": round(v.learned, 4), "takes_over": v.model is not None}
        for slug, v in found.items()
    ]
    words = "\n".join(f"{slug}: {v.why}" for slug, v in found.items()) or "editors have corrected nothing yet"
    emit(as_json, {"topics": rows}, words)
