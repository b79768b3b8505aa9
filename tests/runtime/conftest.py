"""Tests of the runtime run in virtual time: a minute passes at once, and is the same each time. Those over the real application have threads, for which
virtual time would not wait.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import Stage
from sim.virtual import VirtualLoop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator, Callable

THREADED = {"test_given.py"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop} if item.path.name in THREADED else {"virtual": VirtualLoop}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    for path in ("notes.md", "other.md"):
        made.files.poke(path, b"one\n")
    await made.start()
    yield made
    await made.end()
