"""Names as users give them: which can be one, and which are hidden. Bytes are never changed, Unicode is never normalised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed, NotFound
from collab.storage.habits import hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_BYTES: Final = 255
PATH_BYTES: Final = 1024
BIN: Final = b".collab-bin"
"""The hidden folder at the root where deleted files wait, each in a folder of its own that is named by its key."""

_ID = re.compile(r"id:[a-z]{26}")
_KEY = re.compile(r"[a-z]{26}")
_TEMPORARY = re.compile(rb"\..*\.collab-([a-z]{8})-([0-9]{1,9})(\.new)?", re.DOTALL)


def is_id(name: str) -> bool:
    """Whether the name is an id: a file of that name at the root is reached by its own id only."""
    return _ID.fullmatch(name) is not None


def split(path: str) -> tuple[bytes, ...]:
    """The parts of a path under the root, as the file system has them; `()` for the root itself.

    Raises `Malformed` for what can be no path under a root, `NotFound` for a hidden one: there is no telling whether it exists.
    """
    if not path:
        return ()
    try:
        raw = path.encode()
    except UnicodeEncodeError as error:
        raise Malformed("a name is UTF-8") from error
    parts = tuple(raw.split(b"/"))
    if b"\0" in raw or len(raw) > PATH_BYTES or any(_impossible(part) for part in parts):
        raise Malformed(f"no name under a folder: names are split by /, have no empty part, no . or .., at most {PATH_BYTES} bytes")
    if any(hidden(part) for part in parts):
        raise NotFound("hidden files are not served")
    return parts


def split_new(path: str) -> tuple[bytes, ...]:
    """As `split`, for a name that is to be given: also `Malformed` for the root, a hidden name, and one that reads like an id."""
    if not path or is_id(path):
        raise Malformed("a file needs a name, and not one that reads like an id")
    try:
        return split(path)
    except NotFound as error:
        raise Malformed("a name that begins with a dot, or with ~$, would be hidden: choose another") from error


def split_move(path: str, to: str) -> tuple[bytes, bytes]:
    """From where to where a folder goes; `Malformed` for the root, and for a way into itself."""
    source, target = b"/".join(split(path)), b"/".join(split_new(to))
    if not source:
        raise Malformed("the root has no other place")
    if source != target and within(target, source):
        raise Malformed(f"a folder cannot be moved into itself: {path}")
    return source, target


def check_lengths(paths: Iterable[bytes], folder: bytes, to: bytes) -> None:
    """`Malformed` when one of these paths would be too long if the folder that holds them were at `to`: nobody could open it there."""
    if any(len(to) + len(path) - len(folder) > PATH_BYTES for path in paths):
        raise Malformed(f"a document in the folder would have a name of over {PATH_BYTES} bytes there")


def visible(name: bytes) -> bool:
    """Whether an entry of a folder may be shown."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return not hidden(name)


def is_key(name: str) -> bool:
    """Whether this can name something in the bin."""
    return _KEY.fullmatch(name) is not None


def binned(path: bytes) -> bool:
    """Whether the path is in the bin."""
    return path.startswith(BIN + b"/")


def within(path: bytes, folder: bytes) -> bool:
    """Whether the path is the folder's or below it."""
    return path == folder or path.startswith(folder + b"/")


def temporary(name: bytes, mark: str, number: int) -> bytes:
    """The hidden name beside `name` for one write of the document whose id begins with the 8 letters `mark`."""
    tail = f".collab-{mark}-{number}".encode()
    room = NAME_BYTES - len(tail) - len(b"..new")
    return b"." + name[:room].decode(errors="ignore").encode() + tail


def mark_of(temporary_name: bytes) -> tuple[str, int, bool] | None:
    """Mark, number, and whether it is unfinished, of a name that `temporary` made (with `.new` behind it while unfinished)."""
    found = _TEMPORARY.fullmatch(temporary_name)
    return (found[1].decode(), int(found[2]), found[3] is not None) if found else None


def _impossible(part: bytes) -> bool:
    return part in {b"", b".", b".."} or len(part) > NAME_BYTES
