"""The front page: every newsletter, its topics, and one form."""

from collections.abc import Mapping

from fastapi import APIRouter, BackgroundTasks, Request, Response
from starlette.datastructures import FormData

from digest.errors import NotFound
from digest.store import newsletters
from digest.store.newsletters import Offer
from digest.web.reader.forms import HONEYPOT, Door, Form, field, fields
from digest.web.reader.words import cadence_words
from digest.workflows import subscribe


def router(door: Door) -> APIRouter:
    """``/``, ``/subscribe`` and ``/embed/{newsletter}``."""
    routes = APIRouter()

    @routes.get("/")
    def sign_up_page(request: Request, newsletter: str = "") -> Response:
        """All newsletters; ``?newsletter=SLUG`` has that one ticked."""
        return _form_page(door, request, picked=frozenset({newsletter}))

    @routes.post("/subscribe")
    def subscribe_all(request: Request, form: Form, background: BackgroundTasks) -> Response:
        """Ask the owner of the address by mail. Known or unknown, everybody reads the same."""
        door.admit(request)
        address = field(form, "address")
        if field(form, HONEYPOT):
            return door.page(request, "check_inbox.html", address=address.strip())
        choices = _choices(form, _offers(door))
        try:
            subscribe.sign_up(
                door.ctx,
                subscribe.SignUp(
                    address=address,
                    choices=choices,
                    name=field(form, "name"),
                    form_url=_form_url(request),
                ),
            )
        except subscribe.WrongField as error:
            return _form_page(
                door,
                request,
                status=400,
                address=address,
                picked=frozenset(choices),
                topics=frozenset(fields(form, "topics")),
                errors={error.field: str(error)},
            )
        background.add_task(door.send_mail)
        return door.page(request, "check_inbox.html", address=address.strip())

    @routes.get("/embed/{newsletter}")
    def embed_page(request: Request, newsletter: str) -> Response:
        """A form to put on another site."""
        found = next((offer for offer in _offers(door) if offer.slug == newsletter), None)
        if found is None:
            raise NotFound("there is no such newsletter")
        return door.page(
            request,
            "embed.html",
            of=found,
            offer=found,
            public_url=door.ctx.public_url,
            consent=subscribe.consent_text(found.spec.name),
        )

    return routes


def _form_page(
    door: Door,
    request: Request,
    *,
    status: int = 200,
    address: str = "",
    picked: frozenset[str] = frozenset(),
    topics: frozenset[str] = frozenset(),
    errors: Mapping[str, str] | None = None,
) -> Response:
    offers = _offers(door)
    known = picked & {offer.slug for offer in offers}
    is_fresh = not errors
    return door.page(
        request,
        "sign_up.html",
        of=offers[0] if len(offers) == 1 else None,
        status=status,
        offers=offers,
        cadence=cadence_words,
        address=address,
        picked=known or (frozenset({offers[0].slug}) if offers and is_fresh else frozenset()),
        topics=topics,
        errors=errors or {},
        consent=subscribe.consent_text(offers[0].spec.name if len(offers) == 1 else "the newsletters that I ticked"),
    )


def _offers(door: Door) -> tuple[Offer, ...]:
    with door.ctx.db.read() as session:
        return newsletters.offers(session)


def _choices(form: FormData, offers: tuple[Offer, ...]) -> dict[str, frozenset[str]]:
    """Ticked topics per newsletter. A topic comes as ``newsletter:topic``, or bare: then it is meant for each."""
    slugs = fields(form, "newsletters") or ([offers[0].slug] if len(offers) == 1 else [])
    ticked = [value.rpartition(":") for value in fields(form, "topics")]
    return {slug: frozenset(topic for owner, _, topic in ticked if owner in ("", slug)) for slug in slugs}


def _form_url(request: Request) -> str:
    """The page of another site that holds the form, as far as the browser tells; "" for our own, which tells none."""
    referrer = request.headers.get("referer", "")
    return referrer[:500] if referrer.startswith(("https://", "http://")) else ""
