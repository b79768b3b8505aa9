"""From the handshake of a room's path to its connection."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from collab.dialects import HOCUSPOCUS, YWEBSOCKET
from collab.errors import CollabError, Malformed
from collab.runtime.connection import Caller, Connection
from collab.web.admission import Admission, Knock
from collab.web.handshake import Refusal

if TYPE_CHECKING:
    from collab.runtime.outbound import Inbound, Outbound
    from collab.runtime.rooms import Rooms
    from collab.web.admission import Visitor
    from collab.web.handshake import Handshake

DOCUMENT = b"/ws/"
"""y-websocket: the document's name follows."""
COLLABORATION = b"/collaboration"
"""Hocuspocus: documents are named in band."""


@dataclass(frozen=True, slots=True)
class RoomDoor:
    """Opens connections. `prefix` is the path of the public URL, without a slash at its end."""

    rooms: Rooms
    admission: Admission
    prefix: str

    def open(self, handshake: Handshake, outbound: Outbound) -> Inbound | Refusal:
        """The connection of a handshake, or the plain HTTP answer."""
        try:
            knock = Knock("GET", handshake.path, handshake.query, handshake.headers, handshake.client, handshake.scheme, websocket=True)
            visitor = self.admission.admit(knock)
            caller = _caller(visitor, handshake)
            path = handshake.path.removeprefix(self.prefix.encode())
            if path in {COLLABORATION, COLLABORATION + b"/"}:
                return Connection(self.rooms, outbound, HOCUSPOCUS, caller)
            if caller.grant is None and self.rooms.refusals.full:
                return Refusal(429, "Too many refused clients; come back later.", ((b"retry-after", b"60"),), "too-many")
            return Connection(self.rooms, outbound, YWEBSOCKET, caller, document_of(path))
        except CollabError as error:
            return Refusal(error.status, error.detail, reason=error.reason)


def document_of(path: bytes) -> str:
    """The document that a path names: percent-encoded UTF-8, decoded once. Malformed."""
    try:
        return unquote_to_bytes(path.removeprefix(DOCUMENT)).decode()
    except UnicodeDecodeError as error:
        raise Malformed("The document's name is not UTF-8.") from error


def _caller(visitor: Visitor, handshake: Handshake) -> Caller:
    """Refusals are counted by address and credentials, which are kept as a hash only."""
    cookies = b";".join(value for name, value in handshake.headers if name == b"cookie")
    key = sha256(b"\0".join((visitor.address.encode(), handshake.query, cookies, handshake.path))).hexdigest()
    return Caller(visitor.address, visitor.grant, visitor.refused, key)
