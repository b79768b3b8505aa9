"""Folders and the bin over HTTP: what is deleted there can be brought back (docs/reference/http-api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Forbidden, NotFound
from collab.ports import Stat
from collab.runtime.bin import GONE
from collab.runtime.rights import folder_at, require_moving, require_place
from collab.web.api import if_match_of, json_body, precondition_required, text_of, utc, visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Binned, Sight
    from collab.runtime.bin import Trash
    from collab.runtime.folders import Tree
    from collab.web.admission import Visitor
    from collab.web.api import Api

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class BinApi:
    """The routes of `/api/bin` and `/api/folders`, and the deletion of documents. Who may only see one document has none but the last."""

    api: Api
    trash: Trash
    tree: Tree

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [
            Route("/api/documents/{id}", self.delete, methods=["DELETE"]),
            Route("/api/folders", self.make, methods=["POST"]),
            Route("/api/folders/{id}", self.move_folder, methods=["PATCH"]),
            Route("/api/folders/{id}", self.delete_folder, methods=["DELETE"]),
            Route("/api/bin", self.entries, methods=["GET"]),
            Route("/api/bin/{key}/restoration", self.restore, methods=["POST"]),
            Route("/api/bin/{key}", self.purge, methods=["DELETE"]),
        ]

    async def delete(self, request: Request) -> Response:
        """The document goes into the bin."""
        visitor = visitor_of(request)
        grant = visitor.require()
        stat = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        if_match = if_match_of(request, stat)
        if if_match is None:
            return precondition_required()
        await require_moving(self.api.rights, grant, stat)
        entry = await self.trash.discard(stat.id or stat.path, if_match=if_match, by=grant.person.name)
        self.api.audit("delete", grant.person, stat, visitor.address)
        return self._binned(entry)

    # --- folders

    async def make(self, request: Request) -> Response:
        """An empty folder."""
        visitor, grant = _editor(request)
        path = text_of(await json_body(request, {"path"}), "path")
        self.api.check_name(path)
        await require_place(self.api.rights, grant, path)
        made = await self.tree.make(path)
        self.api.audit("create", grant.person, made, visitor.address)
        await self.api.own(grant, made)
        return await self.api.answer(made, grant, 201)

    async def move_folder(self, request: Request) -> Response:
        """Rename or move a folder with all in it."""
        visitor, grant = _editor(request)
        folder = await self._folder(request, grant)
        path = text_of(await json_body(request, {"path"}), "path")
        self.api.check_name(path)
        await require_moving(self.api.rights, grant, folder, path)
        moved = await self.tree.move(folder.path, path)
        self.api.audit("rename", grant.person, moved, visitor.address, folder.path)
        return await self.api.answer(moved, grant)

    async def delete_folder(self, request: Request) -> Response:
        """The folder goes into the bin with all in it, as one entry."""
        visitor, grant = _editor(request)
        folder = await self._folder(request, grant)
        await require_moving(self.api.rights, grant, folder)
        entry = await self.trash.discard_folder(folder.path, by=grant.person.name)
        self.api.audit("delete", grant.person, folder, visitor.address)
        return self._binned(entry)

    async def _folder(self, request: Request, grant: Grant) -> Stat:
        stat = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        if not stat.folder:
            raise NotFound("this is no folder: a document is moved and deleted under /api/documents")
        return stat

    # --- the bin

    async def entries(self, request: Request) -> Response:
        """What is in the bin and was the caller's to throw away, newest first."""
        _, grant = _editor(request)
        sight = await self.api.rights.sight(grant)
        entries = [entry for entry in await self.trash.entries() if not grant.asks or _seen(sight, entry)]
        return JSONResponse({"entries": [self._entry(entry) for entry in entries]}, headers=_HEADERS)

    async def restore(self, request: Request) -> Response:
        """Back to where it was, or to a path that is given."""
        visitor, grant = _editor(request)
        fields = await json_body(request, {"path"})
        path = text_of(fields, "path") if "path" in fields else None
        await self._own(request, grant)
        if path is not None:
            self.api.check_name(path)
            await require_place(self.api.rights, grant, path)
        entry, stat = await self.trash.restore(request.path_params["key"], path)
        self.api.audit("restore", grant.person, stat, visitor.address, entry.path)
        return await self.api.answer(stat, grant, 201)

    async def purge(self, request: Request) -> Response:
        """Gone for good."""
        visitor, grant = _editor(request)
        await self._own(request, grant)
        entry = await self.trash.purge(request.path_params["key"])
        self.api.audit("purge", grant.person, _stat(entry), visitor.address)
        return Response(status_code=204, headers=_HEADERS)

    async def _own(self, request: Request, grant: Grant) -> None:
        """NotFound for an entry that the caller is not shown."""
        if not grant.asks:
            return
        sight, key = await self.api.rights.sight(grant), request.path_params["key"]
        if not any(entry.key == key and _seen(sight, entry) for entry in await self.trash.entries()):
            raise NotFound(GONE)

    def _entry(self, entry: Binned) -> dict[str, object]:
        return {
            "key": entry.key,
            "path": entry.path,
            "type": entry.type,
            "size": entry.size,
            "deleted": utc(entry.deleted),
            "by": entry.by,
            "until": self._until(entry),
        }

    def _until(self, entry: Binned) -> str | None:
        until = self.trash.until(entry)
        return None if until is None else utc(until)

    def _binned(self, entry: Binned) -> Response:
        told = {"key": entry.key, "path": entry.path, "until": self._until(entry)}
        return JSONResponse(told, headers=_HEADERS)


def _editor(request: Request) -> tuple[Visitor, Grant]:
    """Who may change any document. Forbidden."""
    visitor = visitor_of(request)
    grant = visitor.require()
    if grant.document is not None:
        raise Forbidden("your token or session is for one document; folders and the bin are for those who see all of them")
    grant.require(Role.EDITOR)
    return visitor, grant


def _seen(sight: Sight, entry: Binned) -> bool:
    """Whether it was the caller's to throw away: an editor of the folder around, or its owner. A deleted folder's shares wait for it under `/`."""
    around = sight.role(folder_at(entry.path.rpartition("/")[0]))
    itself = sight.role(folder_at(f"/{entry.path}") if entry.folder else _stat(entry))
    return (around or 0) >= Role.EDITOR or (itself or 0) >= Role.OWNER


def _stat(entry: Binned) -> Stat:
    """What an audit line says of something that is gone."""
    document = "" if entry.folder else "".join(entry.documents[:1])
    return Stat(document, entry.path, entry.type, entry.size, "", entry.deleted, folder=entry.folder)
