"""A socket before another one, whose connections can be cut, refused and silent: what a network between two processes does."""

from __future__ import annotations

import asyncio
import contextlib


class Line:
    """A socket at `path` before the one at `to`: of Unix, or of TCP as `host:port`. Connections can be cut: at once, or after so many more bytes of
    answers.
    """

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
        self.unheard = 0
        """Bytes that were said while it was silent."""
        self.instead = b"", b""
        """What is asked, and what is said there in its place; both have the same length."""
        self.late = 0.0
        """Seconds that what is said needs for its way, in each direction."""
        self._silent = False
        self._silenced: set[asyncio.StreamWriter] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def busy(self) -> bool:
        """Somebody is connected."""
        return bool(self._writers)

    @property
    def held(self) -> bool:
        """Somebody who was connected when it became silent is so still."""
        return bool(self._silenced & self._writers)

    async def open(self) -> None:
        if "/" in self.path:
            self._listener = await asyncio.start_unix_server(self._serve, self.path)
        else:
            host, _, port = self.path.rpartition(":")
            self._listener = await asyncio.start_server(self._serve, host, int(port))

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

    def silence(self) -> None:
        """Nothing comes through any more, and nothing breaks before `speak`, unless an end hangs up."""
        self._silent = True
        self._silenced = set(self._writers)

    def speak(self) -> None:
        """Connections from now on are heard; those of before break."""
        self._silent = False
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there, back = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._writers |= ends
        for source, sink, counted in ((reader, back, False), (there, writer, True)):
            task = asyncio.ensure_future(self._pump(source, sink, counted=counted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: self._writers.difference_update(ends))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if "/" in self._to:
            return await asyncio.open_unix_connection(self._to)
        host, _, port = self._to.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while data := await source.read(2**16):
                await asyncio.sleep(self.late)
                if self._silent:
                    self.unheard += len(data)
                    continue
                if counted and self.cut_after is not None:
                    self.cut_after -= len(data)
                    if self.cut_after < 0:
                        self.cut_after = None
                        self.refusing = self.refusing or self.for_good
                        self.cut()
                        return
                self.answered += len(data) if counted else 0
                sink.write(data if counted else data.replace(*self.instead) if self.instead[0] else data)
                await sink.drain()
        sink.close()
