"""Try a change of a topic on the articles of the last days before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from digest.curation.classify import classify
from digest.domain.calendar import Window
from digest.domain.content import Candidate, TopicProfile
from digest.store.articles import candidates
from digest.store.newsroom import topics as all_topics
from digest.workflows.context import Context

DAYS = 7


@dataclass(frozen=True, slots=True)
class Moved:
    """An article that a change would move into a topic or out of it, with the evidence for it."""

    article: int
    title: str
    source: str
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.title} ({self.source}; {', '.join(self.evidence) or 'no evidence is left'})"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a change would do: the articles that would join and leave, and how many stay."""

    topic: str
    articles: int
    stay: int
    join: tuple[Moved, ...]
    leave: tuple[Moved, ...]

    def as_dict(self) -> dict[str, Any]:
        """The ``--json`` contract of ``digest newsroom topics try``."""
        return {
            "topic": self.topic, "articles": self.articles, "stay": self.stay,
            "join": [_plain(row) for row in self.join], "leave": [_plain(row) for row in self.leave],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [
            f"{self.topic}: of {self.articles} articles {self.stay} stay, {len(self.join)} join, {len(self.leave)} leave"
        ]
        lines += [f"  + {row}" for row in self.join]
        lines += [f"  - {row}" for row in self.leave]
        return "\n".join(lines)


def try_topic(ctx: Context, wanted: TopicProfile, days: int = DAYS) -> Trial:
    """What ``wanted`` would change of the topic of its slug; nothing is written. A new topic begins with nothing."""
    now = ctx.clock()
    with ctx.db.read() as session:
        present = [topic for topic in all_topics(session) if topic.slug == wanted.slug]
        found = candidates(session, Window(now - timedelta(days=days), now))
    old, new = _evidence(found, present), _evidence(found, [wanted])
    return Trial(
        wanted.slug,
        len(found),
        len(old.keys() & new.keys()),
        _moved(found, new, old),
        _moved(found, old, new),
    )


def _evidence(found: Sequence[Candidate], topics: Sequence[TopicProfile]) -> dict[int, tuple[str, ...]]:
    return {article.id: article.labels[0].evidence for article in classify(found, topics) if article.labels}


def _moved(
    found: Sequence[Candidate], here: dict[int, tuple[str, ...]], there: dict[int, tuple[str, ...]]
) -> tuple[Moved, ...]:
    return tuple(
        Moved(article.id, article.title, article.source, here[article.id])
        for article in found
        if article.id in here and article.id not in there
    )


def _plain(row: Moved) -> dict[str, Any]:
    return {"article": row.article, "title": row.title, "source": row.source, "evidence": list(row.evidence)}
