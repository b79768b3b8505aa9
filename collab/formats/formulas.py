"""What a formula in a cell of a table makes, as far as that is sure: arithmetic, texts put together, and the functions that tables in text files have.

It is told whether a suite wrote what the formula makes, so whatever may be understood in two ways (dates, comparisons, other sheets, names) is not
understood at all. Grammar and errors as in OpenFormula (OpenDocument 1.3, part 4); precedence as there: a sign binds tighter than `^`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Value: TypeAlias = float | str | None
"""A number, a text, nothing."""

LONGEST: Final = 1024
"""Characters of a formula."""
DEEPEST: Final = 32
"""Brackets within brackets."""
_DIVISION, _NO_NUMBER = "#DIV/0!", "#VALUE!"
_ERRORS: Final = frozenset({_DIVISION, _NO_NUMBER, "#NUM!", "#REF!", "#NAME?", "#N/A"})

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<text>"(?:[^"]|"")*")|(?P<place>\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6}(?![\w(]))"""
    r"""|(?P<name>[A-Za-z]+)(?=\()|(?P<sign>[-+*/^&%();,:]))"""
)
_PLACE = re.compile(r"\$?([A-Za-z]+)\$?(\d+)")


class Unknown(Exception):
    """What the formula makes is not sure."""


class _Error(Exception):
    """The formula makes an error, which is shown in its place."""


@dataclass(slots=True)
class Sheet:
    """The cells that formulas read, by row and column from 0. `cell` may raise Unknown."""

    cell: Callable[[int, int], Value]
    rows: int
    columns: int
    left: int
    """How many may still be read, for all formulas together."""

    def at(self, row: int, column: int) -> Value:
        """What is in one cell. Unknown when too much was read."""
        self.left -= 1
        if self.left < 0:
            raise Unknown
        return self.cell(row, column)


def made(formula: str, sheet: Sheet, own: tuple[int, int] | None = None) -> Value:
    """What a formula, with its `=`, makes in a cell of its own (row and column). Unknown, also where it reads that cell."""
    if not formula.startswith("=") or len(formula) > LONGEST:
        raise Unknown
    reader = _Reader([*_tokens(formula[1:])], sheet, own)
    try:
        found = reader.joined()
    except _Error as error:
        return str(error)
    except (OverflowError, ValueError) as error:
        raise Unknown from error
    if reader.tokens[reader.place :]:
        raise Unknown
    return found if isinstance(found, str) else _number(found)


def _tokens(formula: str) -> Iterator[tuple[str, str]]:
    place = 0
    formula = formula.rstrip()
    while place < len(formula):
        match = _TOKEN.match(formula, place)
        if match is None or match.lastgroup is None:
            raise Unknown
        yield match.lastgroup, match[match.lastgroup]
        place = match.end()


@dataclass(slots=True)
class _Reader:
    """One formula. Each method reads one kind of expression, from the loosest to the tightest."""

    tokens: list[tuple[str, str]]
    sheet: Sheet
    own: tuple[int, int] | None
    place: int = 0
    depth: int = field(default=0)

    def joined(self) -> Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unknown
        found = self._sum()
        while self._sign("&"):
            found = _text(found) + _text(self._sum())
        self.depth -= 1
        return found

    def _sum(self) -> Value:
        found = self._product()
        while (sign := self._sign("+-")) is not None:
            one, other = _number(found), _number(self._product())
            found = one + other if sign == "+" else one - other
        return found

    def _product(self) -> Value:
        found = self._power()
        while (sign := self._sign("*/")) is not None:
            one, other = _number(found), _number(self._power())
            if sign == "/" and not other:
                raise _Error(_DIVISION)
            found = one * other if sign == "*" else one / other
        return found

    def _power(self) -> Value:
        found = self._signed()
        while self._sign("^"):
            found = math.pow(_number(found), _number(self._signed()))
        return found

    def _signed(self) -> Value:
        minus = False
        signed = False
        while (sign := self._sign("+-")) is not None:
            minus, signed = minus ^ (sign == "-"), True
        found = self._one()
        while self._sign("%"):
            found = _number(found) / 100
        if not signed:
            return found
        return -_number(found) if minus else _number(found)

    def _one(self) -> Value:
        kind, word = self._next()
        if kind == "number":
            return float(word)
        if kind == "text":
            return word[1:-1].replace('""', '"')
        if kind == "place":
            return self._cell(*_at(word))
        if kind == "name":
            return self._called(word.upper())
        if word != "(":
            raise Unknown
        found = self.joined()
        self._close()
        return found

    def _called(self, name: str) -> Value:
        self._next()
        if name in _OF_NUMBERS:
            return _OF_NUMBERS[name]([*self._numbers()])
        arguments = [self.joined()]
        while self._sign(";,"):
            arguments.append(self.joined())
        self._close()
        if name == "ABS" and len(arguments) == 1:
            return abs(_number(arguments[0]))
        if name == "ROUND" and len(arguments) in {1, 2}:
            return _rounded(_number(arguments[0]), _number(arguments[1]) if arguments[1:] else 0)
        raise Unknown

    def _numbers(self) -> Iterator[float]:
        """The numbers of the arguments; what is no number in cells is passed over."""
        while True:
            ahead = self.tokens[self.place : self.place + 4]
            kinds, signs = [kind for kind, _ in ahead], [word for _, word in ahead]
            size = 3 if kinds[:3] == ["place", "sign", "place"] and signs[1] == ":" else 1
            if kinds[:1] == ["place"] and signs[size : size + 1] and signs[size] in ";,)":
                self.place += size
                yield from (each for each in self._range(_at(signs[0]), _at(signs[size - 1])) if isinstance(each, float))
            else:
                yield _number(self.joined())
            if not self._sign(";,"):
                break
        self._close()

    def _range(self, one: tuple[int, int], other: tuple[int, int]) -> Iterator[Value]:
        (top, bottom), (left, right) = sorted((one[0], other[0])), sorted((one[1], other[1]))
        for row in range(top, min(bottom + 1, self.sheet.rows)):
            for column in range(left, min(right + 1, self.sheet.columns)):
                found = self._cell(row, column)
                if found in _ERRORS:
                    raise _Error(found)
                yield found

    def _cell(self, row: int, column: int) -> Value:
        if (row, column) == self.own:
            raise Unknown
        return self.sheet.at(row, column)

    def _next(self) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            raise Unknown
        self.place += 1
        return self.tokens[self.place - 1]

    def _sign(self, among: str) -> str | None:
        if self.place < len(self.tokens) and self.tokens[self.place][0] == "sign" and self.tokens[self.place][1] in among:
            return self._next()[1]
        return None

    def _close(self) -> None:
        if self._sign(")") is None:
            raise Unknown


def _at(place: str) -> tuple[int, int]:
    """Row and column of a name such as `$B$2`, from 0."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise Unknown
    column = 0
    for letter in match[1].upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1


def _number(found: Value) -> float:
    if isinstance(found, str):
        raise _Error(found if found in _ERRORS else _NO_NUMBER)
    if not math.isfinite(found or 0.0):
        raise Unknown
    return found or 0.0


def _text(found: Value) -> str:
    if isinstance(found, str):
        if found in _ERRORS:
            raise _Error(found)
        return found
    if found is not None and not found.is_integer():
        raise Unknown  # how many digits it has there, is not sure
    return "" if found is None else str(int(found))


def _rounded(number: float, digits: float) -> float:
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP))


def _average(numbers: list[float]) -> float:
    if not numbers:
        raise _Error(_DIVISION)
    return math.fsum(numbers) / len(numbers)


_OF_NUMBERS: Final[dict[str, Callable[[list[float]], float]]] = {
    "SUM": math.fsum,
    "AVERAGE": _average,
    "MIN": lambda numbers: min(numbers, default=0.0),
    "MAX": lambda numbers: max(numbers, default=0.0),
    "COUNT": lambda numbers: float(len(numbers)),
    "PRODUCT": lambda numbers: math.prod(numbers) if numbers else 0.0,
}
