"""`PUT /api/documents/{path}/content`: a file of any kind, as it comes. What is no text goes to the disk in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Changed, Exists, Malformed, NotFound
from collab.formats.bodies import most
from collab.runtime.documents import ANY
from collab.runtime.rights import require_place
from collab.storage.paths import split_new
from collab.web.api import named_base, precondition_required, read_body, visitor_of
from collab.web.content import changed
from collab.web.problems import Problem
from collab.web.streams import received

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.ports import Stat
    from collab.web.api import Api


@dataclass(frozen=True, slots=True)
class Uploads:
    """The route of uploads, of `limit` bytes at most."""

    api: Api
    limit: int

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/api/documents/{id}/content", self.put, methods=["PUT"])]

    async def put(self, request: Request) -> Response:
        """A new document with this content, or a new body for one that is there, merged from what its writer had read."""
        visitor = visitor_of(request)
        grant = visitor.require()
        path = self.api.name(request)
        new = ",".join(request.headers.getlist("if-none-match")).strip()
        if "if-match" in request.headers and not new:
            try:
                return await self._change(request, path)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
        await require_place(self.api.rights, grant, path)
        if new != "*":
            return Problem(
                428, "precondition-required", "say with If-Match which state you have read, or with If-None-Match: * that it is new"
            )
        _check_whole(request)
        try:
            await self._check_free(path)
            stat = await self._take(request, path)
        except Exists as taken:
            return Problem(412, taken.reason, taken.detail)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        self.api.audit("create", grant.person, stat, visitor.address)
        return await self.api.made(stat, grant)

    async def _change(self, request: Request, name: str) -> Response:
        visitor = visitor_of(request)
        grant = visitor.require()
        found = await self.api.find(name, grant, Role.EDITOR)
        base = named_base(request)
        if base is None:
            return precondition_required()
        _check_whole(request)
        if found.id and await self.api.documents.is_plain(found):
            stat, digest = await self._replace(request, found, base)
        else:
            body = await read_body(request, min(self.limit, most(self.api.documents.sizes, found.type)))
            stat, _ = await self.api.documents.put(found.id or found.path, body, if_match=base, writer=grant.person)
            digest = sha256(body).hexdigest()
        self.api.audit("put", grant.person, stat, visitor.address)
        return await changed(self.api, stat, grant, digest)

    async def _replace(self, request: Request, found: Stat, base: str) -> tuple[Stat, str]:
        """What is no text, if it is what the caller had read."""
        if base not in {ANY, found.etag}:
            raise Changed("This is no text, so nothing can be merged, and it is not what you have read: read it again.")
        draft = await self.api.documents.draft(found.id)
        async with received(request, draft, self.limit):
            return await self.api.documents.put_draft(found.id, draft, if_match=found.etag), draft.hash

    async def _check_free(self, path: str) -> None:
        """Before the body is read: whether it would be in vain."""
        split_new(path)
        try:
            await self.api.documents.find(path)
        except NotFound:
            folder = path.rpartition("/")[0]
            if folder:
                await self.api.documents.find(folder)
            return
        raise Exists(f"there is something of this name: {path}")

    async def _take(self, request: Request, path: str) -> Stat:
        async with received(request, await self.api.documents.draft(path), self.limit) as draft:
            return await draft.create(path)


def _check_whole(request: Request) -> None:
    """Raise for a body that is not the file itself (RFC 9110, sections 14.5 and 8.4)."""
    if "content-range" in request.headers:
        raise Malformed("a part of a file cannot be sent: send the whole")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "send the file as it is, without Content-Encoding")
