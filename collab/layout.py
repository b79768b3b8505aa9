"""What a document's structs are, as far as its state vector does not tell it: which parent each is in, where types and pairs of surrogates are.

pycrdt and browsers trust updates in these, and it would cost words: text that stands between two parents cuts off what follows,
a parent that is no type is a RuntimeError half-way, and where a pair is cut pycrdt miscounts and encodes what no one can read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from collab.codec import SAFE, Reader
from collab.errors import Malformed
from collab.updates import CLOCK, DELETED, GC, SKIP, STRING, TYPE, Deletes, Id, Range, Struct, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Place: TypeAlias = tuple[str | Id, str | None]
"""The parent of a struct, the name of a root or the id of a type, and its key in a map."""


class Ids:
    """A set of ids in 512 bytes for each 4,096 clocks around one."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[Id, bytearray] = {}

    def __bool__(self) -> bool:
        return bool(self._cells)

    def __contains__(self, place: Id) -> bool:
        client, clock = place
        cell = self._cells.get((client, clock >> 12))
        return cell is not None and bool(cell[(clock & 0xFFF) >> 3] & 1 << (clock & 7))

    def add(self, client: int, clock: int) -> None:
        """Put in one."""
        cell = self._cells.setdefault((client, clock >> 12), bytearray(512))
        cell[(clock & 0xFFF) >> 3] |= 1 << (clock & 7)

    def discard(self, client: int, clock: int) -> None:
        """Take out one."""
        cell = self._cells.get((client, clock >> 12))
        if cell is not None:
            cell[(clock & 0xFFF) >> 3] &= ~(1 << (clock & 7))

    def update(self, other: Ids) -> None:
        """Put in all of another set."""
        for key, theirs in other._cells.items():
            cell = self._cells.setdefault(key, bytearray(512))
            cell[:] = bytes(a | b for a, b in zip(cell, theirs, strict=True))


class Layout:
    """Of a document: the structs that are not directly in the root `main`, the types, the pairs. Memory is for these only."""

    __slots__ = ("_gone", "_spans", "main", "pairs", "types")

    def __init__(self, main: str) -> None:
        self.main: Place = (main, None)
        self.types = Ids()
        self.pairs = Ids()
        """The second halves of pairs of surrogates, also of deleted ones."""
        self._spans: dict[int, list[Span]] = {}
        """For each client (start, end, place) in order; the place is None for what was collected."""
        self._gone: dict[int, list[Span]] = {}
        """For each client (start, end, None) of what came as deleted, of whatever kind it was."""

    def place(self, at: Id) -> Place | None:
        """Where a struct is that the document holds; None when nobody knows (any more)."""
        spans = self._spans.get(at[0])
        if spans is None:
            return self.main
        span = _found(spans, at[1])
        return self.main if span is None else span[2]

    def within(self, deletes: Deletes, place: Place) -> list[Id]:
        """The structs of these ranges that are directly at a place other than the main root."""
        found: list[Id] = []
        for client, ranges in deletes.items():
            spans = self._spans.get(client, [])
            for clock, length in ranges:
                for start, stop, where in spans[max(_index(spans, clock), 0) :]:
                    if start >= clock + length:
                        break
                    if where == place:
                        found += ((client, each) for each in range(max(start, clock), min(stop, clock + length)))
        return found

    def at(self, place: Place) -> list[Id]:
        """The structs that are directly at a place other than the main root."""
        return [
            (client, each)
            for client, spans in self._spans.items()
            for start, stop, where in spans
            if where == place
            for each in range(start, stop)
        ]

    def places(self) -> set[Place]:
        """Every place but the main root that something is at."""
        return {place for spans in self._spans.values() for _, _, place in spans if place is not None}

    def is_parent(self, at: Id) -> bool:
        """False when it is known to be no type."""
        return at in self.types or _found(self._gone.get(at[0], []), at[1]) is not None

    def in_text(self, client: int, clock: int, end: int) -> bool:
        """True when all of these ids are in one text, not in a map."""
        spans = self._spans.get(client)
        if spans is None:
            return True
        index = _index(spans, clock)
        if index >= 0 and clock < spans[index][1]:
            place = spans[index][2]
            return end <= spans[index][1] and place is not None and place[1] is None
        return index + 1 >= len(spans) or spans[index + 1][0] >= end

    def extend(self, new: Range, place: Place) -> None:
        """Note text outside the main root that `quick` found."""
        client, clock, length = new
        _append(self._spans.setdefault(client, []), (clock, clock + length, place))

    def survey(self, order: Iterable[Struct], state: Mapping[int, int]) -> Layout:
        """What the structs would add (see `add`), in the order of `updates.Survey`; `Malformed` when they do not fit here."""
        added = Layout(str(self.main[0]))
        for each in order:
            if each.end > state.get(each.client, 0) and each.kind != SKIP:
                added._note(each, max(each.clock, state.get(each.client, 0)), added._place_of(each, self))
        return added

    def add(self, added: Layout) -> None:
        """Take in what `survey` gave, once the update is applied."""
        for ours, theirs in ((self._spans, added._spans), (self._gone, added._gone)):
            for client, spans in theirs.items():
                for span in spans:
                    _append(ours.setdefault(client, []), span)
        self.types.update(added.types)
        self.pairs.update(added.pairs)

    def _place_of(self, each: Struct, document: Layout) -> Place | None:
        """Where a struct belongs, by the structs noted here and in the document."""
        if each.kind == GC:
            return None
        if each.parent is not None:
            if isinstance(each.parent, tuple) and not (self.is_parent(each.parent) or document.is_parent(each.parent)):
                raise Malformed(f"The struct at {each.client}:{each.clock} has a parent that is no type.")
            return each.parent, each.key
        places = {self._place_at(reference, document) for reference in each.references} - {None}
        if len(places) > 1:
            raise Malformed(f"The struct at {each.client}:{each.clock} stands between two parents.")
        return places.pop() if places else None

    def _place_at(self, at: Id, document: Layout) -> Place | None:
        span = _found(self._spans.get(at[0], []), at[1])
        return document.place(at) if span is None else span[2]

    def _note(self, each: Struct, start: int, place: Place | None) -> None:
        if place != self.main:
            _append(self._spans.setdefault(each.client, []), (start, each.end, place))
        if each.kind == TYPE:
            self.types.add(each.client, each.clock)
        elif each.kind in _GONE:
            _append(self._gone.setdefault(each.client, []), (start, each.end, None))
        elif each.kind == STRING and _ASTRAL.search(each.content):
            for number, match in enumerate(_PAIR.finditer(each.text)):
                self.pairs.add(each.client, each.clock + match.start() + number + 1)


Span: TypeAlias = tuple[int, int, Place | None]
_GONE = frozenset((GC, DELETED))
_ASTRAL = re.compile(rb"[\xf0-\xff]")
_PAIR = re.compile("[\U00010000-\U0010ffff]")


def _append(spans: list[Span], span: Span) -> None:
    if spans and spans[-1][1] == span[0] and spans[-1][2] == span[2]:
        span = (spans.pop()[0], span[1], span[2])
    spans.append(span)


def _index(spans: list[Span], clock: int) -> int:
    """The last span that begins at `clock` or before it, or -1."""
    return bisect_right(spans, (clock, inf)) - 1


def _found(spans: list[Span], clock: int) -> Span | None:
    index = _index(spans, clock)
    return spans[index] if index >= 0 and clock < spans[index][1] else None


def torn(update: Update, added: Layout, document: Layout, state: Mapping[int, int]) -> set[Id]:
    """The second halves of pairs of surrogates that an update cuts: `updates.mend` the document and the update with them, then apply.

    Browsers put U+FFFD in the place of each half; the pairs are the document's or the update's own.
    """
    if not added.pairs and not document.pairs:
        return set()
    return {cut for cut in _cuts(update, state) if cut in document.pairs or cut in added.pairs}


def _cuts(update: Update, state: Mapping[int, int]) -> Iterator[Id]:
    """The ids before which the update cuts."""
    for client, structs in update.structs.items():
        yield client, state.get(client, 0)
        for each in structs:
            if each.origin is not None:
                yield each.origin[0], each.origin[1] + 1
            if each.right is not None:
                yield each.right
    for client, ranges in update.deletes.items():
        for clock, length in ranges:
            yield client, clock
            yield client, clock + length


# The fast path


class Edit(NamedTuple):
    """A common edit: text that continues its client's clock, a deletion of one range, or both; none of it in a map."""

    new: Range | None
    references: tuple[Id, ...]
    """The origins of the new text."""
    deleted: Range | None
    place: Place | None = None
    """Where the new text is; None: in the main root."""


_NUMBER = rb"([\x80-\xff]{1,7}[\x01-\x7f]|[\x00-\x7f])"
_ID = _NUMBER * 2
_TEXT = re.compile(rb"\x01\x01%b(?:[\x84\x44]|\xc4%b)%b(?=[\x01-\x7f])" % (_ID, _ID, _ID))
"""The id of the new text, its origin on the left if there is one on the right too, its only or last origin."""
_DELETION = re.compile(rb"\x01%b\x01%b" % (_NUMBER, _ID))
_NO_EDIT = Edit(None, (), None)


def quick(data: bytes, state: Mapping[int, int], layout: Layout) -> Edit | None:
    """The edit in these bytes when it is a common one that is safe to apply as it is, else None: then `read` and `survey` say more.

    Safe: everything that it names is in `state` and in a text, not in a map, and it neither cuts nor brings a pair of surrogates.
    The layout has to be told of new text outside the main root: see `Layout.extend`.
    """
    head = _TEXT.match(data)
    if head is None:
        return _quick_deletion(data, 1, _NO_EDIT, state, layout) if data[:1] == b"\0" else None
    start = head.end() + 1
    end = start + data[start - 1]
    raw = data[start:end]
    length = len(raw) if raw.isascii() else _quick_length(raw)
    client_digits, clock_digits, first, first_clock, last, last_clock = head.groups()
    client = _number(client_digits)
    clock = _small(clock_digits)
    if not length or state.get(client, 0) != clock or client > SAFE or clock + length > CLOCK:
        return None
    reference = client if last == client_digits else _number(last), _small(last_clock)
    if reference[1] >= state.get(reference[0], 0):
        return None
    place: Place | None
    if first is None and not layout.pairs:
        references: tuple[Id, ...] = (reference,)
        place = layout.place(reference)
        if place is None or place[1] is not None:
            return None
        place = layout.main if place == layout.main else place
    else:
        references = (reference,) if first is None else ((_number(first), _small(first_clock)), reference)
        place = _quick_place(data[head.end(2)], references, state, layout)
        if place is None:
            return None
    edit = Edit((client, clock, length), references, None, None if place is layout.main else place)
    return edit if data[end:] == b"\0" else _quick_deletion(data, end, edit, state, layout)


@lru_cache(4096)
def _number(digits: bytes) -> int:
    return Reader(digits).var_uint(2**56)


def _small(digits: bytes) -> int:
    """A clock: most of them come once and would only fill a cache."""
    length = len(digits)
    if length == 1:
        return digits[0]
    if length == 2:
        return digits[0] & 0x7F | digits[1] << 7
    if length == 3:
        return digits[0] & 0x7F | (digits[1] & 0x7F) << 7 | digits[2] << 14
    return _number(digits)


def _quick_length(raw: bytes) -> int:
    """The length of a text without pairs of surrogates, else 0."""
    if raw.isascii():
        return len(raw)
    try:
        return 0 if _ASTRAL.search(raw) else len(raw.decode())
    except UnicodeDecodeError:
        return 0


def _quick_place(info: int, references: tuple[Id, ...], state: Mapping[int, int], layout: Layout) -> Place | None:
    """Where the origins are, when they are known, in one text, not the same and not inside a pair of surrogates."""
    for client, clock in references:
        if clock >= state.get(client, 0):
            return None
    if info == 0xC4 and references[0] == references[1]:
        return None
    if layout.pairs and _quick_cuts(info, references, layout.pairs):
        return None
    place = layout.place(references[0])
    if place is None or place[1] is not None or (info == 0xC4 and layout.place(references[1]) != place):
        return None
    return layout.main if place == layout.main else place


def _quick_cuts(info: int, references: tuple[Id, ...], pairs: Ids) -> bool:
    left = info & 0x80 and (references[0][0], references[0][1] + 1) in pairs
    return bool(left or (info & 0x40 and references[-1] in pairs))


def _quick_deletion(data: bytes, position: int, edit: Edit, state: Mapping[int, int], layout: Layout) -> Edit | None:
    """The edit with its delete set, which begins at `position`."""
    match = _DELETION.fullmatch(data, position)
    if match is None:
        return None
    digits, *span = match.groups()
    client, clock, length = _number(digits), _small(span[0]), _small(span[1])
    reach = state.get(client, 0)
    if edit.new is not None and edit.new[0] == client:
        reach += edit.new[2]
    if not length or clock + length > reach or not layout.in_text(client, clock, clock + length):
        return None
    if layout.pairs and ((client, clock) in layout.pairs or (client, clock + length) in layout.pairs):
        return None
    return Edit(edit.new, edit.references, (client, clock, length), edit.place)
