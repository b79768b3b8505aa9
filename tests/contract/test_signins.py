"""What every record of sessions does: in memory, on SQLite, and on a PostgreSQL that the tests start."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from archives import archive, place
from postgres import postgres

from collab.errors import Unavailable
from collab.ports import SignIn

if TYPE_CHECKING:
    from archives import Place

__all__ = ["archive", "place", "postgres"]

ANN, BOB = "account:ann", "oidc:bob"


def made(session: str = "s1", *, person: str = ANN, at: float = 1.0, expires: float = 100.0, kind: str = "account") -> SignIn:
    return SignIn(session, person, "Ann Lee", kind, at, at, expires, ("physics", "staff"), ("d" * 64,), "Firefox, Linux")


async def test_a_session_comes_back_as_it_was_at_every_node(place: Place) -> None:
    """SIGN-1."""
    here, there = place.node().sign_ins, place.node().sign_ins
    assert await here.get("s1") is None
    assert await here.live(0.0) == []
    await here.add(made())
    assert await there.get("s1") == made()
    await there.add(replace(made(), name="Somebody Else"))
    assert await here.get("s1") == made()
    assert await here.changes() == 0


async def test_an_ended_session_is_known_to_be_ended_at_every_node_and_all_see_a_change(place: Place) -> None:
    """SIGN-1."""
    here, there = place.node().sign_ins, place.node().sign_ins
    await here.add(made())
    before = await there.changes()
    assert await here.end("s1", 5.0)
    assert not await there.end("s1", 6.0)
    assert not await there.end("never", 6.0)
    assert await there.changes() == before + 1
    ended = await there.get("s1")
    assert ended == replace(made(), ended=5.0)
    assert not ended.live(5.0)
    assert await there.live(5.0) == []


async def test_live_sessions_are_told_newest_first_of_a_person_or_of_all(archive: Any) -> None:
    """SIGN-1."""
    sign_ins = archive.sign_ins
    for each in (made("s1", at=1), made("s2", at=3), made("s3", at=2, person=BOB), made("s4", at=4, expires=10.0)):
        await sign_ins.add(each)
    assert [each.id for each in await sign_ins.live(5.0)] == ["s4", "s2", "s3", "s1"]
    assert [each.id for each in await sign_ins.live(10.0, ANN)] == ["s2", "s1"]
    await sign_ins.see("s1", 9.0)
    await sign_ins.see("s1", 8.0)
    await sign_ins.see("never", 8.0)
    assert [(each.id, each.seen) for each in await sign_ins.live(10.0, ANN)] == [("s1", 9.0), ("s2", 3.0)]
    assert await sign_ins.changes() == 0


async def test_all_of_a_person_are_ended_but_for_one(archive: Any) -> None:
    """SIGN-1."""
    sign_ins = archive.sign_ins
    for each in (made("s1"), made("s2"), made("s3"), made("old", expires=2.0), made("other", person=BOB)):
        await sign_ins.add(each)
    assert await sign_ins.end_all(ANN, 5.0, but="s2") == 2
    assert await sign_ins.end_all(ANN, 6.0, but="s2") == 0
    assert {each.id for each in await sign_ins.live(6.0)} == {"s2", "other"}
    assert await sign_ins.changes() == 1
    assert await sign_ins.end_all(ANN, 7.0) == 1


async def test_a_change_of_groups_or_of_a_name_is_one_in_all_of_a_persons_sessions(archive: Any) -> None:
    """SIGN-1."""
    sign_ins = archive.sign_ins
    for each in (made("s1"), made("s2"), made("other", person=BOB)):
        await sign_ins.add(each)
    await sign_ins.regroup(ANN, ["staff", "physics", "staff"])
    assert await sign_ins.changes() == 0
    await sign_ins.regroup(ANN, ["chemistry"])
    assert await sign_ins.changes() == 1
    await sign_ins.rename(ANN, "Ann Øre")
    assert await sign_ins.changes() == 2
    assert [(await sign_ins.get(each)).groups for each in ("s1", "s2", "other")] == [("chemistry",)] * 2 + [("physics", "staff")]
    assert [(await sign_ins.get(each)).name for each in ("s1", "s2", "other")] == ["Ann Øre"] * 2 + ["Ann Lee"]


async def test_a_session_remembers_the_links_that_it_opened_the_last_two_hundred(archive: Any) -> None:
    """SIGN-1."""
    sign_ins = archive.sign_ins
    await sign_ins.add(made())
    await sign_ins.open("s1", "d" * 64)
    await sign_ins.open("never", "d" * 64)
    assert await sign_ins.changes() == 0
    for number in range(200):
        await sign_ins.open("s1", f"link {number}")
    assert await sign_ins.changes() == 200
    assert (await sign_ins.get("s1")).links == tuple(f"link {number}" for number in range(200))


async def test_records_go_with_their_person_and_when_their_time_is_over(archive: Any) -> None:
    """SIGN-1: an ended one stays as long as a copy of its cookie would count."""
    sign_ins = archive.sign_ins
    for each in (made("s1", expires=10.0), made("s2", expires=20.0), made("other", person=BOB)):
        await sign_ins.add(each)
    await sign_ins.end("s2", 5.0)
    await sign_ins.sweep(10.0)
    assert await sign_ins.get("s1") is None
    assert (await sign_ins.get("s2")).ended == 5.0
    before = await sign_ins.changes()
    await sign_ins.forget(ANN)
    await sign_ins.forget(ANN)
    assert await sign_ins.get("s2") is None
    assert await sign_ins.changes() == before + 1
    assert (await sign_ins.get("other")) == made("other", person=BOB)


async def test_each_of_many_changes_at_once_is_counted(place: Place) -> None:
    """SIGN-1."""
    nodes = [place.node().sign_ins for _ in range(4)]
    for number in range(20):
        await nodes[0].add(made(f"s{number}"))
    ended = await asyncio.gather(*(nodes[number % 4].end(f"s{number // 2}", 5.0) for number in range(40)))
    assert sum(ended) == 20
    assert await nodes[1].changes() == 20
    await asyncio.gather(*(nodes[number % 4].open("s1", f"link {number}") for number in range(20)))
    assert len((await nodes[2].get("s1")).links) == 21


async def test_words_of_a_browser_that_are_no_text_do_no_harm(archive: Any) -> None:
    await archive.sign_ins.add(replace(made("s\0"), agent="a\0\ud800", name="\ud83d", groups=("\udc00", "g\0")))
    assert len(await archive.sign_ins.live(2.0)) == 1
    await archive.sign_ins.regroup(ANN, ["\ud800"])


async def test_an_archive_that_is_away_says_so(place: Place) -> None:
    node = place.node()
    if place.kind == "memory":
        node.refuse("the disk is away")
    else:
        await node.close()
    for call in (node.sign_ins.get("s1"), node.sign_ins.add(made()), node.sign_ins.end("s1", 1.0), node.sign_ins.changes()):
        with pytest.raises(Unavailable):
            await call
