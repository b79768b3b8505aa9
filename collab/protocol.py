"""Bytes and message types of the y-protocols and of Hocuspocus (docs/reference/protocol.md).

A message is `(Kind, payload)`: for sync messages the payload is the state vector or the update, for awareness the awareness
update, for tokens, stateless messages and reasons the UTF-8 text, else it is empty.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.errors import Malformed

if TYPE_CHECKING:
    from collab.dialects import Dialect


class Kind(IntEnum):
    """What a message is."""

    STEP1 = 0
    STEP2 = 1
    UPDATE = 2
    AWARENESS = 3
    TOKEN = 4
    DENIED = 5
    AUTHENTICATED = 6
    QUERY_AWARENESS = 7
    STATELESS = 8
    CLOSE = 9
    PING = 10


Message = tuple[Kind, bytes]

PONG = b"\x0a"
"""The answer to Hocuspocus' ping, unprefixed as the ping."""
KEEP_ALIVE = b"\x01\x01\x00"
"""An awareness message of nobody: browsers do not see WebSocket pings."""
APPLIED = b"\x08\x01"
REFUSED = b"\x08\x00"
TOKEN_REQUEST = b"\x02\x00"
TOGETHER = 1_000
"""Messages in one frame at most; clients put a handful together."""
_UPDATES = tuple(bytes((0, 2, length)) for length in range(0x80))
"""What stands before a short update."""
_SYNC_KINDS = (Kind.STEP1, Kind.STEP2, Kind.UPDATE)


def read(data: bytes, dialect: Dialect) -> tuple[bytes, list[Message]]:
    """The address, as the raw bytes that stand before the message (empty where the dialect has none), and the messages.

    A y-websocket frame may hold several messages put together, a Hocuspocus frame holds one. Malformed for anything else.
    """
    if dialect.addressed:
        return _read_addressed(data)
    reader = Reader(data)
    messages = [_read_plain(reader)]
    while not reader.done:
        if len(messages) >= TOGETHER:
            raise Malformed(f"More than {TOGETHER} messages in one frame.")
        messages.append(_read_plain(reader))
    return b"", messages


def small_update(data: bytes, address: bytes) -> bytes | None:
    """The update, when one of less than 128 bytes for this address is all that the frame holds. None: `read` tells."""
    start = len(address) + 3
    size = len(data) - start
    if 0 < size < 0x80 and data[start - 1] == size and data[start - 2] == 2 and not data[start - 3] and data.startswith(address):
        return data[start:]
    return None


def _read_plain(reader: Reader) -> Message:
    kind = reader.var_uint()
    if kind == 0:
        return _sync(reader)
    if kind == 1:
        return Kind.AWARENESS, reader.var_bytes()
    if kind == 3:
        return Kind.QUERY_AWARENESS, b""
    raise Malformed(f"Message type {kind} is unknown to y-websocket.")


def _sync(reader: Reader) -> Message:
    step = reader.var_uint()
    if step > 2:
        raise Malformed(f"Sync message type {step} is unknown.")
    return _SYNC_KINDS[step], reader.var_bytes()


def _read_addressed(data: bytes) -> tuple[bytes, list[Message]]:
    if len(data) == 1:
        if data[0] == 9:
            return b"", [(Kind.PING, b"")]
        if data[0] == 10:
            return b"", []
    reader = Reader(data)
    reader.var_string()
    address = data[: reader.position]
    message = _read_hocuspocus(reader)
    reader.end()
    return address, [message]


def _read_hocuspocus(reader: Reader) -> Message:
    kind = reader.var_uint()
    if kind in {0, 4}:
        return _sync(reader)
    if kind == 1:
        return Kind.AWARENESS, reader.var_bytes()
    if kind == 2:
        return _sign_in(reader)
    if kind == 3:
        return Kind.QUERY_AWARENESS, b""
    if kind == 5:
        return Kind.STATELESS, reader.var_string().encode()
    if kind == 7:
        if not reader.done:
            reader.var_string()
        return Kind.CLOSE, b""
    raise Malformed(f"Message type {kind} is not a client's in Hocuspocus.")


def _sign_in(reader: Reader) -> Message:
    if reader.var_uint() != 0:
        raise Malformed("Of the authentication messages a client sends only its token.")
    token = reader.var_string()
    if not reader.done:
        reader.var_string()  # the provider's version, since Hocuspocus 4
    return Kind.TOKEN, token.encode()


def document_name(address: bytes) -> str:
    """The document that an address names: what stands before a session id, if there is one."""
    return Reader(address).var_string().partition("\0")[0]


def address(name: str) -> bytes:
    """The bytes before each message for a document name."""
    return var_string(name)


def step1(state_vector: bytes) -> bytes:
    """A sync step 1 message: what we hold."""
    return b"\x00\x00" + var_bytes(state_vector)


def step2(update: bytes) -> bytes:
    """A sync step 2 message: what the other lacks."""
    return b"\x00\x01" + var_bytes(update)


def update(data: bytes) -> bytes:
    """An update message."""
    length = len(data)
    return _UPDATES[length] + data if length < 0x80 else b"\x00\x02" + var_bytes(data)


def awareness(data: bytes) -> bytes:
    """An awareness message."""
    return b"\x01" + var_bytes(data)


def denied(reason: str, dialect: Dialect) -> bytes:
    """Permission denied, as the dialect says it."""
    return (b"\x02\x01" if dialect.addressed else b"\x02\x00") + var_string(reason)


def authenticated(scope: str) -> bytes:
    """Signed in: `read-write` or `readonly`."""
    return b"\x02\x02" + var_string(scope)


def stateless(text: str) -> bytes:
    """A message beside the document."""
    return var_uint(5) + var_string(text)


def close(reason: str) -> bytes:
    """The server ends one document of a socket."""
    return b"\x07" + var_string(reason)
