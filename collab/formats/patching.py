"""Edits that somebody names by their places in a body: a new body."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from collab.errors import Malformed
from collab.formats.offsets import Unit, convert, length
from collab.formats.text import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    size = length(text, unit)
    for each in ordered:
        if not 0 <= each.start <= each.stop <= size:
            raise Malformed(f"an edit from {each.start} to {each.stop} is not in the text, which ends at {size}")
    for before, after in pairwise(ordered):
        if after.start < before.stop or (after.start, after.stop) == (before.start, before.stop):
            raise Malformed(f"two edits overlap at {after.start}: make them one")
    points = [(_point(text, each.start, unit), _point(text, each.stop, unit), each.text) for each in ordered]
    pieces: list[str] = []
    done = shift = 0
    kept = {mark.utf8: mark.ending for mark in marks}
    for start, stop, new in points:
        pieces += [text[done:start], new]
        done = stop
        at, end = (length(text[:place], Unit.UTF8) for place in (start, stop))
        moved = len(new.encode()) - (end - at)
        kept = {place + moved * (place >= end + shift): ending for place, ending in kept.items() if not at + shift <= place < end + shift}
        shift += moved
    pieces.append(text[done:])
    return encode("".join(pieces).replace("\r\n", "\n").replace("\r", "\n"), form, kept)


def _point(text: str, place: int, unit: Unit) -> int:
    try:
        point = convert(text, place, given=unit, wanted=Unit.POINT)
    except ValueError:
        raise Malformed(f"the place {place} is inside a character") from None
    if convert(text, point, given=Unit.POINT, wanted=unit) != place:
        raise Malformed(f"the place {place} is inside a character")
    return point
