"""Refused clients that come back at once are slowed down: their socket is held open, longer each time."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

FIRST = 5.0
"""Seconds that the first refused socket is held."""
LONGEST = 60.0
FORGIVEN = 300.0
"""After so many seconds without a refusal it starts anew."""
REMEMBERED = 10_000
HELD = 200
"""Sockets held at once; more are refused by HTTP 429."""


class Refusals:
    """Who was refused how often; `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float], first: float = FIRST) -> None:
        self._clock = clock
        self._first = first
        self._times: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._held: set[asyncio.TimerHandle] = set()

    @property
    def held(self) -> int:
        """Sockets held now."""
        return len(self._held)

    @property
    def full(self) -> bool:
        """No more sockets are held."""
        return len(self._held) >= HELD

    def delay(self, key: str) -> float:
        """How long this one is held: 5 s, doubling to 60 s; one refusal more is counted."""
        now = self._clock()
        times, last = self._times.pop(key, (0, now))
        if now - last > FORGIVEN:
            times = 0
        self._times[key] = (times + 1, now)
        while len(self._times) > REMEMBERED:
            self._times.popitem(last=False)
        return min(self._first * float(1 << min(times, 30)), LONGEST)

    def hold(self, loop: asyncio.AbstractEventLoop, seconds: float, release: Callable[[], None]) -> asyncio.TimerHandle | None:
        """Call `release` later; at once when too many are held."""
        if self.full:
            release()
            return None

        def let_go() -> None:
            self._held.discard(handle)
            release()

        handle = loop.call_later(seconds, let_go)
        self._held.add(handle)
        return handle

    def forget(self, handle: asyncio.TimerHandle) -> None:
        """The socket that is held is gone."""
        handle.cancel()
        self._held.discard(handle)

    def release_all(self) -> None:
        """The server stops."""
        for handle in self._held:
            handle.cancel()
        self._held.clear()
