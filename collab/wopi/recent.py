"""What office suites know of documents, asked of the archive once: for a server that is alone with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collab.ports import OfficeState, OfficeStates

REMEMBERED: Final = 4096
"""Documents; who was asked for least lately is forgotten."""


class RecentStates:
    """See `collab.ports.OfficeStates`. What is put is in the archive first."""

    def __init__(self, states: OfficeStates) -> None:
        self._states = states
        self._known: dict[str, OfficeState | None] = {}
        self._unsure: set[str] = set()
        """Documents of which the archive may still be taking something that nobody waits for any more."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, document: str) -> OfficeState | None:
        """What they know."""
        if document in self._known:
            self._known[document] = known = self._known.pop(document)
            return known
        async with self._turns.setdefault(document, asyncio.Lock()):
            found = await self._states.get(document)
            if document not in self._unsure:
                self._remember(document, found)
            return found

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew, if that is so."""
        async with self._turns.setdefault(document, asyncio.Lock()):
            self._known.pop(document, None)
            self._unsure.add(document)
            stands = await self._states.put(document, state, before=before)
            self._unsure.discard(document)
            self._remember(document, stands)
            return stands

    def _remember(self, document: str, state: OfficeState | None) -> None:
        self._known.pop(document, None)
        self._known[document] = state
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
