"""A world whose file is in a cloud: it is slow, away, restarts, forgets locks, tears reads and loses answers, as the seed says."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.cloud import MACHINE, Cloud
from gateway.direct import Sky, Wire
from gateway.moods import Moods

from collab.gateway.identity import Machine
from collab.storage.cs3 import Alone, CloudFiles, CloudRoomLocks, CloudWatch
from collab.storage.cs3 import Cloud as Adapter
from collab.storage.cs3.locks import Locks
from sim.world import World

if TYPE_CHECKING:
    from collab.archive.memory import MemoryArchive
    from collab.journal.memory import MemoryJournal
    from collab.ports import Placement
    from collab.runtime.rooms import Surroundings
    from collab.storage.memory import MemoryFiles

PASSING = ("unavailable", "draining")
"""Reasons for which a client comes again."""
OUTAGE = 45.0
"""Seconds for which the cloud is away at most."""
WEATHER: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"slow": 0.5},
    {"slow": 12.0},
    {"away": 0.3},
    {"mute": 0.2},
    {"torn": 0.3, "processing": 2},
    {"loses_locks": 0.3},
    {"forgets_locks": 0.1},
    {"away": 0.1, "mute": 0.1, "slow": 2.0, "torn": 0.2, "processing": 1},
)


class Passed(list[str]):
    """What clients are refused; who is told that nothing answers just now, hangs up and comes back."""

    def __init__(self, world: Skies) -> None:
        super().__init__()
        self._world = world

    def append(self, line: str) -> None:
        name, _, reason = line.partition(": ")
        if not reason.startswith(PASSING):
            super().append(line)
            return
        self._world.counts["came again"] += 1
        for client in self._world.clients:
            if client.name == name and client.link is not None:
                asyncio.get_running_loop().call_soon(client.link.cut)


class Shelf:
    """The cloud's file, as the world's other writers see it."""

    def __init__(self, world: Skies) -> None:
        self._world = world

    @property
    def _cloud(self) -> Cloud:
        return self._world.cloud

    def poke(self, path: str, body: bytes) -> None:
        self._cloud.put("ann", path, body)

    def peek(self, path: str) -> bytes:
        return self._cloud.body("ann", path)

    def paths(self) -> list[str]:
        return [node.path() for node in self._cloud.space("ann").root.below() if not node.folder]

    async def stat(self, path: str) -> Any:
        return await self._world.seen.stat(path)

    def crash(self) -> Shelf:
        """Our process died, and nothing else."""
        self._world.wire.cut()
        return self


@dataclass(eq=False)
class Skies(World):
    """One server of ours on a cloud."""

    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__post_init__()
        loop = asyncio.get_running_loop()
        self.cloud = Cloud(clock=lambda: 1_800_000_000.0 + loop.time())
        self.cloud.add_user("ann")
        self.sky = Sky(self.cloud, self.seed)
        self.ignores = self.random.random() < 0.25
        """Such a cloud does not compare etags, ever: there the lock is what keeps others out."""
        self.steady: dict[str, Any] = {
            "ignores_if_match": self.ignores,
            "no_checksums": not self.ignores and self.random.random() < 0.25,
            "odd_etags": self.random.random() < 0.25,
        }
        self.sky.gateway.moods = Moods(**self.steady)
        self.files = Shelf(self)  # type: ignore[assignment]
        self.refused = Passed(self)
        self.wire = Wire(self.sky)
        self._watching: asyncio.Future[None] | None = None

    def around(
        self, files: MemoryFiles, journal: MemoryJournal, archive: MemoryArchive, placement: Placement | None = None
    ) -> Surroundings:
        made = super().around(files, journal, archive, placement)
        loop, clock = asyncio.get_running_loop(), self.cloud.clock
        self.wire = wire = Wire(self.sky)
        calls = wire.calls(clock, loop.time)
        nonce = random.Random(self.random.random())
        locks = Locks(calls, "Collab", clock=clock, timer=loop.time, nonce=lambda: nonce.randbytes(8).hex())
        acting = Alone(Machine(calls, MACHINE, clock=clock), "ann")
        adapter = Adapter(calls, wire.transfers(), acting, archive.resources, root=self.cloud.root_id("ann"), clock=clock, locks=locks)
        self.seen = CloudFiles(adapter)
        self.watch = CloudWatch(adapter, timer=loop.time)
        return replace(made, files=self.seen, locks=CloudRoomLocks(adapter))

    def start(self) -> None:
        super().start()
        if self._watching is not None:
            self._watching.cancel()
        self._watching = asyncio.ensure_future(self._look_out())

    async def _look_out(self) -> None:
        rooms, watch = self.rooms, self.watch
        assert rooms is not None
        watch.opened = lambda: {host.id: host.stat.path for host in rooms.hosts}
        async for _ in watch.notices():
            self.counts["noticed"] += 1
            for host in rooms.hosts:
                rooms.noticed(host.id)

    async def restart(self) -> None:
        """Whoever does not come to an end, because the cloud does not answer, is killed."""
        rooms = self.rooms
        if rooms is None:
            return
        self._stopping = stopping = asyncio.ensure_future(rooms.stop())
        await asyncio.wait([stopping], timeout=40.0)
        if self.rooms is not rooms:
            return
        self.counts["stopped" if stopping.done() else "killed"] += 1
        if not stopping.done():
            self.crash()
            return
        for client in self.clients:
            if client.link is not None:
                client.link.cut()
        self.wire.cut()
        self.start()

    def write_outside(self) -> None:
        """Where only the lock keeps others out, they respect it."""
        if self.ignores and self.cloud.lock_of(self.cloud.at("ann", self.path)) is not None:
            return
        self.counts["outside"] += 1
        super().write_outside()

    def write_late(self) -> None:
        if not self.ignores:
            super().write_late()

    async def live(self, seconds: float) -> None:
        weather = asyncio.ensure_future(self._weather())
        try:
            await super().live(seconds)
        finally:
            weather.cancel()

    async def _weather(self) -> None:
        rng, sky = self.random, self.sky
        while True:
            await asyncio.sleep(rng.random() * 20)
            what = rng.choices(["mood", "restart", "outage"], [6, 2, 1])[0]
            self.counts[what] += 1
            if what == "mood":
                moods = rng.choice(WEATHER)
                if self.ignores and any("lock" in name for name in moods):
                    # With neither etags nor locks, nothing can be prevented: that has its own tests.
                    moods = {}
                sky.gateway.moods = Moods(**self.steady, **moods)
            else:
                sky.leave()
                if what == "outage":
                    await asyncio.sleep(rng.random() * OUTAGE)
                sky.come()

    async def settle(self) -> None:
        self.sky.gateway.moods = Moods(**self.steady)
        self.sky.come()
        self.counts["crashes"] += self.crashes
        await super().settle()
        self.counts["saves"] += len(self.cloud.at("ann", self.path).versions)
