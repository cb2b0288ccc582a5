"""All doors for readers."""

from fastapi import APIRouter

from digest.web.pages import Pages
from digest.web.reader import archive, confirmation, leaving, preferences, share, sign_up
from digest.web.reader.forms import Door
from digest.web.security import Networks
from digest.workflows.context import Context


def router(ctx: Context, pages: Pages, trusted_proxies: Networks = ()) -> APIRouter:
    """The reader's pages.

    Args:
        trusted_proxies: whose word on the client's address is believed, for rate limits.
    """
    door = Door(ctx, pages, trusted_proxies)
    routes = APIRouter()
    for room in (sign_up, confirmation, preferences, leaving, archive, share):
        routes.include_router(room.router(door))
    return routes
