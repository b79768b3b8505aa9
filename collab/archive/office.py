"""What office suites know of documents, and what they keep about people."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import bindparam, delete, insert, select, update

from collab.archive.rows import digest_of, key_for, unless_there
from collab.archive.tables import documents, office, user_info
from collab.errors import Changed
from collab.ports import OfficeState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection

    from collab.archive.engine import Database
    from collab.ports import Within

T = TypeVar("T")

_KEY = select(documents.c.key).where(documents.c.id == bindparam("id")).scalar_subquery()
_KNOWN = select(office).where(office.c.document == _KEY)
_FIELDS = "version", "etag", "modified", "put", "given", "before", "lock"
_STEP = (
    update(office)
    .where(office.c.document == _KEY, *(office.c[field] == bindparam(f"was_{field}") for field in _FIELDS))
    .values({field: bindparam(f"new_{field}") for field in _FIELDS})
)
"""From one state to the next, and from no other: written once, since writing statements costs more than what they do."""


class SqlOfficeStates:
    """The port `OfficeStates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, document: str) -> OfficeState | None:
        """What they know."""
        return await self._database.run(lambda connection: _state(connection, document))

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew, if that is so."""
        if before is not None:
            step = {"id": document, **_columns(before, "was_"), **_columns(state, "new_")}
            return state if await self._database.step(_STEP, step) else await self.get(document) or state

        def act(connection: Connection) -> OfficeState:
            # Until the transaction ends no other one changes what the archive has of the document.
            key = key_for(connection, document)
            known = _state(connection, document)
            if known is None:
                connection.execute(insert(office), {"document": key, **_columns(state)})
            return known or state

        return await self._database.run(act)

    async def put_within(self, document: str, *, before: OfficeState, act: Callable[[Within], Awaitable[T]]) -> T:
        """What `act` returns, which puts a state in the place of this one."""
        was = {"id": document, **_columns(before, "was_")}

        def put(state: OfficeState) -> None:
            if not self._database.step_here(_STEP, {**was, **_columns(state, "new_")}):
                raise Changed("the document was saved by somebody else at the same moment")

        return await act(put)


def _columns(state: OfficeState, prefix: str = "") -> dict[str, object]:
    values = state.version, state.etag, state.modified, state.put, _listed(state.given), state.before, state.lock
    return {prefix + field: value for field, value in zip(_FIELDS, values, strict=True)}


@lru_cache(1024)
def _listed(given: tuple[str, ...]) -> str:
    return json.dumps(given)


def _state(connection: Connection, document: str) -> OfficeState | None:
    row = connection.execute(_KNOWN, {"id": document}).first()
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
