"""The write of a file that loses nothing: a whole file is made beside it, the names change places, then what was displaced is looked at.

Between a check and a rename somebody else may write; so the file that we replace is kept under a hidden name until its words are merged.
An unfinished hidden file ends in `.new` and is never taken for a displaced one.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from collab.errors import Changed, CollabError, Denied, NotFound
from collab.storage import kernel
from collab.storage.folder import file_writable, folder_writable, joined, listed, open_file, parted, seen, sync
from collab.storage.paths import mark_of, temporary, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.storage.folder import Folder
    from collab.storage.names import Sight

ABANDONED: Final = 3600.0
"""Seconds after which an unfinished hidden file belongs to nobody."""

_NO_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP})
"""What file systems and kernels answer that have no renameat2, or not its flags."""
_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")


class Aside:
    """A body that a write displaced, under a hidden name of its folder."""

    def __init__(self, path: bytes, body: bytes) -> None:
        self.path = path
        self.body = body


class Exchange:
    """Writes in a folder. `exchange(place, one, other)` swaps two names; `step` is called between the steps of a write, with a word."""

    def __init__(
        self,
        folder: Folder,
        *,
        exchange: Callable[[int, bytes, bytes], None] = kernel.exchange,
        step: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._swap = exchange
        self._step = step
        self._clock = clock
        self._numbers = itertools.count(1)
        self._making: set[bytes] = set()
        self._held: WeakValueDictionary[tuple[str, int], Aside] = WeakValueDictionary()

    def replace(self, path: bytes, mark: str, body: bytes, matches: Callable[[], bool]) -> tuple[Sight, Aside]:
        """Put `body` in the place of the file; `matches` says at the last moment whether it is still the expected one, else `Changed`.

        `mark`: the first 8 letters of the document's id. Durable on return; what was displaced is there until `discard`.
        """
        with self._folder.around(path) as (place, name):
            self._allow(place, name)
            hidden = self._hidden(place, name, mark)
            try:
                self._make(place, hidden, body, like=name)
                self._step("named")
                if not matches():
                    raise Changed(f"the file was changed by somebody else: {path.decode()}")
                self._step("checked")
                made = seen(place, hidden, path, os.stat(hidden, dir_fd=place, follow_symlinks=False))
                aside = self._exchange(place, hidden, name, mark)
            except (OSError, CollabError):
                _remove(place, hidden)
                raise
            self._step("exchanged")
            sync(place)
            self._step("synced")
            return made, self._aside(place, path, aside)

    def create(self, path: bytes, mark: str, body: bytes) -> None:
        """A new file, whole and durable. Raises `Exists` when there is something of that name."""
        with self._folder.around(path) as (place, name):
            _allow_in(place, path)
            hidden = self._hidden(place, name, mark)
            try:
                self._make(place, hidden, body, like=None)
                self._step("named")
                _rename_new(place, hidden, place, name)
            except (OSError, CollabError):
                _remove(place, hidden)
                raise
            self._step("created")
            sync(place)

    def make(self, path: bytes) -> None:
        """A new folder, durable. Raises `Exists`, `Denied`."""
        with self._folder.around(path) as (place, name):
            _allow_in(place, path)
            os.mkdir(name, dir_fd=place)
            sync(place)

    def move(self, path: bytes, to: bytes, mark: str) -> None:
        """Rename to a free path; hidden files of the document go along. Raises `Exists`, `Denied`."""
        with self._folder.around(path) as (place, name), self._folder.around(to) as (to_place, to_name):
            _allow_in(place, path)
            _allow_in(to_place, to)
            _rename_new(place, name, to_place, to_name)
            if parted(path)[0] != parted(to)[0]:
                self._take_along(place, to_place, parted(to)[0], mark)
                sync(to_place)
            sync(place)

    def move_folder(self, path: bytes, to: bytes) -> None:
        """Rename a folder, with all in it, to a free path that is not inside it. Raises `Exists`, `Denied`."""
        with self._folder.around(path) as (place, name), self._folder.around(to) as (to_place, to_name):
            _allow_in(place, path)
            _allow_in(to_place, to)
            if not stat.S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
                raise NotFound(f"this is no folder: {path.decode()}")
            _rename_new_folder(place, name, to_place, to_name)
            for aside in self._held.values():
                if within(aside.path, path):
                    aside.path = to + aside.path[len(path) :]
            sync(to_place)
            sync(place)

    def take_back(self, path: bytes, to: bytes) -> None:
        """Displaced bodies in a folder, of whatever document, go to another folder."""
        with self._folder.around(joined(path, b"x")) as (place, _), self._folder.around(joined(to, b"x")) as (to_place, _):
            self._take_along(place, to_place, to, None)
            sync(to_place)

    def check(self, path: bytes, matches: Callable[[], bool]) -> None:
        """Whether the file may be removed: `Denied` when not, `Changed` unless it `matches`."""
        with self._folder.around(path) as (place, name):
            self._allow(place, name)
            if not matches():
                raise Changed(f"the file was changed by somebody else: {path.decode()}")

    def delete(self, path: bytes, matches: Callable[[], bool]) -> None:
        """Remove the file if it `matches`, else `Changed`."""
        self.check(path, matches)
        with self._folder.around(path) as (place, name):
            os.unlink(name, dir_fd=place)
            sync(place)

    def leftovers(self, path: bytes, mark: str, limit: int) -> tuple[Aside, ...]:
        """Displaced bodies of the document that nobody in this process holds; those over `limit` bytes stay where they are, unread.

        Unfinished hidden files that nobody is writing are removed on the way.
        """
        found = []
        parent = parted(path)[0]
        with self._folder.around(path) as (place, _):
            for entry in sorted(listed(place)):
                known = mark_of(entry.name)
                if known is not None and known[2]:
                    self._sweep(place, entry.name)
                elif known is not None and known[0] == mark and known[:2] not in self._held:
                    with suppress(OSError):
                        found.append(_read_aside(place, entry.name, joined(parent, entry.name), limit))
        return tuple(aside for aside in found if aside is not None)

    def reread(self, aside: Aside) -> bytes | None:
        """Other bytes than the last time, if a writer still had the displaced file open; None also when it cannot be read."""
        with suppress(OSError, CollabError), self._folder.around(aside.path) as (place, name):
            now = _read_aside(place, name, aside.path, None)
            if now is not None and now.body != aside.body:
                aside.body = now.body
                return now.body
        return None

    def discard(self, aside: Aside) -> None:
        """Remove the displaced file. Idempotent; where it fails, the file is a leftover that is merged again."""
        self.leave(aside)
        with suppress(OSError, CollabError), self._folder.around(aside.path) as (place, name):
            os.unlink(name, dir_fd=place)

    def leave(self, aside: Aside) -> None:
        """It is a leftover from now on."""
        known = mark_of(parted(aside.path)[1])
        if known is not None and self._held.get(known[:2]) is aside:
            del self._held[known[:2]]

    def _allow(self, place: int, name: bytes) -> None:
        info = os.stat(name, dir_fd=place, follow_symlinks=False)
        if not stat.S_ISREG(info.st_mode):
            raise NotFound("this is no file")
        if not folder_writable(place):
            raise Denied("the folder is read-only")
        if not file_writable(place, name, info):
            raise Denied("the file is read-only")

    def _hidden(self, place: int, name: bytes, mark: str) -> bytes:
        """A hidden name that nobody has, a leftover neither."""
        names = (temporary(name, mark, number) for number in self._numbers)
        return next(hidden for hidden in names if _free(place, hidden) and _free(place, hidden + b".new"))

    def _make(self, place: int, hidden: bytes, body: bytes, *, like: bytes | None) -> None:
        """A whole and durable file under the hidden name, with mode, owner and attributes of the file `like`."""
        unfinished = hidden + b".new"
        self._making.add(unfinished)
        mode = 0o666 if like is None else 0o600
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=place)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                view = memoryview(body)
                while view:
                    view = view[file.write(view) or 0 :]
                if like is not None:
                    _resemble(place, like, descriptor)
                self._step("written")
                os.fsync(descriptor)
            os.rename(unfinished, hidden, src_dir_fd=place, dst_dir_fd=place)
        except (OSError, CollabError):
            _remove(place, unfinished)
            raise
        finally:
            self._making.discard(unfinished)

    def _exchange(self, place: int, hidden: bytes, name: bytes, mark: str) -> bytes:
        """The names change places; the hidden name under which the displaced file is now."""
        try:
            self._swap(place, hidden, name)
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                raise
        else:
            if not stat.S_ISREG(os.stat(hidden, dir_fd=place, follow_symlinks=False).st_mode):
                # A folder or a link had taken the place: it goes back.
                self._swap(place, hidden, name)
                raise NotFound("something else is there now")
            return hidden
        # A second name first, so that what the rename replaces is not lost; only what is renamed there in between is.
        aside = self._hidden(place, name, mark)
        os.link(name, aside, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
        try:
            self._step("linked")
            os.rename(hidden, name, src_dir_fd=place, dst_dir_fd=place)
        except OSError:
            _remove(place, aside)
            raise
        return aside

    def _aside(self, place: int, path: bytes, hidden: bytes) -> Aside:
        where = joined(parted(path)[0], hidden)
        aside = _read_aside(place, hidden, where, None) or Aside(where, b"")
        self._hold(aside)
        return aside

    def _hold(self, aside: Aside) -> None:
        known = mark_of(parted(aside.path)[1])
        if known is not None:
            self._held[known[:2]] = aside

    def _take_along(self, place: int, to_place: int, to: bytes, mark: str | None) -> None:
        for entry in listed(place):
            known = mark_of(entry.name)
            if known is not None and mark in {known[0], None} and not known[2]:
                with suppress(OSError):
                    _rename_new(place, entry.name, to_place, entry.name)
                    held = self._held.get(known[:2])
                    if held is not None:
                        held.path = joined(to, entry.name)

    def _sweep(self, place: int, name: bytes) -> None:
        with suppress(OSError):
            age = self._clock() - os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime
            if name not in self._making and age > ABANDONED:
                os.unlink(name, dir_fd=place)


def _read_aside(place: int, name: bytes, path: bytes, limit: int | None) -> Aside | None:
    descriptor = open_file(place, name)
    with os.fdopen(descriptor, "rb") as file:
        too_large = limit is not None and os.fstat(descriptor).st_size > limit
        return None if too_large else Aside(path, file.read())


def _resemble(place: int, like: bytes, descriptor: int) -> None:
    """Mode, owner and attributes of the file that is replaced, as far as we may."""
    old = open_file(place, like)
    try:
        info = os.fstat(old)
        mode = stat.S_IMODE(info.st_mode) & 0o777
        mine = os.fstat(descriptor)
        if (info.st_uid, info.st_gid) != (mine.st_uid, mine.st_gid) and not _owned(descriptor, info):
            # In another group the group's permissions would be those of strangers.
            mode &= 0o707
        os.fchmod(descriptor, mode)
        for name in os.listxattr(old):
            if name.startswith(_KEPT_ATTRIBUTES):
                os.setxattr(descriptor, name, os.getxattr(old, name))
    except OSError as error:
        # A file system without attributes, or one that keeps them to itself: the text is what counts.
        if error.errno not in {errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.ENODATA}:
            raise
    finally:
        os.close(old)


def _owned(descriptor: int, info: os.stat_result) -> bool:
    """Whether the file got the old group (and the owner too, if we may)."""
    for owner in (info.st_uid, -1):
        try:
            os.fchown(descriptor, owner, info.st_gid)
        except PermissionError:
            continue
        return True
    return False


def _rename_new(place: int, name: bytes, to_place: int, to_name: bytes) -> None:
    """Rename to a free name, also where the file system cannot say so in one call. Raises FileExistsError."""
    try:
        kernel.rename_new(place, name, to_place, to_name)
    except OSError as error:
        if error.errno not in _NO_EXCHANGE:
            raise
        os.link(name, to_name, src_dir_fd=place, dst_dir_fd=to_place, follow_symlinks=False)
        os.unlink(name, dir_fd=place)


def _rename_new_folder(place: int, name: bytes, to_place: int, to_name: bytes) -> None:
    """As `_rename_new`; a folder has no second name, so a look before must do: what is replaced then is an empty folder at most."""
    try:
        kernel.rename_new(place, name, to_place, to_name)
    except OSError as error:
        if error.errno not in _NO_EXCHANGE:
            raise
        if not _free(to_place, to_name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(name, to_name, src_dir_fd=place, dst_dir_fd=to_place)


def _allow_in(place: int, path: bytes) -> None:
    """`Denied` when names may not be made or removed in the folder that holds `path`."""
    if not folder_writable(place):
        raise Denied(f"the folder is read-only: {parted(path)[0].decode() or 'the root'}")


def _free(place: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def _remove(place: int, name: bytes) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=place)
