"""The public archive: numbers that were sent, without anybody's name in them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from digest.errors import NotFound
from digest.render.archive import archive_html
from digest.store import issues, newsletters
from digest.store.newsletters import Offer, PublicIssue
from digest.web.here import here, origin_of
from digest.web.reader.feed import atom_feed, json_feed
from digest.web.reader.forms import Door
from digest.web.reader.look import sheet, version_of
from digest.web.reader.words import cadence_words
from digest.web.security import mail_csp
from digest.workflows.messages import printed

Number = Annotated[int, Path(gt=0, lt=2**31)]
CACHED = {"Cache-Control": "public, max-age=300"}


def router(door: Door) -> APIRouter:
    """``/archive/…`` and ``/theme/…``."""
    routes = APIRouter()

    @routes.get("/archive/{newsletter}")
    def archive_list(request: Request, newsletter: str) -> Response:
        """All numbers, newest first."""
        offer, numbers = _numbers(door, newsletter)
        return door.page(
            request, "archive.html", of=offer, headers=_headers(offer), offer=offer, numbers=numbers,
            cadence=cadence_words,
        )  # fmt: skip

    @routes.get("/theme/{newsletter}.css")
    def theme(newsletter: str, v: str = "") -> Response:
        """The colours and fonts of a newsletter's pages; ``?v=`` names the theme that its pages were made with."""
        with door.ctx.db.read() as session:
            offer = newsletters.offer(session, newsletter)
        if offer is None:
            raise NotFound("there is no such newsletter")
        text = sheet(offer.spec.theme)
        kept = "public, max-age=31536000, immutable" if v == version_of(text) else "public, max-age=300"
        return Response(text, media_type="text/css", headers={"Cache-Control": kept})

    @routes.get("/archive/{newsletter}/feed.xml")
    def feed(newsletter: str) -> Response:
        """The same list as Atom (RFC 4287)."""
        offer, numbers = _numbers(door, newsletter, limit=30)
        body = atom_feed(door.ctx.public_url, offer, numbers)
        return Response(body, media_type="application/atom+xml", headers=_headers(offer))

    @routes.get("/archive/{newsletter}/feed.json")
    def other_feed(newsletter: str) -> Response:
        """The same list as JSON Feed 1.1."""
        offer, numbers = _numbers(door, newsletter, limit=30)
        body = json_feed(door.ctx.public_url, offer, numbers)
        return Response(body, media_type="application/feed+json", headers=_headers(offer))

    @routes.get("/archive/{newsletter}/{number}")
    def one_number(request: Request, newsletter: str, number: Number) -> Response:
        """One number, whole, as it was mailed; links to our own pages and pictures lead to where it is read."""
        with door.ctx.db.read() as session:
            offer = newsletters.offer(session, newsletter)
            issue = newsletters.public_issue(session, offer.id, number) if offer else None
            issue_id = issue.id if issue and issue.id is not None else 0
            if offer is None or not issues.fragments(session, issue_id):
                raise NotFound("there is no such issue")
            shown = printed(session, issue_id, door.ctx)
        sign_up = f"{door.ctx.public_url}/?newsletter={newsletter}"
        headers = {**_headers(offer), "Content-Security-Policy": mail_csp(door.ctx.public_url)}
        page = archive_html(shown.fragments, shown.document, sign_up)
        return HTMLResponse(here(page, door.ctx.public_url, origin_of(request)), headers=headers)

    return routes


def _headers(offer: Offer) -> dict[str, str]:
    """How long a page may be kept, and whether search engines may list it."""
    return CACHED if offer.spec.indexed else {**CACHED, "X-Robots-Tag": "noindex"}


def _numbers(door: Door, newsletter: str, limit: int = 120) -> tuple[Offer, tuple[PublicIssue, ...]]:
    with door.ctx.db.read() as session:
        offer = newsletters.offer(session, newsletter)
        if offer is None:
            raise NotFound("there is no such newsletter")
        return offer, newsletters.public_issues(session, offer.id, limit)
