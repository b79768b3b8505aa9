"""Bodies that files held, each as little as it differs from the one before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from collab.archive.rows import key_for, key_of, person_key, pressed, unpressed
from collab.archive.tables import documents, people, versions
from collab.archive.thinning import DAY, due, surplus
from collab.errors import NotFound
from collab.ports import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from collab.archive.engine import Database

DEPTH = 16
"""Bodies that are read for one."""
AT_ONCE = 100
"""Versions that one transaction takes away."""


class SqlVersions:
    """The port `Versions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, document: str, version: Version, body: bytes) -> None:
        """One more."""
        await self._database.run(lambda connection: _add(connection, document, version, body))

    async def list(self, document: str, *, before: int | None = None, limit: int = 100) -> Sequence[Version]:
        """Newest first."""
        return await self._database.run(lambda connection: _list(connection, document, before, limit))

    async def read(self, document: str, number: int) -> tuple[Version, bytes]:
        """One of them."""

        def act(connection: Connection) -> tuple[Version, bytes]:
            key = key_of(connection, document)
            row = _row(connection, key, number)
            return _versions(connection, [row])[0], _body(connection, row)

        return await self._database.run(act)

    async def find(self, document: str, digest: str) -> Version | None:
        """The newest with this SHA-256."""

        def act(connection: Connection) -> Version | None:
            query = select(versions).where(versions.c.document == key_of(connection, document), versions.c.hash == digest)
            rows = connection.execute(query.order_by(versions.c.number.desc()).limit(1)).all()
            return _versions(connection, rows)[0] if rows else None

        return await self._database.run(act)

    async def name(self, document: str, number: int, name: str) -> Version:
        """Give it a name."""

        def act(connection: Connection) -> Version:
            row = _row(connection, key_of(connection, document), number)
            connection.execute(update(versions).where(*_at(row)).values(name=name))
            connection.execute(update(documents).where(documents.c.key == row.document).values(due=0.0))
            return replace(_versions(connection, [row])[0], name=name)

        return await self._database.run(act)

    async def thin(self, now: float) -> None:
        """By age; some at a time, so that nobody waits for long."""
        keys = await self._database.run(
            lambda connection: connection.execute(select(documents.c.key).where(documents.c.due <= now)).scalars().all()
        )
        for key in keys:
            while await self._database.run(lambda connection, key=key: _thin(connection, key, now)):  # type: ignore[misc]  # bound here
                pass


def _add(connection: Connection, document: str, version: Version, body: bytes) -> None:
    key = key_for(connection, document)
    newest = connection.execute(select(versions).where(versions.c.document == key).order_by(versions.c.number.desc()).limit(1)).first()
    if newest is not None and newest.hash == version.hash:
        return
    if connection.execute(select(versions.c.number).where(versions.c.document == key, versions.c.number == version.number)).first():
        return
    before = newest if newest is not None and newest.number < version.number else None
    connection.execute(
        insert(versions).values(
            document=key,
            number=version.number,
            at=version.at,
            hash=version.hash,
            size=version.size,
            source=version.source,
            writers=json.dumps([person_key(connection, writer) for writer in version.writers]),
            name=version.name,
            **_coded(connection, body, before, DEPTH),
        )
    )
    later = documents.c.due.is_(None) | (documents.c.due > version.at + DAY)
    connection.execute(update(documents).where(documents.c.key == key, later).values(due=version.at + DAY))


def _coded(connection: Connection, body: bytes, before: Row[Any] | None, depth: int) -> dict[str, object]:
    """The body against that of another version, unless that one is too deep."""
    if before is None or before.depth + 1 >= depth or not before.size:
        return {"against": None, "depth": 0, "body": pressed(body)}
    return {"against": before.number, "depth": before.depth + 1, "body": pressed(body, _body(connection, before))}


def _row(connection: Connection, key: int | None, number: int) -> Row[Any]:
    row = connection.execute(select(versions).where(versions.c.document == key, versions.c.number == number)).first()
    if row is None:
        raise NotFound(f"there is no version {number}: it may have been thinned out")
    return row


def _body(connection: Connection, row: Row[Any]) -> bytes:
    chain = [row]
    while chain[-1].against is not None:
        chain.append(_row(connection, row.document, chain[-1].against))
    body: bytes | None = None
    for each in reversed(chain):
        body = unpressed(each.body, body)
    return body or b""


def _at(row: Row[Any]) -> tuple[Any, Any]:
    return versions.c.document == row.document, versions.c.number == row.number


def _list(connection: Connection, document: str, before: int | None, limit: int) -> Sequence[Version]:
    columns = [column for column in versions.c if column.name != "body"]
    query = select(*columns).where(versions.c.document == key_of(connection, document))
    if before is not None:
        query = query.where(versions.c.number < before)
    return _versions(connection, connection.execute(query.order_by(versions.c.number.desc()).limit(limit)).all())


def _versions(connection: Connection, rows: Iterable[Row[Any]]) -> Sequence[Version]:
    found = [(row, json.loads(row.writers)) for row in rows]
    keys = {key for _, writers in found for key in writers}
    ids = dict(connection.execute(select(people.c.key, people.c.id).where(people.c.key.in_(keys))).tuples().all()) if keys else {}
    return [
        Version(row.number, row.at, row.hash, row.size, row.source, tuple(ids.get(key) or "" for key in writers), row.name)
        for row, writers in found
    ]


def _thin(connection: Connection, key: int, now: float) -> bool:
    """Whether there is more to do."""
    rows = connection.execute(select(versions).where(versions.c.document == key).order_by(versions.c.number)).all()
    all_ = _versions(connection, rows)
    gone = {version.number for version in surplus(all_, now)[:AT_ONCE]}
    left = [row for row in rows if row.number not in gone]
    if gone:
        _lift(connection, left, gone)
        connection.execute(delete(versions).where(versions.c.document == key, versions.c.number.in_(gone)))
    if len(gone) < AT_ONCE:
        stay = [version for version in all_ if version.number not in gone]
        connection.execute(update(documents).where(documents.c.key == key).values(due=due(stay, now)))
    return len(gone) == AT_ONCE


def _lift(connection: Connection, left: Iterable[Row[Any]], gone: set[int]) -> None:
    """What stands on a version that goes is put on the one before it that stays."""
    before: Row[Any] | None = None
    for row in left:
        if row.against in gone:
            values = _coded(connection, _body(connection, row), before, row.depth + 1)
            connection.execute(update(versions).where(*_at(row)).values(**values))
            before = _row(connection, row.document, row.number)
        else:
            before = row
