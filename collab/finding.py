"""What a person looks for, in names and in texts: all words, in any case, with the places where they stand.

Compared is what Unicode calls a canonical caseless match (The Unicode Standard, section 3.13, D145): "strasse" finds "Straße", and "é" is "é"
however it is written. Folding changes lengths, so the places are counted back to the text as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final
from unicodedata import combining, normalize

import regex

from collab.errors import Malformed
from collab.formats.offsets import Unit, length

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST: Final = 200
"""Characters of what is looked for."""
WORDS: Final = 12
"""Words of it."""
LINES: Final = 20
"""Lines of one text that are told."""
WIDTH: Final = 160
"""Characters of a line that are told."""
PIECE: Final = 64 * 1024
"""Characters that are compared at once, and so for how long nothing else can run; of a longer line the end is compared again."""

_BEFORE: Final = 40
"""Characters that are told before the first match of a long line."""
_OVERLAP: Final = 4 * LONGEST + WIDTH
"""Characters of a long line that are looked at again with what follows: a character becomes four at most."""
_MORE: Final = "…"
_TAG = regex.compile(r'(?<!\S)tag:("[^"]*"?|\S*)')
_CHARACTER = regex.compile(r"\X")


def fold(text: str) -> str:
    """The same for all that differs only in case or in how it is written."""
    if text.isascii():
        return text.lower()
    return normalize("NFD", normalize("NFD", text).casefold())


@dataclass(frozen=True, slots=True)
class Match:
    """A line in which words were found. `ranges` are places in `text`, in UTF-16 units, in order and apart."""

    line: int
    """Counted from 1."""
    text: str
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Words, folded. None of them is ever read as a pattern."""

    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    """Beginnings of tags that a document must have, folded."""

    @classmethod
    def of(cls, text: str) -> Query:
        """The words of what somebody typed, and the tags: `tag:genome`, or `tag:"lab notes"`. `Malformed` when there is nothing, or too much."""
        folded = fold(text[: LONGEST + 1])
        tags = tuple(dict.fromkeys(" ".join(each[1].strip('"').split()) for each in _TAG.finditer(folded)))
        words = tuple(dict.fromkeys(_TAG.sub(" ", folded).split()))
        if not words and not any(tags):
            raise Malformed("say what to look for: at least one word, or a tag behind tag:")
        if len(text) > LONGEST or len(words) + len(tags) > WORDS:
            raise Malformed(f"look for at most {WORDS} words, of {LONGEST} characters together")
        return cls(words, tags)

    def names(self, path: str) -> bool:
        """Whether the name is one that is looked for: all words are in the path, and one at least in its last part. Any is, when only tags are asked for."""
        if not self.words:
            return True
        folded = fold(path)
        return all(word in folded for word in self.words) and len(self.missing(path)) < len(self.words)

    def missing(self, path: str) -> frozenset[str]:
        """The words that are not in the last part of the path."""
        folded = fold(path.rpartition("/")[2])
        return frozenset(word for word in self.words if word not in folded)


@dataclass(slots=True)
class Hunt:
    """Looks for a query in one text, which is fed in pieces of any length. `missing` are the words that the text must have."""

    query: Query
    missing: set[str]
    matches: list[Match] = field(default_factory=list)
    _line: int = 1
    _rest: str = ""
    """The text that was not looked at, or of a long line its end."""
    _inside: bool = False
    """The rest begins inside a line."""
    _told: bool = False
    """The line was told."""

    @property
    def found(self) -> bool:
        """Whether the text has every word that it must have."""
        return not self.missing

    @property
    def over(self) -> bool:
        """Whether more of the text would tell nothing new."""
        return self.found and len(self.matches) == LINES

    def feed(self, text: str) -> None:
        """The next characters of the text."""
        for start in range(0, len(text), PIECE):
            if self.over:
                return
            self._take(text[start : start + PIECE])

    def end(self) -> None:
        """There is no more."""
        rest, self._rest = self._rest, ""
        self._look(_lines(rest), last=True)

    def _take(self, piece: str) -> None:
        text = self._rest + piece
        # The LF of a CRLF may be in the next piece.
        whole, kept = (text[:-1], "\r") if text.endswith("\r") else (text, "")
        *lines, rest = _lines(whole)
        self._look(lines, last=False)
        if len(rest) > PIECE:
            folded = fold(rest)
            self._match(rest, folded, len(folded) - WIDTH)
            rest, self._inside = rest[-_OVERLAP:], True
        self._rest = rest + kept

    def _look(self, lines: Sequence[str], *, last: bool) -> None:
        """Look at whole lines; the last of a text has no line end."""
        folded = fold("\n".join(lines))
        if any(word in folded for word in self._wanted()):
            for line, caseless in zip(lines, folded.split("\n"), strict=True):
                self._match(line, caseless, len(caseless))
                self._next()
        elif lines:
            self._next(len(lines))
        if last:
            self._rest = ""

    def _next(self, lines: int = 1) -> None:
        self._line += lines
        self._inside = self._told = False

    def _wanted(self) -> Sequence[str]:
        """What is worth looking for: every word while lines are told, then what is still missing."""
        return self.query.words if len(self.matches) < LINES else tuple(self.missing)

    def _match(self, line: str, folded: str, end: int) -> None:
        """Look at a line, or at a part of a long one; what begins after `end` is looked at with what follows."""
        found = [(word, *place) for word in self._wanted() for place in _places(word, folded) if place[0] < end]
        if not found:
            return
        self.missing.difference_update(word for word, _, _ in found)
        if self._told or len(self.matches) == LINES:
            return
        ranges = _joined(_counted_back(line, folded, [(start, end) for _, start, end in found]))
        self.matches.append(_shown(self._line, line, ranges, begun=self._inside))
        self._told = True


def _lines(text: str) -> list[str]:
    """Split as editors do; what else Unicode calls a line end is a character like others."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _places(word: str, folded: str) -> Iterator[tuple[int, int]]:
    """Where the word stands, one after the other. An accent behind it would make another letter of its last one."""
    at = folded.find(word)
    while at >= 0:
        end = at + len(word)
        whole = end == len(folded) or not combining(folded[end])
        if whole:
            yield at, end
        at = folded.find(word, end if whole else at + 1)


def _counted_back(line: str, folded: str, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places of the folded line as places of the line; a character of which a part is meant is meant as a whole."""
    # Folding makes no character shorter than it was: the same length means the same places.
    if len(folded) == len(line):
        return list(places)
    ends = list(accumulate(len(fold(character)) for character in line))
    return [(bisect_right(ends, start), bisect_right(ends, end - 1) + 1) for start, end in places]


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, with those that touch or overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _shown(number: int, line: str, ranges: Sequence[tuple[int, int]], *, begun: bool) -> Match:
    """The line, or so much of it around the first range as is told; `begun`: it is the end of a longer one."""
    left, right = _window(line, ranges[0])
    before = _MORE if left or begun else ""
    text = before + line[left:right] + (_MORE if right < len(line) else "")
    shift = len(before) - left
    inside = [(max(start, left) + shift, min(end, right) + shift) for start, end in ranges if start < right and end > left]
    return Match(number, text, tuple((_utf16(text, start), _utf16(text, end)) for start, end in inside))


def _window(line: str, first: tuple[int, int]) -> tuple[int, int]:
    """What is told of a line: whole characters as people see them."""
    if len(line) <= WIDTH:
        return 0, len(line)
    width = WIDTH - 2 * len(_MORE)
    left = max(0, min(first[0] - _BEFORE, len(line) - width))
    right = min(len(line), left + width)
    edges = _edges(line, left, right)
    start = next((edge for edge in edges if left <= edge <= first[0]), left)
    end = next((edge for edge in reversed(edges) if start < edge <= right), right)
    return start, end


def _edges(line: str, left: int, right: int) -> list[int]:
    """Where characters begin and end near a window. They are counted from an ASCII character on, which never goes on one before it."""
    start = next((at for at in range(left, max(0, left - WIDTH), -1) if line[at].isascii()), max(0, left - WIDTH))
    start = 0 if left == 0 else start
    return [start, *(match.end() for match in _CHARACTER.finditer(line, start, min(len(line), right + WIDTH)))]


def _utf16(text: str, place: int) -> int:
    return length(text[:place], Unit.UTF16)
