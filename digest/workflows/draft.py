"""From a window of articles to a draft: the main line of the product."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from digest.curation.compose import compose
from digest.curation.group import group
from digest.curation.learned import classify_learned
from digest.curation.rank import rank
from digest.curation.window import fresh
from digest.domain.calendar import Cadence, Window, window_ending
from digest.domain.content import TopicProfile
from digest.domain.issue import WEEK, PlacedItem, Section
from digest.domain.newsroom import NewsletterSpec
from digest.errors import NotFound, UsageError
from digest.store import issues, story_rules
from digest.store.articles import candidates
from digest.store.newsroom import topics as all_topics
from digest.store.stories import save_stories
from digest.workflows.blocks import day_of, finished_blocks, of_the_weekday
from digest.workflows.blurbs import with_blurbs
from digest.workflows.context import Context
from digest.workflows.meanings import meanings
from digest.workflows.media import host_image
from digest.workflows.telling import tell_advance
from digest.workflows.topic_learning import learned
from digest.workflows.track_record import track_record
from digest.workflows.week import with_week, with_week_block

MEMORY = timedelta(hours=72)
"""How far back articles are grouped, so that late coverage joins the story it belongs to."""

IMAGE_WIDTH, IMAGE_HEIGHT = 600, 338
"""CSS pixels of a lead picture (16:9 over the width of the mail)."""
THUMB_WIDTH, THUMB_HEIGHT = 132, 88
"""CSS pixels of a picture beside a card (3:2)."""


@dataclass(frozen=True, slots=True)
class DraftReport:
    """What came out: the issue, how many stories and sections it has, and its state."""

    issue: int
    stories: int
    sections: int
    state: str

    def as_dict(self) -> dict[str, object]:
        """The ``--json`` contract of ``digest draft``."""
        return {"issue": self.issue, "stories": self.stories, "sections": self.sections, "state": self.state}


def cadence_of(spec: NewsletterSpec) -> Cadence:
    """The newsletter's cadence as a value that knows the calendar."""
    return Cadence(spec.cadence, time.fromisoformat(spec.hour), spec.zone, spec.weekday)


def plan_issue(ctx: Context, slug: str, at: datetime | None = None) -> int | None:
    """Make sure that an issue exists for a window that ends at ``at``, or at the slot that is due now.

    A newsletter's very first issue ends now: there is no earlier number whose window it could adjoin.

    Raises:
        NotFound: no such newsletter.
        UsageError: ``at`` lies further ahead than one period.

    Returns:
        The issue's id; the same one however often and from wherever it is asked for. None while a newsletter that
        never came out has nothing to begin with (no article was gathered within its period), and while its first slot
        is still ahead.
    """
    now = ctx.clock()
    with ctx.db.write() as session:
        newsletter, spec = issues.newsletter(session, slug)
        assert newsletter.id is not None
        cadence, began = cadence_of(spec), issues.began(session, newsletter.id)
        if at is not None:
            if at > now + cadence.period:
                raise UsageError(f"{at:%Y-%m-%d %H:%M} UTC is too far ahead: its articles are not written yet")
            slot, end, due = f"{issues.BY_HAND}{at.isoformat()}", at, at
        elif began is None:
            end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
            slot, due = "first", now
            if not candidates(session, Window(end - cadence.period, end)):
                return None
        else:
            day, due = cadence.latest_slot(now + timedelta(minutes=spec.draft_lead))
            slot, end = day.isoformat(), due - timedelta(minutes=spec.draft_lead)
            newest = issues.latest(session, newsletter.id, by_hand=False)
            if due <= began or (newest is not None and newest.window_end >= end):
                return newest.id if newest is not None else None
        previous = issues.latest(session, newsletter.id, before=end)
        window = window_ending(end, previous.window_end if previous else None, cadence)
        planned = issues.plan(
            session,
            {
                "newsletter_id": newsletter.id,
                "cadence": spec.cadence,
                "slot": slot,
                "window_start": window.start,
                "window_end": window.end,
                "due_at": due,
                "created_at": now,
            },
        )
        tell_advance(ctx, session, planned)
    return planned


def draft(
    ctx: Context, slug: str, at: datetime | None = None, *, progress: Callable[[str], None] | None = None
) -> DraftReport:
    """Plan an issue (see ``plan_issue``) and make its draft. A draft that exists is left as editors shaped it.

    Raises:
        NotFound: no such newsletter, or no article to begin it with.
    """
    issue_id = plan_issue(ctx, slug, at)
    if issue_id is None:
        raise NotFound(
            f"there is no article for a first issue of {slug} yet: run `digest gather`, or see `digest feeds list`"
        )
    return make_draft(ctx, issue_id, progress=progress)


def make_draft(ctx: Context, issue_id: int, *, progress: Callable[[str], None] | None = None) -> DraftReport:
    """Turn a planned issue into a draft, or into ``empty`` when there is nothing to say.

    Safe to call from several processes: one of them works, the others report what there is.
    """
    with ctx.db.write() as session:
        if not issues.claim(session, issue_id, "planned", ctx.clock(), ctx.worker):
            return _report(ctx, issue_id)
    try:
        return _make_draft(ctx, issue_id, progress or (lambda _step: None))
    except BaseException:
        with ctx.db.write() as session:
            issues.unclaim(session, issue_id)
        raise


def _make_draft(ctx: Context, issue_id: int, say: Callable[[str], None]) -> DraftReport:
    with ctx.db.read() as session:
        issue = issues.get(session, issue_id)
        window = Window(issue.window_start, issue.window_end)
        slug = issues.slug_of(session, issue)
        _, spec = issues.newsletter(session, slug)
        topics, verdicts = all_topics(session), learned(session)
        found = candidates(session, Window(window.end - max(MEMORY, window.end - window.start), window.end))
        rules = story_rules.among(session, [article.id for article in found])
    on_offer = offered(spec, topics)

    say(f"sorting {len(found)} articles into topics")
    labelled = classify_learned(found, topics, verdicts)
    say("grouping coverage into stories")
    grouped = group(labelled, rules, meanings(ctx, labelled))
    with ctx.db.write() as session:
        saved = save_stories(session, grouped, ctx.clock())
        # What readers of other newsletters got is news to the readers of this one.
        told = issues.carried(session, issue.newsletter_id)
        record = track_record(session, issue.newsletter_id, window.end)
    known = [replace(story, last_sent_at=told.get(story.story_id or 0)) for story in saved]
    say(f"ranking {len(known)} stories")
    ranked = rank(
        fresh(known, window), window.end, window=window.end - window.start, weights=spec.ranking, priors=record
    )
    sections = compose(ranked, of_the_weekday(spec.blocks, day_of(spec, issue.due_at)), on_offer)
    stories = {placed.item.story_id for section in sections for placed in section.items}

    if len(stories) < spec.min_stories:
        why = f"nothing to say: {len(stories)} stories between {window.start:%d %b %H:%M} and {window.end:%d %b %H:%M} UTC"
        with ctx.db.write() as session:
            issues.move(session, issue_id, ["planned"], "empty", reason=why, finished_at=ctx.clock())
        return _report(ctx, issue_id)

    if spec.summaries == "model" and ctx.summariser is not None:
        say(f"asking {ctx.summariser.name} for blurbs")
        sections = with_blurbs(ctx.summariser, sections, ranked, spec.locale)
    say("fetching pictures")
    sections = tuple(_with_pictures(ctx, section) for section in sections)
    blocks = finished_blocks(ctx, spec, slug, day_of(spec, issue.due_at))
    names = {topic.slug: topic.name for topic in on_offer}
    sections = with_week(ctx, issue_id, spec, sections, names, (IMAGE_WIDTH, IMAGE_HEIGHT))
    if any(section.key == WEEK for section in sections):
        blocks = with_week_block(blocks)
    with ctx.db.write() as session:
        issues.save_draft(session, issue_id, spec, blocks, sections)
    return _report(ctx, issue_id)


def offered(spec: NewsletterSpec, topics: tuple[TopicProfile, ...]) -> tuple[TopicProfile, ...]:
    """The topics that readers of the newsletter choose from, in its own order."""
    by_slug = {topic.slug: topic for topic in topics}
    return tuple(by_slug[slug] for slug in spec.topics if slug in by_slug) or topics


def _with_pictures(ctx: Context, section: Section) -> Section:
    """Pictures that the mail shows are hosted by us: those of leads, and of sections whose cards have some."""
    # Where one card has a picture all stories get theirs, as editors may move any of them up.
    beside = any(placed.form == "related" for placed in section.items)
    return replace(section, items=tuple(_with_picture(ctx, placed, beside=beside) for placed in section.items))


def _with_picture(ctx: Context, placed: PlacedItem, *, beside: bool) -> PlacedItem:
    found, image, thumb = placed.item.image, None, None
    if found is not None and placed.form == "lead":
        image = host_image(ctx, found, IMAGE_WIDTH, IMAGE_HEIGHT)
    elif found is not None and beside:
        thumb = host_image(ctx, found, THUMB_WIDTH, THUMB_HEIGHT)
    return replace(placed, item=replace(placed.item, image=image, thumb=thumb))


def _report(ctx: Context, issue_id: int) -> DraftReport:
    with ctx.db.read() as session:
        rows = [row for row in issues.placements(session, issue_id) if row.section != WEEK]
        state = issues.get(session, issue_id).state
    return DraftReport(issue_id, len({row.story_id for row in rows}), len({row.section for row in rows}), state)
