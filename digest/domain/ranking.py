"""How much each part of a story's score counts for a newsletter."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """Factors of the parts of a score, named as the parts are; 1 is usual, 0 leaves a part out, 2 doubles it.

    A newsletter's file says them in its table ``[ranking]``; what it doesn't say is usual.

    Attributes:
        coverage: how many independent outlets have the story.
        freshness: how old their coverage is.
        staying_power: earlier and repeated coverage of a running story.
        source_trust: the weights that editors gave feeds.
        track_record: what became of the outlets' earlier articles.
        topic_match: how squarely the story is about its topic.
        momentum: outlets that joined within three hours.
        repeat: what a story loses that an earlier issue carried.
    """

    coverage: float = 1.0
    freshness: float = 1.0
    staying_power: float = 1.0
    source_trust: float = 1.0
    track_record: float = 1.0
    topic_match: float = 1.0
    momentum: float = 1.0
    repeat: float = 1.0

    __pydantic_config__ = {"extra": "forbid"}

    def of(self, part: str) -> float:
        """The factor of the part of this name; 1 for a part that has none (an editor's choice)."""
        return float(asdict(self).get(part.replace(" ", "_"), 1.0))


MOST = 10.0
"""The largest factor that makes sense."""
