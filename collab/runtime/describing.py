"""What is said about documents, and everybody who has one open is told of a change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collab.about import About, Change
    from collab.ports import Metadata, Stat
    from collab.runtime.rooms import Rooms


class Describing:
    """Errors are those of `Metadata`."""

    def __init__(self, rooms: Rooms, metadata: Metadata) -> None:
        self._rooms = rooms
        self._metadata = metadata

    async def get(self, stat: Stat) -> About:
        """What is said about the document."""
        return await self._metadata.get(stat.id)

    async def put(self, stat: Stat, change: Change, *, before: About | None) -> About:
        """Say this from now on; the pages of its room show it."""
        about = await self._metadata.put(stat.id, change, before=before)
        host = self._rooms.live(stat.id)
        if host is not None:
            host.tell("about", tags=about.tags, description=about.description)
        return about

    async def of(self, stats: Sequence[Stat]) -> Mapping[str, About]:
        """What is said about these; nothing where that cannot be known just now."""
        try:
            return await self._metadata.of(stats)
        except CollabError:
            return {}
