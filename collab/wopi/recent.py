"""What office suites know of documents, and what they have locked, asked of the archive once: for a server that is alone with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from collab.ports import Lock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from collab.ports import Locks, OfficeState, OfficeStates, Within

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

REMEMBERED: Final = 4096
"""Documents; who was asked for least lately is forgotten."""
SURE: Final = 1.0
"""Seconds before its end from which on a lock is asked for again."""


class _Recent(Generic[K, V]):
    """What the archive has under some keys. While it is changed nobody knows."""

    def __init__(self) -> None:
        self.known: dict[K, V] = {}
        self._unsure: set[K] = set()
        """Keys of which the archive may still be taking something that nobody waits for any more."""
        self._turns: WeakValueDictionary[K, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, key: K, act: Callable[[], Awaitable[V]]) -> V:
        """What the archive answers is known from now on."""
        async with self._turns.setdefault(key, asyncio.Lock()):
            found = await act()
            if key not in self._unsure:
                self._remember(key, found)
            return found

    async def change(self, key: K, act: Callable[[], Awaitable[V]]) -> V:
        """What stands after a change is known from now on; after an error nothing is, until there was a change without one."""
        async with self._turns.setdefault(key, asyncio.Lock()):
            self.known.pop(key, None)
            self._unsure.add(key)
            stands = await act()
            self._unsure.discard(key)
            self._remember(key, stands)
            return stands

    async def change_within(self, key: K, act: Callable[[list[V]], Awaitable[T]]) -> T:
        """As `change`; `act` leaves in a list what stands after it."""
        async with self._turns.setdefault(key, asyncio.Lock()):
            self.known.pop(key, None)
            self._unsure.add(key)
            stands: list[V] = []
            made = await act(stands)
            self._unsure.discard(key)
            self._remember(key, stands[-1])
            return made

    def touch(self, key: K) -> None:
        """It was asked for just now."""
        self.known[key] = self.known.pop(key)

    def _remember(self, key: K, value: V) -> None:
        self.known.pop(key, None)
        self.known[key] = value
        if len(self.known) > REMEMBERED:
            del self.known[next(iter(self.known))]


class RecentStates:
    """See `collab.ports.OfficeStates`. What is put is in the archive first."""

    def __init__(self, states: OfficeStates) -> None:
        self._states = states
        self._recent = _Recent[str, "OfficeState | None"]()

    async def get(self, document: str) -> OfficeState | None:
        """What they know."""
        if document in self._recent.known:
            self._recent.touch(document)
            return self._recent.known[document]
        return await self._recent.ask(document, lambda: self._states.get(document))

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew, if that is so."""
        return await self._recent.change(document, lambda: self._states.put(document, state, before=before)) or state

    async def put_within(self, document: str, *, before: OfficeState, act: Callable[[Within], Awaitable[T]]) -> T:
        """What `act` returns, which puts a state in the place of this one."""

        async def within(stands: list[OfficeState | None]) -> T:
            def noted(put: Within) -> Awaitable[T]:
                def both(state: OfficeState) -> None:
                    put(state)
                    stands.append(state)

                return act(both)

            return await self._states.put_within(document, before=before, act=noted)

        return await self._recent.change_within(document, within)


class RecentLocks:
    """See `collab.ports.Locks`. `clock` gives seconds, as the archive's own clock counts them: what is over there is over here."""

    def __init__(self, locks: Locks, clock: Callable[[], float]) -> None:
        self._locks = locks
        self._clock = clock
        self._recent = _Recent[tuple[str, str], "tuple[float, Lock | None]"]()

    async def acquire(self, document: str, lock: Lock) -> Lock:
        """Take it if it is free, or already this one."""
        return await self._changed(document, lock.name, lambda: self._locks.acquire(document, lock)) or lock

    async def refresh(self, document: str, lock: Lock) -> Lock | None:
        """Longer, if it is this one."""
        return await self._changed(document, lock.name, lambda: self._locks.refresh(document, lock))

    async def replace(self, document: str, lock: Lock, old: str) -> Lock | None:
        """Another id, if it is the old one."""
        return await self._changed(document, lock.name, lambda: self._locks.replace(document, lock, old))

    async def release(self, document: str, name: str, lock: str) -> Lock | None:
        """Free, if it is this one."""
        return await self._changed(document, name, lambda: self._locks.release(document, name, lock))

    async def get(self, document: str, name: str) -> Lock | None:
        """Who holds it. What is over, or nearly, the archive is asked for: it knows the moment."""
        key = document, name
        if key in self._recent.known:
            at, lock = self._recent.known[key]
            past = self._clock() - at
            if lock is None or 0 <= past < lock.seconds - SURE:
                self._recent.touch(key)
                return None if lock is None else Lock(lock.name, lock.id, lock.holder, lock.seconds - past)
        return (await self._recent.ask(key, lambda: self._timed(lambda: self._locks.get(document, name))))[1]

    async def standing(self, name: str) -> Mapping[str, Lock]:
        """All of this name, by document."""
        return await self._locks.standing(name)

    async def _changed(self, document: str, name: str, act: Callable[[], Awaitable[Lock | None]]) -> Lock | None:
        return (await self._recent.change((document, name), lambda: self._timed(act)))[1]

    async def _timed(self, act: Callable[[], Awaitable[Lock | None]]) -> tuple[float, Lock | None]:
        # Before the archive looks at its clock: a lock is never believed longer than it holds.
        at = self._clock()
        return at, await act()
