"""The bytes of a document over REST: read as a whole or in part, changed by edits of what was read."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Changed, Malformed
from collab.formats.offsets import Unit
from collab.formats.patching import Replacement, patched
from collab.web import streams
from collab.web.api import SMALL_BODY, json_body, known, named_base, precondition_required, read_body, tag, users_bytes, visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Stat
from collab.web.api import Api

EDITS: Final = 10_000
"""Edits in one request."""
LONGEST: Final = 25.0
"""Seconds for which a question may wait for news: proxies cut what is silent for longer."""
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
_UNITS: Final[dict[object, Unit]] = {"code-point": Unit.POINT, "utf-16": Unit.UTF16, "utf-8": Unit.UTF8}


@dataclass(frozen=True, slots=True)
class Content:
    """The routes of a document's bytes; a new or whole body comes to `Uploads`."""

    api: Api

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        address = "/api/documents/{id}/content"
        return [
            Route(address, self.read, methods=["GET"]),
            Route(address, self.edit, methods=["PATCH"]),
            Route(address, self.offer, methods=["POST"]),
        ]

    async def read(self, request: Request) -> Response:
        """The bytes of the file, as it is or will be saved. They are a user's: no page of ours ever runs them."""
        visitor = visitor_of(request)
        grant = visitor.require()
        found, role = await self.api.found(self.api.name(request), grant, Role.VIEWER)
        await self.api.keepable(grant)
        _check_wanted(request, found)
        seconds = _patience(request)
        if known(request, found) and seconds:
            found = await self.api.documents.news(found, seconds)
        if known(request, found):
            return Response(status_code=304, headers=tag(found))
        # Who may write may come back with it, however the file is changed meanwhile.
        reader = await self.api.documents.reader(found.id or found.path, keep=role >= Role.EDITOR)
        stat = reader.stat
        headers = {**tag(stat), **users_bytes(stat), "Accept-Ranges": "bytes"}
        if request.method == "GET":
            self.api.audit("download", grant.person, stat, visitor.address)
        return streams.answer(request.method, request.headers, reader, {**headers, "Content-Type": content_type(stat)})

    async def edit(self, request: Request) -> Response:
        """Edits of the text that was read; what others did since is merged with them."""
        visitor = visitor_of(request)
        grant = visitor.require()
        found = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        base = named_base(request)
        if base is None:
            return precondition_required()
        fields = await json_body(request, {"edits", "unit"}, most=self.api.limit_text * 3 + SMALL_BODY)
        replacements, unit = _replacements(fields.get("edits")), _unit(fields.get("unit", "code-point"))
        etag, before = await self.api.documents.base(found.id, base)
        after = await asyncio.to_thread(patched, before, replacements, unit)
        stat, _ = await self.api.documents.put(found.id, after, if_match=etag, writer=grant.person)
        self.api.audit("put", grant.person, stat, visitor.address)
        return await changed(self.api, stat, grant, sha256(after).hexdigest())

    async def offer(self, request: Request) -> Response:
        """A whole text whose writer can't say what it had read, because its copy has another history (close code 4409)."""
        visitor = visitor_of(request)
        grant = visitor.require()
        found = await self.api.find(self.api.name(request), grant, Role.EDITOR)
        body = await read_body(request, 2 * self.api.limit_text + 3)
        stat, merged = await self.api.documents.offer(found.id or found.path, body, writer=grant.person)
        self.api.audit("put", grant.person, stat, visitor.address)
        return await (changed(self.api, stat, grant, sha256(body).hexdigest()) if merged else self.api.made(stat, grant))


async def changed(api: Api, stat: Stat, grant: Grant, digest: str) -> Response:
    """The answer to who changed the document with a body of this SHA-256: whether others did, too.

    Then no header names its state (RFC 9110, section 9.3.4): a script that goes on from what it sent must not name what it has not seen.
    """
    more = stat.etag != digest and not stat.etag.startswith("weak-")
    answer = await api.answer(stat, grant, headers={"X-Collab-Merged": "true" if more else "false"})
    if more:
        del answer.headers["ETag"]
    return answer


def _check_wanted(request: Request, stat: Stat) -> None:
    """Changed when the caller wants the state that it names or nothing (RFC 9110, section 13.1.1)."""
    if "if-match" in request.headers and named_base(request) not in {"*", stat.etag}:
        raise Changed("the document is another one now: read it without If-Match")


def _patience(request: Request) -> float:
    """Seconds that the caller would wait for news (RFC 7240, section 4.3)."""
    found = _WAIT.search(",".join(request.headers.getlist("prefer")))
    return min(float(found[1]), LONGEST) if found else 0.0


def content_type(stat: Stat) -> str:
    """With the charset of text."""
    return f"{stat.type}; charset=utf-8" if stat.type.startswith("text/") else stat.type


def _replacements(value: object) -> list[Replacement]:
    if not isinstance(value, list) or len(value) > EDITS:
        raise Malformed(f"'edits' must be a list of at most {EDITS} edits")
    return [_replacement(each) for each in value]


def _replacement(value: object) -> Replacement:
    if isinstance(value, dict) and set(value) == {"start", "stop", "text"}:
        start, stop, text = value["start"], value["stop"], value["text"]
        if type(start) is int and type(stop) is int and isinstance(text, str) and _whole(text):
            return Replacement(start, stop, text)
    raise Malformed("an edit is an object of 'start' and 'stop', whole numbers, and 'text', a string")


def _whole(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text) and "\0" not in text


def _unit(value: object) -> Unit:
    if not isinstance(value, str) or value not in _UNITS:
        raise Malformed("'unit' must be code-point, utf-16 or utf-8")
    return _UNITS[value]
