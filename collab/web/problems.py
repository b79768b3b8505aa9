"""Errors as problem details (RFC 9457): one form for every answer that is not a success."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match, Route

from collab.errors import CollabError, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from collab.runtime.metrics import Metrics

log = logging.getLogger("collab.web")

_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The body is larger than this address takes.",
}


class Problem(JSONResponse):
    """A refusal in words for people (`detail`) and in a word for programs (`reason`)."""

    media_type = "application/problem+json"

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        title = HTTPStatus(status).phrase
        content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "reason": reason}
        super().__init__(content, status, {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})})

    @classmethod
    def of(cls, error: CollabError) -> Problem:
        """The error's own status, reason and words; 401 tells how to sign in (RFC 6750, section 3)."""
        headers = {"WWW-Authenticate": 'Bearer realm="collab"'} if isinstance(error, Unauthorized) else None
        return cls(error.status, error.reason, error.detail, headers)


def handlers(metrics: Metrics) -> Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """Starlette's exception handlers; refusals and failures are counted."""

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, CollabError):
            raise error
        metrics.refused(error.reason)
        log.info("%s %s: %s", request.method, error.status, error.reason)
        return Problem.of(error)

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        status = HTTPStatus(error.status_code)
        detail = error.detail if error.detail != status.phrase else _DETAILS.get(status, status.description or status.phrase)
        reason = status.phrase.lower().replace(" ", "-")
        metrics.refused(reason)
        headers = {"Allow": _allowed(request)} if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
        return Problem(status, reason, detail, headers)

    async def failed(request: Request, error: Exception) -> Response:
        del request, error  # the server logs it with its traceback
        metrics.failed("request")
        return Problem(500, "error", "The server failed at this; what went wrong is in its log. Try again.")

    return {CollabError: refused, HTTPException: http, Exception: failed}


def _allowed(request: Request) -> str:
    """The methods of all routes at this address; Starlette names those of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in routes for method in route.methods or ()}))
