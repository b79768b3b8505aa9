"""Who else changes the folder: the kernel tells (inotify(7)), through inotify_simple.

What our own writes cause is told, too, and nobody is woken for each of it: the first event wakes the event loop, and the others are read together a moment
later. Files that are only opened and read tell nothing.
"""

from __future__ import annotations

import asyncio
import errno
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from inotify_simple import INotify, flags

from collab.errors import Unavailable
from collab.storage.habits import hidden, is_lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

TOGETHER: Final = 0.3
"""Seconds for which changes are gathered at most."""
STEP: Final = 0.05
"""Seconds without a change after which they are told."""
PIECE: Final = 64 * 1024
"""Bytes of events that are read at once."""
ALL: Final = frozenset({""})
"""What is told when nobody knows what was changed: the root, and so whatever is in it."""

_EVENT: Final = struct.Struct("iIII")
_DOT: Final = ord(".")
_MASK: Final = int(
    flags.MODIFY
    | flags.ATTRIB
    | flags.CLOSE_WRITE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.CREATE
    | flags.DELETE
    | flags.ONLYDIR
    | flags.DONT_FOLLOW
    | flags.EXCL_UNLINK
)
_COME: Final = int(flags.CREATE | flags.MOVED_TO)
_GONE: Final = int(flags.DELETE | flags.MOVED_FROM)
_FOLDER: Final = int(flags.ISDIR)
_LOST: Final = int(flags.Q_OVERFLOW)
_IGNORED: Final = int(flags.IGNORED)


class LocalWatch:
    """The port `Watch` for the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root.resolve())

    async def notices(self) -> AsyncIterator[frozenset[str]]:
        """Paths under the root, `/` between parts. Unavailable when the kernel does not tell (any more)."""
        try:
            with INotify(nonblocking=True) as kernel:
                tree = _Tree(kernel, self._root)
                await asyncio.to_thread(tree.add, b"")
                while True:
                    await _readable(kernel.fileno())
                    told = await self._gathered(tree)
                    if told:
                        yield told
        except OSError as error:
            raise Unavailable(
                f"{os.fsdecode(self._root)} cannot be watched ({error}): if it has many folders, raise fs.inotify.max_user_watches"
            ) from error

    async def _gathered(self, tree: _Tree) -> frozenset[str]:
        """What comes until nothing does for a step, or it is time to tell it."""
        told: set[bytes] = set()
        for _ in range(round(TOGETHER / STEP)):
            await asyncio.sleep(STEP)
            if not tree.read(told):
                break
            # Many folders may have come at once.
            if (tree.fresh or tree.lost) and await asyncio.to_thread(tree.follow):
                return ALL
        return frozenset(os.fsdecode(path) for path in told)


async def _readable(descriptor: int) -> None:
    """Until there is something to read."""
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(descriptor, _wake, readable)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)


def _events(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Watch, mask and name of each event (inotify(7)) but those of hidden names that tell nothing.

    Not by the library, which makes text of the names: a body that is put causes a dozen events, and all but two are of the hidden name that it has on its way.
    """
    at, end, size = 0, len(data), _EVENT.size
    while at < end:
        watch, mask, _, length = _EVENT.unpack_from(data, at)
        at += size
        if not length or data[at] != _DOT or is_lock(data[at : at + length]):
            yield watch, mask, data[at : at + length].rstrip(b"\0")
        at += length


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _wake(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


class _Tree:
    """The folders that are watched. Hidden ones are not, and what is behind a link neither: nothing of it is served."""

    def __init__(self, kernel: INotify, root: bytes) -> None:
        self._kernel = kernel
        self._root = root
        self._paths: dict[int, bytes] = {}
        self._watches: dict[bytes, int] = {}
        self.fresh: list[bytes] = []
        """Folders that have come, and are not watched yet."""
        self.lost = False
        """The kernel had more to tell than it keeps."""

    def add(self, path: bytes) -> None:
        """Watch a folder with all in it. What is made there meanwhile is told, or found. Blocks; OSError when no more can be watched, or the root cannot be."""
        folders = [path]
        while folders:
            path = folders.pop()
            there = self._root + b"/" + path if path else self._root
            try:
                watch = self._kernel.add_watch(there, _MASK)
                self._note(watch, path)
                with os.scandir(there) as entries:
                    found = [entry.name for entry in entries if not hidden(entry.name) and _is_folder(entry)]
            except OSError as error:
                # Gone by now, or not for us to look at.
                if error.errno in {errno.ENOSPC, errno.EMFILE, errno.ENOMEM} or not path:
                    raise
                continue
            folders.extend(path + b"/" + name if path else name for name in found)

    def read(self, told: set[bytes]) -> bool:
        """Add the paths of what has changed; whether anything has, be it hidden. OSError when the root is gone."""
        any_at_all = False
        while (data := self._piece()) is not None:
            any_at_all = True
            for watch, mask, name in _events(data):
                if mask & (_IGNORED | _LOST):
                    self._ended(watch, mask)
                elif name and (path := self._shown(watch, mask, name)) is not None:
                    told.add(path)
        return any_at_all

    def follow(self) -> bool:
        """Watch what has come; whether something was missed, so that all was watched anew. Blocks; OSError as `add`."""
        missed, self.lost = self.lost, False
        fresh, self.fresh = self.fresh, []
        if missed:
            for path in [*self._watches]:
                self._drop(path)
            fresh = [b""]
        for path in fresh:
            self.add(path)
        return missed

    def _shown(self, watch: int, mask: int, name: bytes) -> bytes | None:
        """The path of what was changed, None for what is not served. What applications leave beside their files is told."""
        folder = self._paths.get(watch)
        if folder is None or (hidden(name) and (mask & _FOLDER or not is_lock(name))):
            return None
        path = folder + b"/" + name if folder else name
        if mask & _FOLDER and mask & _GONE:
            self._forget(path)
        if mask & _FOLDER and mask & _COME:
            self.fresh.append(path)
        return path

    def _piece(self) -> bytes | None:
        try:
            return os.read(self._kernel.fileno(), PIECE)
        except BlockingIOError:
            return None

    def _note(self, watch: int, path: bytes) -> None:
        """A folder that was renamed is told as gone and as come: it has the same watch only if nobody has read of that yet."""
        before = self._paths.get(watch)
        if before is not None and before != path:
            self._watches.pop(before, None)
        self._paths[watch] = path
        self._watches[path] = watch

    def _forget(self, path: bytes) -> None:
        """What was there is elsewhere, or nowhere: where it comes it is watched anew."""
        below = path + b"/"
        for each in [each for each in self._watches if each == path or each.startswith(below)]:
            self._drop(each)

    def _drop(self, path: bytes) -> None:
        watch = self._watches.pop(path)
        del self._paths[watch]
        with suppress(OSError):
            self._kernel.rm_watch(watch)

    def _ended(self, watch: int, mask: int) -> None:
        if mask & _LOST:
            self.lost = True
            return
        path = self._paths.pop(watch, None)
        if path is not None and self._watches.get(path) == watch:
            del self._watches[path]
        if path == b"":
            raise OSError(errno.ENOENT, "the folder is gone")
