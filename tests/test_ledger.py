"""SAVE-2, SAVE-3, JOURNAL-6: what the log says of the file."""

from __future__ import annotations

import json

import pytest

from collab.document import Endings
from collab.formats.text import Form
from collab.ledger import Base, Ledger, Office, history, pack, unpack
from collab.ports import Kind, Log, Record

CR = "\r"
FORM = {"form": Form().to_json(), "endings": []}
SEED = Record(Kind.SEED, b"seed", {"hash": "h0", **FORM})


def log(*records: Record, checkpoint: bytes | None = None) -> Log:
    return Log(checkpoint, records=tuple(enumerate(records, 1)))


def update(*bodies: bytes, owners: dict[str, str] | None = None) -> Record:
    return Record(Kind.UPDATE, pack(bodies), {"owners": owners} if owners else {})


def announce(digest: str) -> Record:
    return Record(Kind.ANNOUNCE, meta={"hash": digest})


def saved(digest: str, place: int) -> Record:
    return Record(Kind.SAVED, meta={"hash": digest, "place": place})


def merge(body: bytes, digest: str, base: Base | None, *, in_file: bool = True) -> Record:
    meta = {
        "hash": digest,
        "base": base.to_json() if base else None,
        "in_file": in_file,
        "form": Form(bom=True).to_json(),
        "endings": [[1, "\r"]],
    }
    return Record(Kind.MERGE, body, meta)


def test_updates_of_one_moment_are_one_record() -> None:
    assert list(unpack(pack([b"a", b"", b"bc"]))) == [b"a", b"", b"bc"]


def test_a_seed_is_what_the_file_holds() -> None:
    ledger = Ledger.of(log(SEED))
    assert (ledger.base, ledger.announced, ledger.ahead) == (Base("h0", 1), None, False)


def test_an_edit_puts_the_log_ahead_until_a_save_is_done() -> None:
    records = [SEED, update(b"u1"), announce("h1")]
    ledger = Ledger.of(log(*records))
    assert ledger.ahead
    assert ledger.candidates() == [Base("h0", 1), Base("h1", 3)]
    ledger = Ledger.of(log(*records, saved("h1", 3)))
    assert not ledger.ahead
    assert ledger.candidates() == [Base("h1", 3)]


def test_what_was_typed_during_a_save_is_not_in_its_base() -> None:
    known = log(SEED, update(b"u1"), announce("h1"), update(b"u2"), saved("h1", 3))
    ledger = Ledger.of(known)
    assert ledger.ahead
    assert list(history(known, ledger.base)) == [b"seed", b"u1"]
    assert list(history(known)) == [b"seed", Endings(()), b"u1", b"u2"]


def test_the_base_of_an_outside_writer_moves_to_what_it_wrote() -> None:
    known = log(SEED, update(b"u1"), merge(b"m1", "h9", Base("h0", 1)), update(b"u2"), merge(b"m2", "h10", Base("h9", 1, (3,))))
    ledger = Ledger.of(known)
    assert ledger.base == Base("h10", 1, (3, 5))
    assert list(history(known, ledger.base)) == [b"seed", b"m1", b"m2"]
    assert ledger.form == Form(bom=True)


def test_a_body_that_is_equal_to_the_live_text_has_everything_as_its_base() -> None:
    known = log(SEED, update(b"u1"), merge(b"", "h1", None))
    assert Ledger.of(known).base == Base("h1", 3)
    assert list(history(known, Ledger.of(known).base)) == [b"seed", b"u1"]


def test_a_displaced_body_is_merged_without_being_taken_for_the_file() -> None:
    known = log(SEED, update(b"u1"), announce("h1"), merge(b"m1", "h9", Base("h0", 1), in_file=False), saved("h1", 3))
    assert Ledger.of(known).base == Base("h1", 3)
    assert list(history(known, Base("h1", 3))) == [b"seed", b"u1"]


def test_the_people_behind_client_ids_are_kept() -> None:
    assert Ledger.of(log(SEED, update(b"u", owners={"7": "alice"}))).owners == {7: "alice"}


@pytest.mark.parametrize("tail", [[], [update(b"u2")], [saved("h1", 3)], [update(b"u2", owners={"8": "bob"}), saved("h1", 3)]])
def test_a_checkpoint_at_a_base_is_the_same_as_the_records_before_it(tail: list[Record]) -> None:
    head = [SEED, update(b"u1", owners={"7": "alice"}), announce("h1")]
    whole = log(*head, saved("h1", 3), *tail)
    before = Ledger.of(log(*head, saved("h1", 3)))
    records = tuple((position, record) for position, record in whole.records if position > 3)
    short = Log(b"state", json.loads(json.dumps(before.to_meta([(1, CR)]))), 3, records)
    after, expected = Ledger.of(short), Ledger.of(whole)
    assert (after.base, after.owners, after.ahead, after.form) == (expected.base, expected.owners, expected.ahead, expected.form)
    assert list(history(short)) == [b"state", Endings(((1, CR),)), *list(history(whole))[3:]]


def test_what_the_file_held_before_is_remembered_and_what_it_holds_now_ends_the_announcement() -> None:
    ledger = Ledger.of(log(SEED, update(b"u1"), announce("h1"), saved("h1", 3), announce("h2"), merge(b"m1", "h9", Base("h1", 3))))
    assert ledger.former == (Base("h0", 1), Base("h1", 3))
    assert ledger.base == Base("h9", 3, (6,))
    assert ledger.announced is None


def test_what_the_writer_of_a_displaced_file_wrote_is_remembered_for_what_it_writes_next() -> None:
    ledger = Ledger.of(log(SEED, update(b"u1"), announce("h1"), merge(b"m1", "h9", Base("h0", 1), in_file=False), saved("h1", 3)))
    assert ledger.readers == (Base("h9", 1, (4,)),)
    assert ledger.former == (Base("h0", 1),)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_log_that_begins_anew_says_what_the_file_held_and_what_was_announced(*, ahead: bool) -> None:
    """REDIS-5."""
    before = Ledger.of(log(SEED, merge(b"m", "h1", Base("h0", 1)), announce("h2")))
    meta = json.loads(json.dumps(before.to_meta_anew([], ahead=ahead)))
    after = Ledger.of(Log(b"state", meta, 9))
    assert (after.base, after.announced) == (before.base if ahead else Base("h1", 9), Base("h2", 3))
    assert after.ahead is ahead
    assert after.known == before.known


# --- office suites: WOPI-16, WOPI-19, WOPI-20


def gave(digest: str) -> Record:
    return Record(Kind.GIVEN, meta={"hash": digest, "office": True})


def put(digest: str, base: Base, place: int, *, longer: bool = False) -> Record:
    record = merge(b"m", digest, base, in_file=False)
    return Record(record.kind, record.body, {**record.meta, "by": "suite", "office": [place, longer]})


UNLOCKED = Record(Kind.OFFICE, meta={"office": True})


def test_what_was_given_since_the_last_save_and_that_save_are_what_a_suite_may_have_the_newest_first() -> None:
    ledger = Ledger.of(log(SEED, gave("g1"), gave("g2"), gave("g1"), put("p1", Base("g1", 2), 4), gave("g3"), gave("p1")))
    assert ledger.office.choices() == [(Base("g3", 6), Base("p1", 2, (5,)))]


def test_what_was_given_while_a_save_was_under_way_counts_on() -> None:
    ledger = Ledger.of(log(SEED, gave("g1"), gave("g2"), put("p1", Base("g1", 2), 2)))
    assert ledger.office.choices() == [(Base("g2", 3), Base("p1", 2, (4,)))]


def test_when_a_suite_is_done_what_it_had_counts_only_where_nothing_else_is_known() -> None:
    records = [SEED, gave("g1"), put("p1", Base("g1", 2), 2), UNLOCKED]
    assert Ledger.of(log(*records)).office.choices() == [(Base("p1", 2, (3,)),)]
    assert Ledger.of(log(*records, gave("g2"))).office.choices() == [(Base("g2", 5),), (Base("p1", 2, (3,)),)]


def test_a_checkpoint_keeps_what_a_suite_may_have_and_what_comes_after_it_changes_nothing_twice() -> None:
    records = [SEED, gave("g1"), put("p1", Base("g1", 2), 2, longer=True), gave("g2"), UNLOCKED, gave("g3")]
    whole = Ledger.of(log(*records))
    assert whole.office.longer == Base("p1", 2, (3,))
    meta = json.loads(json.dumps(whole.to_meta([])))
    for upto in range(1, len(records) + 1):
        rest = tuple((position, record) for position, record in enumerate(records, 1) if position > upto)
        assert Ledger.of(Log(b"state", meta, upto, rest)).office.choices()[0] == whole.office.choices()[0]
    assert Ledger.from_meta(Ledger().to_meta([]), 0).office == Office()


def test_only_so_many_bodies_are_kept() -> None:
    office = Ledger.of(log(SEED, *(gave(f"g{number}") for number in range(40)))).office
    assert [each.hash for each in office.given] == [f"g{number}" for number in range(24, 40)]
