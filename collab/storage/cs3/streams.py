"""Large files of a cloud: copies of ours that are read piece by piece (`Reader`), and bodies on their way (`Draft`). Only what is small is held in memory."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from collab.errors import Unavailable
from collab.ports import Replaced, Stat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collab.ports import First, Line
    from collab.storage.cs3.files import CloudFiles

KEPT: Final = 2**20
"""Bytes that are held in memory; what is more is in a file that has no name."""
PIECE: Final = 256 * 1024


def _file(folder: Path | None) -> Any:  # noqa: ANN401 - a class of the library without a common type
    return tempfile.SpooledTemporaryFile(max_size=KEPT, dir=None if folder is None else str(folder))


class CloudReader:
    """See `collab.ports.Reader`. It is filled first, then read."""

    stat: Stat

    def __init__(self, folder: Path | None) -> None:
        self._file = _file(folder)
        self._turn = asyncio.Lock()

    def take(self, piece: bytes) -> None:
        """The next bytes. Unavailable: no place for them."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise Unavailable(f"no place for a copy of a file: {error.strerror}") from error

    def clear(self) -> None:
        """From the beginning."""
        self._file.seek(0)
        self._file.truncate()

    async def read(self, start: int, size: int) -> bytes:
        """So many bytes from an offset."""
        async with self._turn:
            return await asyncio.to_thread(self._read, start, size)

    async def give(self, line: Line, start: int, size: int) -> int:
        """Send so many bytes from an offset: the copy does not change."""
        sent = 0
        while sent < size and not line.full and not line.lost:
            piece = await self.read(start + sent, min(size - sent, PIECE))
            count = line.send(piece)
            sent += count
            if count < len(piece) or not piece:
                break
        return sent

    def _read(self, start: int, size: int) -> bytes:
        try:
            self._file.seek(start)
            return bytes(self._file.read(size))
        except (OSError, ValueError) as error:
            raise Unavailable(f"the copy of the file cannot be read: {error}") from error

    def close(self) -> None:
        """Let it go."""
        self._file.close()


class Spool:
    """A body that came in pieces; see `bodies.Body`."""

    def __init__(self, folder: Path | None) -> None:
        self._file = _file(folder)
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._adler = 1
        self._turn = asyncio.Lock()
        self.size = 0

    @property
    def sha1(self) -> str:
        """Hex."""
        return self._sha1.hexdigest()

    @property
    def sha256(self) -> str:
        """Hex."""
        return self._sha256.hexdigest()

    @property
    def adler32(self) -> str:
        """Hex."""
        return f"{self._adler:08x}"

    async def add(self, piece: bytes) -> None:
        """One more piece."""
        self._sha1.update(piece)
        self._sha256.update(piece)
        self._adler = zlib.adler32(piece, self._adler)
        self.size += len(piece)
        async with self._turn:
            await self._work(partial(self._write, piece))

    def _write(self, piece: bytes) -> None:
        self._file.seek(0, 2)
        self._file.write(piece)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it, from the beginning."""
        for start in range(0, self.size, PIECE):
            async with self._turn:
                yield await self._work(partial(self._read, start))

    def _read(self, start: int) -> bytes:
        self._file.seek(start)
        return bytes(self._file.read(PIECE))

    async def _work(self, act: partial[Any]) -> Any:  # noqa: ANN401
        try:
            # Small ones are in memory, and wait for no thread.
            return act() if self.size <= KEPT else await asyncio.to_thread(act)
        except (OSError, ValueError) as error:
            raise Unavailable(f"no place for a body that is on its way: {error}") from error

    def close(self) -> None:
        """Nothing is left of it."""
        self._file.close()


class CloudFormer:
    """See `collab.ports.Former`: a body that nobody expected there; the cloud keeps it as a version."""

    async def end(self) -> bool:
        """It stays."""
        return True


class CloudDraft:
    """See `collab.ports.Draft`. `name`: the document it may replace, where a new one will be, or a folder."""

    def __init__(self, files: CloudFiles, name: str, folder: Path | None) -> None:
        self._files = files
        self._name = name
        self._body = Spool(folder)
        self._ended = False

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._body.size

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes so far."""
        return self._body.sha256

    async def add(self, piece: bytes) -> None:
        """One more piece."""
        self._open()
        await self._body.add(piece)

    async def replace(self, name: str, *, if_match: str, first: First | None = None) -> Replaced:
        """Take the place of the file with this etag."""
        self._open()
        wrote = await self._files.commit(name, if_match, self._body, first)
        return Replaced(self._files.stat_of(wrote), None if wrote.displaced is None else CloudFormer())

    async def create(self, path: str) -> Stat:
        """Become a new file."""
        self._open()
        return self._files.stat_of(await self._files.settle(path, self._body))

    async def discard(self) -> None:
        """Nothing is left of it here."""
        self._ended = True
        self._body.close()

    def _open(self) -> None:
        if self._ended:
            raise Unavailable("the body was given up")
