"""What is shared with whom, as this node knows it, and who may do what by that."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import EVERYTHING, Role, Share, shared_role, subject, targets
from collab.errors import Forbidden
from collab.ports import Sight
from collab.runtime.counted import Counted
from collab.runtime.rights import told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from collab.access import Grant
    from collab.ports import Rights, Shares, SignIn, Stat

log = logging.getLogger("collab.runtime")

MOST: Final = 50_000
"""People, groups and links whose shares are remembered."""
GUEST: Final = "guest"
"""The kind of a session whose person only has a link."""
_BUILT_IN: Final = "members"


class Records(Protocol):
    """The records of sessions."""

    async def of(self, grant: Grant) -> SignIn | None:
        """That of a grant which is `shared`. `Unauthorized`: it is over. `Unavailable`: nobody can say."""

    def forget(self) -> None:
        """Something was changed just now: look again."""


class Given:
    """The shares of those who were asked for, until the archive counts a change. `clock` gives monotonic seconds."""

    def __init__(self, shares: Shares, clock: Callable[[], float]) -> None:
        self._shares = shares
        self._counted = Counted(shares.changes, self._fetch, clock=clock, most=MOST, what="what was shared")

    async def to(self, subjects: Collection[str]) -> list[Share]:
        """All that was shared with these. Unavailable."""
        found = await self._counted.get(subjects)
        return [share for each in subjects for share in found[each]]

    def forget(self) -> None:
        """Something was changed here just now."""
        self._counted.forget()

    async def changed(self) -> int:
        """The number of changes, as far as it can be known now."""
        return await self._counted.changed()

    def ends(self, after: float, until: float) -> bool:
        """Whether the time of a share that is known was over between these two, UTC seconds since the epoch."""
        return any(share.expires is not None and after < share.expires <= until for shares in self._counted.known for share in shares)

    async def _fetch(self, subjects: Sequence[str]) -> Mapping[str, tuple[Share, ...]]:
        found: dict[str, list[Share]] = defaultdict(list)
        for share in await self._shares.given(subjects):
            found[share.subject].append(share)
        return {each: tuple(found[each]) for each in subjects}


class SharedRights:
    """The port `Rights`: of a grant that is `shared` the shares say it, of every other one `rest`. `members` is the role that everybody who has signed in
    has on everything, guests of links excepted; None: none. Whoever is in the group `owners` owns everything; empty: nobody does. `now` gives UTC seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913 - what it decides by
        self, rest: Rights, given: Given, records: Records, *, members: Role | None, owners: str = "", now: Callable[[], float]
    ) -> None:
        self._rest = rest
        self._given = given
        self._records = records
        self._members = members
        self._owners = owners
        self._now = now

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What was shared."""
        if not grant.shared:
            return await self._rest.role(grant, stat)
        grant.require(Role.VIEWER, stat.path, *([stat.id] if stat.id else []))
        try:
            return await self._role(grant, stat)
        except Forbidden:
            # Perhaps it was given a moment ago, on another node.
            self._look_again()
            return await self._role(grant, stat)

    async def _role(self, grant: Grant, stat: Stat) -> Role:
        subjects, shares = await self._of(grant)
        return told(shared_role(shares, grant.role, subjects, _names(stat), self._now()), stat)

    def _look_again(self) -> None:
        self._records.forget()
        self._given.forget()

    async def sight(self, grant: Grant) -> Sight:
        """Everything for whoever has a role on that; else what was shared, without what is in a folder that was shared as well."""
        if not grant.shared:
            return await self._rest.sight(grant)
        subjects, shares = await self._of(grant)
        if not shares:
            self._look_again()
            subjects, shares = await self._of(grant)
        now = self._now()

        def role(stat: Stat) -> Role | None:
            if not grant.covers(stat.path, *([stat.id] if stat.id else [])):
                return None
            try:
                return told(shared_role(shares, grant.role, subjects, _names(stat), now), stat)
            except Forbidden:
                return None

        if grant.document is not None:
            return Sight(role, (grant.document,))
        names = {share.target for share in shares if share.live(now)}
        return Sight(role, None if EVERYTHING in names else topmost(names))

    async def _of(self, grant: Grant) -> tuple[frozenset[str], list[Share]]:
        """Whom something has to be shared with for this grant, and what was."""
        record = await self._records.of(grant)
        if record is None:
            raise Forbidden("nobody shared this with you, or not any more: ask whoever has it")
        subjects = frozenset(subjects_of(record))
        shares = await self._given.to(subjects)
        if self._members is not None and record.kind != GUEST:
            shares = [*shares, Share(_BUILT_IN, EVERYTHING, subject("person", record.person), self._members, record.made)]
        if self._owners and record.kind != GUEST and self._owners in record.groups:
            shares = [*shares, Share(_BUILT_IN, EVERYTHING, subject("person", record.person), Role.OWNER, record.made)]
        return subjects, shares


def is_guest(person: str) -> bool:
    """Whether this is the id of somebody who only has a link."""
    return person.startswith(f"{GUEST}:")


def subjects_of(record: SignIn) -> Iterable[str]:
    """Whom something is shared with so that this session has it."""
    yield subject("person", record.person)
    for group in record.groups:
        yield subject("group", group)
    for link in record.links:
        yield subject("link", link)


def topmost(names: Iterable[str]) -> tuple[str, ...]:
    """The targets that are in no other of them, sorted; what waits for its folder is none."""
    there = sorted(name for name in names if not name.startswith("/"))
    paths = set(there)
    return tuple(name for name in there if not any(above in paths for above in targets(name, folder=True)[1:]))


def _names(stat: Stat) -> tuple[str, ...]:
    return targets(stat.path, stat.id, folder=stat.folder)
