"""Who is at the desk, what they may do, and how one page tells the next what has happened."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from digest.curation.wording import points, signed
from digest.render.rich import markdown_html
from digest.web.desk.checks import kinds
from digest.web.pages import Pages
from digest.web.security import Forbidden, check_csrf, session_token
from digest.workflows.context import Context
from digest.workflows.sign_in import EditorView, Right, editor_of
from digest.workflows.writing import MAX_BODY

SIGN_IN = "/desk/sign-in"
NOTE_COOKIE = "digest_note"
"""What the last step has to say; read once by the next page."""


@dataclass(frozen=True)
class Note:
    """A message about the last step: ``good`` or ``bad``, and a sentence."""

    tone: str
    text: str


@dataclass(frozen=True)
class Desk:
    """What every page of the desk needs."""

    ctx: Context
    pages: Pages

    def __post_init__(self) -> None:
        self.pages.environment.filters.update(
            ago=ago, when=when, points=points, signed=signed, kinds=kinds, markdown=as_in_mail
        )

    def visitor(self, request: Request) -> EditorView | None:
        """The editor whose session the request carries."""
        token = session_token(request)
        return editor_of(self.ctx, token) if token else None

    def looking(self) -> Callable[[Request], EditorView]:
        """A dependency for pages: the editor, or off to the sign-in page."""

        def editor(request: Request) -> EditorView:
            visitor = self.visitor(request)
            if visitor is None or not visitor.may("look"):
                raise _to_sign_in(request)
            return visitor

        return editor

    def acting(self, right: Right) -> Callable[..., EditorView]:
        """A dependency for POSTs: the editor, who has the right and whose form is one of ours.

        Raises:
            Forbidden: no CSRF token, or not the right to do this.
        """
        looking = self.looking()

        def editor(
            request: Request, visitor: Annotated[EditorView, Depends(looking)], csrf: Annotated[str, Form()] = ""
        ) -> EditorView:
            check_csrf(request, {"csrf": csrf})
            if not visitor.may(right):
                raise Forbidden(f"your role is {visitor.role}: it may not {right} issues. An admin can change that.")
            return visitor

        return editor

    def show(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page of the desk, with the note that the last step left."""
        note = _read_note(request)
        response = self.pages.render(
            request, f"desk/{template}", status=status, note=note, now=self.ctx.clock(), **values
        )
        if note:
            response.delete_cookie(NOTE_COOKIE, path="/desk")
        return response


def go(url: str, *, good: str = "", bad: str = "") -> Response:
    """On to another page after a POST, with a word on how it went."""
    response = RedirectResponse(url, status_code=303)
    if good or bad:
        value = quote(f"{'good' if good else 'bad'}|{good or bad}"[:1500], safe="")
        response.set_cookie(NOTE_COOKIE, value, max_age=120, path="/desk", httponly=True, samesite="lax")
    return response


def check_same_site(request: Request) -> None:
    """For forms that are sent before there is a session: they must come from a page of ours.

    Raises:
        Forbidden: the browser says that another site sent the form (Fetch Metadata, or an Origin of another host;
            ``null`` is what our own pages send, as they never tell a referrer).
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", "null")
    if site not in ("same-origin", "none") or (
        origin != "null" and urlsplit(origin).netloc != request.headers.get("Host", "")
    ):
        raise Forbidden("this form was sent from another site: open the sign-in page here and try again")


def as_in_mail(body: str) -> Markup:
    """Markdown as the mail has it, safe; nothing for what is longer than an issue takes."""
    return Markup(markdown_html(body) if len(body) <= MAX_BODY else "")  # noqa: S704  (cleaned by nh3)


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, or how far ahead, in the largest unit that fits: "4 min ago", "in 3 h"."""
    if moment is None:
        return "never"
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now"
    amount = (
        f"{size // 60:.0f} min"
        if size < 3600
        else f"{size // 3600:.0f} h"
        if size < 48 * 3600
        else f"{size // 86400:.0f} days"
    )
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def when(moment: datetime, zone: str = "UTC") -> str:
    """A time on the clock of a zone, short: "Thu 12 Mar, 06:00"."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M}"


def _to_sign_in(request: Request) -> HTTPException:
    if request.headers.get("HX-Request"):
        # htmx would follow a redirect and put the sign-in page into a corner of this one.
        return HTTPException(401, headers={"HX-Redirect": SIGN_IN})
    return HTTPException(303, headers={"Location": SIGN_IN})


def _read_note(request: Request) -> Note | None:
    tone, _, text = unquote(request.cookies.get(NOTE_COOKIE, "")).partition("|")
    return Note(tone, text) if tone in ("good", "bad") and text else None
