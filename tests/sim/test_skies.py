"""CS3-4, CS3-9, CS3-11, CS3-12, CS3-13: a room is edited for ten minutes, and its cloud is slow, away and back again: the file is what everybody sees."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from scale import scale

from sim.skies import Skies
from sim.virtual import run
from sim.world import schedule

if TYPE_CHECKING:
    import pytest

SCHEDULES = scale(1, 300)
MINUTES = 10


def test_the_file_is_the_room_and_no_word_is_lost_or_doubled_however_the_cloud_is(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counter[str]()
    for seed in range(SCHEDULES):
        jitter = random.Random(seed).random
        monkeypatch.setattr("collab.gateway.calls.random", jitter)
        monkeypatch.setattr("collab.storage.cs3.locks.random", jitter)
        try:
            run(_one(seed, counts))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert all(counts[word] for word in ("mood", "restart", "outage", "outside", "noticed", "saves", "crashes", "came again")), counts


async def _one(seed: int, counts: Counter[str]) -> None:
    world = await schedule(seed, 60.0 * MINUTES, kind=Skies)
    assert isinstance(world, Skies)
    counts.update(world.counts)
