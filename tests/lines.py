"""A Unix socket before another one, whose connections can be cut and refused: what a network between two processes does."""

from __future__ import annotations

import asyncio
import contextlib


class Line:
    """A socket at `path` before the one at `to`. Connections can be cut: at once, or after so many more bytes of answers."""

    def __init__(self, to: str, path: str) -> None:
        self._to = to
        self.path = path
        self.refusing = False
        self.cut_after: int | None = None
        """Bytes of answers that are still let through; then every connection breaks."""
        self.for_good = False
        """And no other is taken then."""
        self.answered = 0
        """Bytes of answers that were let through."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        self._listener = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        assert self._listener is not None
        self._listener.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listener.wait_closed()

    def cut(self) -> None:
        """Every connection breaks now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_unix_connection(self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        for source, sink, counted in ((reader, back, False), (there, writer, True)):
            task = asyncio.ensure_future(self._pump(source, sink, counted=counted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while data := await source.read(2**16):
                if counted and self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after < 0:
                        self.cut_after = None
                        self.refusing = self.for_good
                        self.cut()
                        return
                self.answered += len(data) if counted else 0
                sink.write(data)
                await sink.drain()
        sink.close()
