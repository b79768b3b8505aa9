"""Bodies that could not be put into their documents, and where they were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from collab.archive.rows import key_for, person_key
from collab.archive.tables import documents, people, rejected
from collab.ports import Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from collab.archive.engine import Database

_SAME = ("since", "at", "copy", "path", "etag", "size", "reason", "suite", "count")


class SqlRejections:
    """The port `Rejections`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, rejection: Rejection) -> None:
        """One more, or what is known of it now."""
        await self._database.run(lambda connection: _put(connection, rejection))

    async def list(self, document: str | None = None, *, limit: int = 200) -> Sequence[Rejection]:
        """The newest first."""
        query = (
            select(documents.c.id.label("document"), people.c.id.label("writer"), *(rejected.c[name] for name in _SAME))
            .join(documents, documents.c.key == rejected.c.document)
            .join(people, people.c.key == rejected.c.writer)
            .order_by(rejected.c.at.desc(), rejected.c.since.desc())
            .limit(limit)
        )
        if document is not None:
            query = query.where(documents.c.id == document)
        rows = await self._database.run(lambda connection: connection.execute(query).mappings().all())
        return [Rejection(**{**row, "writer": row["writer"] or ""}) for row in rows]


def _put(connection: Connection, rejection: Rejection) -> None:
    key = key_for(connection, rejection.document)
    connection.execute(delete(rejected).where(rejected.c.document == key, rejected.c.since == rejection.since))
    values = {name: getattr(rejection, name) for name in _SAME}
    connection.execute(insert(rejected).values(document=key, writer=person_key(connection, rejection.writer), **values))
