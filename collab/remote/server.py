"""A document of a server over REST, by Python's own client: what it is, and what its writer had read."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import collab
from collab.errors import (
    Changed,
    CollabError,
    Conflict,
    Exists,
    Forbidden,
    Locked,
    Malformed,
    NotFound,
    NotText,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
)
from collab.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse

    from collab.remote.address import Address

PATIENCE: Final = 20.0
"""Seconds that a server may take for the next bytes."""
_MOST_WORDS: Final = 65_536
_ERRORS: Final[dict[int, type[CollabError]]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Changed,
    413: TooLarge,
    415: NotText,
    423: Locked,
    429: TooMany,
}


@dataclass(frozen=True, slots=True)
class Found:
    """A document as its server tells it."""

    id: str
    path: str
    role: str
    etag: str


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes, and the etag under which they are known as read."""

    etag: str
    content: bytes


class Unasked(Unavailable):
    """Nobody was there to be asked: for sure nothing of the question arrived."""


class Remote:
    """One document; `token` is asked for at each request. All raise the errors of the interface, `Unavailable` when nobody answers."""

    def __init__(self, address: Address, token: Callable[[], str]) -> None:
        self.address = address
        self.wait = 0.0
        """Seconds that the server asked us to wait, at the last refusal."""
        self.patience = PATIENCE
        self._token = token
        proxies = [urllib.request.ProxyHandler({})] if is_loopback(urlsplit(address.base).hostname or "") else []
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = urllib.request.build_opener(*proxies, tls, _NoRedirect())

    def find(self) -> Found:
        """What the document is."""
        told = _json(self._ask("GET", "").body)
        return Found(str(told.get("id", "")), str(told.get("path", "")), str(told.get("role", "")), str(told.get("etag", "")))

    def read(self, known: str | None = None, *, seconds: float = 0.0) -> Body | None:
        """The content; None when it is the one with the etag `known` still, after so many seconds."""
        headers = {} if known is None else {"If-None-Match": f'"{known}"'}
        if seconds:
            headers["Prefer"] = f"wait={seconds:.0f}"
        answer = self._ask("GET", "/content", headers=headers, more=seconds)
        if answer.status == http.client.NOT_MODIFIED:
            return None
        if len(answer.etag) == 64 and sha256(answer.body).hexdigest() != answer.etag:
            raise Unavailable("what came is not what the server sent: something on the way changes or cuts it")
        if not answer.etag:
            raise Unavailable("the answer has no ETag: is this the address of a collab server?")
        return Body(answer.etag, answer.body)

    def write(self, content: bytes, base: str) -> str:
        """Merge what was written by somebody who had read `base`; the etag of the document then. Changed when that is not known any more."""
        return str(_json(self._ask("PUT", "/content", headers={"If-Match": f'"{base}"'}, body=content).body).get("etag", ""))

    def create(self, content: bytes) -> Found:
        """A new document. Exists."""
        try:
            told = _json(self._ask("PUT", "/content", headers={"If-None-Match": "*"}, body=content).body)
        except Changed as error:
            raise Exists(error.detail) from error
        return Found(str(told.get("id", "")), str(told.get("path", "")), str(told.get("role", "")), str(told.get("etag", "")))

    def _ask(
        self, method: str, what: str, *, headers: dict[str, str] | None = None, body: bytes | None = None, more: float = 0.0
    ) -> _Answer:
        request = urllib.request.Request(self.address.url + what, data=body, method=method, headers=headers or {})  # noqa: S310 - http(s) only, see Address
        request.add_header("Authorization", f"Bearer {self._token()}")
        request.add_header("User-Agent", f"collab/{collab.__version__}")
        if body is not None:
            request.add_header("Content-Type", "application/octet-stream")
        try:
            with self._opener.open(request, timeout=self.patience + more) as response:
                return _Answer.of(response)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.client.NOT_MODIFIED:
                    return _Answer(error.code, error.headers.get("ETag", "").strip('"'), b"")
                raise self._refusal(error) from error
        except urllib.error.URLError as error:
            raise _unreachable(error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error

    def _refusal(self, error: urllib.error.HTTPError) -> CollabError:
        wait = error.headers.get("Retry-After", "")
        self.wait = float(wait) if wait.isdecimal() else 0.0
        if 300 <= error.code < 400:
            return Malformed(
                f"the server says that it is at another address: {error.headers.get('Location', '?')}; a token is not sent after it"
            )
        kind = _ERRORS.get(error.code, Unavailable if error.code >= 500 else Malformed)
        try:
            words = str(_json(error.read(_MOST_WORDS)).get("detail", ""))
        except (OSError, http.client.HTTPException, CollabError):
            words = ""
        return kind(words or f"the server answers {error.code} {error.reason}")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    etag: str
    body: bytes

    @classmethod
    def of(cls, response: HTTPResponse) -> _Answer:
        return cls(response.status, (response.headers.get("ETag") or "").removeprefix("W/").strip('"'), response.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes to no other address than the one it was given for."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirection is the answer."""


def _unreachable(reason: object) -> Unavailable:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Unasked(f"the server's certificate is not trusted: {reason.verify_message}")
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    kind = Unasked if isinstance(reason, ConnectionRefusedError | socket.gaierror) else Unavailable
    return kind(f"the server cannot be reached: {words}")


def _json(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body)
    except ValueError as error:
        raise Unavailable("the answer is not what a collab server says: is this its address?") from error
    return told if isinstance(told, dict) else {}
