from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import Seed, mutated, seeds
from pycrdt import Doc, Map, Text
from scale import scale

from collab.codec import SAFE, var_string, var_uint
from collab.errors import Malformed
from collab.layout import Edit, Ids, Layout, quick, torn
from collab.updates import (
    DELETED,
    GC,
    KEY,
    ORIGIN,
    RIGHT,
    STRING,
    TYPE,
    Id,
    Struct,
    Survey,
    Update,
    covered,
    mend,
    read,
    read_state_vector,
    survey,
    write,
)

SEEDS = seeds()


class Held:
    """A document as the server holds it: what pycrdt has, its state and its layout."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.update = read(data)
        found = survey(self.update, {})
        self.state = found.reach
        self.layout = Layout("content")
        self.layout.add(self.layout.survey(found.order, {}))


def document(*parts: str, client: int = 1) -> Held:
    """Some text, written in these parts, and an entry of the server's root."""
    doc: Doc[Any] = Doc(client_id=client)
    text = doc.get("content", type=Text)
    for part in parts:
        text += part
    doc.get("collab", type=Map)["lineage"] = "x"
    return Held(doc.get_update())


def inserted(text: str, client: int, clock: int, origin: Id | None = None, right: Id | None = None, **more: Any) -> Struct:
    length = len(text.encode("utf-16-le")) // 2
    info = STRING | (ORIGIN if origin else 0) | (RIGHT if right else 0)
    return Struct(client, clock, length, info, origin, right, content=var_string(text), **more)


def encoded(*structs: Struct, deletes: dict[int, list[tuple[int, int]]] | None = None) -> bytes:
    update = Update(deletes=deletes or {})
    for each in structs:
        update.structs.setdefault(each.client, []).append(each)
    return write(update)


def admit(held: Held, data: bytes) -> tuple[Update, Survey, Layout] | None:
    """What the server lets through: the update, and what it would add; None when something is missing."""
    update = read(data)
    found = survey(update, held.state)
    return None if found.missing else (update, found, held.layout.survey(found.order, held.state))


# Sets of ids


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20_000))), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20_000))))
@settings(max_examples=scale(50, 1_000))
def test_ids_are_a_set(some: list[Id], others: list[Id]) -> None:
    ids, more = Ids(), Ids()
    for place in some:
        ids.add(*place)
    for place in others:
        more.add(*place)
        ids.discard(*place)
    assert all((place in ids) is (place not in others) for place in some)
    ids.update(more)
    assert all(place in ids for place in some + others)
    assert (1, 30_000) not in ids


# Places


def test_only_what_is_not_in_the_main_root_has_a_span() -> None:
    held = document("words")
    assert held.layout.place((1, 0)) == held.layout.place((1, 4)) == ("content", None)
    assert held.layout.place((1, 5)) == ("collab", "lineage")
    assert held.layout.place((2, 0)) == ("content", None)
    assert [held.layout.in_text(1, *span) for span in [(0, 5), (0, 6), (5, 6), (4, 5), (3, 9), (6, 9)]] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert held.layout.in_text(2, 0, 9)
    held.layout.extend((3, 0, 4), ("other", None))
    assert held.layout.in_text(3, 1, 4)
    assert not held.layout.in_text(3, 1, 5)


def test_text_between_two_parents_is_malformed_since_it_would_cut_off_what_follows() -> None:
    held = document("all of these words")
    data = encoded(inserted("x", 2, 0, (1, 3), (1, 18)))
    doc: Doc[Any] = Doc()
    text = doc.get("content", type=Text)
    doc.apply_update(held.data)
    doc.apply_update(data)
    assert str(text) == "all x", "pycrdt has learnt to survive this: is the rule still needed?"
    with pytest.raises(Malformed):
        admit(held, data)


def test_text_between_two_keys_of_a_map_is_malformed() -> None:
    held = document("words")
    for key in ("a", "b"):
        clock = held.state.get(2, 0)
        data = encoded(Struct(2, clock, 1, STRING | KEY, parent="map", key=key, content=b"\1v"))
        admitted = admit(held, data)
        assert admitted is not None
        held.layout.add(admitted[2])
        held.state[2] = clock + 1
    with pytest.raises(Malformed):
        admit(held, encoded(inserted("x", 2, 2, (2, 0), (2, 1))))


def test_places_are_found_through_other_structs_of_the_same_update() -> None:
    held = document("words")
    first = inserted("ab", 2, 0, parent="other")
    admitted = admit(held, encoded(inserted("y", 3, 0, (2, 1)), first))
    assert admitted is not None
    assert admitted[2].place((3, 0)) == ("other", None)
    with pytest.raises(Malformed):
        admit(held, encoded(inserted("y", 3, 0, (2, 1)), first, inserted("z", 4, 0, (3, 0), (1, 2))))


def test_a_parent_that_is_no_type_is_malformed_since_pycrdt_would_stop_half_way() -> None:
    held = document("words")
    data = encoded(inserted("x", 2, 0, parent=(1, 2)))
    with pytest.raises(RuntimeError, match="parent"):
        fork(held.data).apply_update(data)
    with pytest.raises(Malformed):
        admit(held, data)


@pytest.mark.parametrize("kind", [TYPE, DELETED, GC])
def test_a_parent_may_be_a_type_or_what_came_as_deleted(kind: int) -> None:
    held = document("words")
    content = {TYPE: b"\2", DELETED: b"\1", GC: b""}[kind]
    parent = Struct(2, 0, 1, kind, parent=None if kind == GC else "other", content=content)
    together = admit(held, encoded(parent, inserted("x", 2, 1, parent=(2, 0))))
    assert together is not None
    assert together[2].place((2, 1)) == ((2, 0), None)
    held.layout.add(together[2])
    held.state[2] = 2
    later = encoded(inserted("y", 3, 0, parent=(2, 0)))
    assert admit(held, later) is not None
    doc = fork(held.data)
    doc.apply_update(encoded(parent, inserted("x", 2, 1, parent=(2, 0))))
    doc.apply_update(later)


def test_what_was_collected_may_stand_beside_anything() -> None:
    held = document("words")
    admitted = admit(held, encoded(Struct(2, 0, 4, GC), inserted("x", 2, 4, (2, 1), (1, 2)), inserted("y", 2, 5, (2, 2))))
    assert admitted is not None
    assert admitted[2].place((2, 3)) is admitted[2].place((2, 5)) is None
    assert admitted[2].place((2, 4)) == ("content", None)


# Pairs of surrogates

CUTS = {
    "both origins": encoded(inserted("x", 2, 0, (1, 1), (1, 2))),
    "an origin": encoded(inserted("x", 2, 0, (1, 1))),
    "a right origin": encoded(inserted("x", 2, 0, None, (1, 2))),
    "a deletion of the first half": encoded(deletes={1: [(0, 2)]}),
    "a deletion of the second half": encoded(deletes={1: [(2, 2)]}),
}
MENDED = {
    "both origins": "a\ufffdx\ufffdb",
    "an origin": "a\ufffd\ufffdbx",
    "a right origin": "a\ufffdx\ufffdb",
    "a deletion of the first half": "\ufffdb",
    "a deletion of the second half": "a\ufffd",
}
"""The text that yjs 13.6.33 has after the same updates."""


def fork(data: bytes) -> Doc[Any]:
    doc: Doc[Any] = Doc(client_id=9)
    doc.get("content", type=Text)
    doc.apply_update(data)
    return doc


@pytest.mark.parametrize("name", CUTS)
def test_where_a_pair_is_cut_document_and_update_are_mended_as_a_browser_does(name: str) -> None:
    held = document("a😀b")
    admitted = admit(held, CUTS[name])
    assert admitted is not None
    update, found, added = admitted
    cuts = torn(update, added, held.layout, held.state)
    assert cuts == {(1, 2)}
    assert quick(CUTS[name], held.state, held.layout) is None
    doc = fork(write(mend(held.update, cuts)))
    doc.apply_update(write(mend(update, cuts)))
    again = fork(doc.get_update())
    assert read_state_vector(again.get_state()) == {**held.state, **found.reach}
    assert str(again.get("content", type=Text)) == MENDED[name]


def test_an_update_that_cuts_its_own_pair_is_mended() -> None:
    held = document("words")
    admitted = admit(held, encoded(inserted("😀", 2, 0, (1, 1)), deletes={2: [(0, 1)]}))
    assert admitted is not None
    assert torn(admitted[0], admitted[2], held.layout, held.state) == {(2, 1)}


@pytest.mark.parametrize(
    "data", [encoded(inserted("x", 2, 0, (1, 0), (1, 1))), encoded(deletes={1: [(1, 2)]}), encoded(inserted("😁", 2, 0, (1, 2)))]
)
def test_beside_a_pair_nothing_is_torn(data: bytes) -> None:
    held = document("a😀b")
    admitted = admit(held, data)
    assert admitted is not None
    assert torn(admitted[0], admitted[2], held.layout, held.state) == set()


# The fast path

QUICK = {
    "text at the end": (encoded(inserted("x", 2, 0, (1, 4))), Edit((2, 0, 1), ((1, 4),), None)),
    "text at the start": (encoded(inserted("xyz", 2, 0, None, (1, 0))), Edit((2, 0, 3), ((1, 0),), None)),
    "text between": (encoded(inserted("ö☃", 1, 6, (1, 1), (1, 2))), Edit((1, 6, 2), ((1, 1), (1, 2)), None)),
    "a deletion": (encoded(deletes={1: [(1, 3)]}), Edit(None, (), (1, 1, 3))),
    "a replacement": (encoded(inserted("x", 2, 0, (1, 0), (1, 1)), deletes={1: [(1, 3)]}), Edit((2, 0, 1), ((1, 0), (1, 1)), (1, 1, 3))),
    "text that is deleted at once": (encoded(inserted("xy", 1, 6, (1, 1)), deletes={1: [(6, 2)]}), Edit((1, 6, 2), ((1, 1),), (1, 6, 2))),
    "the greatest client": (encoded(inserted("x", SAFE, 0, (1, 4))), Edit((SAFE, 0, 1), ((1, 4),), None)),
}


@pytest.mark.parametrize("name", QUICK)
def test_a_common_edit_is_quick(name: str) -> None:
    held = document("words")
    assert quick(QUICK[name][0], held.state, held.layout) == QUICK[name][1]


def _raw(middle: bytes, end: bytes = b"\0") -> bytes:
    return b"\1\1\2\0" + middle + end


NOT_QUICK = {
    "nothing": b"",
    "an empty update": b"\0\0",
    "two structs": encoded(inserted("x", 2, 0, (1, 4)), inserted("y", 2, 1, (1, 0))),
    "text under a root": encoded(inserted("x", 2, 0, parent="content")),
    "a clock above the state": encoded(inserted("x", 2, 1, (1, 4))),
    "a clock that is known": encoded(inserted("x", 1, 2, (1, 1))),
    "an origin that nobody has": encoded(inserted("x", 2, 0, (1, 6))),
    "an origin of an unknown client": encoded(inserted("x", 2, 0, (7, 0))),
    "its own origin": encoded(inserted("x", 1, 6, (1, 6))),
    "a right origin that nobody has": encoded(inserted("x", 2, 0, (1, 0), (1, 6))),
    "the same place on both sides": encoded(inserted("x", 2, 0, (1, 1), (1, 1))),
    "an origin in another root": encoded(inserted("x", 2, 0, (1, 5))),
    "a right origin in another root": encoded(inserted("x", 2, 0, (1, 1), (1, 5))),
    "a pair": encoded(inserted("😀", 2, 0, (1, 1))),
    "long text": encoded(inserted("x" * 128, 2, 0, (1, 1))),
    "a deletion in another root": encoded(deletes={1: [(4, 2)]}),
    "a deletion of what nobody has": encoded(deletes={1: [(4, 9)]}),
    "a deletion of two ranges": encoded(deletes={1: [(0, 1), (2, 1)]}),
    "a deletion of no length": b"\0\1\1\1\0\0",
    "a client over 53 bits": b"\1\1" + var_uint(SAFE + 1) + b"\0\x84\1\4\1x\0",
    "an empty text": _raw(b"\x84\1\4\0"),
    "text that is not UTF-8": _raw(b"\x84\1\4\2\xc3x"),
    "half of a pair": _raw(b"\x84\1\4\3\xed\xa0\x80"),
    "short text": b"\1\1\2\0\x84\1\4\5x\0",
    "bytes left over": _raw(b"\x84\1\4\1x", b"\0\0"),
    "no delete set": _raw(b"\x84\1\4\1x", b""),
    "bytes left over behind a deletion": b"\0\1\1\1\0\1\0",
    "a number with padding": b"\1\1\2\0\x84\1\x84\0\1x\0",
    "a list": _raw(b"\x88\1\4\1\x7e"),
    "a key": _raw(b"\xa4\1\4\1x"),
}


@pytest.mark.parametrize("name", NOT_QUICK)
def test_anything_else_is_not_quick(name: str) -> None:
    held = document("words")
    assert quick(NOT_QUICK[name], held.state, held.layout) is None


@pytest.mark.parametrize("clock", [2**31 - 1, 2**31 - 2])
def test_a_quick_edit_does_not_pass_the_greatest_clock(clock: int) -> None:
    held = document("words")
    held.state[2] = clock
    data = b"\1\1\2" + var_uint(clock) + b"\x84\1\4\2xy\0"
    assert quick(data, held.state, held.layout) is None


# The fuzz


def outcome(held: Held, data: bytes) -> str:
    """Do with an update what the server does, and check that everything works afterwards."""
    edit = quick(data, held.state, held.layout)
    try:
        admitted = admit(held, data)
    except Malformed:
        assert edit is None
        return "malformed"
    if admitted is None:
        assert edit is None
        return "missing"
    update, found, added = admitted
    if edit is not None:
        assert ([edit.new] if edit.new else []) == found.new
        assert ({edit.deleted[0]: [edit.deleted[1:]]} if edit.deleted else {}) == found.deletes
        assert not added.pairs
        assert all(added.place(each[:2]) == (edit.place or ("content", None)) for each in found.new)
    cuts = torn(update, added, held.layout, held.state)
    assert not (cuts and edit)
    assert write(update) == data
    doc = fork(write(mend(held.update, cuts)) if cuts else held.data)
    doc.apply_update(write(mend(update, cuts)) if cuts else data)
    str(doc.get("content", type=Text))
    whole = doc.get_update()
    assert read_state_vector(doc.get_state()) == {**held.state, **found.reach}
    assert read_state_vector(fork(whole).get_state()) == read_state_vector(doc.get_state())
    assert covered(update.deletes, read(whole).deletes)
    return "quick" if edit else "torn" if cuts else "applied"


HELD = {data: Held(data) for data in {seed.base for seed in SEEDS}}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_honest_updates_come_through(seed: Seed) -> None:
    assert outcome(HELD[seed.base], seed.update) in {"applied", "quick"}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_both_parts_of_an_update_split_anywhere_are_refused_or_harmless(seed: Seed) -> None:
    for place in range(len(seed.update)):
        assert outcome(HELD[seed.base], seed.update[:place]) == "malformed"
        outcome(HELD[seed.base], seed.update[place:])


@pytest.mark.parametrize("part", range(4))
def test_what_comes_through_of_mutated_updates_leaves_pycrdt_well(part: int) -> None:
    random = Random(part)
    counts: Counter[str] = Counter()
    for _ in range(scale(5_000, 100_000) // 4):
        seed = random.choice(SEEDS)
        data = mutated(seed, SEEDS, random)
        try:
            counts[outcome(HELD[seed.base], data)] += 1
        except BaseException as error:  # a panic is no Exception
            error.add_note(f"{seed.name}: {data.hex()}")
            raise
    assert counts["applied"] > 100
    assert counts["missing"] > 50
    assert counts["quick"] > 2
