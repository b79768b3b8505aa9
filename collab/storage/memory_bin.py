"""Folders and bin of the folder in memory (`Folders`, `Bin`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collab.errors import Exists, Malformed, NotFound
from collab.storage.bin import Note, contained, described, home, reclaimed, returned
from collab.storage.paths import check_lengths, split, split_move, split_new, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.ports import Binned, Stat
    from collab.storage.memory import MemoryFiles


class MemoryFolders:
    """See `collab.ports.Folders`."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    async def make(self, path: str) -> Stat:
        """An empty folder."""
        self._files.refuse("make")
        raw = b"/".join(split_new(path))
        self._files.free(raw)
        self._files.disk.make(raw)
        return await self._files.stat(path)

    async def move(self, path: str, to: str) -> Stat:
        """Rename or move a folder with all in it."""
        files = self._files
        files.refuse("move")
        source, target = split_move(path, to)
        async with files.alone():
            if source not in files.disk.folders:
                raise NotFound(f"no such folder: {path}")
            if source != target:
                files.free(target)
                check_lengths((row.path for row in files.places.names.below(source)), source, target)
                files.carry(source, target)
                await files.step("moved")
                files.places.names.shift(source, target)
        return await files.stat(to)

    async def identify(self, paths: Sequence[str]) -> list[str]:
        """The ids of folders."""
        self._files.refuse("stat")
        raw = [b"/".join(split(path)) for path in paths]
        return self._files.places.names.folders.identify(self._files, raw)

    async def find(self, folder: str) -> Stat:
        """The folder with this id."""
        self._files.refuse("stat")
        return await self._files.stat(self._files.places.names.folders.find(self._files, folder).decode())


class MemoryBin:
    """See `collab.ports.Bin`."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files

    async def discard(self, name: str, *, if_match: str | None, by: str, now: float) -> Binned:
        """Move a file or a folder into the bin."""
        async with self._files.alone():
            return await self._discard(name, if_match, by, now)

    async def _discard(self, name: str, if_match: str | None, by: str, now: float) -> Binned:
        files = self._files
        place = await files.resolve("discard", name)
        sight = place.sight
        if not sight.path:
            raise Malformed("the root cannot be deleted")
        if not sight.folder:
            files.allow(files.node(place))
            if if_match is not None:
                files.check(sight.path, if_match)
        names = files.places.names
        key = names.fresh_id()[3:]
        note = Note(sight.path.decode(), now, by, contained(names, sight, place.id))
        files.disk.notes[key] = note
        await files.step("noted")
        files.carry(sight.path, note.place(key))
        await files.step("binned")
        names.restate(note.places(key))
        if sight.folder:
            names.folders.carry(sight.path, note.place(key))
        return described(key, note, sight)

    async def entries(self) -> list[Binned]:
        """What is there, newest first."""
        self._files.refuse("entries")
        found = [entry for entry in map(self._entry, self._files.disk.notes) if entry is not None]
        return sorted(found, key=lambda entry: (-entry.deleted, entry.key))

    async def restore(self, key: str, path: str | None) -> Stat:
        """Back to its place or another."""
        self._files.refuse("restore")
        to = None if path is None else b"/".join(split_new(path))
        async with self._files.alone():
            target = await self._restore(key, to)
        return await self._files.stat(target.decode())

    async def _restore(self, key: str, to: bytes | None) -> bytes:
        files = self._files
        self._known(key)
        note = files.disk.notes[key]
        target = b"/".join(split_new(note.path)) if to is None else to
        names = files.places.names
        names.restate(reclaimed(names, key, note, files.look))
        check_lengths((row.path for row in names.below(note.place(key))), note.place(key), target)
        if files.look(target) is not None:
            raise Exists(f"there is something of this name: {target.decode()}")
        parent = target.rpartition(b"/")[0]
        while parent:
            if parent in files.disk.nodes:
                raise NotFound(f"no such folder: {parent.decode()}")
            files.disk.make(parent)
            parent = parent.rpartition(b"/")[0]
        files.disk.notes[key] = replace(note, to=target.decode())
        await files.step("made")
        files.carry(note.place(key), target)
        await files.step("restored")
        names.shift(note.place(key), target)
        files.disk.notes.pop(key, None)
        return target

    async def purge(self, key: str) -> list[str]:
        """Gone for good."""
        self._files.refuse("purge")
        async with self._files.alone():
            return await self._purge(key)

    async def _purge(self, key: str) -> list[str]:
        files = self._files
        self._known(key)
        names = files.places.names
        gone = [row.id for row in names.below(home(key)) if files.places.present(row.path)]
        disk = files.disk
        disk.nodes = {path: node for path, node in disk.nodes.items() if not within(path, home(key))}
        disk.folders = {path: number for path, number in disk.folders.items() if not within(path, home(key))}
        del disk.notes[key]
        await files.step("purged")
        names.erase(gone)
        names.folders.drop(home(key))
        for document in gone:
            disk.asides.pop(document, None)
        return gone

    async def mend(self) -> list[str]:
        """Finish what a crash cut off."""
        async with self._files.alone():
            self._mend()
        return []

    def _mend(self) -> None:
        names = self._files.places.names
        for key, note in tuple(self._files.disk.notes.items()):
            if self._entry(key) is not None:
                names.restate(reclaimed(names, key, note, self._files.look))
            else:
                names.restate(returned(names, key, note, self._files.look))
                del self._files.disk.notes[key]

    def _entry(self, key: str) -> Binned | None:
        note = self._files.disk.notes.get(key)
        sight = self._files.look(note.place(key)) if note is not None else None
        return described(key, note, sight) if note is not None and sight is not None else None

    def _known(self, key: str) -> Binned:
        entry = self._entry(key)
        if entry is None:
            raise NotFound(f"there is nothing of this key in the bin: {key}")
        return entry
