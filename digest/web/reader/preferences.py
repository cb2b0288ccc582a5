"""The preference centre, by the link in every mail or by one asked for by address."""

from collections.abc import Mapping

from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import RedirectResponse

from digest.web.reader.forms import HONEYPOT, Door, Form, field, fields, optional
from digest.web.reader.words import (
    FREQUENCY_WORDS,
    TOPIC_OFTEN,
    WEEKDAYS,
    cadence_words,
    chosen_words,
    hours,
    out_words,
)
from digest.web.reader.zones import zone_regions
from digest.workflows import subscribe
from digest.workflows.subscribe import Choices

SAVED = {"choices", "resumed", "joined"}
"""What the page can say about the last step."""


def router(door: Door) -> APIRouter:
    """``/preferences`` and ``/preferences/{token}``."""
    routes = APIRouter()

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
        """What the link's owner chose."""
        return _page(door, request, token, saved=saved if saved in SAVED else "")

    @routes.post("/preferences/{token}")
    def save(request: Request, token: str, form: Form) -> Response:
        """Keep the choices, then show them (303, so that reloading sends nothing twice)."""
        is_resuming = bool(field(form, "resume"))
        choices = (
            Choices(pause_until="")
            if is_resuming
            else Choices(
                topics=frozenset(topics := fields(form, "topics")),
                often={topic: field(form, f"often:{topic}") for topic in topics},
                frequency=optional(form, "frequency"),
                pause_until=optional(form, "pause_until"),
                hour=optional(form, "hour"),
                zone=optional(form, "zone"),
            )
        )
        try:
            subscribe.save_preferences(door.ctx, token, choices)
        except subscribe.WrongField as error:
            return _page(door, request, token, status=400, errors={error.field: str(error)}, unsaved=choices)
        return _see(token, "resumed" if is_resuming else "choices")

    @routes.post("/preferences/{token}/join")
    def join(request: Request, token: str, form: Form) -> Response:
        """Subscribe to another newsletter of the house."""
        subscribe.join_another(door.ctx, token, field(form, "newsletter"))
        return _see(token, "joined")

    return routes


def _see(token: str, saved: str) -> Response:
    return RedirectResponse(f"/preferences/{token}?saved={saved}", status_code=303)


def _page(
    door: Door,
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
    )
