"""Places in a text, counted three ways: UTF-8 bytes (pycrdt), UTF-16 units (yjs, browsers) and code points (Python)."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """What an offset counts."""

    UTF8 = "utf-8"
    UTF16 = "utf-16-le"
    POINT = "utf-32-le"


_WIDTH = {Unit.UTF8: 1, Unit.UTF16: 2, Unit.POINT: 4}


def length(text: str, unit: Unit) -> int:
    """The length of `text` in `unit`."""
    if unit is Unit.POINT or text.isascii():
        return len(text)
    return len(text.encode(unit.value)) // _WIDTH[unit]


def convert(text: str, offset: int, *, given: Unit, wanted: Unit) -> int:
    """The place `offset` of `text`, counted in `given`, counted in `wanted`.

    Raises `ValueError` for an offset outside the text or inside a character (between its bytes or its surrogates).
    """
    if not 0 <= offset <= length(text, given):
        raise ValueError(f"offset {offset} is outside the text")
    if given is wanted or text.isascii():
        return offset
    return length(_before(text, offset, given), wanted)


def _before(text: str, offset: int, unit: Unit) -> str:
    if unit is Unit.POINT:
        return text[:offset]
    return text.encode(unit.value)[: offset * _WIDTH[unit]].decode(unit.value)
