"""Tags and descriptions of documents over REST (docs/reference/http-api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collab.about import Change, description_of, tags_of
from collab.access import Role
from collab.errors import Changed, Malformed, NotFound, Unsupported
from collab.web.api import json_body, matched, text_of, visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from collab.about import About
    from collab.access import Grant
    from collab.ports import Stat
    from collab.runtime.describing import Describing
    from collab.web.api import Api

_HEADERS: Final = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class MetadataDoor:
    """The route `/api/documents/{id}/metadata`."""

    api: Api
    describing: Describing

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        one = "/api/documents/{id}/metadata"
        return [Route(one, self.show, methods=["GET"]), Route(one, self.change, methods=["PUT"])]

    async def show(self, request: Request) -> Response:
        """What is said about the document; `kept` tells whether the storage keeps anything of the kind."""
        stat, _ = await self._find(request, Role.VIEWER)
        try:
            about = await self.describing.get(stat)
        except Unsupported as error:
            return JSONResponse({"tags": [], "description": "", "etag": "", "kept": False, "detail": error.detail}, headers=_HEADERS)
        return _answer(about)

    async def change(self, request: Request) -> Response:
        """Fields that are left out stay as they are. With `If-Match` only what was read is changed; else the last one counts, field by field."""
        stat, grant = await self._find(request, Role.EDITOR)
        fields = await json_body(request, {"tags", "description"})
        change = Change(
            tags_of(_strings(fields["tags"])) if "tags" in fields else None,
            description_of(text_of(fields, "description")) if "description" in fields else None,
        )
        before = await self.describing.get(stat) if "if-match" in request.headers else None
        if before is not None and not matched(request, before.etag):
            raise Changed("somebody else has changed tags or description since: read them again")
        about = await self.describing.put(stat, change, before=before)
        self.api.audit("metadata", grant.person, stat, visitor_of(request).address)
        return _answer(about)

    async def _find(self, request: Request, role: Role) -> tuple[Stat, Grant]:
        grant = visitor_of(request).require()
        stat = await self.api.find(self.api.name(request), grant, role)
        if stat.folder:
            raise NotFound("this is a folder; tags and descriptions are those of documents")
        return stat, grant


def _answer(about: About) -> Response:
    told = {"tags": about.tags, "description": about.description, "etag": about.etag, "kept": True}
    return JSONResponse(told, headers={**_HEADERS, "ETag": f'"{about.etag}"'})


def _strings(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Malformed("'tags' must be a list of strings")
    return value
