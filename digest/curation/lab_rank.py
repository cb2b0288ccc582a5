"""Topics and ranking on rows from files: what ``digest lab classify``, ``rank`` and ``explain`` run and measure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from digest.curation.explain import explain
from digest.curation.lab import _moment
from digest.curation.linear import Model, train
from digest.curation.prior import Memory, Past
from digest.curation.rank import LASTING, rank
from digest.domain.content import Candidate, Story
from digest.domain.ranking import RankingWeights

MEMORY_WINDOWS = 3 * LASTING
"""Windows of earlier coverage that a story is ranked with; what is older is worth an eighth or less."""


def learned_from(texts: Iterable[Mapping[str, Any]], gold: Mapping[str, str]) -> Model:
    """The classifier of the production code, trained on rows with ``id`` and ``text`` and their topics by id."""
    return train((str(row.get("text") or ""), gold[str(row["id"])]) for row in texts if str(row["id"]) in gold)


def classify_rows(rows: Iterable[Mapping[str, Any]], model: Model) -> Iterator[tuple[str, str]]:
    """The best topic of every row, as (id, topic)."""
    for row in rows:
        yield str(row["id"]), model.best(str(row.get("text") or ""))[0]


def ranked_at(
    rows: Iterable[Mapping[str, Any]],
    times: Sequence[datetime],
    window: timedelta,
    weights: RankingWeights | None = None,
) -> Iterator[tuple[datetime, tuple[Story, ...], list[str]]]:
    """For every time, the stories seen in the window before it, best first, and their names in the same order.

    Args:
        rows: mappings with ``story``, ``title``, ``source`` and ``ts``. A row later than a time plays no part in it.
    """
    articles: dict[str, list[Candidate]] = defaultdict(list)
    known = [(moment, row) for row in rows if (moment := _moment(row.get("ts"))) is not None]
    known.sort(key=lambda pair: (pair[0], str(pair[1].get("source")), str(pair[1].get("title")), str(pair[1]["story"])))
    for number, (moment, row) in enumerate(known):
        articles[str(row["story"])].append(
            Candidate(number, str(row.get("title") or ""), "", str(row.get("source") or ""), moment)
        )
    names = dict(enumerate(articles))
    for time in times:
        stories = [
            story
            for number, name in names.items()
            if (story := _story(articles[name], time, window, number)) is not None
        ]
        ranked = rank(stories, time, window=window, weights=weights or RankingWeights())
        yield time, ranked, [names[story.story_id or 0] for story in ranked]


def rank_rows(
    rows: Iterable[Mapping[str, Any]], times: Mapping[str, datetime], window: timedelta, *,
    weights: RankingWeights | None = None,
) -> Iterator[tuple[str, float]]:  # fmt: skip
    """(``story@time``, score) of every story at every time, best first; ``times`` by their wording."""
    for (_, ranked, names), wording in zip(ranked_at(rows, list(times.values()), window, weights), times, strict=True):
        for story, name in zip(ranked, names, strict=True):
            yield f"{name}@{wording}", story.score.total


def explained(ranked: Sequence[Story], index: int, window: timedelta, weights: RankingWeights | None = None) -> str:
    """Why a story stands where it stands, as lines of text."""
    found = explain(ranked, index, window=window, weights=weights or RankingWeights())
    lines = [f"#{found.position} of {len(ranked)}: {ranked[index].lead.title} ({found.total:.2f})"]
    lines += [f"  {part.value:+7.2f}  {part.name}: {part.why}" for part in found.parts]
    if found.behind is not None:
        lines.append(f"  {found.behind:.2f} behind #{found.position - 1}")
    if found.ahead is not None:
        lines.append(f"  {found.ahead:.2f} ahead of #{found.position + 1}")
    return "\n".join(lines + [f"  {words}" for words in found.first_if])


def rank_by_record(
    rows: Iterable[Mapping[str, Any]], gains: Mapping[str, float], taught_by: Iterable[Mapping[str, Any]] = ()
) -> Iterator[tuple[str, float]]:
    """(id, score) of single articles by what others of the same outlet, and with the same words, gained.

    Rows have ``id``, ``group`` (a day), ``title`` and ``url`` or ``source``. A group is ranked by what was learned
    from the groups before it, and from ``taught_by``; never by what it gained itself.
    """
    groups: dict[str, list[tuple[str, Past]]] = defaultdict(list)
    for row in rows:
        groups[str(row["group"])].append((str(row["id"]), _past(row, gains)))
    own = {ident for group in groups.values() for ident, _ in group}
    teachers = [row for row in taught_by if str(row["id"]) in gains and str(row["id"]) not in own]
    past = [_past(row, gains) for row in sorted(teachers, key=lambda row: str(row["id"]))]
    known: dict[str, int] = {}
    for group in sorted(groups):
        known[group] = len(past)
        past += [one for ident, one in sorted(groups[group], key=lambda pair: pair[0]) if ident in gains]
    memory = Memory(past)
    for group in sorted(groups):
        prior = memory.prior(known[group])
        yield from ((ident, prior.of(one.title, one.source, one.url)) for ident, one in groups[group])


def _past(row: Mapping[str, Any], gains: Mapping[str, float]) -> Past:
    url = str(row.get("url") or "")
    source = str(row.get("source") or urlsplit(url).hostname or "").removeprefix("www.")
    return Past(str(row.get("title") or ""), source, url, gains.get(str(row["id"]), 0.0))


def _story(articles: Sequence[Candidate], time: datetime, window: timedelta, number: int) -> Story | None:
    before = [a for a in articles if time - MEMORY_WINDOWS * window < a.published_at <= time]
    if not before or before[-1].published_at <= time - window:
        return None
    lead, *others = before
    story = Story(lead, tuple(others), story_id=number)
    return replace(story, sources=len({article.source for article in before}))


def moment(text: str) -> datetime:
    """An ISO 8601 time as files word it; without a zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
