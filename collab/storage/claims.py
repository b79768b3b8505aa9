"""Who has a file open outside, and our own lock of it, as files beside it: the rules, for every storage that has folders.

Ours is a lock that LibreOffice on a desktop understands. It is noted before it is made, so that it is found again after a crash, and never put in
the place of another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from collab.ports import Claim
from collab.storage import habits
from collab.storage.paths import NAME_BYTES, visible

if TYPE_CHECKING:
    from collab.state.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Seen:
    """A small file as it is: UTC seconds of its last change, and its first bytes."""

    modified: float
    body: bytes


class Beside(Protocol):
    """The files of the folder that a document is in, hidden ones too. Paths are bytes under the root."""

    def names(self, folder: bytes) -> list[bytes]:
        """All that is in the folder at this path; nothing of one that may not be read."""

    def peek(self, path: bytes) -> Seen | None:
        """The regular file at a path, None when there is none; one that may not be read has no bytes. Raises `Unavailable`."""

    def put(self, path: bytes, body: bytes) -> bool:
        """A new file, whole; False when there is one, or none can be made."""

    def drop(self, path: bytes) -> None:
        """Remove it; nothing happens when there is none, or it cannot be removed."""


class Noted:
    """The locks of ours, in the state database: by document, with the path of the file that is locked, and since when (UTC seconds)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, tuple[bytes, float]]:
        """All of them."""

        def act(connection: Connection) -> dict[str, tuple[bytes, float]]:
            rows = connection.execute("SELECT document, path, since FROM claims").fetchall()
            return {document: (path, since) for document, path, since in rows}

        return self._database.look_sync(act)

    def path(self, document: str) -> bytes | None:
        """Where the document was when it was locked."""

        def act(connection: Connection) -> bytes | None:
            row = connection.execute("SELECT path FROM claims WHERE document = ?", (document,)).fetchone()
            return None if row is None else bytes(row[0])

        return self._database.look_sync(act)

    def put(self, document: str, path: bytes, now: float) -> None:
        """It will be locked there."""
        values = (document, path, now)
        self._database.run_sync(lambda connection: connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", values))

    def drop(self, document: str) -> None:
        """It is not locked any more."""
        self._database.run_sync(lambda connection: connection.execute("DELETE FROM claims WHERE document = ?", (document,)))


def look(beside: Beside, path: bytes, now: float) -> Claim | None:
    """Who else has the file open."""
    folder, name = _parted(path)
    lock = _peek(beside, folder, habits.lock_of(name))
    if lock is not None and now - lock.modified < habits.STALE and not (entry := habits.read_lock(lock.body)).ours:
        return Claim(entry.name or entry.login, habits.LIBREOFFICE, lock.modified)
    for owner in habits.owners_of(name):
        seen = _peek(beside, folder, owner)
        if seen is not None and now - seen.modified < habits.STALE and (by := habits.read_owner(seen.body)) is not None:
            return Claim(by, habits.MICROSOFT, seen.modified)
    return None


def look_in(beside: Beside, folder: bytes, now: float) -> dict[bytes, Claim]:
    """Who else has which files of the folder open, by path."""
    names = beside.names(folder)
    locks = {name for name in names if habits.is_lock(name)}
    if not locks:
        return {}
    below = folder + b"/" if folder else b""
    looked = [below + name for name in names if visible(name) and not locks.isdisjoint(_locks_of(name))]
    return {path: claim for path in looked if (claim := look(beside, path, now)) is not None}


def _locks_of(name: bytes) -> list[bytes]:
    return [habits.lock_of(name), *habits.owners_of(name)]


def hold(beside: Beside, noted: Noted, document: str, path: bytes, *, name: str, host: str, now: float) -> Claim | None:  # noqa: PLR0913 - the facts
    """Lock the file, unless somebody outside has it: then who. Where no lock can be made there is none, and that is no reason to refuse."""
    before = noted.path(document)
    if before is not None and before != path:
        free(beside, noted, document, before)
    other = look(beside, path, now)
    if other is not None:
        return other
    folder, own = _parted(path)
    lock = habits.lock_of(own)
    if len(lock) > NAME_BYTES:
        return None
    if before != path:
        noted.put(document, path, now)
    if not beside.put(folder + lock, habits.write_lock(name, host, now)) and not _ours(beside, folder, lock):
        noted.drop(document)
        return look(beside, path, now)
    return None


def free(beside: Beside, noted: Noted, document: str, *paths: bytes) -> None:
    """Take our lock away, wherever the document was or is; another's stays."""
    before = noted.path(document)
    for path in {*paths, *([] if before is None else [before])}:
        folder, name = _parted(path)
        lock = habits.lock_of(name)
        if _ours(beside, folder, lock):
            beside.drop(folder + lock)
    if before is not None:
        noted.drop(document)


def _peek(beside: Beside, folder: bytes, name: bytes) -> Seen | None:
    return beside.peek(folder + name) if len(name) <= NAME_BYTES else None


def _ours(beside: Beside, folder: bytes, lock: bytes) -> bool:
    seen = _peek(beside, folder, lock)
    return seen is not None and habits.read_lock(seen.body).ours


def _parted(path: bytes) -> tuple[bytes, bytes]:
    folder, slash, name = path.rpartition(b"/")
    return folder + slash, name
