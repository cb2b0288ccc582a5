"""Candidates and stories for the tests of this room."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.curation.group import group
from digest.domain.content import Candidate, Story, TopicLabel, TopicProfile

NOW = datetime(2026, 3, 12, 11, 0, tzinfo=UTC)

BITCOIN = TopicProfile("bitcoin", "Bitcoin", include=("bitcoin", "BTC"))
POLICY = TopicProfile("policy", "Policy", include=("SEC", "regulator", "rate cut"), exclude=("recipe",))
TOPICS = (BITCOIN, POLICY)


EVENT = (
    "Harbor Exchange halts withdrawals after a breach of its hot wallet",
    "Hackers drain hot wallet of Harbor Exchange, withdrawals halted",
    "Harbor Exchange stops withdrawals as hot wallet breach is examined",
)
OTHERS = (
    "Central bank of Norway leaves its key rate unchanged",
    "Farmers sue over the price of fertiliser in Iowa",
    "A museum in Lisbon shows the coins of Roman emperors",
)


def article(ident: int, title: str, *, hours: float = 1.0, topics: tuple[str, ...] = (), **fields: Any) -> Candidate:
    """An article that appeared so many hours before NOW."""
    fields = {"source": f"Outlet {ident}", "url": f"https://outlet{ident}.example/{ident}"} | fields
    labels = tuple(TopicLabel(topic, round(0.9 - 0.1 * place, 2)) for place, topic in enumerate(topics))
    return Candidate(id=ident, title=title, published_at=NOW - timedelta(hours=hours), labels=labels, **fields)


def story(
    ident: int, *, sources: int = 1, hours: float = 1.0, topics: tuple[str, ...] = ("bitcoin",), **fields: Any
) -> Story:
    """A story with an identity, covered by so many outlets at the same time."""
    articles = [
        article(ident * 100 + place, f"Headline {ident}", hours=hours, topics=topics, **fields)
        for place in range(sources)
    ]
    return Story(articles[0], tuple(articles[1:]), sources=sources, story_id=ident, topics=articles[0].labels)


def identified(candidates: list[Candidate]) -> tuple[Story, ...]:
    """Grouped, and given identities as the store would."""
    return tuple(replace(found, story_id=number + 1) for number, found in enumerate(group(candidates)))
