"""WOPI-17: what a suite does to each text that it saves is no edit."""

from __future__ import annotations

import pytest

from collab.formats.office import written

PLAIN = "text/plain"


@pytest.mark.parametrize(
    ("base", "put", "expected"),
    [
        ("abc", "abc\n", ("abc", True)),
        ("abc", "abc", ("abc", False)),
        ("abc\n", "abc\n", ("abc\n", False)),
        ("abc\n", "abc\n\n", ("abc\n\n", False)),
        ("abc", "abcd\n", ("abcd", True)),
        ("abc", "abc\nmore\n", ("abc\nmore", True)),
        ("", "\n", ("", True)),
        ("", "new\n", ("new", True)),
        ("abc\n", "", ("", False)),
    ],
)
def test_the_line_end_behind_each_text_is_no_edit(base: str, put: str, expected: tuple[str, bool]) -> None:
    assert written(base, put, PLAIN) == expected


def test_a_suite_that_once_wrote_one_line_end_too_many_goes_on_doing_so() -> None:
    """Its people took out the last word of a text that ended without a line end: what is left ends with one."""
    text, longer = written("abc\nlast", "abc\n\n", PLAIN)
    assert (text, longer) == ("abc\n", True)
    assert written(text, "abc\n\n", PLAIN, longer=longer) == ("abc\n", True)


def test_a_table_is_compared_by_cell() -> None:
    assert written("a,1.0", '"a",1\n', "text/csv") == ("a,1.0", True)
    assert written("a,1.0\n", '"b",1\n', "text/csv") == ("b,1.0\n", False)
