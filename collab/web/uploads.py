"""`PUT /api/documents/{path}/content`: a file of any kind, as it comes. It waits on the disk, so that memory holds one at a time."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Exists, Malformed, NotFound, TooLarge, Unavailable
from collab.web.api import named_base, precondition_required, read_body, visitor_of
from collab.web.content import changed
from collab.web.problems import Problem

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile

    from starlette.requests import Request

    from collab.ports import Stat
    from collab.web.api import Api

KEPT: Final = 1024 * 1024
"""Bytes of an upload that wait in memory; more go to the disk."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The route of uploads, of `limit` bytes at most."""

    api: Api
    limit: int
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

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
            return await self._change(request, path)
        grant.require(Role.EDITOR, path)
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
        body = await read_body(request, self.limit)
        stat, _ = await self.api.documents.put(found.id or found.path, body, if_match=base, writer=grant.person)
        self.api.audit("put", grant.person, stat, visitor.address)
        return await changed(self.api, stat, grant, body)

    async def _check_free(self, path: str) -> None:
        """Before the body is read: whether it would be in vain."""
        try:
            await self.api.documents.find(path)
        except NotFound:
            folder = path.rpartition("/")[0]
            if folder:
                await self.api.documents.find(folder)
            return
        raise Exists(f"there is something of this name: {path}")

    async def _take(self, request: Request, path: str) -> Stat:
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self.limit:
            raise self._too_large()
        with tempfile.SpooledTemporaryFile(KEPT) as file:
            await self._receive(request, file)
            async with self._turn:
                file.seek(0)
                return await self.api.documents.upload(path, await asyncio.to_thread(file.read))

    async def _receive(self, request: Request, file: SpooledTemporaryFile[bytes]) -> None:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self.limit:
                raise self._too_large()
            try:
                await asyncio.to_thread(file.write, chunk)
            except OSError as error:
                raise Unavailable(f"the file cannot be taken just now: {error.strerror}") from error

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the file is too large: at most {self.limit} bytes are taken")


def _check_whole(request: Request) -> None:
    """Raise for a body that is not the file itself (RFC 9110, sections 14.5 and 8.4)."""
    if "content-range" in request.headers:
        raise Malformed("a part of a file cannot be sent: send the whole")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "send the file as it is, without Content-Encoding")
