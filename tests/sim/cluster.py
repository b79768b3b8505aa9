"""Several nodes over one journal, one storage and one archive: they are killed and stopped, their wires are cut, documents are taken from them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collab.archive.memory import Disk as ArchiveDisk
from collab.archive.memory import MemoryArchive
from collab.cluster.link import Exchange
from collab.cluster.nodes import Nodes
from collab.errors import Fenced
from collab.journal.memory import Durable, MemoryJournal
from collab.runtime.rooms import Rooms
from collab.storage.memory import Disk, MemoryFiles
from collab.storage.names import Names
from sim.network import Network
from sim.places import MemoryPlacement, Places
from sim.virtual import in_order
from sim.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Record

SECRET = bytes(range(32))


class Medium:
    """What the journals of all nodes write."""

    def __init__(self) -> None:
        self.logs: dict[str, Durable] = {}
        self.position = 0


class NodeJournal(MemoryJournal):
    """The journal of one node. What was appended before the document was lost, and is not durable by then, never will be."""

    def __init__(self, medium: Medium, places: Places, node: str, step: Callable[[str], Awaitable[None]]) -> None:
        self._shared = medium
        super().__init__(step)
        self._medium = medium.logs
        self._places = places
        self._node = node
        self._fences: dict[int, int] = {}
        """Under which each record was appended: a node that lost a document and has it again is another one."""

    @property
    def _position(self) -> int:
        return self._shared.position

    @_position.setter
    def _position(self, value: int) -> None:
        self._shared.position = max(self._shared.position, value)

    def append(self, document: str, record: Record) -> asyncio.Future[int]:
        future = super().append(document, record)
        self._fences[self._position] = self._places.fence_of(self._node, document)
        return future

    def _commit(self, group: int) -> None:
        for _ in range(group):
            position, document, record, future = self._queue.popleft()
            fence = self._fences.pop(position)
            if fence and fence == self._places.fence_of(self._node, document):
                self._medium.setdefault(document, Durable()).add(position, record)
                if not future.done():
                    future.set_result(position)
            elif not future.done():
                future.set_exception(Fenced("It lives elsewhere."))
                future.exception()
        self._notify()

    def die(self) -> None:
        """The process is gone: nothing that waits becomes durable, and nothing is taken."""
        self._closed = True
        self._medium = {}
        if self._task is not None:
            self._task.cancel()
        self.append = lambda *_: asyncio.get_running_loop().create_future()  # type: ignore[method-assign]


@dataclass(eq=False)
class Node:
    """A process."""

    name: str
    rooms: Rooms
    nodes: Nodes
    exchange: Exchange
    placement: MemoryPlacement
    journal: NodeJournal
    files: MemoryFiles
    archive: MemoryArchive
    starting: asyncio.Future[None]
    stopping: asyncio.Future[None] | None = None
    fence: int = 0
    """Under which a write was begun."""


@dataclass(eq=False)
class Cluster(World):
    """A world of `size` nodes."""

    size: int = 3
    alive: list[Node] = field(default_factory=list)
    names: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"killed": 0, "stopped": 0, "cut": 0, "taken": 0, "relayed": 0})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.medium = Medium()
        self.places = Places(self.delay)
        self.network = Network(self.quick)
        self.stored = ArchiveDisk()
        self.disk = Disk()
        self.files.disk = self.disk
        self.archive._disk = self.stored

    @property  # type: ignore[misc]  # what is one server there, is any of them here
    def rooms(self) -> Rooms | None:
        """Of any node: clients come to whichever the balancer says."""
        return self.random.choice(self.alive).rooms if self.alive else None

    @rooms.setter
    def rooms(self, rooms: Rooms | None) -> None:
        pass

    async def quick(self) -> None:
        await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.01, 0.1]))

    def start(self) -> None:
        while len(self.alive) < self.size:
            self.launch()

    def launch(self) -> None:
        self.names += 1
        name = f"node{self.names}"
        loop = asyncio.get_running_loop()

        async def step(word: str) -> None:
            await self.node_step(node, word)

        journal = NodeJournal(self.medium, self.places, name, step)
        # One table of names, and what each process has seen by itself.
        known = self.files.places.names
        names = Names(known._database, random=known._random, clock=known._clock, timer=loop.time)
        files = MemoryFiles(names, step=step)
        files.disk = self.disk
        archive = MemoryArchive(step)
        archive._disk = self.stored
        placement = self.places.join(name)
        rooms = Rooms(self.around(files, journal, archive, placement))
        exchange = Exchange(name, SECRET, connect=self.network.connect(name))
        self.network.exchanges[name] = exchange
        nodes = Nodes(exchange, placement, rooms)
        node = Node(name, rooms, nodes, exchange, placement, journal, files, archive, asyncio.ensure_future(rooms.start()))
        self.alive.append(node)

    async def node_step(self, node: Node, word: str) -> None:
        """Between two steps of a node: it takes time, somebody else writes, or the node is killed."""
        self.steps[word] += 1
        if node not in self.alive:
            await asyncio.Event().wait()
        if not self.calm:
            if self.random.random() < 0.01:
                self.kill(node)
                await asyncio.Event().wait()
            if self.random.random() < 0.05:
                self.write_outside()
        await self.delay()
        if node not in self.alive:
            await asyncio.Event().wait()
        # The storage knows the fencing number: what was begun under another one, is not written any more.
        fence = next((place.fence for place in self.places.owners.values() if place.node == node.name), 0)
        if word == "written":
            node.fence = fence
        if word == "checked" and (not fence or fence != node.fence):
            raise Fenced("It lives elsewhere.")

    def kill(self, node: Node) -> None:
        """The process is gone, at once; the others learn of it by their wires, and from the placement after a while."""
        self.alive.remove(node)
        self.crashes += 1
        self.counts["killed"] += 1
        self._silence(node)
        loop = asyncio.get_running_loop()
        loop.call_later(self.random.random() * 3, self.places.dead, node.name)
        loop.call_later(self.random.random() * 5, self.start)

    def _silence(self, node: Node) -> None:
        self.network.vanish(node.name)
        node.journal.die()
        node.files.disk = Disk()
        node.files.places = MemoryFiles().places
        node.archive._disk = ArchiveDisk()
        for client in self.clients:
            if client.link is not None and client.link.connection is not None and client.link.connection.rooms is node.rooms:
                client.link.connection = None
                client.link.cut()
        if node.rooms._beat is not None:
            node.rooms._beat.cancel()
        for entry in node.rooms._open.values():
            entry.host.closed = True
        for task in (node.starting, *in_order(node.rooms._tasks), *in_order(node.exchange._tasks)):
            task.cancel()
        if node.stopping is not None:
            node.stopping.cancel()
        for relay in node.nodes._relays.values():
            relay._pulse.stop()
        for guests in node.nodes._guests:
            guests._pulse.stop()

    def crash(self) -> None:
        if self.alive:
            self.kill(self.random.choice(self.alive))

    async def restart(self) -> None:
        """A node is stopped as it should be, and another one comes; it may be killed meanwhile."""
        if not self.alive:
            return
        node = self.random.choice(self.alive)
        node.stopping = asyncio.ensure_future(node.rooms.stop())
        await asyncio.wait([node.stopping], timeout=30.0)
        if node not in self.alive:
            return
        self.counts["stopped"] += 1
        await node.nodes.close()
        self.alive.remove(node)
        self._silence(node)
        self.places.dead(node.name)
        self.start()

    def mishap(self) -> None:
        """A wire is cut, or a document is taken away from its node."""
        rng = self.random
        if rng.random() < 0.5 and self.network.ends:
            self.counts["cut"] += 1
            rng.choice(sorted(self.network.ends, key=lambda end: end.owner)).cut()
        elif self.places.owners:
            self.counts["taken"] += 1
            self.places.take_away(rng.choice(sorted(self.places.owners)))

    def notice(self) -> None:
        for node in self.alive:
            for host in node.rooms.hosts:
                node.rooms.noticed(host.id)

    def write_late(self) -> None:
        """One room at most is open, on whatever node."""
        open_ones = [node for node in self.alive if node.rooms.hosts]
        if len(open_ones) == 1:
            kept, self.alive = self.alive, open_ones
            try:
                super().write_late()
            finally:
                self.alive = kept

    async def live(self, seconds: float) -> None:
        async def mishaps() -> None:
            while True:
                await asyncio.sleep(self.random.random() * 8)
                self.mishap()

        trouble = asyncio.ensure_future(mishaps())
        try:
            await super().live(seconds)
        finally:
            trouble.cancel()

    async def settle(self) -> None:
        await super().settle()
        self.counts["relayed"] = sum(node.nodes.relayed for node in self.alive)

    def check(self) -> None:
        super().check()
        open_ones = [host for node in self.alive for host in node.rooms.hosts]
        assert len(open_ones) == 1, "the document lives on more than one node"

    async def check_authors(self) -> None:
        owner = [node for node in self.alive if node.rooms.hosts]
        kept, self.alive = self.alive, owner
        await super().check_authors()
        self.alive = kept
