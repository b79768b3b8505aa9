"""Updates of every shared type and content kind, as encoders write them, and what happens to them on a bad day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from collab.codec import var_bytes, var_string, var_uint
from collab.errors import Malformed
from collab.updates import (
    ANY,
    BINARY,
    DELETED,
    DOC,
    EMBED,
    FORMAT,
    GC,
    KEY,
    ORIGIN,
    RIGHT,
    SKIP,
    STRING,
    TYPE,
    Id,
    Struct,
    Update,
    read,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

BOUNDS = (0, 1, 2, 3, 127, 128, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**63, 2**64 - 1)


@dataclass(frozen=True)
class Seed:
    """An honest update and the document that it is meant for."""

    name: str
    base: bytes
    update: bytes


def seeds() -> list[Seed]:
    """Documents of two clients, one edit each, made by pycrdt, and bare structs of the kinds that it does not write."""
    made = [_made(name, edit) for name, edit in _EDITS.items()]
    base = _base().get_update()
    return made + [Seed(name, base, update) for name, update in _bare()]


def _base() -> Doc[Any]:
    """A document that two clients wrote, with every shared type in it."""
    first: Doc[Any] = Doc(client_id=1)
    text = first.get("content", type=Text)
    text += "plain words at the start, then Größe ☃ 😀 and 👩‍👩‍👧 end"
    text.format(0, 4, {"bold": True})
    text.insert_embed(7, {"image": "x.png", "size": [1, 2.5]})
    array = first.get("list", type=Array)
    array.extend([1, 2.5, "three", None, True, {"a": [1, {"b": 2}]}, b"bytes", 2**60])
    mapping = first.get("map", type=Map)
    mapping["text"] = Text("inner 😀 text")
    mapping["list"] = Array([1, 2, Map({"deep": 1})])
    mapping["number"] = 1
    fragment = first.get("xml", type=XmlFragment)
    element = fragment.children.append(XmlElement("p", {"class": "x"}))
    element.children.append(XmlText("hello"))
    second: Doc[Any] = Doc(client_id=2**53 - 2)
    second.apply_update(first.get_update())
    other = second.get("content", type=Text)
    other.insert(3, "(second)")
    del other[12:16]
    second.get("map", type=Map)["number"] = 2
    del second.get("list", type=Array)[1]
    return second


def _made(name: str, edit: Callable[[Doc[Any]], object]) -> Seed:
    base = _base()
    doc: Doc[Any] = Doc(client_id=300)
    doc.apply_update(base.get_update())
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    with doc.transaction():
        edit(doc)
    return Seed(name, base.get_update(), updates[0])


def _content(doc: Doc[Any]) -> Text:
    text: Text = doc.get("content", type=Text)
    return text


def _replacement(doc: Doc[Any]) -> None:
    text = _content(doc)
    del text[1:5]
    text.insert(1, "Schönheit")


def _nested(doc: Doc[Any]) -> None:
    mapping = doc.get("map", type=Map)
    mapping["text"].insert(2, "nested")
    mapping["list"].append(Map({"again": Array([Text("deep")])}))
    del mapping["number"]


def _xml(doc: Doc[Any]) -> None:
    fragment = doc.get("xml", type=XmlFragment)
    element = fragment.children.append(XmlElement("div", {"id": "1"}))
    element.children.append(XmlText("words"))
    element.attributes["id"] = "2"
    del fragment.children[0]


def _rich(doc: Doc[Any]) -> None:
    text = _content(doc)
    text.insert(4, "styled", {"bold": True, "color": {"r": 1.5}})
    text.insert_embed(2, {"formula": 'a"b'})
    text.format(1, 9, {"italic": True, "bold": None})


def _garbage(doc: Doc[Any]) -> None:
    mapping = doc.get("map", type=Map)
    del mapping["list"]
    del mapping["text"]


_EDITS: dict[str, Callable[[Doc[Any]], object]] = {
    "a character": lambda doc: _content(doc).insert(3, "x"),
    "a character outside the plane": lambda doc: _content(doc).insert(3, "😀"),
    "an end": lambda doc: _content(doc).insert(len(_content(doc)), "the end"),
    "a deletion": lambda doc: _content(doc).__delitem__(slice(1, 5)),
    "a replacement": _replacement,
    "rich text": _rich,
    "a list": lambda doc: doc.get("list", type=Array).extend([1, -70, 2**40, 0.1, "x", None, False, {"k": [1]}, b"\0\1", 2**60]),
    "a map": lambda doc: doc.get("map", type=Map).update({"number": 3, "binary": b"123", "any": {"x": [None]}}),
    "nested types": _nested,
    "xml": _xml,
    "garbage": _garbage,
    "a subdocument": lambda doc: doc.get("map", type=Map).update({"sub": Doc()}),
    "a new root": lambda doc: doc.get("other", type=Text).insert(0, "root"),
    "everything": lambda doc: [edit(doc) for edit in (_rich, _nested, _xml)],
}


def _bare() -> Iterator[tuple[str, bytes]]:
    """One update for each kind of content, beside text of client 1."""
    contents = {
        DELETED: (var_uint(3), 3),
        BINARY: (var_bytes(b"\0\xff"), 1),
        STRING: (var_string("text 😀"), 7),
        EMBED: (var_string('{"a":[1,2.5e3,"\\u00e9"]}'), 1),
        FORMAT: (var_string("bold") + var_string("true"), 1),
        TYPE: (var_uint(3) + var_string("p"), 1),
        ANY: (var_uint(3) + b"\x7f\x7d\x41" + b"\x76\x01" + var_string("k") + b"\x75\x02\x78\x7a" + bytes(8), 3),
        DOC: (var_string("guid") + b"\x76\x01" + var_string("gc") + b"\x78", 1),
    }
    for kind, (content, length) in contents.items():
        at_start = Struct(400, 0, length, kind, parent="content", content=content)
        with_key = replace(at_start, clock=length, info=kind | KEY, parent="map", key="key")
        between = replace(at_start, clock=2 * length, info=kind | ORIGIN | RIGHT, origin=(1, 1), right=(1, 2), parent=None)
        yield f"kind {kind}", write(Update({400: [at_start, with_key, between]}, {400: [(0, 1)]}))
    yield "a collected struct", write(Update({400: [Struct(400, 0, 5, GC), Struct(400, 5, 2, STRING | ORIGIN, (400, 4), content=b"\2ab")]}))
    yield "a skip", write(Update({1: [Struct(1, 0, 4, SKIP), Struct(1, 4, 1, DELETED | ORIGIN, (1, 3), content=b"\1")]}))
    crossed = {
        500: [Struct(500, 0, 1, STRING, parent="content", content=b"\1a"), Struct(500, 1, 1, STRING | ORIGIN, (400, 1), content=b"\1d")],
        400: [Struct(400, 0, 2, STRING | ORIGIN, (500, 0), content=b"\2bc"), Struct(400, 2, 1, STRING | ORIGIN, (500, 1), content=b"\1e")],
    }
    yield "two clients that wait for each other", write(Update(crossed, {}))


def mutated(seed: Seed, others: list[Seed], random: Random) -> bytes:
    """The update of a seed, changed in one to three ways."""
    data = seed.update
    for _ in range(random.choice((1, 1, 2, 3))):
        data = random.choice(_WAYS)(data, random.choice(others).update, random)
    return data


def _flip(data: bytes, _other: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) or 1)
    return (
        data[:place] + bytes((random.choice((random.randrange(256), data[place] ^ 1 << random.randrange(8))),)) + data[place + 1 :]
        if data
        else data
    )


def _cut(data: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.randrange(1, 6) :]


def _put(data: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + random.choice((random.randbytes(random.randrange(1, 4)), var_uint(random.choice(BOUNDS)))) + data[start:]


def _number(data: bytes, _other: bytes, random: Random) -> bytes:
    """A number is put in the place of one."""
    start = random.randrange(len(data) + 1)
    end = start
    while end < len(data) and data[end] & 0x80:
        end += 1
    return data[:start] + var_uint(random.choice(BOUNDS)) + data[end + 1 :]


def _double(data: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.randrange(1, 24))
    return data[:end] + data[start:]


def _cross(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _reworded(data: bytes, other: bytes, random: Random) -> bytes:
    """A change that leaves the form as it is: ids, lengths, kinds and order of well-formed structs."""
    try:
        update, donor = read(data), read(other)
    except Malformed:
        return data
    structs = [each for run in update.structs.values() for each in run]
    for _ in range(random.randrange(1, 3)):
        if structs:
            _reword(random.choice(structs), [each for run in donor.structs.values() for each in run], random)
    _shift(update, random)
    return write(update)


def _reword(each: Struct, donors: list[Struct], random: Random) -> None:
    way = random.randrange(5)
    if way == 0 and each.origin:
        each.origin = _near(each.origin, random)
    elif way == 1 and each.right:
        each.right = _near(each.right, random)
    elif way == 2 and isinstance(each.parent, tuple):
        each.parent = _near(each.parent, random)
    elif way == 3 and each.parent:
        each.parent = random.choice(("content", "map", "list", "xml", (1, random.randrange(60))))
    elif donors:
        donor = random.choice(donors)
        each.info = each.info & ~0x1F | donor.kind if each.kind not in {GC, SKIP} and donor.kind not in {GC, SKIP} else each.info
        each.content = donor.content


def _near(place: Id, random: Random) -> Id:
    client = random.choice((place[0], place[0], 1, 300, 400, 2**53 - 2))
    return client, max(0, random.choice((place[1] + random.randrange(-3, 4), random.randrange(60))))


def _shift(update: Update, random: Random) -> None:
    way = random.randrange(6)
    clients = list(update.structs)
    if way == 0 and clients:
        update.deletes[random.choice([*clients, 1])] = [(random.randrange(60), random.randrange(1, 9)) for _ in range(random.randrange(3))]
    elif way == 1 and clients:
        client = random.choice(clients)
        for each in update.structs[client]:
            each.clock += 1
    elif way == 2 and clients:
        random.shuffle(update.structs[random.choice(clients)])
    elif way == 3 and clients:
        client = random.choice(clients)
        update.structs[random.choice((1, 2**53 - 2, 7))] = update.structs.pop(client)


_WAYS: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _put,
    _number,
    _double,
    _cross,
    _reworded,
    _reworded,
    _reworded,
)
