"""The REST interface: documents as resources with etags, and the browser's session (docs/reference/http-api.md)."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import collab
from collab.access import Grant, Role, color_of
from collab.errors import Changed, CollabError, Forbidden, Malformed, NotFound, TooLarge
from collab.runtime.rights import require, told
from collab.web.openapi import document as openapi
from collab.web.problems import Problem
from collab.web.sessions import person_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from collab.ports import Claim, Claims, Rights, Stat
    from collab.runtime.audit import Audit
    from collab.runtime.documents import Documents
    from collab.state.shelf import Shelf
    from collab.web.admission import Admission, Visitor
    from collab.web.sessions import Sessions
    from collab.wopi.templates import Templates

T = TypeVar("T")

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""What may be shown in place: pictures that hold no script."""
SMALL_BODY = 64 * 1024
"""Bytes; larger bodies are parsed off the event loop, and only new documents may have one."""
_ESCAPED = 3
"""A character in JSON may take so many times the bytes that it takes in UTF-8 (`\\u2603`)."""

_ETAG = re.compile(r'\s*(?P<weak>W/)?(?:"(?P<quoted>[\x21\x23-\x7e\x80-\xff]*)"|(?P<bare>[A-Za-z0-9._-]+))\s*(?:,|$)')
_NOBODY: Mapping[str, Claim] = MappingProxyType({})
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
    audit: Audit
    templates: Templates
    prefix: str
    limit_text: int
    limit_name: int

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/api/documents/{id}"
        return [
            Route("/api/openapi.json", self.describe, methods=["GET"]),
            Route("/api/session", self.who, methods=["GET"]),
            Route("/api/session", self.sign_in, methods=["POST"]),
            Route("/api/session", self.rename, methods=["PATCH"]),
            Route("/api/session", self.sign_out, methods=["DELETE"]),
            Route("/api/session/renewal", self.renew, methods=["POST"]),
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

    # --- the session

    async def who(self, request: Request) -> Response:
        """Who the caller is."""
        visitor = visitor_of(request)
        return self._session(visitor.require(), renamable=visitor.via == "cookie")

    async def sign_in(self, request: Request) -> Response:
        """The secret of a printed address becomes a cookie."""
        visitor = visitor_of(request)
        secret = text_of(await json_body(request, {"secret"}), "secret")
        cookie, grant = await self.sessions.redeem(secret)
        self.audit("sign-in", grant.person, None, visitor.address, grant.role.word)
        return self._keep(cookie, grant, visitor, self._session(grant, renamable=True))

    async def rename(self, request: Request) -> Response:
        """What others see of the caller, whom the operator gave no name; the same person, until the same time."""
        visitor = visitor_of(request)
        grant = visitor.require()
        if visitor.via != "cookie":
            raise Forbidden("a token's name was given with it: make another one with `collab token`")
        name = person_name(text_of(await json_body(request, {"name"}), "name"))
        cookie, renamed = self.sessions.rename(grant, name)
        self.audit("name", renamed.person, None, visitor.address, grant.person.name)
        return self._keep(cookie, renamed, visitor, self._session(renamed, renamable=True))

    async def sign_out(self, request: Request) -> Response:
        """The session ends; a copy of its cookie is worth nothing."""
        visitor = visitor_of(request)
        if visitor.grant is not None and visitor.via == "cookie":
            self.sessions.close(visitor.grant)
            self.audit("sign-out", visitor.grant.person, None, visitor.address)
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.delete_cookie(self.admission.cookie, path=self.prefix or "/")
        return response

    async def renew(self, request: Request) -> Response:
        """A new token for a page that holds one in its memory, for ten minutes at most and never beyond its first one's end."""
        grant = visitor_of(request).require()
        if grant.until is None:
            raise Forbidden("only the token of a page in a frame is renewed; make a new one with `collab token`, or sign in again")
        token, lease = self.admission.lease(grant)
        return JSONResponse({"token": token, "expires": utc(lease.expires or 0.0)}, headers={"Cache-Control": "no-store"})

    # --- documents

    async def entries(self, request: Request) -> Response:
        """The entries of a folder; for a grant of one document that document, where it is in the folder or deeper."""
        grant = visitor_of(request).require()
        path = request.query_params.get("path", "").rstrip("/")
        self.check_name(path)
        stats = await self.documents.list(path) if grant.document is None else await self.only(grant.document, path)
        held = await self.outside(stats)
        return JSONResponse({"path": path, "documents": await self.items(stats, grant, held)}, headers=_PRIVATE)

    async def create(self, request: Request) -> Response:
        """A new file, empty, with the text given or made from a template."""
        visitor = visitor_of(request)
        grant = visitor.require()
        grant.require(Role.EDITOR, *([] if grant.document is None else [grant.document]))
        fields = await json_body(request, {"path", "content", "template"}, most=self.limit_text * _ESCAPED + SMALL_BODY)
        path = text_of(fields, "path")
        self.check_name(path)
        grant.require(Role.EDITOR, path)
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
        (known_of,) = await self.items([stat], grant, await self._held(stat))
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
        moved = await self.documents.move(stat.id or stat.path, path, if_match=if_match)
        self.audit("rename", grant.person, moved, visitor.address, stat.path)
        return await self.answer(moved, grant)

    # --- what they share

    async def items(self, stats: Sequence[Stat], grant: Grant, held: Mapping[str, Claim] = _NOBODY) -> list[dict[str, object]]:
        """What the caller is told of each; `held`: who has which path open outside."""
        starred = await self.shelf.starred(grant.person.id)
        return [item(stat, grant, starred=stat.id in starred, held=held.get(stat.path)) for stat in stats]

    async def answer(self, stat: Stat, grant: Grant, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """The document as an answer. No cache keeps it: path, role and star may be others while the content, and so the etag, is the same."""
        (body,) = await self.items([stat], grant)
        return JSONResponse(body, status, {**tag(stat), **_NOT_KEPT, **(headers or {})})

    async def made(self, stat: Stat, grant: Grant) -> Response:
        """The answer to who made the document."""
        return await self.answer(stat, grant, 201, {"Location": f"{self.prefix}/api/documents/{quote(stat.id, safe=':')}"})

    def _session(self, grant: Grant, *, renamable: bool) -> JSONResponse:
        person = grant.person
        known = {
            "id": person.id,
            "name": person.name,
            "color": color_of(person.id),
            "role": grant.role.word,
            "version": collab.__version__,
            "renamable": renamable and self.sessions.renamable(grant),
        }
        return JSONResponse(known, headers={"Cache-Control": "no-store"})

    def _keep(self, cookie: str, grant: Grant, visitor: Visitor, response: Response) -> Response:
        """The browser keeps this cookie as long as it is worth something."""
        response.set_cookie(
            self.admission.cookie,
            cookie,
            max_age=self.sessions.left(grant),
            path=self.prefix or "/",
            secure=visitor.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    def name(self, request: Request) -> str:
        """The document's name: one segment of the raw path, decoded once."""
        segment: str = request.path_params["id"]
        try:
            name = unquote_to_bytes(segment).decode("utf-8")
        except UnicodeDecodeError as e:
            raise Malformed("the name in the address is not percent-encoded UTF-8") from e
        self.check_name(name)
        return name

    def check_name(self, name: str) -> None:
        """`TooLarge` for a name over the limit."""
        if len(_bytes(name)) > self.limit_name:
            raise TooLarge(f"a name has at most {self.limit_name} bytes")

    async def find(self, name: str, grant: Grant, role: Role) -> Stat:
        """The document, for who may do this with it. Whether a name exists that a grant does not cover is not told."""
        try:
            stat = await self.documents.find(name)
        except NotFound:
            grant.require(role, name)
            raise
        await require(self.rights, grant, stat, role)
        return stat

    async def only(self, name: str, folder: str) -> list[Stat]:
        """The one document that a grant is for, where it is in the folder or deeper."""
        try:
            stat = await self.documents.find(name)
        except NotFound:
            return []
        return [stat] if not folder or stat.path.startswith(folder + "/") else []


def visitor_of(request: Request) -> Visitor:
    """Who the gate let in."""
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


def item(stat: Stat, grant: Grant, *, starred: bool, held: Claim | None = None) -> dict[str, object]:
    """A document or folder as every answer tells it; `held`: who has it open outside."""
    return {
        "id": stat.id,
        "path": stat.path,
        "type": stat.type,
        "size": stat.size,
        "etag": stat.etag,
        "modified": utc(stat.modified),
        "role": told(grant.role, stat).word,
        "starred": starred,
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
