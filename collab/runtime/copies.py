"""What cannot be in the file without taking somebody's words out of it is kept beside it, under a name that says what it is."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.errors import Exists, Unavailable

if TYPE_CHECKING:
    from collab.ports import Draft, Files

TRIES = 100
"""Copies of one minute."""


async def copy_beside(files: Files, path: str, body: bytes | Draft, word: str, now: float) -> str:
    """Write `name (word 2026-11-22 14.05).md` beside `name.md`, or find it there with the same bytes; gives its path. Errors of `Files.write`."""
    folder, _, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".") if "." in name[1:] else (name, "", "")
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H.%M")
    for number in range(1, TRIES + 1):
        more = f" {number}" if number > 1 else ""
        copy = f"{folder}/" * bool(folder) + f"{stem} ({word} {stamp}{more}){dot}{extension}"
        try:
            await (files.write(copy, body, if_match=None) if isinstance(body, bytes) else body.create(copy))
        except Exists:
            # A crash may have come between the copy and the note of it.
            if (await files.stat(copy)).etag != (sha256(body).hexdigest() if isinstance(body, bytes) else body.hash):
                continue
        return copy
    raise Unavailable(f"There are {TRIES} copies of {name} of this minute already.")
