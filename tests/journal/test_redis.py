"""The journal on a real Redis: killed, cut off, full, empty, replaced by an older one (REDIS-1, REDIS-2, REDIS-5, REDIS-6, REDIS-11)."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from checkout import ROOT, text
from redis_server import Line, RedisServer, a_node, known, prefix, redis_server, running, started
from scale import scale
from serving import until

from collab.archive.memory import MemoryArchive
from collab.errors import Fenced, Unavailable
from collab.ports import Kind, Log, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from redis_server import Node

__all__ = ["prefix", "redis_server"]

A = "id:" + "a" * 26
B = "id:" + "b" * 26
SECONDS = 60.0


@pytest.fixture
async def node(redis_server: RedisServer, prefix: str) -> AsyncIterator[Node]:
    # No heartbeat notices by itself that Redis lost its memory: who appends does, or looks.
    async with a_node(redis_server.url, prefix, heartbeat=3600) as node:
        await node.placement.claim(A)
        yield node


def update(number: int, size: int = 0) -> Record:
    return Record(Kind.UPDATE, b"%d" % number + b"." * size)


def bodies(log: Log) -> list[int]:
    return [int(record.body.rstrip(b".")) for _, record in log.records]


async def all_of(futures: Sequence[Awaitable[Any]]) -> list[Any]:
    async with asyncio.timeout(SECONDS):
        return list(await asyncio.gather(*futures, return_exceptions=True))


async def troubled(node: Node) -> str:
    """Until the journal says why it takes nothing."""
    async with asyncio.timeout(SECONDS):
        while node.journal.trouble is None:
            await node.journal._moved.wait()
    return node.journal.trouble


# --- once, in order


@pytest.mark.parametrize("seed", range(scale(4, 40)))
async def test_whatever_breaks_between_sending_and_answering_each_record_is_there_once_in_order(
    redis_server: RedisServer, prefix: str, seed: int
) -> None:
    """REDIS-1, seeded."""
    chance, line = random.Random(seed), Line(redis_server)
    await line.open()
    async with a_node(line.url, prefix) as node:
        for document in (A, B):
            await node.placement.claim(document)
        futures = []
        for number in range(200):
            futures += [node.journal.append(document, update(number, chance.choice((0, 3000)))) for document in (A, B)]
            if chance.random() < 0.1:
                line.cut_after = chance.randrange(400)
            if chance.random() < 0.05:
                line.cut()
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() / 200)
        positions = await all_of(futures)
        for document, mine in ((A, positions[::2]), (B, positions[1::2])):
            log = await node.journal.load(document)
            assert bodies(log) == list(range(200))
            assert [at for at, _ in log.records] == mine == sorted(set(mine))
    await line.close()


@pytest.mark.parametrize("seed", range(scale(2, 10)))
async def test_after_each_kill_of_redis_every_acknowledged_record_is_there_once_in_order(seed: int) -> None:
    """REDIS-1, REDIS-2, seeded."""
    chance = random.Random(seed)
    with running() as server:
        await known(server.url, "p:")
        node = await started(server.url, "p:", heartbeat=60)
        await node.placement.claim(A)
        futures: list[asyncio.Future[int]] = []

        async def type_on() -> None:
            while True:
                futures.append(node.journal.append(A, update(len(futures))))
                await asyncio.sleep(0.0005)

        typing = asyncio.ensure_future(type_on())
        for _ in range(3):
            wanted = sum(each.done() for each in futures) + chance.randrange(50, 200)
            await until(lambda wanted=wanted: sum(each.done() for each in futures) >= wanted)  # type: ignore[misc]
            await asyncio.to_thread(server.kill)
            stored = [number for number, each in enumerate(futures) if each.done()]
            await asyncio.to_thread(server.start)
            told = server.cli("XLEN", f"p:log:{A}")
            assert int(told) >= len(stored)
        typing.cancel()
        positions = await all_of(futures)
        log = await node.journal.load(A)
        assert [at for at, _ in log.records] == positions
        assert bodies(log) == list(range(len(futures)))
        await node.close()


async def test_what_is_appended_while_redis_answers_is_sent_together(node: Node) -> None:
    """REDIS-1."""
    await node.journal.append(A, update(0))

    async def scripts() -> int:
        return int((await node.server.ask("INFO", "commandstats"))["cmdstat_evalsha"]["calls"])

    before = await scripts()
    futures = [node.journal.append(A, update(number)) for number in range(1000)]
    assert node.journal.pending_records == 1000
    await all_of(futures)
    assert await scripts() - before < 10
    assert (node.journal.pending_records, node.journal.pending_bytes) == (0, 0)


# --- a Redis that refuses


async def test_who_reads_waits_for_what_was_appended_before_and_not_for_what_comes_all_the_time(node: Node) -> None:
    """REDIS-1."""
    typing, count = True, 0

    def again(future: asyncio.Future[int]) -> None:
        nonlocal count
        if typing and future.exception() is None:
            count += 1
            node.journal.append(A, update(count)).add_done_callback(again)

    first = node.journal.append(A, update(0))
    first.add_done_callback(again)
    async with asyncio.timeout(SECONDS):
        log = await node.journal.load(A)
        unsaved = await node.journal.unsaved()
        there = count
        last = [node.journal.append(A, update(1_000_000)), node.journal.append(A, update(1_000_001))]
        whole = await node.journal.load(A)
    typing = False
    assert await first in [position for position, _ in log.records]
    assert unsaved == [A]
    assert bodies(whole)[: there + 1] == list(range(there + 1))
    assert set(await all_of(last)) <= {position for position, _ in whole.records}


async def test_a_full_redis_acknowledges_nothing_and_says_why_and_takes_all_in_order_when_there_is_room() -> None:
    """REDIS-1."""
    with running(**{"maxmemory-policy": "noeviction"}) as server:
        await known(server.url, "p:")
        async with a_node(server.url, "p:") as node:
            await node.placement.claim(A)
            futures: list[asyncio.Future[int]] = [node.journal.append(A, update(0))]
            await all_of(futures)
            server.cli("CONFIG", "SET", "maxmemory", "1mb")
            futures += [node.journal.append(A, update(number)) for number in range(1, 100)]
            assert "maxmemory" in await troubled(node)
            assert [each.done() for each in futures] == [True] + [False] * 99
            with pytest.raises(Unavailable):
                await node.journal.checkpoint(A, futures[0].result(), b"state", {})
            server.cli("CONFIG", "SET", "maxmemory", "0")
            positions = await all_of(futures)
            assert positions == list(range(positions[0], positions[0] + 100))
            assert node.journal.trouble is None


async def test_closing_while_redis_is_away_says_that_what_waits_was_not_taken(redis_server: RedisServer, prefix: str) -> None:
    line = Line(redis_server)
    await line.open()
    node = await started(line.url, prefix)
    await node.placement.claim(A)
    await node.journal.append(A, update(0))
    line.refusing = True
    line.cut()
    waiting = [node.journal.append(A, update(number)) for number in (1, 2)]
    await troubled(node)
    assert await node.placement.claim(A)
    await node.close()
    assert [type(each) for each in await all_of(waiting)] == [Unavailable, Unavailable]
    await line.close()


@pytest.mark.parametrize("away", [True, False], ids=["away", "silent"])
async def test_a_redis_that_answers_nothing_when_the_server_stops_is_given_up(
    redis_server: RedisServer, prefix: str, *, away: bool
) -> None:
    """REDIS-11: everything that waits fails, and what comes later at once."""
    line = Line(redis_server)
    await line.open()
    node = await started(line.url, prefix, heartbeat=3600, answer=3600, parting=0.3)
    await node.placement.claim(A)
    stored = node.journal.append(A, update(0))
    await stored
    if away:
        line.refusing = True
        line.cut()
    else:
        line.silence()
    waiting = [node.journal.append(A, update(1))]
    loading = asyncio.ensure_future(node.server.ask("PING"))
    await asyncio.sleep(0)
    node.server.hasten()
    assert [type(each) for each in await all_of([*waiting, loading])] == [Unavailable, Unavailable]
    later = [node.journal.append(A, update(2)), node.journal.load(A), node.journal.unsaved(), node.placement.release(A)]
    assert [type(each) for each in await all_of(later)] == [Unavailable] * 4
    assert node.journal.trouble is not None
    await node.close()
    await line.close()


async def test_a_redis_that_answers_though_late_is_not_given_up(redis_server: RedisServer, prefix: str) -> None:
    """REDIS-11: what was sent before it became silent is sent again."""
    line = Line(redis_server)
    await line.open()
    node = await started(line.url, prefix, parting=10.0)
    await node.placement.claim(A)
    line.silence()
    waiting = [node.journal.append(A, update(number)) for number in range(3)]
    node.server.hasten()
    await until(lambda: line.unheard)
    line.speak()
    positions = await all_of(waiting)
    assert [at for at, _ in (await node.journal.load(A)).records] == positions
    await node.close()
    await line.close()


# --- fences


async def test_a_node_that_lost_the_document_appends_nothing_and_is_told(redis_server: RedisServer, prefix: str) -> None:
    """REDIS-3: both believe that they have it."""
    archive = MemoryArchive()
    one = await started(redis_server.url, prefix, archive)
    await one.placement.claim(A)
    first = await one.journal.append(A, update(1))
    assert one.placement._beating is not None
    one.placement._beating.cancel()
    # The same name again: the first one is gone for everybody but itself.
    async with a_node(redis_server.url, prefix, archive) as two:
        await two.placement.claim(A)
        assert bodies(await two.journal.load(A)) == [1]
        late, theirs = one.journal.append(A, update(2)), two.journal.append(A, update(3))
        with pytest.raises(Fenced):
            await late
        assert await theirs > first
        assert await anext(aiter(one.placement.lost())) == A
        with pytest.raises(Fenced):
            await one.journal.append(A, update(4))
        with pytest.raises(Fenced):
            await one.journal.checkpoint(A, first, b"state", {})
        assert bodies(await two.journal.load(A)) == [1, 3]
    await one.close()


async def test_nobody_appends_without_a_claim(node: Node) -> None:
    """REDIS-3."""
    with pytest.raises(Fenced):
        await node.journal.append(B, update(1))
    await node.placement.release(A)
    with pytest.raises(Fenced):
        await node.journal.append(A, update(1))


async def test_who_has_a_document_again_goes_on_above_all_that_was_there(node: Node) -> None:
    positions = []
    for number in range(5):
        await node.placement.claim(A)
        positions += [await node.journal.append(A, update(number)), await node.journal.append(A, update(number))]
        await node.placement.release(A)
    assert positions == sorted(set(positions))
    assert bodies(await node.journal.load(A)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


async def test_a_document_that_is_whole_in_the_archive_leaves_nothing_in_redis(node: Node, prefix: str) -> None:
    place = await node.journal.append(A, Record(Kind.ANNOUNCE))
    position = await node.journal.append(A, Record(Kind.SAVED, meta={"place": place}))
    await node.journal.checkpoint(A, position, b"state", {"lineage": 7})
    await node.placement.release(A)
    assert await node.server.ask("KEYS", f"{prefix}*{A}") == []
    await node.placement.claim(A)
    assert await node.journal.load(A) == Log(b"state", {"lineage": 7}, position)
    assert await node.journal.append(A, update(1)) > position


# --- the archive first


async def test_nothing_leaves_redis_before_the_archive_has_it(node: Node) -> None:
    """REDIS-6."""
    position = await node.journal.append(A, update(1))
    node.archive.refuse("the disk is full")
    with pytest.raises(Unavailable, match="disk"):
        await node.journal.checkpoint(A, position, b"state", {})
    node.archive.refuse(None)
    assert bodies(await node.journal.load(A)) == [1]


async def test_a_log_that_is_whole_needs_no_archive(node: Node) -> None:
    position = await node.journal.append(A, Record(Kind.SEED, b"seed"))
    node.archive.refuse("away")
    assert len((await node.journal.load(A)).records) == 1
    node.archive.refuse(None)
    await node.journal.checkpoint(A, position, b"state", {})
    node.archive.refuse("away")
    with pytest.raises(Unavailable, match="away"):
        await node.journal.load(A)


async def test_a_log_whose_beginning_is_nowhere_is_refused(node: Node) -> None:
    """REDIS-6: a hole is never served."""
    position = await node.journal.append(A, update(1))
    await node.journal.checkpoint(A, position, b"state", {})
    await node.journal.append(A, update(2))
    await node.archive.checkpoints.forget(A)
    with pytest.raises(Unavailable, match="backup"):
        await node.journal.load(A)


# --- a Redis that forgot


async def forget_all(node: Node, prefix: str) -> None:
    found = await node.server.ask("KEYS", f"{prefix}*")
    await node.server.ask("DEL", *found)


async def test_a_redis_that_lost_its_memory_is_refilled_by_the_owner_and_what_waited_follows(node: Node, prefix: str) -> None:
    """REDIS-5."""
    told = asyncio.Event()
    node.placement.forgotten = lambda _: told.set()
    acknowledged = [await node.journal.append(A, update(number)) for number in range(3)]
    await forget_all(node, prefix)
    waiting = [
        node.journal.append(A, record)
        for record in (update(3), Record(Kind.ANNOUNCE), Record(Kind.SAVED, meta={"place": acknowledged[1]}), Record(Kind.GIVEN))
    ]
    async with asyncio.timeout(SECONDS):
        await told.wait()
    assert "lost its memory" in (node.journal.trouble or "")
    assert not any(each.done() for each in waiting)
    await node.placement.claim(A)
    refilling = asyncio.ensure_future(node.journal.refill(A, b"0 1 2 3", {"lineage": 7}, ahead=True))
    await asyncio.sleep(0)
    later = node.journal.append(A, update(4))
    position = await refilling
    log = await node.journal.load(A)
    assert (log.checkpoint, log.meta, log.position) == (b"0 1 2 3", {"lineage": 7}, position)
    assert [record for _, record in log.records] == [Record(Kind.SAVED, meta={"place": acknowledged[1]}), update(4)]
    assert [type(each) for each in await all_of(waiting)] == [int, Unavailable, int, Unavailable]
    assert max(acknowledged) < position == waiting[0].result() < waiting[2].result() < await later
    assert await node.journal.unsaved() == [A]
    assert node.journal.trouble is None


async def test_an_archive_that_refuses_leaves_a_forgotten_document_waiting_until_it_takes_it(node: Node, prefix: str) -> None:
    """REDIS-5."""
    await node.journal.append(A, update(0))
    await forget_all(node, prefix)
    waiting = node.journal.append(A, update(1))
    await troubled(node)
    node.archive.refuse("away")
    await node.placement.claim(A)
    with pytest.raises(Unavailable):
        await node.journal.refill(A, b"state", {}, ahead=False)
    assert not waiting.done()
    node.archive.refuse(None)
    assert await node.journal.refill(A, b"state", {}, ahead=False) == await waiting
    assert await node.journal.append(A, update(2)) > await waiting
    assert await node.journal.unsaved() == [A]


async def test_what_nobody_has_of_a_forgotten_document_is_refused(node: Node, prefix: str) -> None:
    await node.journal.append(A, update(0))
    await forget_all(node, prefix)
    waiting = node.journal.append(A, update(1))
    await troubled(node)
    node.journal.abandon(A)
    with pytest.raises(Fenced):
        await waiting
    assert node.journal.trouble is None


async def test_documents_that_nobody_holds_come_back_from_the_archive_with_higher_positions(
    redis_server: RedisServer, node: Node, prefix: str
) -> None:
    """REDIS-5."""
    position = await node.journal.append(A, update(0))
    await node.journal.checkpoint(A, position, b"state", {"lineage": 7})
    await node.journal.append(A, update(1))
    await node.placement.release(A)
    await forget_all(node, prefix)
    await known(redis_server.url, prefix)
    await node.placement.claim(A)
    assert await node.journal.load(A) == Log(b"state", {"lineage": 7}, position)
    assert await node.journal.append(A, update(2)) > position + 1


async def test_an_older_copy_of_redis_is_found_out_by_the_next_append_or_by_a_look(node: Node, prefix: str) -> None:
    """REDIS-5: a replica that lags takes over."""
    for looked in (False, True):
        await node.placement.claim(A)
        keys = [f"{prefix}doc:{A}", f"{prefix}log:{A}"]
        await node.journal.append(A, update(0))
        copies = [await node.server.ask("DUMP", key) for key in keys]
        await node.journal.append(A, update(1))
        for key, copy in zip(keys, copies, strict=True):
            await node.server.ask("RESTORE", key, 0, copy, "REPLACE")
        told = asyncio.Event()
        node.placement.forgotten = lambda _, told=told: told.set()  # type: ignore[misc]
        if looked:
            await node.journal.check()
        else:
            waiting = node.journal.append(A, update(2))
        async with asyncio.timeout(SECONDS):
            await told.wait()
        await node.placement.claim(A)
        position = await node.journal.refill(A, b"0 1 2", {}, ahead=False)
        assert waiting.result() if looked else await waiting == position
        assert (await node.journal.load(A)).checkpoint == b"0 1 2"


async def test_a_user_as_in_the_how_to_may_do_all_that_is_needed(redis_server: RedisServer) -> None:
    (line,) = re.findall(r"`ACL SETUSER collab (.*)`", text(ROOT / "docs" / "how-to" / "several-nodes.md"))
    assert redis_server.cli("ACL", "SETUSER", "collab", *line.replace("~collab:*", "~allowed:*").split()) == "OK"
    url = redis_server.url.replace("unix://", "unix://collab@") + "?password=password"
    await known(redis_server.url, "allowed:")
    async with a_node(url, "allowed:") as node:
        assert await node.server.weakness() is None
        await node.placement.claim(A)
        position = await node.journal.append(A, update(1))
        assert await node.journal.unsaved() == [A]
        await node.journal.checkpoint(A, position, b"state", {})
        assert (await node.journal.load(A)).checkpoint == b"state"
        await node.placement._beat()
        await node.journal.forget(A)
        await node.placement.release(A)
        with pytest.raises(Unavailable, match="permissions"):
            await node.server.ask("KEYS", "*")
    with pytest.raises(Unavailable, match="access"):
        await started(url, "elsewhere:")
