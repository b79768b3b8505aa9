"""The rooms look at their files when somebody else may have changed them, and at who has them open outside when that may be somebody else."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from collab.errors import CollabError
from collab.storage.habits import is_lock, lock_of, owners_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from collab.ports import Claim, Claims, Watch
    from collab.runtime.host import Host
    from collab.runtime.metrics import Metrics
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.runtime")

POLL = 5.0
"""Seconds between looks at the files of all open rooms, while nobody tells what changes."""
AGAIN = 60.0
"""Seconds until the watch is tried again."""


class Noticing:
    """Hands what the watch tells to the rooms."""

    def __init__(self, watch: Watch, claims: Claims, rooms: Rooms, metrics: Metrics) -> None:
        self._watch = watch
        self._claims = claims
        self._rooms = rooms
        self._metrics = metrics
        self._told: dict[str, Claim | None] = {}
        """What the pages of open documents were told last of who has them open outside."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async for paths in self._watch.notices():
                    self._notice(paths)
                    await self._look(paths)
            except CollabError as error:
                self._metrics.failed("watch")
                log.warning("%s; until then the files of open documents are looked at every %g s", error.detail, POLL)
                await self._poll()

    def _notice(self, paths: Collection[str]) -> None:
        for host in self._rooms.hosts:
            path = host.stat.path
            # A folder that was moved or deleted is told itself, not what was in it.
            if path in paths or "" in paths or any(path.startswith(f"{folder}/") for folder in paths):
                self._rooms.noticed(host.id)

    async def _look(self, paths: Collection[str]) -> None:
        """Who has a document open outside, where something was left or taken away beside it."""
        locks = {path for path in paths if is_lock(_name(path))}
        if "" in paths:
            await self._look_at_all()
        elif locks:
            for host in [host for host in self._rooms.hosts if not locks.isdisjoint(_locks_of(host.stat.path))]:
                await self._tell(host, hinted=True)

    async def _tell(self, host: Host, *, hinted: bool) -> None:
        try:
            claim = await self._claims.look(host.id)
        except CollabError:
            return  # its file is away: there is more to tell than this
        self._told = {known: told for known, told in self._told.items() if self._rooms.live(known) is not None}
        # Pages have asked when they came: after a hint, what was never told is not known to be the same.
        known = host.id in self._told or not hinted
        before, self._told[host.id] = self._told.get(host.id), claim
        if known and before == claim:
            return
        if claim is None:
            host.tell("free")
        else:
            host.tell("held", by=claim.by, application=claim.application)

    async def _poll(self) -> None:
        for _ in range(int(AGAIN // POLL)):
            for host in self._rooms.hosts:
                self._rooms.noticed(host.id)
            await self._look_at_all()
            await asyncio.sleep(POLL)

    async def _look_at_all(self) -> None:
        for host in [*self._rooms.hosts]:
            await self._tell(host, hinted=False)


def _name(path: str) -> bytes:
    return path.rpartition("/")[2].encode(errors="surrogateescape")


def _locks_of(path: str) -> list[str]:
    folder, slash, _ = path.rpartition("/")
    name = _name(path)
    return [folder + slash + lock.decode(errors="surrogateescape") for lock in (lock_of(name), *owners_of(name))]
