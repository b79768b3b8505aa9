"""Wires between nodes in memory, in virtual time: what is sent comes later, in order, or never."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.cluster.link import Exchange

PIECE = 3_000
"""Bytes that arrive at once: frames come in pieces."""


class End(asyncio.Transport):
    """One end of a wire."""

    def __init__(self, network: Network, protocol: asyncio.Protocol, owner: str) -> None:
        super().__init__()
        self.protocol = protocol
        self.owner = owner
        self.peer: End | None = None
        self.over = False
        self._network = network
        self._out: deque[bytes] = deque()
        self._waiting = 0
        self._high, self._low = 65536, 16384
        self._full = False
        self._reading = asyncio.Event()
        self._reading.set()
        self._more = asyncio.Event()
        self._closing = False
        self._task = asyncio.ensure_future(self._carry())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.over or self._closing:
            return
        self._out.append(bytes(data))
        self._waiting += len(data)
        self._more.set()
        if self._waiting > self._high and not self._full:
            self._full = True
            self.protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high, self._low = high or 65536, low or 16384

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def pause_reading(self) -> None:
        self._reading.clear()

    def resume_reading(self) -> None:
        self._reading.set()

    def is_closing(self) -> bool:
        return self._closing or self.over

    def close(self) -> None:
        self._closing = True
        self._more.set()

    def abort(self) -> None:
        self.cut()

    def cut(self) -> None:
        """Both ends lose what is on its way."""
        peer = self.peer
        self._end()
        if peer is not None:
            peer._end()

    def vanish(self) -> None:
        """The process is gone: nobody here notices anything, the other end does."""
        self.over = True
        self._task.cancel()
        self._network.ends.pop(self, None)
        if self.peer is not None:
            asyncio.get_running_loop().call_later(0.01, self.peer._end)

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._task.cancel()
            self._network.ends.pop(self, None)
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    async def _carry(self) -> None:
        while True:
            while not self._out:
                if self._closing:
                    asyncio.get_running_loop().call_soon(self.cut)
                    return
                self._more.clear()
                await self._more.wait()
            joined = b"".join(self._out)
            self._out.clear()
            await self._network.delay()
            for start in range(0, len(joined), PIECE):
                piece = joined[start : start + PIECE]
                assert self.peer is not None
                await self.peer._reading.wait()
                if self.peer.over:
                    return
                self.peer.protocol.data_received(piece)
                self._waiting -= len(piece)
                if self._full and self._waiting <= self._low:
                    self._full = False
                    self.protocol.resume_writing()


class Network:
    """Nodes that are reached by their names."""

    def __init__(self, delay: Callable[[], Awaitable[None]]) -> None:
        self.delay = delay
        self.exchanges: dict[str, Exchange] = {}
        self.ends: dict[End, None] = {}
        """A set that keeps its order."""
        self.dialed = 0

    def connect(self, caller: str) -> Callable[[str, Callable[[], asyncio.Protocol]], Awaitable[None]]:
        """How a node of this name dials."""

        async def dial(address: str, factory: Callable[[], asyncio.Protocol]) -> None:
            await self.delay()
            exchange = self.exchanges.get(address)
            if exchange is None:
                raise OSError("nobody is there")
            self.dialed += 1
            near, far = End(self, factory(), caller), End(self, exchange.accept(), address)
            near.peer, far.peer = far, near
            self.ends |= {near: None, far: None}
            near.protocol.connection_made(near)
            far.protocol.connection_made(far)

        return dial

    def vanish(self, node: str) -> None:
        """A node is killed."""
        self.exchanges.pop(node, None)
        for end in tuple(self.ends):
            if end.owner == node:
                end.vanish()
