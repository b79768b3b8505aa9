"""Sessions with a record, as a node knows them (SIGN-1)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collab.access import Grant, Person, Role
from collab.archive.memory import MemoryArchive
from collab.errors import Unauthorized, Unavailable
from collab.ports import SignIn
from collab.runtime.signed import SEEN, SignedIn

if TYPE_CHECKING:
    from collab.ports import SignIns

ANN = Person("account:ann", "Ann")


def grant(session: str = "s1", person: Person = ANN) -> Grant:
    return Grant(person, Role.OWNER, expires=1000.0, id=session, shared=True)


class Node:
    def __init__(self, archive: MemoryArchive) -> None:
        self.now = 10.0
        self.signed = SignedIn(archive.sign_ins, now=lambda: self.now, clock=lambda: self.now)


@pytest.fixture
async def archive() -> MemoryArchive:
    made = MemoryArchive()
    await made.sign_ins.add(SignIn("s1", ANN.id, "Ann", "account", 1.0, 1.0, 1000.0, ("staff",)))
    return made


async def test_a_session_counts_until_it_is_ended_here_at_once_and_elsewhere_within_a_second(archive: MemoryArchive) -> None:
    """SIGN-1."""
    here, there = Node(archive), Node(archive)
    for node in (here, there):
        record = await node.signed.of(grant())
        assert record is not None
        assert record.groups == ("staff",)
    await archive.sign_ins.end("s1", 10.0)
    here.signed.forget()
    there.now += 1.0
    for node in (here, there):
        with pytest.raises(Unauthorized, match="ended"):
            await node.signed.of(grant())


async def test_changed_groups_are_known_a_second_later(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node = Node(archive)
    await node.signed.of(grant())
    await archive.sign_ins.regroup(ANN.id, ["guests"])
    node.now += 1.0
    record = await node.signed.of(grant())
    assert record is not None
    assert record.groups == ("guests",)


@pytest.mark.parametrize("wrong", [grant("never"), grant(person=Person("account:eve", "Eve"))])
async def test_a_session_without_a_record_or_with_another_persons_counts_nowhere(archive: MemoryArchive, wrong: Grant) -> None:
    """SIGN-1."""
    with pytest.raises(Unauthorized):
        await Node(archive).signed.of(wrong)


async def test_a_session_whose_time_is_over_counts_nowhere(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node = Node(archive)
    node.now = 1000.0
    with pytest.raises(Unauthorized):
        await node.signed.of(grant())


async def test_what_needs_no_record_is_asked_for_none(archive: MemoryArchive) -> None:
    archive.refuse("away")
    assert await Node(archive).signed.of(replace(grant(), shared=False)) is None


async def test_an_archive_that_is_away_signs_nobody_off_who_was_here(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node = Node(archive)
    await node.signed.of(grant())
    archive.refuse("the database is away")
    node.now += 500.0
    assert await node.signed.of(grant()) is not None
    with pytest.raises(Unavailable):
        await node.signed.of(grant("s2"))
    archive.refuse(None)
    await archive.sign_ins.end("s1", 10.0)
    node.now += 1.0
    with pytest.raises(Unauthorized):
        await node.signed.of(grant())


async def test_what_was_known_counts_too_when_the_archive_goes_just_after_a_change(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node = Node(archive)
    await node.signed.of(grant())
    await archive.sign_ins.rename("somebody", "Else")
    await archive.sign_ins.regroup(ANN.id, ["others"])
    node.now += 1.0
    await node.signed._counted.changed()
    archive.refuse("the database is away")
    assert await node.signed.of(grant()) is not None


async def test_a_session_in_use_is_noted_once_a_minute_without_a_change_for_others(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node = Node(archive)
    node.now = 100.0
    await asyncio.gather(*(node.signed.of(grant()) for _ in range(20)))
    node.now += SEEN - 1
    await node.signed.of(grant())
    record = await archive.sign_ins.get("s1")
    assert record is not None
    assert record.seen == 100.0
    node.now += 1
    await node.signed.of(grant())
    record = await archive.sign_ins.get("s1")
    assert record is not None
    assert record.seen == 160.0
    assert await archive.sign_ins.changes() == 0


class Late:
    """Sessions of which the archive tells late, the second time that it is asked, how they were."""

    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins
        self.changes, self.see = sign_ins.changes, sign_ins.see
        self.answers = 0
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def get(self, session: str) -> SignIn | None:
        found = await self._sign_ins.get(session)
        self.answers += 1
        if self.answers == 2:
            self.asked.set()
            await self.answer.wait()
        return found


async def test_a_session_that_ends_while_it_is_noted_that_it_was_used_opens_nothing_afterwards(archive: MemoryArchive) -> None:
    """SIGN-1."""
    node, late = Node(archive), Late(archive.sign_ins)
    node.now = 100.0
    node.signed = SignedIn(late, now=lambda: node.now, clock=lambda: node.now)  # type: ignore[arg-type]  # as much of the port as is asked
    using = asyncio.ensure_future(node.signed.of(grant()))
    await late.asked.wait()
    await archive.sign_ins.end("s1", 100.0)
    node.signed.forget()
    with pytest.raises(Unauthorized):
        await node.signed.of(grant())
    late.answer.set()
    await using
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await node.signed.of(grant())
        node.now += 1.0
