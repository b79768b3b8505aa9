"""NODES-1, NODES-2: several nodes, seeded: kills, stops, cuts of wires and of sockets, documents that are taken from their node."""

from __future__ import annotations

from collections import Counter

import pytest
from scale import scale

from sim.cluster import Cluster
from sim.virtual import run
from sim.world import schedule

SCHEDULES = scale(36, 6_000)
GROUPS = 4


@pytest.mark.parametrize("group", range(GROUPS))
def test_replicas_and_file_are_equal_nothing_is_lost_and_nothing_is_doubled_whichever_node_is_gone_when(group: int) -> None:
    counts = Counter[str]()
    for seed in range(group, SCHEDULES, GROUPS):
        try:
            run(_one(seed, counts))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert all(counts.values()), counts


@pytest.mark.parametrize("seed", [300626, 600047, 600436])
def test_no_word_is_doubled_when_a_document_comes_back_to_its_node_in_the_middle_of_a_save(seed: int) -> None:
    """NODES-2. Schedules that once failed."""
    run(_one(seed, Counter()))


async def _one(seed: int, counts: Counter[str]) -> None:
    world = await schedule(seed, kind=Cluster)
    assert isinstance(world, Cluster)
    counts.update(world.counts)
