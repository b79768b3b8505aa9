"""Whatever people and a program do at the same time, from the same base: MERGE-2, MERGE-6, MERGE-7, TEXT-6."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from runtime.stage import PATH, Guest, Stage, passing, person, soon
from scale import scale
from scripts import CLUSTERS, steady

from collab import protocol
from sim.virtual import run

UNIQUE = [
    *(f"{letter}{mark}" for letter in "aeinou" for mark in ("\u0301", "\u0303\u0323", "\u0308")),
    *(chr(0x1F1E6 + first) + chr(0x1F1E6 + first + 1) for first in range(0, 24, 2)),
    *(f"👩{tone}\u200d{tool}" for tone in "🏻🏼🏽🏾🏿" for tool in ("💻", "🚀", "🔬")),
    *("\u1112" + chr(0x1161 + vowel) + "\u11ab" for vowel in range(8)),
    *(f"{consonant}\u094d\u0937\u093f" for consonant in "कखगघ"),
    *(f"{number}\ufe0f\u20e3" for number in range(10)),
    *"ßйש日本語𠮷😀",
]
"""No two of these are alike, so that what became of each can be told."""
OWN = 0x3400
"""From here on characters are somebody's own words, three a word; no two have one in common."""
WRITERS = {"Ann": 0, "Bob": 1, "Cem": 2, "program": 3}
MOST = 4
"""Edits of one writer."""

fast = settings(steady, max_examples=scale(30, 1_000))

Script = list[tuple[int, int, bool]]
"""Of each edit the place (clusters), how many are taken out there, whether a word is put in."""


@dataclass(frozen=True)
class Case:
    """A base as clusters, and what is done to it: by each of the people, and by the program."""

    base: list[str]
    people: list[Script]
    program: Script

    @property
    def text(self) -> str:
        return "".join(self.base)

    @property
    def body(self) -> bytes:
        return "".join(_edited(self.base, self.program, "program")).encode()

    @property
    def words(self) -> list[str]:
        """All that anybody puts in."""
        scripts = [*zip(WRITERS, self.people, strict=False), ("program", self.program)]
        return [_word(who, place) for who, script in scripts for place, (_, _, put) in enumerate(script) if put]

    def kept(self) -> list[bool]:
        """For each cluster of the base, whether nobody takes it out."""
        gone = {place + k for script in [*self.people, self.program] for place, count, _ in script for k in range(count)}
        return [place not in gone for place in range(len(self.base))]

    def left(self) -> list[bool]:
        """For each cluster of the base, whether the program leaves it."""
        gone = {place + k for place, count, _ in self.program for k in range(count)}
        return [place not in gone for place in range(len(self.base))]


def _word(who: str, place: int) -> str:
    first = OWN + 3 * (WRITERS[who] * MOST + place)
    return "".join(map(chr, range(first, first + 3)))


def _edited(base: list[str], script: Script, who: str) -> list[str]:
    """What a script makes of the base; its places are those of the base."""
    made = list(base)
    for number, (place, count, put) in reversed(list(enumerate(script))):
        made[place : place + count] = [_word(who, number)] if put else []
    return made


@st.composite
def scripts(draw: st.DrawFn, size: int, *, cuts: bool = True) -> Script:
    """Edits of a text of so many clusters, ascending and apart."""
    places = sorted(draw(st.sets(st.integers(0, size), max_size=MOST)))
    found = []
    for place, after in pairwise([*places, size]):
        count = draw(st.integers(0, min(after - place, 5))) if cuts else 0
        found.append((place, count, count == 0 or draw(st.booleans())))
    return found


@st.composite
def cases(draw: st.DrawFn, clusters: list[str], *, unique: bool, cuts: bool = True) -> Case:
    base = draw(st.lists(st.sampled_from(clusters), unique=unique, min_size=1, max_size=60))
    people = [draw(scripts(len(base))) for _ in range(draw(st.integers(1, 3)))]
    return Case(base, people, draw(scripts(len(base), cuts=cuts)))


class Course:
    """One case on a server of its own."""

    def __init__(self, case: Case, *, put: bool) -> None:
        self.case = case
        self.put = put
        self.stage = Stage()
        self.guests: list[Guest] = []
        self._made: list[tuple[Guest, bytes]] = []

    async def begin(self) -> None:
        """All have read the same; the people have made their edits, and sent none."""
        self.stage.files.poke(PATH, self.case.text.encode())
        await self.stage.start()
        self.guests = [await self.stage.guest(name) for name, _ in zip(WRITERS, self.case.people, strict=False)]
        for guest, script, who in zip(self.guests, self.case.people, WRITERS, strict=False):
            self._made += [(guest, update) for update in self._edit(guest, script, who)]

    def _edit(self, guest: Guest, script: Script, who: str) -> list[bytes]:
        made = []
        for number, (place, count, put) in reversed(list(enumerate(script))):
            start, stop = (len("".join(self.case.base[:to]).encode()) for to in (place, place + count))
            if count:
                made.append(guest.replica.erase(start, stop))
            if put:
                made.append(guest.replica.insert(start, _word(who, number)))
        return made

    async def live(self) -> None:
        """What the people did arrives."""
        for guest, update in self._made:
            guest.send(protocol.update(update))
        await soon()

    async def outside(self) -> None:
        """What the program made arrives."""
        if self.put:
            digest = sha256(self.case.text.encode()).hexdigest()
            await self.stage.documents.put(PATH, self.case.body, if_match=digest, writer=person("Program"))
            return
        self.stage.files.poke(PATH, self.case.body)
        self.stage.rooms.noticed(self.stage.host().id)
        await asyncio.sleep(1.0)

    async def again(self) -> None:
        """The same body once more: the request is repeated, or the watch tells it twice."""
        if self.put:
            await self.outside()
        else:
            self.stage.rooms.noticed(self.stage.host().id)
        await soon()

    async def end(self) -> str:
        """All are equal, and so is the file; gives the text."""
        await passing(60)
        text = self.stage.file()
        assert [guest.text for guest in self.guests] == [text] * len(self.guests)
        assert not [name for name in self.stage.files.paths() if "(" in name]
        await self.stage.end()
        return text


def _course(case: Case, *, put: bool, first: str, saved: bool = False) -> str:
    """The text in the end, when the people's edits arrive first, or the program's."""
    texts: list[str] = []

    async def go() -> None:
        course = Course(case, put=put)
        await course.begin()
        steps = [course.live, course.outside] if first == "live" else [course.outside, course.live]
        await steps[0]()
        if saved:
            await passing(15)
        await steps[1]()
        if put or not saved:
            before = course.stage.host().room.document.text()
            await course.again()
            assert course.stage.host().room.document.text() == before
        texts.append(await course.end())

    run(go())
    return texts[0]


def _check(case: Case, text: str) -> None:
    assert {word: text.count(word) for word in case.words} == dict.fromkeys(case.words, 1)


@pytest.mark.parametrize("put", [False, True], ids=["file", "rest"])
@fast
@given(cases(UNIQUE, unique=True))
def test_all_words_of_both_sides_are_there_once_and_no_cluster_is_torn_whichever_comes_first(put: bool, case: Case) -> None:
    """MERGE-1, MERGE-7, TEXT-6."""
    text = _course(case, put=put, first="live")
    _check(case, text)
    for cluster, kept, left in zip(case.base, case.kept(), case.left(), strict=True):
        assert text.count(cluster) <= left
        assert text.count(cluster) == 1 or not kept
    rest = regex.sub(r"[\u3400-\u34ff]", "", text)
    for cluster in sorted(case.base, key=len, reverse=True):
        rest = rest.replace(cluster, "", 1)
    assert rest == ""
    assert _course(case, put=put, first="outside") == text


@fast
@given(cases(CLUSTERS, unique=False), st.booleans())
def test_where_the_same_clusters_come_again_and_again_no_word_is_lost_or_doubled(case: Case, put: bool) -> None:
    """MERGE-1, MERGE-7."""
    text = _course(case, put=put, first="live")
    _check(case, text)
    other = _course(case, put=put, first="outside")
    _check(case, other)
    # Who did the same before is not followed: a body that is equal to the text is no edit.
    assert text in {other, case.body.decode()}


@fast
@given(cases(UNIQUE, unique=True))
def test_words_that_are_saved_before_the_program_comes_with_what_it_had_read_stay(case: Case) -> None:
    """MERGE-2, MERGE-7: it says what it had read."""
    _check(case, _course(case, put=True, first="live", saved=True))


@fast
@example(Case(["a\u0301", "\u1112\u1161\u11ab", "a\u0303\u0323"], [[(0, 2, True)]], [(0, 0, True), (2, 0, True)]))  # one word is three
@example(Case(["a\u0301", "a\u0303\u0323"], [[(0, 0, True)]], [(place, 0, True) for place in range(3)]))
@given(cases(UNIQUE, unique=True, cuts=False))
def test_words_that_are_saved_before_a_program_adds_to_what_it_had_read_stay(case: Case) -> None:
    """MERGE-2: it does not say what it had read."""
    assume(case.program)  # else it puts back what was there
    _check(case, _course(case, put=False, first="live", saved=True))
