from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import scale

from collab.codec import SAFE, Reader, var_bytes, var_string, var_uint
from collab.errors import Malformed

NUMBERS = st.integers(0, SAFE)


@given(NUMBERS)
@settings(max_examples=scale(200, 5_000))
def test_a_number_is_read_as_it_was_written(number: int) -> None:
    reader = Reader(var_uint(number))
    assert reader.var_uint() == number
    assert reader.done


@pytest.mark.parametrize(("number", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (SAFE, "ffffffffffffff0f")])
def test_numbers_have_seven_bits_a_byte_low_first(number: int, encoded: str) -> None:
    assert var_uint(number).hex() == encoded


@pytest.mark.parametrize("number", [-1, -128, -(2**40)])
def test_a_negative_number_is_not_written(number: int) -> None:
    with pytest.raises(ValueError, match="range"):
        var_uint(number)


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8"), max_size=300))
@settings(max_examples=scale(100, 2_000))
def test_bytes_and_strings_are_read_as_they_were_written(data: bytes, text: str) -> None:
    reader = Reader(var_bytes(data) + var_string(text))
    assert (reader.var_bytes(), reader.var_string()) == (data, text)
    reader.end()


@pytest.mark.parametrize("data", ["", "80", "ffffff"])
def test_a_number_that_ends_too_early_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(data)).var_uint()


@pytest.mark.parametrize("data", ["8000", "808000", "ff00"])
def test_a_number_with_padding_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(data)).var_uint()


@pytest.mark.parametrize("data", ["ff" * 9 + "01", "ff" * 10 + "01", "ff" * 100_000])
def test_a_number_of_too_many_bits_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(data)).var_uint()


def test_a_number_over_its_bound_is_malformed_and_the_bound_is_not() -> None:
    assert Reader(var_uint(1000)).var_uint(1000) == 1000
    with pytest.raises(Malformed):
        Reader(var_uint(1001)).var_uint(1000)
    with pytest.raises(Malformed):
        Reader(var_uint(SAFE + 1)).var_uint()


@pytest.mark.parametrize("data", ["01", "0561", "ffffffffffffff0f61", "8001"])
def test_a_field_that_is_longer_than_the_data_is_malformed(data: str) -> None:
    for read in (Reader.var_bytes, Reader.var_string):
        with pytest.raises(Malformed):
            read(Reader(bytes.fromhex(data)))


@pytest.mark.parametrize("data", ["01ff", "02c080", "03eda080", "04f4908080", "02c3"])
def test_a_string_that_is_not_utf8_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        Reader(bytes.fromhex(data)).var_string()


def test_a_lone_surrogate_is_not_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        var_string("\ud800")


def test_a_byte_behind_the_end_is_malformed() -> None:
    reader = Reader(b"a")
    assert reader.byte() == 97
    with pytest.raises(Malformed):
        reader.byte()


def test_bytes_that_are_left_over_are_malformed() -> None:
    reader = Reader(b"ab", 1)
    with pytest.raises(Malformed):
        reader.end()
    reader.byte()
    reader.end()


def test_what_fails_does_not_move_the_reader() -> None:
    reader = Reader(b"\x05a")
    for read in (lambda: reader.take(3), lambda: reader.var_uint(4)):
        with pytest.raises(Malformed):
            read()
        assert reader.position == 0
