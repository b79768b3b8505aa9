"""The local file: read when its writer has come to an end, replaced in one step, and never what was not looked at."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collab.errors import Unavailable
from collab.storage import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

REST: Final = 0.2
"""Seconds for which a file must stay as it is to be read."""
BEGUN: Final = 5.0
"""Seconds for an empty file, or one that is the beginning of what was there: its writer may not have come to its end."""
RACY: Final = 2.0
"""A file that changed less than this many seconds ago may change again with the same times."""
LONGEST: Final = 30.0
"""Seconds after which a file that never rests is read as it is."""
_NO_EXCHANGE: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP})
_HIDDEN = re.compile(r"\.(?P<name>.*)\.collab-\d+-\d+(?P<new>\.new)?", re.DOTALL)


@dataclass(slots=True)
class Displaced:
    """The file that was replaced, under a hidden name: a program that still has it open may write into it."""

    path: Path
    body: bytes
    """What it holds, as far as that was dealt with."""

    def late(self) -> bytes | None:
        """What was written into it since."""
        with suppress(OSError):
            now = self.path.read_bytes()
            if now != self.body:
                return now
        return None

    def drop(self) -> None:
        """It is not needed any more."""
        self.path.unlink(missing_ok=True)


class LocalFile:
    """A file of this machine; links are followed. `sleep` waits some seconds, `clock` is monotonic. OSError as the disk says."""

    def __init__(self, path: Path, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = Path(os.path.realpath(path))
        self._sleep = sleep
        self._clock = clock
        self._number = 0

    def read(self) -> bytes | None:
        """What it holds now; None when there is none."""
        try:
            with self.path.open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unavailable(f"{self.path} is no file")
                return file.read()
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            raise Unavailable(f"{self.path} is a folder") from None

    def stamp(self) -> tuple[int, ...] | None:
        """As long as it stays the same, so does what the file holds; None when that is not sure."""
        try:
            seen = self.path.stat()
        except OSError:
            return None
        young = time.time() - max(seen.st_mtime, seen.st_ctime) < RACY
        return None if young else (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)

    def rested(self, known: bytes) -> bytes | None:
        """What it holds when it rests; `known`: what it held when it was looked at last."""
        body = self.read()
        if body == known:
            return body
        since = began = self._clock()
        while True:
            self._sleep(REST / 2)
            now = self.read()
            if now != body:
                body, since = now, self._clock()
            begun = body is None or (len(body) < len(known) and known.startswith(body))
            if self._clock() - since >= (BEGUN if begun else REST) or self._clock() - began >= LONGEST:
                return body

    def create(self, body: bytes) -> bool:
        """A new file; False when there is one."""
        new = self._make(body, None)
        try:
            os.link(new, self.path)
        except FileExistsError:
            return False
        finally:
            new.unlink()
        self._sync()
        return True

    def replace(self, body: bytes, expected: bytes) -> Displaced | None:
        """Put `body` in the place of `expected`; None, and nothing is changed, when something else is there."""
        if self.read() != expected:
            return None
        new = self._make(body, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            displaced = self._exchange(folder, new)
            if displaced.body != expected:
                self._take_back(folder, displaced, body)
                return None
            os.fsync(folder)
        finally:
            os.close(folder)
        return displaced

    def _exchange(self, folder: int, new: Path) -> Displaced:
        try:
            kernel.exchange(folder, os.fsencode(new.name), os.fsencode(self.path.name))
        except FileNotFoundError:
            new.unlink()
            return Displaced(new, b"\0 it is gone")
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                new.unlink()
                raise
        else:
            return Displaced(new, new.read_bytes())
        # A second name first: what the rename replaces is not lost by it.
        aside = self._hidden()
        os.link(self.path, aside)
        new.replace(self.path)
        return Displaced(aside, aside.read_bytes())

    def _take_back(self, folder: int, displaced: Displaced, body: bytes) -> None:
        """Somebody wrote in between: that stands where it was, unless something newer does by now; then it is kept beside."""
        if not displaced.path.exists():
            return
        with suppress(OSError):
            kernel.exchange(folder, os.fsencode(displaced.path.name), os.fsencode(self.path.name))
            if displaced.path.read_bytes() == body:
                displaced.drop()
                return
            kernel.exchange(folder, os.fsencode(displaced.path.name), os.fsencode(self.path.name))
        self.keep_beside(displaced.body, time.time())
        displaced.drop()

    def keep_beside(self, body: bytes, now: float) -> Path:
        """A copy under a name that says what it is, or the one that is there with the same bytes."""
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H.%M")
        number = 0
        while True:
            number += 1
            more = f" {number}" if number > 1 else ""
            copy = LocalFile(self.path.with_name(f"{self.path.stem} (conflict {stamp}{more}){self.path.suffix}"))
            if copy.create(body) or copy.read() == body:
                return copy.path

    def leftovers(self) -> list[Displaced]:
        """What a crash left beside the file."""
        found = []
        for path in sorted(self.path.parent.iterdir()):
            match = _HIDDEN.fullmatch(path.name)
            if match is None or match["name"] != self.path.name:
                continue
            if match["new"]:
                path.unlink(missing_ok=True)
            else:
                found.append(Displaced(path, path.read_bytes()))
        return found

    def _hidden(self) -> Path:
        self._number += 1
        return self.path.with_name(f".{self.path.name}.collab-{os.getpid()}-{self._number}")

    def _make(self, body: bytes, like: Path | None) -> Path:
        """A whole and durable file beside it."""
        hidden = self._hidden()
        new = hidden.with_name(hidden.name + ".new")
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666 if like is None else 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode
            file.write(body)
            file.flush()
            if like is not None:
                os.fchmod(descriptor, stat.S_IMODE(like.stat().st_mode) & 0o777)
            os.fsync(descriptor)
        new.replace(hidden)
        return hidden

    def _sync(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
