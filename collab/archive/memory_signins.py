"""Sessions that the server keeps a record of, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import SignIn

MOST = 1000
LINKS = 200
_COUNTER = "sign-ins"


class MemorySignIns:
    """The port `SignIns`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def add(self, sign_in: SignIn) -> None:
        """A new one."""
        await self._archive.change("sign-in", lambda disk: disk.sign_ins.setdefault(sign_in.id, sign_in))

    async def get(self, session: str) -> SignIn | None:
        """One of them."""
        return self._archive.disk.sign_ins.get(session)

    async def live(self, now: float, person: str | None = None) -> Sequence[SignIn]:
        """Those that still count."""
        found = [each for each in self._archive.disk.sign_ins.values() if each.live(now) and person in {None, each.person}]
        return sorted(found, key=lambda each: (-each.seen, each.id))[:MOST]

    async def see(self, session: str, now: float) -> None:
        """It was used."""

        def act(disk: Disk) -> None:
            if session in disk.sign_ins:
                disk.sign_ins[session] = replace(disk.sign_ins[session], seen=max(disk.sign_ins[session].seen, now))

        await self._archive.change("see", act)

    async def open(self, session: str, link: str) -> None:
        """It opened a link."""

        def opened(each: SignIn) -> SignIn:
            return each if link in each.links else replace(each, links=(*each.links, link)[-LINKS:])

        await self._change(lambda each: each.id == session, opened)

    async def rename(self, person: str, name: str) -> None:
        """What the person is called."""
        await self._change(lambda each: each.person == person, lambda each: replace(each, name=name))

    async def regroup(self, person: str, groups: Iterable[str]) -> None:
        """The groups that the person is in."""
        held = tuple(sorted(set(groups)))
        await self._change(lambda each: each.person == person, lambda each: replace(each, groups=held))

    async def end(self, session: str, now: float) -> bool:
        """It is over."""
        return bool(await self._change(lambda each: each.id == session and each.ended is None, lambda each: replace(each, ended=now)))

    async def end_all(self, person: str, now: float, *, but: str = "") -> int:
        """All of a person are over."""
        return await self._change(
            lambda each: each.person == person and each.id != but and each.live(now), lambda each: replace(each, ended=now)
        )

    async def forget(self, person: str) -> None:
        """There is no record of the person's."""

        def act(disk: Disk) -> None:
            left = {name: each for name, each in disk.sign_ins.items() if each.person != person}
            if len(left) < len(disk.sign_ins):
                disk.sign_ins = left
                disk.count(_COUNTER)

        await self._archive.change("forget sign-ins", act)

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased."""

        def act(disk: Disk) -> None:
            disk.sign_ins = {name: each for name, each in disk.sign_ins.items() if each.expires > now}

        await self._archive.change("sweep sign-ins", act)

    async def changes(self) -> int:
        """How many changes there were."""
        return self._archive.disk.counters.get(_COUNTER, 0)

    async def _change(self, which: Callable[[SignIn], bool], to: Callable[[SignIn], SignIn]) -> int:
        """How many were changed; when there were any, others are told."""

        def act(disk: Disk) -> int:
            changed = {name: new for name, each in disk.sign_ins.items() if which(each) and (new := to(each)) != each}
            disk.sign_ins.update(changed)
            if changed:
                disk.count(_COUNTER)
            return len(changed)

        return await self._archive.change("change sign-ins", act)
