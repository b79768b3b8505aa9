"""Which versions stay, at any time (HISTORY-4)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from scripts import steady

from collab.archive.thinning import DAY, HOUR, WEEK, due, surplus
from collab.ports import Version

SPAN = 20 * DAY


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Versions of up to twenty days, in bursts and with pauses, some with names."""
    at, found = 0.0, []
    for number in range(draw(st.integers(0, 30))):
        at += draw(st.sampled_from([1.0, 2.0, 600.0, HOUR, 5 * HOUR, DAY]))
        found.append(Version(number, at, "", 1, "save", name=draw(st.sampled_from(["", "", "", "name"]))))
    return found


@steady
@given(histories(), st.floats(0, SPAN + 30 * DAY))
def test_what_stays_is_all_of_a_day_then_the_last_of_each_hour_then_of_each_day(history: list[Version], now: float) -> None:
    """HISTORY-4."""
    gone = {version.number for version in surplus(history, now)}
    for version in history:
        age = now - version.at
        length = HOUR if age < WEEK else DAY
        later = [each for each in history if each.number > version.number and each.at // length == version.at // length]
        # Those of the same hour that are younger than the rule are in no slot of it.
        later = [each for each in later if (now - each.at >= DAY) and (HOUR if now - each.at < WEEK else DAY) == length]
        kept = bool(version.name) or version in (history[0], history[-1]) or age < DAY or not later
        assert (version.number not in gone) == kept, (version, now)


@steady
@given(histories(), st.lists(st.floats(0, SPAN + 30 * DAY), max_size=6))
def test_thinning_often_leaves_what_thinning_once_leaves(history: list[Version], times: list[float]) -> None:
    """HISTORY-4: how often it is done makes no difference."""
    last = max(times, default=0.0)
    once = [version for version in history if version not in surplus(history, last)]
    often = history
    for now in sorted(times):
        often = [version for version in often if version not in surplus(often, now)]
    assert often == once


@steady
@given(histories(), st.floats(0, SPAN + 30 * DAY))
def test_nothing_has_to_go_before_it_is_due(history: list[Version], now: float) -> None:
    """HISTORY-4."""
    stay = [version for version in history if version not in surplus(history, now)]
    when = due(stay, now)
    for later in (now, *([when - 1e-3] if when is not None and when > now else [now + 365 * DAY])):
        assert surplus(stay, later) == []


def test_a_name_keeps_a_version_for_ever() -> None:
    """HISTORY-4."""
    history = [Version(number, number * 60.0, "", 1, "save") for number in range(100)]
    named = [replace(version, name="x") if version.number == 50 else version for version in history]
    assert 50 in {version.number for version in surplus(history, 1e9)}
    assert 50 not in {version.number for version in surplus(named, 1e9)}
