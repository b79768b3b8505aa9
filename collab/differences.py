"""How two texts differ, as people read it: what is the same, what went, what came."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from collab import merge

LONGEST = 64
"""Characters of a word; what is longer is none."""
# Scripts without spaces between words (Thai to Khmer, kana, Han) are read letter by letter.
_LETTER = (
    r"(?:(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff_])\w|[\u0300-\u036f])"
)
_HEAD = re.compile(rf"{_LETTER}+")
_TAIL = re.compile(rf"{_LETTER}+\Z")


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of two texts: `same`, `added` (only in the later one) or `removed` (only in the earlier one)."""

    kind: str
    text: str


def changes(earlier: str, later: str) -> list[Change]:
    """The stretches in order: those that are same or removed make the earlier text, those that are same or added the later one.

    Where a part of a word was exchanged, the whole word was; what is only put into a word, or taken out, stands for itself.
    """
    return [Change(kind, text) for turn in _widened(_turns(earlier, later)) for kind, text in zip(_KINDS, turn, strict=True) if text]


_KINDS = ("removed", "added", "same")
_Turn = tuple[str, str, str]
"""What went, what came in its place, and what is the same after that."""


def _turns(earlier: str, later: str) -> list[_Turn]:
    raw = earlier.encode()
    edits = merge.edits(earlier, later)
    borders = [(0, 0, ""), *edits, (len(raw), len(raw), "")]
    return [(raw[start:stop].decode(), text, raw[stop:after].decode()) for (start, stop, text), (after, _, _) in pairwise(borders)]


def _widened(turns: list[_Turn]) -> list[_Turn]:
    found: list[_Turn] = []
    for went, came, same in turns:
        head = _end_of_word(found[-1][2], went, came) if found else ""
        tail = _rest_of_word(same, went, came)
        if head:
            found[-1] = (*found[-1][:2], found[-1][2][: -len(head)])
        turn = (head + went + tail, head + came + tail, same[len(tail) :])
        if found and found[-1][2] == "" and any(found[-1]):
            before = found.pop()
            turn = (before[0] + turn[0], before[1] + turn[1], turn[2])
        found.append(turn)
    return found


def _end_of_word(same: str, went: str, came: str) -> str:
    """The part of a word before what was exchanged."""
    if not went or not came or not (_HEAD.match(went) or _HEAD.match(came)):
        return ""
    match = _TAIL.search(same, max(0, len(same) - LONGEST))
    return match.group() if match and len(match.group()) < LONGEST else ""


def _rest_of_word(same: str, went: str, came: str) -> str:
    """The part of a word after it."""
    if not went or not came or not (_TAIL.search(went, max(0, len(went) - 2)) or _TAIL.search(came, max(0, len(came) - 2))):
        return ""
    match = _HEAD.match(same, 0, LONGEST)
    return match.group() if match and len(match.group()) < LONGEST else ""
