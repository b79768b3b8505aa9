"""Where people share what is theirs on this server (the port `SharingDesk`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import Role, subject
from collab.errors import Malformed, NotFound
from collab.ports import Offers, Shared
from collab.runtime.sharing import Terms, target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collab.access import Share
    from collab.ports import Stat
    from collab.runtime.sharing import Sharing

PASSWORD: Final = 6
"""Characters of a link's password at least: guesses are slow, and nobody has it without the link."""
LONGEST: Final = 1024
USES: Final = 1_000_000
MOST: Final = 20
"""People and groups in one answer."""


class Encoding(Protocol):
    """What makes hashes of passwords."""

    async def encoded(self, password: str) -> str:
        """What is kept of a new password."""


class Someone(Protocol):
    """Somebody with whom something can be shared."""

    @property
    def person(self) -> str:
        """The id."""

    @property
    def name(self) -> str:
        """What others see."""

    @property
    def login(self) -> str:
        """What tells those of one name apart."""


class Everybody(Protocol):
    """With whom something can be shared. All raise `Unavailable`."""

    async def get(self, person: str) -> Someone | None:
        """One of them."""

    async def find(self, words: str, *, limit: int = MOST) -> Sequence[Someone]:
        """Those in whose name or login each of the words is."""

    async def groups(self) -> Sequence[str]:
        """All groups that anybody is in."""


@dataclass(frozen=True, slots=True)
class Desk:
    """For whoever asks: `maker` is the id of that person. Who may share a document is for the caller to ask. `address` gives where people open a link of
    this secret, `now` UTC seconds since the epoch.
    """

    sharing: Sharing
    everybody: Everybody
    passwords: Encoding
    address: Callable[[str], str]
    now: Callable[[], float]
    maker: str

    async def offers(self, stat: Stat) -> Offers:
        """What can be given."""
        del stat
        return Offers(tuple(Role), person=True, group=True, link=True, password=True, expires=True, uses=True)

    async def shares(self, stat: Stat) -> Sequence[Shared]:
        """What was given, also with the folders around it."""
        return [await self._told(share, stat) for share in await self.sharing.on(stat)]

    async def give(self, stat: Stat, kind: str, party: str, role: Role, expires: float | None) -> Shared:
        """A role for a person or a group that is known here."""
        self._check(expires)
        if kind == "person":
            if await self.everybody.get(party) is None:
                raise NotFound("nobody of this id is known here: GET /api/people finds people")
        elif kind != "group":
            raise Malformed("'kind' is person, group or link")
        elif party not in await self.everybody.groups():
            raise NotFound("nobody is in a group of this name: GET /api/people finds groups")
        whom = subject("person" if kind == "person" else "group", party)
        return await self._told(await self.sharing.give(stat, whom, Terms(role, self.maker, expires)), stat)

    async def link(self, stat: Stat, role: Role, expires: float | None, password: str, uses: int | None) -> Shared:
        """A new link, with its address."""
        self._check(expires)
        _check_link(role)
        if password and not PASSWORD <= len(password) <= LONGEST:
            raise Malformed(f"a link's password has at least {PASSWORD} characters, and at most {LONGEST}")
        if uses is not None and not 1 <= uses <= USES:
            raise Malformed(f"'uses' is a number from 1 to {USES}, or left out")
        encoded = await self.passwords.encoded(password) if password else ""
        secret, share = await self.sharing.link(stat, Terms(role, self.maker, expires, encoded, uses))
        return await self._told(share, stat, self.address(secret))

    async def change(self, stat: Stat, share: str, *, role: Role | None, ends: bool, expires: float | None) -> Shared:
        """Another role, another end, or both."""
        known = await self._own(stat, share)
        if ends:
            self._check(expires)
        if known.subject == subject("link", known.id):
            _check_link(role or known.role)
        return await self._told(await self.sharing.change(known, role or known.role, expires if ends else known.expires), stat)

    async def take(self, stat: Stat, share: str) -> Shared:
        """It counts no more."""
        known = await self._own(stat, share)
        await self.sharing.take_back(known)
        return await self._told(known, stat)

    async def parties(self, words: str) -> Sequence[Shared]:
        """People and groups."""
        people = await self.everybody.find(words, limit=MOST)
        asked = [word.casefold() for word in words.split()]
        groups = [group for group in await self.everybody.groups() if all(word in group.casefold() for word in asked)]
        return [
            *(Shared(each.person, "person", each.person, each.name, None, detail=each.login) for each in people),
            *(Shared(group, "group", group, group, None) for group in groups[:MOST]),
        ]

    async def _own(self, stat: Stat, share: str) -> Share:
        """A share of just this. NotFound."""
        found = next((each for each in await self.sharing.on(stat) if each.id == share), None)
        if found is None:
            raise NotFound("there is no such share: somebody may have taken it back")
        if found.target != target_of(stat):
            raise NotFound("this was given with a folder around it: change it there")
        return found

    async def _told(self, share: Share, stat: Stat, address: str = "") -> Shared:
        kind, _, party = share.subject.partition(":")
        name, detail = (party, "") if kind == "group" else ("", "")
        if kind == "person":
            someone = await self.everybody.get(party)
            name, detail = (party, "") if someone is None else (someone.name, someone.login)
        return Shared(
            share.id,
            kind,
            "" if kind == "link" else party,
            name,
            share.role,
            share.expires,
            None if share.target == target_of(stat) else share.target,
            share.password,
            share.uses,
            address,
            detail,
            share.made,
        )

    def _check(self, expires: float | None) -> None:
        if expires is not None and expires <= self.now():
            raise Malformed("'expires' is in the past: what is given then counts at no time")


def _check_link(role: Role) -> None:
    if role is Role.OWNER:
        raise Malformed("whoever has a link may read or edit; owners are given by name")
