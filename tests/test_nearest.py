"""MERGE-2, MERGE-4: what speaks for and against somebody having read a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import CLUSTERS, steady

from collab.nearest import TWICE, Known, cost, remains, steps

STORY = "one two three four five six\nseven eight nine ten eleven\n"
texts = st.lists(st.sampled_from([*CLUSTERS, "word ", "another ", "\n"]), max_size=40).map("".join)


def test_words_in_a_row_that_are_known_and_were_not_in_the_base_count_more() -> None:
    plain, known = Known(""), Known(STORY)
    assert cost("", "one two three four!\n", plain) == 20
    assert cost("", "one two three four!\n", known) == 20 + TWICE * len("one two three four")
    assert cost("", "one two three, nine ten eleven\n", known) == 31
    assert cost("one two three four", "one two three four one two three four", known) == 19
    assert cost("", f"{STORY} and more {STORY}", known) == 122 + TWICE * 2 * len(STORY.strip())


def test_where_something_was_put_into_a_word_nothing_was_deleted() -> None:
    assert cost("abc", "(a)-b.c", Known("")) == 4
    assert remains("abc", "(a)-b.c") == 1
    assert cost("abc", "xaybzc", Known("")) == 7
    assert remains("one", "on the floor an egg") == 0


@steady
@given(texts, texts, texts)
def test_a_text_costs_nothing_only_where_it_was_read_as_it_is(base: str, new: str, known: str) -> None:
    found = cost(base, new, Known(known))
    assert (found == 0) == (base == new)
    assert found >= abs(len(base.encode()) - len(new.encode()))


@pytest.mark.parametrize(
    ("base", "new", "share"),
    [
        ("", "all\n", 0),
        (" \n", "all\n", 0),
        ("one\n", "another\n", 0),
        ("1\n", "2\n", 0),
        ("one\n", "all of this, one and\nmore of it\n", 1),
        ("one two\n", "one\n", 0.5),
        (STORY, "seven eight nine ten eleven\none two three four five six\n", 1),
        (STORY, STORY, 1),
    ],
)
def test_what_remains_of_a_text_in_another_one(base: str, new: str, share: float) -> None:
    assert remains(base, new) == share


@steady
@given(texts, texts)
def test_what_remains_is_a_share(base: str, new: str) -> None:
    assert 0 <= remains(base, new) <= 1


def test_between_texts_of_the_same_hour_what_would_be_taken_out_weighs_more() -> None:
    """WOPI-16: whoever has not seen something looks as if he had taken it out."""
    here = Known("Not丁es\none\ntyped here\n")
    assert steps("one\n", "one\nsaved\n", here) < steps("one\ntyped here\n", "one\nsaved\n", here)
    assert steps("Notes\n", "Not乃es\n", here) < steps("Not丁es\n", "Not乃es\n", here)
    assert steps("one\ntyped here\n", "one\ntyped there\nnew\n", here) < steps("one\n", "one\ntyped there\nnew\n", here)
    assert steps("one\ngone\n", "one\n", here) < steps("one\ntyped\n", "one\n", here)
    assert steps("one two\n", "one two\n", here) == 0
    assert steps("abc", "(a)-b.c", here) == 4
    known = len("one two three four six")
    assert steps("", "one two three four six\n", Known(STORY)) == 1 + known + 3 * (known - 4) + TWICE * len("one two three four")
    assert steps("f一s二irst\n", "fsirst\n", Known("f一s二irst")) == 4 * len("一二".encode())
    long = "word " * 2_000
    assert steps(f"{long}Not丁es", f"{long}Not乃es", Known("丁")) == 4 * 3 + 3
