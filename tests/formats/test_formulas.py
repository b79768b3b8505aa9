"""What formulas in tables make, as far as that is sure."""

from __future__ import annotations

import time

import pytest

from collab.formats.formulas import DEEPEST, LONGEST, Sheet, Unknown, Value, made

CELLS: dict[tuple[int, int], Value] = {
    (0, 0): 1.0, (0, 1): 2.0, (0, 2): "a text", (1, 0): 0.1, (1, 1): 0.2, (1, 2): "#DIV/0!", (2, 0): -3.0, (2, 27): 7.0,
}  # fmt: skip


def sheet(left: int = 1000) -> Sheet:
    def cell(row: int, column: int) -> Value:
        if (row, column) == (2, 2):
            raise Unknown  # a date
        return CELLS.get((row, column))

    return Sheet(cell, 3, 28, left)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("=A1+B1", 3.0),
        ("= a1 + $B$1 ", 3.0),
        ("=A1+B1*3^2", 19.0),
        ("=-3^2", 9.0),  # OpenFormula: a sign binds tighter
        ("=2^3^2", 64.0),
        ("=--A3", -3.0),
        ("=50%*B1", 1.0),
        ("=(A1+B1)/2", 1.5),
        ("=1.5e3+.5", 1500.5),
        ("=A9", 0.0),
        ('=A9&B1&"x""y"', '2x"y'),
        ("=AB3", 7.0),
        ("=SUM(A1:C1)", 3.0),
        ("=sum(A1:A3;10,B1)", 10.1),
        ("=SUM(A1:A9999999)", -1.9),
        ("=SUM(B1:A2)", 3.3),
        ("=AVERAGE(A1:B1)", 1.5),
        ("=MIN(A1:A3)-MAX(A1:A3)", -4.0),
        ("=COUNT(A1:C1)", 2.0),
        ("=SUM(C1,A1)", 1.0),  # a text in a cell is no number, and no error
        ("=COUNT(C1;A1;A1+1)", 2.0),
        ("=PRODUCT(A1:B1;4)", 8.0),
        ("=ROUND(2.5)", 3.0),
        ("=ROUND(-0.125;2)", -0.13),
        ("=ABS(A3)+1", 4.0),
        ("=A1/A9", "#DIV/0!"),
        ("=AVERAGE(D1:D2)", "#DIV/0!"),
        ("=A1+C1", "#VALUE!"),
        ("=SUM(C1:C2)", "#DIV/0!"),
        ("=C2*2", "#DIV/0!"),
    ],
)
def test_a_formula_makes_what_a_spreadsheet_shows(formula: str, value: Value) -> None:
    found = made(formula, sheet())
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "formula",
    ["A1", "=", "=A1+", "=(A1", "=A1)", "=A1 B1", "=C3", "=SUM(C3)", "=A1=B1", "=IF(A1;1;2)", "=Sheet2.A1", "=NAME", "=A0", "=A1:B1",
     "=TODAY()", "=SUM()", "=SUM(A1", "=10^400", "=(-8)^0.5", "=A2&1", "={1;2}", "=1e999*0", "=" + "(" * 99 + "1" + ")" * 99,
     "=" + "+1" * LONGEST],
)  # fmt: skip
def test_what_is_not_sure_is_not_known(formula: str) -> None:
    with pytest.raises(Unknown):
        made(formula, sheet())


def test_formulas_read_only_so_many_cells_together() -> None:
    reading = sheet(left=9)
    assert made("=SUM(A1:A3)", reading) == pytest.approx(-1.9)
    assert made("=SUM(A1:B3)", reading) == pytest.approx(0.3)
    with pytest.raises(Unknown):
        made("=A1", reading)


def test_brackets_may_stand_in_brackets() -> None:
    deep = DEEPEST - 1
    assert made("=" + "(" * deep + "1" + ")" * deep, sheet()) == 1.0


def test_the_longest_formulas_take_no_time() -> None:
    start = time.process_time()
    for formula in ("=" + "-" * (LONGEST - 2) + "1", "=" + "1+" * (LONGEST // 2 - 1) + "1", '="' + '""' * (LONGEST // 2 - 2) + '"'):
        made(formula, sheet())
    assert time.process_time() - start < 0.5
