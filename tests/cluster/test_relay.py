"""NODES-1, NODES-3: sessions on one node in a room on another: as if they were there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cluster.pair import settle
from runtime.stage import PATH

from collab import protocol
from collab.access import Role
from collab.cluster.relay import BEAT, SILENT, Word
from collab.codec import var_string
from collab.dialects import HOCUSPOCUS, YWEBSOCKET
from collab.errors import Denied, Forbidden, NotFound
from collab.runtime.acting import caller
from collab.storage.memory_locks import MemoryRoomLocks

if TYPE_CHECKING:
    from cluster.pair import Pair

    from collab.dialects import Dialect
    from collab.ports import Log, Place
    from collab.runtime.elsewhere import Hosting


def outs(pair: Pair) -> list[bytes]:
    """From now on, the frames with output that the owner sends."""
    (guests,) = pair.owner.nodes._guests
    found: list[bytes] = []
    send = guests._wire.send

    def spied(*parts: bytes) -> None:
        if parts[0][0] == Word.OUT:
            found.append(b"".join(parts))
        send(*parts)

    guests._wire.send = spied  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda each: each.name)
async def test_guests_of_two_nodes_are_in_one_room(pair: Pair, dialect: Dialect) -> None:
    here, there = await pair.guest(pair.relay, dialect), await pair.guest(pair.owner, dialect, name="Ben")
    here.show('{"user":{"name":"x"}}')
    here.type("a")
    there.type("b")
    await settle()

    assert here.text == there.text
    assert sorted(here.text) == sorted("abone\n")
    assert len(pair.host.members) == 2
    assert any(said[:1] == b"\x01" and b"Ann" in said for said in there.said), "presence is one room's"
    assert not pair.relay.rooms.hosts
    if dialect.statuses:
        assert here.statuses == [1]
    await asyncio.sleep(5)
    assert pair.owner.file() == here.text


@pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda each: each.name)
async def test_nothing_is_acknowledged_before_the_owners_journal_holds_it(pair: Pair, dialect: Dialect) -> None:
    here = await pair.guest(pair.relay, dialect)
    before = len(here.updates)
    pair.owner.journal.refuse("the disk is full")
    here.type("a")
    await settle()
    assert here.statuses == []
    assert len(here.updates) == before, "the echo is an acknowledgement, too"

    pair.owner.journal.refuse(None)
    await settle()
    assert here.statuses == ([1] if dialect.statuses else [])
    assert len(here.updates) == before + dialect.echo


async def test_what_a_tick_brings_goes_over_the_wire_once_for_all(pair: Pair) -> None:
    guests = [await pair.guest(pair.relay, name=f"Guest{number}") for number in range(20)]
    writer = await pair.guest(pair.owner, name="Ben")
    sent = outs(pair)
    writer.type("a" * 1000)
    await settle()

    assert {guest.text for guest in guests} == {"a" * 1000 + "one\n"}
    (frame,) = [frame for frame in sent if b"a" * 1000 in frame]
    assert frame.count(b"a" * 1000) == 1
    assert len(frame) < 1000 + 20 * 4 + 200


async def test_who_does_not_read_leaves_the_set_and_is_sent_one_difference(pair: Pair) -> None:
    slow, writer = await pair.guest(pair.relay), await pair.guest(pair.owner, name="Ben")
    slow.socket.stall()
    await settle()
    sent = outs(pair)
    for _ in range(50):
        writer.append("word ")
        await asyncio.sleep(0)
    await settle()
    assert not sent
    assert slow.socket.reads() is False

    slow.socket.drain()
    await settle()
    assert slow.text == writer.text
    assert slow.socket.reads()
    slow.append("!")
    await settle()
    assert writer.text == slow.text


async def test_a_wire_that_is_full_holds_up_neither_the_room_nor_memory(pair: Pair) -> None:
    here, writer = await pair.guest(pair.relay), await pair.guest(pair.owner, name="Ben")
    (guests,) = pair.owner.nodes._guests
    transport = guests._wire._transport
    assert transport is not None
    (end,) = [end for end in pair.network.ends if end is transport]
    end.set_write_buffer_limits(high=10_000, low=1_000)
    far = end.peer
    assert far is not None
    far.pause_reading()  # the relay does not come to reading
    for _ in range(100):
        writer.append("x" * 1000)
        await asyncio.sleep(0)
    await settle()
    assert writer.text == "one\n" + "x" * 100_000
    assert end.get_write_buffer_size() < 20_000
    assert here.text != writer.text

    far.resume_reading()
    await settle()
    assert here.text == writer.text


async def test_while_the_journal_does_not_answer_sockets_elsewhere_are_not_read_either(pair: Pair) -> None:
    here = await pair.guest(pair.relay)
    pair.owner.journal.refuse("the disk is full")
    for _ in range(9):
        here.append("x" * 2**20)
        await settle()
    assert here.socket.reads() is False

    pair.owner.journal.refuse(None)
    await settle()
    assert here.socket.reads()
    assert here.statuses == [1] * 9


async def test_who_may_only_read_is_refused_and_a_role_that_changes_counts_at_once(pair: Pair) -> None:
    here = await pair.guest(pair.relay, role=Role.VIEWER)
    here.type("a")
    await settle()
    assert here.statuses == [0]
    assert pair.host.body().decode() == "one\n"

    here.send(b"\x02\x00" + var_string(pair.relay.token("Ann", Role.EDITOR)))
    here.type("b")
    await settle()
    assert here.statuses == [0, 1]


async def test_rights_change_where_the_socket_is_whichever_node_has_the_room(pair: Pair) -> None:
    """RIGHTS-1 to RIGHTS-4: on the timer, and at once when the storage refuses the owner's save."""
    ann, ben = await pair.guest(pair.relay), await pair.guest(pair.owner, name="Ben")
    ann.greet()
    await settle()
    pair.relay.rights.now["Ann"] = Role.VIEWER
    pair.owner.files.refusals["write"] = Denied("not for you")
    ben.type("b")
    await asyncio.sleep(5)
    assert (ann.scope, ann.states[-1]["why"], ben.scope) == ("readonly", "taken", "read-write")
    ann.type("a")
    await settle()
    assert (ann.statuses[-1], ben.text) == (0, "bone\n")
    pair.owner.files.refusals.clear()
    del pair.relay.rights.now["Ann"]
    await asyncio.sleep(31)
    assert ann.scope == "read-write"
    assert sorted(ben.text) == sorted("abone\n"), "what was not taken is asked for"
    pair.owner.files.remove(PATH)
    pair.relay.rights.now["Ann"] = NotFound("nowhere")
    await asyncio.sleep(100)
    assert (ann.denied, ann.file()) == ([], "gone")
    pair.relay.rights.now["Ann"] = Forbidden("taken back")
    await asyncio.sleep(31)
    assert (ann.denied, len(pair.host.members)) == (["forbidden"], 1)


async def test_what_is_taken_back_while_another_node_is_asked_for_the_room_counts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """RIGHTS-1: who is not there yet is looked at by nobody."""
    await pair.guest(pair.owner, name="Ben")
    neighbours = pair.relay.rooms.neighbours
    assert neighbours is not None
    enter = neighbours.enter

    asked, let = asyncio.Event(), asyncio.Event()

    async def slow(place: Place, document: str) -> Hosting:
        asked.set()
        await let.wait()
        await asyncio.sleep(1)
        return await enter(place, document)

    monkeypatch.setattr(neighbours, "enter", slow)
    ann = pair.relay.on(pair.relay.socket(), HOCUSPOCUS)
    ann.sign_in(pair.relay.token("Ann", Role.EDITOR))
    ann.step1()
    await asked.wait()
    pair.relay.rights.now["Ann"] = Role.VIEWER
    let.set()
    await asyncio.sleep(2)
    await settle()
    assert (ann.text, ann.scope) == ("one\n", "readonly")


async def test_a_file_that_may_be_written_again_can_be_written_on_every_node(pair: Pair) -> None:
    """RIGHTS-2."""
    pair.owner.files.poke(PATH, b"one\n", writable=False)
    pair.owner.rooms.noticed(pair.host.id)
    await settle()
    ann = await pair.guest(pair.relay)
    assert ann.scope == "readonly"
    pair.owner.files.poke(PATH, b"one\n")
    pair.owner.rooms.noticed(pair.host.id)
    await asyncio.sleep(BEAT + 1)
    assert ann.scope == "read-write"


async def test_a_file_that_another_application_has_locked_is_read_on_every_node_until_it_is_free(pair: Pair) -> None:
    """LOCK-2: what the socket's own node says of the role never has the last word."""
    await pair.stop()
    locks = MemoryRoomLocks(pair.owner.files, asyncio.get_running_loop().time)
    pair.owner.locks = pair.relay.locks = locks
    await pair.start()
    locks.seize((await pair.owner.files.stat(PATH)).id, "Eve", "Office", 60)
    ben, ann = await pair.guest(pair.owner, name="Ben"), await pair.guest(pair.relay)
    ann.greet()
    ann.sign_in(pair.relay.token("Ann"))
    await settle()
    assert (ann.scope, ben.scope, ann.states[-1]["why"], ann.states[-1]["by"]) == ("readonly", "readonly", "locked", "Eve")
    ann.type("a")
    await settle()
    assert ann.statuses[-1] == 0
    await asyncio.sleep(80)
    assert (ann.scope, ben.scope, ann.states[-1]["why"], ben.text) == ("read-write", "read-write", "", "aone\n")
    assert (locks.ours(pair.host.id) or 0) > 0, "the number of its place"


async def test_the_node_with_the_room_knows_the_sessions_of_people_whose_sockets_are_elsewhere(pair: Pair) -> None:
    """CLOUD-4: in their name it reads and saves, also the first time."""
    asked: list[str] = []
    token = pair.relay.token("Ann")
    pair.relay.grants[token] = replace(pair.relay.grants[token], id="session-1")
    load = pair.owner.journal.load

    async def noted(document: str) -> Log:
        asked.append(caller())
        return await load(document)

    pair.owner.journal.load = noted  # type: ignore[method-assign]
    await pair.owner.rooms._let_go(pair.owner.rooms._open[pair.host.id])
    assert pair.owner.placement is not None
    assert (await pair.owner.placement.claim((await pair.owner.files.stat(PATH)).id)).node == "owner"
    ann = pair.relay.on(pair.relay.socket())
    ann.sign_in(token)
    ann.step1()
    await settle()
    assert ann.synced
    assert asked[0] == "session-1"
    assert pair.owner.rooms.present(pair.host.id) == [("session-1", True)]
    other = pair.relay.token("Ann")
    pair.relay.grants[other] = replace(pair.relay.grants[other], id="session-2")
    ann.sign_in(other)
    await settle()
    assert pair.owner.rooms.present(pair.host.id) == [("session-2", True)]


async def test_what_cannot_be_read_closes_the_socket_as_it_does_there(pair: Pair) -> None:
    here, other = await pair.guest(pair.relay), await pair.guest(pair.relay, name="Ben")
    here.send(protocol.update(b"\xff\xff\xff"))
    await settle()
    assert here.socket.code() == 4400
    assert other.socket.open()
    assert len(pair.host.members) == 1


@pytest.mark.parametrize("dialect", [HOCUSPOCUS, YWEBSOCKET], ids=lambda each: each.name)
async def test_a_wire_that_is_cut_ends_the_sessions_with_a_passing_code_and_they_come_back(pair: Pair, dialect: Dialect) -> None:
    here = await pair.guest(pair.relay, dialect)
    next(iter(pair.network.ends)).cut()
    here.type("lost on its way ")
    await settle()
    assert here.socket.code() == 1013
    assert not pair.host.members
    assert here.statuses == []

    again = await pair.guest(pair.relay, dialect)
    again.replica.doc.apply_update(here.replica.doc.get_update())
    again.send(protocol.update(here.replica.doc.get_update()))
    await settle()
    assert pair.host.body().decode() == "lost on its way one\n"


async def test_a_node_that_is_silent_is_given_up(pair: Pair) -> None:
    here = await pair.guest(pair.relay)
    for end in pair.network.ends:
        end._task.cancel()  # nothing is carried any more, and nobody hangs up
    await asyncio.sleep(BEAT * (SILENT + 1) - 1)
    assert here.socket.open()
    await asyncio.sleep(BEAT + 2)
    assert here.socket.code() == 1013
    assert not pair.host.members


async def test_a_wire_stays_while_nobody_says_anything(pair: Pair) -> None:
    here = await pair.guest(pair.relay)
    await asyncio.sleep(600)
    assert here.socket.open()
    assert pair.network.dialed == 1


async def test_a_document_that_is_taken_from_its_node_ends_the_sessions_of_all_and_lives_on_elsewhere(pair: Pair) -> None:
    here, there = await pair.guest(pair.relay), await pair.guest(pair.owner, name="Ben")
    document = pair.host.id
    pair.places.take_away(document)
    await settle()
    assert here.socket.code() == there.socket.code() == 1013
    assert not pair.owner.rooms.hosts

    again = await pair.guest(pair.relay)
    again.type("a")
    await settle()
    assert pair.relay.rooms.live(document) is not None
    assert again.statuses == [1]


async def test_a_save_under_way_comes_to_its_end_before_the_document_that_was_taken_from_its_node_is_opened_there_again(pair: Pair) -> None:
    """NODES-2: else the new room, which had seen the file before, would take its own words in it for another program's."""
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(word: str) -> None:
        if word == "written":
            writing.set()
            await go_on.wait()

    here = await pair.guest(pair.owner)
    document = pair.host.id
    pair.owner.before = slowly
    here.type("a")
    await writing.wait()
    pair.places.take_away(document)
    await settle()
    opening = asyncio.ensure_future(pair.owner.rooms.open(document))
    await settle()
    go_on.set()
    await opening

    again = await pair.guest(pair.owner)
    again.type("b")
    await asyncio.sleep(20)
    assert again.text == pair.owner.file() == "baone\n"


async def test_a_document_that_was_renamed_has_its_new_name_on_every_node(pair: Pair) -> None:
    here = await pair.guest(pair.relay)
    here.greet()
    await settle()
    stat = pair.host.stat
    await pair.owner.documents.move(PATH, "renamed.md", if_match=stat.etag)
    await settle()
    assert here.states[-1]["path"] == "renamed.md"

    await asyncio.sleep(2 * BEAT)
    (relay,) = pair.relay.nodes._relays.values()
    assert [seat.away.stat.path for seat in relay._seats.values()] == ["renamed.md"]


async def test_a_folder_that_moves_and_a_folder_that_is_deleted_concern_rooms_of_all_nodes(pair: Pair) -> None:
    """NODES-4."""
    pair.owner.files.poke("folder/a.md", b"one\n")
    stat = await pair.owner.files.stat("folder/a.md")
    host = await pair.owner.rooms.open(stat.id)
    await pair.relay.tree.move("folder", "moved")
    assert host.stat.path == "moved/a.md"

    await pair.relay.trash.discard_folder("moved", by="Ann")
    await settle()
    assert pair.owner.rooms.live(stat.id) is None


async def test_listings_have_the_live_text_of_rooms_on_other_nodes(pair: Pair) -> None:
    """NODES-4."""
    there = await pair.guest(pair.owner)
    there.type("more ")
    await settle()
    (stat,) = [stat for stat in await pair.relay.documents.list("") if stat.path == PATH]
    assert stat.size == len("more one\n")
    assert stat == await pair.owner.documents.find(PATH)
    assert await pair.relay.nodes.readable(stat.id) == "more one\n"


async def test_a_node_that_stops_gives_its_documents_back(pair: Pair) -> None:
    here = await pair.guest(pair.relay)
    here.type("a")
    await settle()
    await pair.owner.stop()
    await pair.owner.nodes.close()
    await settle()
    assert here.socket.code() == 1013
    assert pair.owner.file() == "aone\n"
    assert not pair.places.owners
    again = await pair.guest(pair.relay)
    assert again.text == "aone\n"
