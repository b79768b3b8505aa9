"""Which document a file is: ids that survive renames, savers that rename aside, and a deletion that is taken back.

The rules: a path that is there is the document that it was. A path that stayed empty for `BELIEVED` seconds has lost its document; the file
that was seen there is the document wherever it is found. A path that is filled again after a deletion is the same document if somebody who
knows its history says so, within `REMEMBERED` seconds.
"""

from __future__ import annotations

import string
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from collab.storage.claims import Noted
from collab.storage.folder_names import FolderNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from random import Random

    from collab.state.database import Connection, Database

BELIEVED: Final = 2.0
"""Seconds for which a path must stay empty until a rename or a deletion is believed: editors rename aside and fill it again."""
REMEMBERED: Final = 30 * 86400.0
"""Seconds after which a path that comes back is a new document without a question."""
RACY: Final = 2 * 10**9
"""A file that changed less than this many nanoseconds before it was hashed may change again with the same times."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen at a path just now. `file` tells one inode from every other, also from a later one with its number."""

    path: bytes
    file: str
    size: int
    mtime_ns: int
    ctime_ns: int
    writable: bool = True
    folder: bool = False

    @property
    def stamp(self) -> str:
        """As long as it stays the same, so does the content."""
        return f"{self.size}:{self.mtime_ns}:{self.ctime_ns}"

    @property
    def weak(self) -> str:
        """An etag without reading the file, for large ones."""
        return "weak-" + sha256(f"{self.file}:{self.size}:{self.mtime_ns}".encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Place:
    """A document and where it is; `etag` if it is known without hashing."""

    id: str
    sight: Sight
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A path whose document `id` was deleted is filled again: is it the same? `etag` is the last that was known of it."""

    id: str
    sight: Sight
    etag: str


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a document. `deleted_at` in UTC seconds."""

    id: str
    path: bytes
    file: str
    stamp: str
    etag: str
    deleted_at: float | None


# Each write is an fsync: only what says something new.
_REMEMBER = "UPDATE documents SET etag = :etag, stamp = :stamp WHERE id = :id AND file = :file AND (etag <> :etag OR (stamp <> :stamp AND :stamp <> ''))"
_WRITTEN = "UPDATE documents SET file = ?, etag = ?, stamp = ? WHERE id = ? AND path = ? AND deleted_at IS NULL"
_STALE = "UPDATE documents SET deleted_at = ? WHERE path = ? AND id <> ? AND deleted_at IS NULL"
_COLUMNS = "id, path, file, stamp, etag, deleted_at"


class Names:
    """The table of documents in the state database. `clock` is UTC seconds, `timer` a clock that never jumps."""

    def __init__(
        self,
        database: Database,
        *,
        random: Random | None = None,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._random = SystemRandom() if random is None else random
        self._clock = clock
        self._timer = timer
        self.folders = FolderNames(database, self.fresh_id)
        self.claims = Noted(database)
        self._gone: dict[str, float] = {}
        """When each document was first missed, by the timer: a wait of seconds is not worth a row on the disk."""
        self._placed: dict[str, str] = {}
        """The documents of files that we have just put in place, before their rows say so."""

    def fresh_id(self) -> str:
        """An id that no document has."""
        return "id:" + "".join(self._random.choices(string.ascii_lowercase, k=26))

    def find(self, document: str) -> Row | None:
        """What is known of an id."""
        return self._database.look_sync(lambda connection: _one(connection, "id = ?", document))

    def known(self, row: Row, sight: Sight) -> Place | None:
        """The place of a document that is what and where it was: nothing of it need be written down."""
        if (row.path, row.file, row.deleted_at) != (sight.path, sight.file, None) or not row.file:
            return None
        self.found(row.id)
        return Place(row.id, sight, row.etag if row.stamp == sight.stamp else None)

    def found(self, document: str) -> None:
        """It is where it was."""
        self._gone.pop(document, None)

    def identify(self, sights: Sequence[Sight], present: Callable[[bytes], bool]) -> list[Place | Question]:
        """The document of each file that is there now; unknown ones get an id. `present` tells whether there is a file at a path."""
        return self._database.run_sync(lambda connection: [self._identify(connection, sight, present) for sight in sights])

    def answer(self, question: Question, *, same: bool) -> Place:
        """The same document is back, or a new one begins."""

        def act(connection: Connection) -> Place:
            now_there = _one(connection, "path = ? AND deleted_at IS NULL", question.sight.path)
            if now_there is not None:
                return Place(now_there.id, question.sight)
            return self._settle(connection, question.id, question.sight) if same else self._begin(connection, question.sight)

        return self._database.run_sync(act)

    def waiting(self, document: str) -> bool:
        """The document's path is empty: whether it is too early to believe it."""
        return self._timer() - self._gone.setdefault(document, self._timer()) < BELIEVED

    def bury(self, document: str, *, by_us: bool = False) -> None:
        """The document is deleted. Unless `by_us`, its file is still known if it turns up elsewhere."""

        def act(connection: Connection) -> None:
            connection.execute("UPDATE documents SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (self._clock(), document))
            if by_us:
                connection.execute("UPDATE documents SET file = '' WHERE id = ?", (document,))

        self._database.run_sync(act)
        self._gone.pop(document, None)

    def settle(self, document: str, sight: Sight, etag: str, *, durable: bool = True, sure: bool = False) -> Place:
        """The document is what was seen there: written or moved by us. `etag` is the last that is known of it; `sure`: of just this sight.

        A write need not be durable here: the path tells which document it is, whatever its inode.
        """
        stamp = sight.stamp if sure else ""
        written = (sight.file, etag, stamp, document, sight.path)
        # Most writes leave the document where it was: then one index is written, not two.
        if not durable and self._database.step_sync(_WRITTEN, written):
            self.found(document)
            return Place(document, sight, etag if sure else None)

        def act(connection: Connection) -> Place:
            if not connection.execute(_WRITTEN, written).rowcount:
                self._settle(connection, document, sight)
                connection.execute("UPDATE documents SET etag = ?, stamp = ? WHERE id = ?", (etag, stamp, document))
            self.found(document)
            return Place(document, sight, etag if sure else None)

        return self._database.run_sync(act, durable=durable)

    @contextmanager
    def placing(self, document: str) -> Iterator[Callable[[Sight], None]]:
        """While we put a new file in the document's place, and until that is written down: what is called with its sight makes it known wherever it
        turns up. The disk may take a second for the rest, and whoever moves the folder meanwhile moves the document.
        """
        files: list[str] = []

        def placed(sight: Sight) -> None:
            files.append(sight.file)
            self._placed[sight.file] = document

        try:
            yield placed
        finally:
            for file in files:
                self._placed.pop(file, None)

    def below(self, path: bytes) -> list[Row]:
        """The documents at a path or under it."""
        return self._database.look_sync(lambda connection: _under(connection, path))

    def shift(self, path: bytes, to: bytes) -> None:
        """Whatever is at a path or under it was moved by us, with all in it."""

        def act(connection: Connection) -> None:
            for row in _under(connection, path):
                self._place(connection, row.id, to + row.path[len(path) :])
            self.folders.shift(connection, path, to)

        self._database.run_sync(act)

    def restate(self, places: Mapping[str, bytes]) -> None:
        """Each of these documents is at this path, whatever was believed before."""

        def act(connection: Connection) -> None:
            for document, path in places.items():
                self._place(connection, document, path)

        self._database.run_sync(act)

    def unsee(self) -> None:
        """The files are on another disk, or copies: no inode is known any more, only paths."""

        def act(connection: Connection) -> None:
            connection.execute("UPDATE documents SET file = '', stamp = ''")
            connection.execute("UPDATE folders SET file = ''")

        self._database.run_sync(act)

    def erase(self, documents: Sequence[str]) -> None:
        """Nothing is known of these documents any more."""
        rows = [(document,) for document in documents]
        self._database.run_sync(lambda connection: connection.executemany("DELETE FROM documents WHERE id = ?", rows))

    def _place(self, connection: Connection, document: str, path: bytes) -> None:
        """The document is at this path, and no other is."""
        connection.execute(_STALE, (self._clock(), path, document))
        connection.execute("UPDATE documents SET path = ?, deleted_at = NULL WHERE id = ?", (path, document))
        self._gone.pop(document, None)

    def remember(self, etags: Iterable[tuple[str, Sight, str]]) -> None:
        """Hashes of (document, sight), unless a file changed so lately that it may change once more unseen."""
        now = self._clock()
        rows = [
            {
                "id": document,
                "file": sight.file,
                "etag": etag,
                "stamp": sight.stamp if settled(sight, now) else "",
            }
            for document, sight, etag in etags
        ]
        if rows:
            self._database.run_sync(lambda connection: connection.executemany(_REMEMBER, rows), durable=False)

    def _identify(self, connection: Connection, sight: Sight, present: Callable[[bytes], bool]) -> Place | Question:
        there = _one(connection, "path = ? AND deleted_at IS NULL", sight.path)
        if there is not None:
            if there.file == sight.file or there.id not in self._gone or self.waiting(there.id):
                return self._settle(connection, there.id, sight, there)
            connection.execute("UPDATE documents SET deleted_at = ? WHERE id = ?", (self._clock(), there.id))
            self._gone.pop(there.id, None)
        return self._moved(connection, sight, present) or self._returned(connection, sight) or self._begin(connection, sight)

    def _moved(self, connection: Connection, sight: Sight, present: Callable[[bytes], bool]) -> Place | None:
        """The file is known under another path, or was: the same document, and once that is believed, recorded as such."""
        where = "file = ? AND (deleted_at IS NULL OR deleted_at > ?) ORDER BY deleted_at IS NOT NULL, deleted_at DESC"
        rows = _all(connection, where, sight.file, self._clock() - REMEMBERED)
        placed = self._placed.get(sight.file)
        if placed is not None and not rows:
            rows = _all(connection, "id = ? AND deleted_at IS NULL", placed)
        for row in rows:
            if row.deleted_at is not None:
                return self._settle(connection, row.id, sight)
            if not present(row.path):
                return Place(row.id, sight) if self.waiting(row.id) else self._settle(connection, row.id, sight)
        return None

    def _returned(self, connection: Connection, sight: Sight) -> Question | None:
        where = "path = ? AND deleted_at > ? ORDER BY deleted_at DESC LIMIT 1"
        row = _one(connection, where, sight.path, self._clock() - REMEMBERED)
        return Question(row.id, sight, row.etag) if row else None

    def _begin(self, connection: Connection, sight: Sight) -> Place:
        document = self.fresh_id()
        connection.execute("INSERT INTO documents VALUES (?, ?, ?, '', '', NULL)", (document, sight.path, sight.file))
        return Place(document, sight)

    def _settle(self, connection: Connection, document: str, sight: Sight, row: Row | None = None) -> Place:
        row = row or _one(connection, "id = ?", document)
        if row is not None and (row.path, row.file, row.deleted_at) != (sight.path, sight.file, None):
            connection.execute(_STALE, (self._clock(), sight.path, document))
            connection.execute(
                "UPDATE documents SET path = ?, file = ?, deleted_at = NULL WHERE id = ?", (sight.path, sight.file, document)
            )
        self._gone.pop(document, None)
        known = row is not None and row.file == sight.file and row.stamp == sight.stamp
        return Place(document, sight, row.etag if row is not None and known else None)


def settled(sight: Sight, now: float) -> bool:
    """Whether a file that changes after `now` (UTC seconds) is surely seen otherwise."""
    return max(sight.mtime_ns, sight.ctime_ns) < now * 10**9 - RACY


def _all(connection: Connection, where: str, *values: object) -> list[Row]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM documents WHERE {where}", values).fetchall()  # noqa: S608 - `where` is constant
    return [Row(*row) for row in rows]


def _under(connection: Connection, path: bytes) -> list[Row]:
    # "0" comes behind "/": all that begins as the folder's path and a slash.
    return _all(connection, "deleted_at IS NULL AND (path = ? OR (path > ? AND path < ?))", path, path + b"/", path + b"0")


def _one(connection: Connection, where: str, *values: object) -> Row | None:
    rows = _all(connection, where, *values)
    return rows[0] if rows else None
