from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import Seed, seeds
from pycrdt import Doc, Text, merge_updates
from scale import scale

from collab.codec import SAFE, var_string, var_uint
from collab.errors import Malformed
from collab.updates import (
    ANY,
    CLOCK,
    DELETED,
    DEPTH,
    DOC,
    EMBED,
    FORMAT,
    GC,
    JSON,
    KEY,
    ORIGIN,
    RIGHT,
    SKIP,
    STRING,
    TYPE,
    Id,
    Struct,
    Update,
    covered,
    differs,
    mend,
    normalised,
    parted,
    read,
    read_state_vector,
    rename,
    survey,
    touches_root,
    write,
    write_state_vector,
)

SEEDS = seeds()
every_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)

YJS = {
    "text": "01030700040107636f6e74656e740247728407010ac3b6c39f6520f09f9880c407010702017800",
    "half a pair deleted": "01030700040107636f6e74656e7401618107000184070104efbfbd620107010101",
    "format": (
        "01060700040107636f6e74656e7404626f6c648407030620776f72647346070004626f6c640474727565c6070a0700046c696e6b0f7b2268726566"
        "223a22615c2262227dc60703070404626f6c64046e756c6cc6070c0704046c696e6b046e756c6c00"
    ),
    "embed": "01010700050107636f6e74656e74287b22696d616765223a2278222c226e223a312e352c2265223a31652b32312c2275223a22c3a9227d00",
    "array": (
        "010207000801046c697374127d017d417d80017d407c4f0000007c5a0000007c3fc000007b3fb999999999999a7b7ff80000000000007c7f800000"
        "760101757f7e7879770173760101617501760075007601036269677a112210f47de981158307110200ff00"
    ),
    "map": "010507002101036d6170016b01a80700017d022701036d6170016e01270007020161020400070302696e0107010001",
    "xml": "01040700070103786d6c030170870700060400070101742800070005636c6173730177016300",
    "hook": "01010700070103786d6c0504686f6f6b00",
    "subdocument": "010107002901036d61700373756201677602086175746f4c6f616478046d657461760101617d0100",
    "garbage": "010207002101036d6170016e0100030107010004",
    "json": "010107000201046c69737403013109756e646566696e65640a7b2261223a6e756c6c7d00",
    "skip": "01030700040107636f6e74656e7401610a03840703016500",
}
"""Written by yjs 13.6.33 under the client id 7."""


def text_of(client: int, clock: int, text: str, **more: Any) -> Struct:
    length = len(text.encode("utf-16-le")) // 2
    fields = more or {"parent": "content"}
    info = STRING | (ORIGIN if "origin" in fields else 0) | (RIGHT if "right" in fields else 0)
    return Struct(client, clock, length, info, content=var_string(text), **fields)


def update_of(*structs: Struct, deletes: dict[int, list[tuple[int, int]]] | None = None) -> Update:
    update = Update(deletes=deletes or {})
    for each in structs:
        update.structs.setdefault(each.client, []).append(each)
    return update


def bare(content: bytes, info: int) -> bytes:
    """An update of one struct at the start of the list `t`."""
    return b"\1\1\1\0" + bytes((info,)) + b"\1\1t" + content + b"\0"


# Reading and writing


@pytest.mark.parametrize("name", YJS)
def test_what_yjs_writes_is_read_and_written_byte_for_byte(name: str) -> None:
    data = bytes.fromhex(YJS[name])
    assert write(read(data)) == data


@every_seed
def test_what_pycrdt_writes_is_read_and_written_byte_for_byte(seed: Seed) -> None:
    assert write(read(seed.update)) == seed.update
    assert write(read(seed.base)) == seed.base


@every_seed
def test_every_shorter_piece_of_an_update_is_malformed(seed: Seed) -> None:
    for place in range(len(seed.update)):
        with pytest.raises(Malformed):
            read(seed.update[:place])


@every_seed
def test_bytes_left_over_are_malformed(seed: Seed) -> None:
    with pytest.raises(Malformed):
        read(seed.update + b"\0")


IDS = st.tuples(st.integers(0, SAFE), st.integers(0, CLOCK))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@st.composite
def structs(draw: st.DrawFn, client: int, clock: int) -> Struct:
    kind = draw(st.sampled_from((GC, DELETED, STRING, EMBED, FORMAT, TYPE, SKIP)))
    length = draw(st.integers(1, 40)) if kind in {GC, DELETED, SKIP} else 1
    if kind in {GC, SKIP}:
        return Struct(client, clock, length, kind)
    content = {
        DELETED: lambda: var_uint(length),
        STRING: lambda: var_string(draw(TEXTS)),
        EMBED: lambda: var_string(json.dumps(draw(VALUES))),
        FORMAT: lambda: var_string(draw(TEXTS)) + var_string(json.dumps(draw(VALUES))),
        TYPE: lambda: draw(st.sampled_from((b"\0", b"\1", b"\2", b"\3\1p", b"\4", b"\6"))),
    }[kind]()
    each = Struct(client, clock, length, kind, content=content)
    if kind == STRING:
        each.length = len(each.units) // 2
    each.origin, each.right = draw(st.none() | IDS), draw(st.none() | IDS)
    each.info |= (ORIGIN if each.origin else 0) | (RIGHT if each.right else 0)
    if each.origin is each.right is None:
        each.parent = draw(TEXTS | IDS)
        each.key = draw(st.none() | TEXTS)
        each.info |= KEY if each.key is not None else 0
    return each


@st.composite
def updates(draw: st.DrawFn) -> Update:
    update = Update()
    for client in draw(st.lists(st.integers(0, SAFE), unique=True, max_size=3)):
        clock = draw(st.integers(0, 2**30))
        run = update.structs[client] = []
        for _ in range(draw(st.integers(1, 4))):
            run.append(draw(structs(client, clock)))
            clock = run[-1].end
    ranges = st.lists(st.tuples(st.integers(0, 2**30), st.integers(1, 2**30 - 1)), max_size=3)
    update.deletes = draw(st.dictionaries(st.integers(0, SAFE), ranges, max_size=3))
    return update


@given(updates())
@settings(max_examples=scale(200, 5_000))
def test_what_is_written_is_read_again(update: Update) -> None:
    assert read(write(update)) == update


@given(st.binary(max_size=60))
@settings(max_examples=scale(500, 20_000))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    for reader in (read, read_state_vector):
        try:
            reader(data)
        except Malformed:
            continue


# What is malformed

LONG = var_uint(CLOCK)
MALFORMED = {
    "a client id over 53 bits": b"\1\1" + var_uint(SAFE + 1) + b"\0\0\1\0",
    "a clock over 31 bits": b"\1\1\1" + var_uint(CLOCK + 1) + b"\0\1\0",
    "a length over 31 bits": b"\1\1\1\0\0" + var_uint(CLOCK + 1) + b"\0",
    "a sum over 31 bits": b"\1\1\1\1\0" + LONG + b"\0",
    "sums over 31 bits": b"\1\2\1\0\0" + LONG + b"\0\1\0",
    "a collected struct of no length": b"\1\1\1\0\0\0\0",
    "a skip of no length": b"\1\1\1\0\x0a\0\0",
    "an empty string": bare(b"\0", STRING),
    "an empty list": bare(b"\0", ANY),
    "an empty JSON list": bare(b"\0", JSON),
    "deleted content of no length": bare(b"\0", DELETED),
    "a client twice": b"\2\1\1\0\0\1\1\1\1\0\1\0",
    "a client without structs": b"\1\0\1\0\0",
    "a client twice in the delete set": b"\0\2\1\1\0\1\1\1\5\1",
    "a deletion of no length": b"\0\1\1\1\0\0",
    "a deletion over 31 bits": b"\0\1\1\1\1" + LONG,
    "a deletion of a client over 53 bits": b"\0\1" + var_uint(SAFE + 1) + b"\1\0\1",
    "more structs than bytes": b"\1" + LONG + b"\1\0\0\1\0",
    "content 11, a move of yrs": bare(b"\1a", 11),
    "content 31": bare(b"\1a", 31),
    "flags at a collected struct": b"\1\1\1\0\x80\1\0",
    "flags at a skip": b"\1\1\1\0\x2a\1\0",
    "a parent of neither kind": b"\1\1\1\0\4\2\1t\1a\0",
    "an origin over 53 bits": b"\1\1\1\0\x84" + var_uint(SAFE + 1) + b"\0\1a\0",
    "an origin's clock over 31 bits": b"\1\1\1\0\x84\1" + var_uint(CLOCK + 1) + b"\1a\0",
    "a string that is not UTF-8": bare(b"\1\xff", STRING),
    "a string with half of a pair": bare(b"\3\xed\xa0\x80", STRING),
    "a root's name that is not UTF-8": b"\1\1\1\0\4\1\1\xff\1a\0",
    "a key that is not UTF-8": b"\1\1\1\0\x24\1\1t\1\xff\1a\0",
    "a format's key that is not UTF-8": bare(b"\1\xff\1" + b"1", FORMAT),
    "a type that nobody knows": bare(b"\x07", TYPE),
    "a type of yrs": bare(b"\x0f", TYPE),
    "a value that nobody knows": bare(b"\1\x73", ANY),
    "a list with fewer values than announced": bare(b"\5\x7e\x7e", ANY),
    "a value's list with more elements than bytes": bare(b"\1\x75" + LONG, ANY),
    "an integer over 53 bits": bare(b"\1\x7d\xbf" + b"\xff" * 7 + b"\1", ANY),
    "an integer with padding": bare(b"\1\x7d\x80\0", ANY),
    "half a float": bare(b"\1\x7b\0\0", ANY),
    "a subdocument without options": bare(b"\1g\x7e", DOC),
    "values nested too deep": bare(b"\1" + b"\x75\1" * (DEPTH + 1) + b"\x7e", ANY),
    "values nested much too deep": bare(b"\1" + b"\x75\1" * 100_000 + b"\x7e", ANY),
    "objects nested too deep": bare(b"\1" + b"\x76\1\1k" * (DEPTH + 1) + b"\x7e", ANY),
    "binary longer than the data": bare(LONG + b"x", 3),
}
INVALID_JSON = (
    "",
    "{",
    "[1,]",
    "{'a':1}",
    "undefined",
    "NaN",
    "[Infinity]",
    "-Infinity",
    "01",
    "1.",
    "+1",
    "tru",
    '"a',
    '"\t"',
    '"\\x"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    "1e999",
    "1" * 400,
    "1" * 5000,
    "1 2",
    "\ufeff1",
    "[" * 33 + "]" * 33,
    "[" * 100_000,
    '{"a":' * 33 + "1" + "}" * 33,
    '"' + "[" * 40,
)
VALID_JSON = (
    "null",
    "true",
    "-0",
    "1e308",
    '"\\ud83d\\ude00"',
    ' {"a" : [ 1 , {"b":"\\u00e9"} ] }\n',
    "[" * 32 + "]" * 32,
    json.dumps("[{" * 100),
    json.dumps('\\"[' * 40),
    json.dumps([[]] * 100),
)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_no_honest_encoder_writes_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        read(MALFORMED[name])


@pytest.mark.parametrize("kind", [EMBED, FORMAT, JSON])
def test_content_that_a_json_parser_refuses_is_malformed(kind: int) -> None:
    before = {EMBED: b"", FORMAT: b"\1k", JSON: b"\1"}[kind]
    for text in INVALID_JSON:
        if kind != JSON or text != "undefined":
            with pytest.raises(Malformed):
                read(bare(before + var_string(text), kind))


@pytest.mark.parametrize("kind", [EMBED, FORMAT])
def test_content_that_a_json_parser_takes_is_read_and_pycrdt_takes_it(kind: int) -> None:
    for text in VALID_JSON:
        data = bare((b"\1k" if kind == FORMAT else b"") + var_string(text), kind)
        assert read(data).structs[1][0].length == 1
        Doc().apply_update(data)


def test_nesting_up_to_the_bound_is_read() -> None:
    assert read(bare(b"\1" + b"\x75\1" * DEPTH + b"\x7e", ANY)).structs[1][0].length == 1


def test_the_greatest_numbers_are_read() -> None:
    data = b"\1\1" + var_uint(SAFE) + b"\0\0" + LONG + b"\1" + var_uint(SAFE) + b"\1\0" + LONG
    assert read(data) == Update({SAFE: [Struct(SAFE, 0, CLOCK, GC)]}, {SAFE: [(0, CLOCK)]})


@pytest.mark.parametrize(("text", "length"), [("abc", 3), ("äöü", 3), ("☃", 1), ("😀", 2), ("👩‍👩‍👧", 8), ("a\u0301", 2)])
def test_text_is_counted_in_utf16_units(text: str, length: int) -> None:
    assert read(bare(var_string(text), STRING)).structs[1][0].length == length


# State vectors


@given(st.dictionaries(st.integers(0, SAFE), st.integers(0, CLOCK), max_size=20))
@settings(max_examples=scale(100, 2_000))
def test_a_state_vector_is_read_as_it_was_written(state: dict[int, int]) -> None:
    assert read_state_vector(write_state_vector(state)) == state


def test_the_state_vector_of_pycrdt_is_read() -> None:
    doc: Doc[Any] = Doc(client_id=5)
    doc.get("content", type=Text).insert(0, "a😀")
    assert read_state_vector(doc.get_state()) == {5: 3}
    assert write_state_vector({5: 3}) == doc.get_state()


@pytest.mark.parametrize(
    "data",
    [
        "",
        "01",
        "0101",
        "020101",
        "0201010102",
        "00ff",
        "010101ff",
        "01" + var_uint(SAFE + 1).hex() + "01",
        "0101" + var_uint(CLOCK + 1).hex(),
    ],
)
def test_a_state_vector_that_nobody_writes_is_malformed(data: str) -> None:
    with pytest.raises(Malformed):
        read_state_vector(bytes.fromhex(data))


# Surveys


@every_seed
def test_a_survey_foretells_the_state_of_pycrdt(seed: Seed) -> None:
    doc: Doc[Any] = Doc()
    doc.apply_update(seed.base)
    state = read_state_vector(doc.get_state())
    found = survey(read(seed.update), state)
    doc.apply_update(seed.update)
    assert not found.missing
    assert read_state_vector(doc.get_state()) == {**state, **found.reach}


def test_structs_are_split_into_known_and_new_at_the_state() -> None:
    update = update_of(text_of(1, 2, "abcd"), text_of(1, 6, "ef", origin=(1, 5)), text_of(2, 0, "x", origin=(1, 0)), deletes={3: [(0, 1)]})
    found = survey(update, {1: 4, 3: 9})
    assert (found.known, found.new) == ([(1, 2, 2)], [(1, 4, 4), (2, 0, 1)])
    assert (found.reach, found.named, found.missing) == ({1: 8, 2: 1}, {1, 2, 3}, False)


MISSING = {
    "a clock above the state": (update_of(text_of(1, 5, "a")), {1: 4}),
    "an unknown client at a clock above nothing": (update_of(text_of(1, 1, "a")), {}),
    "a skip of what is not there": (update_of(Struct(1, 0, 2, SKIP), text_of(1, 2, "a")), {1: 1}),
    "an origin that nobody has": (update_of(text_of(1, 0, "a", origin=(2, 3))), {2: 3}),
    "an origin of an unknown client": (update_of(text_of(1, 0, "a", origin=(2, 0))), {}),
    "a right origin that nobody has": (update_of(text_of(1, 0, "a", right=(2, 3))), {2: 3}),
    "a parent that nobody has": (update_of(text_of(1, 0, "a", parent=(2, 3))), {2: 3}),
    "an origin above what the update brings": (update_of(text_of(1, 0, "a", origin=(2, 1)), text_of(2, 0, "b")), {}),
    "a deletion of what nobody has": (update_of(deletes={1: [(0, 5)]}), {1: 4}),
    "a deletion of an unknown client": (update_of(deletes={1: [(0, 1)]}), {}),
    "two that wait for each other": (update_of(text_of(1, 0, "a", origin=(2, 0)), text_of(2, 0, "b", origin=(1, 0))), {}),
    "a known struct that refers to what nobody has": (update_of(text_of(1, 0, "a", origin=(2, 0))), {1: 1}),
}


@pytest.mark.parametrize("name", MISSING)
def test_an_update_that_needs_what_nobody_has_misses_something(name: str) -> None:
    update, state = MISSING[name]
    assert survey(update, state).missing


WHOLE = {
    "a skip of what is there": (update_of(Struct(1, 0, 2, SKIP), text_of(1, 2, "a")), {1: 2}),
    "a deletion of what the update brings": (update_of(text_of(1, 4, "ab"), deletes={1: [(0, 6)]}), {1: 4}),
    "an empty delete set of an unknown client": (update_of(deletes={1: []}), {}),
    "clients in the wrong order": (
        update_of(
            text_of(1, 0, "a", origin=(2, 1)), text_of(1, 1, "c", origin=(2, 2)), text_of(2, 0, "ab"), text_of(2, 2, "c", origin=(1, 0))
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_update_that_has_all_it_needs_misses_nothing(name: str) -> None:
    update, state = WHOLE[name]
    assert not survey(update, state).missing


def test_the_order_of_a_survey_puts_each_struct_behind_what_it_refers_to() -> None:
    update, state = WHOLE["clients in the wrong order"]
    assert [(each.client, each.clock) for each in survey(update, state).order] == [(2, 0), (1, 0), (2, 2), (1, 1)]


def test_a_chain_of_many_clients_is_surveyed_quickly() -> None:
    count = scale(2_000, 50_000)
    chain = [text_of(client, 0, "x", origin=(client + 1, 0)) for client in range(count)]
    waiting = [text_of(10**6 + client, 0, "x", origin=(0, 0)) for client in range(count)]
    assert not survey(update_of(*waiting, *chain), {count: 1}).missing


def test_what_lacks_nothing_is_parted_from_what_does_and_from_what_is_behind_it() -> None:
    gap = Struct(2, 1, 4, SKIP)
    fitting = [text_of(1, 3, "ab"), text_of(1, 5, "c", origin=(3, 0))]
    update = update_of(
        *fitting,
        text_of(1, 6, "d", origin=(2, 5)),
        text_of(1, 7, "e"),
        text_of(2, 0, "k"),
        gap,
        text_of(2, 5, "z"),
        text_of(3, 0, "f"),
        deletes={1: [(0, 2), (5, 2)], 2: [(3, 1)], 4: [(0, 9)]},
    )

    fits, left = parted(update, {1: 3, 2: 1, 4: 2})

    assert fits == update_of(*fitting, text_of(3, 0, "f"), deletes={1: [(0, 2), (5, 1)], 4: [(0, 2)]})
    assert left == update_of(
        text_of(1, 6, "d", origin=(2, 5)), text_of(1, 7, "e"), gap, text_of(2, 5, "z"), deletes={1: [(6, 1)], 2: [(3, 1)], 4: [(2, 7)]}
    )
    assert not survey(read(write(fits)), {1: 3, 2: 1, 4: 2}).missing


@pytest.mark.parametrize("seed", range(scale(40, 1_000)))
def test_what_fits_of_any_updates_is_taken_whole_and_no_more_of_them_would_fit(seed: int) -> None:
    """SYNC-4."""
    random, made = Random(seed), list[bytes]()
    docs = [Doc[Text](client_id=number) for number in range(1, 4)]
    watching = [doc.observe(lambda event: made.append(event.update)) for doc in docs]
    for _ in range(30):
        doc = random.choice(docs)
        text = doc.get("content", type=Text)
        length = len(str(text))
        if length and random.random() < 0.3:
            spot = random.randrange(length)
            del text[spot : min(length, spot + random.randint(1, 3))]
        else:
            text.insert(random.randint(0, length), "abcd"[: random.randint(1, 4)])
        # What the others hear of; they may hear it twice, and have heard all before.
        for other, watch in zip(docs, watching, strict=True):
            if other is not doc and random.random() < 0.5:
                other.unobserve(watch)
                for update in made:
                    other.apply_update(update)
        watching = [each.observe(lambda event: made.append(event.update)) for each in docs]
    known = random.randrange(len(made))
    holder = Doc[Text]()
    for update in made[:known]:
        holder.apply_update(update)
    given = merge_updates(*(update for update in made[known:] if random.random() < 0.6), b"\0\0")
    state = read_state_vector(holder.get_state())

    fits, left = parted(read(given), state)
    holder.apply_update(write(fits))
    after = read_state_vector(holder.get_state())

    assert not survey(fits, state).missing
    assert after == {**state, **survey(fits, state).reach}
    assert not parted(left, after)[0].structs
    assert survey(read(given), state).missing == bool(left.structs or left.deletes)


@pytest.mark.parametrize("field", ["origin", "right", "parent"])
@pytest.mark.parametrize("clock", [5, 6, 7])
def test_a_struct_that_refers_to_itself_or_later_is_malformed(field: str, clock: int) -> None:
    reference: dict[str, Id] = {field: (1, clock)}
    with pytest.raises(Malformed):
        survey(update_of(text_of(1, 5, "ab", **reference)), {1: 5})


REFUSED = {
    "a parent in the update that is no type": update_of(text_of(1, 0, "a"), text_of(1, 1, "b", parent=(1, 0))),
    "the same place on both sides": update_of(text_of(1, 3, "b", origin=(1, 0), right=(1, 0))),
    "JSON, which pycrdt misreads": read(bytes.fromhex(YJS["json"])),
    "an XmlHook, which pycrdt misreads": read(bytes.fromhex(YJS["hook"])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_survey_refuses(name: str) -> None:
    with pytest.raises(Malformed):
        survey(REFUSED[name], {1: 3})


def test_every_client_that_is_named_anywhere_is_given() -> None:
    update = update_of(text_of(1, 0, "a", origin=(2, 0), right=(3, 0)), text_of(4, 0, "b", parent=(5, 0)), deletes={6: [(0, 1)], 7: []})
    assert survey(update, {}).named == {1, 2, 3, 4, 5, 6, 7}


# Deletions


def test_deletions_are_normalised() -> None:
    assert normalised({1: [(5, 2), (0, 2), (2, 1), (6, 4)], 2: []}) == {1: [(0, 3), (5, 5)]}


@given(*[st.dictionaries(st.integers(0, 2), st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=5), max_size=3)] * 2)
@settings(max_examples=scale(200, 5_000))
def test_deletions_are_covered_when_every_unit_is(some: dict[int, list[tuple[int, int]]], others: dict[int, list[tuple[int, int]]]) -> None:
    def units(deletes: dict[int, list[tuple[int, int]]]) -> set[Id]:
        return {(client, unit) for client, ranges in deletes.items() for clock, length in ranges for unit in range(clock, clock + length)}

    assert covered(some, others) == (units(some) <= units(others))


# The root that only the server writes

TOUCHES = {
    "a struct in it": (update_of(text_of(1, 0, "a", parent="collab")), True),
    "a struct in another root": (update_of(text_of(1, 0, "a", parent="content")), False),
    "an origin in it": (update_of(text_of(1, 0, "a", origin=(9, 0))), True),
    "a right origin in it": (update_of(text_of(1, 0, "a", right=(9, 0))), True),
    "a parent in it": (update_of(text_of(1, 0, "a", parent=(9, 0))), True),
    "an origin beside it": (update_of(text_of(1, 0, "a", origin=(9, 1))), False),
    "a deletion of it": (update_of(deletes={9: [(5, 2), (0, 3)]}), True),
    "a deletion beside it": (update_of(deletes={9: [(1, 3)]}), False),
}


@pytest.mark.parametrize("name", TOUCHES)
def test_an_update_touches_a_root_when_it_adds_to_it_or_names_its_items(name: str) -> None:
    update, touches = TOUCHES[name]
    assert touches_root(update, "collab", [(9, 0)]) is touches


# Comparing


@pytest.mark.parametrize("name", YJS)
def test_what_pycrdt_encodes_again_does_not_differ_from_what_yjs_wrote(name: str) -> None:
    data = bytes.fromhex(YJS[name])
    doc: Doc[Any] = Doc()
    if name not in {"json", "hook"}:
        doc.apply_update(data)
    ours = read(doc.get_update())
    assert differs(read(data), ours) is None
    assert differs(ours, read(data)) is None


@every_seed
def test_an_update_does_not_differ_from_the_document_that_took_it(seed: Seed) -> None:
    doc: Doc[Any] = Doc()
    doc.apply_update(seed.base)
    doc.apply_update(seed.update)
    assert differs(read(seed.update), read(doc.get_update())) is None
    assert differs(read(seed.base), read(doc.get_update())) is None


def content(kind: int, data: bytes, length: int = 1) -> Struct:
    return Struct(1, 0, length, kind, parent="t", content=data)


DIFFERENT = {
    "text": (text_of(1, 0, "abcd"), text_of(1, 0, "abXd"), 2),
    "text cut elsewhere": (text_of(1, 3, "def"), text_of(1, 2, "cdeX"), 5),
    "pairs": (text_of(1, 0, "a😀"), text_of(1, 0, "a😁"), 2),
    "kinds": (text_of(1, 0, "ab"), content(ANY, b"\2\x77\1a\x77\1b", 2), 0),
    "elements": (content(ANY, b"\2\x7d\1\x7d\2", 2), content(ANY, b"\2\x7d\1\x7d\3", 2), 1),
    "truth and one": (content(ANY, b"\1\x78"), content(ANY, b"\1\x7d\1"), 0),
    "embeds": (content(EMBED, var_string("1")), content(EMBED, var_string("true")), 0),
    "formats": (content(FORMAT, b"\1b" + var_string("1")), content(FORMAT, b"\1b" + var_string("2")), 0),
    "binaries": (content(3, b"\1a"), content(3, b"\1b"), 0),
    "types": (content(TYPE, b"\0"), content(TYPE, b"\1"), 0),
    "subdocuments": (content(DOC, b"\1a\x76\0"), content(DOC, b"\1b\x76\0"), 0),
    "JSON": (content(JSON, b"\2\1" + b"1" + b"\1" + b"2", 2), content(JSON, b"\2\1" + b"1" + var_string("undefined"), 2), 1),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_first_clock_with_other_content_is_given(name: str) -> None:
    ours, theirs, clock = DIFFERENT[name]
    assert differs(update_of(theirs), update_of(ours)) == (1, clock)
    assert differs(update_of(ours), update_of(theirs)) == (1, clock)


SAME = {
    "structs cut elsewhere": ([text_of(1, 0, "ab"), text_of(1, 2, "cd")], [text_of(1, 1, "bcd")]),
    "what was deleted": ([text_of(1, 0, "abc")], [Struct(1, 0, 3, DELETED, content=b"\3")]),
    "what was collected": ([text_of(1, 0, "abc")], [Struct(1, 0, 9, GC)]),
    "a skip": ([text_of(1, 0, "abc")], [Struct(1, 0, 9, SKIP)]),
    "nothing in common": ([text_of(1, 0, "abc")], [text_of(1, 3, "xyz"), text_of(2, 0, "q")]),
    "a cut pair": ([text_of(1, 0, "a😀b")], [text_of(1, 0, "a\ufffd\ufffdb")]),
    "half of a cut pair": ([text_of(1, 0, "a😀b")], [text_of(1, 2, "\ufffdb")]),
    "other spaces and order": ([content(EMBED, var_string('{"a":1,"b":2.0}'))], [content(EMBED, var_string('{ "b": 2, "a": 1e0 }'))]),
    "other encodings of a number": ([content(ANY, b"\1\x7d\1")], [content(ANY, b"\1\x7c\x3f\x80\0\0")]),
    "no number": ([content(ANY, b"\1\x7b\x7f\xf8" + bytes(6))], [content(ANY, b"\1\x7c\x7f\xc0\0\0")]),
    "another order of keys": ([content(ANY, b"\1\x76\2\1a\x7e\1b\x7e")], [content(ANY, b"\1\x76\2\1b\x7e\1a\x7e")]),
}


@pytest.mark.parametrize("name", SAME)
def test_content_that_is_the_same_or_gone_does_not_differ(name: str) -> None:
    ours, theirs = SAME[name]
    assert differs(update_of(*theirs), update_of(*ours)) is None
    assert differs(update_of(*ours), update_of(*theirs)) is None


# Changing


def test_a_renamed_update_has_the_text_under_the_new_client_and_the_old_one_keeps_what_was_before() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    text = doc.get("content", type=Text)
    text += "hello "
    text += "world"
    text.insert(2, "--")
    del text[6:9]
    renamed = rename(read(doc.get_update()), 1, 6, 77)
    other: Doc[Any] = Doc()
    other.apply_update(write(renamed))
    assert str(other.get("content", type=Text)) == str(text)
    assert read_state_vector(other.get_state()) == {1: 6, 77: 7}


@pytest.mark.parametrize("clock", range(14))
def test_a_renamed_update_reads_the_same_wherever_it_is_cut(clock: int) -> None:
    whole = update_of(
        text_of(1, 0, "a😀b"),
        Struct(1, 4, 2, ANY | ORIGIN, (1, 3), content=b"\2\x7d\1\x77\1x"),
        Struct(1, 6, 3, DELETED | ORIGIN, (1, 5), content=b"\3"),
        text_of(1, 9, "cd", origin=(1, 1), right=(1, 2)),
        Struct(1, 11, 2, GC),
        text_of(2, 0, "z", origin=(1, 10)),
        deletes={1: [(1, 4), (9, 1)]},
    )
    renamed = rename(whole, 1, clock, 77)
    base = clock - (clock == 2)
    assert sum(each.length for each in renamed.structs.get(1, [])) == min(base, 13)
    assert sum(each.length for each in renamed.structs.get(77, [])) == max(13 - base, 0)
    assert read(write(renamed)) == renamed
    assert not survey(renamed, {}).missing
    docs: list[Doc[Any]] = [Doc(), Doc()]
    for doc, update in zip(docs, (whole, renamed), strict=True):
        doc.apply_update(write(mend(update, [(1, 2)] if clock != 2 else [(1, 2), (77, 1)])))
    assert str(docs[0].get("content", type=Text)) == str(docs[1].get("content", type=Text))


def test_renaming_keeps_the_other_half_of_a_json_list() -> None:
    renamed = rename(update_of(content(JSON, b"\2\1" + b"1" + b"\1" + b"2", 2)), 1, 1, 77)
    assert [(each.client, each.content) for run in renamed.structs.values() for each in run] == [(77, b"\1\1" + b"2"), (1, b"\1\1" + b"1")]


def test_renaming_a_client_that_is_not_there_changes_nothing() -> None:
    update = update_of(text_of(1, 0, "a"), deletes={1: [(0, 1)]})
    assert rename(update, 5, 0, 77) == update


def test_mending_puts_a_replacement_character_in_the_place_of_each_half() -> None:
    update = update_of(text_of(1, 0, "a😀😁b"), text_of(2, 0, "😀"))
    mended = mend(update, [(1, 4), (3, 0), (2, 9)])
    assert [each.text for run in mended.structs.values() for each in run] == ["a😀\ufffd\ufffdb", "😀"]
    assert [each.length for each in mended.structs[1]] == [6]


@pytest.mark.parametrize("place", [(1, 0), (1, 1), (1, 3), (1, 5)])
def test_mending_leaves_alone_what_is_no_pair(place: Id) -> None:
    update = update_of(text_of(1, 0, "a😀😁"))
    assert mend(update, [place]) == update


def test_a_survey_of_a_shuffled_update_comes_to_the_same() -> None:
    random = Random(20)
    whole = read(SEEDS[0].base)
    for _ in range(10):
        clients = list(whole.structs)
        random.shuffle(clients)
        shuffled = replace(whole, structs={client: whole.structs[client] for client in clients})
        assert survey(shuffled, {}).reach == survey(whole, {}).reach
