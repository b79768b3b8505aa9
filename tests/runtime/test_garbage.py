"""What Python's collector of garbage looks at, and when (LOAD-1)."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from collab.runtime.garbage import ASIDE, LOOKS, Garbage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Ring:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
async def garbage() -> AsyncIterator[Garbage]:
    made = Garbage(many=0)
    made.begin()
    yield made
    made.end()


async def test_what_outlived_a_look_is_not_looked_at_again_until_nothing_happens(garbage: Garbage) -> None:
    old = Ring()
    held = weakref.ref(old)
    gc.collect(1)
    # It is garbage only now.
    del old
    gc.collect(1)
    gc.collect(1)
    assert held() is not None
    garbage.rest()
    assert held() is None


async def test_what_is_new_and_held_by_nobody_goes_while_something_happens() -> None:
    held = weakref.ref(Ring())
    gc.collect(1)
    assert held() is None


async def test_a_server_that_never_rests_looks_at_everything_when_there_is_twice_as_much() -> None:
    old = Ring()
    held = weakref.ref(old)
    gc.collect(0)
    del old
    grown = [[] for _ in range(2 * gc.get_freeze_count())]  # type: ignore[var-annotated]
    await looks()
    assert held() is None
    assert grown


async def test_what_came_and_went_is_no_reason_to_look_at_everything() -> None:
    old = Ring()
    held = weakref.ref(old)
    gc.collect(0)
    del old
    for _ in range(3):
        grown = [[] for _ in range(2 * gc.get_freeze_count())]  # type: ignore[var-annotated]
        gc.collect(0)
        del grown
    await looks()
    assert held() is not None


async def looks() -> None:
    """So many that what was set aside is counted."""
    for _ in range(ASIDE):
        gc.collect(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_at_its_end_the_collector_is_as_it_was(garbage: Garbage) -> None:
    assert gc.get_threshold() == LOOKS
    garbage.end()
    garbage.end()
    assert gc.get_threshold() != LOOKS
    assert gc.get_freeze_count() == 0
