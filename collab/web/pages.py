"""The pages and what they load: templates with a nonce, a strict policy, and assets that never change under their name."""

from __future__ import annotations

import gzip
import html
import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import collab
from collab.reading.words import language_of
from collab.storage.paths import is_id
from collab.web.api import visitor_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request

    from collab.web.admission import Visitor

PAGES = {
    "index": "/",
    "login": "/login",
    "edit": "/edit/{name:path}",
    "present": "/present/{name:path}",
    "office": "/office/{name:path}",
    "diagram": "/diagram",
}
"""The built page behind each address."""
_NEEDED = ("index", "login", "edit")
"""Pages without which a client is not built; a client that lacks another has nothing at its address."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_BROTLI = ".br"
_SPOKEN = "login.json"
"""The words of the page where one signs in, by language and key, as the build copied them from the client's own."""
_SAYS = re.compile(r'(<[^>]*\bdata-t="([\w.]+)"[^>]*>)[^<]*')
_PACKED = frozenset({".png", ".woff2"})
_LITERAL = re.compile("__(NONCE|BASE|VERSION|TOKEN|NAME|VIEWONLY|WAYS|PROVIDER|NEXT|GO|ACCOUNT|NOTICE|WORDS)__")
_TRUSTED = "require-trusted-types-for 'script'; trusted-types collab dompurify default"
"""Markup and addresses of scripts come from these makers alone (Trusted Types): `dompurify` sanitises, `collab` names our own scripts."""
_SCRIPT_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""Of a script's own answer: it counts when the script is a worker, which has no page's policy."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_OFFICE = {**_HEADERS, "Referrer-Policy": "strict-origin"}
"""Of the page around an office suite. The suite knows our origin; from `same-origin`, browsers would make the form's origin `null`."""
_APART = {name: value for name, value in _HEADERS.items() if name != "Cross-Origin-Opener-Policy"}
"""Of the page that has no origin: an opener's policy is nothing to a frame."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>collab</title>
<h1>The web client is not built</h1>
<p>The server runs, and scripts and editors can use it. Its pages are missing.</p>
<p>In a checkout run <code>make serve</code>, which builds them, or in <code>static/</code>: <code>npm ci &amp;&amp; npm run build</code>;
this needs Node 20 or newer. An installed package brings them along. Then load this page again.</p>
</html>
"""


class Asset:
    """One built file. The build compressed it with Brotli beside it; with gzip it is compressed when the first browser wants it so."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.type = _TYPES.get(path.suffix, "application/octet-stream")
        self.packed = path.suffix in _PACKED
        self.script = path.suffix == ".js"

    @cached_property
    def body(self) -> bytes:
        """The bytes of the file."""
        return self._path.read_bytes()

    @cached_property
    def brotli(self) -> bytes | None:
        """The same in Brotli's format (RFC 7932), None when the build did not make it."""
        path = self._path.with_name(self._path.name + _BROTLI)
        return path.read_bytes() if path.is_file() else None

    @cached_property
    def zipped(self) -> bytes:
        """The same in gzip's format."""
        return gzip.compress(self.body, mtime=0)

    def coded(self, accepted: str) -> tuple[bytes, str]:
        """The bytes for who accepts these codings, and which one they have: empty for none. It may read and compress."""
        if not self.packed and takes("br", accepted) and self.brotli is not None:
            return self.brotli, "br"
        return (self.zipped, "gzip") if not self.packed and takes("gzip", accepted) else (self.body, "")


@dataclass(frozen=True, slots=True)
class Client:
    """The built web client: its templates by name, its assets by address under `/static/`, and by language what is said where one signs in."""

    pages: dict[str, str]
    assets: dict[str, Asset]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Client | None:
        """The client in the folder, None when it is not built there."""
        pages = {name: page for name in PAGES if (page := folder / f"{name}.html").is_file()}
        if not all(name in pages for name in _NEEDED):
            return None
        spoken = folder / _SPOKEN
        words = json.loads(spoken.read_text("utf-8")) if spoken.is_file() else {}
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".html", _BROTLI} and path != spoken)
        assets = {path.relative_to(folder).as_posix(): Asset(path) for path in files}
        return cls({name: page.read_text("utf-8") for name, page in pages.items()}, assets, words)


@dataclass(slots=True)
class Pages:
    """The routes of people: pages and assets. `random` gives that many bytes, for nonces; `frames` are origins that may show our pages; `suite` tells
    the origins of the office suite of a name, none of one that there is not.
    """

    folder: Path
    prefix: str
    random: Callable[[int], bytes]
    frames: Sequence[str] = ()
    suite: Callable[[str], Sequence[str]] = lambda _name: ()
    _client: Client | None = field(default=None, init=False)

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        own = {"diagram": self.diagram, "office": self.office}
        pages = [
            Route(address, own.get(name) or self._page(name), methods=["GET"], name=name)
            for name, address in PAGES.items()
            if name != "login"
        ]
        return [*pages, Route("/static/{path:path}", self.asset, methods=["GET"])]

    def client(self) -> Client | None:
        """The built client, looked for until it is there."""
        if self._client is None:
            self._client = Client.load(self.folder)
        return self._client

    async def asset(self, request: Request) -> Response:
        """A built file; its name holds a hash of its content, so it may be kept for ever. Any origin may read it: it holds nobody's words.

        Modules are fetched with CORS, also by the diagram page, whose origin is `null`.
        """
        client = self.client()
        asset = client.assets.get(request.path_params["path"]) if client else None
        if asset is None:
            raise HTTPException(404)
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Type": asset.type,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if asset.script:
            headers["Content-Security-Policy"] = _SCRIPT_POLICY
        try:
            body, coding = await run_in_threadpool(asset.coded, request.headers.get("accept-encoding", ""))
        except FileNotFoundError:
            # A newer version was installed over this one, which still runs.
            raise HTTPException(404) from None
        return Response(body, headers={**headers, **({"Content-Encoding": coding} if coding else {})})

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            return _packed(request, self.answer(name, visitor_of(request), document=request.path_params.get("name", "")))

        return page

    def answer(  # noqa: PLR0913 - what a page is made of
        self, name: str, visitor: Visitor, *, document: str = "", frames: Sequence[str] = (), token: str = "", view_only: bool = False
    ) -> Response:
        """The page of this name, for nobody's frame or for those of these origins; `token` is for the memory of its script. `view_only`: nothing can
        be taken out of it, as far as a page can see to that.

        `document` as it is in the address, percent-encoded: its name is read before any script has come.
        """
        nonce = self._nonce()
        headers = {**_HEADERS, "Content-Security-Policy": policy(nonce, visitor, frames)}
        if not frames:
            headers["X-Frame-Options"] = "DENY"
        return self._filled(name, headers, NONCE=nonce, TOKEN=token, NAME=_title(document), VIEWONLY="yes" if view_only else "")

    def login(self, request: Request, words: Mapping[str, str], *, notice: str = "", status: int = 200) -> Response:
        """The page where one signs in: ways, where to go afterwards, and what went wrong, in words of the reader's language that need no script."""
        nonce = self._nonce()
        headers = {**_HEADERS, "Content-Security-Policy": policy(nonce, visitor_of(request)), "X-Frame-Options": "DENY"}
        language = language_of(request.headers.get("accept-language", ""))
        client = self.client()
        spoken = {} if client is None else client.words.get(language, {})
        said = spoken.get(f"login.notice.{notice}", "")
        words = {**words, "NOTICE": notice if said else "", "WORDS": said, "GO": quote(words.get("NEXT", ""), safe="")}
        answer = self._filled("login", headers, say=lambda page: translated(page, language, spoken), NONCE=nonce, **words)
        if answer.status_code == HTTPStatus.OK:
            answer.status_code = status
        answer = _packed(request, answer)
        answer.headers["Vary"] = "Accept-Encoding, Accept-Language"
        return answer

    async def office(self, request: Request) -> Response:
        """The page around an office suite: the one that its address names may be shown in it, and be sent a form with a token."""
        nonce = self._nonce()
        suite = self.suite(request.query_params.get("suite", ""))
        headers = {**_OFFICE, "Content-Security-Policy": policy(nonce, visitor_of(request), suite=suite), "X-Frame-Options": "DENY"}
        return _packed(request, self._filled("office", headers, NONCE=nonce, NAME=_title(request.path_params["name"])))

    async def diagram(self, request: Request) -> Response:
        """The page that draws a diagram's source, for a frame of ours. It has no origin, no cookie, no connection: what it is sent stays there."""
        del request
        return self._filled("diagram", {**_APART, "Content-Security-Policy": diagram_policy(self.frames)})

    def _nonce(self) -> str:
        return urlsafe_b64encode(self.random(16)).rstrip(b"=").decode()

    def _filled(self, name: str, headers: dict[str, str], *, say: Callable[[str], str] = str, **words: str) -> Response:
        """The template as it is to be said, with its words; 503 without a built client, 404 when it lacks this page."""
        client = self.client()
        if client is None:
            return HTMLResponse(_NOT_BUILT, 503, headers)
        if name not in client.pages:
            raise HTTPException(404)
        values = {"BASE": self.prefix, "VERSION": collab.__version__, **words}
        page = say(client.pages[name])
        return HTMLResponse(_LITERAL.sub(lambda literal: html.escape(values.get(literal[1], "")), page), headers=headers)


def translated(page: str, language: str, words: Mapping[str, str]) -> str:
    """The template in this language: each element that names its message (`data-t`) says it; one that has none stays as it is."""
    if not words:
        return page
    page = page.replace('<html lang="en">', f'<html lang="{language}">', 1)
    return _SAYS.sub(lambda found: found[1] + html.escape(words[found[2]]) if found[2] in words else found[0], page)


def _title(document: str) -> str:
    """The last part of a path; nothing for an id, which says nothing to people."""
    name = unquote(document, errors="replace")
    return "" if is_id(name) else name.rpartition("/")[2]


def policy(nonce: str, visitor: Visitor, frames: Sequence[str] = (), suite: Sequence[str] = ()) -> str:
    """What a page may load and do (Content Security Policy, level 3): only what is ours. `frames` are origins that may show it, `suite` those that it
    may show and send forms to.
    """
    sockets = ("wss" if visitor.scheme == "https" else "ws") + f"://{visitor.host}"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            f"connect-src 'self' {sockets}",
            " ".join(["frame-src 'self'", *suite]),
            "worker-src 'self'",
            " ".join(["form-action 'self'", *suite]),
            "base-uri 'none'",
            _TRUSTED,
            "frame-ancestors " + (" ".join(frames) or "'none'"),
        ],
    )


def diagram_policy(frames: Sequence[str] = ()) -> str:
    """Of the diagram page: its scripts and the styles that they make, no other origin's and no words to anybody but its parent."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'unsafe-inline'",
            "img-src data:",
            "font-src 'none'",
            "connect-src 'none'",
            "sandbox allow-scripts",
            "frame-ancestors " + " ".join(["'self'", *frames]),
        ],
    )


def _packed(request: Request, answer: Response) -> Response:
    """The page compressed, where the browser takes that. It holds no secret but the nonce, and nothing that a stranger chose beside it."""
    answer.headers["Vary"] = "Accept-Encoding"
    if takes("gzip", request.headers.get("accept-encoding", "")):
        answer.body = gzip.compress(answer.body, 5, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer


def takes(coding: str, accepted: str) -> bool:
    """Whether the browser reads this coding (RFC 9110, section 12.5.3); `gzip;q=0` says no."""
    codings = [part.replace(" ", "").lower().partition(";") for part in accepted.split(",")]
    return any(each == coding and quality not in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for each, _, quality in codings)
