"""What people say about documents, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.about import About
from collab.errors import Changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collab.about import Change
    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import Stat


class MemoryMetadata:
    """The port `Metadata`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def get(self, document: str) -> About:
        """What is said."""
        return self._archive.disk.about.get(document, About())

    async def put(self, document: str, change: Change, *, before: About | None = None) -> About:
        """Say this from now on."""

        def act(disk: Disk) -> About:
            known = disk.about.get(document, About())
            if before is not None and known != before:
                raise Changed("somebody else has changed tags or description since: read them again")
            said = disk.about[document] = change.of(known)
            return said

        return await self._archive.change("about", act)

    async def of(self, stats: Sequence[Stat]) -> Mapping[str, About]:
        """What is said of these."""
        known = self._archive.disk.about
        return {stat.id: known[stat.id] for stat in stats if known.get(stat.id, About()) != About()}
