"""The write of a file that loses nothing: a whole file is made beside it, the names change places, then what was displaced is looked at.

Between a check and a rename somebody else may write; so the file that we replace is kept under a hidden name until its words are merged.
An unfinished hidden file ends in `.new` and is never taken for a displaced one.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from collab.errors import Changed, CollabError, Denied, NotFound
from collab.storage import kernel
from collab.storage.folder import file_writable, folder_writable, hashed, joined, listed, open_file, open_seen, parted, sync, which
from collab.storage.paths import mark_of, temporary, within
from collab.storage.unfinished import SUFFIX, Unfinished, abandoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.storage.folder import Folder
    from collab.storage.names import Sight
    from collab.storage.unfinished import Made

_NO_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP})
"""What file systems and kernels answer that have no renameat2, or not its flags."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was the expected one a moment ago. `sure`: it still is, if it is seen the same; else it must be hashed to know."""

    sight: Sight
    etag: str
    sure: bool


class Spot(NamedTuple):
    """Where a file is: the descriptor of its folder, its name there, and its path."""

    place: int
    name: bytes
    path: bytes


class Hidden:
    """A file that a write displaced, under a hidden name of its folder."""

    def __init__(self, path: bytes) -> None:
        self.path = path


class Aside(Hidden):
    """One whose body was read."""

    def __init__(self, path: bytes, body: bytes) -> None:
        super().__init__(path)
        self.body = body


class Unread(Hidden):
    """One that was the expected file when it was displaced, with this size and time of modification."""

    def __init__(self, path: bytes, look: tuple[int, int]) -> None:
        super().__init__(path)
        self.look = look


class Exchange:
    """Writes in a folder. `exchange(place, one, other)` swaps two names; `lock` is `fcntl.flock`; `step` is called between the steps of a write, with
    a word.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        exchange: Callable[[int, bytes, bytes], None] = kernel.exchange,
        lock: Callable[[int, int], None] = fcntl.flock,
        step: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._swap = exchange
        self._lock = lock
        self._step = step
        self._clock = clock
        self._numbers = itertools.count(1)
        self._making: set[bytes] = set()
        self._swept: set[tuple[int, int]] = set()
        self._held: WeakValueDictionary[tuple[str, int], Hidden] = WeakValueDictionary()

    def begin(self, path: bytes, mark: str, *, allowed: bool = False) -> Unfinished:
        """A hidden file for a body that may become this file, or another one in its folder; `mark`: the first 8 letters of the document's id.
        `allowed`: there is a file that may be replaced, as somebody has just seen.
        """
        with self._folder.around(path) as (place, name):
            self._sweep_once(place)
            if allowed:
                return self._begun(place, name, mark, like=name)
            info = _file_at(place, name)
            if info is None:
                _allow_in(place, path)
            else:
                _allow_change(place, name, info)
            return self._begun(place, name, mark, like=None if info is None else name)

    def finish(self, new: Unfinished) -> None:
        """It is whole, and durable on return. Raises OSError."""
        self._step("written")
        new.sync()

    def end(self, new: Unfinished) -> None:
        """Nothing is left of it, unless it became a file. Idempotent."""
        self._making.discard(new.name)
        new.close()

    def replace(
        self, path: bytes, mark: str, body: bytes, matches: Callable[[], Checked | None], placed: Callable[[Sight], None] = lambda _: None
    ) -> tuple[Made, Aside]:
        """Put `body` in the place of the file; `matches` says at the last moment whether it is still the expected one, else `Changed`.

        `placed` is told what stands there as soon as it does. Durable on return; what was displaced is there until `discard`.
        """
        with self._folder.around(path) as (place, name):
            self._allow(place, name)
            new = self._begun(place, name, mark, like=name)
            try:
                new.write(body)
                self.finish(new)
                made, hidden, _ = self._put(Spot(place, name, path), mark, new, matches)
                placed(made.sight)
            finally:
                self.end(new)
            self._step("exchanged")
            sync(place)
            self._step("synced")
            return made, self._aside(place, path, hidden)

    def commit(  # noqa: PLR0913, PLR0917 - as `replace`
        self,
        path: bytes,
        mark: str,
        new: Unfinished,
        matches: Callable[[], Checked | None],
        first: Callable[[Checked], None],
        placed: Callable[[Sight], None] = lambda _: None,
    ) -> tuple[Made, Unread | None]:
        """Put what is whole and durable in the place of the file that `matches`, and of no other: what somebody else wrote at the last moment is
        put back, and `Changed` raised. `first` has the last word. Durable on return; what was displaced is removed, unless somebody may still be
        writing into it.
        """
        with self._folder.around(path) as (place, name):

            def allowed() -> Checked | None:
                checked = matches()
                if checked is not None:
                    if not checked.sight.writable:
                        self._allow(place, name)
                    first(checked)
                return checked

            made, hidden, checked = self._put(Spot(place, name, path), mark, new, allowed)
            placed(made.sight)
            self._step("exchanged")
            descriptor, now = _opened(place, hidden)
            try:
                if now is None or not _expected(place, hidden, (descriptor, now), checked):
                    self._take_back(place, name, hidden, new)
                    raise Changed(f"the file was changed by somebody else at this moment: {path.decode()}")
                new.finished = True
                sync(place)
                self._step("synced")
                return made, self._unread(place, path, (hidden, descriptor), checked)
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def create(self, path: bytes, mark: str, body: bytes) -> Made:
        """A new file, whole and durable. Raises `Exists` when there is something of that name."""
        with self._folder.around(path) as (place, name):
            _allow_in(place, path)
            new = self._begun(place, name, mark, like=None)
            try:
                new.write(body)
                self.finish(new)
                return self.settle(path, new)
            finally:
                self.end(new)

    def settle(self, path: bytes, new: Unfinished) -> Made:
        """What is whole and durable becomes a new file. Raises `Exists`."""
        with self._folder.around(path) as (place, name):
            _allow_in(place, path)
            self._step("named")
            sight = new.sight(new.place, new.name, path)
            _rename_new(new.place, new.name, place, name)
            new.finished = True
            self._step("created")
            sync(place)
            return new.made(sight)

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
            # Who lets one go meanwhile does it on another thread: not to be seen as the dictionary is gone through.
            for held in self._held.valuerefs():
                aside = held()
                if aside is not None and within(aside.path, path):
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

    def check_new(self, path: bytes) -> None:
        """Whether a file may be made there: `NotFound` (the folder), `Denied`."""
        with self._folder.around(path) as (place, _):
            _allow_in(place, path)

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

    def drop(self, unread: Unread) -> bool:
        """Remove it, unless somebody has written into it; whether it stayed, as a leftover. Idempotent."""
        self.leave(unread)
        with suppress(OSError, CollabError), self._folder.around(unread.path) as (place, name):
            if _look(os.stat(name, dir_fd=place, follow_symlinks=False)) != unread.look:
                return True
            os.unlink(name, dir_fd=place)
        return False

    def leave(self, aside: Hidden) -> None:
        """It is a leftover from now on."""
        known = mark_of(parted(aside.path)[1])
        if known is not None and self._held.get(known[:2]) is aside:
            del self._held[known[:2]]

    def _allow(self, place: int, name: bytes) -> None:
        info = os.stat(name, dir_fd=place, follow_symlinks=False)
        if not stat.S_ISREG(info.st_mode):
            raise NotFound("this is no file")
        _allow_change(place, name, info)

    def _hidden(self, place: int, name: bytes, mark: str) -> bytes:
        """A hidden name that nobody has, a leftover neither."""
        names = (temporary(name, mark, number) for number in self._numbers)
        return next(hidden for hidden in names if _free(place, hidden) and _free(place, hidden + SUFFIX))

    def _begun(self, place: int, name: bytes, mark: str, *, like: bytes | None) -> Unfinished:
        """With mode, owner and attributes of the file `like`."""
        while True:
            hidden = temporary(name, mark, next(self._numbers))
            if not _free(place, hidden):
                continue
            self._making.add(hidden + SUFFIX)
            try:
                return Unfinished(place, hidden, like=like, lock=self._lock)
            except OSError as error:
                self._making.discard(hidden + SUFFIX)
                if not isinstance(error, FileExistsError):  # what somebody else has begun
                    raise

    def _put(self, spot: Spot, mark: str, new: Unfinished, matches: Callable[[], Checked | None]) -> tuple[Made, bytes, Checked]:
        """The names change places, if the file `matches`; the hidden name under which the displaced file is now. After an error it is as before."""
        place, name, path = spot
        hidden = new.name.removesuffix(SUFFIX)
        if not _free(place, hidden):  # in another folder than it was begun in
            hidden = self._hidden(place, name, mark)
        new.rename(place, hidden)
        self._step("named")
        try:
            checked = _matched(matches, path)
            self._step("checked")
            sight = new.sight(place, hidden, path, writable=checked.sight.writable or None)
            aside = self._exchange(place, hidden, name, mark)
        except Exception:
            new.back(place, hidden)
            raise
        new.finished = True
        return new.made(sight), aside, checked

    def _take_back(self, place: int, name: bytes, hidden: bytes, new: Unfinished) -> None:
        """The file that was displaced has its name again, and ours is unfinished. Who took the name meanwhile keeps it: then the displaced stays hidden."""
        try:
            self._swap(place, hidden, name)
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                raise
            os.link(name, new.name, src_dir_fd=place, dst_dir_fd=new.place, follow_symlinks=False)
            os.rename(hidden, name, src_dir_fd=place, dst_dir_fd=place)
            new.finished = False
            return
        if new.is_at(place, hidden):
            new.back(place, hidden)
            new.finished = False
        else:
            self._swap(place, hidden, name)

    def _unread(self, place: int, path: bytes, displaced: tuple[bytes, int], checked: Checked) -> Unread | None:
        """Remove what was displaced, or keep it for a while where somebody may have it open for writing. It has a hidden name, and is open."""
        hidden, descriptor = displaced
        look = (checked.sight.size, checked.sight.mtime_ns)
        unread = Unread(joined(parted(path)[0], hidden), look)
        with suppress(OSError):
            if kernel.unwritten(descriptor) and _look(os.fstat(descriptor)) == look:
                os.unlink(hidden, dir_fd=place)
                return None
        self._hold(unread)
        return unread

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

    def _hold(self, aside: Hidden) -> None:
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

    def _sweep_once(self, place: int) -> None:
        """What a crash cut off goes, the first time that something is begun in the folder."""
        info = os.fstat(place)
        if (info.st_dev, info.st_ino) in self._swept:
            return
        self._swept.add((info.st_dev, info.st_ino))
        with suppress(OSError):
            for entry in listed(place):
                known = mark_of(entry.name)
                if known is not None and known[2]:
                    self._sweep(place, entry.name)

    def _sweep(self, place: int, name: bytes) -> None:
        if name in self._making:
            return
        with suppress(OSError, CollabError):
            descriptor = open_file(place, name)
            try:
                if abandoned(descriptor, self._clock(), self._lock):
                    os.unlink(name, dir_fd=place)
            finally:
                os.close(descriptor)


def _opened(place: int, name: bytes) -> tuple[int, os.stat_result | None]:
    """A descriptor of a regular file and how that is, -1 and None when there is none."""
    try:
        return open_seen(place, name)
    except OSError:
        return -1, None


def _expected(place: int, hidden: bytes, displaced: tuple[int, os.stat_result], checked: Checked) -> bool:
    """Whether what was displaced is what was checked."""
    (descriptor, now), then = displaced, checked.sight
    if (which(place, hidden, now), now.st_size, now.st_mtime_ns) != (then.file, then.size, then.mtime_ns):
        return False
    return checked.sure or hashed(descriptor) == checked.etag


def _matched(matches: Callable[[], Checked | None], path: bytes) -> Checked:
    checked = matches()
    if checked is None:
        raise Changed(f"the file was changed by somebody else: {path.decode()}")
    return checked


def _read_aside(place: int, name: bytes, path: bytes, limit: int | None) -> Aside | None:
    descriptor = open_file(place, name)
    with os.fdopen(descriptor, "rb") as file:
        too_large = limit is not None and os.fstat(descriptor).st_size > limit
        return None if too_large else Aside(path, file.read())


def _look(info: os.stat_result) -> tuple[int, int]:
    return info.st_size, info.st_mtime_ns


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


def _allow_change(place: int, name: bytes, info: os.stat_result) -> None:
    if not folder_writable(place):
        raise Denied("the folder is read-only")
    if not file_writable(place, name, info):
        raise Denied("the file is read-only")


def _file_at(place: int, name: bytes) -> os.stat_result | None:
    try:
        info = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return info if stat.S_ISREG(info.st_mode) else None


def _free(place: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def _remove(place: int, name: bytes) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=place)
