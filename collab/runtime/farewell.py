"""The last save before nobody is left in whose name a document could be saved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.runtime.rooms import Rooms

BEFORE: Final = 90.0
"""Seconds before the end from which on everything is saved at once."""
EVERY: Final = 5.0
"""Seconds between two looks."""


class Farewell:
    """`ends` tells when the last sign-in ends in whose name a document can be saved (UTC seconds, None: that is over); `now` gives UTC seconds."""

    def __init__(self, rooms: Rooms, ends: Callable[[str], Awaitable[float | None]], now: Callable[[], float]) -> None:
        self._rooms = rooms
        self._ends = ends
        self._now = now

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Save what has to be saved now. Raises nothing."""
        for host in [host for host in self._rooms.hosts if host.file.word == "pending"]:
            try:
                end = await self._ends(host.id)
            except CollabError:
                continue
            if end is not None and end - self._now() < BEFORE:
                await self._rooms.flush([host.id])
