"""Sessions of people who came from a cloud, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import CloudSession


class MemoryCloudSessions:
    """The port `CloudSessions`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, session: CloudSession) -> None:
        """A new one, or what is known of it now."""

        def act(disk: Disk) -> None:
            disk.sessions[session.id] = session

        await self._archive.change("session", act)

    async def get(self, session: str) -> CloudSession | None:
        """One of them."""
        return self._archive.disk.sessions.get(session)

    async def of(self, document: str) -> Sequence[CloudSession]:
        """Those that were made for a document, the longest first."""
        found = [each for each in self._archive.disk.sessions.values() if each.document == document]
        return sorted(found, key=lambda each: (-each.until, each.id))[:100]

    async def end(self, session: str) -> None:
        """It is over."""
        await self._drop(lambda each: each.id == session)

    async def forget(self, person: str) -> None:
        """All of a person are over."""
        await self._drop(lambda each: each.person == person)

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased."""
        await self._drop(lambda each: each.until <= now)

    async def _drop(self, over: Callable[[CloudSession], bool]) -> None:
        def act(disk: Disk) -> None:
            disk.sessions = {name: each for name, each in disk.sessions.items() if not over(each)}

        await self._archive.change("session", act)
