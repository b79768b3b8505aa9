"""The opening handshake of a WebSocket (RFC 6455, section 4.2), checked by the letter."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from websockets.utils import accept_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Headers: TypeAlias = "Sequence[tuple[bytes, bytes]]"
"""Names in lower case, in the order in which they came."""

KEY_BYTES = 16
VERSION = b"13"
LINGER_SECONDS = 1.0
"""How long a refused client may take to read its answer and hang up."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """A request for a room. `path` and `query` are raw; `client` is the peer of the socket, maybe a proxy."""

    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    client: tuple[str, int] | None
    scheme: str
    """`http` or `https`, of the socket."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, as a plain HTTP answer; `reason` is the word for metrics and problem details."""

    status: int
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    reason: str = "refused"

    def response(self, defaults: Headers) -> bytes:
        """The whole answer with problem details (RFC 9457); the connection ends with it."""
        title = HTTPStatus(self.status).phrase
        problem = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, "reason": self.reason}
        body = json.dumps(problem).encode()
        own = ((b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body)), (b"connection", b"close"))
        return _head(b"%d %s" % (self.status, title.encode()), (*defaults, *self.headers, *own)) + body


def switching(accept: bytes, defaults: Headers) -> bytes:
    """The answer that opens the socket."""
    own = ((b"upgrade", b"websocket"), (b"connection", b"Upgrade"), (b"sec-websocket-accept", accept))
    return _head(b"101 Switching Protocols", (*defaults, *own))


def _head(status: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 " + status, *(name + b": " + value for name, value in headers)]
    return b"\r\n".join((*lines, b"", b""))


def accept(method: str, version: str, headers: Headers) -> bytes | Refusal:
    """The value of `Sec-WebSocket-Accept`, or what is wrong with the request. `version` is HTTP's, `1.1`."""
    keys = _all(headers, b"sec-websocket-key")
    upgrades = b"websocket" in _tokens(headers, b"upgrade") and b"upgrade" in _tokens(headers, b"connection")
    body = _all(headers, b"content-length") not in ([], [b"0"]) or _all(headers, b"transfer-encoding") != []
    checks = (
        (method == "GET", 405, "A WebSocket is opened with GET.", ((b"allow", b"GET"),)),
        (version == "1.1", 400, "A WebSocket is opened with HTTP/1.1.", ()),
        (upgrades, 426, "This address is a WebSocket.", ((b"upgrade", b"websocket"),)),
        (not body, 400, "The request that opens a WebSocket has no body.", ()),
        (len(_all(headers, b"host")) == 1, 400, "One Host header is needed.", ()),
        (
            _all(headers, b"sec-websocket-version") == [VERSION],
            426,
            "Version 13 of the protocol is spoken.",
            ((b"upgrade", b"websocket"), (b"sec-websocket-version", VERSION)),
        ),
        (len(keys) == 1 and _is_key(keys[0]), 400, "One Sec-WebSocket-Key of 16 bytes in base64 is needed.", ()),
    )
    for fine, status, detail, extra in checks:
        if not fine:
            return Refusal(status, detail, extra, "handshake")
    return accept_key(keys[0].decode("ascii")).encode()


def _all(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value.strip() for name, value in headers if name == wanted]


def _tokens(headers: Headers, wanted: bytes) -> list[bytes]:
    return [token.strip().lower() for value in _all(headers, wanted) for token in value.split(b",")]


def _is_key(key: bytes) -> bool:
    try:
        return len(b64decode(key, validate=True)) == KEY_BYTES
    except NotBase64:
        return False
