"""Bodies that were kept beside their documents, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import Rejection


class MemoryRejections:
    """The port `Rejections`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, rejection: Rejection) -> None:
        """One more, or what is known of it now."""

        def act(disk: Disk) -> None:
            disk.rejections[rejection.document, rejection.since] = rejection

        await self._archive.change("rejection", act)

    async def list(self, document: str | None = None, *, limit: int = 200) -> Sequence[Rejection]:
        """The newest first."""
        disk = self._archive.disk
        found = [each for each in disk.rejections.values() if document in {None, each.document}]
        found.sort(key=lambda each: (-each.at, -each.since))
        return [replace(each, writer="") if disk.names.get(each.writer, "") is None else each for each in found[:limit]]
