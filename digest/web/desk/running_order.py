"""The running order as the desk shows it: dense rows made from the document that would be sent, and what was dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from textwrap import shorten

from pydantic import TypeAdapter

from digest.curation.explain import would_lead
from digest.curation.rank import DEFAULT_WINDOW, USUAL
from digest.domain.content import Score, ScorePart
from digest.domain.issue import MORE, WEEK, Block, IssueDocument, StoryItem
from digest.domain.ranking import RankingWeights
from digest.store.tables import Placement

TITLES = {MORE: "More on the web", WEEK: "The best of the week"}
FORMS = {"related": "card with picture", "card": "card", "line": "one line", "web": "on the web"}

_ITEM = TypeAdapter(StoryItem)


@dataclass(frozen=True)
class Bar:
    """One part of a score as a piece of a bar; ``x`` and ``width`` are per cent of the longest bar of the issue."""

    part: ScorePart
    kind: int
    x: float
    width: float


@dataclass(frozen=True)
class Row:
    """One story at one place.

    Attributes:
        item: the story with the editor's words; ``drafted`` is without them.
        rank: 1 is the highest of the issue (of the week for what earlier issues carried), 0 for a story that is left out.
        stands: what a lead variant is for ("leads where Policy is chosen").
        gap: how far it is from its neighbours, in words.
        first_if: single changes after which it would be the first of those that nobody pinned.
        first, last: it can't be moved further up or down among its kind (pinned or not).
    """

    item: StoryItem
    drafted: StoryItem
    placement: Placement
    topics: tuple[str, ...]
    bars: tuple[Bar, ...]
    rank: int = 0
    form: str = ""
    stands: str = ""
    gap: str = ""
    first_if: tuple[str, ...] = ()
    first: bool = True
    last: bool = True

    @property
    def retitled(self) -> bool:
        """Whether an editor's words replace drafted ones."""
        return self.placement.headline is not None or self.placement.dek is not None


@dataclass(frozen=True)
class Group:
    """One block of the issue: its stories, or one line on what it holds or why it is left out."""

    key: str
    type: str
    title: str
    rows: tuple[Row, ...] = ()
    line: str = ""


@dataclass(frozen=True)
class RunningOrder:
    """Groups in layout order, the stories that an editor left out, and the names of score parts by colour."""

    groups: tuple[Group, ...]
    dropped: tuple[Row, ...]
    legend: tuple[str, ...]

    @property
    def stories(self) -> int:
        """How many stories the issue shows on its day; a lead that also stands in a section counts once."""
        shown = (row.item for group in self.groups for row in group.rows)
        return len({item.story_id for item in shown if item.carried_on is None})


def running_order(
    document: IssueDocument, layout: Sequence[Block], placements: Sequence[Placement], names: Mapping[str, str], *,
    window: timedelta = DEFAULT_WINDOW, weights: RankingWeights = USUAL,
) -> RunningOrder:  # fmt: skip
    """The running order of an issue.

    Args:
        document: the issue as it would be sent.
        layout: all blocks as drafted, those that the document leaves out included.
        placements: all of the issue's, dropped ones included.
        names: topics' names by slug.
        window, weights: as the stories were ranked with.
    """
    return _Order(document, placements, names, window, weights).of(layout)


class _Order:
    def __init__(
        self, document: IssueDocument, placements: Sequence[Placement], names: Mapping[str, str], window: timedelta,
        weights: RankingWeights,
    ) -> None:  # fmt: skip
        self.window, self.weights = window, weights
        self.sections = {block.key: block.section for block in document.blocks if block.section}
        self.placements, self.names = placements, names
        self.drafted = {row.story_id: _ITEM.validate_python(row.item) for row in placements}
        self.pinned = {row.story_id for row in placements if row.pinned}
        parts = [part for item in self.drafted.values() for part in item.score.parts]
        self.legend = tuple(dict.fromkeys(part.name for part in parts if part.value > 0))
        self.scale = max((_reach(item) for item in self.drafted.values()), default=0.0) or 1.0
        items = {p.item.story_id: p.item for section in self.sections.values() for p in section.items}
        self.ranked = sorted((i for i in items.values() if i.carried_on is None), key=lambda item: item.rank)

    def of(self, layout: Sequence[Block]) -> RunningOrder:
        groups = tuple(self.group(block) for block in layout if block.type not in ("masthead", "footer"))
        home = {row.story_id: row for row in sorted(self.placements, key=lambda row: row.section != "lead")}
        dropped = tuple(self.row(self.drafted[p.story_id], p) for p in home.values() if p.dropped)
        return RunningOrder(groups, dropped, self.legend)

    def group(self, block: Block) -> Group:
        section = self.sections.get(block.key)
        title = block.title or (section.title if section else "") or TITLES.get(block.type) or block.type.capitalize()
        if block.type not in ("lead", "section", WEEK, MORE):
            return Group(block.key, block.type, title, line=_contents(block))
        if section is None or not section.items:
            return Group(block.key, block.type, title, line=self.why_empty(block))
        place = {row.story_id: row for row in sorted(self.placements, key=lambda row: row.section == block.key)}
        kinds = [placed.item.story_id in self.pinned for placed in section.items]
        rows = tuple(
            self.row(
                placed.item,
                place[placed.item.story_id],
                rank=placed.item.rank if placed.item.carried_on is None else placed.item.week,
                form=FORMS.get(placed.form, ""),
                stands=self.stands(block, index, placed.item),
                gap=self.gap(placed.item),
                first_if=self.first_if(placed.item),
                first=block.type == "lead" or index == 0 or kinds[index - 1] != kinds[index],
                last=block.type == "lead" or index + 1 == len(kinds) or kinds[index + 1] != kinds[index],
            )
            for index, placed in enumerate(section.items)
        )
        return Group(block.key, block.type, title, rows)

    def row(
        self, item: StoryItem, placement: Placement, *, rank: int = 0, form: str = "", stands: str = "",
        gap: str = "", first_if: tuple[str, ...] = (), first: bool = True, last: bool = True,
    ) -> Row:  # fmt: skip
        topics = tuple(self.names.get(slug, slug) for slug in item.topics)
        drafted = self.drafted[item.story_id]
        return Row(
            item,
            drafted,
            placement,
            topics,
            bars_of(item.score, self.legend, self.scale),
            rank,
            form,
            stands,
            gap,
            first_if,
            first,
            last,
        )

    def stands(self, block: Block, index: int, item: StoryItem) -> str:
        if block.type != "lead":
            return ""
        if item.carried_on is not None:
            return "leads for those who get a week at once"
        if index == 0:
            return "leads for readers of everything"
        return f"leads where {' or '.join(self.names.get(slug, slug) for slug in item.topics[:2])} is chosen alone"

    def gap(self, item: StoryItem) -> str:
        """How far the story is from those before and behind it, in points."""
        if item.carried_on is not None:
            return f"#{item.week} of the week; in the issue of {item.carried_on:%A}"
        index = self.ranked.index(item)
        words = []
        if item.story_id in self.pinned:
            words.append("pinned by an editor, whatever its score")
        elif index:
            above = self.ranked[index - 1]
            lead = self.ranked[0]
            words.append(
                "pinned stories stand before it" if above.story_id in self.pinned
                else f"{above.score.total - item.score.total:.2f} behind #{above.rank}"
            )  # fmt: skip
            if index > 1 and lead.story_id not in self.pinned:
                words.append(f"{lead.score.total - item.score.total:.2f} short of #1")
        if index + 1 < len(self.ranked) and item.story_id not in self.pinned:
            below = self.ranked[index + 1]
            words.append(f"{item.score.total - below.score.total:.2f} ahead of #{below.rank}")
        return ", ".join(words)

    def first_if(self, item: StoryItem) -> tuple[str, ...]:
        """What would have made the story the first, unless editors put others there."""
        if item.carried_on is not None:
            return ()
        top = self.ranked[0]
        if item is top or top.story_id in self.pinned or item.score.total > top.score.total:
            return ()
        return would_lead(item.score, top.score, window=self.window, weights=self.weights)

    def why_empty(self, block: Block) -> str:
        own = [row for row in self.placements if row.section == block.key and not row.dropped]
        if block.type == MORE:
            return "Every story found room."
        if block.type == WEEK:
            return "Left out: it comes on the day of the weekly mail, if somebody gets one."
        if block.type == "lead" or not own:
            return "Left out: no story stands here."
        count = "1 story stands" if len(own) == 1 else f"{len(own)} stories stand"
        return f"Left out: {count} here, fewer than this section’s minimum."


def bars_of(score: Score, legend: Sequence[str], scale: float) -> tuple[Bar, ...]:
    """Gains from the left, then losses behind them, so that a bar's length is what was earned and lost.

    Args:
        legend: names of all parts; their places give the colours.
        scale: points that fill the whole width.
    """
    bars, x = [], 0.0
    for part in sorted(score.parts, key=lambda part: part.value < 0):
        width = 100 * abs(part.value) / scale
        if width >= 0.1:
            bars.append(Bar(part, legend.index(part.name) % 8 if part.value > 0 else -1, round(x, 2), round(width, 2)))
            x += width
    return tuple(bars)


def _reach(item: StoryItem) -> float:
    return sum(abs(part.value) for part in item.score.parts)


def _contents(block: Block) -> str:
    """What a block without stories holds, in a few words."""
    if block.sponsor:
        return block.sponsor.advertiser
    if block.epigraph:
        return block.epigraph.attribution
    counts: Iterable[tuple[str, int]] = (
        ("price", len(block.quotes)), ("event", len(block.events)), ("card", len(block.research)),
        ("link", len(block.links)), ("question", len(block.questions)), ("chart", len(block.figures)),
    )  # fmt: skip
    found = [f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in counts if count]
    if found:
        return ", ".join(found)
    return shorten(block.body, 80, placeholder="…") or "nothing today"
