"""The preference centre, by the link in every mail or by one asked for by address."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from digest.errors import NotFound
from digest.web.here import here, origin_of
from digest.web.reader.forms import HONEYPOT, Door, Fields, Form, field, fields, optional
from digest.web.reader.words import (
    FREQUENCY_WORDS,
    TOPIC_OFTEN,
    WEEKDAYS,
    cadence_words,
    chosen_words,
    hours,
    no_mail_words,
    out_words,
)
from digest.web.reader.zones import zone_regions
from digest.web.security import mail_csp
from digest.workflows import subscribe
from digest.workflows.next_copy import NextCopies, NextCopy
from digest.workflows.subscribe import Choices

SAVED = {"choices", "resumed", "joined"}
"""What the page can say about the last step."""

_SANDBOX = "; sandbox allow-popups allow-popups-to-escape-sandbox"
TOO_MANY_LOOKS = "That were many looks in a short time. Please try again in an hour; saving works all the same."


def router(door: Door) -> APIRouter:
    """``/preferences`` and ``/preferences/{token}``."""
    routes = APIRouter()
    copies = NextCopies(door.ctx)

    @routes.get("/preferences")
    def request_page(request: Request) -> Response:
        """Where to ask for one's link."""
        return door.page(request, "request_link.html", address="", errors={})

    @routes.post("/preferences")
    def request_link(request: Request, form: Form, background: BackgroundTasks) -> Response:
        """Send the link, if the address is one that we know. Everybody reads the same."""
        door.admit(request)
        address = field(form, "address")
        if not field(form, HONEYPOT):
            try:
                subscribe.request_link(door.ctx, address)
            except subscribe.WrongField as error:
                errors = {error.field: str(error)}
                return door.page(request, "request_link.html", status=400, address=address, errors=errors)
            background.add_task(door.send_mail)
        return door.page(request, "link_sent.html", address=address.strip())

    @routes.get("/preferences/{token}")
    def preferences_page(request: Request, token: str, saved: str = "") -> Response:
        """What the link's owner chose, and the next copy; with ``show``, what they tick now and the copy that it makes."""
        if "show" not in request.query_params:
            return _page(door, copies, request, token, saved=saved if saved in SAVED else "")
        return _page(door, copies, request, token, unsaved=_choices(request.query_params))

    @routes.get("/preferences/{token}/copy")
    def copy(request: Request, token: str) -> Response:
        """The mail in the page's frame."""
        if not door.may_look(request):
            raise HTTPException(429, TOO_MANY_LOOKS, {"Retry-After": "3600"})
        found = copies.of(token, _choices(request.query_params))
        if found is None or not found.html:
            raise NotFound("these choices bring no mail")
        html = here(found.html, door.ctx.public_url, origin_of(request))
        html = re.sub(r"</head\s*>", lambda end: '<base target="_blank">' + end[0], html, count=1, flags=re.IGNORECASE)
        policy = mail_csp(door.ctx.public_url, frame_ancestors="'self'") + _SANDBOX
        return HTMLResponse(html, headers={"Content-Security-Policy": policy, "X-Robots-Tag": "noindex"})

    @routes.post("/preferences/{token}")
    def save(request: Request, token: str, form: Form) -> Response:
        """Keep the choices, then show them (303, so that reloading sends nothing twice)."""
        is_resuming = bool(field(form, "resume"))
        choices = Choices(pause_until="") if is_resuming else _choices(form)
        try:
            subscribe.save_preferences(door.ctx, token, choices)
        except subscribe.WrongField as error:
            return _page(door, copies, request, token, status=400, errors={error.field: str(error)}, unsaved=choices)
        return _see(token, "resumed" if is_resuming else "choices")

    @routes.post("/preferences/{token}/join")
    def join(request: Request, token: str, form: Form) -> Response:
        """Subscribe to another newsletter of the house."""
        subscribe.join_another(door.ctx, token, field(form, "newsletter"))
        return _see(token, "joined")

    return routes


def _see(token: str, saved: str) -> Response:
    return RedirectResponse(f"/preferences/{token}?saved={saved}", status_code=303)


def _choices(form: Fields) -> Choices:
    """What a form says: a box that isn't ticked says no, a field that isn't there says nothing."""
    topics = fields(form, "topics")
    return Choices(
        topics=frozenset(topics),
        often={topic: field(form, f"often:{topic}") for topic in topics},
        frequency=optional(form, "frequency"),
        pause_until=optional(form, "pause_until"),
        hour=optional(form, "hour"),
        zone=optional(form, "zone"),
    )


def _page(
    door: Door,
    copies: NextCopies,
    request: Request,
    token: str,
    *,
    status: int = 200,
    saved: str = "",
    errors: Mapping[str, str] | None = None,
    unsaved: Choices | None = None,
) -> Response:
    """The page with what is kept, or, after a mistake, with what was written."""
    kept = subscribe.preferences_of(door.ctx, token)
    pause = kept.paused_until.isoformat() if kept.paused_until else ""
    written = unsaved or Choices()
    copy, problem = _next(door, copies, request, token, written) if kept.state == "active" else (None, "")
    return door.page(
        request,
        "preferences.html",
        of=kept.offer,
        status=status,
        token=token,
        preferences=kept,
        chosen=chosen_words(kept.offer, kept.topics, kept.frequency, kept.often, kept.hour),
        topics=kept.topics if written.topics is None else written.topics,
        often=kept.often if written.topics is None else written.often,
        frequency=written.frequency or kept.frequency,
        hour=kept.hour if written.hour is None else written.hour,
        hours=hours(kept.offer.spec, kept.hour),
        out_at=out_words(kept.offer.spec, kept.zone, door.ctx.clock()),
        weekday=WEEKDAYS[kept.offer.spec.weekday],
        pause_until=pause if written.pause_until is None else written.pause_until,
        zone=written.zone or kept.zone,
        regions=zone_regions(
            kept.zone,
            kept.offer.spec.zone,
            request.headers.get("Accept-Language", ""),
            kept.offer.spec.locale,
            door.ctx.clock(),
        ),
        frequencies=FREQUENCY_WORDS,
        topic_often=TOPIC_OFTEN,
        cadence=cadence_words,
        saved=saved,
        errors=errors or {},
        copy=copy,
        no_mail=no_mail_words(copy.reason, kept.offer.spec) if copy and copy.reason else "",
        copy_problem=problem,
        copy_query=_query(written, kept),
    )


def _next(
    door: Door, copies: NextCopies, request: Request, token: str, choices: Choices
) -> tuple[NextCopy | None, str]:
    """The next copy; or None and why it can't be shown, "" if there is none."""
    if not door.may_look(request):
        return None, TOO_MANY_LOOKS
    try:
        return copies.of(token, choices), ""
    except subscribe.WrongField as error:
        return None, str(error)


def _query(written: Choices, kept: subscribe.Preferences) -> str:
    """The choices as the frame asks for them; always all that decide a copy, as a topic that is absent isn't chosen."""
    topics = kept.topics if written.topics is None else written.topics
    often = kept.often if written.topics is None else written.often
    pairs = [("topics", topic) for topic in sorted(topics)]
    pairs += [(f"often:{topic}", often[topic]) for topic in sorted(topics) if often.get(topic)]
    return urlencode([*pairs, ("frequency", written.frequency or kept.frequency)])
