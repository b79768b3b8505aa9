"""What suites are told of a document: version and time (WOPI-8)."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from collab.ports import OfficeState
from collab.wopi.states import APART, TICK, announced, expected, kept, merged, same_time, seen, time_of, unanswered, word

A, B, C = "a" * 64, "b" * 64, "c" * 64
STATE = OfficeState(5, A, 1000.0, put=A, given=(B,))


def test_a_document_that_no_suite_has_seen_begins_with_the_time_of_its_file() -> None:
    assert seen(None, A, 1234.5678915, locked=False, live=False) == OfficeState(1, A, 1234.567892)


@pytest.mark.parametrize(("locked", "live"), list(product([True, False], repeat=2)))
def test_what_is_not_new_is_told_as_before(locked: bool, live: bool) -> None:
    """WOPI-8."""
    assert seen(STATE, A, 2000.0, locked=locked, live=live) is STATE


@pytest.mark.parametrize(("locked", "live"), list(product([True, False], repeat=2)))
def test_only_what_people_type_while_a_suite_has_it_is_no_news_to_the_suite(locked: bool, live: bool) -> None:
    """WOPI-8."""
    told = seen(STATE, B, 2000.0, locked=locked, live=live)
    assert (told is STATE) is (locked and live)
    if told is not STATE:
        assert (told.version, told.etag, told.put, told.given) == (6, B, STATE.put, STATE.given)
        assert 2000.0 <= told.modified <= 2000.0 + APART * TICK


@pytest.mark.parametrize("modified", [0.0, 999.0, 1000.0])
def test_the_time_never_goes_back_when_the_file_s_does(modified: float) -> None:
    """WOPI-8."""
    told = seen(STATE, B, modified, locked=False, live=False)
    assert 1000.0 + TICK <= told.modified <= 1000.0 + (APART + 1) * TICK
    assert time_of(told.modified) > time_of(STATE.modified)


@pytest.mark.parametrize(
    ("known", "locked", "live", "remembered"),
    [
        (None, False, False, True),
        (None, True, False, True),
        (STATE, False, False, True),
        (STATE, False, True, True),
        (STATE, True, True, True),
        (STATE, True, False, False),
    ],
)
def test_of_a_plain_file_under_a_lock_only_what_was_put_is_remembered(
    known: OfficeState | None, locked: bool, live: bool, remembered: bool
) -> None:
    """WOPI-9."""
    assert kept(known, OfficeState(9, C, 3000.0), locked=locked, live=live) is remembered


def test_what_somebody_outside_wrote_is_not_what_a_put_that_was_not_answered_ended_with() -> None:
    """WOPI-9."""
    coming = announced(STATE, C, 1500.0, before=A, lock="lock")
    told = seen(coming, "d" * 64, 1600.0, locked=False, live=False)
    assert expected(told) == {"d" * 64}
    assert not unanswered(told, time_of(STATE.modified), "lock")
    assert unanswered(seen(coming, A, 1600.0, locked=False, live=False), time_of(STATE.modified), "lock")


def test_bodies_whose_files_have_one_time_are_told_apart_by_theirs() -> None:
    """WOPI-8: of a plain file under a lock nothing is remembered that somebody outside wrote."""
    told = {seen(STATE, each * 64, modified, locked=True, live=False).modified for each in "bcdef" for modified in (500.0, 2000.0)}
    assert len(told) == 10


def test_what_is_known_already_is_not_remembered_again() -> None:
    assert not kept(STATE, STATE, locked=False, live=False)


def test_an_announced_body_and_the_one_before_may_be_replaced_and_no_other() -> None:
    """WOPI-9: a crash may come before or behind the write."""
    coming = announced(STATE, C, 1500.0, before=A, lock="lock")
    assert (coming.version, coming.etag, coming.modified, coming.put) == (6, C, 1500.0, C)
    assert expected(coming) == {A, C}
    assert expected(STATE) == {A, B}
    assert expected(announced(STATE, A, 1500.0, before=A, lock="")) == {A}


@pytest.mark.parametrize(
    ("timestamp", "lock", "taken"),
    [
        (time_of(STATE.modified), "lock", True),
        ("1970-01-01T00:16:40Z", "lock", True),
        (time_of(STATE.modified), "other", False),
        (time_of(STATE.modified), "", False),
        (time_of(1500.0), "lock", False),
        ("nonsense", "lock", False),
    ],
)
def test_a_suite_that_was_not_answered_goes_on_from_the_time_that_it_knows(timestamp: str, lock: str, taken: bool) -> None:
    """WOPI-9."""
    assert unanswered(announced(STATE, C, 1500.0, before=A, lock="lock"), timestamp, lock) is taken
    assert not unanswered(announced(STATE, C, 1500.0, before=A, lock=""), timestamp, "")


def test_a_merged_body_is_what_the_suite_goes_on_from() -> None:
    assert merged(STATE, C, B, 900.0) == OfficeState(6, C, 1000.0 + TICK, put=B)


def test_versions_never_come_back_whatever_happens() -> None:
    """WOPI-8: also when a backup counts anew, unless the bytes are the same."""
    random = Random(7)
    state, told = OfficeState(1, A, 0.0), {word(OfficeState(1, A, 0.0))}
    for number in range(300):
        etag = random.choice([A, B, C])
        before = state
        if random.random() < 0.5:
            state = seen(state, etag, random.random() * 10, locked=False, live=False)
        else:
            state = announced(state, etag, random.random() * 10, before=state.etag, lock="")
        assert state == before or word(state) not in told, number
        assert state == before or time_of(state.modified) > time_of(before.modified)
        told.add(word(state))
    assert word(OfficeState(2, A, 0.0)) != word(OfficeState(2, B, 0.0))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-11-29T18:00:00.123456Z", "2026-11-29T18:00:00.123456Z", True),
        ("2026-11-29T18:00:00Z", "2026-11-29T18:00:00.000000Z", True),
        ("2026-11-29T19:00:00+01:00", "2026-11-29T18:00:00.000000Z", True),
        ("2026-11-29T18:00:00.123457Z", "2026-11-29T18:00:00.123456Z", False),
        ("2026-11-29T18:00:00", "2026-11-29T18:00:00Z", False),
        ("", "2026-11-29T18:00:00Z", False),
        ("x", " x ", True),
    ],
)
def test_times_are_compared_as_times(one: str, other: str, same: bool) -> None:
    assert same_time(one, other) is same


def test_a_time_is_told_to_the_microsecond() -> None:
    assert time_of(1_764_439_200.123456) == "2025-11-29T18:00:00.123456Z"
    assert time_of(1_764_439_200.0) == "2025-11-29T18:00:00.000000Z"
