"""Who may ask, when thousands want to: in turn, for as long as somebody is answered."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """So many (`count`) at a time. When nobody was answered for `patience` seconds, whoever waits then is told so."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = count
        self._patience = patience
        self._queue: deque[asyncio.Future[None]] = deque()
        self._heard = 0.0
        """The last answer, or when somebody began to wait behind nobody, in the loop's seconds."""
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Wait for a turn, which has to be given back. TimeoutError: nobody is answered."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._queue.append(mine)
        if self._timer is None:
            # One for all of them: thousands of timers would hold up what they wait for.
            self._heard = loop.time()
            self._timer = loop.call_later(self._patience, self._look)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled() and mine.exception() is None:
                self.give(answered=False)
            raise

    def give(self, *, answered: bool) -> None:
        """A turn is over."""
        if answered:
            self._heard = asyncio.get_running_loop().time()
        while self._queue:
            following = self._queue.popleft()
            if not following.done():
                following.set_result(None)
                return
        self._free += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        end = self._heard + self._patience
        if loop.time() < end:
            self._timer = loop.call_at(end, self._look)
            return
        self._timer = None
        queue, self._queue = self._queue, deque()
        for each in queue:
            if not each.done():
                each.set_exception(TimeoutError(f"it has answered nobody for {self._patience:.0f} s"))
