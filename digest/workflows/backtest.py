"""Rebuild the issues of past days with other weights, and say what would have changed. Nothing is written."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from digest.curation.group import group
from digest.curation.learned import classify_learned
from digest.curation.rank import rank
from digest.curation.window import fresh
from digest.domain.calendar import Window
from digest.domain.content import Story
from digest.domain.ranking import RankingWeights
from digest.store import issues, story_rules
from digest.store.articles import candidates
from digest.store.newsroom import topics as all_topics
from digest.workflows.context import Context
from digest.workflows.draft import MEMORY, offered
from digest.workflows.meanings import meanings
from digest.workflows.topic_learning import learned
from digest.workflows.track_record import track_record

TOP = 10
"""Stories compared."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One past issue.

    Attributes:
        before, after: headlines best first, by the weights in force and by those tried.
    """

    issue: int
    number: int
    day: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def changed(self) -> int:
        """How many of the first ten places another story would hold."""
        return sum(old != new for old, new in zip(self.before[:TOP], self.after[:TOP], strict=True))

    def as_dict(self) -> dict[str, Any]:
        """The ``--json`` contract of ``digest lab backtest``."""
        return {
            "issue": self.issue, "number": self.number, "day": self.day, "changed": self.changed,
            "before": list(self.before[:TOP]), "after": list(self.after[:TOP]),
        }  # fmt: skip

    def __str__(self) -> str:
        was = {headline: place for place, headline in enumerate(self.before, start=1)}
        places = "place" if self.changed == 1 else "places"
        lines = [f"No. {self.number} of {self.day}: {self.changed or 'no'} {places} of the first {TOP} would change"]
        for place, headline in enumerate(self.after[:TOP], start=1):
            moved = was[headline] - place
            lines.append(f"  {place:2}  {f'{moved:+d}' if moved else '':>3}  {headline}")
        return "\n".join(lines)


def backtest(ctx: Context, slug: str, days: int, weights: RankingWeights | None = None) -> tuple[Rebuilt, ...]:
    """The issues whose windows ended within so many days, oldest first.

    Both orders come from the articles, the editors' rules and the sentence model as they are now, grouped as for a
    draft, so that only the weights differ.

    Args:
        weights: to try; None tries those of the newsletter itself.

    Raises:
        NotFound: no such newsletter.
    """
    since = ctx.clock() - timedelta(days=days)
    found: list[Rebuilt] = []
    with ctx.db.read() as session:
        _, spec = issues.newsletter(session, slug)
        topics = all_topics(session)
        verdicts = learned(session)
        past = [issue for issue, _ in issues.recent(session, slug, limit=1000) if issue.window_end > since]
        names = {topic.slug for topic in offered(spec, topics)}
        for issue in sorted(past, key=lambda issue: (issue.window_end, issue.id or 0)):
            window = Window(issue.window_start, issue.window_end)
            told = issues.carried(session, issue.newsletter_id, before=window.end)
            length = window.end - window.start
            record = track_record(session, issue.newsletter_id, window.end)
            articles = candidates(session, Window(window.end - max(MEMORY, length), window.end))
            rules = story_rules.among(session, [article.id for article in articles])
            grouped = group(classify_learned(articles, topics, verdicts), rules, meanings(ctx, articles))
            known = [replace(story, last_sent_at=told.get(story.story_id or 0)) for story in grouped]
            fit = [story for story in fresh(known, window) if not names or names & {lab.topic for lab in story.topics}]
            orders = [
                tuple(map(_headline, rank(fit, as_of=window.end, window=length, weights=chosen, priors=record)))
                for chosen in (spec.ranking, weights or spec.ranking)
            ]
            found.append(Rebuilt(issue.id or 0, issue.number, f"{issue.due_at:%Y-%m-%d}", *orders))
    return tuple(found)


def _headline(story: Story) -> str:
    return story.lead.title
