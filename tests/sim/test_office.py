"""Office suites, browsers, programs, previews, crashes and lost answers on one text: WOPI-16, WOPI-17, WOPI-19, WOPI-20."""

from __future__ import annotations

from collections import Counter

import pytest
from scale import scale

from sim.office import ByToken, Offices
from sim.virtual import run
from sim.world import schedule

SCHEDULES = scale(24, 4_000)
GROUPS = 4
TRIED = scale(4, 40)


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_word_of_suites_browsers_and_programs_is_there_once_whichever_token_saves_and_whatever_crashes_when(group: int) -> None:
    counts = Counter[str]()
    for seed in range(group, SCHEDULES, GROUPS):
        try:
            run(_one(seed, counts))
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert all(counts[each] for each in counts if each != "expired"), counts


async def _one(seed: int, counts: Counter[str]) -> None:
    world = await schedule(seed, kind=Offices)
    assert isinstance(world, Offices)
    counts.update(world.counts)


def test_with_the_base_kept_by_token_words_are_lost_and_doubled() -> None:
    """Else the test above would not notice it."""
    missed = Counter[str]()
    for seed in range(TRIED):
        run(_tried(seed, missed))
    assert missed["words"] > missed["wrong"] > missed["words"] // 20, missed


async def _tried(seed: int, missed: Counter[str]) -> None:
    world = await schedule(seed, kind=ByToken)
    assert isinstance(world, ByToken)
    wrong, words = world.missed()
    missed.update(wrong=wrong, words=words)
