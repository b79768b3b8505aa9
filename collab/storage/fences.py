"""Fencing numbers of documents beside their files: who holds an older one than the last that wrote, writes nothing (CASES: a paused saver).

Storages know no fencing numbers, so several nodes that write into one folder keep them here. The number is compared, and the file exchanged,
while one lock is held: a node that was stopped in between holds up the others for a while, and nobody writes over anybody.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from collab.errors import Fenced, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 5.0
"""Seconds to wait for a node that is writing the same file."""
STEP = 0.01
"""Seconds between looks."""


class Fences:
    """The numbers in a folder that all nodes share, one small file each. `fence` tells ours, None for a document that is not ours."""

    def __init__(self, folder: Path, fence: Callable[[str], int | None], *, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._fence = fence
        self._patience = patience
        folder.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def hold(self, document: str) -> Iterator[None]:
        """Nobody else writes this document meanwhile. Fenced: somebody with a greater number has, or it is not ours. Unavailable."""
        mine = self._fence(document)
        if mine is None:
            raise _moved(document)
        with self._held(document, mine):
            yield

    @contextmanager
    def hold_ours(self, document: str) -> Iterator[None]:
        """As `hold`, of what is ours as far as we know: who moves or deletes a file needs no room. What is nobody's is held by nobody."""
        mine = self._fence(document)
        with nullcontext() if mine is None else self._held(document, mine):
            yield

    def take(self, document: str, mine: int) -> None:
        """From now on nobody with a smaller number writes; who is writing has come to its end. To be done before the file is looked at: else a save
        that was under way would look like another program's. Fenced, Unavailable.
        """
        with self._held(document, mine):
            pass

    @contextmanager
    def _held(self, document: str, mine: int) -> Iterator[None]:
        with ExitStack() as held:
            try:
                descriptor = os.open(self._path(document), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                held.callback(os.close, descriptor)
                self._lock(descriptor)
                self._compare(descriptor, document, mine)
            except OSError as error:
                raise Unavailable(f"{error.strerror}: the fencing number of {document}") from error
            yield

    def standing(self, document: str) -> int:
        """The greatest number that wrote, 0 when there is none. Unavailable."""
        try:
            return int(self._path(document).read_bytes() or b"0")
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise Unavailable(f"{error.strerror}: the fencing number of {document}") from error

    def forget(self, document: str) -> None:
        """The document is gone for good."""
        with suppress(OSError):
            self._path(document).unlink(missing_ok=True)

    def _path(self, document: str) -> Path:
        return self._folder / document.partition(":")[2]

    def _lock(self, descriptor: int) -> None:
        end = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Unavailable("another server is writing this file and does not come to its end; trying again") from None
                time.sleep(STEP)
            else:
                return

    @staticmethod
    def _compare(descriptor: int, document: str, mine: int) -> None:
        """The number that stands, and from now on ours: written before the file is."""
        held = os.pread(descriptor, 32, 0).strip()
        if held and int(held) > mine:
            raise _moved(document)
        if not held or int(held) < mine:
            os.pwrite(descriptor, b"%-31d\n" % mine, 0)
            os.fsync(descriptor)


def _moved(document: str) -> Fenced:
    return Fenced(f"The document is open on another server by now ({document}); come back in a moment.")
