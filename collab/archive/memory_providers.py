"""What a provider gave for sessions, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import ProviderSession


class MemoryProviderSessions:
    """The port `ProviderSessions`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, session: ProviderSession) -> None:
        """A new one, or what is known of it now."""

        def act(disk: Disk) -> None:
            disk.provider_sessions[session.sign_in] = session

        await self._archive.change("provider session", act)

    async def take(self, now: float, until: float, *, limit: int) -> Sequence[ProviderSession]:
        """Those that are due, for this node alone."""

        def act(disk: Disk) -> list[ProviderSession]:
            due = sorted((each for each in disk.provider_sessions.values() if each.due <= now), key=lambda each: each.due)[:limit]
            for each in due:
                disk.provider_sessions[each.sign_in] = replace(each, due=until)
            return due

        return await self._archive.change("take provider sessions", act)

    async def postpone(self, sign_in: str, due: float) -> None:
        """It is due then."""

        def act(disk: Disk) -> None:
            if sign_in in disk.provider_sessions:
                disk.provider_sessions[sign_in] = replace(disk.provider_sessions[sign_in], due=due)

        await self._archive.change("postpone", act)

    async def end(self, sign_in: str) -> None:
        """It is over."""
        await self._archive.change("end provider session", lambda disk: disk.provider_sessions.pop(sign_in, None))

    async def forget(self, person: str) -> None:
        """All of a person are over."""

        def act(disk: Disk) -> None:
            disk.provider_sessions = {name: each for name, each in disk.provider_sessions.items() if each.person != person}

        await self._archive.change("forget provider sessions", act)
