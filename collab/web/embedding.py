"""The editor in a frame of another origin, where the browser sends no cookie: a form posts a token, the page keeps another in its memory."""

from __future__ import annotations

import html
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from collab.access import Role
from collab.errors import CollabError, Forbidden, Malformed, NotFound
from collab.runtime.acting import asked_by
from collab.web.api import read_body, visitor_of
from collab.web.gate import EDIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from collab.web.admission import Admission
    from collab.web.api import Api
    from collab.web.pages import Pages

log = logging.getLogger("collab.web")

FORM_BYTES = 16 * 1024
"""Of a form's body; a token has at most half of it."""
_FORM = "application/x-www-form-urlencoded"
_FIELDS = 16
_NAMES = ("token", "access_token")

_REFUSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>collab</title>
<h1>This document cannot be opened here</h1>
<p>{detail}</p>
<p>Open it again from the site that shows it.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Embedding:
    """`POST /edit/<document>` for pages of the admission's `frames`; without such origins there is no route. `refused` counts by reason."""

    pages: Pages
    api: Api
    admission: Admission
    refused: Callable[[str], None]

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        if not self.admission.frames:
            return []
        return [Route(EDIT + "{id:path}", self.open, methods=["POST"]), Route("/", self.folder, methods=["POST"])]

    async def open(self, request: Request) -> Response:
        """The editor with a token of ten minutes, or words, which can be read in the frame too."""
        try:
            token, view_only = await self._token(request)
        except CollabError as error:
            self.refused(error.reason)
            log.info("%s %s: %s", request.method, error.status, error.reason)
            return self._words(error)
        return self.pages.answer("edit", visitor_of(request), frames=self.admission.frames, token=token, view_only=view_only)

    async def folder(self, request: Request) -> Response:
        """The list of files with a token of ten minutes for the folder around a document that somebody came for from a cloud, or words."""
        try:
            grant = self.admission.authorise(await posted(request))
            with asked_by(grant.id):
                around = await self.api.around(grant)
            if around is None:
                raise Forbidden("you were let in for one document; the files around it are in the site that shows it")
            token, _ = self.admission.lease(around[0])
        except CollabError as error:
            self.refused(error.reason)
            log.info("%s %s: %s", request.method, error.status, error.reason)
            return self._words(error)
        return self.pages.answer("index", visitor_of(request), frames=self.admission.frames, token=token)

    async def _token(self, request: Request) -> tuple[str, bool]:
        """A lease of the posted token for this document alone, by the id, which stays when it is renamed; and whether it is to look only."""
        grant = self.admission.authorise(await posted(request))
        with asked_by(grant.id):
            stat = await self.api.find(self.api.name(request), grant, Role.VIEWER)
        if not stat.id:
            raise NotFound("this is a folder; the form's address must be a document's")
        token, _ = self.admission.lease(replace(grant, document=stat.id))
        return token, await self.api.view_only(grant)

    def _words(self, error: CollabError) -> Response:
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; frame-ancestors {' '.join(self.admission.frames)}",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(_REFUSED.format(detail=html.escape(error.detail)), error.status, headers)


async def posted(request: Request) -> str:
    """The form's field `token`, or `access_token` as clouds call it (URL standard, section 5.1); other fields, such as a button's, mean nothing."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Malformed(f"the form must be sent as {_FORM}, as forms are unless told otherwise")
    body = await read_body(request, FORM_BYTES)
    try:
        tokens = [value for name, value in parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS) if name in _NAMES]
    except ValueError as e:
        raise Malformed("the form could not be read") from e
    if len(tokens) != 1:
        raise Malformed("the form must have one field `token`, with a token in it")
    return tokens[0].strip()
