"""SYNC-1, SYNC-2, SYNC-8, ID-1, ID-3, ID-4, ID-5: the one door to the CRDT library."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest
from pycrdt import Array, Doc, Map, Text, XmlFragment

from collab import updates
from collab.document import FAR, Document, Endings, Mend, Step, derived_client, new_lineage, reserved
from collab.errors import CollabError, Forbidden, Malformed, OtherLineage, Poisoned
from collab.merge import Edit


def lineage(number: int = 1) -> int:
    return new_lineage(lambda size: number.to_bytes(size, "big"))


def seeded(text: str = "one two three\n", number: int = 1) -> Document:
    return Document.seed(text, lineage(number))


class Replica:
    """A client's own document, and the updates that its edits make."""

    def __init__(self, document: Document | None = None, client: int = 7) -> None:
        self.doc: Doc[Text] = Doc(client_id=client)
        self.text = self.doc.get("content", type=Text)
        self.made: list[bytes] = []
        if document is not None:
            self.doc.apply_update(document.encode())
        self._subscription = self.doc.observe(lambda event: self.made.append(event.update))

    def insert(self, index: int, text: str) -> bytes:
        self.text.insert(index, text)
        return self.made[-1]

    def erase(self, start: int, stop: int) -> bytes:
        del self.text[start:stop]
        return self.made[-1]


def take(document: Document, update: bytes) -> None:
    verdict = document.judge(update, fast=True)
    assert not verdict.missing
    assert verdict.conflict is None
    document.apply(update, verdict)


def test_a_lineage_is_recognised_and_others_are_not() -> None:
    rng = random.Random(1)
    assert all(reserved(lineage(rng.randrange(2**24))) for _ in range(1000))
    assert not any(reserved(rng.randrange(2**32)) for _ in range(100_000))
    assert not any(reserved(rng.randrange(2**53)) for _ in range(100_000))


def test_a_derived_client_id_depends_on_its_parts_alone_and_is_never_reserved() -> None:
    assert derived_client(b"a", b"bc") == derived_client(b"a", b"bc") != derived_client(b"ab", b"c")
    ids = [derived_client(str(number).encode()) for number in range(10_000)]
    assert all(2**32 <= client < 2**53 and not reserved(client) for client in ids)


def test_what_a_step_did_is_taken_back_whatever_was_built_on_it() -> None:
    """MERGE-3: what it took out is in again, what it put in is out, also where others typed into it or took out some of it."""
    document = seeded("one two three\n")
    program = Replica(document, 8)
    steps = [(1, document.encode()), (2, program.erase(4, 8)), (2, program.insert(4, "BRANCH "))]
    person = Replica(client=9)
    for _, step in steps:
        person.doc.apply_update(step)
    steps += [(3, person.insert(7, "<typed>")), (4, person.erase(5, 7)), (5, person.insert(0, "first "))]
    assert str(person.text) == "first one B<typed>NCH three\n"
    assert Document.undone(steps, {2}).text() == "first one two <typed>three\n"
    assert Document.undone(steps, {}).text() == str(person.text)
    assert Document.undone(steps, {2, 5}).lineage == document.lineage


def test_a_new_document_holds_its_text_under_its_lineage() -> None:
    document = seeded("größe ☃ 😀")
    assert document.text() == "größe ☃ 😀"
    assert list(document.state) == [lineage()]


@pytest.mark.parametrize("text", ["", "x", "\n" * 9])
def test_the_lineage_survives_whatever_the_text(text: str) -> None:
    assert Document.replay([seeded(text, 5).encode()]).lineage == lineage(5)


def test_a_history_without_a_lineage_or_with_two_is_not_opened() -> None:
    with pytest.raises(Poisoned):
        Document.replay([Replica().insert(0, "x")])
    with pytest.raises(Poisoned):
        Document.replay([seeded("a", 1).encode(), seeded("b", 2).encode()])


def test_edits_are_taken_and_the_state_is_mirrored() -> None:
    document = seeded()
    replica = Replica(document)
    for index in range(50):
        take(document, replica.insert(index, "é"[: 1 + index % 2] if index % 2 else "x"))
        take(document, replica.erase(0, 1))
    assert document.text() == str(replica.text)
    assert Document.replay([document.encode()]).state == document.state


def test_the_whole_history_one_by_one_is_the_document() -> None:
    document = seeded()
    replica = Replica(document)
    log = [document.encode()] + [replica.insert(index, "y") for index in range(200)]
    assert Document.replay(log).text() == str(replica.text)


def test_an_update_with_a_gap_is_told_and_not_applied() -> None:
    document = seeded()
    replica = Replica(document)
    replica.insert(0, "a")
    later = replica.insert(1, "b")
    assert document.judge(later).missing
    assert document.judge(later, fast=True).missing


def test_a_deletion_of_what_nobody_has_is_a_gap() -> None:
    document = seeded()
    replica = Replica(document)
    replica.insert(0, "abc")
    assert document.judge(replica.erase(0, 2)).missing


def test_another_lineage_is_refused_in_state_vectors_and_updates() -> None:
    document, other = seeded("a", 1), seeded("a", 2)
    with pytest.raises(OtherLineage):
        document.check_state_vector(other.state_vector())
    with pytest.raises(OtherLineage):
        document.judge(other.encode())
    with pytest.raises(OtherLineage):
        document.judge(Replica(other).insert(1, "x"))
    document.check_state_vector(document.state_vector())
    document.check_state_vector(b"\0")


def test_a_client_that_typed_before_its_first_sync_is_merged() -> None:
    document = seeded("server\n")
    take(document, Replica(client=9).insert(0, "mine"))
    assert sorted(document.text().split("\n")) in (["", "mineserver"], ["mine", "server"], ["", "mine", "server"], ["", "servermine"])


def test_nothing_new_is_taken_under_a_reserved_client_id() -> None:
    document = seeded()
    for number in (1, 2):
        forger = Replica(document, client=lineage(number))
        with pytest.raises((Forbidden, OtherLineage)):
            document.judge(forger.insert(3, "x"), fast=True)


def test_the_root_of_the_server_is_written_by_the_server_only() -> None:
    document = seeded()
    doc: Doc[Map[str]] = Doc(client_id=7)
    doc.apply_update(document.encode())
    root = doc.get("collab", type=Map)
    before = doc.get_state()
    root["lineage"] = "mine"
    with pytest.raises(Forbidden):
        document.judge(doc.get_update(before))
    other: Doc[Map[str]] = Doc(client_id=8)
    other.get("collab", type=Map)["new"] = "mine"
    with pytest.raises(Forbidden):
        document.judge(other.get_update())
    # Struct section empty; the delete set takes out the lineage's map entry.
    with pytest.raises(Forbidden):
        document.judge(b"\x00\x01" + number(document.lineage) + b"\x01\x00\x01", fast=True)


def number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


def test_other_content_under_a_known_clock_is_a_conflict() -> None:
    document = seeded()
    take(document, Replica(document, client=7).insert(0, "forged"))
    honest = seeded()
    verdict = document.judge(Replica(honest, client=7).insert(4, "honest words"))
    assert verdict.conflict == (7, 0)


def test_the_same_content_again_is_no_conflict_and_nothing_new() -> None:
    document = seeded()
    replica = Replica(document)
    first = replica.insert(0, "abc")
    take(document, first)
    take(document, replica.insert(3, "def"))
    verdict = document.judge(first)
    assert verdict.conflict is None
    assert document.adds_nothing(verdict)
    assert document.adds_nothing(document.judge(replica.doc.get_update()))


def test_deletions_are_looked_at_when_it_is_asked_whether_something_is_new() -> None:
    document = seeded()
    replica = Replica(document)
    deletion = replica.erase(0, 4)
    assert not document.adds_nothing(document.judge(deletion))
    take(document, deletion)
    assert document.adds_nothing(document.judge(deletion))


def test_the_text_of_a_reused_client_id_is_kept_under_an_id_of_its_own() -> None:
    document = seeded()
    take(document, Replica(document, client=7).insert(0, "forged "))
    honest = Replica(seeded(), client=7)
    honest.insert(0, "honest ")
    sent = honest.doc.get_update(seeded().state_vector())
    kept = document.salvage(document.judge(sent), b"mark")
    take(document, kept)
    assert "honest " in document.text()
    assert "forged " in document.text()


def test_shared_types_that_we_do_not_know_are_kept() -> None:
    document = seeded()
    doc: Doc[Any] = Doc(client_id=7)
    doc.get("list", type=Array).extend([1, 2])
    fragment = doc.get("xml", type=XmlFragment)
    fragment.children.append("words")
    take(document, doc.get_update())
    again: Doc[Any] = Doc()
    again.apply_update(document.encode())
    assert list(again.get("list", type=Array)) == [1, 2]
    assert "words" in str(again.get("xml", type=XmlFragment))


def test_our_own_edits_are_one_update_with_nothing_else_in_it() -> None:
    document = seeded("alpha beta gamma")
    replica = Replica(document)
    update = document.edit([Edit(0, 5, "ALPHA"), Edit(11, 16, "")])
    replica.doc.apply_update(update)
    assert document.text() == str(replica.text) == "ALPHA beta "
    assert len(update) < 60
    assert document.edit([]) == b""


def test_the_shared_text_takes_text_only() -> None:
    document = seeded("ab")
    replica = Replica(document)
    replica.text.insert_embed(1, {"image": "x"})
    with pytest.raises(Forbidden):
        document.judge(replica.made[-1])


def test_a_pair_of_surrogates_that_an_edit_cuts_is_mended_as_in_a_browser_and_in_the_history() -> None:
    document = seeded("a😀b")
    log: list[Step] = [document.encode()]
    # A yjs client with id 7 puts "x" between the halves: origin is the first half (clock 2 of the lineage), right the second.
    at = number(document.lineage)
    cut = b"\x01\x01\x07\x00\xc4" + at + b"\x02" + at + b"\x03\x01x\x00"
    verdict = document.judge(cut, fast=True)
    log += [Mend(verdict.torn), document.apply(cut, verdict)]
    assert document.text() == "a\ufffdx\ufffdb"
    assert Document.replay(log).text() == document.text()
    take(document, Replica(document, 8).insert(0, "more "))
    assert document.text() == "more a\ufffdx\ufffdb"


def test_line_ends_move_with_the_text_and_go_with_their_line() -> None:
    document = seeded("é😀\nb\nc\n")
    document.endings = [(6, "\r\n"), (8, "\r"), (10, "\r\n")]
    take(document, Replica(document).insert(0, "äb"))
    assert list(document.endings) == [(9, "\r\n"), (11, "\r"), (13, "\r\n")]
    take(document, Replica(document, client=8).erase(9, 11))
    assert list(document.endings) == [(9, "\r"), (11, "\r\n")]
    take(document, Replica(document, client=9).insert(10, "\n"))
    assert list(document.endings) == [(9, "\r"), (12, "\r\n")]


def test_line_ends_are_where_they_were_after_the_history_is_replayed() -> None:
    rng = random.Random(5)
    document = seeded("é😀\nb\n漢字\n\n")
    document.endings = ((6, "\r\n"), (8, "\r"), (15, "\r\n"))
    log: list[Step] = [document.encode(), Endings(document.endings)]
    for client in range(100, 300):
        replica = Replica(document, client)
        text = document.text()
        spot = rng.randrange(len(text) + 1)
        start = len(text[:spot].encode())
        log.append(replica.insert(start, rng.choice("xé😀\n")) if rng.random() < 0.7 or spot == len(text) else _erase(replica, text, spot))
        take(document, cast("bytes", log[-1]))
    assert Document.replay(log).endings == document.endings
    assert all(document.text().encode()[place : place + 1] == b"\n" for place, _ in document.endings)


def _erase(replica: Replica, text: str, spot: int) -> bytes:
    return replica.erase(len(text[:spot].encode()), len(text[: spot + 1].encode()))


def test_a_fork_merges_three_ways() -> None:
    document = seeded("alpha beta gamma")
    base = document.encode()
    take(document, Replica(document).insert(6, "BRAVE "))
    fork = Document.replay([base], derived_client(b"body"))
    update = fork.edit([Edit(11, 16, "GAMMA!")])
    document.apply_own(update)
    assert document.text() == "alpha BRAVE beta GAMMA!"
    document.apply_own(Document.replay([base], derived_client(b"body")).edit([Edit(11, 16, "GAMMA!")]))
    assert document.text() == "alpha BRAVE beta GAMMA!"


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 20, b"\x00\x00\x00", b"\x01\x01\x07\x00\x04\x01\x07content\x01\xff\x00"])
def test_what_is_no_update_is_refused_and_leaves_the_document_as_it_was(data: bytes) -> None:
    document = seeded()
    before = document.encode()
    with pytest.raises(Malformed):
        document.judge(data, fast=True)
    assert document.encode() == before


def test_a_state_vector_that_is_none_is_malformed() -> None:
    document = seeded()
    for data in (b"", b"\x01", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"):
        with pytest.raises(CollabError):
            document.check_state_vector(data)


def test_text_in_another_root_takes_the_short_way_too_and_stays_apart() -> None:
    """SYNC-8."""
    document = seeded("main\n")
    doc: Doc[Any] = Doc(client_id=7)
    other, made = doc.get("other", type=Text), []
    doc.apply_update(document.encode())
    subscription = doc.observe(lambda event: made.append(event.update))
    for index in range(5):
        other.insert(index, "x")
    del other[1:3]
    other.insert(2, "y")
    ways = []
    for update in made:
        verdict = document.judge(update, fast=True)
        ways.append(verdict.parsed is None)
        document.apply(update, verdict)
    doc.unobserve(subscription)
    again: Doc[Any] = Doc()
    again.apply_update(document.encode())
    assert str(again.get("other", type=Text)) == str(other)
    assert document.text() == "main\n"
    assert ways == [False, *[True] * (len(made) - 1)]
    # Between two roots nothing may stand, and the short way sees it: origin in one, right origin in the other.
    between = b"\x01\x01\x08\x00\xc4\x07\x00" + number(document.lineage) + b"\x02\x01z\x00"
    with pytest.raises(Malformed):
        document.judge(between, fast=True)


def test_a_long_history_is_read_once_for_comparisons_until_the_document_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """ID-1: a few bytes that come again and again do not cost a reading of everything each time."""
    document = seeded()
    replica = Replica(document)
    first = replica.insert(0, "a")
    take(document, first)
    take(document, replica.insert(1, "b" * FAR))
    read: list[int] = []

    def counted(data: bytes) -> updates.Update:
        read.append(len(data))
        return honest(data)

    honest = updates.read
    monkeypatch.setattr(updates, "read", counted)
    for _ in range(20):
        assert document.judge(first).conflict is None
    assert sum(size > FAR for size in read) == 1
    forged = Replica(client=7).insert(0, "z")
    assert document.judge(forged).conflict == (7, 0)
    take(document, replica.insert(0, "c"))
    read.clear()
    assert document.judge(replica.made[-1]).conflict is None
    assert document.judge(first).conflict is None
    assert sum(size > FAR for size in read) == 1


def test_who_has_nothing_is_given_all_that_there_is_after_each_kind_of_change() -> None:
    document, replica = seeded("one\rtwo 😀\n"), Replica(client=7)
    fork = seeded("one\rtwo 😀\n")

    def common() -> None:
        update = replica.insert(0, "Ann ")
        edit = document.common(update)
        assert edit is not None
        document.take(update, edit)

    def strange() -> None:
        take(document, Replica(document, client=8).erase(0, 2))

    changes = (
        lambda: take(document, replica.insert(0, "x")),
        common,
        strange,
        document.tidy,
        lambda: document.edit([Edit(0, 1, "Bob")]),
        lambda: document.apply_own(Replica(document, client=9).insert(0, "y")),
        lambda: document.mend(()),
        lambda: document.receive(Replica(document, client=10).insert(0, "z")),
        lambda: document.follow(fork),
    )
    replica.doc.apply_update(document.diff(b"\0"))
    fork.apply_own(Replica(fork, client=11).insert(0, "fork"))
    for change in changes:
        before = document.diff(b"\0")
        assert document.diff(b"\0") is before
        change()
        given = Replica()
        given.doc.apply_update(document.diff(b"\0"))
        assert str(given.text) == document.text()
        assert updates.read_state_vector(given.doc.get_state()) == updates.read_state_vector(document.state_vector())


def test_who_says_the_whole_again_says_nothing_new() -> None:
    document = seeded()
    whole = document.diff(b"\0")
    verdict = document.judge(whole)
    assert document.adds_nothing(verdict)
    assert verdict.parsed is None
    take(document, Replica(document).insert(0, "Ann "))
    again = document.judge(whole)
    assert again.parsed is not None
    assert not again.new
