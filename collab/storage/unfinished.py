"""A hidden file on its way: written piece by piece beside the documents, `.new` behind its name, and taken for nothing until it is whole.

All of this blocks.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from errno import EACCES, ENODATA, ENOTSUP, EPERM
from typing import TYPE_CHECKING, Final

from collab.storage.folder import open_seen, seen
from collab.storage.names import Sight

if TYPE_CHECKING:
    from collections.abc import Callable

    Lock = Callable[[int, int], None]

SUFFIX: Final = b".new"
ABANDONED: Final = 3600.0
"""Seconds after which an unfinished hidden file belongs to nobody, where its writer cannot lock it."""
_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")
_UNSUPPORTED = frozenset({ENOTSUP, EPERM, EACCES, ENODATA})
"""A file system without attributes, or one that keeps them to itself: the content is what counts."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that we wrote; `sure`: this sight is of our bytes, and any write of somebody else shows in another one."""

    sight: Sight
    sure: bool


class Unfinished:
    """The file with this hidden name (without suffix) in a folder of ours. `close` lets go, and removes what got no other name. It is locked (`lock`:
    `fcntl.flock`) as long as somebody has it: what a crash left is nobody's.
    """

    def __init__(self, place: int, hidden: bytes, *, like: bytes | None, lock: Lock = fcntl.flock) -> None:
        self.name = hidden + SUFFIX
        self._stamped = 0
        self._size = 0
        self._descriptor, mine = _begun(place, self.name, 0o666 if like is None else 0o600, lock)
        self.place = os.dup(place)
        self.finished = False
        try:
            if like is not None:
                _resemble(place, like, self._descriptor, mine)
        except OSError:
            self.close()
            raise

    def write(self, body: bytes) -> None:
        """All of it behind what is there, or (OSError) nothing that counts."""
        view, at = memoryview(body), self._size
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view, at = view[written:], at + written
        self._size = at

    def sync(self) -> None:
        """It is durable, with a time of modification that no write of anybody else gives it: the kernel's clock ticks, ours does not."""
        now = time.time_ns()
        try:
            os.utime(self._descriptor, ns=(now, now))
        except OSError:
            pass
        else:
            self._stamped = now
        os.fsync(self._descriptor)

    def rename(self, place: int, name: bytes) -> None:
        """Its name from now on."""
        os.rename(self.name, name, src_dir_fd=self.place, dst_dir_fd=place)

    def back(self, place: int, name: bytes) -> None:
        """It is unfinished again."""
        os.rename(name, self.name, src_dir_fd=place, dst_dir_fd=self.place)

    def is_at(self, place: int, name: bytes) -> bool:
        """Whether it has this name. Raises OSError."""
        there, ours = os.stat(name, dir_fd=place, follow_symlinks=False), os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def sight(self, place: int, name: bytes, path: bytes, *, writable: bool | None = None) -> Sight:
        """As it is seen under a name that it has. `writable`: whether the folder is, if that is known. Raises OSError."""
        return seen(place, name, path, os.fstat(self._descriptor), writable=writable)

    def made(self, sight: Sight) -> Made:
        """As it is now, after its last change of name; `sight` from before."""
        info = os.fstat(self._descriptor)
        sure = info.st_mtime_ns == self._stamped != 0 and info.st_size == self._size
        now = Sight(sight.path, sight.file, info.st_size, info.st_mtime_ns, info.st_ctime_ns, writable=sight.writable, folder=sight.folder)
        return Made(now, sure)

    def close(self) -> None:
        """Idempotent, never raises."""
        if self._descriptor < 0:
            return
        if not self.finished:
            with suppress(OSError):
                os.unlink(self.name, dir_fd=self.place)
        for descriptor in (self._descriptor, self.place):
            with suppress(OSError):
                os.close(descriptor)
        self._descriptor = -1


def abandoned(descriptor: int, now: float, lock: Lock = fcntl.flock) -> bool:
    """Whether nobody has an unfinished file any more; `now` is UTC seconds. Raises OSError."""
    try:
        lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return now - os.fstat(descriptor).st_mtime > ABANDONED
    return True


def _begun(place: int, name: bytes, mode: int, lock: Lock) -> tuple[int, os.stat_result]:
    """The descriptor of a new file that is locked, and how it is."""
    while True:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=place)
        with suppress(OSError):
            lock(descriptor, fcntl.LOCK_EX)
        info = os.fstat(descriptor)
        if info.st_nlink:
            return descriptor, info
        # Another process took it for nobody's before it was locked.
        os.close(descriptor)


def _resemble(place: int, like: bytes, descriptor: int, mine: os.stat_result) -> None:
    """Mode, owner and attributes of the file that is replaced, as far as we may. `mine`: how the new one is."""
    old, info = open_seen(place, like)
    try:
        mode = stat.S_IMODE(info.st_mode) & 0o777
        if (info.st_uid, info.st_gid) != (mine.st_uid, mine.st_gid) and not _owned(descriptor, info):
            # In another group the group's permissions would be those of strangers.
            mode &= 0o707
        os.fchmod(descriptor, mode)
        for name in os.listxattr(old):
            if name.startswith(_KEPT_ATTRIBUTES):
                os.setxattr(descriptor, name, os.getxattr(old, name))
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(old)


def _owned(descriptor: int, info: os.stat_result) -> bool:
    """Whether the file got the old group (and the owner too, if we may)."""
    for owner in (info.st_uid, -1):
        try:
            os.fchown(descriptor, owner, info.st_gid)
        except PermissionError:
            continue
        return True
    return False
