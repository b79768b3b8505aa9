"""`GET /api/search`: what is found goes out at once, a line of JSON each, and whoever hangs up ends the search."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse
from starlette.routing import Route

from collab.errors import Malformed, NotFound
from collab.finding import Query
from collab.runtime.search import Found, Search, Where
from collab.web.api import item, seen_in, visitor_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from collab.ports import Sight
    from collab.runtime.search import Event, Turn, Turns
    from collab.web.api import Api

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # nginx would gather the lines of a whole search.
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True)
class SearchDoor:
    """The route of searches. `search` makes one; `turns` says when it may run."""

    api: Api
    turns: Turns
    search: Callable[[Query, Where], Search]

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/api/search", self.answer, methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """What is found, for this grant, in a folder and below."""
        grant = visitor_of(request).require()
        # What is found comes with the words around it.
        await self.api.keepable(grant)
        asked = request.query_params
        query = Query.of(asked.get("q", ""))
        if asked.get("in", Where.ALL) not in set(Where):
            raise Malformed("`in` is all, name or content")
        folder = asked.get("path", "").rstrip("/")
        self.api.check_name(folder)
        sight = await self.api.rights.sight(grant)
        events = await self._scope(self.search(query, Where(asked.get("in", Where.ALL))), seen_in(sight, folder), folder)
        starred = await self.api.shelf.starred(grant.person.id)
        turn = self.turns.turn(grant.person.id)
        return _Lines(turn, (_line(told) async for event in events if (told := _told(event, sight, starred)) is not None))

    async def _scope(self, search: Search, among: tuple[str, ...] | None, folder: str) -> AsyncIterator[Event]:
        if among is not None:
            return search.among(await self.api.only(among, folder))
        if not (await self.api.documents.find(folder)).folder:
            raise NotFound(f"this is no folder: {folder}")
        return search.below(folder)


class _Lines(StreamingResponse):
    """Lines, which are made when it is their turn, and no more when the answer is over."""

    media_type = "application/x-ndjson"

    def __init__(self, turn: Turn, lines: AsyncGenerator[bytes, None]) -> None:
        super().__init__(lines, headers=_HEADERS)
        self._turn = turn
        self._made = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and let the next search in."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.leave()

    async def stream_response(self, send: Send) -> None:
        """Send all of it, or until nobody listens."""
        await self._turn.begun.wait()
        async with aclosing(self._made):
            await super().stream_response(send)


def _told(event: Event, sight: Sight, starred: frozenset[str]) -> dict[str, object] | None:
    if isinstance(event, Found):
        role = sight.role(event.stat)
        if role is None:
            # Moved since, out of what the caller sees.
            return None
        matches = [{"line": match.line, "text": match.text, "ranges": match.ranges} for match in event.matches]
        return {"document": item(event.stat, role, starred=event.stat.id in starred), "matches": matches}
    if event.more is None:
        return {"searched": event.documents}
    return {"done": True, "searched": event.documents, "more": event.more}


def _line(told: dict[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
