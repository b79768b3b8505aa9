"""Tests of nodes in virtual time, but for those with a real Redis."""

from __future__ import annotations

from asyncio import SelectorEventLoop
from typing import TYPE_CHECKING

import pytest
from cluster.pair import Pair
from runtime.stage import PATH
from sim.virtual import VirtualLoop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator, Callable


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AbstractEventLoop]]:
    return {"real": SelectorEventLoop} if item.path.name == "test_redis.py" else {"virtual": VirtualLoop}


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    await made.start()
    # The room is open where it lives before anybody comes to the other node.
    await made.owner.rooms.open((await made.owner.files.stat(PATH)).id)
    yield made
    await made.stop()
