"""A strict, pure reader of updates (Yjs update format v1: structs, then the delete set) and of state vectors.

It stands before pycrdt, with `collab/layout.py` (the fast path, and what a state vector does not tell): what both let through makes
neither pycrdt panic nor a browser throw (docs/reference/protocol.md).
Clocks and lengths count UTF-16 units of text and elements of lists. A *range* is (client, clock, length).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import isinf, isnan
from struct import unpack
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from collab.codec import SAFE, Reader, var_string, var_uint
from collab.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

CLOCK = 2**31 - 1
"""The greatest clock, length and sum of both: pycrdt counts in 32 bits."""
DEPTH = 32
"""The deepest nesting of values."""

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOC, SKIP = range(11)
"""What a struct holds: the low five bits of its first byte."""

_BARE = frozenset((GC, SKIP))
_EMPTY = frozenset((GC, DELETED, SKIP))
PARENTS = frozenset((GC, DELETED, TYPE))

XML_ELEMENT, XML_HOOK = 3, 5
"""The types that have a name."""

ORIGIN, RIGHT, KEY = 0x80, 0x40, 0x20
"""The high bits of a struct's first byte: a left origin, a right origin, a key in a map."""

Id: TypeAlias = tuple[int, int]
"""(client, clock)."""
Range: TypeAlias = tuple[int, int, int]
"""(client, clock, length)."""
Deletes: TypeAlias = dict[int, list[tuple[int, int]]]
"""For each client, (clock, length) of what is deleted."""


@dataclass(slots=True)
class Struct:
    """One piece of content, with `content` as it is on the wire; `info` is its first byte."""

    client: int
    clock: int
    length: int
    info: int
    origin: Id | None = None
    right: Id | None = None
    parent: str | Id | None = None
    """The name of a root type, the id of a nested one, or None: that of `origin` or `right`."""
    key: str | None = None
    content: bytes = b""

    @property
    def kind(self) -> int:
        """GC, DELETED, … SKIP."""
        return self.info & 0x1F

    @property
    def end(self) -> int:
        """The clock after it."""
        return self.clock + self.length

    @property
    def references(self) -> list[Id]:
        """The ids that must be known before it."""
        named = self.origin, self.right, self.parent
        return [reference for reference in named if isinstance(reference, tuple)]

    @property
    def text(self) -> str:
        """The text of a STRING."""
        return Reader(self.content).var_string()

    @property
    def units(self) -> bytes:
        """The text of a STRING in UTF-16, two bytes for each of its clocks, low byte first."""
        return self.text.encode("utf-16-le")


@dataclass(slots=True)
class Update:
    """What an update says, in the order of its bytes: contiguous structs for each client, and deletions."""

    structs: dict[int, list[Struct]] = field(default_factory=dict)
    deletes: Deletes = field(default_factory=dict)


# Reading


def read(data: bytes) -> Update:
    """The update in these bytes; `Malformed` for everything that no honest encoder writes."""
    reader = Reader(data)
    structs: dict[int, list[Struct]] = {}
    for _ in range(reader.var_uint()):
        count = reader.var_uint()
        client = reader.var_uint()
        if client in structs:
            raise Malformed(f"Client {client} is listed twice.")
        structs[client] = _run(reader, client, count)
    update = Update(structs, _deletes(reader))
    reader.end()
    return update


def _run(reader: Reader, client: int, count: int) -> list[Struct]:
    """The structs of one client."""
    if not count:
        raise Malformed(f"Client {client} is listed with no structs.")
    clock = reader.var_uint(CLOCK)
    structs = []
    for _ in range(count):
        each = _struct(reader, client, clock)
        if not each.length:
            raise Malformed(f"A struct of no length at {client}:{clock}.")
        clock += each.length
        if clock > CLOCK:
            raise Malformed(f"The clock of client {client} goes over {CLOCK}.")
        structs.append(each)
    return structs


def _struct(reader: Reader, client: int, clock: int) -> Struct:
    info = reader.byte()
    if info in _BARE:
        return Struct(client, clock, reader.var_uint(CLOCK), info)
    content_of = _CONTENTS.get(info & 0x1F)
    if content_of is None:
        raise Malformed(f"Unknown content {info} at {client}:{clock}.")
    origin = _id(reader) if info & ORIGIN else None
    right = _id(reader) if info & RIGHT else None
    parent: str | Id | None = None
    key = None
    if origin is right is None:
        parent = reader.var_string() if reader.var_uint(1) else _id(reader)
        key = reader.var_string() if info & KEY else None
    start = reader.position
    length = content_of(reader)
    return Struct(client, clock, length, info, origin, right, parent, key, reader.data[start : reader.position])


def _id(reader: Reader) -> Id:
    return reader.var_uint(), reader.var_uint(CLOCK)


def _deletes(reader: Reader) -> Deletes:
    deletes: Deletes = {}
    for _ in range(reader.var_uint()):
        client = reader.var_uint()
        if client in deletes:
            raise Malformed(f"Client {client} is listed twice in the delete set.")
        deletes[client] = ranges = []
        for _ in range(reader.var_uint()):
            clock, length = reader.var_uint(CLOCK), reader.var_uint(CLOCK)
            if not length or clock + length > CLOCK:
                raise Malformed(f"A deletion of {length} at {client}:{clock}.")
            ranges.append((clock, length))
    return deletes


# Contents: each function reads one and gives its length


def _deleted(reader: Reader) -> int:
    return reader.var_uint(CLOCK)


def _json_list(reader: Reader) -> int:
    length = reader.var_uint(CLOCK)
    for _ in range(length):
        element = reader.var_string()
        if element != "undefined":
            _json(element)
    return length


def _binary(reader: Reader) -> int:
    reader.var_bytes()
    return 1


def _string(reader: Reader) -> int:
    raw = reader.var_bytes()
    if raw.isascii():
        return len(raw)
    try:
        return len(raw.decode().encode("utf-16-le")) >> 1
    except UnicodeDecodeError as error:
        raise Malformed(f"A string that is not UTF-8: {error.reason}.") from None


def _embed(reader: Reader) -> int:
    _json(reader.var_string())
    return 1


def _format(reader: Reader) -> int:
    reader.var_string()
    _json(reader.var_string())
    return 1


def _type(reader: Reader) -> int:
    """Array, Map, Text, XmlElement with a name, XmlFragment, XmlHook with a name, XmlText."""
    if reader.var_uint(XML_HOOK + 1) in {XML_ELEMENT, XML_HOOK}:
        reader.var_string()
    return 1


def _any_list(reader: Reader) -> int:
    length = reader.var_uint(CLOCK)
    for _ in range(length):
        _any(reader, DEPTH)
    return length


def _doc(reader: Reader) -> int:
    """A browser reads properties of the options, and throws if there are none."""
    reader.var_string()
    if reader.byte() != _OBJECT:
        raise Malformed("The options of a subdocument are no object.")
    _any_object(reader, DEPTH)
    return 1


_CONTENTS: dict[int, Callable[[Reader], int]] = {
    DELETED: _deleted,
    JSON: _json_list,
    BINARY: _binary,
    STRING: _string,
    EMBED: _embed,
    FORMAT: _format,
    TYPE: _type,
    ANY: _any_list,
    DOC: _doc,
}


# Values


def _json(text: str) -> object:
    """The JSON value, with every number as a float."""
    if text.count("[") + text.count("{") > DEPTH:
        _refuse_depth(text)
    try:
        value = json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_no_json)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except ValueError as error:
        raise Malformed(f"Invalid JSON: {error}.") from None
    return value


def _refuse_depth(text: str) -> None:
    depth = 0
    for mark in _STRING_OR_BRACKET.findall(text):
        depth += (mark in "[{") - (mark in "]}")
        if depth > DEPTH:
            raise Malformed(f"A value nested deeper than {DEPTH}.")


_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[][{}]', re.DOTALL)


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number out of range")
    return number


def _no_json(word: str) -> NoReturn:
    raise ValueError(word)


def _any(reader: Reader, depth: int) -> None:
    """One lib0 value is read, and not kept: it may be large."""
    tag = reader.byte()
    scalar = _SCALARS.get(tag)
    if scalar is not None:
        scalar(reader)
    elif not depth:
        raise Malformed(f"A value nested deeper than {DEPTH}.")
    elif tag == _OBJECT:
        _any_object(reader, depth - 1)
    elif tag == _ARRAY:
        for _ in range(reader.var_uint()):
            _any(reader, depth - 1)
    else:
        raise Malformed(f"Unknown value {tag}.")


def _any_object(reader: Reader, depth: int) -> None:
    for _ in range(reader.var_uint()):
        reader.var_string()
        _any(reader, depth)


def _value(reader: Reader) -> object:
    """One lib0 value that was read before, so that it can be compared: encoders differ in the order of keys and in the form of numbers."""
    tag = reader.byte()
    if tag == _OBJECT:
        return {reader.var_string(): _value(reader) for _ in range(reader.var_uint())}
    if tag == _ARRAY:
        return [_value(reader) for _ in range(reader.var_uint())]
    return _SCALARS[tag](reader)


def _any_integer(reader: Reader) -> float:
    """Six bits and a sign (64) in the first byte, then seven bits a byte."""
    first = reader.byte()
    number = first & 0x3F
    if first & 0x80:
        high = reader.var_uint(SAFE >> 6)
        if not high:
            raise Malformed("A number with padding.")
        number += high << 6
    return float(-number if first & 0x40 else number)


def _any_float(reader: Reader, form: str, size: int) -> object:
    number: float = unpack(form, reader.take(size))[0]
    return ("NaN",) if isnan(number) else number


_OBJECT, _ARRAY = 118, 117
_SCALARS: dict[int, Callable[[Reader], object]] = {
    127: lambda _: ("undefined",),
    126: lambda _: None,
    125: _any_integer,
    124: lambda reader: _any_float(reader, ">f", 4),
    123: lambda reader: _any_float(reader, ">d", 8),
    122: lambda reader: float(unpack(">q", reader.take(8))[0]),
    121: lambda _: ("false",),
    120: lambda _: ("true",),
    119: Reader.var_string,
    116: Reader.var_bytes,
}


# Writing


def write(update: Update) -> bytes:
    """The bytes of an update: those that were read, when nothing was changed."""
    parts = [var_uint(len(update.structs))]
    for client, structs in update.structs.items():
        parts += [var_uint(len(structs)), var_uint(client), var_uint(structs[0].clock)]
        for each in structs:
            parts += _written(each)
    parts.append(var_uint(len(update.deletes)))
    for client, ranges in update.deletes.items():
        parts += [var_uint(client), var_uint(len(ranges))]
        parts += [var_uint(number) for span in ranges for number in span]
    return b"".join(parts)


def pieces(update: Update, order: Iterable[Struct], size: int) -> Iterator[bytes]:
    """The same in updates of about so many bytes, each of which needs only those before it: `order` is that of a `Survey` which lacks nothing.
    Deletions come last, all at once.
    """
    piece: dict[int, list[Struct]] = {}
    held = 0
    for each in order:
        piece.setdefault(each.client, []).append(each)
        held += len(each.content) + _AROUND
        if held >= size:
            yield write(Update(piece, {}))
            piece, held = {}, 0
    if piece:
        yield write(Update(piece, {}))
    yield write(Update({}, update.deletes))


_AROUND = 16
"""Bytes that a struct takes beside its content, about."""


def _written(each: Struct) -> Iterator[bytes]:
    yield bytes((each.info,))
    if each.kind in _BARE:
        yield var_uint(each.length)
        return
    for reference in (each.origin, each.right):
        if reference is not None:
            yield _written_id(reference)
    if isinstance(each.parent, str):
        yield b"\1" + var_string(each.parent)
    elif each.parent is not None:
        yield b"\0" + _written_id(each.parent)
    if each.key is not None:
        yield var_string(each.key)
    yield each.content


def _written_id(reference: Id) -> bytes:
    return var_uint(reference[0]) + var_uint(reference[1])


# State vectors


def read_state_vector(data: bytes) -> dict[int, int]:
    """The next clock of each client."""
    reader = Reader(data)
    state: dict[int, int] = {}
    for _ in range(reader.var_uint()):
        client = reader.var_uint()
        if client in state:
            raise Malformed(f"Client {client} is listed twice.")
        state[client] = reader.var_uint(CLOCK)
    reader.end()
    return state


def write_state_vector(state: Mapping[int, int]) -> bytes:
    """The bytes of a state vector."""
    return var_uint(len(state)) + b"".join(_written_id(entry) for entry in state.items())


# What an update would do


@dataclass(slots=True)
class Survey:
    """What an update means to somebody who holds a given state."""

    new: list[Range] = field(default_factory=list)
    """Structs above the state."""
    known: list[Range] = field(default_factory=list)
    """Structs that the state holds already: to be compared, see `differs`."""
    deletes: Deletes = field(default_factory=dict)
    """Normalised: in order, none empty, none touching."""
    named: set[int] = field(default_factory=set)
    """Every client id that occurs anywhere."""
    order: list[Struct] = field(default_factory=list)
    """The structs, each after those that it refers to; only some of them when something is missing."""
    reach: dict[int, int] = field(default_factory=dict)
    """The next clocks of the clients with new structs, after the update."""
    missing: bool = False
    """True when it needs what neither the state nor the update holds: ask for it (sync step 1)."""


def survey(update: Update, state: Mapping[int, int]) -> Survey:
    """What the update means to a holder of `state`; `Malformed` for what would make a browser throw or pycrdt fail, whatever comes later."""
    result = Survey(deletes=normalised(update.deletes))
    result.named.update(update.structs, update.deletes)
    for client, structs in update.structs.items():
        own = state.get(client, 0)
        for each in structs:
            _note_references(result, each, update)
            if each.kind != SKIP:
                _extend(result.known, client, each.clock, min(each.end, own))
                _extend(result.new, client, max(each.clock, own), each.end)
    reach = _integrated(update, state, result.order)
    whole = len(result.order) == sum(map(len, update.structs.values()))
    result.missing = not whole or _beyond(result.deletes, reach, state)
    result.reach = {client: clock for client, clock in reach.items() if clock > state.get(client, 0)} if whole else {}
    return result


def parted(update: Update, state: Mapping[int, int]) -> tuple[Update, Update]:
    """What a holder of `state` can take of an update that lacks something, and what is left of it."""
    order: list[Struct] = []
    reach = _integrated(update, state, order)
    counts = Counter(each.client for each in order)
    fits, left = Update(), Update()
    for client, structs in update.structs.items():
        taken, rest = structs[: counts[client]], structs[counts[client] :]
        fresh = [each for each in taken if each.end > state.get(client, 0)]
        if fresh:
            fits.structs[client] = fresh
        if rest:
            left.structs[client] = rest
    for client, ranges in normalised(update.deletes).items():
        end = reach.get(client, state.get(client, 0))
        within = [(clock, min(clock + length, end) - clock) for clock, length in ranges if clock < end]
        beyond = [(max(clock, end), clock + length - max(clock, end)) for clock, length in ranges if clock + length > end]
        if within:
            fits.deletes[client] = within
        if beyond:
            left.deletes[client] = beyond
    return fits, left


def _note_references(result: Survey, each: Struct, update: Update) -> None:
    if each.kind == JSON or (each.kind == TYPE and each.content[0] == XML_HOOK):
        raise Malformed("Content of a kind that pycrdt misreads: obsolete JSON, or an XmlHook.")
    if each.origin is not None and each.origin == each.right:
        raise Malformed(f"The struct at {each.client}:{each.clock} stands left and right of the same place.")
    for client, clock in each.references:
        result.named.add(client)
        if client == each.client and clock >= each.clock:
            raise Malformed(f"The struct at {client}:{each.clock} refers to {client}:{clock}, which comes after it.")
    if isinstance(each.parent, tuple):
        parent = _at(update, each.parent)
        if parent is not None and parent.kind not in PARENTS:
            raise Malformed(f"The struct at {each.client}:{each.clock} has a parent that is no type.")


def _extend(ranges: list[Range], client: int, start: int, end: int) -> None:
    if start >= end:
        return
    if ranges and ranges[-1][0] == client and ranges[-1][1] + ranges[-1][2] == start:
        start = ranges.pop()[1]
    ranges.append((client, start, end - start))


def _integrated(update: Update, state: Mapping[int, int], order: list[Struct]) -> dict[int, int]:
    """The next clock of each client of the update when its structs are taken in any order that their references allow; they are added to `order`,
    those that lack something, and what is behind them, are not.
    """
    clocks = {client: state.get(client, 0) for client in update.structs}
    places = dict.fromkeys(update.structs, 0)
    waiting: dict[int, list[Id]] = {client: [] for client in update.structs}
    ready = list(update.structs)
    while ready:
        client = ready.pop()
        start = places[client]
        need = _advance(update.structs[client], places, clocks, state)
        order += update.structs[client][start : places[client]]
        if need is not None and need[0] in waiting:
            heappush(waiting[need[0]], (need[1], client))
        queue = waiting[client]
        while queue and queue[0][0] < clocks[client]:
            ready.append(heappop(queue)[1])
    return clocks


def _advance(structs: list[Struct], places: dict[int, int], clocks: dict[int, int], state: Mapping[int, int]) -> Id | None:
    """Take the structs of one client as far as they go; the id that the next one waits for, or None at their end."""
    client = structs[0].client
    clock = clocks[client]
    need = None
    for place in range(places[client], len(structs)):
        each = structs[place]
        need = _lacking(each, clock, clocks, state)
        if need is not None:
            break
        clock = max(clock, each.end)
        places[client] = place + 1
    clocks[client] = clock
    return need


def _lacking(each: Struct, clock: int, clocks: dict[int, int], state: Mapping[int, int]) -> Id | None:
    """What has to be there before the struct, itself for a skip of what is not there."""
    if each.clock > clock:
        return each.client, each.clock - 1
    if each.kind == SKIP and each.end > clock:
        return each.client, CLOCK
    for reference in each.references:
        client = reference[0]
        if client != each.client and reference[1] >= (clocks[client] if client in clocks else state.get(client, 0)):
            return reference
    return None


def _beyond(deletes: Deletes, reach: Mapping[int, int], state: Mapping[int, int]) -> bool:
    return any(ranges and sum(ranges[-1]) > reach.get(client, state.get(client, 0)) for client, ranges in deletes.items())


def normalised(deletes: Mapping[int, Iterable[tuple[int, int]]]) -> Deletes:
    """The same deletions in order, with overlapping and touching ranges made one and empty clients left out."""
    result: Deletes = {}
    for client, ranges in deletes.items():
        merged: list[tuple[int, int]] = []
        for clock, length in sorted(ranges):
            if merged and clock <= sum(merged[-1]):
                start, known = merged[-1]
                merged[-1] = start, max(known, clock + length - start)
            else:
                merged.append((clock, length))
        if merged:
            result[client] = merged
    return result


def covered(deletes: Deletes, by: Deletes) -> bool:
    """True when `by` deletes everything that `deletes` deletes: nothing new."""
    held = normalised(by)
    return all(_covers(held.get(client, []), span) for client, ranges in normalised(deletes).items() for span in ranges)


def _covers(ranges: list[tuple[int, int]], span: tuple[int, int]) -> bool:
    place = bisect_right(ranges, span[0], key=_first) - 1
    return place >= 0 and sum(span) <= sum(ranges[place])


def _first(span: tuple[int, int]) -> int:
    return span[0]


def touches_root(update: Update, root: str, items: Collection[Id]) -> bool:
    """True when the update adds to the root type `root`, or refers to or deletes one of its `items`, given as ids (client, clock)."""
    for structs in update.structs.values():
        if any(each.parent == root or any(reference in items for reference in each.references) for each in structs):
            return True
    deletes = normalised(update.deletes)
    return any(_covers(deletes.get(client, []), (clock, 1)) for client, clock in items)


def _at(update: Update, place: Id) -> Struct | None:
    """The struct that holds an id."""
    structs = update.structs.get(place[0], [])
    index = bisect_right(structs, place[1], key=_clock) - 1
    return structs[index] if index >= 0 and place[1] < structs[index].end else None


def _clock(each: Struct) -> int:
    return each.clock


# Comparing and changing


def differs(theirs: Update, ours: Update) -> Id | None:
    """The first id under which both hold content, and not the same; what is deleted or collected on one side is not compared."""
    for client, structs in theirs.structs.items():
        if client in ours.structs:
            for each, other in _overlaps(structs, ours.structs[client]):
                clock = _difference(each, other)
                if clock is not None:
                    return client, clock
    return None


def _overlaps(theirs: list[Struct], ours: list[Struct]) -> Iterator[tuple[Struct, Struct]]:
    for each in theirs:
        index = max(bisect_right(ours, each.clock, key=_clock) - 1, 0)
        while index < len(ours) and ours[index].clock < each.end:
            if each.clock < ours[index].end and each.kind not in _EMPTY and ours[index].kind not in _EMPTY:
                yield each, ours[index]
            index += 1


def _difference(a: Struct, b: Struct) -> int | None:
    """The first clock of both at which their content differs."""
    start, end = max(a.clock, b.clock), min(a.end, b.end)
    if a.kind != b.kind:
        return start
    if a.content == b.content and a.clock == b.clock:
        return None
    if a.kind == STRING:
        place = _text_difference(a.units[2 * (start - a.clock) : 2 * (end - a.clock)], b.units[2 * (start - b.clock) : 2 * (end - b.clock)])
    else:
        ours, theirs = (_values(each)[start - each.clock : end - each.clock] for each in (a, b))
        place = next((place for place, (x, y) in enumerate(zip(ours, theirs, strict=True)) if x != y), None)
    return None if place is None else start + place


def _text_difference(a: bytes, b: bytes) -> int | None:
    """The first unit that differs; U+FFFD equals half of a pair, since a browser writes it where a pair is cut."""
    if a == b:
        return None
    for place, (x, y) in enumerate(zip(memoryview(a).cast("H"), memoryview(b).cast("H"), strict=True)):
        if x != y and not (0xFFFD in (x, y) and 0xD8 in (x >> 8 & 0xF8, y >> 8 & 0xF8)):
            return place
    return None


def _values(each: Struct) -> list[object]:
    """What a struct holds, element by element, in a form that can be compared."""
    reader = Reader(each.content)
    if each.kind == ANY:
        return [_value(reader) for _ in range(reader.var_uint())]
    if each.kind == JSON:
        return [_json_value(reader.var_string()) for _ in range(reader.var_uint())]
    if each.kind == EMBED:
        return [_json_value(reader.var_string())]
    if each.kind == FORMAT:
        return [(reader.var_string(), _json_value(reader.var_string()))]
    return [reader.var_string() if each.kind == DOC else each.content]


def _json_value(text: str) -> str:
    """JSON in one form: encoders differ in the order of keys, in spaces and in the form of numbers."""
    return text if text == "undefined" else json.dumps(_json(text), sort_keys=True)


def rename(update: Update, client: int, clock: int, to: int) -> Update:
    """The update with everything of `client` from `clock` on given to client `to`, counted from 0: structs, references and deletions.

    A struct across `clock` is split; a pair of surrogates across it goes to `to` whole.
    """
    structs = dict(update.structs)
    lower, upper = _parted(structs.pop(client, []), clock)
    base = min(clock, upper[0].clock) if upper else clock
    if lower:
        structs[client] = lower
    if upper:
        structs[to] = [replace(each, client=to, clock=each.clock - base) for each in upper]

    def renamed(reference: Id) -> Id:
        return (to, reference[1] - base) if reference[0] == client and reference[1] >= base else reference

    runs = {owner: [_referring(each, renamed) for each in structs[owner]] for owner in sorted(structs, reverse=True)}
    return Update(runs, _renamed_deletes(update.deletes, client, base, to))


def _parted(structs: list[Struct], clock: int) -> tuple[list[Struct], list[Struct]]:
    index = bisect_right(structs, clock, key=_clock) - 1
    if index < 0:
        return [], structs
    if clock >= structs[index].end:
        return structs, []
    offset = clock - structs[index].clock
    middle = _split(structs[index], offset) if offset else (None, structs[index])
    lower = [*structs[:index], *([middle[0]] if middle[0] else [])]
    return lower, [middle[1], *structs[index + 1 :]]


def _split(each: Struct, offset: int) -> tuple[Struct | None, Struct]:
    """The struct in two, the second from `offset` on; before it, when that is inside a pair of surrogates."""
    if each.kind == STRING:
        units = each.units
        offset -= units[2 * offset + 1] & 0xFC == 0xDC
        if not offset:
            return None, each
        halves = [var_string(part.decode("utf-16-le")) for part in (units[: 2 * offset], units[2 * offset :])]
    else:
        halves = _halves(each, offset)
    second = replace(
        each,
        clock=each.clock + offset,
        length=each.length - offset,
        info=each.info if each.kind in _BARE else each.info | ORIGIN,
        origin=None if each.kind in _BARE else (each.client, each.clock + offset - 1),
        parent=None,
        key=None,
        content=halves[1],
    )
    return replace(each, length=offset, content=halves[0]), second


def _halves(each: Struct, offset: int) -> list[bytes]:
    """The content in two parts, the first of `offset` elements."""
    if each.kind in _BARE:
        return [b"", b""]
    if each.kind == DELETED:
        return [var_uint(offset), var_uint(each.length - offset)]
    reader = Reader(each.content)
    reader.var_uint()
    start = reader.position
    for _ in range(offset):
        if each.kind == ANY:
            _any(reader, DEPTH)
        else:
            reader.var_string()
    first, second = each.content[start : reader.position], each.content[reader.position :]
    return [var_uint(offset) + first, var_uint(each.length - offset) + second]


def _referring(each: Struct, renamed: Callable[[Id], Id]) -> Struct:
    """The struct with its references renamed."""
    if not each.references:
        return each
    return replace(
        each,
        origin=each.origin and renamed(each.origin),
        right=each.right and renamed(each.right),
        parent=renamed(each.parent) if isinstance(each.parent, tuple) else each.parent,
    )


def _renamed_deletes(deletes: Deletes, client: int, base: int, to: int) -> Deletes:
    result = dict(deletes)
    ranges = result.pop(client, [])
    lower = [(clock, min(length, base - clock)) for clock, length in ranges if clock < base]
    upper = [(max(clock - base, 0), min(length, clock + length - base)) for clock, length in ranges if clock + length > base]
    if lower:
        result[client] = lower
    if upper:
        result[to] = upper
    return result


def mend(update: Update, places: Iterable[Id]) -> Update:
    """The update with U+FFFD in the place of both halves of the pairs whose second halves are at `places`, as a browser has them."""
    structs = dict(update.structs)
    for client, clock in places:
        run = structs.get(client, [])
        index = bisect_right(run, clock, key=_clock) - 1
        if index >= 0 and run[index].kind == STRING:
            structs[client] = [*run[:index], _mended(run[index], clock - run[index].clock), *run[index + 1 :]]
    return Update(structs, update.deletes)


def _mended(each: Struct, offset: int) -> Struct:
    units = bytearray(each.units)
    pair = units[2 * offset - 2 : 2 * offset + 2] if offset else b""
    if len(pair) == 4 and pair[1] & 0xFC == 0xD8:
        units[2 * offset - 2 : 2 * offset + 2] = "\ufffd\ufffd".encode("utf-16-le")
    return replace(each, content=var_string(units.decode("utf-16-le")))
