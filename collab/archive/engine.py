"""The one door to SQLAlchemy: work on a database, beside the event loop, in transactions. A database that does not answer costs nobody much time."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from collab.errors import CollabError, Conflict, Malformed, Unavailable
from collab.state.threads import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import URL, Connection, Engine, Update

T = TypeVar("T")

CONNECTIONS = 4
"""To PostgreSQL at once."""
BUSY = 5.0
"""Seconds that SQLite waits for another process (a backup, a command of the operator)."""
LOG_PAGES = 128
"""Pages of SQLite's log after which they are brought into the file. Each save of an office suite is one: a log that begins again does not grow, and to sync it is cheaper."""
ANSWER = 30.0
"""Seconds in which a transaction has to be done; then the connection is given up."""
RETRY = (1.0, 30.0)
"""Seconds without a try after a failure, doubling, and at most."""
TRIES = 3
"""So often a transaction is done that another one crossed."""
DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgresql+psycopg": "postgresql+psycopg"}
"""What may be asked for, and what is taken for it."""

AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""What is wrong with the database, not with what it was asked."""

MEMORY = {None, "", ":memory:"}
"""What SQLite calls a database that is nowhere else."""
_LOCK = 0x636F6C6C6162
"""PostgreSQL's advisory lock under which one node at a time migrates."""
_CROSSED = ("40001", "40P01")
"""SQLSTATE of serialization failures and deadlocks."""


class Database:
    """A database by its URL: `sqlite:///path`, `sqlite://` (in memory) or `postgresql+psycopg://…`. `clock` gives monotonic seconds.

    Errors: `Unavailable`; when it is opened also `Conflict`, if a newer program made it, and `Malformed` for a URL that is none.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._url = _parsed(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self.trouble: str | None = None
        """Why it takes nothing just now, in words."""
        self._failures = 0
        self._not_before = 0.0
        self._prepared: dict[Update, tuple[str, tuple[str, ...]]] = {}
        """The words of statements, and the order of their values."""
        self._lines: set[Any] = set()
        """The driver's connections."""
        self._threads = ThreadPoolExecutor(1 if self.sqlite else CONNECTIONS, "collab-archive")
        self._turn = threading.Lock() if self.sqlite else nullcontext()
        """SQLite's one connection is one thread's at a time."""
        self._closed = False
        try:
            self._open()
        except (SQLAlchemyError, OSError, ModuleNotFoundError) as error:
            raise _unavailable(error) from error

    def _open(self) -> None:
        engine = _sqlite(self._url) if self.sqlite else _server(self._url)
        event.listen(engine, "connect", lambda line, _: self._lines.add(line), insert=True)
        event.listen(engine, "close", lambda line, _: self._lines.discard(line))
        try:
            with engine.begin() as connection:
                self._migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine
        driver: Any = engine.dialect.loaded_dbapi
        self._away = driver.OperationalError, driver.InterfaceError

    def _migrate(self, connection: Connection) -> None:
        if not self.sqlite:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        with resources.as_file(resources.files("collab.archive") / "migrations") as folder:
            config = Config()
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            config.attributes["connection"] = connection
            now = MigrationContext.configure(connection).get_current_revision()
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            if now is not None and now not in known:
                raise Conflict("the archive was made by a newer version of collab: use that one, or another database")
            command.upgrade(config, "head")

    async def run(self, act: Callable[[Connection], T]) -> T:
        """`act` in a transaction of its own, which is durable on return. Soon after a failure it fails at once, so that nobody waits in vain."""
        return await self._off(lambda: self._transaction(act))

    async def step(self, statement: Update, values: Mapping[str, object]) -> int:
        """One statement, always the same one, as a transaction of its own; how many rows it changed. Its values are such as drivers take."""
        if not self.sqlite:
            return await self.run(lambda connection: connection.execute(statement, values).rowcount)
        return await self._off(lambda: self._alone(statement, values))

    def step_here(self, statement: Update, values: Mapping[str, object]) -> int:
        """As `step`, on the thread of whoever asks, which is not the event loop's. Blocks."""
        self._check()
        try:
            if self.sqlite:
                return self._alone(statement, values)
            return int(
                self._threads.submit(self._transaction, lambda connection: connection.execute(statement, values).rowcount).result(ANSWER)
            )
        except Unavailable as error:
            self._note(error)
            raise
        except RuntimeError as error:
            raise Unavailable("the archive is closed") from error
        except TimeoutError:
            raise self._late() from None

    def _check(self) -> None:
        if self.trouble is not None and self._clock() < self._not_before:
            raise Unavailable(self.trouble)

    def _note(self, error: Unavailable) -> None:
        if isinstance(error.__cause__, (*AWAY, *self._away)):
            self._failed(error)

    async def _off(self, act: Callable[[], T]) -> T:
        self._check()
        try:
            done = beside(self._threads, act)
        except RuntimeError as error:
            raise Unavailable("the archive is closed") from error
        done.add_done_callback(_seen)
        if not self.sqlite and not (await asyncio.wait({done}, timeout=ANSWER))[0]:
            raise self._late()
        try:
            # What was begun is done, whether or not anybody waits for it.
            result = await asyncio.shield(done)
        except Unavailable as error:
            self._note(error)
            raise
        self.trouble, self._failures = None, 0
        return result

    async def scrub(self, table: str) -> None:
        """Old versions of a table's rows leave the database's files. SQLite is written anew, its log is emptied; others wait meanwhile."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._scrub, table)

    def _scrub(self, table: str) -> None:
        with self._turn:
            self._rewrite(table)

    def _rewrite(self, table: str) -> None:
        try:
            raw = self._engine.raw_connection()
            try:
                connection: Any = raw.driver_connection
                if self.sqlite:
                    connection.execute("VACUUM")
                    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if busy:
                        raise Unavailable("the archive is in use: do it again in a moment")
                else:
                    connection.autocommit = True
                    connection.execute(f"VACUUM {table}")
                    connection.autocommit = False
            finally:
                raw.close()
        except Exception as error:
            if isinstance(error, CollabError):
                raise
            raise _unavailable(error) from error

    def _failed(self, error: Unavailable) -> Unavailable:
        first, most = RETRY
        self._failures += 1
        self._not_before = self._clock() + min(first * 2.0 ** (self._failures - 1), most)
        self.trouble = error.detail
        return error

    def _late(self) -> Unavailable:
        self._hang_up()
        return self._failed(Unavailable(f"the archive's database did not answer in {ANSWER:.0f} s"))

    def _transaction(self, act: Callable[[Connection], T]) -> T:
        with self._turn:
            return self._tried(act)

    def _tried(self, act: Callable[[Connection], T]) -> T:
        for left in reversed(range(TRIES)):
            try:
                with self._engine.begin() as connection:
                    return act(connection)
            except (SQLAlchemyError, UnicodeError, OverflowError) as error:
                if isinstance(error, IntegrityError) or getattr(getattr(error, "orig", None), "sqlstate", None) in _CROSSED:
                    if left:
                        continue
                elif self.sqlite and isinstance(error, DBAPIError) and self._url.database not in MEMORY:
                    # After a failed sync nobody knows which pages are on the disk: a new connection reads them again.
                    self._engine.dispose()
                raise _unavailable(error) from error
        raise AssertionError

    def _alone(self, statement: Update, values: Mapping[str, object]) -> int:
        """On SQLite: what stands between a statement and its driver costs more than what the statement does."""
        with self._turn:
            if self._closed:
                raise Unavailable("the archive is closed")
            return self._stepped(statement, values)

    def _stepped(self, statement: Update, values: Mapping[str, object]) -> int:
        if statement not in self._prepared:
            compiled: Any = statement.compile(dialect=self._engine.dialect)
            self._prepared[statement] = str(compiled), tuple(compiled.positiontup)
        words, order = self._prepared[statement]
        driver: Any = self._engine.dialect.loaded_dbapi
        try:
            line: Any = next(iter(self._lines), None) or self._engine.raw_connection().driver_connection
            return int(line.execute(words, [values[name] for name in order]).rowcount)
        except (driver.Error, SQLAlchemyError, UnicodeError, OverflowError) as error:
            if self._url.database not in MEMORY:
                self._engine.dispose()
            raise _unavailable(error) from error

    def _hang_up(self) -> None:
        """Whoever waits for an answer gets an error now."""
        for line in () if self.sqlite else tuple(self._lines):
            try:
                with socket.socket(fileno=os.dup(line.fileno())) as end:
                    end.shutdown(socket.SHUT_RDWR)
            except Exception:  # noqa: BLE001, S112 - it is closed already, in whatever state
                continue

    async def close(self) -> None:
        """Wait for what runs, a while. Idempotent."""
        ended = asyncio.ensure_future(asyncio.to_thread(self._threads.shutdown))
        await asyncio.wait({ended}, timeout=ANSWER / 6)
        self._hang_up()
        await ended
        with self._turn:
            self._closed = True
            self._engine.dispose()


def _seen(done: asyncio.Future[Any]) -> None:
    """Who asked may be gone; then nobody looks at the error."""
    if not done.cancelled():
        done.exception()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in DRIVERS:
        raise Malformed("the archive's address must be sqlite:////folder/file or postgresql+psycopg://name@host/database (COLLAB_ARCHIVE)")
    return parsed.set(drivername=DRIVERS[parsed.drivername])


def _sqlite(url: URL) -> Engine:
    path = url.database
    if path and path != ":memory:":
        # With mode 0600: the log beside it takes its mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": BUSY})

    @event.listens_for(engine, "connect")
    def connected(connection: object, _: object) -> None:
        # The driver's own transactions leave out changes of tables: a migration that is cut off would stay half done.
        connection.isolation_level = None  # type: ignore[attr-defined]  # the driver's own
        cursor = connection.cursor()  # type: ignore[attr-defined]  # the driver's own
        _begin_log(cursor, engine.dialect.loaded_dbapi.OperationalError)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            f"journal_size_limit={16 * 2**20}",
            f"wal_autocheckpoint={LOG_PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _begin_log(cursor: Any, wrong: type[Exception]) -> None:  # noqa: ANN401 - the driver's own
    """SQLite's switch to its log does not wait by itself for another process that is making it."""
    end = time.monotonic() + BUSY
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except wrong as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _server(url: URL) -> Engine:
    given = {"connect_timeout": 5, "tcp_user_timeout": int(ANSWER * 1000), "application_name": "collab"}
    wanted = {name: value for name, value in given.items() if name not in url.query}
    engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=ANSWER, pool_pre_ping=True, connect_args=wanted)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own
        # What a node leaves that is gone, or stopped, holds up the others for so long.
        try:
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(f"SET {name} = {int(ANSWER * 1000)}")
            connection.commit()
        except BaseException:
            connection.close()
            raise

    return engine


def _unavailable(error: Exception) -> CollabError:
    if isinstance(error, ModuleNotFoundError):
        return Unavailable(f"the driver of the archive's database is not installed ({error.name}): pip install 'collab[postgres]'")
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return Unavailable(f"the archive's database does not take it: {reason}")
