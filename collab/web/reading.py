"""Documents for readers: `/v/<document>`, its stream of changes, and what lets a device keep it (docs/how-to/read-on-a-phone.md)."""

from __future__ import annotations

import gzip
import hmac
import json
import logging
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

import collab
from collab.access import Role
from collab.errors import CollabError, NotFound
from collab.reading import RENDERER
from collab.reading.words import language_of
from collab.runtime.acting import asked_by
from collab.runtime.rights import require
from collab.web import reading_page
from collab.web.api import visitor_of
from collab.web.embedding import posted
from collab.web.event_stream import Stream
from collab.web.gate import READ
from collab.web.pages import takes
from collab.web.reading_page import Kind, Looks

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from collab.access import Grant
    from collab.ports import Stat
    from collab.runtime.following import Followers
    from collab.runtime.reading import Read, Readings
    from collab.web.api import Api
    from collab.web.pages import Asset, Pages

log = logging.getLogger("collab.web")

RECENT: Final = 30
"""Documents on the first page."""
CHOSEN: Final = "collab_language"
"""The cookie by which our other pages tell the language that a person has chosen there."""
_HEADERS: Final = {
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
}
_WORKER_POLICY: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"
_EVENTS: Final = "text/event-stream"


@dataclass(slots=True)
class ReadingDoor:
    """The routes of readers. `secret` makes nonces and the names under which a browser keeps a person's pages; `refused` counts by reason."""

    api: Api
    pages: Pages
    readings: Readings
    followers: Followers
    secret: bytes = field(repr=False)
    refused: Callable[[str], None]
    _looks: Looks | None = field(default=None, init=False)

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        framed = [Route(READ + "{id:path}", self.framed, methods=["POST"])] if self.pages.frames else []
        return [
            Route("/sw.js", self.worker, methods=["GET"]),
            Route("/manifest.webmanifest", self.manifest, methods=["GET"]),
            Route(READ, self.home, methods=["GET"]),
            Route(READ + "{id:path}", self.read, methods=["GET"]),
            *framed,
        ]

    # --- a document

    async def read(self, request: Request) -> Response:
        """The page, or the stream of what changes in it."""
        streams = request.method == "GET" and _EVENTS in request.headers.get("accept", "").lower()
        try:
            grant = visitor_of(request).require()
            stat, role = await self._found(request, grant)
            if streams:
                return await self._stream(request, grant, stat)
            return await self._page(request, grant, stat, role)
        except CollabError as error:
            if streams or "text/html" not in request.headers.get("accept", "text/html"):
                raise
            return self._words(request, error)

    async def _found(self, request: Request, grant: Grant) -> tuple[Stat, Role]:
        stat = await self.api.find(self.api.name(request), grant, Role.VIEWER)
        if not stat.id or stat.folder:
            raise NotFound("this is a folder; open a document in it")
        # A page for readers can be copied, and is kept on a device.
        await self.api.keepable(grant)
        return stat, await require(self.api.rights, grant, stat, Role.VIEWER)

    async def _page(self, request: Request, grant: Grant, stat: Stat, role: Role) -> Response:
        kind = Kind(self._language(request), role >= Role.EDITOR)
        headers = {**_HEADERS, "X-Collab-Person": self._person(grant)}
        tag = self._tag(stat, kind, grant)
        if _known(request, tag):
            return Response(status_code=304, headers={**headers, "ETag": tag})
        read = await self.readings.read(stat)
        # What was rendered may be older or newer than what was found.
        tag = self._tag(read.stat, kind, grant)
        headers["ETag"] = tag
        if _known(request, tag):
            return Response(status_code=304, headers=headers)
        self.api.audit("read", grant.person, read.stat, visitor_of(request).address)
        nonce = self._nonce(read, kind)
        headers |= self._shown(nonce)
        zipped = takes("gzip", request.headers.get("accept-encoding", ""))

        def make() -> bytes:
            return reading_page.page(read.stat, read.rendering, kind, self.looks, nonce=nonce).encode("utf-8", "replace")

        plain = read.page(kind, make)
        body = read.page((kind, "gzip"), lambda: gzip.compress(plain, 6, mtime=0)) if zipped else plain
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers={**headers, "Content-Type": "text/html; charset=utf-8"})

    async def _stream(self, request: Request, grant: Grant, stat: Stat) -> Response:
        self.followers.full()
        read = await self.readings.read(stat)
        has = request.headers.get("last-event-id", "")[:64]
        language = self._language(request)
        return Stream(lambda line: self.followers.follow(read, grant, line, language, has))

    async def framed(self, request: Request) -> Response:
        """The page in a frame of another site, with a token of ten minutes for its script; or words, which can be read in the frame too."""
        try:
            grant = self.api.admission.authorise(await posted(request))
            with asked_by(grant.id):
                stat, _ = await self._found(request, grant)
                token, _ = self.api.admission.lease(replace(grant, document=stat.id))
                read = await self.readings.read(stat)
        except CollabError as error:
            self.refused(error.reason)
            return self._words(request, error)
        kind = Kind(self._language(request), edits=False, framed=True)
        nonce = _coded(self.pages.random(16))
        headers = {**_HEADERS, "Cache-Control": "no-store", **self._shown(nonce)}
        made = reading_page.page(read.stat, read.rendering, kind, self.looks, nonce=nonce, token=token)
        return Response(made.encode("utf-8", "replace"), headers={**headers, "Content-Type": "text/html; charset=utf-8"})

    def _words(self, request: Request, error: CollabError) -> Response:
        self.refused(error.reason)
        log.info("%s %s: %s", request.method, error.status, error.reason)
        nonce = _coded(self.pages.random(16))
        headers = {**_HEADERS, "Cache-Control": "no-store", **self._shown(nonce)}
        # As it was asked for: what is quoted in it stays so.
        wanted = self.looks.prefix + request.scope["path"]
        body = reading_page.refusal(error, wanted, self._language(request), self.looks, nonce)
        return Response(body.encode(), error.status, {**headers, "Content-Type": "text/html; charset=utf-8"})

    # --- the application on a device

    async def home(self, request: Request) -> Response:
        """What was opened last."""
        try:
            grant = visitor_of(request).require()
        except CollabError as error:
            return self._words(request, error)
        nonce = _coded(self.pages.random(16))
        headers = {
            **_HEADERS,
            "Cache-Control": "no-store",
            **self._shown(nonce),
            "X-Collab-Person": self._person(grant),
        }
        made = reading_page.home(await self._recent(grant), self._language(request), self.looks, nonce)
        return Response(made.encode("utf-8", "replace"), headers={**headers, "Content-Type": "text/html; charset=utf-8"})

    async def _recent(self, grant: Grant) -> list[Stat]:
        kept = sorted((each for each in await self.api.shelf.kept(grant.person.id) if each.opened), key=lambda each: -(each.opened or 0.0))
        found = []
        for each in kept[:RECENT]:
            try:
                found.append(await self.api.find(each.document, grant, Role.VIEWER))
            except CollabError:
                continue
        return found

    async def worker(self, request: Request) -> Response:
        """The script that keeps pages on a device; it controls what is under `/v/` and nothing else."""
        asset = self._asset("keeper-", ".js")
        if asset is None:
            raise HTTPException(404)
        body, coding = await run_in_threadpool(asset[1].coded, request.headers.get("accept-encoding", ""))
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _WORKER_POLICY,
            "Content-Type": "text/javascript; charset=utf-8",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(body, headers={**headers, **({"Content-Encoding": coding} if coding else {})})

    async def manifest(self, request: Request) -> Response:
        """What a device is told of the application (Web Application Manifest)."""
        del request
        prefix, icons = self.api.prefix, []
        for name, sizes, media, purpose in (
            ("icon-", "any", "image/svg+xml", "any"),
            ("icon-192-", "192x192", "image/png", "any"),
            ("icon-512-", "512x512", "image/png", "any"),
            ("icon-maskable-", "512x512", "image/png", "maskable"),
        ):
            found = self._asset(name, ".svg" if sizes == "any" else ".png")
            if found is not None:
                icons.append({"src": f"{prefix}/static/{found[0]}", "sizes": sizes, "type": media, "purpose": purpose})
        said = {
            "id": prefix + READ,
            "name": "collab",
            "short_name": "collab",
            "start_url": prefix + READ,
            "scope": prefix + READ,
            "display": "standalone",
            "background_color": "#fcfcfa",
            "theme_color": "#2f6f5e",
            "icons": icons,
        }
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(json.dumps(said), headers=headers, media_type="application/manifest+json")

    # --- what pages are made of

    @property
    def looks(self) -> Looks:
        """Our own files, as far as they are built."""
        if self._looks is None:
            script, style, icon = self._asset("reader-", ".js"), self._asset("reader-", ".css"), self._asset("icon-", ".svg")
            touch = self._asset("icon-192-", ".png")
            addresses = (f"{self.api.prefix}/static/{each[0]}" if each else "" for each in (script, icon, touch))
            sheet = style[1].body.decode() if style else ""
            looks = Looks(self.api.prefix, *addresses, style=sheet, version=collab.__version__)  # type: ignore[misc]  # three of them
            if self.pages.client() is None:
                return looks
            self._looks = looks
        return self._looks

    def _asset(self, name: str, suffix: str) -> tuple[str, Asset] | None:
        client = self.pages.client()
        if client is None:
            return None
        return next(
            ((path, asset) for path, asset in client.assets.items() if path.startswith("assets/" + name) and path.endswith(suffix)), None
        )

    def _language(self, request: Request) -> str:
        chosen = request.query_params.get("lang", ""), request.cookies.get(CHOSEN, "")
        return language_of(*chosen, request.headers.get("accept-language", ""))

    def _tag(self, stat: Stat, kind: Kind, grant: Grant) -> str:
        """The state of the page (RFC 9110, section 8.8.3): weak, since it is sent in several codings."""
        looks = self.looks
        said = (RENDERER, looks.version, looks.script, looks.style, stat.etag, stat.path, kind.language, kind.edits, self._person(grant))
        return f'W/"{blake2b(repr(said).encode(), digest_size=16).hexdigest()}"'

    def _nonce(self, read: Read, kind: Kind) -> str:
        """For just this content: a browser shows what it keeps under the policy that it keeps. Whoever writes other content cannot know its nonce."""
        said = repr((read.stat.id, read.stat.etag, read.rendering.version, kind)).encode()
        return _coded(hmac.digest(self.secret, b"reader's nonce" + said, "sha256")[:16])

    def _person(self, grant: Grant) -> str:
        """Tells a browser whether what it keeps is this person's."""
        return _coded(hmac.digest(self.secret, b"reader's cache" + grant.person.id.encode(), "sha256")[:12])

    def _shown(self, nonce: str) -> dict[str, str]:
        """What may run in a page, and in whose frames it may be."""
        return {"Content-Security-Policy": self._policy(nonce), **({} if self.pages.frames else {"X-Frame-Options": "DENY"})}

    def _policy(self, nonce: str) -> str:
        """What the page may load and do: nothing that an author wrote runs, whatever a sanitiser lets through."""
        return "; ".join(
            [
                "default-src 'none'",
                f"script-src 'nonce-{nonce}'",
                f"style-src 'nonce-{nonce}'",
                "img-src 'self' data: blob:",
                "connect-src 'self'",
                "manifest-src 'self'",
                "worker-src 'self'",
                "form-action 'none'",
                "base-uri 'none'",
                "require-trusted-types-for 'script'; trusted-types collab",
                "frame-ancestors " + (" ".join(["'self'", *self.pages.frames]) if self.pages.frames else "'none'"),
            ]
        )


def _coded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _known(request: Request, tag: str) -> bool:
    """Whether the caller has this already (RFC 9110, section 13.1.2: weak comparison)."""
    value = ",".join(request.headers.getlist("if-none-match"))
    return value.strip() == "*" or tag.removeprefix("W/") in {each.strip().removeprefix("W/") for each in value.split(",")}
