"""LOAD-1: what another process makes of a document is the document."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from notebooks import cell, notebook
from pycrdt import Array, Doc, Map, Text
from test_document import Replica, lineage, seeded, take
from traces import trace

from collab import document as documents
from collab import updates
from collab.document import Document, Image
from collab.errors import NotText, Poisoned
from collab.formats import NOTEBOOK_TYPE, bodies
from collab.formats.text import Form
from collab.ledger import Base, Ledger, pack
from collab.merge import Edit
from collab.opening import begun, opened, rewritten, state_upto
from collab.ports import Kind, Log, Record
from collab.session import Limits


def developed(image: Image) -> Document:
    """Made anew, by way of another process."""
    steps = Document.developed(pickle.loads(pickle.dumps(image)))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Document = end.value
            return made


def same(a: Document, b: Document) -> bool:
    """Whether they hold the same."""
    structs, others = updates.read(a.encode()), updates.read(b.encode())
    return (
        a.state == b.state
        and a.text() == b.text()
        and a.endings == b.endings
        and updates.differs(structs, others) is None
        and updates.normalised(structs.deletes) == updates.normalised(others.deletes)
    )


@pytest.mark.parametrize("size", [1, 200, 10**6])
def test_an_image_in_pieces_of_any_size_is_the_document_and_goes_on_as_it_would(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(documents, "PIECE", size)
    dice = random.Random(3)
    live = seeded("one 🦀 two\n" * 5)
    people = [Replica(live, client) for client in (7, 8, 9)]
    for _ in range(300):
        person = dice.choice(people)
        person.doc.apply_update(live.diff(person.doc.get_state()))
        words = str(person.text)
        place = len(words[: dice.randrange(len(words) + 1)].encode())
        gone = words.encode()[place : place + 4].decode(errors="ignore")
        take(
            live,
            person.insert(place, dice.choice(["a", "wörd ", "🦀"]))
            if dice.random() < 0.7 or not gone
            else person.erase(place, place + len(gone.encode())),
        )
    live.endings = [(3, "\r\n")]
    made = developed(live.image())
    assert same(made, live)
    for person in people:
        person.doc.apply_update(live.diff(person.doc.get_state()))
        edit = person.insert(0, f"{person.doc.client_id} ")
        judged = [each.judge(edit, fast=True) for each in (made, live)]
        assert judged[0] == judged[1]
        for each, verdict in zip((made, live), judged, strict=True):
            each.apply(edit, verdict)
    assert same(made, live)


def test_a_log_makes_the_same_document_there() -> None:
    start = seeded("")
    made, text = trace(3_000)
    seed = Record(Kind.SEED, start.encode(), {"hash": "", "form": Form().to_json(), "endings": [], "modified": 0})
    edits = [(place, Record(Kind.UPDATE, pack(made[place * 10 - 20 : place * 10 - 10]), {})) for place in range(2, 302)]
    log = Log(None, {}, 0, ((1, seed), *edits))
    there = opened(log)
    here = Document.replay([start.encode(), *made])
    assert same(developed(there.image), here)
    assert here.text() == text
    assert there.ledger == Ledger.of(log)
    assert there.deletions == sum(update[:1] == b"\0" for update in made)
    assert (
        updates.read_state_vector(Document.replay([state_upto(log, 100)]).state_vector())
        == Document.replay([start.encode(), *made[:990]]).state
    )


def test_a_log_that_is_no_document_is_refused() -> None:
    with pytest.raises(Poisoned):
        opened(Log(None, {}, 0, ((1, Record(Kind.UPDATE, pack(trace(10)[0]), {})),)))


def test_a_file_makes_the_same_document_there() -> None:
    made = begun(b"\xef\xbb\xbfone\r\ntwo\nthree\r\n", "text/plain", Limits(), lineage())
    there = developed(made.image)
    assert there.body(made.form) == b"\xef\xbb\xbfone\r\ntwo\nthree\r\n"
    assert there.lineage == lineage()
    assert there.encode() == made.state
    with pytest.raises(NotText):
        begun(b"\0", "text/plain", Limits(), lineage())


def test_a_notebook_knows_there_too_which_cells_were_moved() -> None:
    body = notebook(cell("one", "a"), cell("two", "b")).encode()
    live = Document.seed(bodies.read_first(body, NOTEBOOK_TYPE, Limits()), lineage())
    doc: Doc[Any] = Doc(client_id=7)
    doc.apply_update(live.encode())
    state = doc.get_state()
    cells = doc.get("cells", type=Array)
    moved = dict(cells[0])
    copy = Map({**{key: value for key, value in moved.items() if key != "source"}, "source": Text(str(moved["source"]))})
    with doc.transaction():
        del cells[0]
        cells.append(copy)
    late: Doc[Any] = Doc(client_id=8)
    late.apply_update(live.encode())
    take(live, doc.get_update(state))
    made = developed(live.image())
    late.get("cells", type=Array)[0]["source"].insert(3, "!")
    typed = late.get_update(state)
    verdicts = [each.judge(typed) for each in (made, live)]
    for each, verdict in zip((made, live), verdicts, strict=True):
        each.apply(typed, verdict)
        each.carry(verdict.late)
    assert made.text() == live.text()
    assert "one!" in made.text()


def test_a_rewriting_made_there_is_the_one_that_would_be_made_here() -> None:
    base = seeded("one two three\n")
    log = Log(base.encode(), {"endings": []}, 5)
    live = Document.replay([base.encode()])
    live.edit([Edit(0, 0, "Ann ")])
    read = bodies.read(b"one two\n", bodies.TEXT, Limits())
    there = rewritten(log, Base("h", 5), read, (b"digest", b"1"), live.encode())
    again = rewritten(log, Base("h", 5), read, (b"digest", b"1"), live.encode())
    assert there.made == again.made
    live.apply_own(there.made.update)
    assert live.text() == "Ann one two\n"
