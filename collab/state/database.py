"""The one door to sqlite3: durable transactions, errors in words, tables by version."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from typing import TYPE_CHECKING, TypeVar

from collab.errors import Conflict, Unavailable
from collab.state.threads import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from collab.state.turn import Turn

T = TypeVar("T")

Connection = sqlite3.Connection
"""What a function of a transaction is given."""

BUSY_SECONDS = 5.0
"""How long a transaction waits for that of another process."""
WAL_KEPT = 8 * 1024 * 1024
"""Bytes that the write-ahead log may keep on disk after a checkpoint."""

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write (I/O error, or a limit of file size or quota)",
    sqlite3.SQLITE_BUSY: "another process holds the database",
    sqlite3.SQLITE_LOCKED: "another process holds the database",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the database is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is no database",
    sqlite3.SQLITE_PERM: "no permission for the database",
    sqlite3.SQLITE_TOOBIG: "the value is too large for the database",
    sqlite3.SQLITE_CONSTRAINT: "the database refuses a row that contradicts another",
}
"""Primary result codes (https://sqlite.org/rescode.html) in words."""


def explain(error: sqlite3.Error, path: Path | None) -> Unavailable:
    """The error that callers get: what happened in words, and in which file."""
    code = getattr(error, "sqlite_errorcode", None)
    words = str(error) if code is None else _WORDS.get(code & 0xFF, str(error))
    return Unavailable(f"{words}: {path.name if path else 'memory'}")


class _Explained:
    """Translate what is raised inside."""

    __slots__ = ("_path",)

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, sqlite3.Error):
            raise explain(error, self._path) from error
        if isinstance(error, MemoryError | OverflowError):
            raise Unavailable(f"the database cannot take this: {error or 'out of memory'}") from error


class Database:
    """One database file, or one in memory for `path=None`; each function runs as one transaction.

    `migrations` are scripts; `user_version` counts those that were run, and a database that has seen more is refused (`Conflict`).
    Every other failure is `Unavailable`, in words, with the transaction undone. `turn`: several processes write all the time, and take turns at it.
    """

    def __init__(self, path: Path | None, migrations: Sequence[str], *, turn: Turn | None = None) -> None:
        self._path = path
        self._turn = turn
        self._migrations = migrations
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._durable = True
        """Whether the connection syncs at the end of a transaction."""
        self._thread: ThreadPoolExecutor | None = None
        with self._explained(), self._lock:
            self._opened()

    async def run(self, act: Callable[[Connection], T]) -> T:
        """Run `act` as one writing transaction on the database's own thread."""
        return await self._off_the_loop(self.run_sync, act)

    async def look(self, act: Callable[[Connection], T]) -> T:
        """Run `act`, which only reads, on the database's own thread: it sees one state, and no writer waits for it."""
        return await self._off_the_loop(self.look_sync, act)

    def run_sync(self, act: Callable[[Connection], T], *, durable: bool = True) -> T:
        """Run `act` as one writing transaction on this thread: durable on return, or else with the next one that is, in order."""
        return self._transact("BEGIN IMMEDIATE", act, durable=durable)

    def look_sync(self, act: Callable[[Connection], T]) -> T:
        """As `look`, on this thread."""
        return self._transact("BEGIN", act)

    def step_sync(self, statement: str, values: Sequence[object]) -> int:
        """As `run_sync`, for one statement that need not be durable: how many rows it changed."""
        with self._explained(), self._lock:
            if self._turn is None:
                return self._step(statement, values)
            with self._turn.held():
                return self._step(statement, values)

    def _step(self, statement: str, values: Sequence[object]) -> int:
        connection = self._opened()
        try:
            if self._durable:
                self._sync(connection, durable=False)
            return connection.execute(statement, values).rowcount
        except sqlite3.Error:
            # As in `_transact`.
            if self._path is not None:
                self._drop()
            raise

    def close(self) -> None:
        """Wait for what runs, and close. A later transaction opens the file again."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        with self._lock:
            self._drop()

    async def _off_the_loop(self, how: Callable[[Callable[[Connection], T]], T], act: Callable[[Connection], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, f"collab-{self._path.stem if self._path else 'memory'}")
        return await beside(self._thread, lambda: how(act))

    def _explained(self) -> _Explained:
        return _Explained(self._path)

    def _transact(self, begin: str, act: Callable[[Connection], T], *, durable: bool = True) -> T:
        # SQLite looks again and again whether the database is free, with longer and longer pauses: nobody should wait for that.
        turn = self._turn.held() if self._turn is not None and begin != "BEGIN" else nullcontext()
        with self._explained(), self._lock, turn:
            connection = self._opened()
            try:
                if durable != self._durable and begin != "BEGIN":
                    self._sync(connection, durable=durable)
                connection.execute(begin)
                result = act(connection)
                connection.execute("COMMIT")
            except sqlite3.Error:
                # After a failed fsync nobody knows which pages are on the disk: a new connection reads them again.
                self._undo(connection)
                if self._path is not None:
                    self._drop()
                raise
            except BaseException:
                self._undo(connection)
                raise
            return result

    def _sync(self, connection: Connection, *, durable: bool) -> None:
        """Whether it syncs from now on. What is written often need not be durable, and is written one after the other: most find it as it should be."""
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._durable = durable

    @staticmethod
    def _undo(connection: Connection) -> None:
        if connection.in_transaction:
            connection.rollback()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._durable = True

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        if self._path is None:
            return self._prepared(":memory:")
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Unavailable(f"{error.strerror}: {self._path.parent}") from error
        try:
            # The switch to WAL does not wait for another process that is making it: one at a time.
            fcntl.flock(folder, fcntl.LOCK_EX)
            self._touch()
            connection = self._prepared(str(self._path))
            os.fsync(folder)
        finally:
            os.close(folder)
        return connection

    def _touch(self) -> None:
        """Make the file with mode 0600: the log and the shared memory beside it take its mode."""
        if self._path is not None and not self._path.exists():
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            except OSError as error:
                raise Unavailable(f"{error.strerror}: {self._path}") from error

    def _prepared(self, name: str) -> Connection:
        connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            if self._version(connection) == 0:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={WAL_KEPT}")
            connection.execute("PRAGMA foreign_keys=ON")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: Connection) -> None:
        version = self._version(connection)
        for script in self._migrations[version:]:
            version += 1
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={version}; COMMIT")

    def _version(self, connection: Connection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(self._migrations):
            where = self._path.name if self._path else "memory"
            raise Conflict(f"{where} was made by a newer version of collab: use that one, or another state directory")
        return version


def copy_together(sources: Sequence[Path], to: Sequence[Path]) -> None:
    """Whole copies of databases as they are at one moment, made while others write. For that moment, some milliseconds, nobody writes to the
    first; what the others say of it, it knows. Unavailable.
    """
    try:
        with ExitStack() as open_ones:
            readers = [open_ones.enter_context(closing(_connected(path))) for path in sources]
            with closing(_connected(sources[0])) as first:
                first.execute("BEGIN IMMEDIATE")
                for reader in readers:
                    # The first look is the moment that a transaction sees.
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                first.execute("ROLLBACK")
            for reader, path in zip(readers, to, strict=True):
                _copy(reader, path)
    except sqlite3.Error as error:
        raise explain(error, sources[0]) from error


def _connected(path: Path) -> Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


def _copy(reader: Connection, path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    with closing(_connected(path)) as copy:
        reader.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (told,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if told != "ok":
        raise Unavailable(f"the database is damaged: {path.name}: {told}")


def reclaim(connection: Connection, pages: int) -> None:
    """Give at most `pages` free pages of 4 KiB back to the file system; inside a transaction."""
    connection.execute(f"PRAGMA incremental_vacuum({pages:d})").fetchall()
