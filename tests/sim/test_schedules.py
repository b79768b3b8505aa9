"""Many peers, cuts, crashes between every two steps, and outside writers, from fixed seeds (SYNC-9, SAVE-3, ID-6, ID-7, JOURNAL-8, PROC-7)."""

from __future__ import annotations

from collections import Counter

import pytest
from scale import scale

from sim.notebooks import study
from sim.peers import Restorations, Traffic
from sim.virtual import run
from sim.world import World, schedule

SCHEDULES = scale(80, 10_000)
GROUPS = 20
DOORS = scale(14, 4_000)
NOTEBOOKS = scale(8, 2_000)


@pytest.mark.parametrize("group", range(GROUPS))
def test_replicas_and_file_are_equal_nothing_is_lost_and_nothing_is_doubled_whatever_crashes_when(group: int) -> None:
    for seed in range(group, SCHEDULES, GROUPS):
        try:
            run(_one(seed))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error


async def _one(seed: int) -> World:
    return await schedule(seed)


@pytest.mark.parametrize("seed", [374, 651, 663, 922, 1999, 2944, 3121, 3768, 4532, 4773, 5827, 6375, 6569, 8137, 9466])
def test_a_crash_after_a_crash_before_a_save_is_noted_doubles_nothing(seed: int) -> None:
    """SAVE-3, FILE-7: what a save displaced is the proof that it was made, until its end is noted. Schedules that once failed."""
    run(_one(seed))


def test_the_same_holds_for_a_notebook_whose_cells_are_typed_into_rewritten_and_moved() -> None:
    """NOTEBOOK-3, NOTEBOOK-5."""
    for seed in range(NOTEBOOKS):
        try:
            run(_study(seed))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("seed", [300002, 300493])
def test_who_has_heard_of_words_that_only_their_writer_has_is_not_sent_off(seed: int) -> None:
    """SYNC-4. Schedules that once failed."""
    run(_study(seed))


@pytest.mark.parametrize("seed", [300080, 300427, 300592, 300600, 400017])
def test_a_crash_before_copies_of_a_cell_are_one_again_loses_no_word_and_doubles_none(seed: int) -> None:
    """NOTEBOOK-6. Schedules that once failed."""
    run(_study(seed))


async def _study(seed: int) -> World:
    return await study(seed)


@pytest.mark.parametrize("kind", [Traffic, Restorations])
def test_the_same_holds_for_scripts_that_come_back_files_that_are_deleted_and_put_back_and_versions_that_are_restored(
    kind: type[Traffic],
) -> None:
    """MERGE-7, MERGE-9, FILE-8, HISTORY-3."""
    counts = Counter[str]()
    for seed in range(DOORS):
        try:
            run(_busy(seed, kind, counts))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert all(counts[word] for word in counts if kind is Restorations or word not in {"restored", "taken back"}), counts


async def _busy(seed: int, kind: type[Traffic], counts: Counter[str]) -> None:
    world = await schedule(seed, kind=kind)
    assert isinstance(world, Traffic)
    counts.update(world.counts)
