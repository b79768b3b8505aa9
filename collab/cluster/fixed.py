"""Where documents live among the workers of one machine: their number and a hash say so, for good (`collab serve --workers`)."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.ports import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def worker_of(document: str, count: int) -> int:
    """The worker of a document, by the highest of one hash for each (rendezvous hashing): with one worker more only its share moves."""
    return max(range(count), key=lambda index: sha256(f"{index} {document}".encode()).digest())


class FixedPlacement:
    """The port `Placement` for worker `index` of `count`; `address` tells where each is reached. A worker that is gone comes back by itself, and
    nobody takes its place meanwhile.
    """

    def __init__(self, index: int, count: int, address: Callable[[int], str]) -> None:
        self.node = _name(index)
        self._index = index
        self._count = count
        self._address = address
        self._worker_of = lru_cache(maxsize=65_536)(lambda document: worker_of(document, count))

    async def claim(self, document: str) -> Place:
        """Where the room lives."""
        index = self._worker_of(document)
        return Place(_name(index), self._address(index), 0)

    async def release(self, document: str) -> None:
        """It stays where it is."""

    async def others(self) -> dict[str, str]:
        """The other workers."""
        return {_name(index): self._address(index) for index in range(self._count) if index != self._index}

    async def lost(self) -> AsyncIterator[str]:
        """Nothing ever is."""
        await asyncio.Event().wait()
        yield ""

    async def orphaned(self) -> AsyncIterator[frozenset[str]]:
        """A worker that comes back looks after its own."""
        await asyncio.Event().wait()
        yield frozenset()


def _name(index: int) -> str:
    return f"worker-{index}"
