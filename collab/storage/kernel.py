"""What Python has no function for: renameat2(2) and openat2(2) with their flags, the time of a file's birth by statx(2), whether a disk of this machine holds a
file (statfs(2)), and whether anybody may write (leases, fcntl(2)).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct

_libc = ctypes.CDLL(None, use_errno=True)

_NOREPLACE = 1
_EXCHANGE = 2
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800
_STATX = ctypes.c_char * 256
_BORN = struct.Struct("=I76xqI")
"""Of a `struct statx`: which of its fields are told, and the time of birth."""
_OPENAT2 = 437
"""Its number on every architecture that Python runs on, as all calls have since Linux 5.1; the C library has no function for it."""
_RESOLVE = 0x01 | 0x02 | 0x04 | 0x08 | 0x20
"""Not to another file system, by no link, nothing outside of the folder, and nothing that is not in memory (RESOLVE_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS,
_BENEATH, _CACHED).
"""
_DISKS = frozenset({0xEF53, 0x58465342, 0x9123683E, 0xF2F52010})
"""ext2 to ext4, XFS, Btrfs, F2FS (linux/magic.h); others do not say that a read would have to wait."""

_libc.syscall.restype = ctypes.c_long
_libc.syscall.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]


def exchange(folder: int, one: bytes, other: bytes) -> None:
    """Let two names of a folder (its descriptor) change places, atomically. Raises OSError."""
    _rename(folder, one, folder, other, _EXCHANGE)


def rename_new(folder: int, name: bytes, to_folder: int, to_name: bytes) -> None:
    """Rename to a name that is free, else `FileExistsError`; atomically. Raises OSError."""
    _rename(folder, name, to_folder, to_name, _NOREPLACE)


def born(folder: int, name: bytes) -> int:
    """When the file was made, nanoseconds since the epoch; 0 where the file system does not know. Links are not followed."""
    buffer = _STATX()
    try:
        failed = _libc.statx(folder, name, _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, buffer)
    except AttributeError:  # a C library without statx
        return 0
    if failed:
        return 0
    mask, seconds, nanoseconds = _BORN.unpack_from(buffer, 0)
    return int(seconds) * 10**9 + int(nanoseconds) if mask & _STATX_BTIME else 0


def on_disk(descriptor: int) -> bool:
    """Whether the file is on a file system that asks no other machine, and no other program."""
    buffer = ctypes.create_string_buffer(256)
    if _libc.fstatfs(descriptor, buffer):
        return False
    return struct.unpack_from("@l", buffer, 0)[0] & 0xFFFFFFFF in _DISKS


def open_cached(folder: int, path: bytes, flags: int) -> int:
    """A descriptor of what is at the path below a folder, when the way there is in memory: BlockingIOError when it is not. Raises OSError."""
    how = struct.pack("=QQQ", flags, 0, _RESOLVE)
    descriptor: int = _libc.syscall(_OPENAT2, folder, path, how, len(how))
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)
    return descriptor


def unwritten(descriptor: int) -> bool:
    """Whether nobody has the file open for writing, or mapped so, for sure: a lease for reading is given only then. False where none is given."""
    try:
        # Who opens the file for writing in this moment waits for us, and we are told by a signal: by SIGIO we would die.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True


def _rename(folder: int, name: bytes, to_folder: int, to_name: bytes, flags: int) -> None:
    try:
        failed = _libc.renameat2(folder, name, to_folder, to_name, flags)
    except AttributeError as error:  # a C library without renameat2
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name, None, to_name)
