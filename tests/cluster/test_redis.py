"""Claims on a real Redis: one node has a room, fencing numbers only grow, who is gone is noticed (REDIS-3, REDIS-4, REDIS-5)."""

from __future__ import annotations

import asyncio
import random
import re
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, TypeVar

import pytest
from redis_server import Line, Node, RedisServer, a_node, known, prefix, redis_server, running, started
from runtime.stage import PATH, Guest, Stage
from scale import scale
from serving import until

from collab.archive.memory import MemoryArchive
from collab.cluster.shared import Shared
from collab.errors import Unavailable
from collab.ports import Kind, Record
from collab.runtime.saver import Timing
from collab.storage.memory import MemoryFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from collab.ports import Place, Refillable

__all__ = ["prefix", "redis_server"]

A = "id:" + "a" * 26
B = "id:" + "b" * 26
C = "id:" + "c" * 26
EDIT = Record(Kind.UPDATE, b"edit")
NAMES = ("one", "two", "three")
T = TypeVar("T")
SECONDS = 60.0
HEARTBEAT = 5.0
"""Seconds: a node that a busy machine does not let go on for some of them is not taken for gone."""


@pytest.fixture
async def nodes(redis_server: RedisServer, prefix: str) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(a_node(redis_server.url, prefix, name=name, heartbeat=HEARTBEAT)) for name in NAMES]


async def soon(waited: Awaitable[T]) -> T:
    async with asyncio.timeout(SECONDS):
        return await waited


async def at_last(node: Node, document: str) -> Place:
    while True:
        with suppress(Unavailable):
            return await node.placement.claim(document)


def die(node: Node) -> None:
    """As a process that is killed: nobody hears of it any more."""
    assert node.placement._beating is not None
    node.placement._beating.cancel()


async def test_one_of_many_that_claim_at_once_has_it_and_all_know_which(nodes: list[Node]) -> None:
    """REDIS-3."""
    places = await asyncio.gather(*(node.placement.claim(A) for node in nodes for _ in range(5)))
    (place,) = set(places)
    assert [node.placement.fence(A) is not None for node in nodes] == [node.placement.node == place.node for node in nodes]
    assert place.address == place.node.partition("/")[0] + ":1"


async def test_many_claims_at_once_on_a_redis_that_knows_no_script_load_each_script_once() -> None:
    """REDIS-3."""
    many = scale(300, 3_000)
    with running() as server:
        await known(server.url, "p:")
        async with a_node(server.url, "p:", heartbeat=30.0) as node:
            for _ in range(2):
                # Also when it forgets them, and nobody is told.
                server.cli("SCRIPT", "FLUSH", "SYNC")
                server.cli("CONFIG", "RESETSTAT")
                names = [f"id:{number:026}" for number in range(many)]
                places = await soon(asyncio.gather(*(node.placement.claim(name) for name in names)))
                assert {place.node for place in places} == {node.placement.node}
                loads = re.search(r"cmdstat_script\|load:calls=(\d+)", server.cli("INFO", "commandstats"))
                # A heartbeat may load its own.
                assert loads is not None
                assert int(loads[1]) <= 2
                await asyncio.gather(*(node.placement.release(name) for name in names))


async def test_whoever_waits_for_a_turn_at_a_redis_that_answers_nobody_is_told_so_and_has_it_when_it_does() -> None:
    """REDIS-3."""
    names = [f"id:{number:026}" for number in range(200)]
    with running() as server:
        await known(server.url, "p:")
        node = await started(server.url, "p:", heartbeat=30.0, answer=1.0)
        try:
            server.pause()
            told = await soon(asyncio.gather(*(node.placement.claim(name) for name in names), return_exceptions=True))
            assert {type(each) for each in told} == {Unavailable}
            gone = asyncio.ensure_future(node.placement.claim(A))
            await asyncio.sleep(0)
            gone.cancel()
            server.resume()
            # On a busy machine some may be told once more that it takes longer than a second.
            places = await soon(asyncio.gather(*(at_last(node, name) for name in names)))
            assert {place.node for place in places} == {node.placement.node}
        finally:
            await node.close()


async def test_what_was_released_is_claimed_with_a_greater_number(nodes: list[Node]) -> None:
    """REDIS-3."""
    one, two, _ = nodes
    fences = []
    for node in (one, two, one, one):
        fences.append((await node.placement.claim(A)).fence)
        await node.placement.release(A)
    assert fences == sorted(set(fences))
    await two.placement.claim(A)
    await one.placement.release(A)
    assert (await one.placement.claim(A)).node == two.placement.node


async def test_numbers_are_above_what_the_storage_has_seen_whatever_redis_and_its_clock_say(nodes: list[Node]) -> None:
    """REDIS-3."""
    one, *_ = nodes
    one.placement.floor = {A: 2**50, B: 0}.__getitem__
    assert (await one.placement.claim(A)).fence == 2**50 + 1
    assert (await one.placement.claim(B)).fence == 2**50 + 2


async def test_a_document_is_nobodys_before_the_storage_knows_its_number(nodes: list[Node]) -> None:
    """REDIS-7."""
    one, *_ = nodes
    taken: list[tuple[str, int]] = []

    def take(document: str, fence: int) -> None:
        assert one.placement.fence(document) is None
        taken.append((document, fence))
        if len(taken) == 1:
            raise Unavailable("another server is writing this file")

    one.placement.taken = take
    with pytest.raises(Unavailable):
        await one.placement.claim(A)
    assert one.placement.fence(A) is None
    place = await one.placement.claim(A)
    assert taken == [(A, place.fence)] * 2
    assert one.placement.fence(A) == place.fence


async def test_a_node_that_is_gone_is_told_within_seconds_and_the_first_who_claims_has_its_rooms(nodes: list[Node]) -> None:
    """REDIS-4."""
    one, two, three = nodes
    before = [(await one.placement.claim(document)).fence for document in (A, B)]
    await two.placement.claim(C)
    die(one)
    told = [await soon(anext(aiter(node.placement.orphaned()))) for node in (two, three)]
    assert told == [frozenset({A, B})] * 2
    places = await asyncio.gather(two.placement.claim(A), three.placement.claim(A))
    assert len(set(places)) == 1
    assert places[0].fence > max(before)
    assert one.placement.node != places[0].node


async def test_who_comes_back_after_a_pause_learns_what_it_lost_and_keeps_the_rest(nodes: list[Node]) -> None:
    """REDIS-4."""
    one, two, _ = nodes
    await one.placement.claim(A)
    kept = await one.placement.claim(B)
    die(one)
    await soon(anext(aiter(two.placement.orphaned())))
    await two.placement.claim(A)
    await one.placement._beat()
    assert await soon(anext(aiter(one.placement.lost()))) == A
    assert await two.placement.claim(B) == kept
    assert (one.placement.fence(A), one.placement.fence(B)) == (None, kept.fence)


async def test_who_comes_back_learns_what_it_lost_wherever_the_connection_breaks_then(redis_server: RedisServer, prefix: str) -> None:
    """REDIS-4."""

    async def come_back(cut: int | None) -> tuple[int | None, int]:
        """The number that the node believes to have, and how much Redis has answered; `cut`: how much of that comes through at first."""
        line = Line(redis_server)
        await line.open()
        node, document = await started(line.url, prefix, name=f"node{cut}"), f"id:{cut}"
        place = await node.placement.claim(document)
        die(node)
        redis_server.cli("DEL", f"{prefix}node:node{cut}")
        redis_server.cli("HSET", f"{prefix}doc:{document}", "node", "another", "fence", str(place.fence + 1))
        line.cut()
        line.cut_after, line.answered = cut, 0
        with pytest.raises(Unavailable):
            await node.placement._beat()  # the connection of before
        while line.cut_after is not None:
            with suppress(Unavailable):
                await node.placement._beat()
        await node.placement._beat()
        found = node.placement.fence(document), line.answered
        await node.close()
        await line.close()
        return found

    fence, whole = await come_back(None)
    assert fence is None
    cuts = range(whole - 100, whole, 5)
    assert [(cut, (await come_back(cut))[0]) for cut in cuts] == [(cut, None) for cut in cuts]


async def test_a_node_that_ends_gives_everything_to_the_others_at_once(nodes: list[Node]) -> None:
    one, two, _ = nodes
    await one.placement.claim(A)
    await asyncio.sleep(0)
    await one.placement.close()
    assert (await soon(two.placement.claim(A))).node == two.placement.node


async def test_who_starts_again_under_its_name_has_its_rooms_without_waiting(redis_server: RedisServer, prefix: str) -> None:
    """REDIS-4."""
    first = await started(redis_server.url, prefix, heartbeat=3600)
    fence = (await first.placement.claim(A)).fence
    die(first)
    second = await started(redis_server.url, prefix, heartbeat=3600)
    place = await soon(second.placement.claim(A))
    assert (place.node, place.fence > fence) == (second.placement.node, True)
    with pytest.raises(Unavailable, match="name"):
        await first.placement._beat()
    await second.close()
    await first.close()


async def test_what_lives_here_is_claimed_without_redis(redis_server: RedisServer, prefix: str) -> None:
    line = Line(redis_server)
    await line.open()
    async with a_node(line.url, prefix) as node:
        place = await node.placement.claim(A)
        line.refusing = True
        line.cut()
        assert await node.placement.claim(A) == place
        with pytest.raises(Unavailable):
            await node.placement.claim(B)
        line.refusing = False
        assert (await node.placement.claim(B)).node == place.node
    await line.close()


async def test_nothing_is_asked_of_redis_for_rooms_in_which_nothing_happens(redis_server: RedisServer, prefix: str) -> None:
    # A heartbeat that a busy machine does not let end: then all would be looked at.
    async with a_node(redis_server.url, prefix, heartbeat=60.0) as node:
        await asyncio.gather(*(node.placement.claim(f"id:{number}") for number in range(300)))

        async def commands() -> int:
            return int((await node.server.ask("INFO", "stats"))["total_commands_processed"])

        before = await commands()
        for _ in range(3):
            await node.placement._beat()
        assert await commands() - before < 60


async def test_a_redis_that_comes_back_empty_gives_nobody_what_a_living_node_holds() -> None:
    """REDIS-5."""
    with running() as server:
        await known(server.url, "p:")
        async with (
            a_node(server.url, "p:", name="one", heartbeat=HEARTBEAT) as one,
            a_node(server.url, "p:", name="two", heartbeat=HEARTBEAT) as two,
        ):
            before = await one.placement.claim(A)
            again = asyncio.Event()
            one.placement.forgotten = lambda _: again.set()
            await asyncio.to_thread(server.kill)
            server.lose()
            await asyncio.to_thread(server.start)
            other = asyncio.ensure_future(two.placement.claim(A))
            await soon(again.wait())
            place = await one.placement.claim(A)
            assert (place.node, place.fence > before.fence) == (before.node, True)
            assert await soon(other) == place


@pytest.mark.parametrize("seed", range(4))
async def test_fencing_numbers_never_go_back_whatever_happens(redis_server: RedisServer, prefix: str, seed: int) -> None:
    """REDIS-3, seeded: claims, releases, deaths, losses of memory."""
    chance = random.Random(seed)
    nodes = {name: await started(redis_server.url, prefix, name=name, heartbeat=0.3) for name in ("one", "two")}
    highest = {A: 0, B: 0}
    owners: dict[int, str] = {}
    dead: list[Node] = []
    for _ in range(60):
        name, document = chance.choice(list(nodes)), chance.choice((A, B))
        placement = nodes[name].placement
        match chance.choice(("claim", "claim", "claim", "release", "die", "lose")):
            case "claim":
                known_here = placement.fence(document)
                place = await placement.claim(document)
                assert owners.setdefault(place.fence, place.node) == place.node
                assert place.fence in {known_here, highest[document]} or place.fence > highest[document]
                highest[document] = max(highest[document], place.fence)
            case "release":
                await nodes[name].placement.release(document)
            case "die" if chance.random() < 0.2:
                die(nodes[name])
                dead.append(nodes[name])
                nodes[name] = await started(redis_server.url, prefix, name=name, heartbeat=0.3)
            case "lose" if chance.random() < 0.2:
                found = await nodes[name].server.ask("KEYS", f"{prefix}*")
                await nodes[name].server.ask("DEL", "x", *found)
            case _:
                pass
    for node in (*dead, *nodes.values()):
        await node.close()


async def test_the_other_nodes_are_those_that_are_heard_of_and_the_last_known_while_redis_is_away(
    redis_server: RedisServer, prefix: str, nodes: list[Node]
) -> None:
    line = Line(redis_server)
    await line.open()
    async with a_node(line.url, prefix, name="four") as four:
        die(nodes[1])
        await until(lambda: redis_server.cli("EXISTS", f"{prefix}node:two") == "0")
        known_now = await four.placement.others()
        assert known_now == {node.placement.node: f"{name}:1" for node, name in ((nodes[0], "one"), (nodes[2], "three"))}
        line.refusing = True
        line.cut()
        assert await four.placement.others() == known_now
    await line.close()


@pytest.mark.parametrize("way", ["noticed", "appended"])
async def test_hundreds_of_documents_are_written_again_when_all_is_forgotten(redis_server: RedisServer, prefix: str, way: str) -> None:
    """REDIS-5: also those in which nobody types."""
    archive = MemoryArchive()
    shared = Shared(redis_server.url, archive.checkpoints, name="one", incarnation="1", address="-", heartbeat=1.5, prefix=prefix)

    async def refill(document: str, journal: Refillable) -> bool:
        if document == C:
            return False
        await journal.refill(document, document.encode(), {}, ahead=False)
        return True

    shared.refill = refill
    await shared.start()
    documents = [f"id:{number}" for number in range(300)]
    await asyncio.gather(*map(shared.placement.claim, [*documents, C]))
    first = dict(zip(documents, await asyncio.gather(*(shared.journal.append(each, EDIT) for each in documents)), strict=True))
    await shared.journal.append(C, EDIT)
    found = await shared._server.ask("KEYS", f"{prefix}*")
    await shared._server.ask("DEL", *found)
    if way == "appended":
        await asyncio.gather(*(shared.journal.append(each, EDIT) for each in documents))
    await until(lambda: len(archive.disk.documents) == 300 and shared.trouble is None, within=60, saying=lambda: shared.trouble)
    await until(lambda: shared.placement.fence(C) is None)
    for document in documents:
        log = await shared.journal.load(document)
        assert (log.checkpoint, log.position > first[document]) == (document.encode(), True)
    await shared.close()


# --- rooms of two nodes, on one storage, one archive, one Redis


class Office(Stage):
    """One of several nodes with real claims and a real journal."""

    def __init__(self, node: Node, files: MemoryFiles) -> None:
        super().__init__()
        self.node = node
        self.journal = node.journal  # type: ignore[assignment]
        self.files, self.archive, self.placement = files, node.archive, node.placement
        self.forgetful = True

    def die(self) -> None:
        """As a process that is killed."""
        die(self.node)
        for entry in self.rooms._open.values():
            entry.host.closed = True

    async def stop(self) -> None:
        for entry in self.rooms._open.values():
            entry.host.closed = False
        await super().stop()


@pytest.fixture
async def offices(redis_server: RedisServer, prefix: str) -> AsyncIterator[tuple[Office, Office]]:
    files, archive = MemoryFiles(clock=time.time), MemoryArchive()
    files.poke(PATH, b"one\n")
    async with (
        a_node(redis_server.url, prefix, archive, name="one", heartbeat=HEARTBEAT) as one,
        a_node(redis_server.url, prefix, archive, name="two", heartbeat=HEARTBEAT) as two,
    ):
        made = Office(one, files), Office(two, files)
        # What is typed at the first one is still to be saved when others learn that it is gone.
        made[0].timing = Timing(debounce=SECONDS, latest=SECONDS)
        for office in made:
            await office.start()
        yield made
        for office in made:
            await office.stop()


async def visitor(office: Office) -> Guest:
    guest = office.on(office.socket())
    guest.sign_in(office.token("Ann"))
    guest.step1()
    await until(lambda: guest.synced)
    return guest


async def test_what_a_node_that_died_had_not_saved_is_saved_by_another_one(offices: tuple[Office, Office]) -> None:
    """REDIS-4, JOURNAL-8."""
    one, two = offices
    ann = await visitor(one)
    lineage = one.host().room.document.lineage
    ann.append("typed\n")
    await until(lambda: ann.statuses == [1, 1])
    one.die()
    await until(lambda: two.file() == "one\ntyped\n")
    assert two.host().room.document.lineage == lineage
    assert (await visitor(two)).text == "one\ntyped\n"


async def test_people_of_a_node_that_lost_the_document_bring_what_was_not_acknowledged_to_the_new_one(
    offices: tuple[Office, Office],
) -> None:
    """REDIS-3, REDIS-4."""
    one, two = offices
    ann = await visitor(one)
    ann.append("typed\n")
    await until(lambda: ann.statuses == [1, 1])
    die(one.node)
    await until(lambda: two.rooms.hosts)
    ann.append("late\n")
    await until(lambda: ann.socket.code() is not None)
    assert (ann.socket.code(), ann.statuses) == (1013, [1, 1])
    assert one.rooms.hosts == []
    again = two.on(two.socket())
    again.replica = ann.replica
    again.sign_in(two.token("Ann"))
    again.step1()
    await until(lambda: two.file() == "one\ntyped\nlate\n", saying=two.file)
