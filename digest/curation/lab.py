"""The production code on rows from a file, without a database: what ``digest lab`` runs and measures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from digest.curation.dedupe import families
from digest.curation.group import group
from digest.curation.similar import gist
from digest.domain.content import Candidate


def group_rows(
    rows: Iterable[Mapping[str, Any]], vectors: Callable[[Sequence[str]], Sequence[Any]] | None = None
) -> list[tuple[str, str]]:
    """The story of every row, as (id, cluster) in the order of the rows.

    Args:
        rows: mappings with ``id``, ``title``, ``summary``, ``url``, ``source`` and ``ts`` (seconds since 1970 or
            ISO 8601; 0, "" or absent is unknown). Everything but ``id`` may be missing.
        vectors: a sentence model, if one shall read the articles too.
    """
    ids, candidates = _candidates(rows)
    meanings = None
    if vectors is not None:
        read = vectors([gist(candidate) for candidate in candidates])
        meanings = {candidate.id: vector for candidate, vector in zip(candidates, read, strict=True)}
    cluster_of: dict[int, str] = {}
    for number, story in enumerate(group(candidates, meanings=meanings)):
        for article in story.articles:
            cluster_of[article.id] = f"s{number}"
    return [(name, cluster_of[position]) for name, position in ids]


def dedupe_rows(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The family of copies of every row, as (id, cluster) in the order of the rows; rows as for :func:`group_rows`."""
    ids, candidates = _candidates(rows)
    articles = sorted(candidates, key=lambda candidate: (candidate.published_at, candidate.id))
    cluster_of = {article.id: f"c{head}" for article, head in zip(articles, families(articles), strict=True)}
    return [(name, cluster_of[position]) for name, position in ids]


def _candidates(rows: Iterable[Mapping[str, Any]]) -> tuple[list[tuple[str, int]], list[Candidate]]:
    """Rows as candidates. Numbers follow the rows' (time, id), so that the order of lines never matters."""
    kept = [(str(row["id"]), row, _moment(row.get("ts"))) for row in rows]
    known = sorted(moment for _, _, moment in kept if moment is not None)
    # A row without a time must not look far away from all others.
    middle = known[len(known) // 2] if known else datetime.fromtimestamp(0, UTC)
    order = sorted(range(len(kept)), key=lambda i: (kept[i][2] or middle, kept[i][0], i))
    number_of = {i: number for number, i in enumerate(order)}
    candidates = [
        Candidate(
            id=number_of[i],
            title=str(row.get("title") or ""),
            url=str(row.get("url") or ""),
            source=str(row.get("source") or ""),
            published_at=moment or middle,
            summary=str(row.get("summary") or ""),
            text=str(row.get("text") or ""),
        )
        for i, (_, row, moment) in enumerate(kept)
    ]
    return [(name, number_of[i]) for i, (name, _, _) in enumerate(kept)], candidates


def _moment(value: Any) -> datetime | None:
    """A time as files word it; None for what is unknown or nonsense."""
    if not value:
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
