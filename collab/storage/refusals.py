"""What the file system says, as the errors of the port."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Denied, Exists, Full, Malformed, NotFound, Unavailable

if TYPE_CHECKING:
    from types import TracebackType

GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENODEV})
"""There is no such file, or what stands there is none: a link (not followed), a device."""

STORAGE_ERRORS: Final[dict[int, tuple[type[CollabError], str]]] = {
    **dict.fromkeys(GONE, (NotFound, "no such file")),
    errno.EISDIR: (NotFound, "this is a folder"),
    errno.EACCES: (Denied, "the server has no permission"),
    errno.EPERM: (Denied, "the server has no permission"),
    errno.EROFS: (Denied, "the storage is read-only"),
    errno.EXDEV: (Denied, "this would be on another file system: copy the file instead"),
    errno.EEXIST: (Exists, "there is something of this name"),
    errno.ENOTEMPTY: (Exists, "there is something of this name"),
    errno.ENAMETOOLONG: (Malformed, "the name is too long for the storage"),
    errno.EILSEQ: (Malformed, "the storage takes no such name"),
    errno.ENOSPC: (Full, "the disk is full"),
    errno.EDQUOT: (Full, "the quota is used up"),
    errno.EFBIG: (Unavailable, "the file is larger than the system lets the server write"),
    errno.EIO: (Unavailable, "the disk does not read or write (I/O error)"),
    errno.EMFILE: (Unavailable, "the server has too many files open"),
    errno.ENFILE: (Unavailable, "the system has too many files open"),
    errno.ESTALE: (Unavailable, "the network storage lost the folder"),
}
"""Error numbers that are told apart; all others are `Unavailable` with the system's own words."""


def translated(error: OSError, path: bytes) -> CollabError:
    """The port's error for an operating system's error about `path`."""
    code = error.errno or 0
    kind, words = STORAGE_ERRORS.get(code, (Unavailable, os.strerror(code)))
    return kind(f"{words}: {path.decode(errors='replace') or 'the root'}")


class explained:  # noqa: N801 - it is read as what is done inside; a generator would cost six calls more for each
    """Translate what is raised inside."""

    __slots__ = ("_path",)

    def __init__(self, path: bytes) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, OSError):
            raise translated(error, self._path) from error
