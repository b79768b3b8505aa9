"""What each author has of a text: characters that are there, runs of them, what was deleted."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from collab.authorship import UNKNOWN
from collab.document import painted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from collab.authorship import Authorship, Span
    from collab.updates import Struct

_FIRST = 0x21
"""The character of the first of the authors: none is a line end, none is a surrogate."""
_MOST = 0xD000
"""Authors that are told apart in one text."""
_RUN = re.compile(r"(.)\1*", re.DOTALL)
_ASTRAL = re.compile(r"[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one author, in code points from the start of the text."""

    start: int
    stop: int
    author: str
    """A person's id or a mark."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one author has done. Times are UTC seconds since the epoch, None where nobody noted them."""

    author: str
    characters: int
    """Code points that are there."""
    relayed: int
    """Of these, how many came over somebody else's connection."""
    deleted: int
    """UTF-16 units deleted, of whomever."""
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A text and its authors; those with most characters first. The shares add up to the text's length."""

    length: int
    """Code points."""
    shares: tuple[Share, ...]
    runs: tuple[Run, ...]
    clients: Mapping[int, Sequence[Span]]
    """Whose each client's clocks are, also for shared types other than the text."""


def picture(text: str, state: bytes, authorship: Authorship, now: float) -> Picture:
    """The authors of a document's words, `state` being the whole state that they are of. `now` is the time of edits that were not dated yet."""
    spans = authorship.spans()
    colors = _Colors(spans)
    # What a client wrote into a notebook as a plain value has no characters of its own.
    marks = _by_points(text, painted(state, colors.paint))[: len(text)].ljust(len(text), chr(_FIRST))
    runs: list[Run] = []
    relayed, counts = Counter[str](), Counter[str]()
    for match in _RUN.finditer(marks):
        author, by = colors.meaning(match[1])
        count = match.end() - match.start()
        counts[author] += count
        relayed[author] += count if by else 0
        if runs and runs[-1].author == author:
            runs[-1] = Run(runs[-1].start, match.end(), author)
        else:
            runs.append(Run(match.start(), match.end(), author))
    deleted = authorship.deletions()
    shares = [
        Share(author, counts[author], relayed[author], deleted.get(author, 0), *_times(authorship, author, now))
        for author in {*counts, *deleted}
    ]
    shares.sort(key=lambda share: (-share.characters, -share.deleted, share.author))
    return Picture(len(text), tuple(shares), tuple(runs), spans)


def _times(authorship: Authorship, author: str, now: float) -> tuple[float | None, float | None]:
    first, last = authorship.times.get(author, (None, None))
    return (first if first is not None else now, now) if author in authorship.undated else (first, last)


class _Colors:
    """A character for each author, and for each who relayed what."""

    def __init__(self, spans: Mapping[int, Sequence[Span]]) -> None:
        self._spans = spans
        known = sorted({(who, by) for each in spans.values() for _, _, who, by in each})
        self._meanings = [(UNKNOWN, ""), *known[: _MOST - 1]]
        self._letters = {meaning: chr(_FIRST + place) for place, meaning in enumerate(self._meanings)}

    def meaning(self, letter: str) -> tuple[str, str]:
        """Who wrote and who relayed."""
        place = ord(letter) - _FIRST
        return self._meanings[place] if 0 <= place < len(self._meanings) else (UNKNOWN, "")

    def paint(self, struct: Struct) -> str:
        """A letter for each clock of the struct."""
        return "".join(self._pieces(struct))

    def _pieces(self, struct: Struct) -> Iterator[str]:
        spans = self._spans.get(struct.client, ())
        at = struct.clock
        place = max(bisect_right(spans, at, key=itemgetter(0)) - 1, 0)
        for start, end, who, by in spans[place:]:
            if start >= struct.end:
                break
            if start > at:
                yield chr(_FIRST) * (start - at)
            begin, stop = max(start, at), min(end, struct.end)
            if begin < stop:
                yield self._letters.get((who, by), chr(_FIRST)) * (stop - begin)
                at = stop
        yield chr(_FIRST) * (struct.end - at)


def _by_points(text: str, marks: str) -> str:
    """One mark a code point: of a pair of surrogates the first."""
    pieces, at = [], 0
    for place, match in enumerate(_ASTRAL.finditer(text)):
        second = match.start() + place + 1
        pieces.append(marks[at:second])
        at = second + 1
    return "".join((*pieces, marks[at:]))
