"""What the archive says by key, remembered until it counts a change."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from collab.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

T = TypeVar("T")

log = logging.getLogger("collab.runtime")

FRESH: Final = 1.0
"""Seconds for which what is known needs no look at the counter."""


class Counted(Generic[T]):
    """`changes` gives a number that grows with every change, on whichever node; `fetch` what there is for these keys; both raise `Unavailable`. What was
    known before the last change counts while the archive is away. `most` keys are remembered; `clock` gives monotonic seconds; `what` is for the log.
    """

    def __init__(
        self,
        changes: Callable[[], Awaitable[int]],
        fetch: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]],
        *,
        clock: Callable[[], float],
        most: int,
        what: str,
    ) -> None:
        self._count = changes
        self._fetch = fetch
        self._clock = clock
        self._most = most
        self._what = what
        self._known: dict[str, T] = {}
        self._stale: dict[str, T] = {}
        self._changes = -1
        self._looked = float("-inf")
        self._look: asyncio.Task[None] | None = None
        self._forgotten = self._begun = 0
        """How often something was changed here, and how often when the last look began."""

    @property
    def known(self) -> Iterable[T]:
        """All that is remembered now."""
        return self._known.values()

    async def get(self, keys: Collection[str]) -> dict[str, T]:
        """What there is for these, by key. Unavailable."""
        await self._refresh()
        unknown = [key for key in keys if key not in self._known]
        known = {key: self._known[key] for key in keys if key in self._known}
        return {**known, **await self._fetched(unknown)} if unknown else known

    def renew(self, key: str, before: T, value: T) -> None:
        """What is remembered of this key, if it is still what it was `before`, is this now: a change that is not counted."""
        if self._known.get(key) is before:
            self._known[key] = value

    def forget(self) -> None:
        """Something was changed here just now: a look that is under way may have missed it."""
        self._looked = float("-inf")
        self._forgotten += 1

    async def changed(self) -> int:
        """The number of changes, as far as it can be known now."""
        self.forget()
        await self._refresh()
        return self._changes

    async def _refresh(self) -> None:
        """Look at the counter, once for all who ask at the same time."""
        if self._fresh():
            return
        if self._look is not None and self._begun != self._forgotten:
            await asyncio.shield(self._look)
            if self._fresh():
                return
        if self._look is None:
            self._look = asyncio.ensure_future(self._compare())
        await asyncio.shield(self._look)

    def _fresh(self) -> bool:
        return self._clock() - self._looked < FRESH

    async def _compare(self) -> None:
        forgotten = self._begun = self._forgotten
        try:
            begun = self._clock()
            changes = await self._count()
            if changes != self._changes:
                self._changes = changes
                self._stale = {**self._stale, **self._known} if len(self._stale) < self._most else self._known
                self._known = {}
            if forgotten == self._forgotten:
                self._looked = begun
        except Unavailable as error:
            log.info("nobody can say %s just now: %s", self._what, error.detail)
            self._looked = self._clock()
        finally:
            self._look = None

    async def _fetched(self, keys: Sequence[str]) -> Mapping[str, T]:
        changes = self._changes
        try:
            found = await self._fetch(keys)
        except Unavailable:
            if any(key not in self._stale for key in keys):
                raise
            return {key: self._stale[key] for key in keys}
        for key in keys:
            self._stale.pop(key, None)
        if changes == self._changes:
            if len(self._known) >= self._most:
                self._known.clear()
            self._known.update(found)
        return found
