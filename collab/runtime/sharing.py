"""Sharing: roles are given, changed and taken back, and whoever is here is looked at at once, on every node."""

from __future__ import annotations

import asyncio
import logging
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from collab.access import Role, Share, subject, targets
from collab.errors import CollabError, NotFound, Unauthorized
from collab.ports import Link
from collab.runtime.given import GUEST
from collab.runtime.signed import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from collab.access import Grant
    from collab.ports import Folders, Links, Rights, Shares, SignIns, Stat
    from collab.runtime.given import Given, Records
    from collab.runtime.rights import Seat

log = logging.getLogger("collab.runtime")

TICK: Final = 1.0
"""Seconds between looks for what was changed elsewhere, while somebody is here by a share."""
LOOKS: Final = 4
"""In a row at most, where folders are moved all the time."""
LOOK: Final = 30.0
"""Seconds between looks where shared folders are, besides those after somebody moved something."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What sharing works on."""

    shares: Shares
    links: Links
    sign_ins: SignIns
    folders: Folders


@dataclass(frozen=True, slots=True)
class Terms:
    """What is given, by whom and for how long."""

    role: Role
    maker: str
    """The id of a person; empty: the operator."""
    expires: float | None = None
    """UTC seconds since the epoch; None: never."""
    password: str = ""
    """Of a link: the hash of one; empty: none is asked for."""
    uses: int | None = None
    """Of a link: so many may open it; None: any number."""


class Sharing:
    """What people do with shares. `seats` gives the sessions of this node's sockets, `look` looks at the rights of one soon; `over` tells which
    of some sessions without a record were signed out, on any node. `now` gives UTC seconds since the epoch, `random` that many bytes.
    """

    def __init__(  # noqa: PLR0913 - what it works on
        self,
        stores: Stores,
        given: Given,
        records: Records,
        *,
        rights: Rights,
        seats: Callable[[], Iterable[Seat]],
        look: Callable[[Seat], None],
        over: Callable[[AbstractSet[str]], AbstractSet[str]],
        now: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self.links = stores.links
        self._shares = stores.shares
        self._sign_ins = stores.sign_ins
        self._folders = stores.folders
        self._given = given
        self._records = records
        self._rights = rights
        self._seats = seats
        self._look = look
        self._over = over
        self._now = now
        self._random = random
        self._seen: tuple[int, int] | None = None
        self._until = now()
        """Shares that ended by then were looked at."""

    # --- what is shared

    async def on(self, stat: Stat) -> Sequence[Share]:
        """All that counts for a document or folder, also of the folders around it."""
        return [share for share in await self._shares.on(targets(stat.path, stat.id, folder=stat.folder)) if share.live(self._now())]

    async def give(self, stat: Stat, whom: str, terms: Terms) -> Share:
        """A role on a document or folder for a person or a group (`access.subject`); who has one on it has this one instead."""
        folder = await self._folder(stat)
        share = Share(self._random(12).hex(), target_of(stat), whom, terms.role, self._now(), terms.maker, terms.expires, folder)
        return await self._changed(await self._shares.add(share))

    async def link(self, stat: Stat, terms: Terms) -> tuple[str, Share]:
        """A new link: its secret, which is nowhere else, and the share."""
        secret = urlsafe_b64encode(self._random(24)).decode()
        link = Link(
            digest_of(secret),
            target_of(stat),
            terms.role.word,
            terms.maker,
            self._now(),
            terms.expires,
            terms.password,
            terms.uses,
            folder=await self._folder(stat),
        )
        await self.links.add(link)
        share = Share(
            link.digest,
            link.target,
            subject("link", link.digest),
            terms.role,
            link.made,
            link.maker,
            link.expires,
            link.folder,
            bool(link.password),
            link.uses,
        )
        return secret, await self._changed(share)

    async def change(self, share: Share, role: Role, expires: float | None) -> Share:
        """Another role and end. NotFound."""
        return await self._changed(await self._shares.change(share.target, share.id, role=role, expires=expires))

    async def take_back(self, share: Share) -> None:
        """It counts no more. NotFound."""
        await self._changed(await self._shares.remove(share.target, share.id, self._now()))

    async def own(self, grant: Grant, stat: Stat) -> None:
        """Who made a document or folder where they are not its owner already, owns it. Guests of links own nothing: they go with their link."""
        if not grant.shared or not (stat.id or stat.folder):
            return
        record, has = await self._records.of(grant), await self._rights.role(grant, replace(stat, writable=True))
        if record is not None and record.kind != GUEST and has < min(Role.OWNER, grant.role):
            await self.give(stat, subject("person", grant.person.id), Terms(Role.OWNER, grant.person.id))

    # --- where folders are

    async def settle(self) -> None:
        """Shares go where their folders are now; those of a folder that is nowhere wait for it. Raises nothing."""
        try:
            for _ in range(LOOKS):
                known = await self._shares.folders()
                places = {folder: await self._place(folder, before) for folder, before in known.items()}
                now = await self._shares.folders()
                # What somebody else has told meanwhile is newer.
                moved = {folder: place for folder, place in places.items() if place != known[folder] and now.get(folder) == known[folder]}
                if moved:
                    await self._shares.move(moved)
                    self.stir()
                elif now == known:
                    break
                # Once more: one may have been moved on since it was seen, and whoever did it has told so before this.
        except CollabError as error:
            log.warning("nobody knows where shared folders are just now: %s", error.detail)

    async def gone(self, path: str, waiting: Collection[str]) -> None:
        """The folder that was deleted at this path is gone for good, with what was shared of it. Raises nothing."""
        try:
            places = {place for place in (await self._shares.folders()).values() if _within(place, "/" + path)}
            lost = {place for place in places if not any(_within(place, "/" + other) for other in waiting)}
            for share in await self._shares.on(lost):
                await self._shares.remove(share.target, share.id, self._now())
        except CollabError as error:
            log.warning("what was shared of a folder that is gone for good is not forgotten: %s", error.detail)

    async def _place(self, folder: str, before: str) -> str:
        try:
            return (await self._folders.find(folder)).path
        except NotFound:
            return before if before.startswith("/") else "/" + before

    async def _folder(self, stat: Stat) -> str:
        if not stat.folder or not stat.path:
            return ""
        (identity,) = await self._folders.identify([stat.path])
        return identity

    # --- whoever is here

    async def watch_loop(self) -> None:
        """What was changed elsewhere, and what ended by itself, reaches whoever is here; until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                if loop.time() >= due:
                    due = loop.time() + LOOK
                    await self.settle()
                self._sign_off()
                if any(seat.grant.shared for seat in self._seats()):
                    await self._tick()
                else:
                    self._seen = None
            except CollabError as error:
                log.info("nobody can say what was shared just now: %s", error.detail)
            await asyncio.sleep(TICK)

    def _sign_off(self) -> None:
        """Whoever signed out of what the operator gave leaves."""
        seats = [seat for seat in self._seats() if seat.grant.id and not seat.grant.shared]
        over = self._over({seat.grant.id for seat in seats})
        for seat in seats if over else ():
            if seat.grant.id in over:
                seat.dismiss(Unauthorized(ENDED))

    async def _tick(self) -> None:
        now = self._now()
        seen = await self._given.changed(), await self._sign_ins.changes()
        ended = self._given.ends(self._until, now)
        if seen != self._seen or ended:
            self.stir()
        self._seen, self._until = seen, now

    def stir(self) -> None:
        """Something was changed: look at everybody who is here by a share."""
        self._given.forget()
        self._records.forget()
        for seat in self._seats():
            if seat.grant.shared:
                self._look(seat)

    async def _changed(self, share: Share) -> Share:
        self.stir()
        return share


def digest_of(secret: str) -> str:
    """What the archive knows of a link's secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def target_of(stat: Stat) -> str:
    """What a share of this document or folder is of."""
    return stat.id if not stat.folder else stat.path
