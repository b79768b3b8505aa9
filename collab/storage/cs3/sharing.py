"""What people of a cloud share from here: the cloud does it, with their own token, and by its own rules."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import CollabError, Forbidden, Malformed, NotFound, Unauthorized, Unsupported
from collab.gateway.sharing import LINK, PERSON, Party, Sharing
from collab.ports import Offers, Shared
from collab.runtime.acting import caller
from collab.storage.cs3.keepers import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from collab.gateway.sharing import Given
    from collab.ports import Stat
    from collab.storage.cs3.cloud import Cloud, Found
    from collab.storage.cs3.keepers import Sessions

ABOVE: Final = 32
"""Folders around a document that are looked at."""
NAMES: Final = 4096
"""Names of people and groups that are kept."""
_LINKS: Final = "link:"
_ROLES: Final = (Role.VIEWER, Role.EDITOR)


class CloudSharing:
    """The port `SharingDesk`. `pages`: where the cloud's own pages open public links, to which a link's token is added; empty: links are not offered.
    `sessions` of the people who ask; None: the server is somebody itself.
    """

    def __init__(self, cloud: Cloud, pages: str, sessions: Sessions | None = None) -> None:
        self._cloud = cloud
        self._sessions = sessions
        self._sharing = Sharing(cloud.gateway)
        self._pages = pages
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def offers(self, stat: Stat) -> Offers:
        """What can be given here, and how."""
        async with self._acts(stat) as token:
            await self._mine(token, stat)
        return Offers(roles=_ROLES, person=True, group=True, link=self._links, password=self._links, expires=True, uses=False)

    async def shares(self, stat: Stat) -> Sequence[Shared]:
        """What was given, also with the folders around it, as far as the caller may know."""
        async with self._acts(stat) as token:
            own = await self._mine(token, stat)
            given = await self._given(token, own)
            above = await asyncio.gather(*(self._above(token, path) for path in _folders(stat.path)))
            found = [await self._told(token, each) for each in given]
            for path, around in above:
                found += [replace(await self._told(token, each), inherited=path, address="") for each in around]
            return found

    async def give(self, stat: Stat, kind: str, party: str, role: Role, expires: float | None) -> Shared:
        """A role for a person or a group."""
        self._check(role)
        opaque, _, idp = party.rpartition(" ") if " " in party else (party, "", "")
        async with self._acts(stat) as token:
            own = await self._mine(token, stat)
            if kind == PERSON and opaque == own.resource.owner:
                raise Malformed("it belongs to this person already")
            name = await self._name(token, kind, opaque)
            given = await self._sharing.give(token, own.resource, Party(kind, opaque, idp, name), role, expires)
            return await self._told(token, given)

    async def link(self, stat: Stat, role: Role, expires: float | None, password: str, uses: int | None) -> Shared:
        """A public link of the cloud."""
        self._check(role)
        if uses is not None:
            raise Unsupported("links of the cloud can be opened as often as anybody likes: leave the number out")
        if not self._links:
            raise Unsupported("no links can be made here: make one in the cloud's own pages")
        async with self._acts(stat) as token:
            own = await self._mine(token, stat)
            return await self._told(token, await self._sharing.publish(token, own.resource, role, expires=expires, password=password))

    async def change(self, stat: Stat, share: str, *, role: Role | None, ends: bool, expires: float | None) -> Shared:
        """Another role, another end, or both."""
        if role is not None:
            self._check(role)
        async with self._acts(stat) as token:
            own = await self._mine(token, stat)
            given, calls = await self._one(token, own, share), self._sharing
            change = calls.republish if given.kind == LINK else calls.change
            if role is not None:
                given = await change(token, given.id, folder=own.folder, role=role)
            if ends:
                given = await change(token, given.id, folder=own.folder, expires=expires)
            return await self._told(token, given)

    async def take(self, stat: Stat, share: str) -> Shared:
        """It counts no more."""
        async with self._acts(stat) as token:
            own = await self._mine(token, stat)
            given = await self._one(token, own, share)
            await (self._sharing.unpublish if given.kind == LINK else self._sharing.take)(token, given.id)
            return await self._told(token, given)

    async def parties(self, words: str) -> Sequence[Shared]:
        """People and groups that something can be given to. A cloud may tell of people and not of groups."""
        async with self._acts() as token:
            looks = [self._found(call(token, words)) for call in (self._sharing.people, self._sharing.groups)]
            known = [party for found in await asyncio.gather(*looks) for party in found]
        for each in known:
            self._learn(each.kind, each.id, each.name)
        return [_party(each) for each in known]

    @staticmethod
    async def _found(look: Awaitable[Sequence[Party]]) -> Sequence[Party]:
        try:
            return await look
        except (Forbidden, NotFound):
            return ()

    # --- how

    @asynccontextmanager
    async def _acts(self, stat: Stat | None = None) -> AsyncIterator[str]:
        """A token of whoever asks, and of nobody else. The guest of a link has its maker's permissions in the cloud's eyes: what they may not do, we say."""
        if self._sessions is not None:
            session = await self._sessions.get(caller())
            if session is None:
                raise Unauthorized(SIGN_IN)
            if session.guest or session.view_only:
                raise Forbidden("who only has a link, or may only look, shares nothing: ask whoever shared it with you")
        async with self._cloud.acts(stat.id or None if stat is not None else None) as token:
            yield token

    @property
    def _links(self) -> bool:
        return bool(self._pages) and self._sharing.links

    async def _mine(self, token: str, stat: Stat) -> Found:
        """The resource, which the caller may share. Forbidden."""
        found = await self._cloud.find(token, stat.id or stat.path)
        if not found.resource.permissions.share:
            raise Forbidden("the cloud does not let you share this: ask whoever it belongs to")
        return found

    async def _given(self, token: str, found: Found) -> list[Given]:
        """Of the resource itself. What a cloud does not tell is left out."""
        of = found.resource.id
        given: list[Given] = []
        for calls in (self._sharing.given, self._sharing.public):
            try:
                given += await calls(token, of)
            except Unsupported:
                continue
        return given

    async def _above(self, token: str, path: str) -> tuple[str, list[Given]]:
        """Of a folder around it: nothing, where the caller may not know."""
        try:
            return path, await self._given(token, await self._cloud.find(token, path))
        except CollabError:
            return path, []

    async def _one(self, token: str, found: Found, share: str) -> Given:
        """The share of this id, which is one of the resource's own. NotFound."""
        for each in await self._given(token, found):
            if _id(each) == share:
                return each
        raise NotFound("there is no such share here any more: look at the list again")

    async def _told(self, token: str, given: Given) -> Shared:
        name = given.name if given.kind == LINK else await self._name(token, given.kind, given.party)
        return Shared(
            id=_id(given),
            kind=given.kind,
            party="" if given.kind == LINK else given.party,
            name=name,
            role=given.role,
            expires=given.expires,
            password=given.password,
            address=self._pages + given.party if given.kind == LINK and self._pages else "",
        )

    async def _name(self, token: str, kind: str, party: str) -> str:
        if (kind, party) not in self._names:
            try:
                self._learn(kind, party, await self._sharing.name(token, kind, party))
            except (Unsupported, Forbidden, NotFound):
                return party
        return self._names[kind, party]

    def _learn(self, kind: str, party: str, name: str) -> None:
        self._names[kind, party] = name
        while len(self._names) > NAMES:
            self._names.popitem(last=False)

    @staticmethod
    def _check(role: Role) -> None:
        if role not in _ROLES:
            raise Malformed("the cloud lets nobody give on what is theirs to share: choose viewer or editor")


def _party(of: Party) -> Shared:
    identity = f"{of.id} {of.idp}" if of.idp else of.id
    return Shared(id="", kind=of.kind, party=identity, name=of.name, detail=of.detail, role=None)


def _id(given: Given) -> str:
    return f"{_LINKS}{given.id}" if given.kind == LINK else given.id


def _folders(path: str) -> Sequence[str]:
    """Those around it, the nearest first, the root last."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)][:ABOVE]
