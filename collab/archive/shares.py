"""Who was given which role on what: shares with people and groups, and links that were not taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from collab.access import Role, Share, subject
from collab.archive.rows import SHARING, count, counted, person_key
from collab.archive.tables import links, people, shares
from collab.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from collab.archive.engine import Database

_AT_ONCE = 500
"""Words in one statement."""
_LINK = subject("link", "")


class SqlShares:
    """The port `Shares`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, share: Share) -> Share:
        """One more, or another role for who has one."""
        return await self._database.run(lambda connection: _add(connection, share))

    async def change(self, target: str, share: str, *, role: Role | None = None, expires: float | None) -> Share:
        """Another role and end."""

        def act(connection: Connection) -> Share:
            count(connection, SHARING)
            found = _one(connection, target, share)
            table, known = _row(found)
            connection.execute(update(table).where(*known).values(role=(role or found.role).word, expires=expires))
            return _one(connection, target, share)

        return await self._database.run(act)

    async def remove(self, target: str, share: str, now: float) -> Share:
        """It counts no more."""

        def act(connection: Connection) -> Share:
            count(connection, SHARING)
            found = _one(connection, target, share)
            table, known = _row(found)
            connection.execute(update(table).where(*known).values(revoked=now) if table is links else delete(table).where(*known))
            return found

        return await self._database.run(act)

    async def on(self, targets: Iterable[str]) -> Sequence[Share]:
        """All of these targets."""
        asked = sorted(set(targets))
        return await self._database.run(
            lambda connection: _found(
                row
                for some in _pieces(asked)
                for row in (*_shares(connection, shares.c.target.in_(some)), *_links(connection, links.c.target.in_(some)))
            )
        )

    async def given(self, subjects: Iterable[str]) -> Sequence[Share]:
        """All with one of these subjects."""
        asked = sorted(set(subjects))
        digests = [each.removeprefix(_LINK) for each in asked if each.startswith(_LINK)]
        others = [each for each in asked if not each.startswith(_LINK)]
        return await self._database.run(
            lambda connection: _found(
                (
                    *(row for some in _pieces(others) for row in _shares(connection, shares.c.subject.in_(some))),
                    *(row for some in _pieces(digests) for row in _links(connection, links.c.digest.in_(some))),
                )
            )
        )

    async def folders(self) -> Mapping[str, str]:
        """Shared folders, and where each was last seen."""

        def act(connection: Connection) -> Mapping[str, str]:
            known: dict[str, str] = {}
            for table, stands in ((shares, shares.c.folder != ""), (links, (links.c.folder != "") & links.c.revoked.is_(None))):
                known.update(connection.execute(select(table.c.folder, table.c.target).where(stands).distinct()).all())
            return known

        return await self._database.run(act)

    async def move(self, places: Mapping[str, str]) -> None:
        """Folders are elsewhere."""

        def act(connection: Connection) -> None:
            count(connection, SHARING)
            for table in (shares, links):
                for folder, target in sorted(places.items()):
                    connection.execute(update(table).where(table.c.folder == folder, table.c.target != target).values(target=target))

        if places:
            await self._database.run(act)

    async def forget(self, person: str) -> None:
        """What was shared with a person."""

        def act(connection: Connection) -> None:
            count(connection, SHARING)
            connection.execute(delete(shares).where(shares.c.subject == subject("person", person)))

        await self._database.run(act)

    async def changes(self) -> int:
        """The number of changes."""
        return await self._database.run(lambda connection: counted(connection, SHARING))


def _add(connection: Connection, share: Share) -> Share:
    count(connection, SHARING)
    same = shares.c.target == share.target, shares.c.subject == share.subject, shares.c.folder == share.folder
    given = {"role": share.role.word, "expires": share.expires}
    if not connection.execute(update(shares).where(*same).values(**given)).rowcount:
        maker = person_key(connection, share.maker)
        values = {"id": share.id, "target": share.target, "subject": share.subject, "made": share.made, "folder": share.folder}
        connection.execute(insert(shares).values(maker=maker, **values, **given))
    return _one(connection, share.target, connection.execute(select(shares.c.id).where(*same)).scalar_one())


def _one(connection: Connection, target: str, share: str) -> Share:
    found = _shares(connection, (shares.c.target == target) & (shares.c.id == share))
    found = found or _links(connection, (links.c.target == target) & (links.c.digest == share))
    if not found:
        raise NotFound("there is no such share: somebody may have taken it back")
    return _found(found)[0]


def _row(share: Share) -> tuple[Any, tuple[ColumnElement[bool], ...]]:
    """Where a share is: its table, and what picks its row there."""
    if share.subject.startswith(_LINK):
        return links, (links.c.digest == share.id,)
    return shares, (shares.c.target == share.target, shares.c.id == share.id)


def _shares(connection: Connection, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    query = select(shares, people.c.id.label("person")).join(people, people.c.key == shares.c.maker)
    return connection.execute(query.where(which).order_by(shares.c.made, shares.c.key)).all()


def _links(connection: Connection, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    query = select(links, people.c.id.label("person")).join(people, people.c.key == links.c.maker)
    return connection.execute(query.where(which, links.c.revoked.is_(None)).order_by(links.c.made, links.c.key)).all()


def _found(rows: Iterable[Row[Any]]) -> list[Share]:
    return sorted((_share(row) for row in rows), key=lambda share: share.made)


def _share(row: Row[Any]) -> Share:
    role, maker = Role.of(row.role), row.person or ""
    if hasattr(row, "subject"):
        return Share(row.id, row.target, row.subject, role, row.made, maker, row.expires, row.folder)
    whom = subject("link", row.digest)
    return Share(row.digest, row.target, whom, role, row.made, maker, row.expires, row.folder, bool(row.password), row.uses)


def _pieces(words: Sequence[str]) -> list[Sequence[str]]:
    return [words[start : start + _AT_ONCE] for start in range(0, len(words), _AT_ONCE)]
