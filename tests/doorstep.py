"""The real server in a thread of this process, with rooms that echo; and a client that sends whatever bytes it likes."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import uvloop
from websockets.utils import apply_mask

from collab.errors import CollabError, NotFound
from collab.frames import BadFrame, MessageTooBig, NotBinary, NotUtf8, frame
from collab.web.callers import Callers
from collab.web.door import Door, Handshake, Limits, Refusal
from collab.web.server import Server, configure, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collab.runtime.outbound import Outbound

SECONDS = 60.0
"""After which a test gives up."""
KEY = base64.b64encode(bytes(range(16)))
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}
Headers: TypeAlias = "list[tuple[bytes, bytes]]"


def client_frame(payload: bytes = b"", *, first: int = 0x82, mask: bytes = b"\x11\x22\x33\x44", length: bytes | None = None) -> bytes:
    """One frame of a client; `length` replaces the length field, in whatever form."""
    if length is None:
        size = len(payload)
        short = struct.pack("!B", 0x80 | size) if size < 126 else b""
        long = struct.pack("!BH", 0x80 | 126, size) if size < 65536 else struct.pack("!BQ", 0x80 | 127, size)
        length = short or long
    return bytes([first]) + length + mask + apply_mask(payload, mask)


def close_payload(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


LIMIT = 1000
"""Bytes of a message in these tests."""

HOSTILE: dict[str, tuple[bytes, type[CollabError]]] = {
    "unmasked": (frame(b"hello"), BadFrame),
    "first reserved bit": (client_frame(b"x", first=0xC2), BadFrame),
    "second reserved bit": (client_frame(b"x", first=0xA2), BadFrame),
    "third reserved bit": (client_frame(b"x", first=0x92), BadFrame),
    "reserved data opcode 3": (client_frame(b"x", first=0x83), BadFrame),
    "reserved data opcode 7": (client_frame(b"x", first=0x87), BadFrame),
    "reserved control opcode 11": (client_frame(b"x", first=0x8B), BadFrame),
    "reserved control opcode 15": (client_frame(b"x", first=0x8F), BadFrame),
    "text": (client_frame(b"text", first=0x81), NotBinary),
    "fragmented text": (client_frame(b"text", first=0x01), NotBinary),
    "continuation of nothing": (client_frame(b"x", first=0x80), BadFrame),
    "continuation of a whole message": (client_frame(b"x") + client_frame(b"x", first=0x80), BadFrame),
    "message inside a message": (client_frame(b"x", first=0x02) + client_frame(b"y", first=0x82), BadFrame),
    "text inside a message": (client_frame(b"x", first=0x02) + client_frame(b"y", first=0x81), BadFrame),
    "fragmented ping": (client_frame(b"x", first=0x09), BadFrame),
    "fragmented close": (client_frame(close_payload(1000), first=0x08), BadFrame),
    "ping of 126 bytes": (client_frame(b"p" * 126, first=0x89), BadFrame),
    "ping of 64 KiB": (client_frame(b"p" * 65536, first=0x89), BadFrame),
    "close of 126 bytes": (client_frame(close_payload(1000, b"r" * 124), first=0x88), BadFrame),
    "close of one byte": (client_frame(b"\x03", first=0x88), BadFrame),
    "length of 2^63": (client_frame(length=struct.pack("!BQ", 0xFF, 2**63)), BadFrame),
    "length of 2^64-1": (client_frame(length=struct.pack("!BQ", 0xFF, 2**64 - 1)), BadFrame),
    "short length in two bytes": (client_frame(b"x", length=struct.pack("!BH", 0xFE, 1)), BadFrame),
    "125 in two bytes": (client_frame(b"x" * 125, length=struct.pack("!BH", 0xFE, 125)), BadFrame),
    "short length in eight bytes": (client_frame(b"x", length=struct.pack("!BQ", 0xFF, 1)), BadFrame),
    "65535 in eight bytes": (client_frame(length=struct.pack("!BQ", 0xFF, 65535)), BadFrame),
    "close reason that is not UTF-8": (client_frame(close_payload(1000, b"\xff"), first=0x88), NotUtf8),
    "close reason cut inside a character": (client_frame(close_payload(1000, "é".encode()[:1]), first=0x88), NotUtf8),
    "close reason with a surrogate": (client_frame(close_payload(1000, b"\xed\xa0\x80"), first=0x88), NotUtf8),
    "one byte over the limit": (client_frame(b"x" * (LIMIT + 1)), MessageTooBig),
    "2^63-1 bytes": (client_frame(length=struct.pack("!BQ", 0xFF, 2**63 - 1)), MessageTooBig),
    "fragments over the limit": (client_frame(b"x" * LIMIT, first=0x02) + client_frame(b"x", first=0x80), MessageTooBig),
    **{
        f"close code {code}": (client_frame(close_payload(code), first=0x88), BadFrame)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@dataclass
class Echo:
    """A room's connection: gives back what it gets, and does what some messages say."""

    handshake: Handshake
    outbound: Outbound
    condition: threading.Condition
    received: list[bytes] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def note(self, call: str) -> None:
        with self.condition:
            self.calls.append(call)
            self.condition.notify_all()

    def receive(self, data: bytes) -> None:
        with self.condition:
            self.received.append(data)
            self.condition.notify_all()
        word, _, rest = data.partition(b":")
        act = self.ACTS.get(word)
        if act is None:
            self.outbound.write(frame(data))
        else:
            act(self, rest.decode())

    def stalled(self) -> None:
        self.note("stalled")

    def drained(self) -> None:
        self.note("drained")

    def lost(self, code: int) -> None:
        self.note(f"lost {code}")

    def going_away(self) -> None:
        self.note("going away")
        self.outbound.write(frame(b"bye"))

    def refuse(self, detail: str) -> None:
        raise NotFound(detail)

    def fail(self, detail: str) -> None:
        raise RuntimeError(detail)

    def close(self, detail: str) -> None:
        self.outbound.close(4401, detail)
        self.outbound.write(frame(b"too late"))

    def flood(self, megabytes: str) -> None:
        for _ in range(int(megabytes)):
            self.outbound.write(frame(b"." * 2**20))

    def widen(self, limit: str) -> None:
        self.outbound.limit = int(limit)

    def pause(self, _: str) -> None:
        self.outbound.pause()
        asyncio.get_running_loop().call_later(0.05, self.outbound.resume)

    def stop(self, _: str) -> None:
        self.outbound.pause()

    ACTS = {b"stop": stop, b"refuse": refuse, b"fail": fail, b"close": close, b"flood": flood, b"widen": widen, b"pause": pause}  # noqa: RUF012 - a table


async def app(scope: Any, receive: Any, send: Any) -> None:
    """HTTP says how long the body was, at `/hash` its SHA-256; any WebSocket that is no room is greeted."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "not a room"})
        await receive()
    else:
        size, more, hashed = 0, True, sha256()
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
            hashed.update(message.get("body", b""))
        told = hashed.hexdigest() if scope["path"] == "/hash" else str(size)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
        await send({"type": "http.response.body", "body": told.encode()})


async def lifespan(receive: Any, send: Any) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


class Watched(Callers):
    """Callers whose leaving a test can wait for."""

    def __init__(self, limit: int, condition: threading.Condition) -> None:
        super().__init__(limit)
        self._condition = condition

    def leave(self, address: str) -> None:
        with self._condition:
            super().leave(address)
            self._condition.notify_all()

    def present(self) -> int:
        return self._counts.total()


class Doorstep:
    """A running server. Its rooms are `/ws/…` and `/collaboration`; `/ws/refused` is answered with plain HTTP."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.rooms: dict[str, Echo] = {}
        self.refusals: list[str] = []
        self.door: Door
        self.callers: Watched
        self.port = 0
        self.server: Server
        self.loop: asyncio.AbstractEventLoop

    def open(self, handshake: Handshake, outbound: Outbound) -> Echo | Refusal:
        if handshake.path == b"/ws/refused":
            return Refusal(403, "Not from there.", ((b"x-why", b"origin"),), "forbidden")
        if handshake.path == b"/ws/broken":
            raise RuntimeError("the house fell down")
        echo = Echo(handshake, outbound, self.condition)
        if handshake.path == b"/ws/in-band":
            outbound.write(frame(b"first"))
            outbound.close(4401, "unauthorized: sign in")
        with self.condition:
            self.rooms[handshake.path.decode()] = echo
            self.condition.notify_all()
        return echo

    def count(self, reason: str) -> None:
        with self.condition:
            self.refusals.append(reason)
            self.condition.notify_all()

    def wait(self, predicate: Callable[[], object]) -> None:
        """Until it is so."""
        with self.condition:
            assert self.condition.wait_for(predicate, SECONDS), (self.refusals, {path: room.calls for path, room in self.rooms.items()})

    def room(self, path: str) -> Echo:
        self.wait(lambda: path in self.rooms)
        return self.rooms[path]

    def connect(self) -> Client:
        return Client(socket.create_connection(("127.0.0.1", self.port), SECONDS))

    @contextmanager
    def visit(self, path: str = "/ws/room", *extra: bytes) -> Iterator[Client]:
        """A client in a room."""
        with closing(self.connect()) as client:
            client.send(opening(path, *extra))
            assert client.head().startswith(b"HTTP/1.1 101 ")
            yield client

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.server.interrupt)


@contextmanager
def doorstep(limits: Limits, loop: str = "uvloop", prefix: bytes = b"") -> Iterator[Doorstep]:
    """A server until the block is left; whatever it logged as an error of its own is for the test to look at."""
    house = Doorstep()
    house.door = Door(house.open, limits, prefix, house.count)
    house.door.callers = house.callers = Watched(limits.connections, house.condition)

    async def nothing() -> None:
        pass

    def ready(port: int) -> None:
        house.loop = asyncio.get_running_loop()
        with house.condition:
            house.port = port
            house.condition.notify_all()

    def run() -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(house.server.serve([listener]))

    listener = listen("127.0.0.1", 0)
    house.server = Server(configure(app, house.door), begin=nothing, drain=lambda: None, stop=nothing, ready=ready, drain_seconds=0.0)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        house.wait(lambda: house.port)
        yield house
    finally:
        house.stop()
        thread.join(SECONDS)
        listener.close()
        assert not thread.is_alive()


def opening(path: str = "/ws/room", *extra: bytes, without: bytes = b"") -> bytes:
    """The request that opens a WebSocket; `without` leaves the headers out that begin so."""
    lines = [
        b"Host: 127.0.0.1",
        b"Upgrade: websocket",
        b"Connection: keep-alive, Upgrade",
        b"Sec-WebSocket-Key: " + KEY,
        b"Sec-WebSocket-Version: 13",
    ]
    kept = [line for line in lines if not without or not line.startswith(without)]
    return b"\r\n".join([f"GET {path} HTTP/1.1".encode(), *kept, *extra, b"", b""])


class Client:
    """A socket that trusts nobody: every read has a time limit and says what came."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_split(self, data: bytes, at: int) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(data[:at])
        self.send(data[at:])

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Vanish without a word: TCP is reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def read(self, size: int) -> bytes:
        while len(self.buffer) < size:
            data = self.sock.recv(65536)
            assert data, f"the server hung up after {bytes(self.buffer[:200])!r}"
            self.buffer += data
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def head(self) -> bytes:
        """Status line and headers of an answer."""
        taken = b""
        while not taken.endswith(b"\r\n\r\n"):
            taken += self.read(1)
        return taken

    def frame(self) -> tuple[int, bytes]:
        """First byte and payload of the next frame, which must be well formed for a server."""
        first, length = self.read(2)
        assert length < 0x80, "a server does not mask"
        if length == 126:
            length = struct.unpack("!H", self.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.read(8))[0]
        return first, self.read(length)

    def ended(self) -> bytes:
        """What comes until the server hangs up."""
        while data := self.sock.recv(65536):
            self.buffer += data
        taken = bytes(self.buffer)
        self.buffer.clear()
        return taken

    def echo(self, message: bytes) -> None:
        """An honest exchange."""
        self.send(client_frame(message))
        assert self.frame() == (0x82, message)

    def closed(self) -> tuple[int, str]:
        """Code and reason of the close frame that comes next; then the server has to hang up when we do."""
        first, payload = self.frame()
        assert first == 0x88, (first, payload)
        self.send(client_frame(payload[:2], first=0x88))
        self.sock.shutdown(socket.SHUT_WR)
        assert self.ended() == b""
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()
