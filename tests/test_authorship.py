"""AUTHORS-1 to AUTHORS-3: who wrote what, from generated logs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Text
from scale import scale
from test_document import lineage

from collab.authorship import FILE, PROGRAM, Authorship
from collab.document import Document
from collab.ledger import pack
from collab.ports import Kind, Log, Record
from collab.shares import Picture, picture

LINEAGE = lineage()
PEOPLE = ("ann", "bea", "cal")
LETTERS = {"ann": "aä😀", "bea": "bβ🐝", "cal": "cç", FILE: "fƒ", PROGRAM: "pπ🍐"}
"""Each author has letters of its own, so that the text itself tells who wrote it."""
WHOSE = {letter: author for author, letters in LETTERS.items() for letter in letters}
SEED = "fƒff" * 4

Act = tuple[Any, ...]
PLACE = st.floats(0, 1, exclude_max=True)
WHO = st.sampled_from(range(len(PEOPLE)))
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), WHO, PLACE, st.integers(1, 4)),
        st.tuples(st.just("erase"), WHO, PLACE, st.integers(1, 4)),
        st.tuples(st.just("send"), WHO),
        st.tuples(st.just("hear"), WHO, WHO),
        st.tuples(st.just("program"), PLACE, st.integers(0, 3)),
        st.tuples(st.sampled_from(["keep", "checkpoint", "lost"])),
    ),
    max_size=30,
)


class World:
    """A log that grows, people with copies of their own, and what was kept of the authors."""

    def __init__(self) -> None:
        seed = Document.seed(SEED, LINEAGE)
        self.server: Doc[Any] = Doc(client_id=1)
        self.server.apply_update(seed.encode())
        self.copies = [Doc[Any](client_id=100 + number) for number in range(len(PEOPLE))]
        for copy in self.copies:
            copy.apply_update(seed.encode())
        owners = {str(100 + number): person for number, person in enumerate(PEOPLE)}
        self.log = Log(records=((1, Record(Kind.SEED, seed.encode(), {"hash": "", "form": {}, "owners": owners})),))
        self.owners = owners
        self.position = 1
        self.programs = 1000
        self.kept: tuple[int, bytes] | None = None
        self.asked = Authorship(LINEAGE)
        self.inserted = len(SEED)

    def add(self, kind: Kind, body: bytes, **meta: object) -> None:
        self.position += 1
        self.log = Log(
            self.log.checkpoint, self.log.meta, self.log.position, (*self.log.records, (self.position, Record(kind, body, meta)))
        )

    def act(self, name: str, *given: Any) -> None:
        getattr(self, name)(*given)

    def type(self, who: int, place: float, count: int) -> None:
        letters = LETTERS[PEOPLE[who]]
        words = "".join(letters[at % len(letters)] for at in range(count))
        self.insert(self.copies[who], place, words)

    def insert(self, doc: Doc[Any], place: float, words: str) -> None:
        text = doc.get("content", type=Text)
        before = str(text)
        text.insert(len(before[: int(place * (len(before) + 1))].encode()), words)
        self.inserted += units(words)

    def erase(self, who: int, place: float, count: int) -> None:
        text = self.copies[who].get("content", type=Text)
        before = str(text)
        start = int(place * (len(before) + 1))
        if before[start : start + count]:
            del text[len(before[:start].encode()) : len(before[: start + count].encode())]

    def send(self, who: int) -> None:
        """All that a person has, others' words too: a relay. Then the person has what the server has."""
        update = self.copies[who].get_update(self.server.get_state())
        self.server.apply_update(update)
        self.add(Kind.UPDATE, pack([update]), by=[[PEOPLE[who], 1]])
        self.copies[who].apply_update(self.server.get_update(self.copies[who].get_state()))

    def hear(self, who: int, whom: int) -> None:
        self.copies[who].apply_update(self.copies[whom].get_update(self.copies[who].get_state()))

    def program(self, place: float, count: int) -> None:
        """Its words, and words that others had written already: those are taken out again in the same step."""
        self.programs += 1
        fork = Doc[Any](client_id=self.programs)
        fork.apply_update(self.server.get_update())
        before = fork.get_state()
        self.insert(fork, place, "pπ🍐"[: count or 1])
        made, vector = fork.get_update(before), fork.get_state()
        meta: dict[str, object] = {"by": "", "hash": "", "form": {}, "in_file": True, "base": None, "at": float(self.position)}
        if not count:
            text = fork.get("content", type=Text)
            at = str(text).index("p", int(place * len(str(text)))) if "p" in str(text)[int(place * len(str(text))) :] else None
            if at is not None:
                start = len(str(text)[:at].encode())
                del text[start : start + 1]
                meta["drop"] = fork.get_update(vector).hex()
        self.server.apply_update(fork.get_update())
        self.add(Kind.MERGE, made, **meta)

    def kept_now(self) -> Authorship:
        known = Authorship(LINEAGE) if self.kept is None else Authorship.decode(*self.kept, LINEAGE)
        known.take(self.log)
        return known

    def checkpoint(self) -> None:
        """Kept, then cut; a crash between both leaves the log as it was (`act` draws that, too)."""
        self.keep()
        self.log = Log(self.server.get_update(), {"owners": self.owners}, self.position)

    def ask(self) -> None:
        """As who holds what was worked out before; what a checkpoint took away since is in what was kept."""
        if self.asked.position < self.log.position:
            self.lost()
        self.asked.take(self.log)

    def lost(self) -> None:
        """The process is gone, with what it had worked out."""
        self.asked = Authorship(LINEAGE) if self.kept is None else Authorship.decode(*self.kept, LINEAGE)

    def keep(self) -> None:
        known = self.kept_now()
        self.kept = known.position, known.encode()

    def shown(self, authorship: Authorship) -> Picture:
        return picture(str(self.server.get("content", type=Text)), self.server.get_update(), authorship, 0.0)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@settings(max_examples=scale(60, 3000))
@given(ACTS)
def test_the_letters_tell_the_same_authors_as_the_log(acts: list[Act]) -> None:
    """AUTHORS-1, AUTHORS-2, AUTHORS-3: whatever is relayed, kept, cut off and lost between."""
    world = World()
    for name, *given_ in acts:
        world.act(name, *given_)
        if name in {"send", "lost"}:
            world.ask()
    for who in range(len(PEOPLE)):
        world.send(who)
    text = str(world.server.get("content", type=Text))
    world.ask()
    for authorship in (world.asked, world.kept_now()):
        shown = world.shown(authorship)
        assert {each.author: each.characters for each in shown.shares if each.characters} == Counter(WHOSE[letter] for letter in text)
        assert shown.length == len(text)
        assert all(WHOSE[letter] == run.author for run in shown.runs for letter in text[run.start : run.stop])
        deleted = world.inserted - units(text)
        twice = sum(entry.end - entry.start for _, entry in authorship.deleted.entries()) - sum(authorship.deletions().values())
        assert sum(each.deleted for each in shown.shares) == deleted - twice


def test_who_deletes_first_has_deleted_it() -> None:
    """AUTHORS-1: Bea took out the same before she had heard of it, and says it again later."""
    world = World()
    world.erase(0, 0.0, 3)
    world.erase(1, 0.0, 4)
    world.send(0)
    world.send(1)
    world.send(1)
    world.keep()
    for authorship in (world.kept_now(), Authorship.decode(*(world.kept or (0, b"")), LINEAGE)):
        assert authorship.deletions() == {"ann": 3, "bea": 1}
