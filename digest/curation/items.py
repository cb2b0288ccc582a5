"""A ranked story as an item of an issue: what readers see of it."""

from collections.abc import Mapping, Sequence

from digest.curation.summarise import fitting, summarise
from digest.curation.text import clean
from digest.curation.wording import count, sentence, span
from digest.domain.content import Candidate, Story
from digest.domain.issue import Coverage, StoryItem


def item_of(story: Story, position: int, stories: Sequence[Story], names: Mapping[str, str]) -> StoryItem:
    """The story as it stands at ``position`` (from 0) of ``stories``.

    Args:
        names: topics on offer, slug → name; no others are shown. Empty means that any topic is.

    Raises:
        ValueError: the story has no identity yet.
    """
    if story.story_id is None:
        raise ValueError(f"the story of article {story.lead.id} has no story_id: save it first")
    lead = story.lead
    topics = tuple(label.topic for label in story.topics if not names or label.topic in names)
    return StoryItem(
        story_id=story.story_id,
        rank=position + 1,
        headline=clean(lead.title) or clean(lead.source),
        url=lead.url,
        source=lead.source,
        published_at=lead.published_at,
        dek=_dek(story),
        author=lead.author,
        reporter=lead.reporter,
        image=lead.image or next((article.image for article in story.others if article.image), None),
        topics=topics,
        kicker=names.get(topics[0], "") if topics else "",
        also=_also(story),
        sources=story.sources,
        articles=tuple(article.id for article in story.articles),
        why=why(story, position, stories, names),
        update_of=story.last_sent_at,
        score=story.score,
    )


def _dek(story: Story) -> str:
    """Of an update what is new in it; else the lead's blurb, or that of the first copy of it that has one."""
    if news := fitting(story.news):
        return news
    copies = (article for article in story.others if article.id in story.copies)
    return next(filter(None, map(summarise, (story.lead, *copies))), "")


def _also(story: Story) -> tuple[Coverage, ...]:
    """One article of every other independent outlet, the most trusted first."""
    best: dict[str, Candidate] = {story.lead.source.casefold(): story.lead}
    for article in sorted(story.others, key=lambda a: (-a.source_weight, a.published_at, a.id)):
        if article.id not in story.copies:
            best.setdefault(article.source.casefold(), article)
    return tuple(Coverage(a.source, clean(a.title), a.url) for a in best.values() if a is not story.lead)


def why(story: Story, position: int, stories: Sequence[Story], names: Mapping[str, str]) -> str:
    """One plain sentence on why the story stands where it does.

    For example "Seven outlets covered it within nine hours, more than any other story."
    """
    if story.sources > 1:
        times = [article.published_at for article in story.articles if article.id not in story.copies]
        said = f"{count(story.sources, 'outlet')} covered it within {span(max(times) - min(times))}"
        most = all(other.sources < story.sources for other in stories if other is not story)
        rest = ", more than any other story" if most and len(stories) > 1 else ""
        return sentence(f"{said}{rest}.")
    return f"{story.lead.source or 'One outlet'} has it{_what_counts(story, names)}."


def _what_counts(story: Story, names: Mapping[str, str]) -> str:
    """What speaks for a story that one outlet has, besides being there."""
    value = {part.name: part.value for part in story.score.parts}
    if value.get("editor", 0.0) > 0:
        return ", and an editor chose it"
    if value.get("source trust", 0.0) > 0:
        return ", an outlet that our editors trust more than most"
    label = next((label for label in story.topics if label.topic in names), None)
    if label is not None and label.score >= 0.5:
        return f" alone so far, and it is squarely about {names[label.topic]}"
    if value.get("freshness", 0.0) > -0.25:
        return " alone so far, and it is only just out"
    return " alone so far"
