"""Large files of this machine's folder, piece by piece: open ones (`Reader`), and bodies on their way (`Draft`). Only what is small is held whole."""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import os
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from collab.errors import Changed, Unavailable
from collab.storage.paths import split_new
from collab.storage.refusals import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.ports import First, Line, Replaced, Stat
    from collab.storage.exchange import Exchange, Unread
    from collab.storage.local import LocalFiles
    from collab.storage.unfinished import Made, Unfinished

T = TypeVar("T")

AHEAD: Final = 64 * 1024
"""Bytes up to which a file is read when it is opened."""
GIVEN: Final = 8 * 2**20
"""Bytes that a thread sends at most before it comes to the next one who waits for a thread."""
KEPT: Final = 2**20
"""Bytes of a draft that wait in memory until they are written."""
ALL_KEPT: Final = 64 * 2**20
"""Bytes that all drafts together keep waiting; then each has `LEAST` only."""
LEAST: Final = 64 * 1024


class LocalReader:
    """See `collab.ports.Reader`. `body`: what the file begins with, the whole of it when it is small."""

    def __init__(self, files: LocalFiles, stat: Stat, descriptor: int, mtime_ns: int, body: bytes) -> None:
        self._files = files
        self.stat = stat
        self._descriptor = descriptor
        self._mtime_ns = mtime_ns
        self._body = body
        self._lock = threading.Lock()
        self._closed = False

    async def read(self, start: int, size: int) -> bytes:
        """So many bytes from an offset."""
        if start + size <= len(self._body) or len(self._body) == self.stat.size:
            return self._body[start : start + size]
        return await self._files.off(partial(self._working, partial(self._read, start, size)))

    async def give(self, line: Line, start: int, size: int) -> int:
        """Send so many bytes from an offset."""
        if len(self._body) == self.stat.size:
            return line.send(memoryview(self._body)[start : start + size])
        return await self._files.off(partial(self._working, partial(self._give, line, start, size)))

    def close(self) -> None:
        """Let it go; a thread that still reads, does it when it has done."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            descriptor, self._descriptor = self._descriptor, -1
            self._lock.release()
            if descriptor >= 0:
                os.close(descriptor)

    def _working(self, act: Callable[[], T]) -> T:
        try:
            with self._lock, explained(self.stat.path.encode()):
                return act()
        finally:
            if self._closed:
                self.close()

    def _read(self, start: int, size: int) -> bytes:
        piece = os.pread(self._descriptor, size, start)
        self._check()
        return piece

    def _give(self, line: Line, start: int, size: int) -> int:
        # Not with sendfile(2): what it has sent are the file's own pages until the other end has read them, so that whoever writes into the file
        # changes what is on its way, unseen. What comes from a mapping is copied into the socket once, and looked at afterwards; the last bytes are
        # looked at before.
        at, stop = start, start + size
        while at < min(stop, start + GIVEN) and not line.lost and (not line.full or line.soon()):
            mapped = min(stop - AHEAD, start + GIVEN) - at
            count = self._send_mapped(line, at, mapped) if mapped > 0 else 0
            if not (count or line.full or line.lost):
                piece = self._read(at, min(stop - at, AHEAD))
                if not piece:
                    raise self._changed()
                count = line.send(piece)
            at += count
        return at - start

    def _send_mapped(self, line: Line, start: int, size: int) -> int:
        """0 when it cannot be mapped, or not be read: reading it tells why."""
        before = at = start % mmap.ALLOCATIONGRANULARITY
        with (
            suppress(OSError, ValueError),
            mmap.mmap(self._descriptor, at + size, mmap.MAP_PRIVATE, mmap.PROT_READ, offset=start - at) as area,
        ):
            # Else what is not in memory comes a page or a few at a time.
            area.madvise(mmap.MADV_SEQUENTIAL)
            with memoryview(area) as view:
                while at < len(view) and not line.lost and (not line.full or line.soon()):
                    with view[at:] as piece:
                        at += line.send(piece)
                    self._check()
        return at - before

    def _check(self) -> None:
        info = os.fstat(self._descriptor)
        if (info.st_size, info.st_mtime_ns) != (self.stat.size, self._mtime_ns):
            raise self._changed()

    def _changed(self) -> Changed:
        return Changed(f"the file was changed while it was read: {self.stat.path}")


def read_at_once(descriptor: int, size: int) -> bytes | None:
    """So many bytes from the beginning of a file, if they are in memory: a disk is not waited for."""
    piece = bytearray(size)
    try:
        count = os.preadv(descriptor, [piece], 0, os.RWF_NOWAIT)
    except OSError:
        return None
    return bytes(piece) if count == size else None


class LocalFormer:
    """See `collab.ports.Former`."""

    def __init__(self, files: LocalFiles, unread: Unread) -> None:
        self._files = files
        self._unread = unread

    async def end(self) -> bool:
        """Drop it, unless somebody has written into it."""
        return await self._files.drop(self._unread)


class LocalDraft:
    """See `collab.ports.Draft`. What comes first waits in memory; a small body never is an unfinished file before it is whole.

    `name`: the document it may replace, where a new one will be, or a folder.
    """

    def __init__(self, files: LocalFiles, name: str) -> None:
        self._files = files
        self._name = name
        self._waiting: list[bytes] = []
        self._kept = 0
        self._hash = hashlib.sha256()
        self._hashed = 0
        """Pieces that wait, and are in the hash already."""
        self._new: Unfinished | None = None
        self._lock = threading.Lock()
        """Held by the thread that works on the file: who gives up meanwhile waits for it."""
        self._whole = self._ended = False
        self.size = 0

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes so far."""
        while self._hashed < len(self._waiting):
            self._hash.update(self._waiting[self._hashed])
            self._hashed += 1
        return self._hash.hexdigest()

    async def add(self, piece: bytes) -> None:
        """One more piece."""
        self.size += len(piece)
        self._waiting.append(piece)
        self._count(len(piece))
        if self._kept >= KEPT or (self._kept >= LEAST and self._files.kept > ALL_KEPT):
            write = partial(self._work, self._write)
            await (self._files.run(lambda _: write()) if self._new is None else self._files.off(write))
            self._count(-self._kept)

    async def replace(self, name: str, *, if_match: str, first: First | None = None) -> Replaced:
        """Take the place of the file with this etag."""
        await self._write_large()
        return await self._files.commit(name, if_match, self, first)

    async def create(self, path: str) -> Stat:
        """Become a new file."""
        raw = b"/".join(split_new(path))
        await self._write_large()
        return await self._files.settle(raw, self)

    async def discard(self) -> None:
        """Nothing is left of it, unless it became a file."""
        self._ended = True
        self._count(-self._kept)
        if self._new is not None or self._lock.locked():
            try:
                await asyncio.shield(self._files.off(self._end))
            except Unavailable:  # the files are closed
                await asyncio.to_thread(self._end)
        else:
            self._waiting.clear()

    def put(
        self, path: bytes, mark: str, act: Callable[[Exchange, Unfinished], tuple[Made, Unread | None]], *, allowed: bool = False
    ) -> tuple[Made, str, Unread | None]:
        """`act` with the whole and durable file, on a thread; what became of it, and its hash. `path`, `mark` and `allowed`: of what it is to become."""
        with self._lock, explained(path):
            if self._ended:
                raise Unavailable("the body was given up")
            exchange = self._files.exchange
            self._new = self._new or exchange.begin(path, mark, allowed=allowed)
            made, unread = act(exchange, self._finished(exchange))
            self._close(exchange)
            return made, self._hash.hexdigest(), unread

    async def _write_large(self) -> None:
        """What is large is written while others may move folders."""
        if self._new is not None:
            await self._files.off(partial(self._work, self._finished))

    def _work(self, act: Callable[[Exchange], object]) -> None:
        with self._lock, explained(self._name.encode(errors="replace")):
            if not self._ended:
                act(self._files.exchange)

    def _write(self, exchange: Exchange) -> Unfinished:
        new = self._new = self._new or exchange.begin(*self._files.berth(self._name))
        while self._waiting:
            new.write(self._waiting[0])
            piece = self._waiting.pop(0)
            if self._hashed:
                self._hashed -= 1
            else:
                self._hash.update(piece)
        return new

    def _finished(self, exchange: Exchange) -> Unfinished:
        new = self._write(exchange)
        if not self._whole:
            exchange.finish(new)
            self._whole = True
        return new

    def _end(self) -> None:
        with self._lock:
            # Not before: a thread that is writing them would take what it has for the whole.
            self._waiting.clear()
            self._close(self._files.exchange)

    def _close(self, exchange: Exchange) -> None:
        if self._new is not None:
            exchange.end(self._new)
            self._new = None

    def _count(self, change: int) -> None:
        self._kept += change
        self._files.kept += change
