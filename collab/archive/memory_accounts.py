"""Who may sign in, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.errors import Exists, NotFound
from collab.ports import Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import Account


class MemoryMembers:
    """The port `Members`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, member: Member) -> None:
        """A new one, or what is known of it now."""

        def act(disk: Disk) -> None:
            before = disk.members.get(member.person)
            made = member.made if before is None else before.made
            disk.members[member.person] = replace(member, made=made, groups=tuple(sorted(set(member.groups))))

        await self._archive.change("member", act)

    async def see(self, person: str, now: float) -> None:
        """One of them signed in."""

        def act(disk: Disk) -> None:
            if person in disk.members:
                disk.members[person] = replace(disk.members[person], seen=now)

        await self._archive.change("member", act)

    async def get(self, person: str) -> Member | None:
        """One of them."""
        return self._archive.disk.members.get(person)

    async def find(self, words: str, *, limit: int = 20) -> Sequence[Member]:
        """Those in whose name or login each of the words is."""
        disk = self._archive.disk
        barred = {account.person for account in disk.accounts.values() if account.disabled is not None}
        asked = words.casefold().split()
        found = [
            each
            for each in disk.members.values()
            if each.person not in barred and all(word in f"{each.name}\n{each.login}".casefold() for word in asked)
        ]
        return sorted(found, key=lambda each: (each.name, each.person))[:limit]

    async def groups(self) -> Sequence[str]:
        """All groups that anybody is in."""
        return sorted({group for each in self._archive.disk.members.values() for group in each.groups})

    async def forget(self, person: str) -> None:
        """Nothing is known any more, and there is no account."""

        def act(disk: Disk) -> None:
            disk.members.pop(person, None)
            disk.accounts = {login: each for login, each in disk.accounts.items() if each.person != person}

        await self._archive.change("forget member", act)


class MemoryAccounts:
    """The port `Accounts`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def add(self, account: Account) -> None:
        """A new one."""

        def act(disk: Disk) -> None:
            if account.login in disk.accounts:
                raise Exists(f"there is an account {account.login!r} already")
            disk.accounts[account.login] = account
            groups = tuple(sorted(set(account.groups)))
            disk.members[account.person] = Member(
                account.person, "account", account.name, account.login, groups, account.made, account.seen
            )

        await self._archive.change("account", act)

    async def find(self, login: str) -> Account | None:
        """The one of this name."""
        disk = self._archive.disk
        return _known(disk, login) if login in disk.accounts else None

    async def list(self) -> Sequence[Account]:
        """All of them."""
        disk = self._archive.disk
        return [_known(disk, login) for login in sorted(disk.accounts)]

    async def any(self) -> bool:
        """Whether there is one."""
        return any(each.disabled is None for each in self._archive.disk.accounts.values())

    async def describe(self, login: str, *, name: str | None = None, groups: Iterable[str] | None = None) -> Account:
        """What the person is called, and which groups they are in."""
        held = None if groups is None else tuple(sorted(set(groups)))

        def act(disk: Disk) -> Account:
            before = disk.members[_known(disk, login).person]
            disk.members[before.person] = replace(
                before, name=before.name if name is None else name, groups=before.groups if held is None else held
            )
            return _known(disk, login)

        return await self._archive.change("describe", act)

    async def set_password(self, login: str, password: str, now: float, *, before: str | None = None) -> None:
        """Another hash."""

        def act(disk: Disk) -> None:
            account = _known(disk, login)
            if before in {None, account.password}:
                disk.accounts[login] = replace(account, password=password, changed=now)

        await self._archive.change("password", act)

    async def disable(self, login: str, at: float | None) -> Account:
        """It may not sign in any more, or again."""

        def act(disk: Disk) -> Account:
            disk.accounts[login] = replace(_known(disk, login), disabled=at)
            return _known(disk, login)

        return await self._archive.change("disable", act)

    async def remove(self, login: str) -> Account:
        """It is gone."""

        def act(disk: Disk) -> Account:
            gone = _known(disk, login)
            del disk.accounts[login]
            disk.members.pop(gone.person, None)
            return gone

        return await self._archive.change("remove", act)


def _known(disk: Disk, login: str) -> Account:
    account = disk.accounts.get(login)
    if account is None:
        raise NotFound(f"there is no account {login!r}: `collab user list` tells which there are")
    member = disk.members[account.person]
    return replace(account, name=member.name, groups=member.groups, made=member.made, seen=member.seen)
