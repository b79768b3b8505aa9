"""Who may sign in: local accounts, and everybody who ever did, so that something can be shared with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from collab.archive.rows import unless_there
from collab.archive.tables import accounts, members
from collab.errors import Exists, NotFound
from collab.ports import Account, Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row, Select

    from collab.archive.engine import Database

MOST: Final = 10_000
"""Members whose groups are looked at."""


class SqlMembers:
    """The port `Members`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, member: Member) -> None:
        """A new one, or what is known of it now."""
        await self._database.run(lambda connection: _put(connection, member))

    async def see(self, person: str, now: float) -> None:
        """One of them signed in."""
        statement = update(members).where(members.c.person == person).values(seen=now)
        await self._database.run(lambda connection: connection.execute(statement))

    async def get(self, person: str) -> Member | None:
        """One of them."""
        query = select(members).where(members.c.person == person)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return None if row is None else _member(row)

    async def find(self, words: str, *, limit: int = 20) -> Sequence[Member]:
        """Those in whose name or login each of the words is."""
        query = select(members).outerjoin(accounts, accounts.c.person == members.c.person).where(accounts.c.disabled.is_(None))
        for word in words.casefold().split():
            query = query.where(members.c.words.contains(word, autoescape=True))
        query = query.order_by(members.c.name, members.c.person).limit(limit)
        return await self._database.run(lambda connection: [_member(row) for row in connection.execute(query)])

    async def groups(self) -> Sequence[str]:
        """All groups that anybody is in."""
        query = select(members.c.groups).distinct().limit(MOST)
        held = await self._database.run(lambda connection: list(connection.execute(query).scalars()))
        return sorted({group for each in held for group in json.loads(each)})

    async def forget(self, person: str) -> None:
        """Nothing is known any more, and there is no account."""

        def act(connection: Connection) -> None:
            connection.execute(delete(accounts).where(accounts.c.person == person))
            connection.execute(delete(members).where(members.c.person == person))

        await self._database.run(act)


class SqlAccounts:
    """The port `Accounts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: Account) -> None:
        """A new one."""
        values = {
            "login": account.login,
            "person": account.person,
            "password": account.password,
            "changed": account.changed,
            "disabled": account.disabled,
        }

        def act(connection: Connection) -> None:
            try:
                with connection.begin_nested():
                    connection.execute(insert(accounts).values(**values))
            except IntegrityError as error:
                raise Exists(f"there is an account {account.login!r} already") from error
            _put(connection, _of(account))

        await self._database.run(act)

    async def find(self, login: str) -> Account | None:
        """The one of this name."""
        row = await self._database.run(lambda connection: connection.execute(_query().where(accounts.c.login == login)).first())
        return None if row is None else _account(row)

    async def list(self) -> Sequence[Account]:
        """All of them."""
        query = _query().order_by(accounts.c.login)
        return await self._database.run(lambda connection: [_account(row) for row in connection.execute(query)])

    async def any(self) -> bool:
        """Whether there is one."""
        query = select(accounts.c.login).where(accounts.c.disabled.is_(None)).limit(1)
        return await self._database.run(lambda connection: connection.execute(query).first() is not None)

    async def describe(self, login: str, *, name: str | None = None, groups: Iterable[str] | None = None) -> Account:
        """What the person is called, and which groups they are in."""
        held = None if groups is None else json.dumps(sorted(set(groups)))

        def act(connection: Connection) -> Account:
            before = _known(connection, login)
            values: dict[str, object] = {} if held is None else {"groups": held}
            if name is not None:
                values |= {"name": name, "words": _words(name, login)}
            if values:
                connection.execute(update(members).where(members.c.person == before.person).values(**values))
            return _known(connection, login)

        return await self._database.run(act)

    async def set_password(self, login: str, password: str, now: float, *, before: str | None = None) -> None:
        """Another hash."""
        where = [accounts.c.login == login, *([] if before is None else [accounts.c.password == before])]

        def act(connection: Connection) -> None:
            _known(connection, login)
            connection.execute(update(accounts).where(*where).values(password=password, changed=now))

        await self._database.run(act)

    async def disable(self, login: str, at: float | None) -> Account:
        """It may not sign in any more, or again."""

        def act(connection: Connection) -> Account:
            connection.execute(update(accounts).where(accounts.c.login == login).values(disabled=at))
            return _known(connection, login)

        return await self._database.run(act)

    async def remove(self, login: str) -> Account:
        """It is gone."""

        def act(connection: Connection) -> Account:
            gone = _known(connection, login)
            connection.execute(delete(accounts).where(accounts.c.login == login))
            connection.execute(delete(members).where(members.c.person == gone.person))
            return gone

        return await self._database.run(act)


def _put(connection: Connection, member: Member) -> None:
    values = {
        "kind": member.kind,
        "name": member.name,
        "login": member.login,
        "orcid": member.orcid,
        "groups": json.dumps(sorted(set(member.groups))),
        "seen": member.seen,
        "words": _words(member.name, member.login),
    }
    connection.execute(unless_there(connection, members).values(person=member.person, made=member.made, **values))
    connection.execute(update(members).where(members.c.person == member.person).values(**values))


def _words(name: str, login: str) -> str:
    """What somebody is found by; a word is in one of the two, never across."""
    return f"{name}\n{login}".casefold()


def _of(account: Account) -> Member:
    return Member(account.person, "account", account.name, account.login, account.groups, account.made, account.seen)


def _query() -> Select[Any]:
    return select(accounts, members.c.name, members.c.groups, members.c.made, members.c.seen).join(
        members, members.c.person == accounts.c.person
    )


def _known(connection: Connection, login: str) -> Account:
    row = connection.execute(_query().where(accounts.c.login == login)).first()
    if row is None:
        raise NotFound(f"there is no account {login!r}: `collab user list` tells which there are")
    return _account(row)


def _account(row: Row[Any]) -> Account:
    return Account(
        row.login,
        row.person,
        row.name,
        tuple(json.loads(row.groups)),
        row.made,
        seen=row.seen,
        password=row.password,
        changed=row.changed,
        disabled=row.disabled,
    )


def _member(row: Row[Any]) -> Member:
    return Member(row.person, row.kind, row.name, row.login, tuple(json.loads(row.groups)), row.made, row.seen, row.orcid)
