"""Files of a cloud that is in a mood: whatever it does, no word is lost or doubled, and what no client can prevent is noticed (CS3-9, CS3-10, CS3-11)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from gateway import Cloud, CloudGateway, Moods
from gateway.cloud import MACHINE, Lock
from scale import scale
from serving import PATIENCE

from collab.archive.memory import MemoryArchive
from collab.errors import Changed, Fenced, Locked, Unauthorized, Unavailable
from collab.gateway.calls import Gateway
from collab.gateway.identity import Machine
from collab.gateway.transfers import Transfers
from collab.storage.cs3 import CloudRoomLocks
from collab.storage.cs3.acting import Alone
from collab.storage.cs3.cloud import Cloud as Adapter
from collab.storage.cs3.files import CloudFiles
from collab.storage.cs3.locks import Locks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WRITERS = 6

MOODS: dict[str, dict[str, Any]] = {
    "processing": {"processing": 2},
    "torn": {"torn": 0.3},
    "ignores_if_match": {"ignores_if_match": True},
    "loses_locks": {"loses_locks": 0.3},
    "forgets_locks": {"forgets_locks": 0.05},
    "away": {"away": 0.05},
    "mute": {"mute": 0.05},
    "slow": {"slow": 0.003},
    "no_checksums": {"no_checksums": True},
    "no_locks": {"lacks": {"SetLock", "GetLock", "RefreshLock", "Unlock"}},
}
LOCKLESS = ("loses_locks", "no_locks")
"""With `ignores_if_match` no client can prevent anything: nothing compares, and no lock keeps others out. There it is noticed, and mended."""
PAIRS = [pair for pair in combinations(MOODS, 2) if not ("ignores_if_match" in pair and set(LOCKLESS) & set(pair))]


@dataclass
class Desk:
    """A cloud with a file, and servers of ours that know nothing of each other."""

    gateway: CloudGateway
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    opened: list[CloudFiles] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    """Bodies that a write said that it had displaced."""

    def server(self) -> CloudFiles:
        calls = Gateway(self.gateway.target, timeout=60.0)
        adapter = Adapter(
            calls,
            Transfers(),
            Alone(Machine(calls, MACHINE), "ann"),
            self.archive.resources,
            root=self.gateway.cloud.root_id("ann"),
            locks=Locks(calls, "Collab", write_seconds=2.0),
        )
        files = CloudFiles(adapter)
        self.opened.append(files)
        return files

    async def add(self, files: CloudFiles, words: set[bytes]) -> None:
        """Put words into the file, as somebody who reads, changes and writes; what the write displaced is merged."""
        while True:
            try:
                content = await files.read("a.txt", limit=2**20)
                there = content.body.split()
                if words <= set(there):
                    return
                body = b"\n".join([*there, *sorted(words - set(there))])
                written = await files.write(content.stat.id, body, if_match=content.stat.etag)
            except (Changed, Locked, Unavailable):
                await asyncio.sleep(0.001)
                continue
            if written.displaced is not None:
                self.told.append(written.displaced.body)
                words = words | set(written.displaced.body.split())

    async def count(self, increments: int, kind: bytes = b"") -> list[bytes]:
        """Six writers, each with its own words, one after the other; the words in the file at the end."""

        async def write(writer: int) -> None:
            files = self.server()
            for number in range(increments // WRITERS):
                await self.add(files, {b"%s%d-%d" % (kind, writer, number)})

        async with asyncio.timeout(5 * PATIENCE):
            await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
        return self.gateway.cloud.body("ann", "a.txt").split()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    cloud = Cloud()
    cloud.add_user("ann")
    cloud.put("ann", "a.txt", b"begin")
    async with CloudGateway(cloud) as gateway:
        made = Desk(gateway)
        yield made
        for files in made.opened:
            await files.close()


def expected(increments: int, *kinds: bytes) -> list[bytes]:
    words = (b"%d-%d" % (writer, number) for writer in range(WRITERS) for number in range(increments // WRITERS))
    return sorted([b"begin", *(kind + word for word in words for kind in kinds or [b""])])


def mood(*names: str) -> Moods:
    facts: dict[str, Any] = {}
    for name in names:
        facts |= MOODS[name]
    return Moods(**facts)


@pytest.mark.parametrize("name", ["", *MOODS])
async def test_of_150_increments_by_six_writers_none_is_lost_in_any_mood(desk: Desk, name: str) -> None:
    """CS3-11."""
    increments = scale(36, 150) if name else 150
    desk.gateway.moods = mood(*filter(None, [name]))
    assert sorted(await desk.count(increments)) == expected(increments)
    assert desk.told == []


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
async def test_of_the_increments_by_six_writers_none_is_lost_in_any_pair_of_moods(desk: Desk, pair: tuple[str, str]) -> None:
    """CS3-11."""
    increments = scale(12, 150)
    desk.gateway.moods = mood(*pair)
    assert sorted(await desk.count(increments)) == expected(increments)
    assert desk.told == []


@pytest.mark.parametrize("locks", LOCKLESS)
async def test_where_nothing_compares_and_locks_are_lost_what_was_overwritten_is_noticed_and_mended_from_the_versions(
    desk: Desk, locks: str, caplog: pytest.LogCaptureFixture
) -> None:
    """CS3-10."""
    increments, kinds = scale(60, 150), list[bytes]()
    desk.gateway.moods = mood("ignores_if_match", locks)
    # On a busy machine the six may go one after the other for a while, and then nothing is overwritten.
    while not desk.told and len(kinds) < 20:
        kinds.append(b"%c" % (ord("a") + len(kinds)))
        assert sorted(await desk.count(increments, kinds[-1])) == expected(increments, *kinds)
    assert desk.told
    assert "is merged from the versions" in caplog.text


# One by one


async def test_a_server_that_restarts_while_many_write_loses_nothing(desk: Desk) -> None:
    """CS3-4."""

    async def restart() -> None:
        for _ in range(3):
            await asyncio.sleep(0.1)
            await desk.gateway.restart()

    words, _ = await asyncio.gather(desk.count(36), restart())
    assert sorted(words) == expected(36)
    assert desk.told == []


async def test_a_read_that_stays_torn_is_no_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """CS3-9."""
    monkeypatch.setattr("collab.storage.cs3.bodies.TRIES", 3)
    desk.gateway.cloud.put("ann", "a.txt", b"another beginning")
    desk.gateway.moods.torn = 1.0
    files = desk.server()
    with pytest.raises(Unavailable):
        await files.read("a.txt", limit=100)
    with pytest.raises(Unavailable):
        await files.stat("a.txt")
    desk.gateway.moods.torn = 0.0
    assert (await files.read("a.txt", limit=100)).body == b"another beginning"


async def test_a_write_whose_answer_is_lost_is_made_once_and_known_as_ours(desk: Desk) -> None:
    """CS3-9."""
    files = desk.server()
    before = await files.stat("a.txt")
    desk.gateway.data.deaf = True
    written = await files.write(before.id, b"ours", if_match=before.etag)
    assert written.displaced is None
    assert (await files.stat(before.id)).etag == written.stat.etag
    assert desk.gateway.calls["PUT"] == 1
    assert len(desk.gateway.cloud.at("ann", "a.txt").versions) == 1


async def test_over_quota_is_said_and_changes_nothing(desk: Desk) -> None:
    files = desk.server()
    before = await files.stat("a.txt")
    desk.gateway.cloud.space("ann").quota = 8
    with pytest.raises(Unavailable, match="quota"):
        await files.write(before.id, b"too much of it", if_match=before.etag)
    assert desk.gateway.cloud.body("ann", "a.txt") == b"begin"
    assert desk.gateway.cloud.at("ann", "a.txt").lock is None


async def test_a_sign_in_that_is_over_deletes_nothing(desk: Desk) -> None:
    """CS3-3: a machine's login that the cloud does not take any more is replaced by the next one."""
    files = desk.server()
    before = await files.stat("a.txt")
    desk.gateway.moods.refuses |= {"Stat": "NOT_FOUND", "WhoAmI": "UNAUTHENTICATED"}
    with pytest.raises(Unauthorized):
        await files.stat(before.id)
    desk.gateway.moods.refuses.clear()
    assert await files.stat(before.id) == before
    assert desk.gateway.calls["Authenticate"] == 2


@pytest.mark.parametrize("odd", [False, True])
async def test_a_body_is_read_once_for_its_etag_and_then_known(desk: Desk, *, odd: bool) -> None:
    desk.gateway.moods.odd_etags = odd
    files = desk.server()
    for _ in range(3):
        await files.stat("a.txt")
    assert desk.gateway.calls["GET"] == 1
    stat = await files.stat("a.txt")
    written = await files.write(stat.id, b"ours", if_match=stat.etag)
    assert await files.stat("a.txt") == written.stat
    assert desk.gateway.calls["GET"] == 1


async def test_a_node_that_lost_the_room_while_it_was_paused_writes_nothing(desk: Desk) -> None:
    """CS3-12: also where etags are not compared."""
    desk.gateway.moods.ignores_if_match = True
    before, after = desk.server(), desk.server()
    stat = await before.stat("a.txt")
    paused, room = CloudRoomLocks(before._cloud), CloudRoomLocks(after._cloud)
    await paused.take(stat.id, 7)
    await room.take(stat.id, 8)
    for _ in range(2):
        with pytest.raises((Fenced, Changed)):
            await before.write(stat.id, b"late", if_match=stat.etag)
        written = await after.write(stat.id, b"newer", if_match=(await after.stat(stat.id)).etag)
    assert desk.gateway.cloud.body("ann", "a.txt") == b"newer"
    assert not await paused.refresh(stat.id, 7)
    assert await room.refresh(stat.id, 8)
    assert written.displaced is None


async def test_a_room_whose_lock_the_cloud_lost_has_it_again_at_the_next_save(desk: Desk) -> None:
    """CS3-12."""
    files = desk.server()
    stat = await files.stat("a.txt")
    await CloudRoomLocks(files._cloud).take(stat.id, 7)
    node = desk.gateway.cloud.at("ann", "a.txt")
    held, node.lock = node.lock, None
    await files.write(stat.id, b"ours", if_match=stat.etag)
    assert (desk.gateway.cloud.body("ann", "a.txt"), node.lock is not None) == (b"ours", True)
    node.lock = Lock("x", "Collabora")
    with pytest.raises(Locked, match="Collabora"):
        await files.write(stat.id, b"more", if_match=(await files.stat(stat.id)).etag)
    assert desk.gateway.cloud.body("ann", "a.txt") == b"ours"
    assert held is not None
