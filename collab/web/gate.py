"""The gate in front of all HTTP: it strips the path prefix, routes by the raw path, and lets in whom the admission admits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from collab.errors import CollabError, Unauthorized
from collab.runtime.acting import asked_by
from collab.web.admission import Knock
from collab.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from collab.runtime.metrics import Metrics
    from collab.runtime.signed import SignedIn
    from collab.web.admission import Admission, Visitor

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What supervisors ask for, by any host name, with the prefix or without."""

PASSED = "collab.passed"
"""In the scope of a request that another node has let in and passed on to this one."""
EDIT = "/edit/"
"""Under this each document has its page."""
READ = "/v/"
"""Under this each document has its page for readers."""


class Gate:
    """ASGI middleware; behind it `scope["path"]` is still percent-encoded and `scope["state"]["visitor"]` is a `Visitor`."""

    def __init__(  # noqa: PLR0913, PLR0917 - the surroundings
        self, app: ASGIApp, admission: Admission, signed: SignedIn, prefix: str, metrics: Metrics, beat: Callable[[], None]
    ) -> None:
        self._app = app
        self._signed = signed
        self._admission = admission
        self._prefix = prefix
        self._metrics = metrics
        self._beat = beat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or refuse."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            # Rooms have their own door; there is no other WebSocket here. A close before the handshake is HTTP 403.
            await send({"type": "websocket.close", "code": 4404, "reason": "no document is at this address"})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if PASSED in scope:
            await self._let_in(scope, receive, send)
            return
        path: str = scope["raw_path"].decode("latin-1")
        if self._prefix and path == self._prefix:
            await RedirectResponse(self._prefix + "/", 308)(scope, receive, send)
            return
        inside = path.startswith(self._prefix + "/")
        scope["path"] = own = path[len(self._prefix) :] if inside else path
        if own in PROBES:
            await self._app(scope, receive, send)
            return
        self._beat()
        try:
            framing = bool(self._admission.frames) and scope["method"] == "POST" and (own == "/" or own.startswith((EDIT, READ)))
            visitor = await self._known(self._admission.admit(_knock(scope, framing=framing)))
        except CollabError as e:
            await self._refuse(Problem.of(e), e.reason)(scope, receive, send)
            return
        if not inside:
            answer = self._refuse(Problem(404, "not-found", f"everything here is under {self._prefix}/"), "not-found")
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["visitor"] = visitor
        await self._let_in(scope, receive, send)

    async def _known(self, visitor: Visitor) -> Visitor:
        """The visitor, without the grant when the session was ended. `Unavailable`."""
        if visitor.grant is None or not visitor.grant.shared:
            return visitor
        try:
            await self._signed.of(visitor.grant)
        except Unauthorized as error:
            return replace(visitor, grant=None, refused=error)
        return visitor

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is answered is asked for by the visitor's session."""
        grant = scope["state"]["visitor"].grant
        with asked_by("" if grant is None else grant.id):
            await self._app(scope, receive, send)

    def _refuse(self, problem: Problem, reason: str) -> Problem:
        self._metrics.refused(reason)
        return problem


def _knock(scope: Scope, *, framing: bool) -> Knock:
    return Knock(
        method=scope["method"],
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=scope["headers"],
        client=scope.get("client"),
        scheme=scope["scheme"],
        framing=framing,
    )
