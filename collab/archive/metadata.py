"""What people say about documents, where the storage keeps nothing of the kind itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from collab.about import About
from collab.archive.rows import key_for
from collab.archive.tables import about, documents
from collab.errors import Changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from collab.about import Change
    from collab.archive.engine import Database
    from collab.ports import Stat

AT_ONCE = 500
"""Documents of one question: databases take so many values."""
_SAID = select(documents.c.id, about.c.tags, about.c.description).join(documents, documents.c.key == about.c.document)


class SqlMetadata:
    """The port `Metadata`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, document: str) -> About:
        """What is said."""
        return await self._database.run(lambda connection: _of(connection, document))

    async def put(self, document: str, change: Change, *, before: About | None = None) -> About:
        """Say this from now on."""

        def act(connection: Connection) -> About:
            # Until the transaction ends no other one changes what the archive has of the document.
            key = key_for(connection, document)
            known = _of(connection, document)
            if before is not None and known != before:
                raise Changed("somebody else has changed tags or description since: read them again")
            said = change.of(known)
            if said != known:
                connection.execute(delete(about).where(about.c.document == key))
            if said not in {known, About()}:
                row = {"document": key, "tags": json.dumps(said.tags, ensure_ascii=False), "description": said.description}
                connection.execute(insert(about), row)
            return said

        return await self._database.run(act)

    async def of(self, stats: Sequence[Stat]) -> Mapping[str, About]:
        """What is said of these."""
        wanted = [stat.id for stat in stats if stat.id]

        def look(connection: Connection) -> dict[str, About]:
            found: dict[str, About] = {}
            for start in range(0, len(wanted), AT_ONCE):
                query = _SAID.where(documents.c.id.in_(wanted[start : start + AT_ONCE]))
                found |= {row.id: _said(row.tags, row.description) for row in connection.execute(query)}
            return found

        return await self._database.run(look) if wanted else {}


def _of(connection: Connection, document: str) -> About:
    row = connection.execute(_SAID.where(documents.c.id == document)).first()
    return About() if row is None else _said(row.tags, row.description)


def _said(tags: str, description: str) -> About:
    return About(tuple(json.loads(tags)), description)
