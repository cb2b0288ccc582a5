"""The door for hubs (W3C WebSub). It is the one place where a GET acts: the standard has hubs verify by GET.

Nothing follows from such a GET unless we asked the hub within this subscription, and its link can't be guessed.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import PlainTextResponse, Response

from digest.errors import InvalidToken, ParseError, StateConflict
from digest.workflows import websub
from digest.workflows.context import Context


async def _body(request: Request) -> bytes:
    return await request.body()


def router(ctx: Context) -> APIRouter:
    """``/websub/{token}``: verification by GET, news by POST."""
    routes = APIRouter()

    @routes.get("/websub/{token}")
    def verify(
        token: str,
        mode: Annotated[str, Query(alias="hub.mode")] = "",
        topic: Annotated[str, Query(alias="hub.topic")] = "",
        challenge: Annotated[str, Query(alias="hub.challenge", max_length=2_000)] = "",
        lease_seconds: Annotated[str, Query(alias="hub.lease_seconds", max_length=20)] = "",
        reason: Annotated[str, Query(alias="hub.reason", max_length=2_000)] = "",
    ) -> Response:
        """Give the challenge back if this is what we asked for; else 404."""
        return PlainTextResponse(websub.confirm(ctx, token, mode, topic, challenge, lease_seconds, reason))

    @routes.post("/websub/{token}")
    def news(request: Request, token: str, body: Annotated[bytes, Depends(_body)]) -> Response:
        """Keep what is pushed, if it is signed with our secret. 410 tells the hub to stop."""
        signature = request.headers.get("X-Hub-Signature", "")
        try:
            new = websub.receive(ctx, token, body, request.headers.get("Content-Type", ""), signature)
        except InvalidToken as error:
            return PlainTextResponse(f"{error}\n", 403)
        except StateConflict as error:
            return PlainTextResponse(f"{error}\n", 410)
        except ParseError as error:
            return PlainTextResponse(f"{error}\n", 422)
        return PlainTextResponse(f"{new} new\n", 202)

    return routes
