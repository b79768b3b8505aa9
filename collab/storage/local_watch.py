"""Who else changes the folder: the kernel tells, through watchfiles."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from watchfiles import awatch

from collab.errors import Unavailable
from collab.storage.habits import hidden, is_lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from watchfiles import Change

log = logging.getLogger("collab.storage")

TOGETHER = 300
"""Milliseconds for which changes are gathered at most."""
STEP = 50
"""Milliseconds without a change after which they are told."""


class LocalWatch:
    """The port `Watch` for the folder `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def notices(self) -> AsyncIterator[frozenset[str]]:
        """Paths under the root, `/` between parts. Unavailable when the kernel does not tell (any more)."""
        try:
            changes = awatch(
                self._root,
                watch_filter=self._shown,
                debounce=TOGETHER,
                step=STEP,
                recursive=True,
                ignore_permission_denied=True,
                raise_interrupt=False,
            )
            async for found in changes:
                yield frozenset(self._relative(path) for _, path in found)
        except (OSError, RuntimeError) as error:
            raise Unavailable(
                f"{self._root} cannot be watched ({error}): if it has many folders, raise fs.inotify.max_user_watches"
            ) from error

    def _shown(self, change: Change, path: str) -> bool:
        """Hidden names are not served; ours are among them. What applications leave beside their files is told."""
        del change
        *folders, name = (os.fsencode(part) for part in self._relative(path).split("/"))
        return not any(map(hidden, folders)) and (is_lock(name) or not hidden(name))

    def _relative(self, path: str) -> str:
        return path.removeprefix(str(self._root)).lstrip("/")
