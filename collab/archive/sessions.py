"""Sessions of people who came from a cloud. Their tokens are sealed: what is in the database opens nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from collab.archive.tables import cloud_sessions as table
from collab.ports import CloudSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from collab.archive.engine import Database
    from collab.state.sealing import Sealer

log = logging.getLogger("collab.archive")


class SqlCloudSessions:
    """The port `CloudSessions`."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put(self, session: CloudSession) -> None:
        """A new one, or what is known of it now."""
        values = {
            "id": session.id,
            "document": session.document,
            "person": session.person,
            "user": session.user,
            "username": session.username,
            "token": self._sealer.seal(session.token, session.id),
            "expires": session.expires,
            "until": session.until,
            "role": session.role,
            "guest": session.guest,
            "view_only": session.view_only,
            "folder": session.folder,
            "below": session.below,
        }

        def act(connection: Connection) -> None:
            connection.execute(delete(table).where(table.c.id == session.id))
            connection.execute(insert(table).values(**values))

        await self._database.run(act)

    async def get(self, session: str) -> CloudSession | None:
        """One of them."""
        query = select(table).where(table.c.id == session)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return None if row is None else self._opened(row)

    async def of(self, document: str) -> Sequence[CloudSession]:
        """Those that were made for a document, the longest first."""
        query = select(table).where(table.c.document == document).order_by(table.c.until.desc(), table.c.id).limit(100)
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [opened for row in rows if (opened := self._opened(row)) is not None]

    async def end(self, session: str) -> None:
        """It is over."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.id == session)))

    async def forget(self, person: str) -> None:
        """All of a person are over."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.person == person)))

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.until <= now)))

    def _opened(self, row: Row[Any]) -> CloudSession | None:
        try:
            token = self._sealer.open(row.token, row.id)
        except ValueError:
            log.warning("a session of a cloud was sealed under another secret: its person signs in again")
            return None
        return CloudSession(
            row.id,
            row.document,
            row.person,
            row.user,
            row.username,
            token,
            row.expires,
            row.until,
            row.role,
            guest=row.guest,
            view_only=row.view_only,
            folder=row.folder,
            below=row.below,
        )
