"""TEXT-5: places in a text, counted three ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import steady, texts

from collab.formats.offsets import Unit, convert, length

FAMILY = "👨‍👩‍👧"
BETWEEN_CHARACTERS = {
    ("aé日😀", Unit.UTF8): [0, 1, 3, 6, 10],
    ("aé日😀", Unit.UTF16): [0, 1, 2, 3, 5],
    ("aé日😀", Unit.POINT): [0, 1, 2, 3, 4],
}


@pytest.mark.parametrize("given_unit", Unit)
@pytest.mark.parametrize("wanted", Unit)
def test_text_5_each_unit_becomes_each_other(given_unit: Unit, wanted: Unit) -> None:
    places = BETWEEN_CHARACTERS["aé日😀", given_unit]
    assert [convert("aé日😀", place, given=given_unit, wanted=wanted) for place in places] == BETWEEN_CHARACTERS["aé日😀", wanted]


@pytest.mark.parametrize(("unit", "count"), [(Unit.UTF8, 18), (Unit.UTF16, 8), (Unit.POINT, 5)])
def test_text_5_a_joined_family_has_these_lengths(unit: Unit, count: int) -> None:
    assert length(FAMILY, unit) == count


@steady
@given(texts, st.sampled_from(Unit), st.sampled_from(Unit), st.data())
def test_text_5_there_and_back_is_the_same_place(text: str, one: Unit, other: Unit, data: st.DataObject) -> None:
    point = data.draw(st.integers(0, len(text)))
    place = convert(text, point, given=Unit.POINT, wanted=one)
    there = convert(text, place, given=one, wanted=other)
    assert convert(text, there, given=other, wanted=one) == place
    assert text.encode()[: convert(text, place, given=one, wanted=Unit.UTF8)].decode() == text[:point]


@pytest.mark.parametrize(("text", "offset", "unit"), [("é", 1, Unit.UTF8), ("😀", 2, Unit.UTF8), ("😀", 1, Unit.UTF16)])
def test_text_5_a_place_inside_a_character_is_an_error(text: str, offset: int, unit: Unit) -> None:
    with pytest.raises(ValueError):
        convert(text, offset, given=unit, wanted=Unit.POINT)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("text", ["abc", "日本語"])
def test_text_5_a_place_outside_the_text_is_an_error(text: str, unit: Unit) -> None:
    for offset in (-1, length(text, unit) + 1):
        with pytest.raises(ValueError):
            convert(text, offset, given=unit, wanted=Unit.UTF8)
