"""Who may do what with a document: the grant's own word, what it comes to, and how it is looked at again while people are in a room."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import Role
from collab.errors import CollabError, Forbidden, NotFound, Unauthorized, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from collab.access import Grant
    from collab.ports import Rights, Stat

log = logging.getLogger("collab.runtime")

AT_ONCE: Final = 8
"""People whose rights are looked at at the same time."""
DOUBT: Final = 12.0
"""Seconds until somebody in whose eyes a document is gone is believed: when it was deleted, the room knows it by then."""


def told(role: Role, stat: Stat) -> Role:
    """What a role comes to with this file: nobody changes what the storage lets nobody change."""
    return role if stat.writable else min(role, Role.VIEWER)


class GrantRights:
    """The port `Rights`: the grant says it."""

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What the grant allows with a file that may be written, or not."""
        grant.require(grant.role, stat.path, *([stat.id] if stat.id else []))
        return told(grant.role, stat)


async def require(rights: Rights, grant: Grant, stat: Stat, role: Role) -> Role:
    """The role that the grant's person has with the document, which is at least this one; else `Forbidden` in words. Errors as `Rights.role`."""
    has = await rights.role(grant, stat)
    if has >= role:
        return has
    if grant.role >= role and not stat.writable:
        raise Forbidden("the file is read-only in the storage")
    raise Forbidden(f"this needs the role {role.word}; yours is {has.word}")


class Seat(Protocol):
    """A session in a room, as its rights are looked at."""

    @property
    def grant(self) -> Grant:
        """What was signed."""

    @property
    def stat(self) -> Stat:
        """The document, as its room knows it, and as it counts for this session."""

    @property
    def gone(self) -> bool:
        """Whether the room knows that the file is gone: the text lives on in it."""

    def miss(self) -> None:
        """Its person does not find the document: let its room look for the file."""

    def decide(self, role: Role) -> None:
        """From now on it has this role. Nothing happens when it is over, or has it."""

    def dismiss(self, error: CollabError) -> None:
        """It ends, with this reason. Nothing happens when it is over."""


class Reviews:
    """Looks at the rights of people in rooms: of all every `interval` seconds, and of some at once. `seats` gives those of this node's sockets."""

    def __init__(
        self,
        rights: Rights,
        seats: Callable[[], Iterable[Seat]],
        *,
        spawn: Callable[[Coroutine[object, object, None]], object],
        interval: float,
    ) -> None:
        self._rights = rights
        self._seats = seats
        self._spawn = spawn
        self._interval = interval
        self._soon: dict[Seat, None] = {}
        self._running = self._stopped = False
        self._doubted: dict[Seat, float] = {}
        """Who does not find the document any more, and since when (monotonic seconds)."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look at all, again and again."""
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._due)

    def stop(self) -> None:
        """No more looks."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def soon(self, seat: Seat) -> None:
        """Look at this one now, together with all that are named in this turn of the loop, or while a look is under way."""
        if self._stopped:
            return
        self._soon[seat] = None
        if not self._running:
            self._running = True
            self._spawn(self._run())

    def _due(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._due)
        for seat in self._seats():
            self.soon(seat)

    async def _run(self) -> None:
        try:
            # Who is named in the same turn is looked at together.
            await asyncio.sleep(0)
            while self._soon:
                seats, self._soon = [*self._soon], {}
                if self._doubted:
                    here = set(self._seats())
                    self._doubted = {seat: since for seat, since in self._doubted.items() if seat in here}
                await self._look(seats)
        finally:
            self._running = False

    async def _look(self, seats: Sequence[Seat]) -> None:
        """Each document of a person once, one after another; several people at the same time."""
        people: dict[str, dict[tuple[object, ...], list[Seat]]] = defaultdict(lambda: defaultdict(list))
        for seat in seats:
            grant = seat.grant
            people[grant.person.id][grant.id, grant.role, grant.document, seat.stat.id, seat.stat.writable].append(seat)
        waiting = [*people.values()]

        async def work() -> None:
            while waiting:
                for same in waiting.pop().values():
                    await self._look_at(same)
                await asyncio.sleep(0)

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(waiting)))))

    async def _look_at(self, same: Sequence[Seat]) -> None:
        """Sessions of one person in one document."""
        first = same[0]
        try:
            role = await self._rights.role(first.grant, first.stat)
        except NotFound:
            self._miss(same)
        except Unavailable as error:
            log.info("nobody can say who may do what with %s just now: %s", first.stat.id, error.detail)
        except (Forbidden, Unauthorized) as error:
            for seat in same:
                seat.dismiss(error)
        except CollabError as error:
            log.warning("the rights in %s can't be known: %s", first.stat.id, error.detail)
        else:
            for seat in same:
                self._doubted.pop(seat, None)
                seat.decide(role)

    def _miss(self, same: Sequence[Seat]) -> None:
        """Gone for all, which the room will know, or for this person only."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        same[0].miss()
        for seat in same:
            if seat.gone:
                self._doubted.pop(seat, None)
            elif now - self._doubted.setdefault(seat, now) >= DOUBT:
                self._doubted.pop(seat, None)
                seat.dismiss(Forbidden("you may not open this document any more"))
            else:
                loop.call_later(DOUBT, self.soon, seat)
