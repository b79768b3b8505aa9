"""What office suites sent and no document could take, over HTTP: where it was kept (docs/reference/http-api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import NotFound
from collab.ports import Stat
from collab.web.api import utc, visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.web.api import Api
    from collab.wopi.rejected import Conflict, Rejected


@dataclass(frozen=True, slots=True)
class ConflictsDoor:
    """The route `/api/conflicts`. Who may see one document is told of that one's."""

    api: Api
    rejected: Rejected

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/api/conflicts", self.list, methods=["GET"])]

    async def list(self, request: Request) -> Response:
        """Those that somebody has to look at, newest first."""
        grant = visitor_of(request).require()
        grant.require(Role.VIEWER, *([] if grant.document is None else [grant.document]))
        try:
            document = None if grant.document is None else (await self.api.documents.find(grant.document)).id
        except NotFound:
            found = []
        else:
            sight = await self.api.rights.sight(grant)
            conflicts = await self.rejected.conflicts(document)
            found = [told(each) for each in conflicts if not grant.asks or sight.role(_stat(each)) is not None]
        return JSONResponse({"conflicts": found}, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


def _stat(conflict: Conflict) -> Stat:
    """Its document, as rights are asked for."""
    return Stat(conflict.rejection.document, conflict.path, "", 0, "", 0.0)


def told(conflict: Conflict) -> dict[str, object]:
    """A conflict as it is told everywhere."""
    rejection = conflict.rejection
    return {
        "document": rejection.document,
        "path": conflict.path,
        "copy": conflict.copy,
        "at": utc(rejection.at),
        "reason": rejection.reason,
        "by": conflict.by,
        "suite": rejection.suite,
        "size": rejection.size,
        "count": rejection.count,
    }
