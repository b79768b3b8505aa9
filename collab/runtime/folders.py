"""Folders as REST sees them: whoever edits a document in one that moves goes on under its new path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Folders, Stat
    from collab.runtime.rooms import Rooms


class Tree:
    """Errors are those of `collab.ports.Folders`. `settle` is told of each folder that was moved; it raises nothing."""

    def __init__(self, rooms: Rooms, folders: Folders, settle: Callable[[], Awaitable[None]] | None = None) -> None:
        self._rooms = rooms
        self._folders = folders
        self._settle = settle

    async def make(self, path: str) -> Stat:
        """An empty folder."""
        return await self._folders.make(path)

    async def move(self, path: str, to: str) -> Stat:
        """Rename or move a folder with all in it; ids stay, and people who edit go on."""
        moved = await self._folders.move(path, to)
        self._rooms.relocate(path, moved.path)
        if self._rooms.neighbours is not None:
            await self._rooms.neighbours.relocate(path, moved.path)
        if self._settle is not None:
            await self._settle()
        return moved
