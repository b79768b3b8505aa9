"""The one door to SQLAlchemy: work on a database, beside the event loop, in transactions."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from collab.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine

T = TypeVar("T")

CONNECTIONS = 4
"""To PostgreSQL at once."""
BUSY = 5.0
"""Seconds that SQLite waits for another process (a backup, a command of the operator)."""
_LOCK = 0x636F6C6C6162
"""PostgreSQL's advisory lock under which one node at a time migrates."""


class Database:
    """A database by its URL: `sqlite:///path`, `sqlite://` (in memory) or `postgresql+psycopg://…`. Errors: `Unavailable`; when it is opened
    also `Conflict`, if a newer program made it.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._threads = ThreadPoolExecutor(1 if self.sqlite else CONNECTIONS, "collab-archive")
        try:
            self._engine = _sqlite(self._url) if self.sqlite else _server(self._url)
            with self._engine.begin() as connection:
                self._migrate(connection)
        except (SQLAlchemyError, OSError) as error:
            self._threads.shutdown()
            raise _unavailable(error) from error

    def _migrate(self, connection: Connection) -> None:
        if not self.sqlite:
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
        """`act` in a transaction of its own, which is durable on return."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._transaction, act)
        except RuntimeError as error:
            raise Unavailable("the archive is closed") from error

    def _transaction(self, act: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return act(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Wait for what runs. Idempotent."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()


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
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"journal_size_limit={16 * 2**20}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _server(url: URL) -> Engine:
    return create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True)


def _unavailable(error: Exception) -> Unavailable:
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return Unavailable(f"the archive's database does not take it: {reason}")
