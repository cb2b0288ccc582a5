"""Handing a story on: plain links that tell nobody anything until they are followed (no scripts, no counters)."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from digest.domain.issue import IssueDocument, StoryItem
from digest.errors import NotFound
from digest.render.clean import href
from digest.render.wording import direction
from digest.store import newsletters
from digest.web.reader.archive import CACHED, Number
from digest.web.reader.forms import Door
from digest.workflows.document import document_of
from digest.workflows.printing import renderer

Story = Annotated[int, Path(gt=0, lt=2**63)]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to hand a story on: its name ("" for mail, which has one in every language), and the address that opens it."""

    name: str
    url: str


def ways(headline: str, url: str) -> tuple[Way, ...]:
    """The ways, most private first."""
    title, there = quote(headline, safe=""), quote(url, safe="")
    both = quote(f"{headline} {url}", safe="")
    return (
        Way("", f"mailto:?subject={title}&body={there}"),
        Way("WhatsApp", f"https://wa.me/?text={both}"),
        Way("Telegram", f"https://t.me/share/url?url={there}&text={title}"),
        Way("Bluesky", f"https://bsky.app/intent/compose?text={both}"),
        Way("LinkedIn", f"https://www.linkedin.com/sharing/share-offsite/?url={there}"),
        Way("Facebook", f"https://www.facebook.com/sharer/sharer.php?u={there}"),
        Way("X", f"https://x.com/intent/post?text={title}&url={there}"),
    )


def router(door: Door) -> APIRouter:
    """``/archive/NEWSLETTER/NUMBER/share/STORY``."""
    routes = APIRouter()

    @routes.get("/archive/{newsletter}/{number}/share/{story}")
    def share(request: Request, newsletter: str, number: Number, story: Story) -> Response:
        """One story of a number that was sent, with the ways to hand it on."""
        with door.ctx.db.read() as session:
            offer = newsletters.offer(session, newsletter)
            issue = newsletters.public_issue(session, offer.id, number) if offer else None
            if offer is None or issue is None or issue.id is None:
                raise NotFound("there is no such issue")
            item = _story(document_of(session, issue.id, door.ctx), story)
        url, mail = href(item.url), renderer(door.ctx, offer.slug)
        spoken = mail.spoken(offer.spec.locale)
        return door.page(
            request, "share.html", headers=CACHED, of=offer, offer=offer, number=number, item=item,
            url=url, words=mail.words(offer.spec.locale), language=spoken, direction=direction(spoken),
            ways=ways(item.headline, url) if url else (),
        )  # fmt: skip

    return routes


def _story(document: IssueDocument, story_id: int) -> StoryItem:
    for block in document.blocks:
        for placed in block.section.items if block.section else ():
            if placed.item.story_id == story_id:
                return placed.item
    raise NotFound("there is no such story in this issue")
