"""Links that open a document or a folder for whoever has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from collab.archive.rows import SHARING, count, person_key, unless_there
from collab.archive.tables import links, people
from collab.errors import NotFound
from collab.ports import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Select

    from collab.archive.engine import Database


class SqlLinks:
    """The port `Links`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: Link) -> None:
        """One more."""
        await self._database.run(lambda connection: _add(connection, link))

    async def find(self, digest: str) -> Link:
        """By its secret's digest."""
        return await self._database.run(lambda connection: _find(connection, digest))

    async def list(self, target: str) -> Sequence[Link]:
        """All of them, newest first."""
        query = _query().where(links.c.target == target).order_by(links.c.made.desc(), links.c.key.desc())
        return await self._database.run(lambda connection: [_link(row) for row in connection.execute(query)])

    async def use(self, digest: str, now: float) -> Link:
        """One use less."""

        def act(connection: Connection) -> Link:
            free = links.c.digest == digest, links.c.revoked.is_(None), or_(links.c.expires.is_(None), links.c.expires > now)
            left = or_(links.c.uses.is_(None), links.c.uses > 0)
            done = connection.execute(update(links).where(*free, left).values(uses=links.c.uses - 1))
            link = _find(connection, digest)
            if not done.rowcount:
                raise NotFound(link.ended(now) or "the link can't be used")
            return link

        return await self._database.run(act)

    async def revoke(self, digest: str, now: float) -> None:
        """It opens nothing any more."""

        def act(connection: Connection) -> None:
            count(connection, SHARING)
            connection.execute(update(links).where(links.c.digest == digest, links.c.revoked.is_(None)).values(revoked=now))
            _find(connection, digest)

        await self._database.run(act)


def _add(connection: Connection, link: Link) -> None:
    count(connection, SHARING)
    maker = person_key(connection, link.maker)
    connection.execute(
        unless_there(connection, links).values(
            digest=link.digest,
            target=link.target,
            role=link.role,
            maker=maker,
            made=link.made,
            expires=link.expires,
            password=link.password,
            uses=link.uses,
            revoked=link.revoked,
            folder=link.folder,
        )
    )


def _query() -> Select[tuple[object, ...]]:
    columns = [column for column in links.c if column.name not in {"key", "maker"}]
    return select(*columns, people.c.id.label("person")).join(people, people.c.key == links.c.maker)


def _find(connection: Connection, digest: str) -> Link:
    row = connection.execute(_query().where(links.c.digest == digest)).first()
    if row is None:
        raise NotFound("there is no such link")
    return _link(row)


def _link(row: Row[tuple[object, ...]]) -> Link:
    return Link(row.digest, row.target, row.role, row.person or "", row.made, row.expires, row.password, row.uses, row.revoked, row.folder)
