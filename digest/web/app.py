"""The web application: the reader's pages, the desk, pictures, and two doors for machines that watch over it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from digest.domain.newsroom import Site
from digest.errors import DigestError, InvalidToken, NotFound, PassingError, StateConflict, UsageError
from digest.store import newsletters
from digest.web import websub
from digest.web.desk import routes as desk
from digest.web.pages import STATIC, Pages
from digest.web.reader import routes as reader
from digest.web.security import BodyLimit, Forbidden, SecurityHeaders, networks, page_headers
from digest.workflows.context import Context

log = structlog.get_logger(__name__)

MEDIA_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpe?g|gif|webp)")
"""How hosted pictures are called: the hash of their bytes and what they are."""


def create_app(ctx: Context, *, trusted_proxies: Sequence[str] = ()) -> FastAPI:
    """The application that serves readers and editors.

    Args:
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed. The server in front
            (uvicorn) must not rewrite client addresses itself: run it with ``proxy_headers=False``.
    """
    app = FastAPI(title="Newsletter digest", openapi_url=None, docs_url=None, redoc_url=None)
    pages = Pages(ctx.templates)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, public_url=ctx.public_url)
    app.mount("/static", _Static(directory=STATIC), name="static")
    app.include_router(reader.router(ctx, pages, networks(trusted_proxies)))
    app.include_router(desk.router(ctx))
    app.include_router(websub.router(ctx))
    _answer_machines(app, ctx)
    _explain_errors(app, ctx, pages)
    return app


class _Static(StaticFiles):
    """Files whose address changes with their bytes (``?v=HASH``) may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        is_versioned = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_versioned else "public, max-age=300"
        )
        return response


def _answer_machines(app: FastAPI, ctx: Context) -> None:
    @app.get("/healthz")
    def healthy() -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    def ready() -> Response:
        """The database answers as well."""
        try:
            with ctx.db.read() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            log.exception("the database does not answer")
            return JSONResponse({"database": "does not answer"}, status_code=503)
        return JSONResponse({"database": "ok"})

    @app.get("/media/{name}")
    def picture(name: str) -> Response:
        """A hosted picture; its name is the hash of its bytes, so it never changes."""
        path = ctx.media / name
        if not MEDIA_NAME.fullmatch(name) or not path.is_file():
            raise NotFound("there is no such picture")
        return FileResponse(
            path,
            headers={
                "Cache-Control": "public, max-age=31536000, immutable",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )


_STATUS: tuple[tuple[type[DigestError], int], ...] = (
    (NotFound, 404),
    (InvalidToken, 404),
    (Forbidden, 403),
    (StateConflict, 409),
    (UsageError, 400),
    (PassingError, 503),
    (DigestError, 500),
)


def _explain_errors(app: FastAPI, ctx: Context, pages: Pages) -> None:
    """Every error becomes a page in plain words. A 404 is always the same page: it tells nothing."""

    def page(request: Request, status: int, message: str = "") -> Response:
        values: dict[str, Any] = {"code": status, "message": message, **house(status)}
        return pages.render(request, "error.html", status=status, **values)

    def house(status: int) -> dict[str, Site]:
        """The name of the house, unless it may be the database that fails."""
        if status >= 500:
            return {}
        with suppress(SQLAlchemyError), ctx.db.read() as session:
            return {"site": newsletters.site(session)}
        return {}

    def on_digest_error(request: Request, error: Exception) -> Response:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        if status >= 500:
            log.error("a page failed", path=request.scope["route"].path, error=str(error))
        return page(request, status, "" if status in (404, 500) else str(error))

    def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = page(request, error.status_code, "" if error.detail == _phrase(error.status_code) else error.detail)
        response.headers.update(error.headers or {})
        return response

    def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return page(request, 404 if any(each["loc"][0] == "path" for each in error.errors()) else 400)

    def on_data(request: Request, _error: Exception) -> Response:
        """A number out of range, a NUL in a text: what no row of ours could hold."""
        return page(request, 400)

    def on_bug(request: Request, _error: Exception) -> Response:
        response = page(request, 500)
        response.headers.update(page_headers(ctx.public_url))  # bugs are answered outside of all middleware
        return response

    handlers: dict[type[Exception], Callable[[Request, Exception], Response | Awaitable[Response]]] = {
        DigestError: on_digest_error,
        HTTPException: on_http_error,
        RequestValidationError: on_invalid,
        DataError: on_data,
        OverflowError: on_data,
        Exception: on_bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
