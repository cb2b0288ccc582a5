"""Signing in and out: a link by mail, a button that uses it up, a session."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from digest.errors import InvalidToken
from digest.web.desk.visit import SIGN_IN, Desk, check_same_site, go
from digest.web.security import clear_session, session_token, set_session
from digest.workflows import sign_in as workflow
from digest.workflows.sign_in import EditorView


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/sign-in``, ``/desk/sign-in/{token}`` and ``/desk/sign-out``."""
    ctx = desk.ctx

    @routes.get("/sign-in")
    def ask(request: Request) -> Response:
        """The form that asks for a link."""
        if desk.visitor(request):
            return go("/desk")
        return desk.show(request, "sign_in.html", step="ask", address="")

    @routes.post("/sign-in")
    def send_link(request: Request, address: Annotated[str, Form(max_length=320)] = "") -> Response:
        """The same answer whatever the address, so that nobody learns who works here."""
        check_same_site(request)
        workflow.ask_for_link(ctx, address)
        return desk.show(request, "sign_in.html", step="sent", address=address.strip())

    @routes.get("/sign-in/{token}")
    def look(request: Request, token: str) -> Response:
        """A button; mail scanners that open the link don't use it up."""
        good = workflow.link_is_good(ctx, token)
        return desk.show(
            request, "sign_in.html", status=200 if good else 404, step="use" if good else "gone", address=""
        )

    @routes.post("/sign-in/{token}")
    def sign_in(request: Request, token: str) -> Response:
        check_same_site(request)
        try:
            session = workflow.sign_in(ctx, token)
        except InvalidToken:
            return desk.show(request, "sign_in.html", status=404, step="gone", address="")
        response = go("/desk")
        set_session(response, session, public_url=_reached_at(request, ctx.public_url), max_age=workflow.SESSION_LIFE)
        return response

    @routes.post("/sign-out")
    def sign_out(request: Request, _editor: Annotated[EditorView, Depends(desk.acting("look"))]) -> Response:
        workflow.sign_out(ctx, session_token(request))
        response = go(SIGN_IN)
        clear_session(response)
        return response


def _reached_at(request: Request, public_url: str) -> str:
    """The origin that the browser sees: the public one, unless the desk was opened on this machine by another name.

    A proxy that ends TLS speaks http to us, so the request's own scheme is not enough.
    """
    public_host = public_url.partition("://")[2].partition("/")[0]
    return public_url if request.headers.get("Host", "") == public_host else str(request.base_url)
