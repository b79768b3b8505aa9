"""The versions of a document, over REST."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role, color_of
from collab.errors import Malformed, NotFound
from collab.runtime.history import NAME
from collab.runtime.rights import missing, require
from collab.web.api import json_body, text_of, users_bytes, utc, visitor_of
from collab.web.content import content_type
from collab.web.sessions import JOINERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Stat, Version
    from collab.runtime.history import History
    from collab.web.api import Api

_color = lru_cache(maxsize=4096)(color_of)
MOST: Final = 500
"""Versions in one answer."""
_USUAL: Final = 100
_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class HistoryDoor:
    """The routes of versions."""

    api: Api
    history: History

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        all_ = "/api/documents/{id}/versions"
        one = all_ + "/{number}"
        return [
            Route(all_, self.entries, methods=["GET"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.rename, methods=["PATCH"]),
            Route(one + "/content", self.content, methods=["GET"]),
            Route(one + "/difference", self.difference, methods=["GET"]),
            Route(one + "/restoration", self.restore, methods=["POST"]),
            Route("/api/documents/{id}/return", self.put_back, methods=["POST"]),
        ]

    async def entries(self, request: Request) -> Response:
        """Newest first."""
        stat, _ = await self._find(request, Role.VIEWER)
        limit = min(_number(request.query_params.get("limit", str(_USUAL)), "limit"), MOST)
        before = request.query_params.get("before")
        found, more = await self.history.entries(stat.id, before=_number(before, "before") if before else None, limit=limit)
        names = await self.history.names(found)
        return JSONResponse({"versions": [item(version, names) for version in found], "more": more}, headers=_HEADERS)

    async def show(self, request: Request) -> Response:
        """One version."""
        stat, _ = await self._find(request, Role.VIEWER)
        return await self._answer(await self.history.before(stat.id, _place(request)))

    async def content(self, request: Request) -> Response:
        """The bytes of a version. They are a user's: no page of ours ever runs them."""
        stat, grant = await self._find(request, Role.VIEWER)
        await self.api.keepable(grant)
        version, body = await self.history.one(stat.id, _place(request))
        self.api.audit("download", grant.person, stat, visitor_of(request).address, f"version {version.number}")
        headers = {**_HEADERS, **users_bytes(stat), "ETag": f'"{version.hash}"', "Content-Type": content_type(stat)}
        return Response(body, headers=headers)

    async def rename(self, request: Request) -> Response:
        """What has a name is kept for ever."""
        stat, grant = await self._find(request, Role.EDITOR)
        name = _named(text_of(await json_body(request, {"name"}), "name"))
        version = await self.history.rename(stat.id, _place(request), name)
        self.api.audit("version-name", grant.person, stat, visitor_of(request).address, name)
        return await self._answer(version)

    async def difference(self, request: Request) -> Response:
        """What is in a version, or in the text as it is now, and not in another version, and the other way."""
        stat, grant = await self._find(request, Role.VIEWER)
        await self.api.keepable(grant)
        given = request.query_params.get("from")
        number = None if request.path_params["number"] == "now" else _place(request)
        other, found = await self.history.difference(stat.id, number, _number(given, "from") if given else None)
        known = {"from": other, "to": number, "changes": [{"kind": each.kind, "text": each.text} for each in found]}
        return Response(await asyncio.to_thread(JSONResponse(None).render, known), media_type="application/json", headers=_HEADERS)

    async def restore(self, request: Request) -> Response:
        """The text of a version is the text again, by an edit."""
        stat, grant = await self._find(request, Role.EDITOR)
        number, over = _place(request), request.query_params.get("over")
        restored = await self.history.restore(stat.id, number, grant.person, _number(over, "over") if over else None)
        self.api.audit("restore", grant.person, restored.stat, visitor_of(request).address, f"version {number}")
        (document,) = await self.api.items([restored.stat], grant)
        known = {**document, "version": restored.version, "before": restored.before}
        return JSONResponse(known, headers={**_HEADERS, "ETag": f'"{restored.stat.etag}"'})

    async def put_back(self, request: Request) -> Response:
        """The file of an open document was deleted outside: write it again."""
        visitor = visitor_of(request)
        grant = visitor.require()
        name = self.api.name(request)
        stat = self.api.documents.open_one(name)
        if stat is None:
            await missing(self.api.rights, grant, Role.EDITOR, name)
            raise NotFound("The document is not open any more: there is nothing to put back.")
        await require(self.api.rights, grant, stat, Role.EDITOR)
        made = await self.api.documents.put_back(stat.id)
        self.api.audit("put-back", grant.person, made, visitor.address)
        return await self.api.made(made, grant)

    async def _find(self, request: Request, role: Role) -> tuple[Stat, Grant]:
        grant = visitor_of(request).require()
        stat = await self.api.find(self.api.name(request), grant, role)
        if stat.folder:
            raise NotFound("This is a folder: it has no versions.")
        return stat, grant

    async def _answer(self, version: Version) -> Response:
        return JSONResponse(item(version, await self.history.names([version])), headers=_HEADERS)


def item(version: Version, names: Mapping[str, str]) -> dict[str, object]:
    """A version as every answer tells it. Who was erased has neither id nor name."""
    return {
        "number": version.number,
        "at": utc(version.at),
        "size": version.size,
        "etag": version.hash,
        "source": version.source,
        "writers": [_writer(writer, names) for writer in version.writers],
        "name": version.name,
    }


def _writer(writer: str, names: Mapping[str, str]) -> dict[str, str]:
    if writer not in names:
        return {"id": "", "name": "", "color": ""}
    return {"id": writer, "name": names[writer], "color": _color(writer)}


def _named(text: str) -> str:
    """One line that can be seen."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(name) > NAME:
        raise Malformed(f"a version's name has at most {NAME} characters")
    if not name.translate(JOINERS).isprintable():
        raise Malformed("a version's name has characters that can be printed")
    return name


def _place(request: Request) -> int:
    try:
        return _number(request.path_params["number"], "number")
    except Malformed:
        raise NotFound("There is no such version.") from None


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise Malformed(f"{name!r} must be a number from 0 on")
    return int(text)
