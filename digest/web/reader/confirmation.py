"""The link in the first mail: the page asks, the button confirms."""

from fastapi import APIRouter, Request, Response

from digest.web.reader.forms import Door
from digest.workflows import subscribe


def router(door: Door) -> APIRouter:
    """``/confirm/{token}``."""
    routes = APIRouter()

    @routes.get("/confirm/{token}")
    def confirm_page(request: Request, token: str) -> Response:
        """What would be confirmed. Scanners follow every link in a mail, so looking changes nothing."""
        found = subscribe.confirmation_of(door.ctx, token)
        return _page(door, request, token, found)

    @routes.post("/confirm/{token}")
    def confirm(request: Request, token: str) -> Response:
        """Confirm; a second time is as good as the first."""
        found = subscribe.confirm(door.ctx, token)
        return _page(door, request, token, found)

    return routes


def _page(door: Door, request: Request, token: str, found: subscribe.Confirmation) -> Response:
    only = found.offers[0] if len(found.offers) == 1 else None
    return door.page(request, "confirm.html", of=only, token=token, confirmation=found)
