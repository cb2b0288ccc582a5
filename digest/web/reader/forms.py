"""What the reader's pages share: the door that public forms come through, and what is in a form."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData, ImmutableMultiDict
from starlette.exceptions import HTTPException

from digest.errors import DigestError
from digest.store import newsletters
from digest.store.newsletters import Offer
from digest.web.pages import Pages
from digest.web.reader.look import look_of
from digest.web.security import Networks, RateLimiter, client_address
from digest.workflows.context import Context
from digest.workflows.notices import send_notices

log = structlog.get_logger(__name__)

HONEYPOT = "website"
"""A field that people don't see; only machines fill it in."""

FORMS_AN_HOUR = 20
"""Public forms that one client may send in an hour."""

LOOKS_AN_HOUR = 600
"""Copies that one client may look at in an hour; each tick of a box is a look."""

MAX_FIELDS = 300


async def _submitted(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        yield form


Form = Annotated[FormData, Depends(_submitted)]
"""The fields of a form, urlencoded or multipart; empty if the body is something else. Files are refused."""


Fields = ImmutableMultiDict[str, Any]
"""What a form holds, sent in a body or in an address."""


def field(form: Fields, name: str) -> str:
    """The first value of a field, "" if there is none."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def optional(form: Fields, name: str) -> str | None:
    """The first value of a field, None if the form doesn't have it."""
    return field(form, name) if name in form else None


def fields(form: Fields, name: str) -> list[str]:
    """All values of a field that may come several times, such as ticked boxes."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


class Door:
    """Where the public comes in.

    Attributes:
        ctx: the workflows' doors to the world.
    """

    def __init__(self, ctx: Context, pages: Pages, trusted_proxies: Networks = ()) -> None:
        self.ctx = ctx
        self._pages = pages
        self._trusted = trusted_proxies
        self._limiter = RateLimiter(FORMS_AN_HOUR, timedelta(hours=1), ctx.clock)
        self._looks = RateLimiter(LOOKS_AN_HOUR, timedelta(hours=1), ctx.clock)

    def page(
        self,
        request: Request,
        name: str,
        *,
        of: Offer | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        """A page of the reader's rooms; it knows the name of the house.

        Args:
            of: the newsletter that it is about, whose look it bears; None: that of the house.
        """
        with self.ctx.db.read() as session:
            site = newsletters.site(session)
        look = look_of(self.ctx, of) if of else None
        return self._pages.render(
            request, f"reader/{name}", status=status, headers=headers, site=site, look=look, **values
        )

    def admit(self, request: Request) -> None:
        """Let a public form in, if its sender hasn't sent too many.

        Raises:
            HTTPException: 429.
        """
        if not self._limiter.allows(client_address(request, self._trusted)):
            raise HTTPException(
                429, "That were many forms in a short time. Please try again in an hour.", {"Retry-After": "3600"}
            )

    def may_look(self, request: Request) -> bool:
        """Count a look at something that takes work to show; whether it is within the limit."""
        return self._looks.allows(client_address(request, self._trusted))

    def send_mail(self) -> None:
        """Send what forms have queued. It runs after the answer: what fails stays queued, and the worker goes on."""
        try:
            send_notices(self.ctx)
        except DigestError as error:
            log.warning("notices stay queued", error=str(error))
