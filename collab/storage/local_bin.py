"""The bin of this machine's folder (`Bin`): `.collab-bin/<key>/` at its root holds what was deleted, under its own name, beside a hidden note.

One rename moves a thing in or out, so it is in its place or here at any time, whole, with what a save displaced beside it.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Denied, Exists, Malformed, NotFound, Unavailable
from collab.storage.bin import Note, contained, described, home, reclaimed, returned
from collab.storage.folder import listed, open_file, parted, sync
from collab.storage.local import matches
from collab.storage.paths import BIN, check_lengths, is_key, split_new
from collab.storage.refusals import GONE, explained

if TYPE_CHECKING:
    from collab.ports import Binned, Stat
    from collab.storage.local import Disk, LocalFiles
    from collab.storage.names import Place

log = logging.getLogger("collab.storage")

NOTE: Final = b".entry.json"
UNFINISHED: Final = NOTE + b".new"
PURGED: Final = ".purged"
"""What is behind the key of a folder that is being removed for good."""


class LocalBin:
    """See `collab.ports.Bin`. Steps: `noted`, `binned`, `shifted`; `made`, `restored`, `shifted`, `cleared`; `purged`, `erased`."""

    def __init__(self, files: LocalFiles) -> None:
        self._files = files

    async def discard(self, name: str, *, if_match: str | None, by: str, now: float) -> Binned:
        """Move a file or a folder into the bin."""
        return await self._files.work_at(name, lambda disk, place: _discard(disk, place, if_match, by, now))

    async def entries(self) -> list[Binned]:
        """What is there, newest first."""
        found = await self._files.work(_entries)
        return sorted(found, key=lambda entry: (-entry.deleted, entry.key))

    async def restore(self, key: str, path: str | None) -> Stat:
        """Back to its place or another."""
        to = None if path is None else b"/".join(split_new(path))
        restored = await self._files.work(lambda disk: _restore(disk, key, to), alone=True)
        return await self._files.stat(restored.decode())

    async def purge(self, key: str) -> list[str]:
        """Gone for good."""
        gone = await self._files.work(lambda disk: _purge(disk, key), alone=True)
        await self._files.work(lambda disk: _destroy(disk, key))
        for document in gone:
            self._files.forget(document)
        return gone

    async def forget(self, name: str) -> None:
        """Nobody is told any more to have deleted what somebody of this name did."""
        await self._files.work(lambda disk: _forget(disk, name), alone=True)

    async def mend(self) -> list[str]:
        """Finish what a crash cut off."""
        return await self._files.work(_mend, alone=True)


# Into the bin


def _discard(disk: Disk, place: Place, if_match: str | None, by: str, now: float) -> Binned:
    sight = place.sight
    if not sight.path:
        raise Malformed("the root cannot be deleted")
    if not sight.folder:
        disk.exchange.check(sight.path, lambda: if_match is None or matches(disk.folder, sight.path, if_match))
    names = disk.places.names
    key = names.fresh_id()[3:]
    note = Note(sight.path.decode(), now, by, contained(names, sight, place.id))
    _check_device(disk, sight.path)
    try:
        _make_home(disk, key)
        _write_note(disk, key, note)
        disk.step("noted")
        _rename(disk, sight.path, note.place(key), note, folder=sight.folder)
    except CollabError:
        _clear(disk, key)
        raise
    disk.step("binned")
    disk.note(lambda names: names.restate(note.places(key)))
    if sight.folder:
        disk.note(lambda names: names.folders.carry(sight.path, note.place(key)))
    disk.step("shifted")
    return described(key, note, sight)


def _rename(disk: Disk, path: bytes, to: bytes, note: Note, *, folder: bool) -> None:
    if folder:
        disk.exchange.move_folder(path, to)
    else:
        disk.exchange.move(path, to, note.documents.get("", "")[3:11])


def _check_device(disk: Disk, path: bytes) -> None:
    """A rename stays on its file system."""
    with disk.folder.around(path) as (place, name), disk.folder.inside(b"") as root:
        if os.stat(name, dir_fd=place, follow_symlinks=False).st_dev != os.fstat(root).st_dev:
            raise Denied(f"this is on another file system than the bin, so only who keeps the files can delete it: {path.decode()}")


def _make_home(disk: Disk, key: str) -> None:
    """A folder for the key, durable."""
    with explained(BIN), disk.folder.inside(b"") as root:
        with suppress(FileExistsError):
            # What is in it had permissions of its own where it was: here nobody else comes in.
            os.mkdir(BIN, 0o700, dir_fd=root)
            sync(root)
        if not stat.S_ISDIR(os.stat(BIN, dir_fd=root, follow_symlinks=False).st_mode):
            raise Unavailable(f"nothing can be deleted: {BIN.decode()} in the root is no folder")
    with explained(BIN), disk.folder.inside(BIN) as bin_place:
        os.mkdir(key.encode(), 0o700, dir_fd=bin_place)
        sync(bin_place)


def _write_note(disk: Disk, key: str, note: Note) -> None:
    """The note of a key, over the one that was there; durable."""
    with explained(BIN), disk.folder.inside(home(key)) as place:
        descriptor = os.open(UNFINISHED, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=place)
        with os.fdopen(descriptor, "wb") as file:
            file.write(note.encode())
            file.flush()
            os.fsync(descriptor)
        os.rename(UNFINISHED, NOTE, src_dir_fd=place, dst_dir_fd=place)
        sync(place)


# In the bin


def _keys(disk: Disk) -> list[str]:
    """The names in the bin, in no order."""
    try:
        with disk.folder.inside(BIN) as place:
            return [os.fsdecode(entry.name) for entry in listed(place) if entry.folder]
    except OSError as error:
        if error.errno in GONE:
            return []
        with explained(BIN):
            raise


def _note_of(disk: Disk, key: str) -> Note | None:
    """What is known of the key, None where there is no note that can be read."""
    try:
        with disk.folder.inside(home(key)) as place, os.fdopen(open_file(place, NOTE), "rb") as file:
            return Note.decode(file.read())
    except (OSError, Malformed):
        return None


def _entry(disk: Disk, key: str) -> tuple[Note, Binned] | None:
    note = _note_of(disk, key) if is_key(key) else None
    sight = disk.folder.look(note.place(key)) if note is not None else None
    return (note, described(key, note, sight)) if note is not None and sight is not None else None


def _known(disk: Disk, key: str) -> tuple[Note, Binned]:
    known = _entry(disk, key)
    if known is None:
        raise NotFound(f"there is nothing of this key in the bin: {key}")
    return known


def _entries(disk: Disk) -> list[Binned]:
    return [known[1] for known in (_entry(disk, key) for key in _keys(disk)) if known is not None]


def _forget(disk: Disk, name: str) -> None:
    for key in filter(is_key, _keys(disk)):
        note = _note_of(disk, key)
        if note is not None and note.by == name:
            _write_note(disk, key, replace(note, by=""))


# Out of the bin


def _restore(disk: Disk, key: str, to: bytes | None) -> bytes:
    note, entry = _known(disk, key)
    target = b"/".join(split_new(note.path)) if to is None else to
    disk.note(lambda names: names.restate(reclaimed(names, key, note, disk.folder.look)))
    check_lengths((row.path for row in disk.places.names.below(note.place(key))), note.place(key), target)
    if disk.folder.look(target) is not None:
        raise Exists(f"there is something of this name: {target.decode()}")
    _make_around(disk, target)
    _write_note(disk, key, replace(note, to=target.decode()))
    disk.step("made")
    try:
        _rename(disk, note.place(key), target, note, folder=entry.folder)
    except CollabError:
        _write_note(disk, key, note)
        raise
    disk.step("restored")
    disk.note(lambda names: names.shift(note.place(key), target))
    disk.step("shifted")
    _clear(disk, key)
    disk.step("cleared")
    return target


def _make_around(disk: Disk, path: bytes) -> None:
    parent = parted(path)[0]
    if parent and disk.folder.look(parent) is None:
        _make_around(disk, parent)
        disk.exchange.make(parent)


def _clear(disk: Disk, key: str) -> None:
    """The key's folder without the thing goes; what else is in it stays, and is seen to by `mend`."""
    with suppress(OSError), disk.folder.inside(BIN) as place:
        with disk.folder.inside(home(key)) as own:
            for name in (UNFINISHED, NOTE):
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=own)
        os.rmdir(key.encode(), dir_fd=place)
        sync(place)


def _purge(disk: Disk, key: str) -> list[str]:
    _known(disk, key)
    names = disk.places.names
    gone = [row.id for row in names.below(home(key)) if disk.places.present(row.path)]
    with explained(BIN), disk.folder.inside(BIN) as place:
        os.rename(key, key + PURGED, src_dir_fd=place, dst_dir_fd=place)
        sync(place)
    disk.step("purged")
    disk.note(lambda names: names.erase(gone))
    disk.note(lambda names: names.folders.drop(home(key)))
    disk.step("erased")
    return gone


def _destroy(disk: Disk, key: str) -> None:
    with explained(BIN), disk.folder.inside(BIN) as place:
        shutil.rmtree(key + PURGED, dir_fd=place)


# After a crash


def _mend(disk: Disk) -> list[str]:
    gone: list[str] = []
    for name in sorted(_keys(disk)):
        try:
            if name.endswith(PURGED):
                gone += _mend_purged(disk, name.removesuffix(PURGED))
            elif is_key(name):
                _mend_entry(disk, name)
        except CollabError as error:
            log.warning("something in the bin could not be seen to: %s", error.detail)
    return gone


def _mend_purged(disk: Disk, key: str) -> list[str]:
    gone = [row.id for row in disk.places.names.below(home(key))]
    disk.places.names.erase(gone)
    disk.places.names.folders.drop(home(key))
    _destroy(disk, key)
    return gone


def _mend_entry(disk: Disk, key: str) -> None:
    note = _note_of(disk, key)
    if note is None:
        with explained(BIN), disk.folder.inside(home(key)) as place:
            alone = {entry.name for entry in listed(place)} <= {NOTE, UNFINISHED}
        # Half a note, or none, and nothing moved yet. Anything else was not left so by us, and stays.
        if alone:
            _clear(disk, key)
    elif disk.folder.look(note.place(key)) is not None:
        disk.places.names.restate(reclaimed(disk.places.names, key, note, disk.folder.look))
    else:
        disk.places.names.restate(returned(disk.places.names, key, note, disk.folder.look))
        parent = parted((note.to or note.path).encode())[0]
        if disk.folder.look(parent) is not None:
            disk.exchange.take_back(home(key), parent)
        _clear(disk, key)


__all__ = ["NOTE", "PURGED", "LocalBin"]
