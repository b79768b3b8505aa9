"""What desktop office suites leave beside a file while somebody has it open, as bytes and names.

LibreOffice: `.~lock.NAME#` with one entry of five fields in UTF-8: name, login, host, date and profile, parted by commas, ended by a semicolon; a
backslash stands before each of these and itself (`LockFileCommon` in its module svl). Microsoft Office: an *owner file* `~$NAME` of 162 or 165
bytes: a byte with the length of the user's name, the name in the machine's code page, and from byte 54 or 55 on its length as two bytes and the
name in UTF-16 (found by looking; LibreOffice's `MSODocumentLockFile` reads and writes the same). Word leaves out up to two letters of a long name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

LIBREOFFICE: Final = "LibreOffice"
MICROSOFT: Final = "Microsoft Office"
OURS: Final = "collab"
"""The login in locks of ours: how they are known again after a restart."""
OWNER_PREFIX: Final = b"~$"
_LOCK_PREFIX: Final = b".~lock."
LOCK_BYTES: Final = 4096
"""Of a lock file that are read."""
STALE: Final = 24 * 3600.0
"""Seconds without a change after which a lock of others counts for nothing: what a crash left must not lock anybody out for ever."""

_OWNER_SIZES = (162, 165)
_LONGEST_NAME = 52
_LOCK = re.compile(rb"((?:[^,;\\]|\\[,;\\])*)([,;])", re.DOTALL)
_WORD = frozenset({b"doc", b"docx", b"rtf", b"odt"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a `.~lock.NAME#` says."""

    name: str
    login: str = ""
    host: str = ""
    date: str = ""
    profile: str = ""

    @property
    def ours(self) -> bool:
        """Whether a server of ours wrote it."""
        return self.login == OURS and self.profile.startswith(OURS + ":")


def hidden(name: bytes) -> bool:
    """Whether a file of this name is no document: a leading dot, or an owner file."""
    return name.startswith((b".", OWNER_PREFIX))


def is_lock(name: bytes) -> bool:
    """Whether an application leaves files of this name while it has another one open."""
    return name.startswith((_LOCK_PREFIX, OWNER_PREFIX))


def lock_of(name: bytes) -> bytes:
    """The name of LibreOffice's lock of a file."""
    return _LOCK_PREFIX + name + b"#"


@lru_cache(1024)
def owners_of(name: bytes) -> tuple[bytes, ...]:
    """The names that Microsoft's owner file of a file may have."""
    whole = OWNER_PREFIX + name
    stem, _, extension = name.decode(errors="replace").rpartition(".")
    if extension.lower().encode() in _WORD and len(stem) >= 7:
        return OWNER_PREFIX + name.decode(errors="replace")[min(len(stem) - 6, 2) :].encode(), whole
    return (whole,)


@lru_cache(64)
def read_lock(body: bytes) -> Entry:
    """What a lock of LibreOffice says; one that cannot be read is nobody's."""
    fields, at = [], 0
    for _ in range(5):
        found = _LOCK.match(body, at)
        if found is None:
            return Entry("")
        fields.append(re.sub(rb"\\(.)", rb"\1", found[1], flags=re.DOTALL).decode(errors="replace"))
        at = found.end()
        if found[2] == b";":
            break
    return Entry(*fields)


def write_lock(name: str, host: str, now: float) -> bytes:
    """A lock of ours, as LibreOffice reads it; `name` is shown by it. `now` in UTC seconds."""
    date = datetime.fromtimestamp(now, UTC).strftime("%d.%m.%Y %H:%M")
    return (",".join(_escaped(field) for field in (name, OURS, host, date, f"{OURS}:{host}")) + ";").encode(errors="replace")


def read_owner(body: bytes) -> str | None:
    """The name in an owner file of Microsoft Office; None for a file that is none."""
    if len(body) not in _OWNER_SIZES or not 0 < body[0] <= _LONGEST_NAME:
        return None
    length = body[0]
    for at in (54, 55, 53):
        size = int.from_bytes(body[at : at + 2], "little")
        name = body[at + 2 : at + 2 + 2 * size]
        if 0 < size <= _LONGEST_NAME and len(name) == 2 * size and size <= length and not _padding(name):
            return name.decode("utf-16-le", errors="replace").rstrip("\0 ")
    return body[1 : 1 + length].decode("cp1252", errors="replace")


def _padding(name: bytes) -> bool:
    return not name.strip(b"\0 ")


def _escaped(field: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", field.replace("\0", ""))
