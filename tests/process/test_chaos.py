"""NODES-2, NODES-8, REDIS-1, REDIS-2, REDIS-3, REDIS-4, REDIS-5, REDIS-7: three servers, a real Redis and a real PostgreSQL, and whatever breaks, by seeds."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest
from chaos import Chaos, chaos
from cloud_chaos import OWN, cloud_chaos
from postgres import Postgres, postgres
from redis_server import running
from scale import scale

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from interop.conftest import Peers

__all__ = ["postgres"]

DISTURBANCES = (
    Chaos.a_node_is_killed_and_others_go_on,
    Chaos.a_node_is_paused_until_others_have_its_documents,
    Chaos.redis_is_killed,
    Chaos.redis_forgets_everything,
    Chaos.a_client_ends,
    Chaos.wires_are_cut,
    Chaos.a_node_does_not_reach_redis,
    Chaos.postgresql_restarts,
    Chaos.nobody_reaches_redis,
    Chaos.redis_is_silent,
    Chaos.wires_break_in_the_middle_of_what_is_said,
    Chaos.a_node_is_killed_and_starts_at_once,
    Chaos.connections_to_redis_break,
    Chaos.a_node_does_not_reach_postgresql,
    Chaos.redis_and_a_node_are_killed,
    Chaos.two_nodes_are_killed,
    Chaos.postgresql_is_silent,
    Chaos.a_node_is_reached_by_no_other,
    Chaos.a_wire_is_silent,
    Chaos.a_node_is_restarted,
)


CASES = [("folder", seed) for seed in range(1, 1 + scale(1, 10))] + [("cloud", seed) for seed in range(1, 1 + scale(0, 3))]
"""Where the files are; a cloud at full scale."""


@pytest.mark.parametrize(("files", "seed"), CASES)
async def test_whatever_breaks_nothing_acknowledged_is_lost_nothing_is_doubled_and_all_become_equal(
    tmp_path: Path, postgres: Postgres, peers: Peers, files: str, seed: int
) -> None:
    chance = random.Random(seed)
    disturbances: tuple[Callable[[Any], Awaitable[None]], ...] = DISTURBANCES if files == "folder" else (*DISTURBANCES, *OWN)
    with running() as redis:
        async with (chaos if files == "folder" else cloud_chaos)(tmp_path, redis, postgres, peers, chance) as world:
            for _ in range(scale(1, 3)):
                for disturbance in chance.sample(disturbances, len(disturbances)):
                    print(time.strftime("%X"), disturbance.__name__)
                    await world.acknowledged(3)
                    await disturbance(world)
            await world.come_to_rest()
            given = world.claims()
            written = world.written() if files == "folder" else {}
    assert {claim: nodes for claim, nodes in given.items() if len(nodes) > 1} == {}
    # A cloud's own lock bears the number.
    assert files == "cloud" or {(document, fence) for document, fence in written.items()} <= set(given)
