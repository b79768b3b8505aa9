"""How much memory what is open takes, and what leaves first when that is too much: what nobody uses, the longest unused first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

LOOKED_AT = 64
"""Unused ones that are looked at in one go, since some may have to stay."""


class Keeping(Generic[T]):
    """`most`: bytes from which on what rests has to leave."""

    def __init__(self, most: int) -> None:
        self.bytes = 0
        """Of everything that is open."""
        self._most = most
        self._sizes: dict[T, int] = {}
        self._resting: dict[T, None] = {}

    def note(self, one: T, size: int) -> None:
        """It is open and takes about so many bytes."""
        self.bytes += size - self._sizes.get(one, 0)
        self._sizes[one] = size

    def rest(self, one: T) -> None:
        """Nobody uses it from now on."""
        self._resting.pop(one, None)
        self._resting[one] = None

    def wake(self, one: T) -> None:
        """Somebody uses it, or it was told to leave."""
        self._resting.pop(one, None)

    def forget(self, one: T) -> None:
        """It is not open any more."""
        self.wake(one)
        self.bytes -= self._sizes.pop(one, 0)

    def over(self) -> Iterator[T]:
        """What should leave, in order: as much as it takes, were all of it to leave."""
        left = self.bytes
        for one in tuple(self._first()) if left > self._most else ():
            if left <= self._most:
                return
            left -= self._sizes[one]
            yield one

    def _first(self) -> Iterator[T]:
        for _, one in zip(range(LOOKED_AT), self._resting, strict=False):
            yield one
