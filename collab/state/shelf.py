"""What each person keeps at hand: documents with a star, and those opened last. Kept by id, so that renames change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection

    from collab.state.database import Connection, Database

STARS: Final = 1000
"""Documents that one person may star."""
RECENT: Final = 200
"""Documents that are remembered as opened, the last ones."""
MISSED: Final = 30 * 86400.0
"""Seconds after which a document that is gone leaves the shelf: until then it may come back from the bin."""

_STAR = """
    INSERT INTO shelf (person, document, starred_at) VALUES (:person, :document, :now)
    ON CONFLICT DO UPDATE SET starred_at = coalesce(starred_at, :now)
"""
_VISIT = """
    INSERT INTO shelf (person, document, opened_at) VALUES (:person, :document, :now)
    ON CONFLICT DO UPDATE SET opened_at = :now
"""
_LATEST = """
    UPDATE shelf SET opened_at = NULL WHERE person = :person AND opened_at IS NOT NULL AND document NOT IN
    (SELECT document FROM shelf WHERE person = :person AND opened_at IS NOT NULL ORDER BY opened_at DESC, document LIMIT :most)
"""
_EMPTY = "DELETE FROM shelf WHERE person = ? AND starred_at IS NULL AND opened_at IS NULL"


@dataclass(frozen=True, slots=True)
class Kept:
    """A document on somebody's shelf; times are UTC seconds since the epoch."""

    document: str
    starred: float | None
    opened: float | None
    missing: float | None
    """Since when it is gone."""


class Shelf:
    """The table `shelf` of the state database. `person` is a person's id. All raise `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def starred(self, person: str) -> frozenset[str]:
        """The ids of the documents with this person's star."""
        sql = "SELECT document FROM shelf WHERE person = ? AND starred_at IS NOT NULL"
        rows = await self._database.look(lambda connection: connection.execute(sql, (person,)).fetchall())
        return frozenset(row[0] for row in rows)

    async def kept(self, person: str) -> list[Kept]:
        """Everything on the shelf, in no order."""
        sql = "SELECT document, starred_at, opened_at, missing_since FROM shelf WHERE person = ?"
        rows = await self._database.look(lambda connection: connection.execute(sql, (person,)).fetchall())
        return [Kept(*row) for row in rows]

    async def star(self, person: str, document: str, now: float) -> None:
        """Give it a star; one that has it keeps its time. `Conflict` when there are too many."""

        def act(connection: Connection) -> None:
            connection.execute(_STAR, {"person": person, "document": document, "now": now})
            (stars,) = connection.execute("SELECT count(starred_at) FROM shelf WHERE person = ?", (person,)).fetchone()
            if stars > STARS:
                raise Conflict(f"you have starred {STARS} documents: take a star from another one first")

        await self._database.run(act)

    async def unstar(self, person: str, document: str) -> None:
        """Take its star; one that has none stays as it is."""

        def act(connection: Connection) -> None:
            connection.execute("UPDATE shelf SET starred_at = NULL WHERE person = ? AND document = ?", (person, document))
            connection.execute(_EMPTY, (person,))

        await self._database.run(act)

    async def visit(self, person: str, document: str, now: float) -> None:
        """It was opened; of all that were, the last ones are kept."""

        def act(connection: Connection) -> None:
            connection.execute(_VISIT, {"person": person, "document": document, "now": now})
            connection.execute(_LATEST, {"person": person, "most": RECENT})
            connection.execute(_EMPTY, (person,))

        await self._database.run(act)

    async def forget(self, person: str) -> None:
        """The person's shelf goes."""
        await self._database.run(lambda connection: connection.execute("DELETE FROM shelf WHERE person = ?", (person,)))

    async def tidy(self, person: str, *, gone: Collection[str], back: Collection[str], now: float) -> None:
        """Documents are gone since now, or back; those that are gone for long leave the shelf."""

        def act(connection: Connection) -> None:
            missing = "UPDATE shelf SET missing_since = coalesce(missing_since, ?) WHERE person = ? AND document = ?"
            connection.executemany(missing, [(now, person, document) for document in gone])
            found = "UPDATE shelf SET missing_since = NULL WHERE person = ? AND document = ?"
            connection.executemany(found, [(person, document) for document in back])
            connection.execute("DELETE FROM shelf WHERE person = ? AND missing_since <= ?", (person, now - MISSED))

        await self._database.run(act)
