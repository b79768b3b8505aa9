"""RIGHTS: who may do what is looked at again while people are in a room, and changes on their live connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from runtime.stage import HOCUSPOCUS, PATH, YWEBSOCKET, Role, Stage, passing, person, soon

from collab.access import Grant
from collab.errors import Denied, Forbidden, NotFound, Unauthorized, Unavailable
from collab.runtime.rights import DOUBT, GrantRights, require

if TYPE_CHECKING:
    from collab.dialects import Dialect
    from collab.errors import CollabError

BOTH = pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda dialect: dialect.name)
INTERVAL = 30


@BOTH
async def test_a_right_to_write_that_is_taken_away_and_given_back_counts_on_the_live_connection(stage: Stage, dialect: Dialect) -> None:
    """RIGHTS-1, RIGHTS-3: edit, view, edit; what was typed in between is asked for, and there once."""
    ann, bob = await stage.guest("Ann", dialect), await stage.guest("Bob")
    ann.append("a")
    stage.rights.now["Ann"] = Role.VIEWER
    await passing(INTERVAL + 1)
    ann.append("b")
    bob.append("c")
    await soon()
    assert bob.text == "one\nac"
    assert ann.socket.open()
    if dialect.addressed:
        assert (ann.scope, ann.statuses[-1]) == ("readonly", 0)
    else:
        assert len(ann.denied) == 1
    del stage.rights.now["Ann"]
    await passing(INTERVAL + 1)
    assert sorted(bob.text) == sorted("one\nabc")
    assert bob.text == ann.text
    ann.append("d")
    await passing(5)
    assert stage.file() == ann.text == bob.text
    if dialect.addressed:
        assert (ann.scope, ann.statuses[-1]) == ("read-write", 1)
    assert bob.statuses == [1] * len(bob.statuses)


@BOTH
@pytest.mark.parametrize("error", [Forbidden("taken back"), Unauthorized("over")], ids=lambda error: error.reason)
async def test_whoever_may_not_even_see_it_any_more_is_sent_off_with_the_reason_and_nobody_else_notices(
    stage: Stage, dialect: Dialect, error: CollabError
) -> None:
    """RIGHTS-1."""
    ann, bob = await stage.guest("Ann", dialect), await stage.guest("Bob")
    said = len(bob.said)
    stage.rights.now["Ann"] = error
    await passing(INTERVAL + 1)
    assert ann.denied == [error.reason if dialect.addressed else f"{error.reason}: {error.detail}"]
    assert len(stage.host().members) == 1
    assert bob.said[said:] == [message for message in bob.said[said:] if message[:1] == b"\x01"], "nothing but presence"
    ann.append("x")
    bob.append("y")
    await soon()
    assert bob.text == "one\ny"


async def test_while_nobody_says_anything_the_looks_at_rights_wake_nothing_else(stage: Stage) -> None:
    """WIRE-5: connections on which nothing is said cost next to nothing."""
    await stage.guest("Ann")
    await passing(INTERVAL + 1)
    beats, asked = stage.beats, len(stage.rights.asked)
    await passing(3 * INTERVAL)
    assert (stage.beats, len(stage.rights.asked)) == (beats, asked + 3)


async def test_a_page_is_told_why_it_may_only_read(stage: Stage) -> None:
    """RIGHTS-3."""
    ann = await stage.page("Ann")
    assert (ann.states[-1]["writable"], ann.states[-1]["why"]) == (True, "")
    stage.rights.now["Ann"] = Role.VIEWER
    await passing(INTERVAL + 1)
    assert (ann.states[-1]["writable"], ann.states[-1]["why"]) == (False, "taken")
    del stage.rights.now["Ann"]
    await passing(INTERVAL + 1)
    assert (ann.states[-1]["writable"], ann.states[-1]["why"]) == (True, "")
    assert [entry[:2] + entry[4:] for entry in stage.audited if entry[0] == "rights"] == [
        ("rights", "Ann", "viewer"),
        ("rights", "Ann", "editor"),
    ]


async def test_a_file_that_may_not_be_written_any_more_stops_nobody_who_is_there_and_one_that_may_again_can_be_written_at_once(
    stage: Stage,
) -> None:
    """RIGHTS-2: words are stored, and the page says why they are in no file."""
    ann = await stage.page("Ann")
    ann.append("x")
    stage.files.poke(PATH, b"one\n", writable=False)
    await passing(2 * INTERVAL)
    late = await stage.page("Bob")
    vera = await stage.page("Vera", role=Role.VIEWER)
    ann.append("y")
    await soon()
    assert (ann.scope, ann.statuses[-1], ann.file()) == ("read-write", 1, "failed")
    assert (late.scope, vera.scope) == ("readonly", "readonly")
    stage.files.poke(PATH, b"one\n", writable=True)
    stage.rooms.noticed(stage.host().id)
    await passing(5)
    assert (late.scope, vera.scope) == ("read-write", "readonly")
    await passing(70)
    assert stage.file() == "one\nxy"


async def test_who_is_refused_by_the_storage_is_looked_at_at_once(stage: Stage) -> None:
    """RIGHTS-2."""
    ann, bob = await stage.page("Ann"), await stage.page("Bob")
    stage.files.refusals["write"] = Denied("not for you")
    stage.rights.now["Ann"] = Role.VIEWER
    stage.rights.asked.clear()
    ann.append("x")
    await passing(5)
    assert (ann.scope, bob.scope) == ("readonly", "read-write")
    assert set(stage.rights.asked) == {("Ann", PATH), ("Bob", PATH)}


async def test_each_document_of_a_person_is_looked_at_once_however_many_tabs_show_it(stage: Stage) -> None:
    """RIGHTS-1: batched by person."""
    for path in (PATH, PATH, "other.md", PATH):
        await stage.guest("Ann", path=path)
    await stage.guest("Bob")
    stage.rights.asked.clear()
    await passing(INTERVAL - 0.5)
    await passing(1)
    assert sorted(stage.rights.asked) == [("Ann", PATH), ("Ann", "other.md"), ("Bob", PATH)]


async def test_while_nobody_can_say_what_somebody_may_do_it_stays_as_it_was(stage: Stage) -> None:
    """RIGHTS-4."""
    ann, vera = await stage.guest("Ann"), await stage.guest("Vera", role=Role.VIEWER)
    stage.rights.now |= {"Ann": Unavailable("away"), "Vera": Unavailable("away")}
    await passing(10 * INTERVAL)
    ann.append("x")
    vera.append("y")
    await soon()
    assert (ann.statuses[-1], vera.statuses[-1]) == (1, 0)
    assert ann.denied == vera.denied == []


async def test_who_does_not_find_the_document_any_more_is_sent_off_while_the_others_have_it(stage: Stage) -> None:
    """RIGHTS-4: an unshared file looks like a deleted one."""
    ann, bob = await stage.guest("Ann"), await stage.guest("Bob")
    stage.rights.now["Ann"] = NotFound("nowhere")
    await passing(INTERVAL + 1)
    assert ann.denied == []
    await passing(DOUBT + 1)
    assert ann.denied == ["forbidden"]
    assert bob.denied == []


async def test_whose_document_was_deleted_stays_in_its_room(stage: Stage) -> None:
    """RIGHTS-4, PEER-7: the text lives on there, and can be put back."""
    ann = await stage.page("Ann")
    stage.files.remove(PATH)
    stage.rights.now["Ann"] = NotFound("nowhere")
    await passing(3 * INTERVAL)
    assert (ann.denied, ann.file()) == ([], "gone")


async def test_a_look_that_takes_long_holds_nobody_up_and_what_a_new_token_allows_is_awaited(stage: Stage) -> None:
    """RIGHTS-1, AUTH-2: nothing that comes behind a token counts by the one before."""
    ann, bob = await stage.guest("Ann", role=Role.VIEWER), await stage.guest("Bob")
    answer = asyncio.Event()

    async def wait() -> None:
        await answer.wait()

    stage.rights.before = wait
    ann.sign_in(stage.token("Ann"))
    ann.append("x")
    ann.sign_in(stage.token("Ann", Role.VIEWER))
    ann.append("y")
    bob.append("z")
    await passing(40)
    assert ann.statuses == [1]
    assert bob.text == "one\nz"
    answer.set()
    await soon()
    assert (ann.scope, ann.statuses) == ("readonly", [1, 0, 0])
    assert bob.text == "one\nz"


@pytest.mark.parametrize("error", [None, Unauthorized("over"), NotFound("nowhere")], ids=["less", "over", "nowhere"])
async def test_what_a_look_says_late_of_the_token_before_does_not_count_for_the_new_one(stage: Stage, error: CollabError | None) -> None:
    """RIGHTS-1, AUTH-2."""
    ann, answer, first = await stage.guest("Ann", role=Role.VIEWER), asyncio.Event(), True

    async def late() -> None:
        nonlocal first
        if first:
            first = False
            await answer.wait()
            if error is not None:
                raise error

    stage.rights.before = late
    (seat,) = stage.rooms.seats()
    stage.rooms.reviews.soon(seat)
    await soon()
    ann.sign_in(stage.token("Ann"))
    await soon()
    assert ann.scope == "read-write"
    answer.set()
    await soon()
    ann.append("x")
    await passing(DOUBT + 1)
    assert (ann.denied, ann.scope, ann.statuses[-1]) == ([], "read-write", 1)
    assert stage.file() == "one\nx"


async def test_what_is_taken_back_stays_so_when_nobody_can_say_what_a_new_token_allows(stage: Stage) -> None:
    """RIGHTS-1: what a look said meanwhile counts until the next one."""
    ann, answer, first = await stage.guest("Ann"), asyncio.Event(), True

    async def away() -> None:
        nonlocal first
        if first:
            first = False
            await answer.wait()
            raise Unavailable("the storage is away")

    stage.rights.before = away
    ann.sign_in(stage.token("Ann"))
    await soon()
    stage.rights.now["Ann"] = Role.VIEWER
    (seat,) = stage.rooms.seats()
    stage.rooms.reviews.soon(seat)
    await soon()
    assert ann.scope == "readonly"
    answer.set()
    await soon()
    assert ann.scope == "readonly"


async def test_what_is_taken_back_while_it_is_asked_what_a_new_token_allows_stays_taken_back(stage: Stage) -> None:
    """RIGHTS-1: the newer answer counts, though the older one comes behind it."""
    ann, answer, first = await stage.guest("Ann"), asyncio.Event(), True

    async def late() -> None:
        nonlocal first
        if not first:
            stage.rights.now["Ann"] = Role.VIEWER
            return
        first = False
        await answer.wait()
        # As it was when it was asked.
        del stage.rights.now["Ann"]

    stage.rights.before = late
    ann.sign_in(stage.token("Ann"))
    await soon()
    (seat,) = stage.rooms.seats()
    stage.rooms.reviews.soon(seat)
    await soon()
    assert ann.scope == "readonly"
    answer.set()
    await soon()
    ann.append("x")
    await soon()
    assert (ann.scope, ann.statuses[-1]) == ("readonly", 0)


@pytest.mark.parametrize("now", [Role.VIEWER, Forbidden("taken back")], ids=["less", "nothing"])
async def test_what_is_taken_back_while_a_document_is_opened_counts_for_whoever_waits_for_it(stage: Stage, now: Role | CollabError) -> None:
    """RIGHTS-1: who is not there yet is looked at by nobody."""
    opening = asyncio.Event()

    async def slow(word: str) -> None:
        if word == "append":
            await opening.wait()

    stage.before = slow
    ann = stage.on(stage.socket())
    ann.sign_in(stage.token("Ann"))
    ann.step1()
    await soon()
    stage.rights.now["Ann"] = now
    for seat in stage.rooms.seats():
        stage.rooms.reviews.soon(seat)
    await soon()
    opening.set()
    await soon()
    if now is Role.VIEWER:
        assert (ann.text, ann.scope) == ("one\n", "readonly")
    else:
        assert (ann.text, ann.denied) == ("", ["forbidden"])


async def test_what_a_grant_allows_is_what_it_says_and_no_more_than_the_file(stage: Stage) -> None:
    """RIGHTS-1, AUTH-2: the decision where nobody else knows better."""
    rights, stat = GrantRights(), await stage.files.stat(PATH)
    ann = Grant(person("Ann"), Role.EDITOR, PATH)
    assert await rights.role(ann, stat) is Role.EDITOR
    stage.files.poke(PATH, b"one\n", writable=False)
    locked = await stage.files.stat(PATH)
    assert await rights.role(ann, locked) is Role.VIEWER
    assert await require(rights, ann, locked, Role.VIEWER) is Role.VIEWER
    with pytest.raises(Forbidden, match="read-only in the storage"):
        await require(rights, ann, locked, Role.EDITOR)
    with pytest.raises(Forbidden, match="role owner; yours is editor"):
        await require(rights, ann, stat, Role.OWNER)
    with pytest.raises(Forbidden, match="another document"):
        await rights.role(ann, await stage.files.stat("other.md"))
