"""`/wopi/iop`: what a Reva asks that was pointed here instead of at a wopiserver (docs/how-to/office-suites.md)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.errors import Unauthorized
from collab.web.api import visitor_of
from collab.web.conflicts import told
from collab.web.office import NO_STORE
from collab.wopi.iop import Wanted

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.runtime.audit import Audit
    from collab.wopi.iop import Interop
    from collab.wopi.rejected import Rejected


@dataclass(frozen=True, slots=True)
class InteropDoor:
    """The routes; without a secret there are none."""

    interop: Interop
    rejected: Rejected
    audit: Audit
    secret: str = field(repr=False)

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        if not self.secret:
            return []
        return [
            Route("/wopi/iop/openinapp", self.open, methods=["GET"]),
            Route("/wopi/iop/list", self.sessions, methods=["GET"]),
            Route("/wopi/iop/conflicts", self.conflicts, methods=["GET"]),
        ]

    async def open(self, request: Request) -> Response:
        """Where an application opens the file, with a token of ours."""
        self._check(request)
        opened = await self.interop.open(wanted := Wanted.of(request.query_params, request.headers.get("tokenheader", "").strip()))
        self.audit("office", wanted.person, opened.stat, visitor_of(request).address, f"{opened.suite} {wanted.mode}".strip())
        # All form parameters are strings there, and when the token ends is told by the caller.
        return JSONResponse({"app-url": opened.url, "form-parameters": {"access_token": opened.access_token}}, headers=NO_STORE)

    async def sessions(self, request: Request) -> Response:
        """What is open in office suites."""
        self._check(request)
        return JSONResponse({"sessions": await self.interop.sessions()}, headers=NO_STORE)

    async def conflicts(self, request: Request) -> Response:
        """What office suites sent and no document could take."""
        self._check(request)
        return JSONResponse({"conflicts": [told(each) for each in await self.rejected.conflicts()]}, headers=NO_STORE)

    def _check(self, request: Request) -> None:
        said = request.headers.get("authorization", "")
        if not hmac.compare_digest(said.encode("utf-8"), f"Bearer {self.secret}".encode()):
            raise Unauthorized("this is for who knows the secret: Authorization: Bearer, with what COLLAB_IOP_SECRET is set to")
