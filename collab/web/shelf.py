"""What a person keeps at hand, on every device: documents with a star, and those opened last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import CollabError, NotFound
from collab.runtime.rights import missing
from collab.state.shelf import MISSED
from collab.web.api import item, utc, visitor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from collab.about import About
    from collab.access import Grant
    from collab.ports import Claim, Stat
    from collab.state.shelf import Kept
    from collab.web.api import Api

AT_ONCE: Final = 8
"""Documents that are looked up at the same time."""
_HEADERS: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class ShelfDoor:
    """The routes of `/api/shelf`, stars and visits. `now` gives UTC seconds since the epoch."""

    api: Api
    now: Callable[[], float]

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/api/documents/{id}"
        return [
            Route("/api/shelf", self.show, methods=["GET"]),
            Route(one + "/star", self.star, methods=["PUT"]),
            Route(one + "/star", self.unstar, methods=["DELETE"]),
            Route(one + "/visit", self.visit, methods=["PUT"]),
        ]

    async def show(self, request: Request) -> Response:
        """Everything on the caller's shelf that is there and that they see, newest first."""
        grant = visitor_of(request).require()
        kept = await self.api.shelf.kept(grant.person.id)
        stats = await self._found(kept)
        await self._tidy(grant, kept, stats)
        sight = await self.api.rights.sight(grant)
        seen = [(each, stat, role) for each in kept if (stat := stats.get(each.document)) and (role := sight.role(stat)) is not None]
        held = await self.api.outside(stat for _, stat, _ in seen)
        about = await self.api.describing.of([stat for _, stat, _ in seen])
        starred = [
            (each.starred, item(stat, role, starred=True, held=held.get(stat.path), about=about.get(stat.id)))
            for each, stat, role in seen
            if each.starred is not None
        ]
        recent = [
            (each.opened, _opened(each, stat, role, held.get(stat.path), about.get(stat.id)))
            for each, stat, role in seen
            if each.opened is not None
        ]
        return JSONResponse({"starred": _newest(starred), "recent": _newest(recent)}, headers=_HEADERS)

    async def star(self, request: Request) -> Response:
        """The document gets the caller's star."""
        grant = visitor_of(request).require()
        stat = await self._document(request, grant)
        await self.api.shelf.star(grant.person.id, stat.id, self.now())
        return _done()

    async def unstar(self, request: Request) -> Response:
        """The document has it no more, also when it is gone."""
        grant = visitor_of(request).require()
        name = self.api.name(request)
        try:
            name = (await self.api.find(name, grant, Role.VIEWER)).id
        except NotFound:
            await missing(self.api.rights, grant, Role.VIEWER, name)
        await self.api.shelf.unstar(grant.person.id, name)
        return _done()

    async def visit(self, request: Request) -> Response:
        """The caller has opened the document just now."""
        grant = visitor_of(request).require()
        stat = await self._document(request, grant)
        await self.api.shelf.visit(grant.person.id, stat.id, self.now())
        return _done()

    async def _document(self, request: Request, grant: Grant) -> Stat:
        stat = await self.api.find(self.api.name(request), grant, Role.VIEWER)
        if not stat.id:
            raise NotFound("this is a folder; only documents are kept at hand")
        return stat

    async def _found(self, kept: Sequence[Kept]) -> dict[str, Stat | None]:
        """What is there; None for what is gone. A document that cannot be looked at just now is left out of both."""
        places = asyncio.Semaphore(AT_ONCE)

        async def find(document: str) -> tuple[str, Stat | None] | None:
            async with places:
                try:
                    return document, await self.api.documents.find(document)
                except NotFound:
                    return document, None
                except CollabError:
                    return None

        found = dict(filter(None, await asyncio.gather(*(find(each.document) for each in kept))))
        current = await self.api.documents.current([stat for stat in found.values() if stat is not None])
        return {**found, **{stat.id: stat for stat in current}}

    async def _tidy(self, grant: Grant, kept: Sequence[Kept], stats: dict[str, Stat | None]) -> None:
        """Remember since when a document is gone, if that is news, and forget what is gone for long."""
        now = self.now()
        looked = [each for each in kept if each.document in stats]
        gone = [each.document for each in looked if stats[each.document] is None and (each.missing is None or now - each.missing >= MISSED)]
        back = [each.document for each in looked if stats[each.document] is not None and each.missing is not None]
        if gone or back:
            await self.api.shelf.tidy(grant.person.id, gone=gone, back=back, now=now)


def _newest(told: list[tuple[float, dict[str, object]]]) -> list[dict[str, object]]:
    return [each for _, each in sorted(told, key=itemgetter(0), reverse=True)]


def _opened(kept: Kept, stat: Stat, role: Role, held: Claim | None, about: About | None) -> dict[str, object]:
    return {**item(stat, role, starred=kept.starred is not None, held=held, about=about), "opened": utc(kept.opened or 0.0)}


def _done() -> Response:
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
