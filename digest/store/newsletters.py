"""What readers may sign up to, and the numbers that they may read on the web."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlmodel import Session, col, select

from digest.domain.content import TopicProfile
from digest.domain.newsroom import NewsletterSpec, Site
from digest.store.newsroom import topics as topics_in_force
from digest.store.tables import FragmentRow, Issue, Newsletter, NewsroomItem

PUBLIC_STATES = ("sending", "sent")
"""States of issues that the world may read: their mails link to the archive page as soon as the first one leaves."""

_SPEC = TypeAdapter(NewsletterSpec)
_SITE = TypeAdapter(Site)


@dataclass(frozen=True, slots=True)
class Offer:
    """A newsletter as readers choose it.

    Attributes:
        id: the row's id.
        topics: those on offer, in the newsletter's own order.
    """

    id: int
    spec: NewsletterSpec
    topics: tuple[TopicProfile, ...]

    @property
    def slug(self) -> str:
        """The newsletter's stable name in URLs and forms."""
        return self.spec.slug

    @property
    def topic_slugs(self) -> frozenset[str]:
        """Slugs of the topics on offer."""
        return frozenset(topic.slug for topic in self.topics)


@dataclass(frozen=True, slots=True)
class PublicIssue:
    """A number in the archive's list: the row, and the headline of its top story ("" if it has none)."""

    issue: Issue
    headline: str


def site(session: Session) -> Site:
    """The service itself."""
    row = session.get(NewsroomItem, ("site", "site"))
    return _SITE.validate_python(row.spec) if row else Site()


def offers(session: Session) -> tuple[Offer, ...]:
    """All newsletters in force, in the order in which they were added."""
    rows = session.exec(select(Newsletter).where(col(Newsletter.retired_at).is_(None)).order_by(col(Newsletter.id)))
    return tuple(_offers(rows, topics_in_force(session)))


def offer(session: Session, slug: str) -> Offer | None:
    """The newsletter in force under that slug."""
    return next((found for found in offers(session) if found.slug == slug), None)


def offer_by_id(session: Session, newsletter_id: int) -> Offer | None:
    """The newsletter with that id, retired ones included: who reads it must still be able to leave."""
    row = session.get(Newsletter, newsletter_id)
    return next(iter(_offers([row], topics_in_force(session))), None) if row else None


def _offers(rows: Iterable[Newsletter], topics: tuple[TopicProfile, ...]) -> Iterable[Offer]:
    by_slug = {topic.slug: topic for topic in topics}
    for row in rows:
        spec = _SPEC.validate_python(row.spec)
        wanted = spec.topics or tuple(by_slug)
        assert row.id is not None
        yield Offer(row.id, spec, tuple(by_slug[slug] for slug in wanted if slug in by_slug))


def public_issues(session: Session, newsletter_id: int, limit: int = 60) -> tuple[PublicIssue, ...]:
    """The numbers that the world may read, newest first."""
    first_item = (
        select(func.min(FragmentRow.position))
        .where(FragmentRow.issue_id == Issue.id, FragmentRow.role == "item")
        .correlate(Issue)
        .scalar_subquery()
    )
    query = (
        select(Issue, FragmentRow.headline)
        .outerjoin(FragmentRow, (col(FragmentRow.issue_id) == Issue.id) & (col(FragmentRow.position) == first_item))
        .where(Issue.newsletter_id == newsletter_id, col(Issue.state).in_(PUBLIC_STATES))
        .order_by(col(Issue.window_end).desc(), col(Issue.id).desc())
        .limit(limit)
    )
    return tuple(PublicIssue(issue, headline or "") for issue, headline in session.exec(query))


def public_issue(session: Session, newsletter_id: int, number: int) -> Issue | None:
    """A number of that newsletter, if the world may read it."""
    query = select(Issue).where(
        Issue.newsletter_id == newsletter_id, Issue.number == number, col(Issue.state).in_(PUBLIC_STATES)
    )
    return session.exec(query.order_by(col(Issue.id))).first()
