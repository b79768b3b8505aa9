"""Office suites and templates over REST: what there is, and with what a page opens a document (docs/reference/http-api.md)."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import CollabError, NotFound
from collab.web.api import json_body, text_of, visitor_of
from collab.wopi.launch import ROLES

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Claims, Stat
    from collab.web.api import Api
    from collab.wopi.launch import Launcher

log = logging.getLogger("collab.web")

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class OfficeDoor:
    """The routes `/api/office`, `/api/documents/{id}/office` and `/api/templates`."""

    api: Api
    launcher: Launcher
    claims: Claims

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/api/documents/{id}/office"
        return [
            Route("/api/office", self.suites, methods=["GET"]),
            Route("/api/templates", self.templates, methods=["GET"]),
            Route(one, self.openings, methods=["GET"]),
            Route(one, self.launch, methods=["POST"]),
        ]

    async def suites(self, request: Request) -> Response:
        """All suites, how they are, and what they do with files of which extension."""
        grant = visitor_of(request).require()
        told = [
            {
                "name": office.name,
                "product": office.product,
                "healthy": office.healthy,
                # What is wrong with it has names of hosts: it is for whoever can mend it.
                **({"detail": office.detail} if grant.role is Role.OWNER and grant.document is None and not grant.asks else {}),
                "actions": [{"action": action, "ext": ext} for action, ext in self.launcher.kinds(office)],
            }
            for office in self.launcher.suites.offices
        ]
        return JSONResponse({"suites": told}, headers=NO_STORE)

    async def templates(self, request: Request) -> Response:
        """What new documents are made from."""
        visitor_of(request).require()
        offered = await self.api.templates.offered()
        return JSONResponse([{"name": each.name, "title": each.title, "type": each.type} for each in offered], headers=NO_STORE)

    async def openings(self, request: Request) -> Response:
        """Which suites open the document for the caller, and who else has it open."""
        grant = visitor_of(request).require()
        stat = await self._document(request, grant, Role.VIEWER)
        actions = [
            {"suite": office.name, "action": name, **({"icon": action.icon} if self.launcher.suites.hosts.know(action.icon) else {})}
            for office, name, action in self.launcher.openings(stat, await self.api.rights.role(grant, stat))
        ]
        return JSONResponse({"actions": actions, **await self._locked(stat)}, headers=NO_STORE)

    async def launch(self, request: Request) -> Response:
        """The document opens in a suite: address and token. The same again renews the token."""
        visitor = visitor_of(request)
        grant = visitor.require()
        fields = await json_body(request, {"suite", "action", "lang"})
        suite, action = text_of(fields, "suite"), text_of(fields, "action")
        stat = await self._document(request, grant, ROLES.get(action, Role.VIEWER))
        launch = self.launcher.launch(grant, stat, suite, action, text_of(fields, "lang", ""))
        self.api.audit("office", grant.person, stat, visitor.address, f"{suite} {action}")
        return JSONResponse(asdict(launch), headers=NO_STORE)

    async def _document(self, request: Request, grant: Grant, role: Role) -> Stat:
        stat = await self.api.find(self.api.name(request), grant, role)
        if not stat.id:
            raise NotFound("this is a folder; office suites open files")
        return stat

    async def _locked(self, stat: Stat) -> dict[str, object]:
        """Who has it open outside; nothing when nobody has, or that cannot be known."""
        try:
            claim = await self.claims.look(stat.id)
        except CollabError as error:
            log.warning("nobody knows who has %s open outside: %s", stat.id, error.detail)
            return {}
        return {} if claim is None else {"locked": {"by": claim.by, "application": claim.application}}
