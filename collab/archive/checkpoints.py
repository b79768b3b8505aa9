"""The beginnings of logs whose records are in a Redis."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from collab.archive.rows import key_for, key_of, pressed, unpressed
from collab.archive.tables import checkpoints
from collab.ports import Checkpoint

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from collab.archive.engine import Database


class SqlCheckpoints:
    """The port `Checkpoints`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, document: str, checkpoint: Checkpoint) -> None:
        """Replaces what was known up to an earlier position."""
        row = {
            "position": checkpoint.position,
            "state": pressed(checkpoint.state),
            "meta": pressed(json.dumps(checkpoint.meta).encode()),
        }

        def act(connection: Connection) -> None:
            key = key_for(connection, document)
            mine = checkpoints.c.document == key
            known = connection.execute(select(checkpoints.c.position).where(mine)).scalar()
            if known is None:
                connection.execute(insert(checkpoints).values(document=key, **row))
            elif known <= checkpoint.position:
                connection.execute(update(checkpoints).where(mine).values(**row))

        await self._database.run(act)

    async def get(self, document: str) -> Checkpoint | None:
        """The last one."""

        def act(connection: Connection) -> Checkpoint | None:
            row = connection.execute(select(checkpoints).where(checkpoints.c.document == key_of(connection, document))).first()
            return None if row is None else Checkpoint(row.position, unpressed(row.state), json.loads(unpressed(row.meta)))

        return await self._database.run(act)

    async def forget(self, document: str) -> None:
        """There is none any more."""
        await self._database.run(
            lambda connection: connection.execute(delete(checkpoints).where(checkpoints.c.document == key_of(connection, document)))
        )
