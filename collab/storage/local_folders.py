"""The folders of this machine's folder (`Folders`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import NotFound
from collab.storage.local import described
from collab.storage.names import Place
from collab.storage.paths import check_lengths, split, split_move, split_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.ports import Stat
    from collab.storage.local import Disk, LocalFiles


class LocalFolders:
    """See `collab.ports.Folders`."""

    def __init__(self, files: LocalFiles) -> None:
        self._files = files

    async def make(self, path: str) -> Stat:
        """An empty folder."""
        raw = b"/".join(split_new(path))
        await self._files.work(lambda disk: disk.exchange.make(raw))
        return await self._files.stat(path)

    async def move(self, path: str, to: str) -> Stat:
        """Rename or move a folder with all in it."""
        source, target = split_move(path, to)
        if source == target:
            return await self._files.stat(to)
        return await self._files.work(lambda disk: _move(disk, source, target), alone=True)

    async def identify(self, paths: Sequence[str]) -> list[str]:
        """The ids of folders."""
        raw = [b"/".join(split(path)) for path in paths]
        return await self._files.work(lambda disk: disk.places.names.folders.identify(disk.folder, raw))

    async def find(self, folder: str) -> Stat:
        """The folder with this id."""
        path = await self._files.work(lambda disk: disk.places.names.folders.find(disk.folder, folder))
        found = await self._files.stat(path.decode())
        if not found.folder:
            raise NotFound(f"the folder was deleted: {found.path}")
        return found


def _move(disk: Disk, source: bytes, target: bytes) -> Stat:
    check_lengths((row.path for row in disk.places.names.below(source)), source, target)
    disk.exchange.move_folder(source, target)
    disk.step("moved")
    disk.note(lambda names: names.shift(source, target))
    disk.step("shifted")
    # Before anybody else comes: another move may take it away at once, and this one was made all the same.
    sight = disk.folder.look(target)
    if sight is None:
        raise NotFound(f"the folder was moved, and is not there any more: {target.decode()}")
    return described(Place("", sight), "")
