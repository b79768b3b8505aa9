"""The versions that the storage keeps by itself, over REST: a cloud's, beside ours (docs/reference/http-api.md)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Denied, Malformed, NotFound
from collab.runtime.storage_history import BEFORE, NOTHING, NOW
from collab.web.api import segment, users_bytes, utc, visitor_of
from collab.web.content import content_type

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Stat
    from collab.runtime.storage_history import StorageHistories
    from collab.web.api import Api

MOST: Final = 1000
"""Versions in one answer, the newest."""
_HEADERS: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class StorageVersionsDoor:
    """The routes of `/api/documents/{id}/storage-versions`."""

    api: Api
    histories: StorageHistories

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        all_ = "/api/documents/{id}/storage-versions"
        one = all_ + "/{key}"
        return [
            Route(all_, self.entries, methods=["GET"]),
            Route(one + "/content", self.content, methods=["GET"]),
            Route(one + "/difference", self.difference, methods=["GET"]),
            Route(one + "/restoration", self.restore, methods=["POST"]),
        ]

    async def entries(self, request: Request) -> Response:
        """Newest first; where there are none to see, why."""
        stat, _ = await self._find(request, Role.VIEWER)
        told: dict[str, object] = {
            "kept": self.histories.kept,
            "may_restore": False,
            "versions": [],
            "more": False,
            "reason": "",
            "detail": "",
        }
        if self.histories.kept:
            try:
                found = await self.histories.entries(stat)
            except Denied as error:
                told |= {"reason": error.reason, "detail": error.detail}
            else:
                shown = [{"key": each.key, "at": utc(each.at), "size": each.size} for each in found.versions[:MOST]]
                told |= {"may_restore": found.may_restore, "versions": shown, "more": len(found.versions) > MOST}
        return JSONResponse(told, headers=_HEADERS)

    async def content(self, request: Request) -> Response:
        """The bytes of one. They are a user's: no page of ours ever runs them."""
        stat, grant = await self._find(request, Role.VIEWER)
        await self.api.keepable(grant)
        body = await self.histories.content(stat, _key(request))
        self.api.audit("download", grant.person, stat, visitor_of(request).address, "version of the storage")
        return Response(body, headers={**_HEADERS, **users_bytes(stat), "Content-Type": content_type(stat)})

    async def difference(self, request: Request) -> Response:
        """What came with it, or what has happened since, or its text alone."""
        stat, grant = await self._find(request, Role.VIEWER)
        await self.api.keepable(grant)
        against = request.query_params.get("against", BEFORE)
        if against not in {BEFORE, NOW, NOTHING}:
            raise Malformed("`against` is before, now or none")
        found = await self.histories.difference(stat, _key(request), against)
        known = {"changes": [{"kind": each.kind, "text": each.text} for each in found]}
        return Response(await asyncio.to_thread(JSONResponse(None).render, known), media_type="application/json", headers=_HEADERS)

    async def restore(self, request: Request) -> Response:
        """Its text is the text again, by an edit."""
        stat, grant = await self._find(request, Role.EDITOR)
        made = await self.histories.restore(stat, _key(request), grant.person)
        self.api.audit("restore", grant.person, made.stat, visitor_of(request).address, "version of the storage")
        (document,) = await self.api.items([made.stat], grant)
        restored = made.restored
        known = {**document, "version": restored and restored.version, "before": restored and restored.before}
        return JSONResponse(known, headers={**_HEADERS, "ETag": f'"{made.stat.etag}"'})

    async def _find(self, request: Request, role: Role) -> tuple[Stat, Grant]:
        grant = visitor_of(request).require()
        stat = await self.api.find(self.api.name(request), grant, role)
        if stat.folder:
            raise NotFound("This is a folder: it has no versions.")
        return stat, grant


def _key(request: Request) -> str:
    return segment(request, "key")
