"""How much speaks against somebody having read a text who then wrote another one: what was deleted and inserted, and what would be there twice."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING

from collab import merge

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_A_ROW = 4
"""Words in a row that two people do not write by chance."""
TWICE = 16
"""What somebody would have written anew that was known here already weighs so much more than what he would have deleted."""
TAKEN = 4
"""What is here, and a writer would have taken out, or written once more, weighs so much more than what he has written."""
LETTERS = 1 << 13
"""Letters of two texts, or of a change, that are compared one by one."""
MOST = 64
"""Runs of known words that are looked at, the longest first."""
_WORD = re.compile(r"\w+")


class Known:
    """A text that is known here. It is read when it is first asked."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, part: str) -> bool:
        """Whether this is somewhere in it."""
        return part in self._text

    @cached_property
    def _rows(self) -> frozenset[int]:
        return frozenset(map(hash, _rows(_WORD.findall(self._text))))

    def runs(self, text: str) -> Iterator[str]:
        """The stretches of another text whose words are here too, in a row."""
        words = list(_WORD.finditer(text))
        if len(words) < IN_A_ROW:
            return
        start = end = -1
        for place, row in enumerate(_rows([word.group() for word in words])):
            if hash(row) not in self._rows:
                continue
            if place > end:
                if start >= 0:
                    yield text[words[start].start() : words[end].end()]
                start = place
            end = place + IN_A_ROW - 1
        if start >= 0:
            yield text[words[start].start() : words[end].end()]


def _rows(words: list[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(IN_A_ROW)), strict=False)


def cost(base: str, new: str, known: Known, *, whole: str = "") -> int:
    """Bytes that were deleted and inserted to make `new` of `base`; known words which `base` has not, nor `whole` of which it is a part, count
    more: they would be there twice.
    """
    raw = base.encode()
    total = 0
    runs: list[str] = []
    for start, stop, text in merge.edits(base, new):
        gone, come = raw[start:stop].decode(), len(text.encode())
        total += come - (stop - start) if _grown(gone, text) else come + stop - start
        runs += known.runs(text)
    return total + TWICE * sum(len(run.encode()) for run in nlargest(MOST, runs, key=len) if run not in (whole or base))


def steps(base: str, new: str, known: Known) -> int:
    """As `cost`, of a writer who may have read one of several texts of the same hour. Who has not seen something that is here looks as if he had taken
    it out, and who has seen something that the base has not, as if he wrote it once more: either weighs fourfold.
    """
    total = 0
    runs: list[str] = []
    words: list[str] = []
    for gone, text in _pieces(base, new):
        total += len(text.encode())
        total += sum(len(word.encode()) * (TAKEN if word in known else 1) for word in merge.words(gone))
        runs += known.runs(text)
        words += [word for word in merge.words(text) if len(word.encode()) > 1 and not word.isspace()]
    twice = [word for word in nlargest(MOST, words, key=len) if word in known and word not in base]
    total += (TAKEN - 1) * sum(len(word.encode()) for word in twice)
    return total + TWICE * sum(len(run.encode()) for run in nlargest(MOST, runs, key=len) if run not in base)


def _pieces(base: str, new: str) -> Iterator[tuple[str, str]]:
    """What was taken out and what was put in its place: of short texts letter by letter, of long ones where they differ."""
    raw = base.encode()
    whole = len(base) + len(new) <= LETTERS
    for start, stop, text in merge.letters(base, new) if whole else merge.edits(base, new):
        gone = raw[start:stop].decode()
        if whole or not gone or not text or len(gone) + len(text) > LETTERS:
            yield gone, text
            continue
        inner = gone.encode()
        for begin, end, come in merge.letters(gone, text):
            yield inner[begin:end].decode(), come


def _grown(part: str, whole: str) -> bool:
    """Whether a text is there when some words of another one are left out: a word that something was put into is two words afterwards."""
    for word in merge.words(whole):
        part = part.removeprefix(word)
        if not part:
            return True
    return False


def remains(base: str, new: str) -> float:
    """How much of a text is left in another one, white space not counted: from 0.0 (nothing, or there was none) to 1.0."""
    ours, theirs = base.splitlines(keepends=True), new.splitlines(keepends=True)
    both = Counter(ours) & Counter(theirs)
    a, b = ("".join((Counter(side) - both).elements()) for side in (ours, theirs))
    whole = _solid(base)
    return (whole - sum(_taken(a, b))) / whole if whole else 0.0


def _taken(base: str, new: str) -> Iterator[int]:
    """The lengths of the words that are not whole any more."""
    raw, at = base.encode(), 0
    gone = [(start, stop) for start, stop, text in merge.edits(base, new) if start < stop and not _grown(raw[start:stop].decode(), text)][
        ::-1
    ]
    for word in merge.words(base):
        end = at + len(word.encode())
        while gone and gone[-1][1] <= at:
            gone.pop()
        if gone and gone[-1][0] < end:
            yield _solid(word)
        at = end


def _solid(text: str) -> int:
    return sum(map(len, text.split()))
