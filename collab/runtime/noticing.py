"""The rooms look at their files when somebody else may have changed them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Collection

    from collab.ports import Watch
    from collab.runtime.metrics import Metrics
    from collab.runtime.rooms import Rooms

log = logging.getLogger("collab.runtime")

POLL = 5.0
"""Seconds between looks at the files of all open rooms, while nobody tells what changes."""
AGAIN = 60.0
"""Seconds until the watch is tried again."""


class Noticing:
    """Hands what the watch tells to the rooms."""

    def __init__(self, watch: Watch, rooms: Rooms, metrics: Metrics) -> None:
        self._watch = watch
        self._rooms = rooms
        self._metrics = metrics

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async for paths in self._watch.notices():
                    self._notice(paths)
            except CollabError as error:
                self._metrics.failed("watch")
                log.warning("%s; until then the files of open documents are looked at every %g s", error.detail, POLL)
                await self._poll()

    def _notice(self, paths: Collection[str]) -> None:
        for host in self._rooms.hosts:
            path = host.stat.path
            # A folder that was moved or deleted is told itself, not what was in it.
            if path in paths or any(path.startswith(f"{folder}/") for folder in paths):
                self._rooms.noticed(host.id)

    async def _poll(self) -> None:
        for _ in range(int(AGAIN // POLL)):
            for host in self._rooms.hosts:
                self._rooms.noticed(host.id)
            await asyncio.sleep(POLL)
