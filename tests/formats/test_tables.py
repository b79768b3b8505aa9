"""WOPI-18: what a spreadsheet makes of a table is taken cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import steady

from collab.formats.tables import meaning, settled, value

CSV = "text/csv"
SEPARATORS = ",;\t|"

WORDS = [
    "apple",
    "a b",
    " spaced ",
    'a "quoted" word',
    "x, y",
    "p; q",
    "two\nlines",
    "pipe | tab\t.",
    "é😀",
    "3 apples",
    "2024",
    "-",
    "1-2",
    "A1",
]
NUMBERS = ["0", "007", "1.50", "-3", "+5", "1e3", "3.14159265358979", "12345678901234567890", ".5", "5%", "1,234.50"]
DATES = ["2024-01-02", "2024-11-30", "1999-12-31"]


def _shown(number: float) -> str:
    """As LibreOffice writes it."""
    return f"{number:.15g}".upper()


@dataclass(frozen=True)
class Habit:
    """What a suite does to each table that it writes."""

    separator: str = ","
    quotes: bool = True
    """All texts are quoted."""
    pads: bool = True
    """Rows are filled up to the longest one, and empty rows at the end left out."""
    order: str = ""
    """How it writes dates."""

    def write(self, rows: list[list[str]]) -> str:
        width = max(map(len, rows), default=0)
        there = [*rows]
        while self.pads and there and not any(there[-1]):
            there.pop()
        filled = [row + [""] * (width - len(row) if self.pads else 0) for row in there]
        return "".join(self.separator.join(map(self._cell, row)) + "\n" for row in filled)

    def _cell(self, text: str) -> str:
        said = meaning(text)
        if said.startswith("\0n"):
            return _shown(float(said[2:]))
        if said.startswith("\0d") and self.order:
            year, month, day = said[2:].split("-")
            first, second = (month, day) if self.order == "mdy" else (day, month)
            return f"{first}/{second}/{year}"
        plain = not text or (not self.quotes and not any(sign in text for sign in (self.separator, '"', "\n")))
        return text if plain else '"' + text.replace('"', '""') + '"'


habits = st.builds(Habit, st.sampled_from(SEPARATORS), st.booleans(), st.booleans(), st.sampled_from(["", "mdy", "dmy"]))
values = st.sampled_from([*WORDS, *NUMBERS, *DATES, "", ""])


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A table as somebody wrote it by hand, and what is in its cells."""
    width = draw(st.integers(2, 5))
    # A name of its own for each row, so that it can be told what became of it.
    rows = [[f"row {number}", *draw(st.lists(values, min_size=1, max_size=width))] for number in range(draw(st.integers(1, 8)))]
    return "\n".join(",".join(_by_hand(draw, each) for each in row) for row in rows) + draw(st.sampled_from(["", "\n"])), rows


def _by_hand(draw: st.DrawFn, text: str) -> str:
    if any(sign in text for sign in ',;\t|"\n') or draw(st.integers(0, 5)) == 0:
        return '"' + text.replace('"', '""') + '"'
    return text


many = settings(steady)


@many
@given(tables(), habits)
def test_a_table_that_nobody_changed_keeps_its_bytes_whatever_a_suite_does_to_each_table(
    table: tuple[str, list[list[str]]], habit: Habit
) -> None:
    text, rows = table
    assert settled(text, habit.write(rows), CSV).rstrip("\n") == text.rstrip("\n")


@many
@given(tables(), habits, st.data())
def test_a_cell_that_was_changed_is_the_only_one_that_is_written_anew(
    table: tuple[str, list[list[str]]], habit: Habit, data: st.DataObject
) -> None:
    text, rows = table
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(1, len(rows[row]) - 1))
    changed = [[*each] for each in rows]
    changed[row][column] = "changed"
    expected = _replaced(text, rows, row, column)
    assert settled(text, habit.write(changed), CSV).rstrip("\n") == expected.rstrip("\n")


def _replaced(text: str, rows: list[list[str]], row: int, column: int) -> str:
    """The text with another word in one cell, in the quotes that are there."""
    lines = _written(text, rows)
    old = lines[row][column]
    lines[row][column] = '"changed"' if old.startswith('"') else "changed"
    return "\n".join(map(",".join, lines)) + ("\n" if text.endswith("\n") else "")


def _written(text: str, rows: list[list[str]]) -> list[list[str]]:
    """The cells of a text as they are written: it is known what is in them."""
    found, place = [], 0
    for row in rows:
        cells = []
        for each in row:
            quoted = '"' + each.replace('"', '""') + '"'
            cells.append(quoted if text.startswith(quoted, place) else each)
            place += len(cells[-1]) + 1
        found.append(cells)
    return found


@many
@given(tables(), habits, st.data())
def test_rows_that_were_put_in_and_taken_out_leave_the_others_as_they_are(
    table: tuple[str, list[list[str]]], habit: Habit, data: st.DataObject
) -> None:
    text, rows = table
    changed = [*rows]
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1), max_size=2))
    for row in sorted(gone, reverse=True):
        del changed[row]
    at = data.draw(st.integers(0, len(changed)))
    changed.insert(at, ["a new row", "its second cell"])
    lines = [",".join(cells) for cells in _written(text, rows)]
    made = settled(text, habit.write(changed), CSV)
    for row, line in enumerate(lines):
        # A row that went where another came may have become that one.
        assert (line in made) or row in gone, line
    assert made.count("a new row") == made.count("its second cell") == 1


@many
@given(tables(), tables(), habits)
def test_whatever_was_guessed_every_cell_that_was_put_is_there(
    table: tuple[str, list[list[str]]], other: tuple[str, list[list[str]]], habit: Habit
) -> None:
    made = settled(table[0], habit.write(other[1]), CSV)
    for row in other[1]:
        for each in row:
            if each in WORDS:
                assert each in made or each.replace('"', '""') in made


@pytest.mark.parametrize(
    ("base", "put", "expected"),
    [
        ("a;b\n1;2,5\n", '"a;b",\n"1;2","5"\n', "a;b\n1;2,5\n"),  # read with another separator than people had in mind
        ("a;b\n1;2,5\n", '"a","b"\n1,"2,5"\n', "a;b\n1;2,5\n"),
        ("a;b\n1;2,5\n", '"a","b"\n1,"2,6"\n', "a;b\n1;2,6\n"),
        ("a,b\n1\n\n3,4\n", '"a","b"\n1,\n,\n3,4\n', "a,b\n1\n\n3,4\n"),
        ("a,b\n1,2", '"a","b"\n1,2\n3,4', "a,b\n1,2\n3,4"),
        ("a,b,c\n1,2,3\n", '"a","c"\n1,3\n', "a,c\n1,3\n"),  # a column goes
        ("a,b\n1,2\n", '"a","new","b"\n1,"x",2\n', "a,new,b\n1,x,2\n"),  # a column comes
        ('"a","b"\n"1","2"\n', "a,b\n1,2\n3,4\n", '"a","b"\n"1","2"\n"3","4"\n'),  # a new row is written as the one above
        ('"a",""\n', "a,b\n", '"a","b"\n'),  # a cell that was empty has quotes, too
        ('"a","",\n', "a,b,c,d\n", '"a","b",c,d\n'),
        ("d\n2024-01-02\n2024-02-13\n", "d\n02.01.24\n13.02.24\n", "d\n2024-01-02\n2024-02-13\n"),
        ("d\n2024-01-02\n2024-02-13\n", "d\n02.01.24\n14.02.24\n", "d\n2024-01-02\n14.02.24\n"),
        ("t\n10:30\n2024-01-02 08:00\n", "t\n10:30:00\n2024-01-02T08:00:00\n", "t\n10:30\n2024-01-02 08:00\n"),
        ("m\n$4.2\n", 'm\n"$4.20"\n', "m\n$4.2\n"),
        ("n\n3.141592653589793\n", "n\n3.141592654\n", "n\n3.141592653589793\n"),
        ("n\n12345678901\n", "n\n12345678902\n", "n\n12345678902\n"),
        ("n\n3.14159\n", "n\n3\n", "n\n3\n"),
        ("yes\ntrue\n", "yes\nTRUE\n", "yes\ntrue\n"),
        ("", "a,b\n", "a,b\n"),
        ("a,b\n", "\n", ""),
        ("a,b,c\n1,2,=A2+B2\n", "a,b,c\n1,2,3\n", "a,b,c\n1,2,=A2+B2\n"),
        ("1,=A1/3\n", "1,0.333333333333333\n", "1,=A1/3\n"),
        ('a;"=SUM(C1;B2)";2\n', "a,2,2\n", 'a;"=SUM(C1;B2)";2\n'),
        ('a;"=SUM(B1;B2)";2\n', "a,0,2\n", 'a;"0";2\n'),  # it reads itself
        ('1,2,"=SUM(A1,B1)"\n', "1,5,6\n", '1,5,"=SUM(A1,B1)"\n'),  # its cells were changed
        ("1,2,=A1+B1\n", "1,2,4\n", "1,2,4\n"),  # it was overwritten
        ("1,2,=A1+B1\n", "1,2,\n", "1,2\n"),
        ("1,2,=A1+B1\n", "0,0,0\n1,2,3\n", "0,0,0\n1,2,3\n"),  # its cells are elsewhere now
        ("1,2,=A1+B1\n3,4,=A2+B2\n", "1,2,3\n3,4,7\n5,6,11\n", "1,2,=A1+B1\n3,4,=A2+B2\n5,6,11\n"),
        ("2024-01-02,=A1+1\n", "2024-01-02,2024-01-03\n", "2024-01-02,2024-01-03\n"),  # a date: not sure
        ("1,=Z1/0\n", "1,#DIV/0!\n", "1,=Z1/0\n"),
    ],
)
def test_tables_as_suites_write_them(base: str, put: str, expected: str) -> None:
    assert settled(base, put, CSV) == expected


def test_a_table_of_tabs_is_one() -> None:
    assert settled("a\tb\n1.0\t2\n", "a\tb\n1\t3\n", "text/tab-separated-values") == "a\tb\n1.0\t3\n"


def test_what_is_in_a_cell_is_told_without_its_quotes() -> None:
    assert [value(each) for each in ("a", '"a"', '"a ""b"" c"', '"a"b', '"a', '""')] == ["a", "a", 'a "b" c', "ab", '"a', ""]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.50", "1.5"),
        ("007", "7"),
        ("-0", "0"),
        ("1,234.5", "1234.5"),
        ("5%", "0.05"),
        ("10:30 PM", "22:30:00"),
        ("2024/1/2", "2024-01-02"),
    ],
)
def test_the_same_value_is_told_from_another_text(one: str, other: str) -> None:
    assert meaning(one) == meaning(other) != one


@pytest.mark.parametrize("text", ["apple", "", "1-2", "12:99:1", "2024-13-45", "1.2.3", "$", "%", "true story", "+", "-", "e5", "0x10"])
def test_what_is_no_value_is_a_text(text: str) -> None:
    assert meaning(text, "mdy") == text
