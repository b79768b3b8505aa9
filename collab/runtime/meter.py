"""How much one connection sends. Who sends too much is read more slowly, and nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.session import Limits

TURN_MESSAGES = 1_000
TURN_BYTES = 256 * 1024
"""What is read of one connection in a turn of the event loop, about: the others are read in between."""
BURST = 10.0
"""Seconds for which twice as much may be sent, at once too."""


class Meter:
    """A token bucket of messages and one of bytes. What is sent is counted by `messages` and `bytes`; `clock` is monotonic seconds."""

    __slots__ = ("_clock", "_levels", "_rates", "_room", "_since", "bytes", "messages")

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.messages = 0
        self.bytes = 0
        self._clock = clock
        self._since = clock()
        self._rates = limits.rate_messages, limits.rate_bytes
        # The largest message that is allowed must not be too much by itself.
        self._room = limits.rate_messages * BURST, max(limits.rate_bytes * BURST, limits.frame)
        self._levels = 0.0, 0.0

    def pause(self) -> float:
        """Seconds for which nothing should be read; 0.0: until the others had their turn."""
        now = self._clock()
        passed, self._since = now - self._since, now
        came = self.messages, self.bytes
        self.messages = self.bytes = 0
        levels = [max(0.0, level - rate * passed) + new for level, rate, new in zip(self._levels, self._rates, came, strict=True)]
        self._levels = levels[0], levels[1]
        return max(0.0, *((level - room) / rate for level, room, rate in zip(levels, self._room, self._rates, strict=True)))
