"""What a connection writes in one turn of the event loop goes out with one write: the head of an answer and its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

MOST: Final = 64 * 1024
"""Bytes that wait for the end of the turn; more would be copied for nothing."""


class Gathered:
    """An asyncio transport, but for when it writes."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Now, or at the end of the turn."""
        if not data:
            return
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > MOST:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        waiting, self._waiting, self._size = self._waiting, [], 0
        if self.is_closing():
            return
        if len(waiting) == 1 or len(waiting[-1]) <= MOST:
            self._transport.write(b"".join(waiting))
        else:
            for each in waiting:
                self._transport.write(each)

    def write_eof(self) -> None:
        """Behind what waits."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Behind what waits."""
        self.flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Bytes that are not written."""
        return self._size + self._transport.get_write_buffer_size()
