"""Who wrote what, and what people are called: one row for each person, which is all that names them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from collab.archive.rows import Damaged, digest_of, key_for, key_of, pressed, unless_there, unpressed
from collab.archive.tables import authors, people

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from collab.archive.engine import Database

log = logging.getLogger("collab.archive")

_NAMED = select(people.c.id, people.c.name).where(people.c.id.in_(bindparam("asked", expanding=True)), people.c.name.is_not(None))
"""Made once: who comes in is looked up, and a statement leaves garbage."""


class SqlAuthors:
    """The port `Authors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, document: str, position: int, authors: bytes) -> None:
        """Replaces what was known up to an earlier position."""
        body = pressed(authors)
        await self._database.run(lambda connection: _put(connection, document, position, body))

    async def get(self, document: str) -> tuple[int, bytes] | None:
        """The last that was put, unless the disk did not keep it."""

        def act(connection: Connection) -> tuple[int, bytes] | None:
            row = connection.execute(select(authors).where(authors.c.document == key_of(connection, document))).first()
            return None if row is None else (row.position, unpressed(row.body))

        try:
            return await self._database.run(act)
        except Damaged:
            log.warning("%s: who wrote before is damaged in the archive, and not known any more", document)
            return None

    async def meet(self, people: Mapping[str, str]) -> None:
        """Ids and names; nobody who was erased comes back by this."""
        if people:
            await self._database.run(lambda connection: _meet(connection, people))

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        """What they are called."""
        asked = list(people)
        return await self._database.run(lambda connection: _names(connection, asked))

    async def called(self, name: str) -> list[str]:
        """The ids of the people who are called this."""
        query = select(people.c.id).where(people.c.name == name, people.c.id.is_not(None))
        return sorted(await self._database.run(lambda connection: list(connection.execute(query).scalars())))

    async def erase(self, person: str) -> bool:
        """Id and name go from the one row that has them."""
        return await self._database.run(lambda connection: _erase(connection, person))


def _put(connection: Connection, document: str, position: int, body: bytes) -> None:
    key = key_for(connection, document)
    known = connection.execute(select(authors.c.position).where(authors.c.document == key)).scalar()
    if known is None:
        connection.execute(insert(authors).values(document=key, position=position, body=body))
    elif known <= position:
        connection.execute(update(authors).where(authors.c.document == key).values(position=position, body=body))


def _meet(connection: Connection, met: Mapping[str, str]) -> None:
    # In one order, so that two who meet the same people do not wait for each other.
    rows = [{"digest": digest_of(person), "id": person, "name": name} for person, name in sorted(met.items())]
    connection.execute(unless_there(connection, people).values(digest=bindparam("digest"), id=bindparam("id"), name=None), rows)
    known = people.c.digest == bindparam("of"), people.c.id.is_not(None)
    connection.execute(
        update(people).where(*known).values(name=bindparam("called")), [{"of": row["digest"], "called": row["name"]} for row in rows]
    )


def _names(connection: Connection, asked: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(asked), 500):
        found.update(connection.execute(_NAMED, {"asked": asked[start : start + 500]}).all())
    return found


def _erase(connection: Connection, person: str) -> bool:
    known = connection.execute(select(people.c.key).where(people.c.id == person)).scalar()
    if known is None:
        return False
    connection.execute(update(people).where(people.c.key == known).values(id=None, name=None))
    return True
