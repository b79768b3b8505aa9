"""Very many clients that cost this process little: sockets that speak y-websocket's words, and no CRDT library."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from collab.codec import var_bytes, var_uint
from collab.document import CONTENT

if TYPE_CHECKING:
    from collections.abc import Callable

STEP1 = b"\x00\x00\x01\x00"
_HANDSHAKE = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def framed(message: bytes) -> bytes:
    """One masked binary frame; the mask is four zeros."""
    size = len(message)
    head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
    return head + bytes(4) + message


class Typist(asyncio.Protocol):
    """One connection to a room's address. It types at the beginning of the text, one letter behind the other."""

    def __init__(self, room: str, client: int) -> None:
        self.client = client
        self.clock = 0
        self.heard = 0
        """Bytes that came."""
        self._begun = b""
        self.in_room = asyncio.get_running_loop().create_future()
        self.over = asyncio.get_running_loop().create_future()
        self.on_data: Callable[[bytes], None] | None = None
        parts = urlsplit(room)
        self._host, self._port = parts.hostname or "", parts.port or 0
        self._target = parts.path + (f"?{parts.query}" if parts.query else "")

    async def enter(self) -> Typist:
        """Connected, and greeted by the room."""
        await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)
        await asyncio.wait_for(asyncio.shield(self.in_room), 60)
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(_HANDSHAKE.format(target=self._target, port=self._port).encode() + framed(STEP1))

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        if self.on_data is not None:
            self.on_data(data)
        if not self.in_room.done():
            self._begun += data
            # Behind the answer to the handshake comes the room's.
            if self._begun.partition(b"\r\n\r\n")[2]:
                self.in_room.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.in_room.done():
            self.in_room.set_exception(exc or ConnectionResetError("not let in"))
        if not self.over.done():
            self.over.set_result(None)

    def update(self) -> bytes:
        """One letter more."""
        us = var_uint(self.client)
        origin = b"\x84" + us + var_uint(self.clock - 1) if self.clock else b"\x04\x01" + var_bytes(CONTENT.encode())
        made = b"\x01\x01" + us + var_uint(self.clock) + origin + b"\x01x\x00"
        self.clock += 1
        return made

    def type(self) -> None:
        self.transport.write(framed(b"\x00\x02" + var_bytes(self.update())))

    def letters(self, count: int, together: int = 1) -> bytes:
        """So many letters, to be written at once; `together`: as many in one frame."""
        made = [b"\x00\x02" + var_bytes(self.update()) for _ in range(count)]
        return b"".join([framed(b"".join(made[start : start + together])) for start in range(0, count, together)])

    def deaf(self) -> None:
        """It reads no more."""
        self.transport.pause_reading()

    async def leave(self) -> None:
        self.transport.abort()
        await self.over
