"""What writers may have read: parts of older logs, and the bases that are places in them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, or_, select, update

from collab.archive.rows import SHARING, count, key_for, key_of, pressed, unless_there, unpressed
from collab.archive.tables import about, authors, bases, checkpoints, documents, links, locks, office, parts, rejected, shares, versions
from collab.ports import Kept, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Row, Select

    from collab.archive.engine import Database

DAY = 86_400.0
LONG = 64 * 1024
"""Bytes that are compressed beside the event loop."""


class SqlBases:
    """The port `Bases`. `days`: how long a writer may be away; `most`: bytes of a document's parts."""

    def __init__(self, database: Database, *, days: float, most: int) -> None:
        self._database = database
        self._days = days
        self._most = most

    async def keep(self, document: str, part: Part, bases: Sequence[Kept]) -> None:
        """A part and its bases, in one transaction."""
        body = pressed(part.body) if len(part.body) < LONG else await asyncio.to_thread(pressed, part.body)
        await self._database.run(lambda connection: _keep(connection, document, part, body, bases))

    async def recent(self, document: str, count: int) -> list[Kept]:
        """The newest ones, newest first."""
        return await self._kept(_of(document).limit(count))

    async def find(self, document: str, digest: str) -> list[Kept]:
        """Those with this SHA-256, newest first."""
        return await self._kept(_of(document).where(bases.c.hash == digest))

    async def _kept(self, query: Select[tuple[object, ...]]) -> list[Kept]:
        return await self._database.run(lambda connection: [_kept(row) for row in connection.execute(query)])

    async def parts(self, document: str, first: int, last: int) -> list[Part]:
        """The parts that hold positions from `first` to `last`, in order."""
        query = (
            select(parts.c.first, parts.c.last, parts.c.body)
            .join(documents, documents.c.key == parts.c.document)
            .where(documents.c.id == document, parts.c.first < last, parts.c.last >= first)
            .order_by(parts.c.first)
        )
        return await self._database.run(
            lambda connection: [Part(row.first, row.last, unpressed(row.body)) for row in connection.execute(query)]
        )

    async def trim(self, now: float) -> None:
        """What is too old goes, and the oldest of what is too much."""
        await self._database.run(lambda connection: self._trim(connection, now))

    def _trim(self, connection: Connection, now: float) -> None:
        old = select(parts.c.document, parts.c.first, parts.c.last).where(parts.c.at < now - self._days * DAY)
        for part in connection.execute(old).all():
            _drop(connection, part.document, part.first, part.last)
        sums = select(parts.c.document, func.sum(parts.c.size).label("size")).group_by(parts.c.document)
        for row in connection.execute(sums.having(func.sum(parts.c.size) > self._most)).all():
            over = int(row.size) - self._most
            oldest = select(parts.c.first, parts.c.last, parts.c.size).where(parts.c.document == row.document).order_by(parts.c.first)
            for part in connection.execute(oldest).all():
                if over <= 0:
                    break
                _drop(connection, row.document, part.first, part.last)
                over -= part.size

    async def rewrite(self, document: str, change: Callable[[Part], Part], end: int) -> None:
        """Put another part in the place of each; what is behind the position `end`, the last that the journal knows, goes."""
        await self._database.run(lambda connection: _rewrite(connection, document, change, end))

    async def forget(self, document: str) -> None:
        """Everything that the archive has of the document goes."""
        await self._database.run(lambda connection: _forget(connection, document))


def _keep(connection: Connection, document: str, part: Part, body: bytes, kept: Sequence[Kept]) -> None:
    key = key_for(connection, document)
    newest = func.max(parts.c.at)
    before = connection.execute(select(func.coalesce(newest, 0.0)).where(parts.c.document == key)).scalar_one()
    at = max([base.at for base in kept], default=float(before))
    known = connection.execute(select(parts.c.last).where(parts.c.document == key, parts.c.first == part.first)).scalar()
    row = {"last": part.last, "at": at, "size": len(body), "body": body}
    if known is None:
        connection.execute(insert(parts).values(document=key, first=part.first, **row))
    elif known < part.last:
        # A crash, or trouble, left the journal as it was, and it went on: now there is more behind the same beginning.
        connection.execute(update(parts).where(parts.c.document == key, parts.c.first == part.first).values(**row))
    for base in kept:
        _keep_base(connection, key, part.first, base)
    reached = min((base.place for base in kept), default=part.first)
    earlier = (parts.c.document == key, parts.c.first < part.first, parts.c.last > reached, parts.c.at < at)
    connection.execute(update(parts).where(*earlier).values(at=at))


def _keep_base(connection: Connection, key: int, first: int, base: Kept) -> None:
    connection.execute(
        unless_there(connection, bases).values(
            document=key,
            part=first,
            hash=base.hash,
            place=base.place,
            merges=json.dumps(base.merges),
            at=base.at,
            ours=base.ours,
            sketch=base.sketch,
        )
    )


def _of(document: str) -> Select[tuple[object, ...]]:
    columns = (bases.c.hash, bases.c.place, bases.c.merges, bases.c.at, bases.c.ours, bases.c.sketch)
    return (
        select(*columns).join(documents, documents.c.key == bases.c.document).where(documents.c.id == document).order_by(bases.c.key.desc())
    )


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    return Kept(row.hash, row.place, tuple(json.loads(row.merges)), row.at, row.ours, row.sketch)


def _drop(connection: Connection, key: int, first: int, last: int) -> None:
    """With every base that can't be made without it."""
    within = and_(bases.c.place >= first, bases.c.place < last)
    connection.execute(delete(bases).where(bases.c.document == key, or_(bases.c.part == first, within)))
    connection.execute(delete(parts).where(parts.c.document == key, parts.c.first == first))


def _rewrite(connection: Connection, document: str, change: Callable[[Part], Part], end: int) -> None:
    key = key_of(connection, document)
    if key is None:
        return
    connection.execute(delete(parts).where(parts.c.document == key, parts.c.last > end))
    connection.execute(delete(authors).where(authors.c.document == key, authors.c.position > end))
    for base in connection.execute(select(bases.c.key, bases.c.place, bases.c.merges).where(bases.c.document == key)).all():
        if max(base.place, *json.loads(base.merges), 0) > end:
            connection.execute(delete(bases).where(bases.c.key == base.key))
    for first in connection.execute(select(parts.c.first).where(parts.c.document == key)).scalars().all():
        at = parts.c.document == key, parts.c.first == first
        row = connection.execute(select(parts.c.last, parts.c.body).where(*at)).one()
        body = pressed(change(Part(first, row.last, unpressed(row.body))).body)
        connection.execute(update(parts).where(*at).values(body=body, size=len(body)))


def _forget(connection: Connection, document: str) -> None:
    count(connection, SHARING)
    key = key_of(connection, document)
    if key is not None:
        for table in (bases, parts, checkpoints, versions, authors, locks, office, about, rejected):
            connection.execute(delete(table).where(table.c.document == key))
        connection.execute(delete(documents).where(documents.c.key == key))
    for table in (links, shares):
        connection.execute(delete(table).where(table.c.target == document))
