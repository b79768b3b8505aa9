"""Who may do what with a document: the grant's own word, what it comes to, and how it is looked at again while people are in a room."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import Role
from collab.errors import CollabError, Forbidden, NotFound, Unauthorized, Unavailable
from collab.ports import Sight, Stat
from collab.storage.paths import is_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

    from collab.access import Grant
    from collab.ports import Rights

log = logging.getLogger("collab.runtime")

AT_ONCE: Final = 8
"""People whose rights are looked at at the same time."""
DOUBT: Final = 12.0
"""Seconds until somebody in whose eyes a document is gone is believed: when it was deleted, the room knows it by then."""


def told(role: Role, stat: Stat) -> Role:
    """What a role comes to with this file: nobody changes what the storage lets nobody change."""
    return role if stat.writable else min(role, Role.VIEWER)


class GrantRights:
    """The port `Rights`: the grant says it. One that is for what was shared with its person opens nothing here."""

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What the grant allows with a file that may be written, or not."""
        if grant.shared:
            raise Forbidden("nobody shared this with you, or not any more: ask whoever has it")
        grant.require(grant.role, stat.path, *([stat.id] if stat.id else []))
        return told(grant.role, stat)

    async def sight(self, grant: Grant) -> Sight:
        """All, or the one document that the grant is for."""
        return sight_of(grant)


def sight_of(grant: Grant) -> Sight:
    """What a grant shows by itself."""

    def role(stat: Stat) -> Role | None:
        return told(grant.role, stat) if grant.covers(stat.path, *([stat.id] if stat.id else [])) else None

    return Sight(role, None if grant.document is None else (grant.document,))


def folder_at(path: str) -> Stat:
    """A folder as rights are asked for, whether or not there is one."""
    return Stat("", path, "inode/directory", 0, "", 0.0, folder=True)


async def require_place(rights: Rights, grant: Grant, path: str) -> None:
    """`Forbidden` unless the grant's person may put something at this path: an editor of the folder around."""
    grant.require(Role.EDITOR, path)
    if grant.asks:
        await require(rights, grant, folder_at(path.rpartition("/")[0]), Role.EDITOR)


async def require_moving(rights: Rights, grant: Grant, stat: Stat, to: str | None = None) -> None:
    """`Forbidden` unless the grant's person may take a document or folder away from its place, and put it `to` a path: what was shared alone, its editors
    leave where it is.
    """
    has = await require(rights, grant, stat, Role.EDITOR)
    if not grant.asks:
        return
    folder = stat.path.rpartition("/")[0]
    if has < Role.OWNER:
        await require_place(rights, grant, stat.path)
    if to is not None and to.rpartition("/")[0] != folder:
        await require_place(rights, grant, to)


async def missing(rights: Rights, grant: Grant, role: Role, name: str) -> None:
    """`Forbidden` unless the grant's person may know that nothing has this name, a path or an id."""
    if not grant.asks:
        grant.require(role, name)
        return
    # As if there were something: who is told nothing of a document is told nothing of its absence.
    await rights.role(grant, folder_at("" if is_id(name) else name.rpartition("/")[0]))


async def never(grant: Grant) -> bool:
    """Nobody is let in to look only: whoever may read may keep what they read."""
    del grant
    return False


async def nowhere(grant: Grant) -> tuple[Grant, str] | None:
    """Nobody is shown the folder around a document that they were let in for."""
    del grant
    return None


async def nothing(grant: Grant) -> None:
    """Nobody came from elsewhere."""
    del grant


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
    """Looks at the rights of people in rooms: of all every `interval` seconds, and of some at once. `seats` gives those of this node's sockets;
    `spawn` begins a look at some, `routine` the one that comes by the clock.
    """

    def __init__(
        self,
        rights: Rights,
        seats: Callable[[], Iterable[Seat]],
        *,
        spawn: Callable[[Coroutine[object, object, None]], object],
        routine: Callable[[Coroutine[object, object, None]], object],
        interval: float,
    ) -> None:
        self._rights = rights
        self._seats = seats
        self._spawn = spawn
        self._routine = routine
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
        self._name(seat, self._spawn)

    def _name(self, seat: Seat, spawn: Callable[[Coroutine[object, object, None]], object]) -> None:
        if self._stopped:
            return
        self._soon[seat] = None
        if not self._running:
            self._running = True
            spawn(self._run())

    def dismiss(self, sessions: Collection[str], error: CollabError) -> None:
        """Those who are here by sessions with these ids leave, for this reason."""
        for seat in [each for each in self._seats() if each.grant.id and each.grant.id in sessions]:
            seat.dismiss(error)

    def _due(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._due)
        for seat in self._seats():
            self._name(seat, self._routine)

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
        people: dict[str, dict[tuple[object, ...], list[tuple[Seat, Grant]]]] = defaultdict(lambda: defaultdict(list))
        for seat in seats:
            grant = seat.grant
            people[grant.person.id][grant.id, grant.role, grant.document, seat.stat.id, seat.stat.writable].append((seat, grant))
        waiting = [*people.values()]

        async def work() -> None:
            while waiting:
                for same in waiting.pop().values():
                    await self._look_at(same)
                await asyncio.sleep(0)

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(waiting)))))

    async def _look_at(self, asked: Sequence[tuple[Seat, Grant]]) -> None:
        """Sessions of one person in one document. What is said of a grant counts for nobody who came with a new one meanwhile: that is asked about itself."""
        first, grant = asked[0]
        try:
            role = await self._rights.role(grant, first.stat)
        except NotFound:
            self._miss(_still(asked))
        except Unavailable as error:
            log.info("nobody can say who may do what with %s just now: %s", first.stat.id, error.detail)
        except (Forbidden, Unauthorized) as error:
            for seat in _still(asked):
                seat.dismiss(error)
        except CollabError as error:
            log.warning("the rights in %s can't be known: %s", first.stat.id, error.detail)
        else:
            for seat in _still(asked):
                self._doubted.pop(seat, None)
                seat.decide(role)

    def _miss(self, same: Sequence[Seat]) -> None:
        """Gone for all, which the room will know, or for this person only."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for seat in same[:1]:
            seat.miss()
        for seat in same:
            if seat.gone:
                self._doubted.pop(seat, None)
            elif now - self._doubted.setdefault(seat, now) >= DOUBT:
                self._doubted.pop(seat, None)
                seat.dismiss(Forbidden("you may not open this document any more"))
            else:
                loop.call_later(DOUBT, self.soon, seat)


def _still(asked: Sequence[tuple[Seat, Grant]]) -> list[Seat]:
    """Those who are there by the same grant as when they were asked about."""
    return [seat for seat, grant in asked if seat.grant is grant]
