"""What office suites know and keep, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from collab.errors import Changed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.archive.memory import Disk, MemoryArchive
    from collab.ports import OfficeState, Within

T = TypeVar("T")


class MemoryOfficeStates:
    """The port `OfficeStates`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def get(self, document: str) -> OfficeState | None:
        """What they know."""
        return self._archive.disk.office.get(document)

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew, if that is so."""

        def act(disk: Disk) -> OfficeState:
            if disk.office.get(document) == before:
                disk.office[document] = state
            return disk.office.get(document, state)

        return await self._archive.change("office", act)

    async def put_within(self, document: str, *, before: OfficeState, act: Callable[[Within], Awaitable[T]]) -> T:
        """What `act` returns, which puts a state in the place of this one."""

        def put(state: OfficeState) -> None:
            if self._archive.disk.office.get(document) != before:
                raise Changed("the document was saved by somebody else at the same moment")
            self._archive.disk.office[document] = state

        return await act(put)


class MemoryUserInfos:
    """The port `UserInfos`."""

    def __init__(self, archive: MemoryArchive) -> None:
        self._archive = archive

    async def put(self, person: str, info: str) -> None:
        """Replaces what was kept."""

        def act(disk: Disk) -> None:
            disk.infos[person] = info

        await self._archive.change("info", act)

    async def get(self, person: str) -> str:
        """What was put last."""
        return self._archive.disk.infos.get(person, "")

    async def forget(self, person: str) -> None:
        """Nothing is kept any more."""
        await self._archive.change("forget info", lambda disk: disk.infos.pop(person, None))
