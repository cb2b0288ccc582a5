"""Unsubscribing: by the page's button, and by RFC 8058 straight from the mailbox."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from digest.web.reader.forms import Door, Form, field
from digest.workflows import subscribe


def router(door: Door) -> APIRouter:
    """``/unsubscribe/{token}`` and the way back."""
    routes = APIRouter()

    @routes.get("/unsubscribe/{token}")
    def unsubscribe_page(request: Request, token: str) -> Response:
        """A page with a button: scanners run whole browsers, so only a press may act (RFC 8058 section 3.2)."""
        found = subscribe.membership_of(door.ctx, token)
        return door.page(request, "unsubscribe.html", of=found.offer, token=token, membership=found, just_left=False)

    @routes.post("/unsubscribe/{token}")
    def unsubscribe(request: Request, token: str, form: Form) -> Response:
        """Leave at once: no cookie, no sign-in, no question, never a redirect (RFC 8058 section 3.1)."""
        if field(form, "List-Unsubscribe") != "One-Click":
            subscribe.membership_of(door.ctx, token)
            raise HTTPException(400, "To unsubscribe, send List-Unsubscribe=One-Click.")
        found = subscribe.unsubscribe(
            door.ctx, token, reason=field(form, "reason"), everything=bool(field(form, "everything"))
        )
        return door.page(request, "unsubscribe.html", of=found.offer, token=token, membership=found, just_left=True)

    @routes.post("/unsubscribe/{token}/undo")
    def resubscribe(request: Request, token: str) -> Response:
        """Take it back, with the choices as they were."""
        found = subscribe.resubscribe(door.ctx, token)
        return door.page(request, "resubscribed.html", of=found.offer, membership=found)

    return routes
