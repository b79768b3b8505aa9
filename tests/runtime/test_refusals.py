"""Refused clients that come again at once are slowed down, and few sockets are held for it (WIRE-11)."""

from __future__ import annotations

import asyncio

import pytest
from runtime.stage import passing

from collab.runtime.refusals import FORGIVEN, HELD, REMEMBERED, Refusals


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock) -> Refusals:
    return Refusals(clock)


def test_the_time_doubles_from_5_s_to_60_s(refusals: Refusals) -> None:
    assert [refusals.delay("a") for _ in range(7)] == [5, 10, 20, 40, 60, 60, 60]


def test_each_address_and_token_has_its_own_time(refusals: Refusals) -> None:
    refusals.delay("a")
    refusals.delay("a")
    assert refusals.delay("b") == 5


def test_after_a_while_without_a_refusal_it_starts_anew(refusals: Refusals, clock: Clock) -> None:
    refusals.delay("a")
    clock.now += FORGIVEN
    assert refusals.delay("a") == 10
    clock.now += FORGIVEN + 1
    assert refusals.delay("a") == 5


def test_a_client_that_is_refused_for_years_does_not_overflow(refusals: Refusals) -> None:
    assert {refusals.delay("a") for _ in range(5000)} == {5, 10, 20, 40, 60}


def test_only_so_many_are_remembered(refusals: Refusals) -> None:
    refusals.delay("first")
    for number in range(REMEMBERED):
        refusals.delay(str(number))
    assert refusals.delay("first") == 5
    assert refusals.delay(str(REMEMBERED - 1)) == 10


async def test_only_so_many_are_held_the_others_are_released_at_once(refusals: Refusals) -> None:
    loop = asyncio.get_running_loop()
    released: list[int] = []
    for number in range(HELD + 1):
        refusals.hold(loop, 5.0, lambda number=number: released.append(number))  # type: ignore[misc]
    assert released == [HELD]
    assert refusals.full
    await passing(5.5)
    assert sorted(released) == list(range(HELD + 1))
    assert refusals.held == 0


async def test_who_is_gone_is_held_no_longer(refusals: Refusals) -> None:
    released: list[str] = []
    handle = refusals.hold(asyncio.get_running_loop(), 5.0, lambda: released.append("gone"))
    assert handle is not None
    refusals.forget(handle)
    refusals.forget(handle)
    assert refusals.held == 0
    refusals.hold(asyncio.get_running_loop(), 5.0, lambda: released.append("stopped"))
    refusals.release_all()
    await passing(10)
    assert (refusals.held, released) == (0, [])
