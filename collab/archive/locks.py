"""Locks of documents that others ask for by names and ids of theirs. Each verb compares and changes in one step, by the database's own clock."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, bindparam, delete, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collab.archive.rows import key_for, key_of
from collab.archive.tables import documents, locks
from collab.ports import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement, Connection, Select

    from collab.archive.engine import Database

MOST = 1000
"""Locks that are told at once."""


class SqlLocks:
    """The port `Locks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, document: str, lock: Lock) -> Lock:
        """Take it if it is free, or already this one."""

        def act(connection: Connection) -> Lock:
            key, now = key_for(connection, document), _now(connection)
            values = {"id": lock.id, "holder": lock.holder, "until": now + lock.seconds}
            made = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(locks)
            free = or_(locks.c.until <= now, locks.c.id == lock.id)
            connection.execute(
                made.values(document=key, name=lock.name, **values).on_conflict_do_update(
                    index_elements=[locks.c.document, locks.c.name], set_=values, where=free
                )
            )
            return _standing(connection, document, lock.name) or lock

        return await self._database.run(act)

    async def refresh(self, document: str, lock: Lock) -> Lock | None:
        """Longer, if it is this one."""
        return await self._changed(document, lock.name, lock.id, lambda now: {"until": now + lock.seconds})

    async def replace(self, document: str, lock: Lock, old: str) -> Lock | None:
        """Another id, if it is the old one."""
        return await self._changed(
            document, lock.name, old, lambda now: {"id": lock.id, "holder": lock.holder, "until": now + lock.seconds}
        )

    async def _changed(
        self, document: str, name: str, old: str, values: Callable[[ColumnElement[float]], dict[str, object]]
    ) -> Lock | None:
        def act(connection: Connection) -> Lock | None:
            key, now = key_of(connection, document), _now(connection)
            held = locks.c.document == key, locks.c.name == name, locks.c.id == old, locks.c.until > now
            connection.execute(update(locks).where(*held).values(**values(now)))
            return _standing(connection, document, name)

        return await self._database.run(act)

    async def release(self, document: str, name: str, lock: str) -> Lock | None:
        """Free, if it is this one."""

        def act(connection: Connection) -> Lock | None:
            key = key_of(connection, document)
            mine = or_(locks.c.id == lock, locks.c.until <= _now(connection))
            connection.execute(delete(locks).where(locks.c.document == key, locks.c.name == name, mine))
            return _standing(connection, document, name)

        return await self._database.run(act)

    async def get(self, document: str, name: str) -> Lock | None:
        """Who holds it."""
        return await self._database.run(lambda connection: _standing(connection, document, name))

    async def standing(self, name: str) -> Mapping[str, Lock]:
        """All of this name, by document."""

        def act(connection: Connection) -> Mapping[str, Lock]:
            now = _now(connection)
            columns = documents.c.id.label("document"), locks.c.id, locks.c.holder, (locks.c.until - now).label("seconds")
            query = select(*columns).join(documents, documents.c.key == locks.c.document).where(locks.c.name == name, locks.c.until > now)
            rows = connection.execute(query.order_by(documents.c.id).limit(MOST))
            return {row.document: Lock(name, row.id, row.holder, float(row.seconds)) for row in rows}

        return await self._database.run(act)


def _standing(connection: Connection, document: str, name: str) -> Lock | None:
    row = connection.execute(_asked(connection.dialect.name), {"document": document, "name": name}).first()
    return None if row is None else Lock(name, row.id, row.holder, float(row.seconds))


@cache
def _asked(dialect: str) -> Select[Any]:
    """The lock that stands: written once, since writing statements costs more than what they do."""
    now = _clock(dialect)
    query = select(locks.c.id, locks.c.holder, (locks.c.until - now).label("seconds")).join(documents, documents.c.key == locks.c.document)
    return query.where(documents.c.id == bindparam("document"), locks.c.name == bindparam("name"), locks.c.until > now)


def _now(connection: Connection) -> ColumnElement[float]:
    """UTC seconds by the clock of the database."""
    return _clock(connection.dialect.name)


def _clock(dialect: str) -> ColumnElement[float]:
    words = "extract(epoch from clock_timestamp())" if dialect == "postgresql" else "(julianday('now') - 2440587.5) * 86400.0"
    return literal_column(words, Float)
