"""A lock file by which the processes of one server take turns."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collab.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 5.0
"""Seconds after which a process that was stopped in its turn is not waited for."""
STEP = 0.005
"""Seconds between looks while somebody is waited for with patience."""


class Turn:
    """The lock file at `path`, for any thread; one thread does not take it twice."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()

    @contextmanager
    def held(self, *, alone: bool = True) -> Iterator[None]:
        """Beside nobody, or (not `alone`) beside others who are not. Unavailable when somebody does not come to an end."""
        descriptor = self._descriptor()
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        self._lock(descriptor, how)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _descriptor(self) -> int:
        descriptor: int | None = getattr(self._own, "descriptor", None)
        if descriptor is None:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise Unavailable(f"{error.strerror}: {self._path}") from error
            self._own.descriptor = descriptor
        return descriptor

    def _lock(self, descriptor: int, how: int) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Unavailable(f"another process of the server does not come to an end: {self._path.name}") from None
                time.sleep(STEP)
            else:
                return
