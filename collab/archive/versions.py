"""Bodies that files held, each as little as it differs from the one before."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, select, update

from collab.archive.rows import Damaged, key_for, key_of, person_key, pressed, unless_there, unpressed
from collab.archive.tables import documents, people, versions
from collab.archive.thinning import DAY, due, surplus
from collab.errors import CollabError, NotFound
from collab.ports import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from collab.archive.engine import Database

CHAIN = (8, 128)
"""Bodies that are read for one, at most: so many of large ones, so many of small ones …"""
CHAINED = 256 * 2**20
"""… and so many bytes of those between. What stands on a version that goes may be read through twice as many."""
AT_ONCE = 100
"""Versions that one transaction takes away."""

_COLUMNS = [column for column in versions.c if column.name != "body"]


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
            chain = _chain(connection, key_of(connection, document), number)
            return _versions(connection, chain[-1:])[0], _body(chain)

        return await self._database.run(act)

    async def find(self, document: str, digest: str) -> Version | None:
        """The newest with this SHA-256."""

        def act(connection: Connection) -> Version | None:
            query = select(*_COLUMNS).where(versions.c.document == key_of(connection, document), versions.c.hash == digest)
            rows = connection.execute(query.order_by(versions.c.number.desc()).limit(1)).all()
            return _versions(connection, rows)[0] if rows else None

        return await self._database.run(act)

    async def last(self) -> int:
        """The greatest number of all documents' versions."""
        return await self._database.run(lambda connection: connection.execute(select(func.max(versions.c.number))).scalar() or 0)

    async def name(self, document: str, number: int, name: str) -> Version:
        """Give it a name."""

        def act(connection: Connection) -> Version:
            key = _held(connection, document)
            row = connection.execute(select(*_COLUMNS).where(*_at(key, number))).first()
            if row is None:
                raise _gone(number)
            connection.execute(update(versions).where(*_at(key, number)).values(name=name))
            connection.execute(update(documents).where(documents.c.key == key).values(due=0.0))
            return replace(_versions(connection, [row])[0], name=name)

        return await self._database.run(act)

    async def thin(self, now: float) -> None:
        """By age; some at a time, so that nobody waits for long."""
        keys = await self._database.run(
            lambda connection: connection.execute(select(documents.c.id).where(documents.c.due <= now)).scalars().all()
        )
        refused: CollabError | None = None
        for document in keys:
            try:
                while await self._database.run(lambda connection, of=document: _thin(connection, of, now)):  # type: ignore[misc]  # bound here
                    pass
            except CollabError as error:
                # The others are thinned all the same.
                refused = error
        if refused is not None:
            raise refused


def _add(connection: Connection, document: str, version: Version, body: bytes) -> None:
    key = key_for(connection, document)
    newest = connection.execute(
        select(versions.c.number, versions.c.hash, versions.c.size)
        .where(versions.c.document == key)
        .order_by(versions.c.number.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.hash == version.hash:
        return
    before = newest.number if newest is not None and newest.number < version.number else None
    writers = {writer: person_key(connection, writer) for writer in sorted(version.writers)}
    connection.execute(
        unless_there(connection, versions).values(
            document=key,
            number=version.number,
            at=version.at,
            hash=version.hash,
            size=version.size,
            source=version.source,
            writers=json.dumps([writers[writer] for writer in version.writers]),
            name=version.name,
            **_coded(connection, key, body, before),
        )
    )
    later = documents.c.due.is_(None) | (documents.c.due > version.at + DAY)
    connection.execute(update(documents).where(documents.c.key == key, later).values(due=version.at + DAY))


def _coded(connection: Connection, key: int, body: bytes, before: int | None) -> dict[str, object]:
    """The body against that of another version, unless too many stand below that one."""
    if before is not None:
        chain = _chain(connection, key, before)
        if chain[-1].size and len(chain) < _most(max(row.size for row in chain)):
            # What is damaged there damages nothing that comes behind it.
            with suppress(Damaged):
                return {"against": before, "body": pressed(body, _body(chain))}
    return {"against": None, "body": pressed(body)}


def _most(size: int) -> int:
    least, most = CHAIN
    return max(least, min(most, CHAINED // max(size, 1)))


def _chain(connection: Connection, key: int | None, number: int) -> list[Row[Any]]:
    """The version, last, and those whose bodies it stands on; by one query, so that nobody thins them out in between."""
    below = select(versions).where(*_at(key, number)).cte("below", recursive=True)
    further = select(versions).join(below, and_(versions.c.document == below.c.document, versions.c.number == below.c.against))
    chain = below.union_all(further)
    rows = connection.execute(select(chain).order_by(chain.c.number)).all()
    if not rows:
        raise _gone(number)
    return list(rows)


def _body(chain: Iterable[Row[Any]]) -> bytes:
    body: bytes | None = None
    for each in chain:
        body = unpressed(each.body, body)
    return body or b""


def _gone(number: int) -> NotFound:
    return NotFound(f"there is no version {number}: it may have been thinned out")


def _at(key: int | None, number: int) -> tuple[Any, Any]:
    return versions.c.document == key, versions.c.number == number


def _held(connection: Connection, document: str) -> int | None:
    """The key of a document that no other transaction changes until this one ends."""
    return connection.execute(select(documents.c.key).where(documents.c.id == document).with_for_update()).scalar()


def _list(connection: Connection, document: str, before: int | None, limit: int) -> Sequence[Version]:
    query = select(*_COLUMNS).where(versions.c.document == key_of(connection, document))
    if before is not None:
        query = query.where(versions.c.number < before)
    return _versions(connection, connection.execute(query.order_by(versions.c.number.desc()).limit(limit)).all())


def _versions(connection: Connection, rows: Iterable[Row[Any]]) -> Sequence[Version]:
    found = [(row, json.loads(row.writers)) for row in rows]
    keys = sorted({key for _, writers in found for key in writers})
    ids: dict[int, str | None] = {}
    for start in range(0, len(keys), 500):
        query = select(people.c.key, people.c.id).where(people.c.key.in_(keys[start : start + 500]))
        ids.update(connection.execute(query).all())
    return [
        Version(row.number, row.at, row.hash, row.size, row.source, tuple(ids.get(key) or "" for key in writers), row.name)
        for row, writers in found
    ]


def _thin(connection: Connection, document: str, now: float) -> bool:
    """Whether there is more to do."""
    key = _held(connection, document)
    if key is None:
        return False
    rows = connection.execute(select(*_COLUMNS).where(versions.c.document == key).order_by(versions.c.number)).all()
    known = [Version(row.number, row.at, row.hash, row.size, row.source, name=row.name) for row in rows]
    gone = {version.number for version in surplus(known, now)[:AT_ONCE]}
    if gone:
        _lift(connection, key, [row for row in rows if row.number not in gone], gone)
        connection.execute(delete(versions).where(versions.c.document == key, versions.c.number.in_(gone)))
    if len(gone) < AT_ONCE:
        stay = [version for version in known if version.number not in gone]
        connection.execute(update(documents).where(documents.c.key == key).values(due=due(stay, now)))
    return len(gone) == AT_ONCE


def _lift(connection: Connection, key: int, left: Iterable[Row[Any]], gone: set[int]) -> None:
    """What stands on a version that goes is put on the one before it that stays."""
    before: int | None = None
    for row in left:
        if row.against in gone:
            body = _body(_chain(connection, key, row.number))
            connection.execute(update(versions).where(*_at(key, row.number)).values(**_coded(connection, key, body, before)))
        before = row.number
