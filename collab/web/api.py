"""The REST interface: documents as resources with etags (docs/reference/http-api.md)."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import quote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Grant, Role, targets
from collab.errors import Changed, CollabError, Forbidden, Malformed, NotFound, TooLarge
from collab.runtime.attaching import document_of
from collab.runtime.rights import missing, never, nothing, nowhere, require, require_moving, require_place
from collab.web.openapi import document as openapi
from collab.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request

    from collab.about import About
    from collab.ports import Claim, Claims, Rights, Sight, Stat
    from collab.runtime.audit import Audit
    from collab.runtime.describing import Describing
    from collab.runtime.documents import Documents
    from collab.state.shelf import Shelf
    from collab.web.admission import Admission, Visitor
    from collab.web.sessions import Sessions
    from collab.wopi.templates import Templates

T = TypeVar("T")
Own: TypeAlias = "Callable[[Grant, Stat], Awaitable[None]]"
"""Told of each document and folder that somebody made."""

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""What may be shown in place: pictures that hold no script."""
SMALL_BODY = 64 * 1024
"""Bytes; larger bodies are parsed off the event loop, and only new documents may have one."""
_ESCAPED = 3
"""A character in JSON may take so many times the bytes that it takes in UTF-8 (`\\u2603`)."""

_ETAG = re.compile(r'\s*(?P<weak>W/)?(?:"(?P<quoted>[\x21\x23-\x7e\x80-\xff]*)"|(?P<bare>[A-Za-z0-9._-]+))\s*(?:,|$)')
_NOBODY: Mapping[str, Claim] = MappingProxyType({})
_NOTHING: Mapping[str, About] = MappingProxyType({})
_NOT_KEPT = {"Cache-Control": "private, no-store"}
_PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Api:
    """The routes under `/api`. Paths are matched while percent-encoded, so that `%2F` stays inside a name."""

    documents: Documents
    rights: Rights
    sessions: Sessions
    admission: Admission
    shelf: Shelf
    claims: Claims
    describing: Describing
    audit: Audit
    templates: Templates
    own: Own
    prefix: str
    limit_text: int
    limit_name: int
    view_only: Callable[[Grant], Awaitable[bool]] = never
    """Whether whoever has this grant was let in to look only."""
    around: Callable[[Grant], Awaitable[tuple[Grant, str] | None]] = nowhere
    """A grant for the folder around the document that somebody came for, and its path."""
    signed_out: Callable[[Grant], Awaitable[None]] = nothing
    """Ends what somebody came with from elsewhere."""

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/api/documents/{id}"
        return [
            Route("/api/openapi.json", self.describe, methods=["GET"]),
            Route("/api/documents", self.entries, methods=["GET"]),
            Route("/api/documents", self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.move, methods=["PATCH"]),
        ]

    # --- the interface itself

    async def describe(self, request: Request) -> Response:
        """The OpenAPI document."""
        del request
        return JSONResponse(openapi(self.prefix), headers={"Cache-Control": "no-cache"})

    # --- documents

    async def entries(self, request: Request) -> Response:
        """The entries of a folder; for who does not see all of it what they see there, or deeper."""
        grant = visitor_of(request).require()
        path = request.query_params.get("path", "").rstrip("/")
        self.check_name(path)
        among = seen_in(await self.rights.sight(grant), path)
        stats = await self.documents.list(path) if among is None else await self.only(among, path)
        held, about = await self.outside(stats), await self.describing.of(stats)
        documents = await self.items(stats, grant, held, about)
        return JSONResponse({"path": path, "writable": await self._writable(grant, path), "documents": documents}, headers=_PRIVATE)

    async def _writable(self, grant: Grant, folder: str) -> bool:
        """Whether something new may stand in the folder."""
        try:
            await require_place(self.rights, grant, f"{folder}/new" if folder else "new")
        except Forbidden:
            return False
        return True

    async def create(self, request: Request) -> Response:
        """A new file, empty, with the text given or made from a template."""
        visitor = visitor_of(request)
        grant = visitor.require()
        grant.require(Role.EDITOR, *([] if grant.document is None else [grant.document]))
        fields = await json_body(request, {"path", "content", "template"}, most=self.limit_text * _ESCAPED + SMALL_BODY)
        path = text_of(fields, "path")
        self.check_name(path)
        await require_place(self.rights, grant, path)
        template = text_of(fields, "template", "")
        stat = await self._made_from(template, path, fields) if template else await self._written(path, text_of(fields, "content", ""))
        self.audit("create", grant.person, stat, visitor.address, template)
        return await self.made(stat, grant)

    async def _written(self, path: str, text: str) -> Stat:
        body = _bytes(text)
        if len(body) > self.limit_text:
            raise TooLarge(f"the text has {len(body)} bytes; at most {self.limit_text} are taken")
        return await self.documents.create(path, body)

    async def _made_from(self, template: str, path: str, fields: Mapping[str, object]) -> Stat:
        if "content" in fields:
            raise Malformed("a new document has either content or a template")
        return await self.documents.upload(path, await self.templates.body(template, path))

    async def show(self, request: Request) -> Response:
        """What is known about the document."""
        grant = visitor_of(request).require()
        stat = await self.find(self.name(request), grant, Role.VIEWER)
        if known(request, stat):
            return Response(status_code=304, headers=tag(stat))
        (known_of,) = await self.items([stat], grant, await self._held(stat), await self.describing.of([stat]))
        return JSONResponse(known_of, headers={**tag(stat), **_NOT_KEPT})

    async def _held(self, stat: Stat) -> dict[str, Claim]:
        """Who has it open in an application outside."""
        try:
            claim = await self.claims.look(stat.id) if stat.id else None
        except CollabError:
            # Of a text that is in no file there is more to tell than this.
            claim = None
        return {} if claim is None else {stat.path: claim}

    async def outside(self, stats: Iterable[Stat]) -> dict[str, Claim]:
        """Who has which of these open in applications outside, by path. What cannot be known is left out."""
        found: dict[str, Claim] = {}
        for folder in sorted({stat.path.rpartition("/")[0] for stat in stats if stat.id}):
            with suppress(CollabError):
                found |= await self.claims.beside(folder)
        return found

    async def move(self, request: Request) -> Response:
        """Rename or move; the id stays."""
        visitor = visitor_of(request)
        grant = visitor.require()
        stat = await self.find(self.name(request), grant, Role.EDITOR)
        if_match = if_match_of(request, stat)
        if if_match is None:
            return precondition_required()
        path = text_of(await json_body(request, {"path"}), "path")
        self.check_name(path)
        await require_moving(self.rights, grant, stat, path)
        moved = await self.documents.move(stat.id or stat.path, path, if_match=if_match)
        self.audit("rename", grant.person, moved, visitor.address, stat.path)
        return await self.answer(moved, grant)

    # --- what they share

    async def items(
        self, stats: Sequence[Stat], grant: Grant, held: Mapping[str, Claim] = _NOBODY, about: Mapping[str, About] = _NOTHING
    ) -> list[dict[str, object]]:
        """What the caller is told of each that they see; `held`: who has which path open outside; `about`: what is said, by id."""
        starred, sight = await self.shelf.starred(grant.person.id), await self.rights.sight(grant)
        seen = [(stat, role) for stat in stats if (role := sight.role(stat)) is not None]
        return [item(stat, role, starred=stat.id in starred, held=held.get(stat.path), about=about.get(stat.id)) for stat, role in seen]

    async def answer(self, stat: Stat, grant: Grant, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """The document as an answer. No cache keeps it: path, role and star may be others while the content, and so the etag, is the same."""
        (body,) = await self.items([stat], grant)
        return JSONResponse(body, status, {**tag(stat), **_NOT_KEPT, **(headers or {})})

    async def made(self, stat: Stat, grant: Grant) -> Response:
        """The answer to who made the document, and owns it."""
        await self.own(grant, stat)
        return await self.answer(stat, grant, 201, {"Location": f"{self.prefix}/api/documents/{quote(stat.id, safe=':')}"})

    def name(self, request: Request) -> str:
        """The document's name: one segment of the raw path, decoded once."""
        name = segment(request, "id")
        self.check_name(name)
        return name

    def check_name(self, name: str) -> None:
        """`TooLarge` for a name over the limit."""
        if len(_bytes(name)) > self.limit_name:
            raise TooLarge(f"a name has at most {self.limit_name} bytes")

    async def find(self, name: str, grant: Grant, role: Role) -> Stat:
        """The document, for who may do this with it. Whether a name exists that a grant does not cover is not told."""
        return (await self.found(name, grant, role))[0]

    async def found(self, name: str, grant: Grant, role: Role) -> tuple[Stat, Role]:
        """The same, and what the grant's person may do with it."""
        try:
            stat = await self.documents.find(name)
        except NotFound:
            await missing(self.rights, grant, role, name)
            raise
        try:
            return stat, await require(self.rights, grant, stat, role)
        except Forbidden:
            # Attachments are read by whoever may read their document.
            document = document_of(stat.path)
            if role > Role.VIEWER or stat.folder or document is None:
                raise
            return stat, await self._reads(document, grant)

    async def _reads(self, document: str, grant: Grant) -> Role:
        """That the document may be read. Forbidden, also when there is none."""
        try:
            await require(self.rights, grant, await self.documents.find(document), Role.VIEWER)
        except NotFound as error:
            raise Forbidden("this is attached to nothing that you may read") from error
        return Role.VIEWER

    async def keep(self, name: str, grant: Grant) -> Stat:
        """The document, for who may read it and keep what they read. `Forbidden` for who was let in to look only."""
        stat = await self.find(name, grant, Role.VIEWER)
        await self.keepable(grant)
        return stat

    async def keepable(self, grant: Grant) -> None:
        """`Forbidden` for who was let in to look only."""
        if await self.view_only(grant):
            raise Forbidden("this was opened to be looked at only: it cannot be downloaded, printed or copied")

    async def only(self, among: Iterable[str], folder: str) -> list[Stat]:
        """Those that are in the folder or deeper and in no other of them, by path; what is gone is left out."""
        found = []
        for name in among:
            with suppress(NotFound):
                found.append(await self.documents.find(name))
        folders = {stat.path for stat in found if stat.folder}
        alone = [stat for stat in found if folders.isdisjoint(targets(stat.path, folder=stat.folder)[stat.folder :])]
        return sorted((stat for stat in alone if not folder or stat.path.startswith(folder + "/")), key=lambda stat: stat.path)


def seen_in(sight: Sight, folder: str) -> tuple[str, ...] | None:
    """What somebody sees who does not see the folder itself; None: all that is in it."""
    if sight.among is None or any(name in sight.among for name in targets(folder, folder=True)):
        return None
    return sight.among


def visitor_of(request: Request) -> Visitor:
    """Who the gate let in."""
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


def segment(request: Request, of: str) -> str:
    """One segment of the raw path, decoded once. Malformed."""
    raw: str = request.path_params[of]
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as e:
        raise Malformed("the name in the address is not percent-encoded UTF-8") from e


def item(stat: Stat, role: Role, *, starred: bool, held: Claim | None = None, about: About | None = None) -> dict[str, object]:
    """A document or folder as every answer tells it, to who has this role there; `held`: who has it open outside; `about`: what is said of it, of which
    tags are told.
    """
    return {
        "id": stat.id,
        "path": stat.path,
        "type": stat.type,
        "size": stat.size,
        "etag": stat.etag,
        "modified": utc(stat.modified),
        "role": role.word,
        "starred": starred,
        **({"tags": about.tags} if about is not None and about.tags else {}),
        **({} if held is None else {"held": {"by": held.by, "application": held.application, "since": utc(held.since)}}),
    }


def utc(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 writes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tag(stat: Stat) -> dict[str, str]:
    """Headers that name the state of the document."""
    return {**_PRIVATE, "ETag": f'"{stat.etag}"'} if stat.etag else dict(_PRIVATE)


def users_bytes(stat: Stat) -> dict[str, str]:
    """Headers under which no page of ours runs what a user wrote."""
    return {
        "Content-Disposition": _disposition(stat.path.rpartition("/")[2], inline=stat.type in INLINE),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


@lru_cache(maxsize=1024)
def _disposition(name: str, *, inline: bool) -> str:
    """RFC 6266, with the name in UTF-8 (RFC 8187) beside one that every client reads."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _tags(value: str) -> list[tuple[str, bool]]:
    """The entity tags of a list with whether each is weak (RFC 9110, section 8.8.3). A tag without quotes is taken as one."""
    tags, at = [], 0
    while at < len(value):
        match = _ETAG.match(value, at)
        if match is None:
            raise Malformed("an etag is written in quotes, several with commas between them")
        tags.append((match["quoted"] if match["quoted"] is not None else match["bare"], bool(match["weak"])))
        at = match.end()
    return tags


def if_match_of(request: Request, stat: Stat) -> str | None:
    """The etag that the change is for, None when the request does not say; `Changed` when it is another (RFC 9110, section 13.1.1)."""
    value = ",".join(request.headers.getlist("if-match")).strip()
    if not value or value == "*":
        return value or None
    if (stat.etag, False) not in _tags(value):
        raise Changed("the document is not the one that you have read: read it again, then repeat the change")
    return stat.etag


def matched(request: Request, etag: str) -> bool:
    """Whether the request is for what has this etag, or for whatever is there (RFC 9110, section 13.1.1)."""
    value = ",".join(request.headers.getlist("if-match")).strip()
    return value in {"", "*"} or (etag, False) in _tags(value)


def named_base(request: Request) -> str | None:
    """The etag that the caller has read, `*` for what is there now, None when the request does not say. A weak tag names no bytes: Changed."""
    value = ",".join(request.headers.getlist("if-match")).strip()
    if not value or value == "*":
        return value or None
    strong = [each for each, weak in _tags(value) if not weak]
    if not strong:
        raise Changed("a weak etag does not say what you have read: name the one that came with the content")
    return strong[0]


def known(request: Request, stat: Stat) -> bool:
    """Whether the caller has this already (RFC 9110, section 13.1.2: weak comparison)."""
    value = ",".join(request.headers.getlist("if-none-match")).strip()
    return value == "*" or any(tag == stat.etag for tag, _ in _tags(value))


def precondition_required() -> Response:
    """The refusal of a change that does not say for which state it is (RFC 6585, section 3)."""
    detail = "say with If-Match which state of the document you mean: its etag, or * for any"
    return Problem(428, "precondition-required", detail)


async def json_body(request: Request, names: set[str], *, most: int = SMALL_BODY) -> dict[str, object]:
    """The JSON object of the request, of at most so many bytes, which has no other fields than these."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send JSON, with Content-Type: application/json")
    body = await read_body(request, most)
    try:
        fields = _parsed(body) if len(body) <= SMALL_BODY else await asyncio.to_thread(_parsed, body)
    except (ValueError, RecursionError) as e:
        raise Malformed("the body is not JSON in UTF-8") from e
    if not isinstance(fields, dict):
        raise Malformed("the body must be a JSON object")
    others = sorted(set(fields) - names)
    if others:
        raise Malformed(f"the body has a field that means nothing here: {others[0]!r}")
    return fields


async def read_body(request: Request, most: int) -> bytes:
    """The body as it comes; over the limit nothing more is read, and nothing at all when it says so beforehand."""
    said = request.headers.get("content-length", "")
    body = bytearray()
    if not said.isdecimal() or int(said) <= most:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                break
        else:
            return bytes(body)
    raise TooLarge(f"the body of this request has at most {most} bytes")


def _parsed(body: bytes) -> object:
    parsed: object = json.loads(body.decode("utf-8"))
    return parsed


def text_of(fields: Mapping[str, object], name: str, default: str | None = None) -> str:
    """A field of the body that is a string. Malformed."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise Malformed(f"the body must have the field {name!r}, a string")
    return value


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise Malformed("half of a surrogate pair is no text") from e
