"""A history under a new lineage: the same texts, the same states, and no copy of the old one fits (RESTORE-2, ID-5)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import steady, texts

from collab import merge
from collab.authorship import Authorship
from collab.document import Document, Mend, derived_client, new_lineage
from collab.errors import OtherLineage, Poisoned
from collab.ledger import Base, history, opened, pack, part_of
from collab.ports import Kind, Log, Record
from collab.succession import added, left, lineage_of, more, succeed, succeed_authors, succeed_part

if TYPE_CHECKING:
    from collections.abc import Sequence

OLD, NEW = new_lineage(lambda _: b"old"), new_lineage(lambda _: b"new")
FORM = {"bom": False, "eol": "\n"}


def grown(bodies: Sequence[str], checkpoint: int = 0) -> Log:
    """A log of texts that followed each other, each written by somebody else; some of them behind a checkpoint."""
    document = Document.seed(bodies[0], OLD)
    records = [(1, Record(Kind.SEED, document.encode(), {"hash": "0", "form": FORM, "endings": []}))]
    for number, body in enumerate(bodies[1:], 2):
        fork = Document.replay([document.encode()], derived_client(b"writer", b"%d" % number))
        update = fork.edit(merge.edits(document.text(), body))
        if update:
            document.apply_own(update)
            records.append((number, Record(Kind.UPDATE, pack([update]), {"owners": {str(fork.client): "ann"}, "by": [["ann", 1]]})))
    log = Log(records=tuple(records))
    if checkpoint:
        before = Document.replay(history(log, Base("", checkpoint)))
        meta = {"form": FORM, "endings": [], "owners": {}, "base": ["0", checkpoint, []], "known": []}
        return Log(before.encode(), meta, checkpoint, tuple(each for each in records if each[0] > checkpoint))
    return log


@steady
@given(texts, texts, texts)
def test_every_state_of_the_history_has_the_same_text_under_the_new_lineage(first: str, second: str, third: str) -> None:
    bodies = [each.replace("\r", "") for each in (first, second, third)]
    for log in (grown(bodies), grown(bodies, checkpoint=2)):
        after = succeed(log, lineage_of(log), NEW)
        assert lineage_of(after) == NEW
        for place in range(max(1, log.position), 4):
            before, heir = (Document.replay(history(each, Base("", place))) for each in (log, after))
            assert (heir.text(), heir.lineage) == (before.text(), NEW)
        part = succeed_part(part_of(log, 3), OLD, NEW)
        assert opened(part) == after


def test_clients_are_told_the_new_lineage_and_copies_of_the_old_one_are_refused() -> None:
    """ID-5."""
    log = grown(["one\n", "one\ntwo\n"])
    before, after = Document.replay(history(log)), Document.replay(history(succeed(log, OLD, NEW)))
    assert str(NEW).encode() in after.encode()
    assert str(OLD).encode() not in after.encode()
    with pytest.raises(OtherLineage):
        after.check_state_vector(before.state_vector())
    with pytest.raises(OtherLineage):
        after.judge(before.encode())


def test_what_a_record_says_of_clients_follows() -> None:
    pair = Document.seed("a😀b", OLD)
    places = {"places": [[OLD, 3]]}
    log = Log(
        records=((1, Record(Kind.SEED, pair.encode(), {"hash": "0", "form": FORM, "endings": []})), (2, Record(Kind.MEND, meta=places)))
    )
    after = succeed(log, OLD, NEW)
    assert after.records[1][1].meta == {"places": [[NEW, 3]]}
    assert (
        Document.replay(history(after)).text() == Document.replay([pair.encode(), Mend(frozenset({(OLD, 3)}))]).text() == "a\ufffd\ufffdb"
    )


def test_who_wrote_what_follows() -> None:
    """AUTHORS-1, RESTORE-2."""
    log = grown(["one\n", "one\ntwo 😀\n", "two 😀\n"])
    known = Authorship(OLD)
    known.take(log)
    heir = Authorship.decode(known.position, succeed_authors(known.position, known.encode(), OLD, NEW), NEW)
    again = Authorship(NEW)
    again.take(succeed(log, OLD, NEW))
    assert heir.spans() == again.spans()
    assert heir.deletions() == again.deletions() == {"ann": 4}


def test_a_log_without_a_lineage_is_refused() -> None:
    with pytest.raises(Poisoned):
        lineage_of(Log())


@steady
@given(texts, texts, texts)
def test_what_was_added_and_what_is_left_are_the_halves_of_an_edit(before: str, after: str, seen: str) -> None:
    both, rest = added(before, after, seen), left(before, after)
    assert within(before, both)
    assert within(after, both)
    assert within(rest, before)
    assert within(rest, after)
    assert more(before, after, seen) > 0 or within(both, before)


def within(part: str, whole: str) -> bool:
    """But for white space."""
    rest = iter("".join(whole.split()))
    return all(letter in rest for letter in "".join(part.split()))


@pytest.mark.parametrize(
    ("before", "after", "seen", "both"),
    [
        ("one\ntwo\n", "one, and more\nother\n", "", "one, and more\nother\ntwo\n"),
        ("unsent since then start\n", "since then start\n", "start\n", "unsent since then start\n"),
        ("since then start\n", "unsent since then start\n", "start\n", "unsent since then start\n"),
        ("a start\n", "start b\n", "start\n", "a start b\n"),
        ("- item 12\n", "- item 1\n", "", "- item 1\n- item 12\n"),
        ("a new line\n", "a line\n", "", "a new line\n"),
    ],
)
def test_a_line_that_both_have_is_there_once(before: str, after: str, seen: str, both: str) -> None:
    """RESTORE-2."""
    assert added(before, after, seen) == both
    assert left(seen, before) == left(seen, after) == left(seen, both) == seen


insertions = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), max_size=4)


@steady
@given(insertions, insertions, insertions)
def test_words_that_pages_of_the_same_history_bring_are_there_once_in_either_order(
    common: list[tuple[int, int]], ann: list[tuple[int, int]], bob: list[tuple[int, int]]
) -> None:
    """RESTORE-2: all had the same, and each has typed something more, into lines that were there."""
    seen = [["first", "line"], ["second", "one"], ["third", "here"], ["fourth", "it", "is"]]

    def typed(lines: list[list[str]], who: str, places: list[tuple[int, int]]) -> list[list[str]]:
        copy = [[*line] for line in lines]
        for number, (place, line) in enumerate(places):
            copy[line].insert(place, f"{who}{number}")
        return copy

    def text(lines: list[list[str]]) -> str:
        return "\n".join(map(" ".join, lines)) + "\n"

    since = typed(seen, "common", common)
    one, other = text(typed(since, "ann", ann)), text(typed(since, "bob", bob))
    for first, last in ((one, other), (other, one)):
        words = Counter(added(first, last, text(seen)).split())
        assert words == Counter(first.split()) | Counter(last.split())
