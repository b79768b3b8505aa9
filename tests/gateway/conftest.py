"""A cloud of the tests, and what speaks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collab.gateway.calls import Gateway
from collab.gateway.transfers import Transfers
from gateway import Cloud, CloudGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cloud(clock: Clock) -> AsyncIterator[CloudGateway]:
    made = Cloud(clock=clock)
    made.add_user("ann")
    made.add_user("bob")
    made.put("ann", "work/a.md", b"one")
    async with CloudGateway(made) as gateway:
        yield gateway


@pytest.fixture
async def gateway(cloud: CloudGateway, clock: Clock) -> AsyncIterator[Gateway]:
    async with Gateway(cloud.target, clock=clock, timer=clock) as made:
        yield made


@pytest.fixture
async def transfers() -> AsyncIterator[Transfers]:
    made = Transfers()
    yield made
    await made.close()
