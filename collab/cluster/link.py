"""The wire between two nodes: frames with their length before them, over TCP or a Unix socket, once both sides have proved that they know the secret.

The proofs are HMACs (RFC 2104) of both sides' random numbers; nothing is encrypted: wires between machines belong into a private network.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import secrets
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from collab.errors import CollabError, Malformed, Unauthorized, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

log = logging.getLogger("collab.cluster")

GREETING: Final = b"collab-link-1\n"
"""What the side that was called says first, before its random number."""
NONCE: Final = 32
PROOF: Final = 32
HEAD: Final = 4
"""Bytes of a frame's length."""
BEFORE: Final = 8 * 1024
"""Bytes of a frame before both sides know each other."""
LARGEST: Final = 2**30
"""Bytes of a frame afterwards; documents, and what clients send, have limits of their own."""
QUEUED: Final = 256 * 1024
"""Bytes of frames that wait to be received; above it the wire is not read."""
TURN: Final = 500
"""Frames that are taken of a wire in a turn of the event loop: sockets and other wires are read in between."""
HIGH: Final = 4 * 2**20
LOW: Final = 2**20
"""Bytes in the transport at which the other side counts as not reading, and at which it reads again."""
HANDSHAKE: Final = 5.0
"""Seconds for dialing, and for the proofs."""
HALF_OPEN: Final = 100
"""Wires at once whose other side has proved nothing yet."""


def key_of(secret: bytes) -> bytes:
    """The key of the proofs, from the secret that all nodes share."""
    return hmac.digest(secret, b"collab link", "sha256")


class Wire(asyncio.Protocol):
    """Frames on a transport: they wait for `receive`, or are given to a listener at once."""

    def __init__(self) -> None:
        self.limit = BEFORE
        self.made = asyncio.Event()
        """The other side is there."""
        self.closed = False
        self.aborted = False
        """We hung up at once."""
        self.full = False
        """The other side does not read."""
        self.heard = True
        """Something came since somebody looked."""
        self.spoke = True
        """Something was sent since somebody looked."""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._frames: deque[bytes] = deque()
        self._queued = 0
        self._deaf = 0
        self._arrived = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._taken: Callable[[bytes], None] | None = None
        self._ended: Callable[[], None] | None = None
        self._filled: Callable[[bool], None] | None = None

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The other side is there."""
        # uvloop's transports are none of asyncio's by class.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH, low=LOW)
        self.made.set()

    def data_received(self, data: bytes) -> None:
        """Cut into frames."""
        self.heard = True
        self._buffer += data
        self._split()

    def _split(self) -> None:
        buffer = self._buffer
        start, end, taken = 0, len(buffer), 0
        while end - start >= HEAD and not self.closed:
            size = int.from_bytes(buffer[start : start + HEAD], "big")
            if size > self.limit:
                log.warning("a frame of %d bytes from another node: at most %d are taken", size, self.limit)
                self.abort()
                break
            if end - start - HEAD < size:
                break
            if taken == TURN:
                self.pause()
                asyncio.get_running_loop().call_soon(self._split_on)
                break
            taken += 1
            start += HEAD
            self._take(bytes(memoryview(buffer)[start : start + size]))
            start += size
        del buffer[:start]

    def _split_on(self) -> None:
        self._split()
        self.resume()

    def pause_writing(self) -> None:
        """Much waits in the transport."""
        self.full = True
        self._free.clear()
        if self._filled is not None:
            self._filled(True)

    def resume_writing(self) -> None:
        """It is gone."""
        self.full = False
        self._free.set()
        if self._filled is not None:
            self._filled(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is cut."""
        del exc
        self.closed = True
        self._arrived.set()
        self._free.set()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    # --- what the nodes do

    def _take(self, frame: bytes) -> None:
        if self._taken is not None:
            self._taken(frame)
            return
        self._frames.append(frame)
        before, self._queued = self._queued, self._queued + len(frame)
        if before <= QUEUED < self._queued:
            self.pause()
        self._arrived.set()

    def listen(self, taken: Callable[[bytes], None], ended: Callable[[], None], filled: Callable[[bool], None]) -> None:
        """From now on each frame is given to `taken`; `ended` is told once that the wire is cut, `filled` whether the other side reads."""
        self._taken, self._filled = taken, filled
        while self._frames and not self.closed:
            taken(self._frames.popleft())
        if self.closed:
            ended()
        else:
            self._ended = ended

    async def receive(self) -> bytes:
        """The next frame. Unreachable when the wire is cut."""
        while not self._frames:
            if self.closed:
                raise Unreachable("The other node hung up.")
            self._arrived.clear()
            await self._arrived.wait()
        frame = self._frames.popleft()
        before, self._queued = self._queued, self._queued - len(frame)
        if self._queued <= QUEUED < before:
            self.resume()
        return frame

    def send(self, *parts: bytes) -> None:
        """A frame of these parts, at once; nothing happens when the wire is cut."""
        if self.closed or self._transport is None:
            return
        self.spoke = True
        self._transport.writelines((sum(map(len, parts)).to_bytes(HEAD, "big"), *parts))

    async def drained(self) -> None:
        """Return when the other side reads. Unreachable when the wire is cut."""
        await self._free.wait()
        if self.closed:
            raise Unreachable("The other node hung up.")

    def pause(self) -> None:
        """Stop reading; calls are counted."""
        self._deaf += 1
        if self._deaf == 1 and self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again, when every pause was taken back."""
        self._deaf -= 1
        if self._deaf == 0 and self._transport is not None and not self.closed:
            self._transport.resume_reading()

    def close(self) -> None:
        """Hang up behind what is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        self.closed = self.aborted = True
        if self._transport is not None:
            self._transport.abort()


# --- who is there


def _proof(key: bytes, who: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"\0".join((who, *parts)), "sha256")


async def introduce(wire: Wire, key: bytes, facts: Mapping[str, str]) -> None:
    """The side that called: say who we are and what for, prove it, and let the other side prove itself. Unreachable, Unauthorized."""
    greeting = await wire.receive()
    if len(greeting) != len(GREETING) + NONCE or not greeting.startswith(GREETING):
        raise Unreachable("What answers is no node, or one of another version.")
    told, ours = json.dumps(facts).encode(), secrets.token_bytes(NONCE)
    wire.send(ours, _proof(key, b"caller", greeting, ours, told), told)
    if not hmac.compare_digest(await wire.receive(), _proof(key, b"called", greeting, ours, told)):
        raise Unauthorized("The other node does not know the secret.")
    wire.limit = LARGEST


async def admit(wire: Wire, key: bytes, node: str) -> dict[str, str]:
    """The side that was called: who calls, and what for, once that is proved. Unreachable, Unauthorized, Malformed."""
    greeting = GREETING + secrets.token_bytes(NONCE)
    wire.send(greeting)
    answer = await wire.receive()
    theirs, proof, told = answer[:NONCE], answer[NONCE : NONCE + PROOF], answer[NONCE + PROOF :]
    if not hmac.compare_digest(proof, _proof(key, b"caller", greeting, theirs, told)):
        raise Unauthorized("Who calls does not know the secret.")
    facts = json.loads(told)
    if not isinstance(facts, dict) or facts.get("to") != node:
        raise Malformed("Who calls looks for another node.")
    wire.limit = LARGEST
    wire.send(_proof(key, b"called", greeting, theirs, told))
    return facts


async def connect(address: str, factory: Callable[[], asyncio.Protocol]) -> None:
    """Open `unix:/path` or `host:port`. OSError."""
    loop = asyncio.get_running_loop()
    if address.startswith("unix:"):
        await loop.create_unix_connection(factory, address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        await loop.create_connection(factory, host.strip("[]"), int(port))


class Exchange:
    """Wires from this node and to it. `answer` is given each wire that comes in, and what its other side said of it; the wire is closed behind it."""

    def __init__(
        self,
        node: str,
        secret: bytes,
        *,
        connect: Callable[[str, Callable[[], asyncio.Protocol]], Awaitable[object]] = connect,
    ) -> None:
        self.node = node
        self.answer: Callable[[Wire, dict[str, str]], Coroutine[object, object, None]] | None = None
        self._key = key_of(secret)
        self._connect = connect
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wires: set[Wire] = set()
        self._half_open = 0

    async def dial(self, node: str, address: str, purpose: str) -> Wire:
        """A wire to a node, for `link`, `http` or `ask`. Unreachable, also when another node answers there, or none that knows the secret."""
        wire = Wire()
        try:
            async with asyncio.timeout(HANDSHAKE):
                await self._connect(address, lambda: wire)
                await introduce(wire, self._key, {"from": self.node, "to": node, "for": purpose})
        except (OSError, TimeoutError, CollabError) as error:
            wire.abort()
            why = error.detail if isinstance(error, CollabError) else str(error) or "no answer in time"
            raise Unreachable(f"The node {node} can't be reached just now: {why}") from error
        except BaseException:
            wire.abort()
            raise
        return wire

    async def listen(self, address: str) -> str:
        """Take wires at `unix:/path` or `host:port`; the address that others dial (with the port that was free, for 0). OSError."""
        loop = asyncio.get_running_loop()
        if address.startswith("unix:"):
            path = address.removeprefix("unix:")
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108 - a word of a Unix socket
            self._server = await loop.create_unix_server(self.accept, path)
            os.chmod(path, 0o600)  # noqa: PTH101 - as above
            return address
        host, _, port = address.rpartition(":")
        self._server = await loop.create_server(self.accept, host.strip("[]"), int(port))
        return f"{host}:{self._server.sockets[0].getsockname()[1]}"

    def accept(self) -> Wire:
        """A wire that comes in."""
        wire = Wire()
        task = asyncio.get_running_loop().create_task(self._serve(wire))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return wire

    async def _serve(self, wire: Wire) -> None:
        await wire.made.wait()
        if self._half_open >= HALF_OPEN:
            wire.abort()
            return
        self._wires.add(wire)
        try:
            facts = await self._admitted(wire)
            if facts is not None and self.answer is not None:
                await self.answer(wire, facts)
        except CollabError as error:
            log.info("a wire of another node ended: %s", error.detail)
        except Exception:
            log.exception("a wire of another node failed")
        finally:
            self._wires.discard(wire)
            wire.close()

    async def _admitted(self, wire: Wire) -> dict[str, str] | None:
        self._half_open += 1
        try:
            async with asyncio.timeout(HANDSHAKE):
                return await admit(wire, self._key, self.node)
        except (TimeoutError, CollabError, ValueError) as error:
            why = error.detail if isinstance(error, CollabError) else str(error) or "it said nothing in time"
            log.warning("somebody who called as a node was turned away: %s", why)
            wire.abort()
            return None
        finally:
            self._half_open -= 1

    async def close(self) -> None:
        """Take no more, and hang up."""
        if self._server is not None:
            self._server.close()
        for wire in tuple(self._wires):
            wire.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
