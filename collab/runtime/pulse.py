"""How long the event loop is held: looked at while something happens. When nothing does, no timer runs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.runtime.metrics import Metrics

STEP = 0.02
"""Seconds between two looks."""
QUIET = 600
"""Looks at which nothing had happened, until they end: what was typed last is saved by then."""


class Pulse:
    """`beat` is called when something begins. A stall is seen two ways: how late a timer came, for which a busy machine is enough, and how much
    processor time the loop's thread used between two looks, which is the server's alone. `used` gives the latter in seconds; `rest` is called when
    nothing happens any more.
    """

    def __init__(
        self, metrics: Metrics, used: Callable[[], float] = time.thread_time, *, quiet: int = QUIET, rest: Callable[[], None] = lambda: None
    ) -> None:
        self._metrics = metrics
        self._most = quiet
        self._used_now = used
        self._rest = rest
        self._timer: asyncio.TimerHandle | None = None
        self._quiet = self._messages = 0
        self._due = self._used = 0.0

    @property
    def resting(self) -> bool:
        """No timer runs."""
        return self._timer is None

    def beat(self) -> None:
        """Something happens: from now on, look."""
        self._quiet = 0
        if self._timer is None:
            self._look_later(asyncio.get_running_loop())

    def stop(self) -> None:
        """No more looks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due, self._used = loop.time() + STEP, self._used_now()
        self._timer = loop.call_later(STEP, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        metrics = self._metrics
        metrics.loop_stall.observe(max(0.0, loop.time() - self._due))
        # Of what was used, up to one step may be many small pieces.
        metrics.loop_held = max(metrics.loop_held, self._used_now() - self._used - STEP)
        if metrics.messages != self._messages:
            self._messages, self._quiet = metrics.messages, 0
        self._quiet += 1
        if self._quiet > self._most:
            self._timer = None
            self._rest()
        else:
            self._look_later(loop)
