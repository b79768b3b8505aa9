"""What changed between two texts, as small edits that leave alone what both have: the edits of a fork, merged three ways.

How it is found: what both begin and end with is cut off, then lines are compared, then words inside the lines that differ;
an edit begins and ends between grapheme clusters (UAX #29) of both texts. The result depends on the two texts only, never on
time, and the work is bounded: beyond the bound an edit becomes larger, not slower. `VERSION` changes with the result.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from heapq import nsmallest
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import regex
from fast_diff_match_patch import diff  # type: ignore[import-not-found]  # it brings no types

from collab.formats.offsets import Unit, length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VERSION = 1

_WORK = 1 << 28
"""Steps that one comparison may cost: about a second."""
_EXACT = 1 << 13
"""Tokens that are compared exactly; more are first cut at what is unique in both."""
_TOKEN = 1 << 10
"""Steps that one token costs, whatever it is compared with."""
_GRAM = 4
"""Tokens in a row that are likely to be unique where single ones are not."""
_PAIRED = 1 << 15
"""Characters above which as many changed lines on both sides are compared line by line."""
_PHRASED = 1 << 14
"""Characters of a line above which it is compared by phrases before words."""
_REACH = 1 << 12
"""Characters in which a line's border is looked for around a change."""
_REACHES = (1 << 10, 1 << 12, 1 << 14, 1 << 16)
"""Characters after a change at which the texts are looked at for being the same again."""
_PIECE = 1 << 8
"""Characters that tell a place."""
_REFINED = 1 << 17
"""Characters up to which nearness looks inside the lines that differ."""
_LETTERS = 1 << 15
"""Characters up to which letters are compared."""
_SKETCHED = 16
"""Hashes of a sketch."""
_SAMPLED = 1 << 20
"""Characters of longer lines that differ that nearness looks at."""

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Between two of these there is always a grapheme cluster's end: printable ASCII, and letters that are neither marks nor jamo.
_PLAIN = r" -~\u00c0-\u024f\u0391-\u03a9\u03b1-\u03c9\u0410-\u044f\u05d0-\u05ea\u0621-\u063a\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff"
_CJK = r"\u3001\u3002\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff0c"
_BORDER = re.compile(rf"[ -/:-@\[-`{{-~](?=[{_PLAIN}])|[{_CJK}](?=[{_CJK}])")
# A phrase's end is told by its own characters, so that it is found again in the other text.
_PHRASE_BORDER = re.compile(rf"(?<=[eE05\"}}\]>][ ,;:>)}}\]])(?=[ -~])|(?<=[\u3001\u3002\uff0c])(?=[{_CJK}])")
_ASCII_WORDS = re.compile(r"[A-Za-z0-9]+|[ \t]+|[^A-Za-z0-9 \t]")
# \X, but quick in a row of flags, where \X looks back to the first one.
_X = r"(?:\p{RI}{2}(?![\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}])|\X)"
_CLUSTER = regex.compile(_X)
# Scripts without spaces between words are compared cluster by cluster.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORDS = regex.compile(rf"(?:(?=[[\p{{L}}\p{{N}}]--[{_UNSPACED}]])\X)++|(?:(?=[ \t])\X)++|{_X}", flags=regex.VERSION1)
_WORD = re.compile(r"\w+")


class Edit(NamedTuple):
    """Replace the UTF-8 bytes from `start` up to `stop` by `text`."""

    start: int
    stop: int
    text: str


def edits(base: str, new: str) -> list[Edit]:
    """The edits that make `new` of `base`: offsets in UTF-8 bytes of `base`, ascending, apart from each other.

    Apply them from the last to the first. The same texts give an empty list.
    """
    if base == new:
        return []
    work = _Work(_WORK)
    changes = _joined(change for stretch in _stretches(base, new) for change in _changes(stretch, work))
    return [*_placed(base, changes)]


def _placed(base: str, changes: Iterator[_Change]) -> Iterator[Edit]:
    """Changes, with their places counted in UTF-8 bytes."""
    ascii_only = base.isascii()
    point = place = 0
    for start, stop, text in changes:
        if ascii_only:
            yield Edit(start, stop, text)
            continue
        place += length(base[point:start], Unit.UTF8)
        end = place + length(base[start:stop], Unit.UTF8)
        yield Edit(place, end, text)
        point, place = stop, end


def letters(base: str, new: str) -> list[Edit]:
    """As `edits`, but letter by letter, for texts of which one has nearly all of the other; long ones by words."""
    if len(base) + len(new) > _LETTERS:
        return edits(base, new)
    changes: list[_Change] = []
    at = done = 0
    for sign, count in diff(base, new, timelimit=0, checklines=False, cleanup="No"):
        if sign == "-":
            changes.append((at, at + count, ""))
        elif sign == "+":
            changes.append((at, at, new[done : done + count]))
        at += count * (sign != "+")
        done += count * (sign != "-")
    return [*_placed(base, _joined(iter(changes)))]


def in_lines(base: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Two texts as lines, from one stretch that they share to the next: lines that only `base` has, those that only `new` has, then those of both."""
    i = j = 0
    for start, other, count in [*_blocks(base, new, _Work(_WORK)), (len(base), len(new), 0)]:
        yield base[i:start], new[j:other], base[start : start + count]
        i, j = start + count, other + count


def nearness(base: str, new: str) -> float:
    """How much of two texts is the same, from 0.0 (nothing) to 1.0 (only when they are equal)."""
    if base == new:
        return 1.0
    if not base or not new:
        return 0.0
    whole = len(base) + len(new)
    ours: list[str] = []
    theirs: list[str] = []
    for stretch in _stretches(base, new):
        ours += _LINES.findall(stretch.ours)
        theirs += _LINES.findall(stretch.theirs)
    kept = len(base) - sum(map(len, ours)) + _kept(ours, theirs)
    return min(2 * kept / whole, 1 - 1 / whole)


def sketch(text: str) -> bytes:
    """What tells texts apart at a glance: the least of the hashes of their lines, 64 bytes at most."""
    lines = set(text.encode().split(b"\n"))
    lines.discard(b"")
    return b"".join(each.to_bytes(4, "big") for each in sorted(set(map(zlib.crc32, lines)))[:_SKETCHED])


def overlap(a: bytes, b: bytes) -> float:
    """About the share of lines that the texts of two sketches have in common, from 0.0 to 1.0 (bottom-k estimate of the Jaccard index)."""
    ours, theirs = ({each[i : i + 4] for i in range(0, len(each), 4)} for each in (a, b))
    if not ours or not theirs:
        return float(ours == theirs)
    least = set(nsmallest(_SKETCHED, ours | theirs))
    return len(least & ours & theirs) / len(least)


class _Hunk(NamedTuple):
    """A stretch that may differ: the two texts, and the code point of the base at which it begins."""

    at: int
    ours: str
    theirs: str


_Change = tuple[int, int, str]
"""As `Edit`, counted in code points."""
_Block = tuple[int, int, int]
"""Tokens that are the same: the place in ours, the place in theirs, how many."""


@dataclass(slots=True)
class _Work:
    left: int

    def take(self, steps: int) -> bool:
        if steps > self.left:
            return False
        self.left -= steps
        return True


# Skipping what is the same


def _stretches(base: str, new: str) -> Iterator[_Hunk]:
    """What may differ, with the lines around it (in a very long line: the words)."""
    done = done_new = 0
    for i, j, count in _runs(base, new):
        end = i + count
        start = _border_after(base, i, end) if i or j else 0
        stop = end if (end, j + count) == (len(base), len(new)) else _border_before(base, i, end)
        if start < stop:
            yield _Hunk(done, base[done:start], new[done_new : j + start - i])
            done, done_new = stop, j + stop - i
    yield _Hunk(done, base[done:], new[done_new:])


def _runs(a: str, b: str) -> Iterator[_Block]:
    """What both begin with, what both end with, and what is between as far as it is found again soon after each change."""
    head, tail = _ends(a, b)
    end_a, end_b = len(a) - tail, len(b) - tail
    meeting: tuple[int, int] | None = (0, 0)
    while meeting:
        i, j = meeting
        count = _agreement(a, i, b, j, min(end_a - i, end_b - j)) if i else head
        yield i, j, count
        meeting = _meeting(a, i + count, b, j + count, min(end_a - i, end_b - j) - count)
    yield end_a, end_b, tail


def _meeting(a: str, i: int, b: str, j: int, most: int) -> tuple[int, int] | None:
    """Places soon after `i` and `j` from where the texts are the same again, told by a piece that is there once."""
    for reach in _REACHES:
        if reach + _PIECE > most:
            break
        piece, far = a[i + reach : i + reach + _PIECE], j + min(4 * reach, most)
        found = b.find(piece, j, far)
        if found >= 0 and b.find(piece, found + 1, far) < 0 and a.find(piece, i, i + reach + _PIECE - 1) < 0:
            return i + reach, found
    return None


def _ends(a: str, b: str) -> tuple[int, int]:
    """How many code points both begin with, and how many of the rest both end with."""
    most = min(len(a), len(b))
    head = _agreement(a, 0, b, 0, most)
    return head, _agreeing(most - head, lambda low, high: b.endswith(a[len(a) - high : len(a) - low], 0, len(b) - low))


def _agreement(a: str, i: int, b: str, j: int, most: int) -> int:
    return _agreeing(most, lambda low, high: b.startswith(a[i + low : i + high], j + low))


def _agreeing(most: int, same: Callable[[int, int], bool]) -> int:
    """The largest number up to `most` to which two sequences agree; `same(low, high)` compares a part."""
    low, high, step = 0, most, 1
    while low < most:
        high = min(low + step, most)
        if not same(low, high):
            break
        low, step = high, step * 8
    while low < high:
        middle = (low + high) // 2
        if same(low, middle + 1):
            low = middle + 1
        else:
            high = middle
    return low


def _border_before(text: str, floor: int, place: int) -> int:
    """The last line's beginning up to `place`, in a long line a place between two words; `floor` when there is none after it."""
    nearest = max(floor, place - _REACH)
    line = text.rfind("\n", nearest, place) + 1
    if line or nearest == floor:
        return max(line, floor)
    borders = [match.end() for match in _BORDER.finditer(text, nearest, place)]
    return borders[-1] if borders else max(text.rfind("\n", floor, nearest) + 1, floor)


def _border_after(text: str, place: int, ceiling: int) -> int:
    """As `_border_before`, the first one from `place` on; `ceiling` when there is none before it."""
    nearest = min(ceiling, place + _REACH)
    line = text.find("\n", place, nearest) + 1
    if line or nearest == ceiling:
        return line or ceiling
    border = _BORDER.search(text, place, nearest)
    return border.end() if border else (text.find("\n", nearest, ceiling) + 1 or ceiling)


# Lines, then phrases, then words


def _changes(hunk: _Hunk, work: _Work) -> Iterator[_Change]:
    a, b = _LINES.findall(hunk.ours), _LINES.findall(hunk.theirs)
    for part in _hunks(hunk.at, a, b, _blocks(a, b, work)):
        for pair in _pairs(part, work):
            yield from _in_phrases(pair, work)


def _pairs(hunk: _Hunk, work: _Work) -> Iterator[_Hunk]:
    """A long hunk line by line: lines that begin with the same word belong together, and lines that are as many on both sides."""
    a, b = _LINES.findall(hunk.ours), _LINES.findall(hunk.theirs)
    if len(hunk.ours) + len(hunk.theirs) <= _PAIRED or not work.take((len(a) + len(b)) * _TOKEN):
        yield hunk
        return
    blocks = _blocks([*map(_first_word, a)], [*map(_first_word, b)], work)
    at = i = j = 0
    for start, other, count in [*blocks, (len(a), len(b), 0)]:
        places = [(start, other)] if start - i != other - j else [(i + k, j + k) for k in range(1, start - i + 1)]
        for stop, stop_new in places + [(start + k, other + k) for k in range(1, count + 1)]:
            ours = "".join(a[i:stop])
            yield _Hunk(hunk.at + at, ours, "".join(b[j:stop_new]))
            at, i, j = at + len(ours), stop, stop_new


def _first_word(line: str) -> str:
    found = _WORD.search(line)
    return found.group() if found else ""


def _in_phrases(hunk: _Hunk, work: _Work) -> Iterator[_Change]:
    if min(len(side) // (side.count("\n") + 1) for side in hunk[1:]) <= _PHRASED:
        yield from _in_words(hunk, work)
        return
    a, b = _PHRASE_BORDER.split(hunk.ours), _PHRASE_BORDER.split(hunk.theirs)
    for part in _hunks(hunk.at, a, b, _blocks(a, b, work)):
        yield from _in_words(part, work)


def _in_words(hunk: _Hunk, work: _Work) -> Iterator[_Change]:
    change = _change(hunk)
    gone = hunk.ours[change[0] - hunk.at : change[1] - hunk.at] + change[2]
    if not hunk.ours or not hunk.theirs or (gone.isalnum() and gone.isascii()):
        yield change
        return
    a, b = words(hunk.ours), words(hunk.theirs)
    blocks = _word_blocks(a, b, work)
    if not _alike(a, b, blocks):
        yield change
        return
    for part in _hunks(hunk.at, a, b, blocks):
        yield _change(part)


def _word_blocks(a: list[str], b: list[str], work: _Work) -> list[_Block]:
    """The same words first, then the white space between them: where lines are wrapped anew, the words stay."""
    ours, theirs = _solid(a), _solid(b)
    blocks = _blocks([a[i] for i in ours], [b[j] for j in theirs], work)
    same = [(ours[i + k], theirs[j + k]) for i, j, count in blocks for k in range(count)]
    found: list[_Block] = []
    for (i, j), (x, y) in pairwise([(-1, -1), *same, (len(a), len(b))]):
        if a[i + 1 : x] == b[j + 1 : y]:
            found.append((i + 1, j + 1, x - i))
            continue
        found += [(i + 1 + k, j + 1 + m, count) for k, m, count in _blocks(a[i + 1 : x], b[j + 1 : y], work)]
        found.append((x, y, 1))
    start, other, count = found.pop()
    return [*found, (start, other, count - 1)]


def _solid(tokens: list[str]) -> list[int]:
    return [place for place, token in enumerate(tokens) if not token.isspace()]


def words(text: str) -> list[str]:
    """What is compared when lines differ: words, white space, and all else by grapheme clusters; joined they are the text."""
    return _ASCII_WORDS.findall(text) if text.isascii() else _WORDS.findall(text)


def _alike(a: list[str], b: list[str], blocks: list[_Block]) -> bool:
    """Whether a third of the shorter side is kept (white space not counted): less is chance, and would tear both apart."""
    kept = sum(_weight(a[i : i + n]) for i, _, n in blocks)
    return 3 * kept >= min(_weight(a), _weight(b))


def _weight(tokens: Sequence[str]) -> int:
    return sum(len(token) for token in tokens if not token.isspace())


def _hunks(at: int, a: list[str], b: list[str], blocks: list[_Block]) -> Iterator[_Hunk]:
    """What is between the blocks."""
    i = j = 0
    for start, other, count in [*blocks, (len(a), len(b), 0)]:
        if i < start or j < other:
            ours = "".join(a[i:start])
            yield _Hunk(at, ours, "".join(b[j:other]))
            at += len(ours)
        at += sum(map(len, a[start : start + count]))
        i, j = start + count, other + count


def _change(hunk: _Hunk) -> _Change:
    """The hunk without the grapheme clusters that both sides begin and end with."""
    ours, theirs = hunk.ours, hunk.theirs
    head, tail = _ends(ours, theirs)
    if head + tail and not (ours.isascii() and theirs.isascii()):
        head, tail = _between_clusters(ours, theirs, head, tail)
    return hunk.at + head, hunk.at + len(ours) - tail, theirs[head : len(theirs) - tail]


def _between_clusters(a: str, b: str, head: int, tail: int) -> tuple[int, int]:
    """`head` and `tail` made less, so that they end between grapheme clusters of both texts."""
    if any(next(_borders(text, head)) > head for text in (a, b)):
        # Up to here the texts are the same, and so are their borders.
        head = _border_below(a, head)
    tails_a, tails_b = _tails(a, tail), _tails(b, tail)
    tail_a, tail_b = next(tails_a), next(tails_b)
    while tail_a != tail_b:
        if tail_a > tail_b:
            tail_a = next(tails_a)
        else:
            tail_b = next(tails_b)
    return head, tail_a


def _tails(text: str, most: int) -> Iterator[int]:
    """The lengths up to `most` of ends of `text` that begin at a border, descending."""
    return (len(text) - border for border in _borders(text, len(text) - most))


def _borders(text: str, place: int) -> Iterator[int]:
    """The borders of grapheme clusters from `place` on."""
    border = _border_before(text, 0, place)
    while border < place:
        border = _cluster_end(text, border)
    yield border
    while border < len(text):
        border = _cluster_end(text, border)
        yield border


def _border_below(text: str, place: int) -> int:
    border = _border_before(text, 0, place - 1)
    while (end := _cluster_end(text, border)) < place:
        border = end
    return border


def _cluster_end(text: str, border: int) -> int:
    cluster = _CLUSTER.match(text, border)
    return cluster.end() if cluster else len(text)


def _joined(changes: Iterator[_Change]) -> Iterator[_Change]:
    """The changes that change something, those that touch made one."""
    last: _Change | None = None
    for change in changes:
        if change[0] == change[1] and not change[2]:
            continue
        if last and last[1] == change[0]:
            last = (last[0], change[1], last[2] + change[2])
            continue
        if last:
            yield last
        last = change
    if last:
        yield last


# Which tokens are the same


def _blocks(a: list[str], b: list[str], work: _Work) -> list[_Block]:
    """Runs of tokens that both have, in order; less than there are when that would be too much work."""
    found: list[_Block] = []
    todo = [(0, len(a), 0, len(b))]
    while todo:
        i, i_end, j, j_end = todo.pop()
        head, tail = _token_ends(a[i:i_end], b[j:j_end])
        found += [(i, j, head), (i_end - tail, j_end - tail, tail)]
        i, i_end, j, j_end = i + head, i_end - tail, j + head, j_end - tail
        common = set(a[i:i_end]).intersection(b[j:j_end])
        if not common:
            continue
        ours = [place for place in range(i, i_end) if a[place] in common]
        theirs = [place for place in range(j, j_end) if b[place] in common]
        size = len(ours) + len(theirs)
        if size <= _EXACT and work.take(size * (size + _TOKEN)):
            found += _exact(a, b, ours, theirs)
        elif work.take(size * _TOKEN // 2):
            anchors = _anchors(a[i:i_end], b[j:j_end], 1) or _anchors(a[i:i_end], b[j:j_end], _GRAM)
            borders = [(i, j), *((i + x, j + y) for x, y in anchors), (i_end, j_end)] if anchors else []
            todo += [(x, y, v, w) for (x, v), (y, w) in pairwise(borders)]
    return sorted(block for block in found if block[2])


def _token_ends(a: list[str], b: list[str]) -> tuple[int, int]:
    """How many tokens both begin with, and how many of the rest both end with."""
    most = min(len(a), len(b))
    head = _agreeing(most, lambda low, high: a[low:high] == b[low:high])
    over = len(b) - len(a)
    return head, _agreeing(most - head, lambda low, high: a[len(a) - high : len(a) - low] == b[over + len(a) - high : over + len(a) - low])


def _exact(a: list[str], b: list[str], ours: list[int], theirs: list[int]) -> Iterator[_Block]:
    """The longest common subsequence of the tokens at some places, each token made a character for the compiled diff."""
    names: dict[str, str] = {}
    left = "".join(names.setdefault(a[i], chr(len(names) + 1)) for i in ours)
    right = "".join(names.setdefault(b[j], chr(len(names) + 1)) for j in theirs)
    i = j = 0
    for sign, count in diff(left, right, timelimit=0, checklines=False, cleanup="No"):
        if sign == "=":
            yield from ((ours[i + k], theirs[j + k], 1) for k in range(count))
        i += count * (sign != "+")
        j += count * (sign != "-")


def _anchors(a: list[str], b: list[str], gram: int) -> list[tuple[int, int]]:
    """Places of `gram` tokens in a row that are unique on both sides: the longest series that ascends in both (patience diff)."""
    places = _unique(b, gram)
    piles: list[int] = []
    tops: list[int] = []
    pairs: list[tuple[int, int, int]] = []
    for row, i in _unique(a, gram).items():
        j = places.get(row)
        if j is None:
            continue
        pile = bisect_left(piles, j)
        piles[pile : pile + 1], tops[pile : pile + 1] = [j], [len(pairs)]
        pairs.append((i, j, tops[pile - 1] if pile else -1))
    chain: list[tuple[int, int]] = []
    step = tops[-1] if tops else -1
    while step >= 0:
        i, j, step = pairs[step]
        chain.append((i, j))
    return chain[::-1]


def _unique(tokens: list[str], gram: int) -> dict[str | tuple[str, ...], int]:
    """What is there once, with its place, by ascending place."""
    rows: list[str | tuple[str, ...]] = [*zip(*(tokens[start:] for start in range(gram)), strict=False)] if gram > 1 else [*tokens]
    counts = Counter(rows)
    return {row: place for place, row in enumerate(rows) if counts[row] == 1}


# Nearness


def _kept(a: list[str], b: list[str]) -> float:
    """Characters of lines that both have, in any order, and of what the other lines have in common."""
    both = Counter(a) & Counter(b)
    kept = sum(len(line) * count for line, count in both.items())
    ours, theirs = "".join(_rest(a, both)), "".join(_rest(b, both))
    if not ours or not theirs:
        return kept
    if len(ours) + len(theirs) <= _REFINED:
        return kept + len(ours) - sum(stop - start for start, stop, _ in _changes(_Hunk(0, ours, theirs), _Work(_WORK)))
    head, tail = _ends(ours, theirs)
    ours, theirs = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
    return kept + head + tail + min(len(ours), len(theirs)) * _words_shared(ours, theirs)


def _rest(lines: list[str], both: Counter[str]) -> Iterator[str]:
    taken = both.copy()
    for line in lines:
        if taken[line] > 0:
            taken[line] -= 1
        else:
            yield line


def _words_shared(ours: str, theirs: str) -> float:
    """The share of pairs of neighbouring words that both have, in any order: single words are too much alike within a language."""
    a, b = (set(pairwise(_WORD.findall(side[:_SAMPLED]))) for side in (ours, theirs))
    return len(a & b) / max(len(a), len(b), 1)
