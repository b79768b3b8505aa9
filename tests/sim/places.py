"""Where documents live, in memory: one truth that nodes ask, and that learns late who is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from collab.ports import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class Places:
    """The truth."""

    def __init__(self, delay: Callable[[], Awaitable[None]]) -> None:
        self.delay = delay
        self.nodes: dict[str, MemoryPlacement] = {}
        self.owners: dict[str, Place] = {}
        self.fence = 0

    def join(self, node: str) -> MemoryPlacement:
        placement = self.nodes[node] = MemoryPlacement(self, node)
        return placement

    def dead(self, node: str) -> None:
        """Its heart beats no more: what it held is anybody's."""
        self.nodes.pop(node, None)
        orphans = frozenset(document for document, place in self.owners.items() if place.node == node)
        for document in orphans:
            del self.owners[document]
        if orphans:
            for placement in self.nodes.values():
                placement.orphans.put_nowait(orphans)

    def take_away(self, document: str) -> None:
        """As if the heart of its node had stood still for a while: it is told, soon."""
        place = self.owners.pop(document, None)
        if place is not None and place.node in self.nodes:
            self.nodes[place.node].losses.put_nowait(document)

    def fence_of(self, node: str, document: str) -> int:
        """Under which the node has the document; 0: it has not."""
        place = self.owners.get(document)
        return place.fence if place is not None and place.node == node else 0


class MemoryPlacement:
    """See `collab.ports.Placement`."""

    def __init__(self, places: Places, node: str) -> None:
        self.node = node
        self.losses: asyncio.Queue[str] = asyncio.Queue()
        self.orphans: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self._places = places

    async def claim(self, document: str) -> Place:
        places = self._places
        await places.delay()
        place = places.owners.get(document)
        if place is None:
            places.fence += 1
            place = places.owners[document] = Place(self.node, self.node, places.fence)
        await places.delay()
        return place

    async def release(self, document: str) -> None:
        await self._places.delay()
        if self._places.fence_of(self.node, document):
            del self._places.owners[document]
        await self._places.delay()

    async def others(self) -> dict[str, str]:
        await self._places.delay()
        return {node: node for node in self._places.nodes if node != self.node}

    async def lost(self) -> AsyncIterator[str]:
        while True:
            yield await self.losses.get()

    async def orphaned(self) -> AsyncIterator[frozenset[str]]:
        while True:
            yield await self.orphans.get()
