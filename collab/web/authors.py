"""The authors of a document, over REST: whoever may read it may see them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role, color_of
from collab.authorship import FILE, MARKS, PROGRAM, UNKNOWN
from collab.errors import Malformed, NotFound
from collab.web.api import utc, visitor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from collab.ports import Authors
    from collab.runtime.rooms import Rooms
    from collab.shares import Picture, Share
    from collab.web.api import Api

_KINDS: Final = {FILE: "file", PROGRAM: "program", UNKNOWN: "unknown"}
_FORMS: Final = frozenset({"text", "clients"})
_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class AuthorsDoor:
    """The route of authors."""

    api: Api
    rooms: Rooms
    authors: Authors

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [Route("/api/documents/{id}/authors", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Who wrote what is there, and who deleted how much."""
        grant = visitor_of(request).require()
        stat = await self.api.find(self.api.name(request), grant, Role.VIEWER)
        if stat.folder:
            raise NotFound("This is a folder: it has no authors.")
        form = request.query_params.get("runs", "text")
        if form not in _FORMS:
            raise Malformed("'runs' must be text or clients")
        picture = await self.rooms.authors(stat.id)
        names = await self.authors.names({share.author for share in picture.shares} - MARKS)
        told = await asyncio.to_thread(told_of, picture, {**names, **self._here(stat.id)}, form)
        return Response(await asyncio.to_thread(JSONResponse(None).render, told), media_type="application/json", headers=_HEADERS)

    def _here(self, document: str) -> dict[str, str]:
        """The names of those who are in the room: the archive may not have met them yet."""
        host = self.rooms.live(document)
        return {peer.person.id: peer.person.name for peer in host.members} if host is not None else {}


def told_of(picture: Picture, names: Mapping[str, str], form: str) -> dict[str, object]:
    """The answer. Runs and clients name authors by their places in the list."""
    places = {share.author: place for place, share in enumerate(picture.shares)}
    told: dict[str, object] = {"characters": picture.length, "authors": [_author(share, names) for share in picture.shares]}
    if form == "text":
        told["runs"] = [{"start": run.start, "stop": run.stop, "author": places[run.author]} for run in picture.runs]
    else:
        told["clients"] = {
            str(client): [[start, stop, places[who]] for start, stop, who, _ in spans if who in places]
            for client, spans in picture.clients.items()
        }
    return told


def _author(share: Share, names: Mapping[str, str]) -> dict[str, object]:
    """Who was erased has neither id nor name, and no colour that could tell."""
    known = share.author in names
    return {
        "kind": _KINDS.get(share.author) or ("person" if known else "erased"),
        "id": share.author if known else "",
        "name": names.get(share.author, ""),
        "color": color_of(share.author) if known else "",
        "characters": share.characters,
        "relayed": share.relayed,
        "deleted": share.deleted,
        "first": None if share.first is None else utc(share.first),
        "last": None if share.last is None else utc(share.last),
    }
