"""How often somebody may guess: a few times freely, then more and more slowly, and never for good."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import TYPE_CHECKING, Final

from collab.errors import TooMany

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS: Final = 20_000
"""That are remembered; of more, those that were quiet longest are forgotten."""
SITE: Final = 64
"""Bits of an IPv6 address that name one network; a caller may choose the rest freely (RFC 4291, section 2.5.4)."""


class Waiting(TooMany):
    """Too many guesses: the next one counts after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = ceil(seconds)
        super().__init__(f"too many tries: wait {self.seconds} s, then try again")


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last: float = 0.0


class Throttle:
    """Guesses by key. `free` count at once, after each further one the next waits: `first` seconds, doubling up to `most`. After `forget` seconds
    without one, all is as new. `clock` gives monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float], *, free: int, first: float = 1.0, most: float = 60.0, forget: float = 900.0) -> None:
        self._clock = clock
        self._free = free
        self._first, self._most, self._forget = first, most, forget
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def take(self, key: str) -> None:
        """One guess, which counts as a wrong one until `clear` says otherwise, so that many at once are no way around. `Waiting`: not yet."""
        now = self._clock()
        tries = self._tries.get(key)
        if tries is None or now - tries.last >= self._forget:
            tries = _Tries()
        wait = tries.last + self._pause(tries.count) - now
        if tries.count and wait > 0:
            raise Waiting(wait)
        self._tries[key] = _Tries(tries.count + 1, now)
        self._tries.move_to_end(key)
        while len(self._tries) > KEYS:
            self._tries.popitem(last=False)

    def clear(self, key: str) -> None:
        """It was a right one: all is as new."""
        self._tries.pop(key, None)

    def undo(self, key: str) -> None:
        """The last guess was none; those before it still count, so that a right one in between is no way around."""
        tries = self._tries.get(key)
        if tries is not None:
            tries.count -= 1

    def _pause(self, count: int) -> float:
        over = count - self._free
        return 0.0 if over < 0 else min(self._first * 2.0 ** min(over, 30), self._most)


def caller(address: str) -> str:
    """The word that somebody at an address is counted under: the address, of IPv6 the network."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Network((int(ip), SITE), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)
