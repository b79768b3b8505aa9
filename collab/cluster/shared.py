"""What one node has of a Redis that several share: its claims and its journal, tied together."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from collab.cluster.redis import RedisPlacement
from collab.errors import CollabError, Fenced
from collab.journal.redis import RedisJournal
from collab.redis.server import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from collab.ports import Checkpoints, Refillable

log = logging.getLogger("collab.cluster")

AT_ONCE = 8
"""Logs that are refilled at a time: all of them may be gone."""
AGAIN = (0.1, 10.0)
"""Seconds between tries to look at a log, or to refill one, doubling, and at most."""


async def _nobody(_document: str, _journal: Refillable) -> bool:
    return False


class Shared:
    """A node on the Redis at `url`; name, incarnation, address, heartbeat and prefix as in `RedisPlacement`.

    `refill(document, journal)` writes what is known of a document into its new log, False when nobody knows it here.
    """

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        url: str,
        checkpoints: Checkpoints,
        *,
        name: str,
        incarnation: str,
        address: str,
        heartbeat: float,
        prefix: str,
    ) -> None:
        self._server = Server(url)
        self.placement = RedisPlacement(
            self._server, name=name, incarnation=incarnation, address=address, heartbeat=heartbeat, prefix=prefix
        )
        self.journal = RedisJournal(self._server, checkpoints, self.placement.fence, prefix=prefix)
        self.refill: Callable[[str, Refillable], Awaitable[bool]] = _nobody
        self.weakness: str | None = None
        """Why what Redis has acknowledged may be gone after a crash, in words, or None."""
        self.journal.fenced, self.journal.forgotten = self.placement.lose, self.placement.forget
        self.placement.forgotten, self.placement.restarted = self._forgotten, self._restarted
        self._server.given_up = self._given_up
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored just now, in words, or None."""
        return self.journal.trouble or self.placement.trouble

    async def start(self) -> None:
        """Be one of the nodes. Unavailable when Redis does not answer."""
        await self._ask()
        await self.placement.start()

    def hasten(self) -> None:
        """The node ends: a Redis that answers nobody is waited for a few seconds only (see `Server.hasten`)."""
        self._server.hasten()

    def _given_up(self) -> None:
        log.error(
            "Redis answers nobody, and the server stops: what was not acknowledged is not stored, and files are saved at the next start"
        )
        self.journal.give_up()

    async def close(self) -> None:
        """Everything that waits is sent, then others may have what was here. Raises nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.journal.close()
        await self.placement.close()
        await self._server.close()

    async def _ask(self) -> None:
        weakness = await self._server.weakness()
        if weakness != self.weakness and weakness is not None:
            log.warning("what people write is received, not stored, until it is in the file: %s", weakness)
        self.weakness = weakness

    def _restarted(self) -> None:
        log.warning("Redis was restarted or replaced: does it have what it had acknowledged?")
        self._spawn(self._look_again())

    async def _look_again(self) -> None:
        pause, most = AGAIN
        while True:
            try:
                await self.journal.check()
                await self._ask()
            except CollabError as error:
                log.warning("what Redis has is not known yet: %s", error.detail)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
            else:
                return

    def _forgotten(self, document: str) -> None:
        log.error("Redis has forgotten %s, or what was appended to it", document)
        self.journal.suspend(document)
        self._spawn(self._refill(document))

    async def _refill(self, document: str) -> None:
        pause, most = AGAIN
        while True:
            try:
                async with self._turns:
                    await self._refill_now(document)
            except Fenced:
                self.journal.abandon(document)
            except CollabError as error:
                log.warning("%s waits for its new log: %s", document, error.detail)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
                continue
            return

    async def _refill_now(self, document: str) -> None:
        place = await self.placement.claim(document)
        if place.node == self.placement.node and await self.refill(document, self.journal):
            log.warning("%s was written into a new log", document)
        else:
            self.journal.abandon(document)
            await self.placement.release(document)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
