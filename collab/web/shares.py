"""Sharing over REST: who was given what on a document or folder, and with whom it can be shared (docs/reference/http-api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import Forbidden, Malformed
from collab.runtime.given import is_guest
from collab.web.api import json_body, text_of, utc, visitor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Shared, SharingDesk, Stat
    from collab.web.api import Api

LEAST = 2
"""Characters of a question for people: nobody is told everybody."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class SharesDoor:
    """The routes of shares and people. `desk` is for whoever has the grant; `needs` is the role of who comes to it, which then says more itself."""

    api: Api
    desk: Callable[[Grant], SharingDesk]
    needs: Role
    narrow: bool = False
    """Whose grant is for one document may look for people, too."""

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [
            Route("/api/people", self.people, methods=["GET"]),
            *(
                route
                for address in ("/api/documents/{id}/shares", "/api/shares")
                for route in (
                    Route(address, self.entries, methods=["GET"]),
                    Route(address, self.give, methods=["POST"]),
                    Route(address + "/{share}", self.change, methods=["PATCH"]),
                    Route(address + "/{share}", self.take, methods=["DELETE"]),
                )
            ),
        ]

    async def entries(self, request: Request) -> Response:
        """What was given, and what can be."""
        stat, _, desk = await self._opened(request)
        offers = await desk.offers(stat)
        allowed = {
            "person": offers.person,
            "group": offers.group,
            "link": offers.link,
            "password": offers.password,
            "expires": offers.expires,
            "uses": offers.uses,
            "roles": [role.word for role in offers.roles],
        }
        return JSONResponse({"shares": [told(share) for share in await desk.shares(stat)], "allowed": allowed}, headers=_HEADERS)

    async def give(self, request: Request) -> Response:
        """A role for a person, a group, or whoever has a link."""
        stat, grant, desk = await self._opened(request)
        fields = await json_body(request, {"kind", "id", "role", "expires", "password", "uses"})
        kind, role, expires = text_of(fields, "kind"), _role(text_of(fields, "role")), _moment(fields.get("expires"))
        if kind == "link":
            if "id" in fields:
                raise Malformed("a link has no 'id': it gets one")
            made = await desk.link(stat, role, expires, text_of(fields, "password", ""), _uses(fields.get("uses")))
        else:
            if fields.keys() & {"password", "uses"}:
                raise Malformed("'password' and 'uses' are of links")
            made = await desk.give(stat, kind, text_of(fields, "id"), role, expires)
        self._audit("share", request, grant, stat, made)
        return JSONResponse(told(made), 201, _HEADERS)

    async def change(self, request: Request) -> Response:
        """Another role, another end."""
        stat, grant, desk = await self._opened(request)
        fields = await json_body(request, {"role", "expires"})
        if not fields:
            raise Malformed("say what is to change: 'role', 'expires' or both")
        role = _role(text_of(fields, "role")) if "role" in fields else None
        ends, expires = "expires" in fields, _moment(fields.get("expires"))
        changed = await desk.change(stat, request.path_params["share"], role=role, ends=ends, expires=expires)
        self._audit("share-change", request, grant, stat, changed)
        return JSONResponse(told(changed), headers=_HEADERS)

    async def take(self, request: Request) -> Response:
        """It counts no more."""
        stat, grant, desk = await self._opened(request)
        self._audit("share-end", request, grant, stat, await desk.take(stat, request.path_params["share"]))
        return Response(status_code=204, headers=_HEADERS)

    async def people(self, request: Request) -> Response:
        """With whom something can be shared."""
        grant = visitor_of(request).require()
        if is_guest(grant.person.id) or (grant.document is not None and not self.narrow):
            raise Forbidden("who is here is told to those who have signed in for all that is theirs")
        words = " ".join(request.query_params.get("query", "").split())
        if not LEAST <= len(words) <= 100:
            raise Malformed(f"'query' has at least {LEAST} letters of a name, and at most 100")
        found = [_subject(each) for each in await self.desk(grant).parties(words)]
        return JSONResponse({"people": found}, headers=_HEADERS)

    async def _opened(self, request: Request) -> tuple[Stat, Grant, SharingDesk]:
        grant = visitor_of(request).require()
        name = self.api.name(request) if "id" in request.path_params else ""
        return await self.api.find(name, grant, self.needs), grant, self.desk(grant)

    def _audit(self, event: str, request: Request, grant: Grant, stat: Stat, share: Shared) -> None:
        whom = share.kind if share.kind == "link" else f"{share.kind} {share.party}"
        role = "" if share.role is None else share.role.word
        self.api.audit(event, grant.person, stat, visitor_of(request).address, f"{whom} {role}".strip())


def told(share: Shared) -> dict[str, object]:
    """A share as every answer tells it."""
    return {
        "id": share.id,
        "subject": _subject(share),
        "role": None if share.role is None else share.role.word,
        "expires": None if share.expires is None else utc(share.expires),
        "made": None if share.made is None else utc(share.made),
        "inherited_from": share.inherited,
        "password": share.password,
        "uses_left": share.uses,
        **({"address": share.address} if share.address else {}),
    }


def _subject(share: Shared) -> Mapping[str, str]:
    return {"kind": share.kind, "id": share.party, "name": share.name, **({"detail": share.detail} if share.detail else {})}


def _role(word: str) -> Role:
    try:
        return Role.of(word)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _moment(value: object) -> float | None:
    """UTC seconds of a time as RFC 3339 writes it, None for none."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) < 64 else None
        if moment is not None and moment.tzinfo is not None:
            return moment.timestamp()
    except (ValueError, OverflowError):
        pass
    raise Malformed("'expires' is a time as RFC 3339 writes it, as 2030-01-31T12:00:00Z, or null")


def _uses(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Malformed("'uses' is a whole number, or null")
