"""A running server whose journal is a real Redis, and its archive a real PostgreSQL (REDIS-1, REDIS-2, REDIS-4, REDIS-5, REDIS-8, REDIS-9, REDIS-10, REDIS-11)."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import asking
import httpx
import pytest
from postgres import Postgres, postgres
from redis_server import RedisServer, running
from serving import READY_SECONDS, Served, serving, until

from collab.journal.sqlite import SqliteJournal
from collab.ports import Kind, Record
from collab.state.directory import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.conftest import Peers
    from interop.peer import Peer

__all__ = ["postgres"]

NAME = "notes.md"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, redis: RedisServer, postgres: Postgres) -> Iterator[Served]:
    settings = {"COLLAB_JOURNAL": redis.url, "COLLAB_HEARTBEAT": "3s", "COLLAB_ARCHIVE": postgres.new(), "COLLAB_SAVE_DELAY": "0.2"}
    with serving(tmp_path, **settings) as served:
        served.write(NAME, "start\n")
        yield served


def ready(server: Served) -> tuple[int, str]:
    answer = asking.get(server.url + "/readyz")
    return answer.status_code, answer.text


async def acknowledged(peer: Peer, more: int) -> None:
    """Until the client was told of so many more words that they are stored."""
    start = (await peer.do("progress"))["stored"]
    async with asyncio.timeout(60):
        while (await peer.do("progress"))["stored"] < start + more:
            pass


async def test_every_acknowledged_word_is_in_the_file_after_a_kill_of_both_without_anyone_opening_it(
    server: Served, redis: RedisServer, peers: Peers
) -> None:
    """REDIS-2, REDIS-4."""
    peer = await (await peers("hocuspocus-4", server, NAME)).stored()
    await peer.type("word", pause=5, seed=7)
    await acknowledged(peer, 60)
    await asyncio.gather(asyncio.to_thread(server.kill), asyncio.to_thread(redis.kill))
    typed, stored = await peer.rest()
    await peer.offline()
    await asyncio.to_thread(redis.start)
    await asyncio.to_thread(server.start)
    await until(lambda: stored <= set(server.read(NAME).splitlines()), saying=lambda: server.read(NAME)[-500:])
    await peer.do("connect")
    await peer.stored()
    await server.holds(NAME, Counter(["start", *typed]))
    await until(lambda: ready(server) == (200, "ready\n"), saying=lambda: ready(server))


async def test_while_redis_is_away_nothing_is_acknowledged_or_saved_and_then_all_of_it(
    server: Served, redis: RedisServer, peers: Peers
) -> None:
    """REDIS-1."""
    peer = await (await peers("hocuspocus-4", server, NAME)).stored()
    await asyncio.to_thread(redis.kill)
    await peer.line("typed", 1.0)
    await until(lambda: ready(server)[0] == 503)
    assert "Redis" in ready(server)[1]
    assert peer.of()["pending"] > 0
    assert server.read(NAME) == "start\n"
    await asyncio.to_thread(redis.start)
    await peer.stored()
    await server.shows(NAME, "start\ntyped\n")
    await until(lambda: ready(server)[0] == 200)


async def test_while_redis_is_silent_people_see_each_other_and_nothing_is_acknowledged_or_saved(
    server: Served, redis: RedisServer, peers: Peers
) -> None:
    """REDIS-1: it takes connections and answers nobody."""
    ann = await (await peers("hocuspocus-4", server, NAME)).stored()
    bob = await (await peers("y-websocket-3", server, NAME)).synced()
    redis.pause()
    await ann.line("typed", 1.0)
    await bob.holds(Counter(["start", "typed"]))
    await until(lambda: ready(server)[0] == 503, within=60)
    assert "Redis" in ready(server)[1]
    cid = await (await peers("y-websocket-3", server, NAME)).synced()
    await cid.holds(Counter(["start", "typed"]))
    await cid.line("too", 1.0)
    await ann.holds(Counter(["start", "typed", "too"]))
    assert ann.of()["pending"] > 0
    assert server.read(NAME) == "start\n"
    redis.resume()
    await ann.stored()
    await server.holds(NAME, Counter(["start", "typed", "too"]), within=60)
    await until(lambda: ready(server)[0] == 200, within=60)
    assert (ann.codes, bob.codes, cid.codes) == ([], [], [])


async def test_a_server_ends_while_redis_is_silent_and_another_does_not_begin(
    server: Served, redis: RedisServer, peers: Peers, tmp_path: Path
) -> None:
    """REDIS-1, REDIS-11."""
    ann = await (await peers("hocuspocus-4", server, NAME)).stored()
    await ann.line("stored", 1.0)
    await ann.stored()
    redis.pause()
    await ann.line("typed", 1.0)
    # Both wait for Redis, at the same time.
    other = Served(tmp_path / "other", tmp_path / "beside", {"COLLAB_JOURNAL": redis.url})
    process = await asyncio.to_thread(other.launch)
    assert await asyncio.to_thread(server.stop) == 0
    assert "Redis answers nobody" in server.log.read_text()
    assert await asyncio.to_thread(process.wait, READY_SECONDS) == 2
    assert process.stdout is not None
    process.stdout.close()
    (told,) = other.log.read_text().splitlines()
    assert told.startswith("collab serve: Redis does not take it: ")
    redis.resume()
    await asyncio.to_thread(server.start)
    await ann.stored()
    await server.holds(NAME, Counter(["start", "stored", "typed"]))


async def test_a_redis_that_lost_its_memory_costs_nobody_a_word_and_nobody_notices(
    server: Served, redis: RedisServer, peers: Peers
) -> None:
    """REDIS-5."""
    peer = await (await peers("hocuspocus-4", server, NAME)).stored()
    other = await (await peers("y-websocket-3", server, NAME)).synced()
    await peer.type("word", pause=5, seed=7)
    await acknowledged(peer, 30)
    for way in ("flush", "empty"):
        if way == "flush":
            redis.cli("FLUSHALL")
        else:
            await asyncio.to_thread(redis.kill)
            redis.lose()
            await asyncio.to_thread(redis.start)
        await acknowledged(peer, 30)
    typed, stored = await peer.rest()
    await peer.stored()
    assert (peer.refused, peer.codes, other.codes) == ([], [], [])
    await server.holds(NAME, Counter(["start", *typed]))
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    await other.holds(Counter(["start", *typed]))
    await peer.line("after", 1.0)
    await peer.stored()
    await server.holds(NAME, Counter(["start", *typed, "after"]))
    assert stored <= set(typed)
    assert peer.refused == []


async def test_documents_that_nobody_has_open_come_back_with_their_lineage(server: Served, redis: RedisServer, peers: Peers) -> None:
    """REDIS-5."""
    server.environment["COLLAB_ROOM_IDLE"] = "0.1"
    await asyncio.to_thread(server.restart)
    peer = await (await peers("hocuspocus-4", server, NAME)).stored()
    await peer.offline()
    await until(lambda: redis.cli("KEYS", "*id:*") == "", saying=lambda: redis.cli("KEYS", "*"))
    await peer.line("offline", 1.0)
    await asyncio.to_thread(server.kill)
    redis.cli("FLUSHALL")
    await asyncio.to_thread(server.start)
    await peer.do("connect")
    await peer.stored()
    assert peer.refused == []
    await server.shows(NAME, "start\noffline\n")


def test_bytes_that_are_no_text_are_replaced_too(server: Served) -> None:
    server.write("picture.bin", "x").write_bytes(b"\0\xff")
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token('Ann')}"}, timeout=30) as ask:
        put = ask.put("/api/documents/picture.bin/content", content=b"\0\xfe", headers={"If-Match": "*"})
    assert put.status_code < 300, put.text
    assert (server.root / "picture.bin").read_bytes() == b"\0\xfe"


async def test_a_redis_that_syncs_once_a_second_is_told_everywhere(server: Served, redis: RedisServer) -> None:
    """REDIS-8."""
    assert "received" not in server.log.read_text()
    redis.cli("CONFIG", "SET", "appendfsync", "everysec")
    await asyncio.to_thread(server.restart)
    status, words = ready(server)
    assert status == 200
    assert "received, not stored" in words
    assert "appendfsync everysec" in words
    assert "received, not stored" in server.log.read_text()


def test_a_password_is_in_no_message(tmp_path: Path, redis: RedisServer) -> None:
    """REDIS-9."""
    redis.cli("CONFIG", "SET", "requirepass", "opensesame")
    for url in (redis.url + "?password=wrongsesame", "redis://:wrongsesame@127.0.0.1:1/0", "redis://:wrongsesame@127.0.0.1:x/0"):
        served = Served(tmp_path / "root", tmp_path / "state", {"COLLAB_JOURNAL": url})
        process = served.launch()
        assert process.wait(READY_SECONDS) == 2
        assert process.stdout is not None
        process.stdout.close()
    told = served.log.read_text()
    assert len(told.splitlines()) == 3
    assert told.count("Redis") == 3
    assert "sesame" not in told


def test_edits_in_the_journal_of_before_are_saved_first(tmp_path: Path, redis: RedisServer) -> None:
    """REDIS-10."""
    served = Served(tmp_path / "root", tmp_path / "state", {"COLLAB_JOURNAL": redis.url})
    served.write(NAME, "start\n")
    directory = prepare(served.root, served.state)
    journal = SqliteJournal(directory.journal)

    async def edit() -> None:
        await journal.append("id:" + "a" * 26, Record(Kind.UPDATE, b"edit"))
        await journal.close()

    asyncio.run(edit())
    process = served.launch()
    assert process.wait(READY_SECONDS) == 2
    assert process.stdout is not None
    process.stdout.close()
    assert "without COLLAB_JOURNAL" in served.log.read_text()


@pytest.mark.parametrize("named", [True, False])
def test_commands_that_need_the_journal_say_that_it_is_in_redis(tmp_path: Path, redis: RedisServer, *, named: bool) -> None:
    """REDIS-10."""
    served = Served(tmp_path / "root", tmp_path / "state", {"COLLAB_JOURNAL": redis.url})
    served.start()
    served.kill()
    served.environment = {"COLLAB_JOURNAL": redis.url} if named else {}
    command = served.command("backup", "--to", str(tmp_path / "b.tar"))
    told = subprocess.run(command, env=served.variables(), capture_output=True, text=True, check=False, timeout=60)
    assert (told.returncode, "in Redis" in told.stderr) == (2, True)
