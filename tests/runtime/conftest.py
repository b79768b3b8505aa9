"""Tests of the runtime run in virtual time: a minute passes at once, and is the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runtime.stage import Stage
from sim.virtual import VirtualLoop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator, Callable


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    for path in ("notes.md", "other.md"):
        made.files.poke(path, b"one\n")
    await made.start()
    yield made
    await made.end()
