"""`/api/documents/{id}/attachments`: pictures and other files beside a document. Their bytes are read as those of any file, by whoever may read the
document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Malformed
from collab.runtime.attaching import reference
from collab.web.api import json_body, text_of, utc, visitor_of
from collab.web.streams import Pieces

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.ports import Stat
    from collab.runtime.attachments import Attachments
    from collab.web.api import Api

_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class AttachmentsDoor:
    """The routes; an attachment has `limit` bytes at most. Who may read a document sees the list, who may write into it changes it."""

    api: Api
    attachments: Attachments
    limit: int

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        address = "/api/documents/{id}/attachments"
        return [
            Route(address, self.entries, methods=["GET"]),
            Route(address, self.add, methods=["POST"]),
            Route(f"{address}/copies", self.copy, methods=["POST"]),
            Route(f"{address}/{{name}}", self.discard, methods=["DELETE"]),
            Route(f"{address}/{{name}}/restoration", self.restore, methods=["POST"]),
        ]

    async def entries(self, request: Request) -> Response:
        """All of them, with whether the text names each."""
        document = await self.api.find(self.api.name(request), visitor_of(request).require(), Role.VIEWER)
        found = [_told(document, each.stat) | {"used": each.used} for each in await self.attachments.all(document)]
        return JSONResponse({"attachments": found}, headers=_HEADERS)

    async def add(self, request: Request) -> Response:
        """The body, under a name like the one that is given; or what has the same bytes already."""
        visitor = visitor_of(request)
        grant = visitor.require()
        document = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        name = request.query_params.get("name", "")
        self.api.check_name(name)
        if not name:
            raise Malformed("say with ?name= what the file is called")
        try:
            stat, made = await self.attachments.add(document, name, Pieces(request, self.limit))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        if made:
            self.api.audit("attach", grant.person, stat, visitor.address)
        return JSONResponse(_told(document, stat), 201 if made else 200, _HEADERS)

    async def copy(self, request: Request) -> Response:
        """Those of the document of which this one is a copy."""
        visitor = visitor_of(request)
        grant = visitor.require()
        document = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        source = await self.api.keep(text_of(await json_body(request, {"from"}), "from"), grant)
        count = await self.attachments.copy(source, document)
        if count:
            self.api.audit("attach", grant.person, document, visitor.address)
        return JSONResponse({"copied": count}, headers=_HEADERS)

    async def discard(self, request: Request) -> Response:
        """Into the bin; the key brings it back."""
        visitor = visitor_of(request)
        grant = visitor.require()
        document = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        name = _name(request)
        stat = await self.attachments.one(document, name)
        entry = await self.attachments.discard(document, name, by=grant.person.name)
        self.api.audit("delete", grant.person, stat, visitor.address)
        return JSONResponse({"key": entry.key, "path": entry.path}, headers=_HEADERS)

    async def restore(self, request: Request) -> Response:
        """Back from the bin."""
        visitor = visitor_of(request)
        grant = visitor.require()
        document = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        stat = await self.attachments.restore(document, text_of(await json_body(request, {"key"}), "key"))
        self.api.audit("restore", grant.person, stat, visitor.address)
        return JSONResponse(_told(document, stat), 201, _HEADERS)


def _name(request: Request) -> str:
    try:
        return unquote_to_bytes(request.path_params["name"]).decode()
    except UnicodeDecodeError as error:
        raise Malformed("the name in the address is not percent-encoded UTF-8") from error


def _told(document: Stat, stat: Stat) -> dict[str, object]:
    name = stat.path.rpartition("/")[2]
    return {
        "name": name,
        "path": stat.path,
        "reference": reference(document.path, name),
        "type": stat.type,
        "size": stat.size,
        "modified": utc(stat.modified),
    }
