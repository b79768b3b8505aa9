"""Which resources of a cloud the documents are, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collab.archive.memory import MemoryArchive


class MemoryResources:
    """The port `Resources`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def remember(self, known: Mapping[str, str]) -> None:
        """More of them."""
        await self._archive.change("remember", lambda disk: disk.resources.update(known))

    async def find(self, document: str) -> str | None:
        """The resource of a document."""
        return self._archive.disk.resources.get(document)
