"""Sessions that the server keeps a record of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from collab.archive.rows import count, counted, unless_there
from collab.archive.tables import sign_ins as table
from collab.ports import SignIn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from collab.archive.engine import Database

MOST: Final = 1000
LINKS: Final = 200
"""That one session may have opened."""
_COUNTER = "sign-ins"


class SqlSignIns:
    """The port `SignIns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, sign_in: SignIn) -> None:
        """A new one."""
        values = {
            "id": sign_in.id,
            "person": sign_in.person,
            "name": sign_in.name,
            "kind": sign_in.kind,
            "made": sign_in.made,
            "seen": sign_in.seen,
            "expires": sign_in.expires,
            "groups": json.dumps(sign_in.groups),
            "links": json.dumps(sign_in.links),
            "agent": sign_in.agent,
            "ended": sign_in.ended,
        }
        await self._database.run(lambda connection: connection.execute(unless_there(connection, table).values(**values)))

    async def get(self, session: str) -> SignIn | None:
        """One of them."""
        query = select(table).where(table.c.id == session)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return None if row is None else _sign_in(row)

    async def live(self, now: float, person: str | None = None) -> Sequence[SignIn]:
        """Those that still count."""
        query = select(table).where(table.c.ended.is_(None), table.c.expires > now)
        if person is not None:
            query = query.where(table.c.person == person)
        query = query.order_by(table.c.seen.desc(), table.c.id).limit(MOST)
        return await self._database.run(lambda connection: [_sign_in(row) for row in connection.execute(query)])

    async def see(self, session: str, now: float) -> None:
        """It was used."""
        statement = update(table).where(table.c.id == session, table.c.seen < now).values(seen=now)
        await self._database.run(lambda connection: connection.execute(statement))

    async def open(self, session: str, link: str) -> None:
        """It opened a link."""

        def act(connection: Connection) -> None:
            held = connection.execute(select(table.c.links).where(table.c.id == session).with_for_update()).scalar()
            links = [] if held is None else json.loads(held)
            if held is not None and link not in links:
                _change(connection, table.c.id == session, {"links": json.dumps([*links, link][-LINKS:])})

        await self._database.run(act)

    async def rename(self, person: str, name: str) -> None:
        """What the person is called."""
        await self._database.run(lambda connection: _change(connection, table.c.person == person, {"name": name}))

    async def regroup(self, person: str, groups: Iterable[str]) -> None:
        """The groups that the person is in."""
        held = json.dumps(sorted(set(groups)))
        where = (table.c.person == person) & (table.c.groups != held)
        await self._database.run(lambda connection: _change(connection, where, {"groups": held}))

    async def end(self, session: str, now: float) -> bool:
        """It is over."""
        where = (table.c.id == session) & table.c.ended.is_(None)
        return bool(await self._database.run(lambda connection: _change(connection, where, {"ended": now})))

    async def end_all(self, person: str, now: float, *, but: str = "") -> int:
        """All of a person are over."""
        where = (table.c.person == person) & (table.c.id != but) & table.c.ended.is_(None) & (table.c.expires > now)
        return await self._database.run(lambda connection: _change(connection, where, {"ended": now}))

    async def forget(self, person: str) -> None:
        """There is no record of the person's."""

        def act(connection: Connection) -> None:
            if connection.execute(delete(table).where(table.c.person == person)).rowcount:
                count(connection, _COUNTER)

        await self._database.run(act)

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased."""
        await self._database.run(lambda connection: connection.execute(delete(table).where(table.c.expires <= now)))

    async def changes(self) -> int:
        """How many changes there were."""
        return await self._database.run(lambda connection: counted(connection, _COUNTER))


def _change(connection: Connection, where: ColumnElement[bool], values: Mapping[str, object]) -> int:
    """How many rows were changed; when there were any, others are told."""
    changed = connection.execute(update(table).where(where).values(**values)).rowcount
    if changed:
        count(connection, _COUNTER)
    return changed


def _sign_in(row: Row[Any]) -> SignIn:
    return SignIn(
        row.id,
        row.person,
        row.name,
        row.kind,
        row.made,
        row.seen,
        row.expires,
        tuple(json.loads(row.groups)),
        tuple(json.loads(row.links)),
        row.agent,
        row.ended,
    )
