"""LOCK-3: whatever becomes of the storage's lock, and whoever crashes meanwhile."""

from __future__ import annotations

from collections import Counter

from scale import scale

from sim.locks import Contested, Patient
from sim.virtual import run
from sim.world import schedule

SCHEDULES = scale(14, 4_000)


def test_no_word_is_lost_or_doubled_whoever_has_the_lock_and_when() -> None:
    counts = Counter[str]()
    for seed in range(SCHEDULES):
        try:
            run(_one(seed, counts))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert all(counts[word] for word in ("lost", "seized", "refused")), counts


async def _one(seed: int, counts: Counter[str]) -> None:
    world = await schedule(seed, kind=Contested, peer=Patient)
    assert isinstance(world, Contested)
    counts.update(world.counts)


def test_who_has_heard_of_words_that_only_their_writer_has_is_not_sent_off() -> None:
    """SYNC-4. A schedule that once failed."""
    run(_one(300130, Counter()))
