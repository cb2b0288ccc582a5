"""All pages of the desk."""

from fastapi import APIRouter

from digest.web.desk import at_once, edits, feeds, home, issue, mail, sign_in, steps, stories
from digest.web.desk.visit import Desk
from digest.web.pages import Pages
from digest.workflows.context import Context


def router(ctx: Context) -> APIRouter:
    """The routes under ``/desk``. GET shows; every POST needs a session, its CSRF token and the right to act."""
    desk = Desk(ctx, Pages(ctx.templates))
    routes = APIRouter(prefix="/desk", include_in_schema=False)
    for page in (sign_in, home, at_once, stories, feeds, issue, mail, edits, steps):
        page.add_to(routes, desk)
    return routes
