"""Versions that the archive could not take when they were made. The journal still tells of them, and when the archive is back it is told too."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from collab.editions import printed, untold
from collab.errors import CollabError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from collab.ports import Bases, Journal, Log, Version, Versions

log = logging.getLogger("collab.runtime")

PAUSE = (1.0, 30.0)
"""Seconds between tries, doubling, and at most."""
AT_ONCE = 16
"""Versions that are made anew at a time."""


class Backlog:
    """The documents of which the archive does not know everything. `thread` does long work; `back` is called when something is owed no more."""

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        journal: Journal,
        bases: Bases,
        versions: Versions,
        *,
        thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]],
        back: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._bases = bases
        self._versions = versions
        self._thread = thread
        self._spawn = spawn
        self._back = back
        self._owed: dict[str, int] = {}
        """With how often there was something more to tell."""
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        """So many documents wait."""
        return len(self._owed)

    def __contains__(self, document: str) -> bool:
        """Whether the archive lacks something of this document."""
        return document in self._owed

    def owe(self, document: str) -> None:
        """The archive may lack something that the journal tells of this document."""
        self._owed[document] = self._owed.get(document, 0) + 1
        if self._task is None and not self._closed:
            self._task = self._spawn(self._run())

    def close(self) -> None:
        """No more tries. What is still owed is told when the document is opened next."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        pause, most = PAUSE
        try:
            while self._owed:
                refused: CollabError | None = None
                told = False
                for document, times in tuple(self._owed.items()):
                    try:
                        await self._tell(document)
                    except CollabError as error:
                        # The next one may be taken all the same.
                        refused = error
                        continue
                    if self._owed.get(document) == times:
                        del self._owed[document]
                        told = True
                if told:
                    self._back()
                if refused is not None:
                    log.warning("%d documents wait for the archive: %s", len(self._owed), refused.detail)
                # What is owed again at once, since it is something else that does not answer, waits as well.
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
        finally:
            self._task = None

    async def _tell(self, document: str) -> None:
        newest = await self._versions.list(document, limit=1)
        known = await self._journal.load(document)
        missing = untold(known, newest[0] if newest else None)
        for start in range(0, len(missing), AT_ONCE):
            made: list[tuple[Version, bytes | None]] = await self._thread(partial(printed, known, missing[start : start + AT_ONCE]))
            for version, body in made:
                if body is None:
                    log.warning("%s: version %d can't be made anew, and is missing from the history", document, version.number)
                else:
                    await self._versions.add(document, version, body)
        if missing and _empty(await self._journal.load(document)):
            # It went for good meanwhile.
            await self._bases.forget(document)


def _empty(known: Log) -> bool:
    return known.checkpoint is None and not known.records
