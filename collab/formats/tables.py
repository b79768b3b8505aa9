"""What an office suite made of a table in a text file (CSV, RFC 4180), cell by cell: a cell whose value did not change keeps its bytes.

Suites read values and write them in their own way: other quotes, `1.50` as `1.5`, a date as their language writes it, rows filled up to the longest
one, empty rows at the end left out. So cells are compared by what they mean; new ones are written as the file writes its cells. A formula is written as
what it makes: where that is what it makes of the cells that were written, it stands.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import product, zip_longest
from typing import TYPE_CHECKING, Final

from collab.formats.formulas import Sheet, Unknown, made
from collab.merge import in_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collab.formats.formulas import Value

SEPARATORS: Final = {"text/csv": ",;\t|", "text/tab-separated-values": "\t,;|"}
"""Media types of tables, and what may stand between two cells, the likeliest first."""
_PAIRS: Final = 10_000
"""Pairs of rows of which the most alike are sought."""
_DIGITS: Final = 9
"""Significant digits from which on a number may have been rounded by who showed it."""
_EXACT: Final = 15
"""Significant digits that a spreadsheet keeps of a number."""
_CALCULATED: Final = 4
"""How often the formulas of a table may read all its cells: so they take no longer than to read the table."""
_PIVOT: Final = 30
"""Years of two digits from here on are those of the last century."""

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_MONEY = re.compile(r"(-?)([$€£¥]?)\s?(-?[\d.,]+)\s?([$€£¥]?)")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(?:\s?([AaPp])\.?[Mm]\.?)?")
_BETWEEN = re.compile(r"[T ]+")
_ORDERS: Final = ("", "mdy", "dmy")
_BLANK = ""


@dataclass(frozen=True, slots=True)
class _Row:
    cells: tuple[str, ...]
    """As they are written."""
    keys: tuple[str, ...]
    """What they mean, without the empty ones at the end."""

    @property
    def key(self) -> str:
        return "\x1f".join(self.keys)


@dataclass(frozen=True, slots=True)
class _Table:
    rows: list[_Row]
    separator: str
    tail: int
    """How many of the rows at the end are empty; one of them is the line end of the last row."""

    @property
    def body(self) -> list[_Row]:
        return self.rows[: len(self.rows) - self.tail]


def settled(base: str, put: str, media: str) -> str:
    """The table that somebody made of `base` in a spreadsheet which wrote it as `put`: cells that mean the same are written as before."""
    if base == put:
        return base
    ours, written, order = _read(base, put, SEPARATORS[media])
    theirs = _calculated(ours, written) if "=" in base else written
    rows = [*_rows(ours, theirs), *(row.cells for row in ours.rows[len(ours.body) :])]
    text = "\n".join(ours.separator.join(cells) for cells in rows)
    # Whatever was guessed: every cell says what the suite wrote, or else its own bytes are taken.
    return text if _says(_parse(text, ours.separator, order).body, theirs.body) else put


def _says(made: list[_Row], put: list[_Row]) -> bool:
    return len(made) == len(put) and all(
        len(one.keys) == len(other.keys) and all(map(_same, one.keys, other.keys)) for one, other in zip(made, put, strict=True)
    )


# --- formulas


def _calculated(ours: _Table, theirs: _Table) -> _Table:
    """The suite's table with our formulas where it has just what they make of its cells, in the same place."""
    columns = max(len(row.keys) for row in theirs.rows)
    left = _CALCULATED * sum(len(row.cells) for row in (*ours.rows, *theirs.rows))
    sheet = Sheet(lambda row, column: _calculable(theirs, row, column), len(theirs.rows), columns, left)
    rows = [*theirs.rows]
    for place, (mine, yours) in enumerate(zip(ours.rows, theirs.rows, strict=False)):
        # Where rows came or went, a row that has nothing in common with ours is another one.
        if len(ours.body) != len(theirs.body) and not any(one and one == other for one, other in zip(mine.keys, yours.keys, strict=False)):
            continue
        cells, keys = [*yours.cells], [*yours.keys]
        for column in range(min(len(mine.keys), len(keys))):
            if mine.keys[column].startswith("=") and _same_made(mine.keys[column], sheet, (place, column), keys[column]):
                cells[column], keys[column] = mine.cells[column], mine.keys[column]
        rows[place] = _Row(tuple(cells), tuple(keys))
    return _Table(rows, theirs.separator, theirs.tail)


def _same_made(formula: str, sheet: Sheet, own: tuple[int, int], key: str) -> bool:
    try:
        found = made(formula, sheet, own)
    except Unknown:
        return False
    # The suite shows a number with as many digits as it keeps, or fewer.
    return _same(meaning(found) if isinstance(found, str) else _number_key(found or 0.0), key)


def _calculable(table: _Table, row: int, column: int) -> Value:
    """What a formula finds in a cell."""
    keys = table.rows[row].keys if row < len(table.rows) else ()
    key = keys[column] if column < len(keys) else ""
    if key.startswith("\0n"):
        return float(key[2:])
    if key.startswith("\0"):
        raise Unknown  # a date, a truth, money: a number, but which?
    return key or None


# --- how the suite read the table


def _read(base: str, put: str, separators: str) -> tuple[_Table, _Table, str]:
    """Both as the suite must have read and written them, and how it reads dates: so that the fewest cells were changed."""
    there = [each for each in separators if each in base or each in put] or [separators[0]]
    found: list[tuple[int, bool, _Table, _Table, str]] = []
    for order in _ORDERS if _YEAR_LAST.search(put) else _ORDERS[:1]:
        ours, theirs = ({each: _parse(text, each, order) for each in there} for text in (base, put))
        found += [(_alike(ours[one], theirs[other]), one == other, ours[one], theirs[other], order) for one, other in product(there, there)]
    return max(found, key=lambda each: each[:2])[2:]


def _alike(ours: _Table, theirs: _Table) -> int:
    """Cells of rows that both have, and of what is alike in the others; rows of one cell say little of what is between cells."""
    mine, yours = (Counter(row.keys for row in table.body) for table in (ours, theirs))
    both = mine & yours
    whole = sum(len(keys) * count for keys, count in both.items())
    rest = (Counter(key for keys, count in (side - both).items() for key in keys * count if key) for side in (mine, yours))
    one, other = rest
    return 2 * whole + sum((one & other).values())


def _parse(text: str, separator: str, order: str) -> _Table:
    between = re.escape(separator)
    # A quoted cell may be followed by more, as in every reader of such files; a quote that is never closed is a letter.
    pattern = re.compile(rf'("(?:[^"]|"")*"[^{between}\n]*|[^{between}\n]*)({between}|\n|\Z)')
    rows: list[_Row] = []
    cells: list[str] = []
    place = 0
    while True:
        match = pattern.match(text, place)
        if match is None:
            raise AssertionError
        cells.append(match[1])
        place = match.end()
        if match[2] != separator:
            rows.append(_Row(tuple(cells), _keys(cells, order)))
            cells = []
            if not match[2]:
                break
    tail = 0
    while tail < len(rows) and not rows[-1 - tail].keys:
        tail += 1
    return _Table(rows, separator, tail)


def _keys(cells: Sequence[str], order: str) -> tuple[str, ...]:
    keys = [meaning(value(cell), order) for cell in cells]
    while keys and not keys[-1]:
        keys.pop()
    return tuple(keys)


# --- what a cell means


def value(cell: str) -> str:
    """What is in a cell: without the quotes around it."""
    if not cell.startswith('"'):
        return cell
    closing = re.match(r'"((?:[^"]|"")*)"', cell)
    return cell if closing is None else closing[1].replace('""', '"') + cell[closing.end() :]


def meaning(text: str, order: str = "") -> str:
    """What a spreadsheet takes a text for, the same for everything that it writes in another way; `order`: how it reads days and months (mdy, dmy)."""
    word = text.strip()
    if not word or word[0] not in "+-.$€£¥0123456789tTfF":
        return text
    if word.lower() in {"true", "false"}:
        return f"\0b{word.lower()}"
    return _number(word) or _money(word) or _moment(word, order) or text


def _number(word: str) -> str:
    percent = word.endswith("%")
    digits = word.removesuffix("%").rstrip() if percent else word
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _COMMA.fullmatch(digits):
        digits = digits.replace(",", ".")
    if not _PLAIN.fullmatch(digits):
        return ""
    return _number_key(float(digits) / (100 if percent else 1))


def _number_key(number: float) -> str:
    return f"\0n{number + 0.0:.{_EXACT}g}" if abs(number) > 0 else "\0n0"


def _money(word: str) -> str:
    found = _MONEY.fullmatch(word)
    if found is None or bool(found[2]) == bool(found[4]):
        return ""
    number = _number(found[1] + found[3])
    return f"\0{found[2] or found[4]}{number}" if number else ""


def _moment(word: str, order: str) -> str:
    parts = _BETWEEN.split(word, maxsplit=1)
    day = _day(parts[0], order)
    if day and len(parts) == 1:
        return f"\0d{day}"
    time = _time(parts[1] if day else word)
    return f"\0d{day} {time}" if time else ""


def _day(word: str, order: str) -> str:
    if (found := _YEAR_FIRST.fullmatch(word)) is not None:
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    elif order and (found := _YEAR_LAST.fullmatch(word)) is not None:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        month, day = (first, second) if order == "mdy" else (second, first)
        year += (2000 if year < _PIVOT else 1900) if len(found[4]) == len("24") else 0
    else:
        return ""
    return f"{year:04}-{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else ""


def _time(word: str) -> str:
    found = _TIME.fullmatch(word)
    if found is None:
        return ""
    hour, half = int(found[1]), (found[4] or "").lower()
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return f"{hour:02}:{found[2]}:{float(found[3] or 0):06.3f}"


def _same(before: str, after: str) -> bool:
    """Whether two cells mean the same; a long fraction may have been rounded by who shows it."""
    if before == after:
        return True
    if not (before.startswith("\0n") and after.startswith("\0n") and "." in before and "." in after):
        return False
    digits = len(after[2:].partition("e")[0].lstrip("-0.").replace(".", ""))
    return _DIGITS <= digits < _EXACT and f"\0n{float(before[2:]):.{digits}g}" == after


# --- which rows and cells are the same


def _rows(ours: _Table, theirs: _Table) -> Iterator[Sequence[str]]:
    """The rows as they are to be written."""
    mine, yours = ours.body, theirs.body
    i = j = 0
    for gone, come, both in in_lines([row.key for row in mine], [row.key for row in yours]):
        yield from _changed(mine[i : i + len(gone)], yours[j : j + len(come)], ours, mine[i - 1] if i else None)
        i, j = i + len(gone), j + len(come)
        yield from (row.cells for row in mine[i : i + len(both)])
        i, j = i + len(both), j + len(both)


def _changed(gone: list[_Row], come: list[_Row], ours: _Table, above: _Row | None) -> Iterator[Sequence[str]]:
    pairs = _paired(gone, come)
    for place, row in enumerate(come):
        before = pairs.get(place)
        above = above if before is None else gone[before]
        if before is None:
            like = above or next(iter(ours.rows), None)
            yield _new(row, like, ours.separator)
        else:
            yield _rewritten(gone[before], row, ours.separator)


def _paired(gone: list[_Row], come: list[_Row]) -> dict[int, int]:
    """Which of the rows that came was made of which of those that went, in order: so that the most cells are the same."""
    if len(gone) == len(come):
        return {place: place for place in range(len(come))}
    if len(gone) * len(come) > _PAIRS:
        return _by_first(gone, come)
    # The longest common subsequence, weighed by what two rows have in common.
    best = [[0] * (len(come) + 1) for _ in range(len(gone) + 1)]
    common = [[_common(one, other) for other in come] for one in gone]
    for i, row in reversed([*enumerate(common)]):
        for j, score in reversed([*enumerate(row)]):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + score if score else 0)
    found: dict[int, int] = {}
    i = j = 0
    while i < len(gone) and j < len(come):
        if common[i][j] and best[i][j] == best[i + 1][j + 1] + common[i][j]:
            found[j] = i
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _by_first(gone: list[_Row], come: list[_Row]) -> dict[int, int]:
    """By what stands in the first cell."""
    found: dict[int, int] = {}
    i = j = 0
    for ones, others, both in in_lines(*([(row.keys or (_BLANK,))[0] for row in rows] for rows in (gone, come))):
        if len(ones) == len(others):
            found.update((j + k, i + k) for k in range(len(ones)))
        i, j = i + len(ones), j + len(others)
        found.update((j + k, i + k) for k in range(len(both)))
        i, j = i + len(both), j + len(both)
    return found


def _common(one: _Row, other: _Row) -> int:
    """Characters of the cells that both rows have, more for those in the same column."""
    both = Counter(one.keys) & Counter(other.keys)
    there = sum(mine == yours for mine, yours in zip(one.keys, other.keys, strict=False) if mine)
    return sum(len(key) * count for key, count in both.items()) + there


def _rewritten(before: _Row, after: _Row, separator: str) -> Sequence[str]:
    """A row of which some cells were changed."""
    cells: list[str] = []
    values = [value(cell) for cell in after.cells[: len(after.keys)]]
    for old, new in _cells(before.keys, after.keys):
        if old is not None and new is not None and _same(before.keys[old], after.keys[new]):
            cells.append(before.cells[old])
        elif new is not None:
            cells.append(_written(values[new], separator, like=_in_place(before, old, len(cells))))
    left = before.cells[len(before.keys) :]
    return [*cells, *left[: max(0, len(before.cells) - len(cells))]] or [""]


def _in_place(before: _Row, old: int | None, place: int) -> str:
    """The cell in whose place one is written; one more than there were is in the place of an empty one behind them, or of none."""
    if old is not None:
        return before.cells[old]
    return before.cells[place] if len(before.keys) <= place < len(before.cells) else ""


def _cells(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Which cell of a row became which."""
    if len(before) == len(after):
        yield from ((place, place) for place in range(len(after)))
        return
    i = j = 0
    for gone, come, both in in_lines([*before], [*after]):
        yield from zip_longest(range(i, i + len(gone)), range(j, j + len(come)))
        i, j = i + len(gone), j + len(come)
        yield from ((i + k, j + k) for k in range(len(both)))
        i, j = i + len(both), j + len(both)


def _new(row: _Row, like: _Row | None, separator: str) -> Sequence[str]:
    """A row that was not there: written as the one above it."""
    others = like.cells if like is not None else ()
    values = [value(cell) for cell in row.cells[: len(row.keys)]]
    values += [""] * (min(len(others), len(row.cells)) - len(values))
    return [_written(each, separator, like=other or "") for each, other in zip_longest(values, others[: len(values)])] or [""]


def _written(text: str, separator: str, *, like: str) -> str:
    """A value as a cell, with quotes where they are needed, or where the one in its place has some."""
    if any(sign in text for sign in (separator, '"', "\n")) or (like.startswith('"') and text):
        return '"' + text.replace('"', '""') + '"'
    return text
