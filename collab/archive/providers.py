"""What a provider gave for sessions. It is sealed: what is in the database opens nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from collab.archive.tables import provider_sessions as table
from collab.ports import ProviderSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from collab.archive.engine import Database
    from collab.state.sealing import Sealer

log = logging.getLogger("collab.archive")


class SqlProviderSessions:
    """The port `ProviderSessions`."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def put(self, session: ProviderSession) -> None:
        """A new one, or what is known of it now."""
        sealed = self._sealer.seal(session.tokens, session.sign_in)
        values = {"sign_in": session.sign_in, "person": session.person, "tokens": sealed, "due": session.due}

        def act(connection: Connection) -> None:
            connection.execute(delete(table).where(table.c.sign_in == session.sign_in))
            connection.execute(insert(table).values(**values))

        await self._database.run(act)

    async def take(self, now: float, until: float, *, limit: int) -> Sequence[ProviderSession]:
        """Those that are due, for this node alone."""

        def act(connection: Connection) -> list[ProviderSession]:
            due = select(table).where(table.c.due <= now).order_by(table.c.due).limit(limit).with_for_update(skip_locked=True)
            rows = connection.execute(due).all()
            taken = [row.sign_in for row in rows]
            if taken:
                connection.execute(update(table).where(table.c.sign_in.in_(taken)).values(due=until))
            found = []
            for row in rows:
                try:
                    found.append(ProviderSession(row.sign_in, row.person, self._sealer.open(row.tokens, row.sign_in), row.due))
                except ValueError:
                    log.warning("what a provider gave for a session was sealed under another secret: it is not renewed any more")
                    connection.execute(delete(table).where(table.c.sign_in == row.sign_in))
            return found

        return await self._database.run(act)

    async def postpone(self, sign_in: str, due: float) -> None:
        """It is due then."""
        await self._database.run(lambda connection: connection.execute(update(table).where(table.c.sign_in == sign_in).values(due=due)))

    async def end(self, sign_in: str) -> None:
        """It is over."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.sign_in == sign_in)))

    async def forget(self, person: str) -> None:
        """All of a person are over."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.person == person)))
