"""Locks of the cloud: one for each file, under our application's name and no user's, so that any co-author's session may hold it on.

A *room lock* is held while a document is open; its id has the fencing number. A *write lock* is taken for one write of a file that is not open. What
is found under our name with another id is another node's, or what a crash left: it is taken over by a room with a number that is not smaller, and a
write of another process goes on under its id, compares, and looks afterwards (CASES: such a write may meet another one).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import random
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Denied, Fenced, Locked, NotFound, Unavailable, Unsupported
from collab.gateway.resources import Reference, StorageLock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from collab.gateway.calls import Gateway
    from collab.gateway.resources import ResourceId

log = logging.getLogger("collab.storage")

ROOM: Final = 300.0
"""Seconds for which a room lock is taken; it is refreshed long before."""
WRITE: Final = 60.0
"""Seconds for which a write lock is taken; what a crash leaves is over then. The end is told by our clock and judged by the cloud's."""
WAIT: Final = 10.0
"""Seconds for which a write waits for another one."""
PATIENCE: Final = 2.0
"""Seconds for which a room waits for a write of a file that is to be opened."""
_ROOM: Final = "collab-room"
_WRITE: Final = "collab-write"


@dataclass(frozen=True, slots=True)
class Hold:
    """Under which lock a write is made. `alone`: nobody else can have it."""

    id: str
    alone: bool


@dataclass(slots=True)
class _Held:
    id: str
    fence: int
    holders: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Locks:
    """The locks that this process has. `clock` gives UTC seconds, `timer` monotonic ones; `nonce` a word that nobody else has."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        gateway: Gateway,
        application: str,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        nonce: Callable[[], str] = lambda: os.urandom(8).hex(),
        write_seconds: float = WRITE,
        room_seconds: float = ROOM,
    ) -> None:
        self.application = application
        self._gateway = gateway
        self._clock = clock
        self._timer = timer
        self._nonce = nonce
        self._write_seconds = write_seconds
        self._room_seconds = room_seconds
        self._held: dict[ResourceId, _Held] = {}
        self._turns: dict[ResourceId, _Turn] = {}

    def ours(self, lock: StorageLock) -> bool:
        """Whether it is of this application, whichever node's."""
        return lock.application == self.application and lock.id.startswith((_ROOM, _WRITE))

    def id_of(self, resource: ResourceId) -> str:
        """The id of the room lock that this process has, or the empty string."""
        held = self._held.get(resource)
        return held.id if held is not None else ""

    def key(self, resource: ResourceId, found: StorageLock | None) -> str:
        """The id to name when the file is moved or deleted: of whichever lock of ours it has."""
        return self.id_of(resource) or (found.id if found is not None and self.ours(found) else "")

    # --- while a document is open

    async def take(self, token: str, resource: ResourceId, holder: str, fence: int = 0) -> StorageLock | None:
        """Have a room lock; another application's is given back, and nothing is taken. Taken again: it is refreshed.

        Unsupported: there are no locks. Fenced: a node with a greater fencing number has it.
        """
        async with self._turn(resource):
            held = self._held.get(resource)
            if held is not None and held.fence >= fence:
                with suppress(Locked):
                    await self._refresh(token, resource, held)
                    held.holders.add(holder)
                    return None
            new = self._lock(f"{_ROOM}-{fence}-{self._nonce()}", self._room_seconds)
            foreign = await self._acquire(token, resource, new, fence)
            if foreign is None:
                self._held[resource] = _Held(new.id, fence, {holder, *(held.holders if held is not None else ())})
            return foreign

    def fence_of(self, resource: ResourceId) -> int | None:
        """The fencing number of the room lock that this process has."""
        held = self._held.get(resource)
        return None if held is None else held.fence

    async def refresh(self, token: str, resource: ResourceId, fence: int | None = None) -> bool:
        """Hold it on. False: this process has none, not with this number, or another node has it. Locked: another application has it by now."""
        async with self._turn(resource):
            held = self._held.get(resource)
            if held is None or (fence is not None and held.fence != fence):
                return False
            try:
                await self._refresh(token, resource, held)
            except Fenced:
                return False
            return True

    async def mend(self, token: str, resource: ResourceId) -> None:
        """A write under the lock was refused: if it is a room's, have it again. Fenced, Locked: it is somebody else's by now, and forgotten."""
        async with self._turn(resource):
            held = self._held.get(resource)
            if held is not None:
                await self._refresh(token, resource, held)

    async def give(self, token: str, resource: ResourceId, holder: str) -> None:
        """It goes when nobody here needs it any more, also one of no fencing number that a crash left. Another's stays."""
        async with self._turn(resource):
            held = self._held.get(resource)
            if held is None:
                left = await self._gateway.locked(token, Reference(resource))
                if left is not None and self.ours(left) and left.id.startswith(f"{_ROOM}-0-"):
                    await self._gateway.unlock(token, Reference(resource), left)
                return
            held.holders.discard(holder)
            if held.holders:
                return
            del self._held[resource]
            with suppress(Locked, NotFound, Unsupported):
                await self._gateway.unlock(token, Reference(resource), self._lock(held.id, None))

    async def _refresh(self, token: str, resource: ResourceId, held: _Held) -> None:
        try:
            await self._gateway.refresh_lock(token, Reference(resource), self._lock(held.id, self._room_seconds))
        except (Locked, Denied) as error:
            found = await self._gateway.locked(token, Reference(resource))
            if found is not None and found.id != held.id:
                self._held.pop(resource, None)
                if self.ours(found) and _fence(found.id) > held.fence:
                    raise Fenced("another server has the document open by now") from error
                raise Locked(f"{found.application or 'another application'} has the file locked by now") from error
            if isinstance(error, Denied):
                raise
            # A lock that is nobody's is ours again: what was written meanwhile, the next write sees by the etag.
            try:
                await self._gateway.lock(token, Reference(resource), self._lock(held.id, self._room_seconds))
            except Locked:
                self._held.pop(resource, None)
                raise

    async def _acquire(self, token: str, resource: ResourceId, new: StorageLock, fence: int) -> StorageLock | None:
        """Take or take over; who else has it, if that is no lock of ours."""
        begin = self._timer()
        while self._timer() - begin < 2 * WAIT:
            found = await self._tried(token, resource, new)
            if found is None:
                return None
            if not self.ours(found):
                return found
            if _fence(found.id) > fence:
                raise Fenced("another server has the document open")
            # A write is over soon, unless a crash left its lock; one that is not over writes nothing any more.
            if found.id.startswith(_ROOM) or self._timer() - begin > PATIENCE:
                with suppress(Locked):
                    await self._gateway.refresh_lock(token, Reference(resource), new, instead_of=found.id)
                    return None
            await asyncio.sleep(0.05)
        raise Unavailable("somebody keeps writing the file; trying again")

    async def _tried(self, token: str, resource: ResourceId, new: StorageLock) -> StorageLock | None:
        """One try to take a lock; whose it is instead."""
        left = 3
        while True:
            try:
                await self._gateway.lock(token, Reference(resource), new)
            except Locked:
                found = await self._gateway.locked(token, Reference(resource))
            except Unavailable:
                # Perhaps only the answer was lost.
                found = await self._gateway.locked(token, Reference(resource))
                left -= 1
                if found is None and not left:
                    raise
            else:
                return None
            if found is None:
                await asyncio.sleep(0.005)
                continue
            return None if found.id == new.id else found

    # --- for one write

    @asynccontextmanager
    async def writing(self, token: str, resource: ResourceId) -> AsyncIterator[Hold]:
        """Nobody else writes meanwhile, as far as that can be had. Locked: another application has the file, in words; Unavailable: the wait was too long."""
        async with self._turn(resource):
            held = self._held.get(resource)
            if held is not None:
                # Who looks after it waits for us.
                keeping = asyncio.ensure_future(self._keep(token, resource, held.id, self._room_seconds))
                try:
                    yield Hold(held.id, alone=True)
                finally:
                    keeping.cancel()
                return
            lock = await self._for_writing(token, resource)
            if lock is None or lock.id.startswith(_ROOM):
                yield Hold(lock.id if lock is not None else "", alone=False)
                return
            keeping = asyncio.ensure_future(self._keep(token, resource, lock.id, self._write_seconds))
            try:
                yield Hold(lock.id, alone=True)
            finally:
                keeping.cancel()
                await asyncio.shield(self._let_go(token, resource, lock.id))

    async def _for_writing(self, token: str, resource: ResourceId) -> StorageLock | None:
        """A write lock of ours, or the room lock of another node; None: there are no locks."""
        mine = f"{_WRITE}-{self._nonce()}"
        end, pause = self._timer() + WAIT, 0.01
        while True:
            try:
                found = await self._tried(token, resource, self._lock(mine, self._write_seconds))
            except Unsupported:
                return None
            if found is None:
                return self._lock(mine, self._write_seconds)
            if not self.ours(found):
                raise Locked(f"{found.application or 'another application'} has the file locked")
            if found.id.startswith(_ROOM):
                return found
            if self._timer() > end:
                raise Unavailable("somebody keeps writing the file; trying again")
            await asyncio.sleep(pause * (0.5 + random()))  # noqa: S311 - who waits for the same does not come at the same moment
            pause = min(2 * pause, 0.25)

    async def _keep(self, token: str, resource: ResourceId, lock: str, seconds: float) -> None:
        """A long upload does not outlive its lock."""
        while True:
            await asyncio.sleep(seconds / 3)
            with suppress(CollabError):
                await self._gateway.refresh_lock(token, Reference(resource), self._lock(lock, seconds))

    async def _let_go(self, token: str, resource: ResourceId, lock: str) -> None:
        for _ in range(3):
            try:
                await self._gateway.unlock(token, Reference(resource), self._lock(lock, None))
            except Unavailable:
                await asyncio.sleep(0.02)
            except CollabError:
                return
            else:
                return
        log.info("a lock of ours stays on a file until it is over, in %g s", self._write_seconds)

    # ---

    def _lock(self, identity: str, seconds: float | None) -> StorageLock:
        return StorageLock(identity, self.application, "", None if seconds is None else self._clock() + seconds)

    @asynccontextmanager
    async def _turn(self, resource: ResourceId) -> AsyncIterator[None]:
        """One after the other in this process."""
        turn = self._turns.setdefault(resource, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                del self._turns[resource]


def _fence(identity: str) -> int:
    number = identity.removeprefix(f"{_ROOM}-").partition("-")[0]
    return int(number) if number.isdecimal() else 0
