"""Edits that somebody names by their places in a body: a new body."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from collab.errors import Malformed
from collab.formats.offsets import Unit, length
from collab.formats.text import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collab.formats.text import Mark


class Replacement(NamedTuple):
    """Replace what is from `start` up to `stop` by `text`."""

    start: int
    stop: int
    text: str


def patched(body: bytes, replacements: Sequence[Replacement], unit: Unit) -> bytes:
    """The body with these replacements, in any order; places count in `unit` in its text, whose line ends are one LF each.

    Line ends and byte order mark stay as they were. Malformed for places that are not in the text, inside a character, or overlap; NotText.
    """
    text, form, marks = decode(body)
    ordered = sorted(replacements, key=lambda each: (each.start, each.stop))
    _check(ordered, length(text, unit))
    raw = text.encode()
    places = _in_utf8(text, raw, sorted({place for each in ordered for place in (each.start, each.stop)}), unit)
    edits = [(places[each.start], places[each.stop], _lines(each.text).encode()) for each in ordered]
    return encode(_applied(raw, edits).decode(), form, _moved(marks, edits))


def _check(ordered: Sequence[Replacement], size: int) -> None:
    for each in ordered:
        if not 0 <= each.start <= each.stop <= size:
            raise Malformed(f"an edit from {each.start} to {each.stop} is not in the text, which ends at {size}")
    for before, after in pairwise(ordered):
        if after.start < before.stop or (after.start, after.stop) == (before.start, before.stop):
            raise Malformed(f"two edits overlap at {after.start}: make them one")


def _in_utf8(text: str, raw: bytes, places: Iterable[int], unit: Unit) -> dict[int, int]:
    """Each of these places, which ascend, counted in bytes of UTF-8; the text is walked through once."""
    units = text.encode("utf-16-le") if unit is Unit.UTF16 else b""
    found: dict[int, int] = {}
    done = at = 0
    for place in places:
        if _inside(raw, units, place, unit):
            raise Malformed(f"the place {place} is inside a character")
        if unit is Unit.UTF8:
            at = place
        elif unit is Unit.UTF16:
            at += len(units[2 * done : 2 * place].decode("utf-16-le").encode())
        else:
            at += len(text[done:place].encode())
        found[place], done = at, place
    return found


def _inside(raw: bytes, units: bytes, place: int, unit: Unit) -> bool:
    if unit is Unit.UTF8:
        return place < len(raw) and raw[place] & 0xC0 == 0x80
    return unit is Unit.UTF16 and 2 * place < len(units) and units[2 * place + 1] & 0xFC == 0xDC


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _applied(raw: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    pieces, done = [], 0
    for start, stop, new in edits:
        pieces += [raw[done:start], new]
        done = stop
    return b"".join([*pieces, raw[done:]])


def _moved(marks: Iterable[Mark], edits: Sequence[tuple[int, int, bytes]]) -> dict[int, str]:
    """The line ends that are not the commonest, where they are after the edits; those that were replaced are gone."""
    kept: dict[int, str] = {}
    index = shift = 0
    for mark in marks:
        while index < len(edits) and edits[index][1] <= mark.utf8:
            start, stop, new = edits[index]
            shift += len(new) - (stop - start)
            index += 1
        if index == len(edits) or mark.utf8 < edits[index][0]:
            kept[mark.utf8 + shift] = mark.ending
    return kept
