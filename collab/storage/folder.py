"""A folder of this machine, looked at by descriptors: every part of a path is opened without following links, so nothing leaves the root.

All of this blocks; `LocalFiles` runs it on threads of its own.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from collab.errors import CollabError, TooLarge, Unavailable
from collab.storage.kernel import born, on_disk, open_cached
from collab.storage.names import Sight
from collab.storage.paths import PATH_BYTES, visible
from collab.storage.refusals import GONE, explained, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

SEARCHED: Final = 200_000
"""Entries of the tree that are looked at in search of a renamed file."""
READS: Final = 3
"""A file that changes while it is read is read again, so often at most."""

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO that takes the file's place between look and open must not hang us.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Folder:
    """The root and what is in it. Paths are bytes without a leading slash, the root's is empty; `place` is the descriptor of a folder."""

    def __init__(self, root: Path) -> None:
        with explained(os.fsencode(root)):
            self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._on_disk = on_disk(self._root)

    def close(self) -> None:
        """Let the root go. Idempotent."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def inside(self, path: bytes) -> _Inside:
        """The descriptor (O_PATH, or the root's own) of the folder at `path`, while it is used. Raises OSError."""
        return _Inside(self._root, path)

    def around(self, path: bytes) -> _Around:
        """The descriptor of the folder that holds `path`, and the last part of it. Raises the port's errors for any OSError inside."""
        return _Around(self._root, path)

    def look(self, path: bytes) -> Sight | None:
        """The regular file or folder at `path`, without following links; None when there is none."""
        with explained(path):
            try:
                if not path:
                    return folder_sight(path, os.fstat(self._root))
                parent, name = parted(path)
                with self.inside(parent) as place:
                    return sight(place, name, path)
            except OSError as error:
                if error.errno in GONE:
                    return None
                raise

    def still(self, sight: Sight) -> bool:
        """Whether a regular file is as it was seen, where it was seen: a rename, too, changes the time that nobody can set."""
        parent, _, name = sight.path.rpartition(b"/")
        try:
            if not parent:
                return _still(self._root, name, sight)
            with self.inside(parent) as place:
                return _still(place, name, sight)
        except OSError:
            return False

    def entries(self, path: bytes) -> list[Sight]:
        """What a folder shows, sorted by name. Raises `NotFound` for what is no folder."""
        found = []
        with explained(path), self.inside(path) as place:
            writable = folder_writable(place)
            for entry in listed(place):
                below = joined(path, entry.name)
                if visible(entry.name) and len(below) <= PATH_BYTES:
                    # It may be gone by now, or not for us to look at.
                    with suppress(OSError):
                        found.append(sight(place, entry.name, below, writable=writable))
        return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.path)

    def search(self, file: str, near: bytes) -> Sight | None:
        """The file with this `Sight.file`: first in the folder of `near`, then in the whole tree, at most `SEARCHED` entries."""
        if not file:
            return None
        left = SEARCHED
        for path, place, entries in self._walk(parted(near)[0]):
            left -= len(entries)
            for entry in entries:
                # The number alone is free; whether it is the same file is asked of the few that have it.
                if entry.inode == int(file.split(":")[1]) and visible(entry.name):
                    with suppress(OSError):
                        found = sight(place, entry.name, joined(path, entry.name))
                        if found is not None and found.file == file:
                            return found
            if left <= 0:
                break
        return None

    def which(self, path: bytes) -> str | None:
        """What tells the folder at `path` from every other, also from a later one with its number; None when there is none."""
        with explained(path):
            try:
                parent, name = parted(path)
                with self.inside(parent) as place:
                    info = os.stat(name or b".", dir_fd=place, follow_symlinks=False)
                    return f"{info.st_dev}:{info.st_ino}:{born(place, name or b'.') or ''}" if stat.S_ISDIR(info.st_mode) else None
            except OSError as error:
                if error.errno in GONE:
                    return None
                raise

    def seek(self, which: str, near: bytes) -> bytes | None:
        """The path of the folder with this `which`: first in the folder of `near`, then in the whole tree, at most `SEARCHED` entries."""
        if not which:
            return None
        left = SEARCHED
        for path, _, entries in self._walk(parted(near)[0]):
            left -= len(entries)
            for entry in entries:
                if entry.folder and entry.inode == int(which.split(":")[1]) and visible(entry.name):
                    with suppress(CollabError):
                        if self.which(joined(path, entry.name)) == which:
                            return joined(path, entry.name)
            if left <= 0:
                break
        return None

    def open(self, path: bytes) -> tuple[int, Sight]:
        """A descriptor for reading, and how the file is now."""
        with self.around(path) as (place, name):
            for _ in range(READS):
                descriptor = open_file(place, name)
                try:
                    info = os.fstat(descriptor)
                    found = seen(place, name, path, info)
                    if os.stat(name, dir_fd=place, follow_symlinks=False).st_ino == info.st_ino:
                        return descriptor, found
                except OSError:
                    os.close(descriptor)
                    raise
                os.close(descriptor)
            raise Unavailable(f"the file is being replaced again and again: {path.decode()}")

    def open_at_once(self, path: bytes) -> tuple[int, os.stat_result] | None:
        """A descriptor for reading, and how the file is now; None when that would have to wait for the disk, or for another machine, and when there is no
        such file. Never blocks.
        """
        parent, name = parted(path)
        place = descriptor = -1
        try:
            if self._on_disk:
                place = open_cached(self._root, parent, _FOLDER) if parent else self._root
                descriptor = open_cached(place, name, _FILE)
                info = os.fstat(descriptor)
                if stat.S_ISREG(info.st_mode):
                    opened, descriptor = descriptor, -1
                    return opened, info
        except OSError:
            pass
        finally:
            for each in {place, descriptor} - {self._root, -1}:
                os.close(each)
        return None

    def read(self, path: bytes, limit: int) -> tuple[Sight, bytes]:
        """The whole file, and how it was when the last byte was read. Raises `TooLarge` over `limit` bytes."""
        with self.around(path) as (place, name):
            for _ in range(READS):
                before, body, after = _whole(place, name, limit)
                if after.st_size > limit:
                    raise TooLarge(f"{path.decode()} has {after.st_size} bytes; at most {limit} are read")
                if _stamp(before) == _stamp(after):
                    break
            return seen(place, name, path, after), body

    def hashed(self, path: bytes) -> tuple[Sight, str]:
        """SHA-256 of the file, and how it was before the first byte was read."""
        with self.around(path) as (place, name):
            descriptor = open_file(place, name)
            with os.fdopen(descriptor, "rb") as file:
                before = os.fstat(descriptor)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return seen(place, name, path, before), digest

    def _walk(self, first: bytes) -> Iterator[tuple[bytes, int, list[Entry]]]:
        """The folder `first`, then every visible folder from the root on; those that are gone or not for us to read are left out."""
        yield from self._listed(first)
        folders = deque([b""])
        while folders:
            for path, place, entries in self._listed(folders.popleft()):
                folders.extend(joined(path, entry.name) for entry in entries if entry.folder and visible(entry.name))
                yield path, place, entries

    def _listed(self, path: bytes) -> Iterator[tuple[bytes, int, list[Entry]]]:
        with suppress(OSError), self.inside(path) as place:
            yield path, place, listed(place)


# What is done a dozen times for a body that comes: a generator would cost six calls more each time.


class _Inside:
    """See `Folder.inside`."""

    __slots__ = ("_path", "_place", "_root")

    def __init__(self, root: int, path: bytes) -> None:
        self._root = root
        self._path = path

    def __enter__(self) -> int:
        self._place = self._root if not self._path else _opened_below(self._root, self._path)
        return self._place

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._path:
            os.close(self._place)


class _Around:
    """See `Folder.around`."""

    __slots__ = ("_path", "_place", "_root")

    def __init__(self, root: int, path: bytes) -> None:
        self._root = root
        self._path = path

    def __enter__(self) -> tuple[int, bytes]:
        parent, _, name = self._path.rpartition(b"/")
        self._place = self._root
        if parent:
            try:
                self._place = _opened_below(self._root, parent)
            except OSError as error:
                raise translated(error, self._path) from error
        return self._place, name

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._place != self._root:
            os.close(self._place)
        if isinstance(error, OSError):
            raise translated(error, self._path) from error


def _opened_below(root: int, path: bytes) -> int:
    """The descriptor of a folder below the root, whose path is not empty; each part of it is opened without following links."""
    place = root
    for part in path.split(b"/"):
        try:
            deeper = os.open(part, _FOLDER, dir_fd=place)
        finally:
            if place != root:
                os.close(place)
        place = deeper
    return place


class Entry(NamedTuple):
    """A name in a folder; links are no folders."""

    name: bytes
    inode: int
    folder: bool


def listed(place: int) -> list[Entry]:
    """All names in the folder with this descriptor, hidden ones too. Raises OSError."""
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    try:
        with os.scandir(descriptor) as entries:
            return [Entry(os.fsencode(entry.name), entry.inode(), entry.is_dir(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(descriptor)


def parted(path: bytes) -> tuple[bytes, bytes]:
    """The folder's path and the name in it."""
    parent, _, name = path.rpartition(b"/")
    return parent, name


def joined(path: bytes, name: bytes) -> bytes:
    """The path of a name in the folder at `path`."""
    return path + b"/" + name if path else name


def folder_writable(place: int) -> bool:
    """Whether we may make and replace files there. A mode without any w says no to root as well."""
    return bool(os.fstat(place).st_mode & _WRITABLE) and os.access(".", os.W_OK | os.X_OK, dir_fd=place, effective_ids=True)


def sight(place: int, name: bytes, path: bytes, *, writable: bool | None = None) -> Sight | None:
    """The regular file or folder of this name, None for anything else. `writable`: whether the folder is. Raises OSError."""
    info = os.stat(name, dir_fd=place, follow_symlinks=False)
    if stat.S_ISREG(info.st_mode):
        return seen(place, name, path, info, writable=writable)
    return folder_sight(path, info) if stat.S_ISDIR(info.st_mode) else None


def seen(place: int, name: bytes, path: bytes, info: os.stat_result, *, writable: bool | None = None) -> Sight:
    """The sight of a regular file of which `info` is known."""
    free = folder_writable(place) if writable is None else writable
    return Sight(
        path,
        which(place, name, info),
        info.st_size,
        info.st_mtime_ns,
        info.st_ctime_ns,
        writable=free and file_writable(place, name, info),
    )


def which(place: int, name: bytes, info: os.stat_result) -> str:
    """What tells the file of this name from every other (`Sight.file`)."""
    birth = born(place, name)
    # Inode numbers are given again at once: without the time of birth only an unchanged file is known again.
    return f"{info.st_dev}:{info.st_ino}:{birth or f'{info.st_size}.{info.st_mtime_ns}'}"


def _still(place: int, name: bytes, sight: Sight) -> bool:
    info = os.stat(name, dir_fd=place, follow_symlinks=False)
    return alike(info, sight) and sight.writable == (folder_writable(place) and file_writable(place, name, info))


def alike(info: os.stat_result, sight: Sight) -> bool:
    """Whether this is the regular file that was seen, as it was then."""
    same = (info.st_size, info.st_mtime_ns, info.st_ctime_ns) == (sight.size, sight.mtime_ns, sight.ctime_ns)
    return same and stat.S_ISREG(info.st_mode) and sight.file.startswith(f"{info.st_dev}:{info.st_ino}:")


def folder_sight(path: bytes, info: os.stat_result) -> Sight:
    """The sight of a folder."""
    return Sight(path, "", 0, info.st_mtime_ns, info.st_ctime_ns, writable=bool(info.st_mode & _WRITABLE), folder=True)


def file_writable(place: int, name: bytes, info: os.stat_result) -> bool:
    """Whether we may change the file: a rename would replace a read-only file too, but its owner said no."""
    return bool(info.st_mode & _WRITABLE) and os.access(name, os.W_OK, dir_fd=place, effective_ids=True)


def open_file(place: int, name: bytes) -> int:
    """A descriptor for reading of a regular file. Raises OSError (ENOENT for what is not regular)."""
    return open_seen(place, name)[0]


def open_seen(place: int, name: bytes) -> tuple[int, os.stat_result]:
    """As `open_file`, and how the file is."""
    descriptor = os.open(name, _FILE, dir_fd=place)
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return descriptor, info


class closing:  # noqa: N801 - as the library's own
    """A descriptor, closed in the end."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)


def hashed(descriptor: int) -> str:
    """SHA-256 of the file's bytes, from where it is read next."""
    with open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unchanged(descriptor: int, sight: Sight) -> bool:
    """Whether an open file is as it was seen. Raises OSError."""
    info = os.fstat(descriptor)
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns) == (sight.size, sight.mtime_ns, sight.ctime_ns)


def sync(place: int) -> None:
    """Make the names of a folder durable."""
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole(place: int, name: bytes, limit: int) -> tuple[os.stat_result, bytes, os.stat_result]:
    """The file's bytes (at most `limit`), and how it was before and after."""
    descriptor = open_file(place, name)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        body = file.read(limit + 1) if before.st_size <= limit else b""
        return before, body, os.fstat(descriptor)


def _stamp(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns
