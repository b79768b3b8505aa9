"""An office suite that tests play: its discovery over HTTP on loopback, in the flavour of each product, and signed requests. It may be slow, away,
huge or hostile, and rotate its keys between any two requests.
"""

from __future__ import annotations

import base64
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Iterator

Flavour: TypeAlias = Literal["collabora", "onlyoffice", "microsoft"]

TYPES = ("docx", "xlsx", "pptx", "odt", "ods", "odp", "txt", "csv", "md")
"""Extensions that each flavour edits."""
NET_EPOCH = 621_355_968_000_000_000
"""Ticks of 100 ns from the year 1 to 1970 (.NET's DateTime)."""


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    """The key of that number; making one takes a tenth of a second, so all suites of a process rotate through the same."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_numbers = cycle(range(12))
"""Of keys that suites rotate through: enough that none comes back while it is remembered."""


def ticks(seconds: float) -> int:
    """UTC seconds since the epoch as .NET counts."""
    return int(seconds * 10_000_000) + NET_EPOCH


def signed_bytes(token: str, url: str, stamp: int) -> bytes:
    """What a suite signs (WOPI, proof keys)."""
    return b"".join(struct.pack(">I", len(part)) + part for part in (token.encode(), url.upper().encode(), struct.pack(">q", stamp)))


def signature(private: rsa.RSAPrivateKey, token: str, url: str, stamp: int) -> str:
    """In base64, as in the headers."""
    return base64.b64encode(private.sign(signed_bytes(token, url, stamp), padding.PKCS1v15(), hashes.SHA256())).decode()


@dataclass(slots=True)
class FakeSuite:
    """The suite while it runs. What stands in the fields counts from the next request on."""

    flavour: Flavour
    server: ThreadingHTTPServer
    current: int | None = None
    """Number of its key; None: it does not sign."""
    old: int | None = None
    body: bytes | None = None
    """What it answers instead of its discovery."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: threading.Event | None = None
    """It answers when this is set."""
    drip: bool = False
    """A byte at a time, for ever."""
    office: str = ""
    """The origin of its addresses; by default where it runs."""
    asked: list[str] = field(default_factory=list)
    """Targets of all requests."""
    zone: str = "external-http"
    heard: list[dict[str, str]] = field(default_factory=list)
    """Headers of all requests, in lower case."""
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        """What `COLLAB_WOPI_DISCOVERY` is set to."""
        return f"{self.origin}/hosting/discovery"

    # --- what it says

    def discovery(self) -> bytes:
        """Its XML."""
        base = self.office or self.origin
        apps = "".join(self._app(base, ext) for ext in TYPES)
        return f'<?xml version="1.0" encoding="utf-8"?>\n<wopi-discovery><net-zone name="{self.zone}">{apps}</net-zone>{self._proof()}</wopi-discovery>'.encode()

    def _app(self, base: str, ext: str) -> str:
        actions = "".join(
            f"<action name={quoteattr(name)} ext={quoteattr(ext)} urlsrc={quoteattr(source)}/>" for name, source in self._actions(base)
        )
        return f"<app name={quoteattr(_APPS.get(ext, 'Word'))} favIconUrl={quoteattr(base + '/icon.svg')}>{actions}</app>"

    def _actions(self, base: str) -> list[tuple[str, str]]:
        if self.flavour == "collabora":
            return [("edit", f"{base}/browser/0f1e2d/cool.html?")]
        if self.flavour == "onlyoffice":
            more = "<rs=DC_LLCC&><dchat=DISABLE_CHAT&><embed=EMBEDDED&><fs=FULLSCREEN&><hid=HOST_SESSION_ID&><thm=THEME_ID&><ui=UI_LLCC&><wopisrc=WOPI_SOURCE&>&"
            return [(name, f"{base}/hosting/wopi/word/{name}?{more}") for name in ("view", "edit", "editnew")]
        more = "<ui=UI_LLCC&><rs=DC_LLCC&><dchat=DISABLE_CHAT&><hid=HOST_SESSION_ID&><sc=SESSION_CONTEXT&><wopisrc=WOPI_SOURCE&><IsLicensedUser=BUSINESS_USER&>"
        return [
            ("view", f"{base}/wv/wordviewerframe.aspx?{more}"),
            ("edit", f"{base}/we/wordeditorframe.aspx?{more}"),
            ("editnew", f"{base}/we/wordeditorframe.aspx?new=1&{more}"),
            ("embedview", f"{base}/wv/wordviewerframe.aspx?embed=1&{more}"),
        ]

    def _proof(self) -> str:
        if self.current is None:
            return ""
        return f"<proof-key {_key_attributes('', self.current)} {_key_attributes('old', self.current if self.old is None else self.old)}/>"

    # --- what it does

    def rotate(self) -> None:
        """A new key; the one that it had is the old one."""
        self.old, self.current = self.current, next(_numbers)
        # Made here, and not while somebody who asks for it waits only for so long.
        key(self.current)

    def sign(self, token: str, url: str, *, now: float | None = None) -> dict[str, str]:
        """The headers of a request to `url`, as it is sent; none when it does not sign."""
        if self.current is None:
            return {}
        stamp = ticks(time.time() if now is None else now)
        old = self.current if self.old is None else self.old
        return {
            "X-WOPI-Proof": signature(key(self.current), token, url, stamp),
            "X-WOPI-ProofOld": signature(key(old), token, url, stamp),
            "X-WOPI-TimeStamp": str(stamp),
        }


_APPS = {"xlsx": "Excel", "ods": "Excel", "csv": "Excel", "pptx": "PowerPoint", "odp": "PowerPoint"}


def _key_attributes(prefix: str, number: int) -> str:
    public = key(number).public_key().public_numbers()
    modulus = public.n.to_bytes((public.n.bit_length() + 7) // 8, "big")
    csp = b"\x06\x02\x00\x00\x00\xa4\x00\x00RSA1" + struct.pack("<II", len(modulus) * 8, public.e) + modulus[::-1]
    parts = {"value": csp, "modulus": modulus, "exponent": public.e.to_bytes(3, "big")}
    return " ".join(f'{prefix}{name}="{base64.b64encode(value).decode()}"' for name, value in parts.items())


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    suite: ClassVar[FakeSuite]

    def do_GET(self) -> None:
        suite = self.suite
        suite.asked.append(self.path)
        suite.heard.append({name.lower(): value for name, value in self.headers.items()})
        if suite.delay is not None:
            suite.delay.wait(60)
        body, status = (suite.discovery() if suite.body is None else suite.body), suite.status
        if urlsplit(self.path).path not in {"/hosting/discovery", "/moved/discovery"} and suite.body is None:
            body, status = b"<html></html>", 404
        try:
            self._answer(body, status)
        except OSError:
            self.close_connection = True

    def _answer(self, body: bytes, status: int) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml", **self.suite.headers}.items():
            self.send_header(name, value)
        if not self.suite.drip:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.suite.drip:
            self.wfile.write(body)
            return
        while not self.suite.ending.wait(0.05):
            self.wfile.write(b" ")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library calls it so
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks may go before it is answered."""


@contextmanager
def fake_suite(flavour: Flavour = "collabora", *, signs: bool = True) -> Iterator[FakeSuite]:
    """A suite that runs on a free port; ended when left."""

    class Requests(_Requests):
        pass

    server = _Server(("127.0.0.1", 0), Requests)
    Requests.suite = suite = FakeSuite(flavour, server)
    if signs:
        suite.rotate()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield suite
    finally:
        suite.ending.set()
        if suite.delay is not None:
            suite.delay.set()
        server.shutdown()
        server.server_close()
        thread.join()
