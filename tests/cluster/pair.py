"""Two nodes, and guests on both, in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runtime.stage import PATH, Guest, Stage, person
from sim.network import Network
from sim.places import Places

from collab.access import Grant, Role
from collab.cluster.link import Exchange
from collab.cluster.nodes import Nodes
from collab.dialects import HOCUSPOCUS

if TYPE_CHECKING:
    from collab.cluster.passing import Passage
    from collab.dialects import Dialect
    from collab.runtime.host import Host

SECRET = bytes(range(32))


class Node(Stage):
    """One of them; journal, storage and archive are those of both."""

    nodes: Nodes
    passage: Passage

    def join(self, name: str, pair: Pair) -> None:
        self.placement = pair.places.join(name)
        self.exchange = Exchange(name, SECRET, connect=pair.network.connect(name))
        pair.network.exchanges[name] = self.exchange


class Pair:
    """`owner` has the room of PATH; guests of `relay` come to it over a wire."""

    def __init__(self) -> None:
        self.places = Places(self._at_once)
        self.network = Network(self._at_once)
        self.owner, self.relay = Node(), Node()
        self.relay.journal, self.relay.files, self.relay.archive = self.owner.journal, self.owner.files, self.owner.archive
        self.relay._clients = 200
        for name, node in (("owner", self.owner), ("relay", self.relay)):
            node.join(name, self)

    async def _at_once(self) -> None:
        await asyncio.sleep(0)

    async def start(self) -> None:
        for path in (PATH, "other.md"):
            self.owner.files.poke(path, b"one\n")
        for node in (self.owner, self.relay):
            await node.start()
            assert node.placement is not None
            node.nodes = Nodes(node.exchange, node.placement, node.rooms)

    async def stop(self) -> None:
        for node in (self.owner, self.relay):
            await node.end()
            await node.nodes.close()
        await settle()

    @property
    def host(self) -> Host:
        """The one room."""
        (host,) = self.owner.rooms.hosts
        return host

    async def guest(self, node: Node, dialect: Dialect = HOCUSPOCUS, *, role: Role = Role.EDITOR, name: str = "Ann") -> Guest:
        """Somebody at this node, in sync."""
        if dialect.addressed:
            guest = node.on(node.socket(), dialect)
            guest.sign_in(node.token(name, role))
        else:
            guest = node.on(node.socket(dialect, PATH, Grant(person(name), role), key=name), dialect)
        guest.step1()
        await settle()
        assert guest.synced, (guest.denied, guest.socket.closed)
        guest.statuses.clear()  # of its step 2
        return guest


async def settle() -> None:
    """What is on its way arrives; nothing is saved yet. In virtual time, which goes on when nobody has anything to do (see `sim.virtual`)."""
    await asyncio.sleep(0.05)
