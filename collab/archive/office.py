"""What office suites know of documents, and what they keep about people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from collab.archive.rows import digest_of, key_for, key_of, unless_there
from collab.archive.tables import office, user_info
from collab.ports import OfficeState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from collab.archive.engine import Database


class SqlOfficeStates:
    """The port `OfficeStates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, document: str) -> OfficeState | None:
        """What they know."""
        return await self._database.run(lambda connection: _state(connection, key_of(connection, document)))

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew, if that is so."""

        def act(connection: Connection) -> OfficeState:
            # Until the transaction ends no other one changes what the archive has of the document.
            key = key_for(connection, document)
            known = _state(connection, key)
            if known != before:
                return known or state
            values = {**_columns(state), "document": key}
            change = insert(office) if known is None else update(office).where(office.c.document == key)
            connection.execute(change.values(**values))
            return state

        return await self._database.run(act)


def _columns(state: OfficeState) -> dict[str, object]:
    return {
        "version": state.version,
        "etag": state.etag,
        "modified": state.modified,
        "put": state.put,
        "given": json.dumps(state.given),
        "before": state.before,
        "lock": state.lock,
    }


def _state(connection: Connection, key: int | None) -> OfficeState | None:
    row = connection.execute(select(office).where(office.c.document == key)).first()
    if row is None:
        return None
    return OfficeState(row.version, row.etag, row.modified, row.put, tuple(json.loads(row.given)), row.before, row.lock)


class SqlUserInfos:
    """The port `UserInfos`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, person: str, info: str) -> None:
        """Replaces what was kept."""

        def act(connection: Connection) -> None:
            digest = digest_of(person)
            connection.execute(unless_there(connection, user_info).values(digest=digest, info=info))
            connection.execute(update(user_info).where(user_info.c.digest == digest).values(info=info))

        await self._database.run(act)

    async def get(self, person: str) -> str:
        """What was put last."""
        query = select(user_info.c.info).where(user_info.c.digest == digest_of(person))
        return await self._database.run(lambda connection: connection.execute(query).scalar()) or ""

    async def forget(self, person: str) -> None:
        """Nothing is kept any more."""
        digest = digest_of(person)
        await self._database.run(lambda connection: connection.execute(delete(user_info).where(user_info.c.digest == digest)))
