"""A connection beside its transport: what a thread puts into the socket itself goes through no buffer of the event loop."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from collab.ports import Piece


MOMENT: Final = 2
"""Milliseconds for which a thread waits for whoever reads; over the network of a machine, or of a house, that is enough."""
WAITS: Final = 3
"""Moments that are waited in vain; who reads more slowly is waited for by the event loop alone."""


class Line:
    """See `collab.ports.Line`. It has a descriptor of its own, so that no thread ever writes to a number that is somebody else's by then.

    The transport must have nothing to write. One coroutine waits at a time.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        ours = transport.get_extra_info("socket")
        self._socket = socket.socket(ours.family, socket.SOCK_STREAM, fileno=os.dup(ours.fileno()))
        self._socket.setblocking(False)
        self._loop = loop
        self._lock = threading.Lock()
        self._closed = False
        self._free: asyncio.Future[None] | None = None
        self._waits = WAITS
        self.full = False
        self.lost = False
        """Nobody is at the other end."""

    def send(self, piece: Piece) -> int:
        """How much of it the socket takes; on any thread. Raises OSError (EFAULT) for a mapped piece that cannot be read."""
        try:
            with self._lock:
                if self._closed:
                    self.lost = True
                    return 0
                count = self._socket.send(piece)
        except BlockingIOError:
            count = 0
        except OSError as error:
            if error.errno == errno.EFAULT:
                raise
            self.lost = True
            return 0
        finally:
            if self._closed:
                self.close()
        self.full = count < len(piece)
        return count

    def soon(self) -> bool:
        """Whether it takes more in a moment; on any thread."""
        if self.lost or not self._waits:
            return False
        poll = select.poll()
        try:
            with self._lock:
                if self._closed:
                    return False
                poll.register(self._socket, select.POLLOUT)
                self.full = not poll.poll(MOMENT)
        finally:
            if self._closed:
                self.close()
        self._waits -= self.full
        return not self.full

    async def writable(self) -> None:
        """Until the socket takes more, or is lost."""
        self._free = self._loop.create_future()
        descriptor = self._socket.fileno()
        self._loop.add_writer(descriptor, self.wake)
        try:
            await self._free
        finally:
            self._loop.remove_writer(descriptor)
        self.full = False

    def wake(self) -> None:
        """Whoever waits looks again."""
        if self._free is not None and not self._free.done():
            self._free.set_result(None)

    def close(self) -> None:
        """Let it go; a thread that sends just now, does it when it has done. Idempotent."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            self._socket.close()
            self._lock.release()


async def flushed(transport: asyncio.Transport, drain: Callable[[], Awaitable[None]]) -> None:
    """Until the transport has nothing to write. `drain` returns when its protocol may write."""
    if transport.is_closing() or not transport.get_write_buffer_size():
        return
    transport.set_write_buffer_limits(0)
    while transport.get_write_buffer_size() and not transport.is_closing():
        await drain()
    if not transport.is_closing():
        transport.set_write_buffer_limits()
