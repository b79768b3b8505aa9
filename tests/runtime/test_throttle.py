"""How often somebody may guess (SIGN-3)."""

from __future__ import annotations

import pytest

from collab.runtime.throttle import KEYS, Throttle, Waiting, caller


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def throttle(clock: Clock, free: int = 3) -> Throttle:
    return Throttle(clock, free=free, first=1.0, most=8.0, forget=100.0)


def test_a_few_guesses_are_free_and_then_each_waits_longer_up_to_a_bound() -> None:
    """SIGN-3."""
    clock = Clock()
    tries = throttle(clock)
    for _ in range(3):
        tries.take("ann")
    waits = []
    for _ in range(6):
        with pytest.raises(Waiting) as refused:
            tries.take("ann")
        waits.append(refused.value.seconds)
        clock.time += refused.value.seconds
        tries.take("ann")
    assert waits == [1, 2, 4, 8, 8, 8]


def test_who_waits_is_not_made_to_wait_longer_by_asking() -> None:
    """SIGN-3."""
    clock = Clock()
    tries = throttle(clock)
    for _ in range(3):
        tries.take("ann")
    for _ in range(50):
        with pytest.raises(Waiting, match="wait 1 s"):
            tries.take("ann")
    clock.time += 1
    tries.take("ann")


def test_a_right_guess_and_a_quiet_time_make_all_as_new() -> None:
    """SIGN-3."""
    clock = Clock()
    tries = throttle(clock)
    for _ in range(3):
        tries.take("ann")
    tries.clear("ann")
    for _ in range(3):
        tries.take("ann")
    with pytest.raises(Waiting):
        tries.take("ann")
    clock.time += 100
    for _ in range(3):
        tries.take("ann")


def test_keys_are_apart_and_not_without_end() -> None:
    """SIGN-3."""
    clock = Clock()
    tries = throttle(clock, free=1)
    tries.take("ann")
    for number in range(KEYS):
        tries.take(f"somebody {number}")
    tries.take("ann")
    assert len(tries._tries) == KEYS


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:9::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_network_is_one_caller(address: str, word: str) -> None:
    """SIGN-3."""
    assert caller(address) == word
