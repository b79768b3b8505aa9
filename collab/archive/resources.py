"""Which resources of a cloud the documents are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from collab.archive.rows import unless_there
from collab.archive.tables import resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collab.archive.engine import Database


class SqlResources:
    """The port `Resources`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, known: Mapping[str, str]) -> None:
        """More of them."""
        # In one order: two nodes that remember the same do not wait for each other in a circle.
        rows = [{"document": document, "resource": resource} for document, resource in sorted(known.items())]
        if rows:
            await self._database.run(lambda connection: connection.execute(unless_there(connection, resources), rows))

    async def find(self, document: str) -> str | None:
        """The resource of a document."""
        query = select(resources.c.resource).where(resources.c.document == document)
        return await self._database.run(lambda connection: connection.execute(query).scalar())
