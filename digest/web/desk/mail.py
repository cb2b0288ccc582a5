"""The mail in the desk's frame: the bytes that would be sent, made safe to look at and shown as some program would.

What is changed on the way into the frame, and nothing else: the public origin becomes this page's own, so that hosted
pictures and links work where the editor is; questions for ``prefers-color-scheme`` are answered by the chosen view
instead of the editor's own screen; links open in a new tab; a reader's own links lead nowhere. ``view=eml`` gives the
message untouched, a reader's only to publishers.
"""

import re
from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from digest.errors import DigestError
from digest.web.desk.lens import Lens, lens_of
from digest.web.desk.visit import Desk
from digest.web.here import here, origin_of
from digest.web.security import Forbidden
from digest.workflows import preview as previews
from digest.workflows.sign_in import EditorView

_SCHEME_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_TOKEN = re.compile(r"(/(?:unsubscribe|preferences)/)[\w-]{32}")
_PLAIN = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:20px;font:13px/1.5 ui-monospace,Menlo,Consolas,'Liberation Mono',monospace}"
    "pre{margin:0;font:inherit;white-space:pre;overflow-x:auto}"
)


def add_to(routes: APIRouter, desk: Desk) -> None:
    """Adds ``/desk/issues/{id}/mail``."""
    ctx = desk.ctx
    nobody = ctx.signer.sign("preferences", 0)

    @routes.get("/issues/{issue_id}/mail")
    def mail(
        request: Request,
        issue_id: int,
        lens: Annotated[Lens, Depends(lens_of)],
        editor: Annotated[EditorView, Depends(desk.looking())],
    ) -> Response:
        """One reader's copy of an issue."""

        def seen(form: previews.Format) -> str | bytes:
            found = previews.preview(
                ctx, issue_id, topics=lens.choice, weekly=lens.weekly, subscriber=lens.subscriber or None, form=form
            )
            # A reader's own links are theirs: whoever may only look could unsubscribe them with one click.
            return found if isinstance(found, bytes) or not lens.subscriber else _TOKEN.sub(rf"\1{nobody}", found)

        try:
            if lens.view == "eml":
                if lens.subscriber and not editor.may("publish"):
                    raise Forbidden("the message of a reader holds their own links: only publishers may take it")
                name = f'attachment; filename="issue-{issue_id}.eml"'
                return Response(seen("eml"), media_type="message/rfc822", headers={"Content-Disposition": name})
            if lens.view == "text":
                return _framed(_page(str(seen("text"))))
            html = here(str(seen("html")), ctx.public_url, origin_of(request))
        except DigestError as error:
            return _framed(_page(f"There is no such copy of this issue: {error}"), status=409)
        html = as_seen(html, "dark" if lens.view == "dark" else "light")
        return _framed(html, pictures=lens.view != "no-images")


def as_seen(html: str, scheme: str) -> str:
    """The mail as a program in a ``light`` or ``dark`` scheme shows it, whatever the editor's own screen prefers."""

    def answer(found: re.Match[str]) -> str:
        return "(min-width:0)" if found[1].lower() == scheme else "(max-width:0)"

    answered = _SCHEME_QUERY.sub(answer, html)
    frame = f'<style>:root{{color-scheme:{scheme} !important}}</style><base target="_blank">'
    return re.sub(r"</head\s*>", lambda end: frame + end[0], answered, count=1, flags=re.IGNORECASE)


def _page(text: str) -> str:
    head = f'<meta charset="utf-8"><title>Plain text</title><style>{_PLAIN}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><pre>{escape(text)}</pre></body></html>'


def _framed(html: str, *, status: int = 200, pictures: bool = True) -> Response:
    images = "'self'" if pictures else "'none'"
    policy = (
        f"default-src 'none'; script-src 'none'; img-src {images}; "
        "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": policy})
