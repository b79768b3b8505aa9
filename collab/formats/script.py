"""How a JSON file is written: order of keys, white space, digits, escapes. With the value it gives the file again, byte for byte.

A *shape* says of one value only what is otherwise than the file's style would have it: None, or an object of
`w` the value as it was written, as long as it is that value; `o` the number of its keys' order; `g` for each member that is
spaced otherwise [before the key, the key, before the colon, behind it, behind the value]; `e` what stands before the closing bracket;
`c` the shapes of its members; `t` true for a text that is a list of lines where most are strings, or the other way.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # its types leave it out
from json.encoder import encode_basestring, encode_basestring_ascii
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from collab.errors import NotText, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json: TypeAlias = "dict[str, Any] | list[Any] | str | float | bool | None"
Shape: TypeAlias = "dict[str, Any] | None"

DEPTH = 30
"""Values nested deeper cannot be shared."""
VALUES = 2_000_000
"""Values that one file may have."""
EXACT = 2**53
"""Integers up to here are the same in every client."""
_BOM = "\ufeff"
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "NaN": None, "Infinity": None, "-Infinity": None}
_WORD = re.compile("|".join(_WORDS))
_FIRST = re.compile(r"\s*\{((?:\r?\n)?)([ \t]*)")
_COLON = re.compile(r'^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:([ \t]*)')
_COMMA = re.compile(r'[\]"0-9el],([ \t]*)"')
_ESCAPE = re.compile(r"\\u(?!00[01])", re.IGNORECASE)
TEXTS = frozenset(("source", "text"))
"""Keys of texts that a file may have as a list of lines."""


class Raw(str):
    """A value as it was written."""

    __slots__ = ()


def lines(text: str) -> list[str]:
    """A text as notebooks have it in their files."""
    return text.splitlines(keepends=True)


def plain(value: object) -> Json:
    """A value as it can be shared: numbers are doubles (so 1.0 is 1), what is no number in JSON is null, halves of surrogates are U+FFFD."""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {_whole(key): plain(each) for key, each in value.items()}
    return None  # what clients can share and files cannot hold


def _number(value: float) -> float | None:
    if isinstance(value, int):
        if -EXACT <= value <= EXACT:
            return value
        try:
            return float(value)
        except OverflowError:
            return None
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() and -EXACT <= value <= EXACT else value


def _whole(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


@dataclass(frozen=True, slots=True)
class Style:
    """How the file is written as a rule."""

    indent: str | None = " "
    """Of one level; None: all in one line."""
    eol: str = "\n"
    item: str = ""
    """Behind a comma in one line."""
    colon: str = " "
    """Behind a colon."""
    ascii: bool = False
    """Whether everything else is written as escapes."""

    def before(self, depth: int, *, first: bool) -> str:
        """What stands before a member of something at this depth."""
        if self.indent is not None:
            return self.eol + self.indent * (depth + 1)
        return "" if first else self.item

    def end(self, depth: int) -> str:
        """What stands before the closing bracket."""
        return "" if self.indent is None else self.eol + self.indent * depth

    def string(self, text: str) -> str:
        """A string."""
        return encode_basestring_ascii(text) if self.ascii else encode_basestring(text)

    def scalar(self, value: Json) -> str:
        """What is neither list nor object."""
        if isinstance(value, str):
            return self.string(value)
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        return repr(value)


def style_of(text: str) -> Style:
    """How this file, an object, is written as a rule, as far as its first lines tell."""
    first = _FIRST.match(text)
    eol, space = first.groups() if first else ("\n", " ")
    colon = _COLON.match(text)
    after = colon.group(1) if colon else " "
    comma = None if eol else _COMMA.search(text)
    item = comma.group(1) if comma else ""
    return Style(space if eol else None, eol or "\n", item, after, ascii=text.isascii() and _ESCAPE.search(text) is not None)


@dataclass(slots=True)
class Orders:
    """The orders of keys that are not the alphabet's."""

    rows: list[list[str]] = field(default_factory=list)
    _numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    _usual: dict[frozenset[str], int] = field(default_factory=dict)
    """Of objects with these keys."""

    def __post_init__(self) -> None:
        """Rows that were read."""
        for number, row in enumerate(self.rows):
            self._numbers.setdefault(tuple(row), number)
            self._usual.setdefault(frozenset(row), number)

    def number(self, keys: Sequence[str]) -> int | None:
        """The number of this order; None when an object with these keys has it anyway."""
        known = self._usual.get(frozenset(keys))
        if known is None and list(keys) == sorted(keys):
            return None
        number = self._numbers.get(tuple(keys))
        if number is None:
            number = self._numbers[tuple(keys)] = len(self.rows)
            self.rows.append(list(keys))
            self._usual.setdefault(frozenset(keys), number)
        return number

    def arranged(self, value: Mapping[str, Json], number: int | None) -> list[str]:
        """The keys of an object in their order, new ones behind."""
        if number is None:
            number = self._usual.get(frozenset(value))
        if number is None or number >= len(self.rows):
            return sorted(value)
        known = self.rows[number]
        return [key for key in known if key in value] + sorted(set(value).difference(known))


class Reading:
    """One file that is read; gives values as they can be shared, and their shapes."""

    def __init__(self, text: str, style: Style) -> None:
        self.text = text
        self.style = style
        self.orders = Orders()
        self.members: dict[str, tuple[int, int]] = {}
        """Where the values of the outermost object stand."""
        self._left = VALUES

    def whole(self) -> tuple[Json, Shape, tuple[str, str]]:
        """The value of the whole text, its shape, and what stands before and behind it. NotText, TooLarge."""
        start = self._space(0)
        value, shape, end = self.value(start, 0)
        behind = self._space(end)
        if behind != len(self.text):
            raise self._fault(behind)
        return value, shape, (self.text[:start], self.text[end:])

    def value(self, at: int, depth: int) -> tuple[Json, Shape, int]:
        """The value at a place, its shape, and where it ends."""
        self._left -= 1
        if self._left < 0:
            raise TooLarge(f"it has over {VALUES} values")
        first = self.text[at : at + 1]
        if first == '"':
            return self._string(at)
        if first in {"{", "["} and first:
            if depth >= DEPTH:
                raise NotText(f"its values are nested deeper than {DEPTH}")
            return self._object(at, depth) if first == "{" else self._array(at, depth)
        return self._scalar(at)

    def _string(self, at: int) -> tuple[str, Shape, int]:
        try:
            found, end = scanstring(self.text, at + 1, True)
        except ValueError as error:
            raise NotText(f"it is not JSON: {error}") from None
        value, written = _whole(found), self.text[at:end]
        return value, None if self.style.string(value) == written else {"w": written}, end

    def _scalar(self, at: int) -> tuple[Json, Shape, int]:
        word = _WORD.match(self.text, at)
        if word is not None:
            value = _WORDS[word.group()]
            written = word.group()
        else:
            digits = _NUMBER.match(self.text, at)
            if digits is None:
                raise self._fault(at)
            written = digits.group()
            value = _number(_parsed(written))
        return value, None if self.style.scalar(value) == written else {"w": written}, at + len(written)

    def _array(self, at: int, depth: int) -> tuple[list[Json], Shape, int]:
        shape = _Spacing(self.style, depth)
        found: list[Json] = []
        place = self._space(at + 1)
        if self.text[place : place + 1] == "]":
            return found, shape.empty(self.text[at + 1 : place]), place + 1
        before = at + 1
        while True:
            value, each, end = self.value(place, depth + 1)
            behind = self._space(end)
            closed = self._closed(behind, "]")
            gaps = (self.text[before:place], None, "", self.style.colon, "" if closed else self.text[end:behind])
            shape.member(str(len(found)), each, gaps, first=not found)
            found.append(value)
            if closed:
                return found, shape.made(self.text[end:behind]), behind + 1
            before, place = behind + 1, self._space(behind + 1)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Json], Shape, int]:
        shape = _Spacing(self.style, depth)
        found: dict[str, Json] = {}
        doubled = False
        place = self._space(at + 1)
        if self.text[place : place + 1] == "}":
            return found, shape.empty(self.text[at + 1 : place]), place + 1
        before = at + 1
        while True:
            if self.text[place : place + 1] != '"':
                raise self._fault(place)
            key, odd, key_end = self._string(place)
            colon = self._space(key_end)
            if self.text[colon : colon + 1] != ":":
                raise self._fault(colon)
            start = self._space(colon + 1)
            value, each, end = self.value(start, depth + 1)
            if not depth:
                self.members[key] = start, end
            if key in TEXTS:
                each = self._text(value, each, start, end)
            behind = self._space(end)
            closed = self._closed(behind, "}")
            gaps = (self.text[before:place], odd["w"] if odd else None, self.text[key_end:colon], self.text[colon + 1 : start])
            shape.member(key, each, (*gaps, "" if closed else self.text[end:behind]), first=not found)
            doubled |= key in found
            found[key] = value
            if closed:
                if doubled:
                    return found, {"w": self.text[at : behind + 1]}, behind + 1
                shape.ordered(self.orders.number([*found]))
                return found, shape.made(self.text[end:behind]), behind + 1
            before, place = behind + 1, self._space(behind + 1)

    def _text(self, value: Json, shape: Shape, start: int, end: int) -> Shape:
        """A text in lines that are cut or written otherwise than they would be is kept as it is."""
        if isinstance(value, list) and all(isinstance(each, str) for each in value) and (shape or value != lines("".join(value))):
            return {"w": self.text[start:end]}
        return shape

    def _closed(self, at: int, bracket: str) -> bool:
        mark = self.text[at : at + 1]
        if mark not in {",", bracket}:
            raise self._fault(at)
        return mark == bracket

    def _space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _fault(self, at: int) -> NotText:
        line = self.text.count("\n", 0, at) + 1
        return NotText(f"it is not JSON: line {line}, column {at - self.text.rfind(chr(10), 0, at)}")


class _Spacing:
    """The shape of a list or object while it is read."""

    def __init__(self, style: Style, depth: int) -> None:
        self._style = style
        self._depth = depth
        self._gaps: dict[str, list[str | None]] = {}
        self._members: dict[str, Shape] = {}
        self._order: int | None = None

    def empty(self, inside: str) -> Shape:
        return {"e": inside} if inside else None

    def member(self, name: str, shape: Shape, gaps: tuple[str, str | None, str, str, str], *, first: bool) -> None:
        usual = (self._style.before(self._depth, first=first), None, "", self._style.colon, "")
        if gaps != usual:
            self._gaps[name] = list(gaps)
        if shape is not None:
            self._members[name] = shape

    def ordered(self, order: int | None) -> None:
        self._order = order

    def made(self, end: str) -> Shape:
        shape: dict[str, Any] = {}
        if self._members:
            shape["c"] = self._members
        if self._gaps:
            shape["g"] = self._gaps
        if self._order is not None:
            shape["o"] = self._order
        if end != self._style.end(self._depth):
            shape["e"] = end
        return shape or None


def _parsed(digits: str) -> float:
    try:
        return int(digits)
    except ValueError:
        return float(digits) if len(digits) < 4_000 else float("nan")


class Writing:
    """Writes values with their shapes."""

    def __init__(self, style: Style, orders: Orders) -> None:
        self.style = style
        self.orders = orders

    def text(self, value: Json, shape: Shape, depth: int) -> str:
        """The value as it is written at this depth."""
        return "".join(self._pieces(value, shape, depth))

    def _pieces(self, value: Json, shape: Shape, depth: int) -> Iterator[str]:
        if isinstance(value, Raw):
            yield value
        elif shape is not None and "w" in shape and written_value(shape["w"]) == value:
            yield shape["w"]
        elif isinstance(value, dict):
            keys = self.orders.arranged(value, shape.get("o") if shape else None)
            yield from self._members("{}", [(key, key, value[key]) for key in keys], shape, depth)
        elif isinstance(value, list):
            yield from self._members("[]", [(str(place), None, each) for place, each in enumerate(value)], shape, depth)
        else:
            yield self.style.scalar(value)

    def _members(self, brackets: str, members: list[tuple[str, str | None, Json]], shape: Shape, depth: int) -> Iterator[str]:
        shapes = (shape or {}).get("c", {})
        texts = [(name, key, self.text(value, shapes.get(name), depth + 1)) for name, key, value in members]
        yield from self.joined(brackets, texts, shape, depth)

    def joined(self, brackets: str, members: Sequence[tuple[str, str | None, str]], shape: Shape, depth: int) -> Iterator[str]:
        """A list or object of members (name in the shape, key, written value)."""
        gaps = (shape or {}).get("g", {})
        yield brackets[0]
        for place, (name, key, text) in enumerate(members):
            last = place == len(members) - 1
            before, odd, ahead, colon, behind = gaps.get(name) or (
                self.style.before(depth, first=not place), None, "", self.style.colon, "",
            )  # fmt: skip
            yield before
            if key is not None:
                yield from (odd or self.style.string(key), ahead, ":", colon)
            yield text
            yield "" if last else behind + ","
        yield self._end(members, shape, depth)
        yield brackets[1]

    def _end(self, members: Sequence[object], shape: Shape, depth: int) -> str:
        if shape is not None and "e" in shape and (members or not (shape.get("c") or shape.get("g"))):
            return cast("str", shape["e"])
        return self.style.end(depth) if members else ""


def written_value(written: str) -> Json:
    """The value of something that was written, as it can be shared."""
    return plain(json.loads(written, parse_int=_parsed))


def split_mark(body: str) -> tuple[bool, str]:
    """Whether there is a byte order mark, and the text without it."""
    return body.startswith(_BOM), body.removeprefix(_BOM)
