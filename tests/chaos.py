"""Three servers on one root, one Redis and one PostgreSQL, real ones, and whoever writes through them: clients, a script and a program beside them.

What each was told is kept: which words have to be in the document at the end, and which may be.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
from lines import Line
from serving import Served, free_port, until

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Mapping

    from interop.conftest import Peers
    from interop.peer import Peer
    from postgres import Postgres
    from redis_server import RedisServer

NAMES: Final = ("one.md", "notes/two.md", "notes/three.md")
NODES: Final = ("north", "east", "west")
FAMILIES: Final = ("hocuspocus-4", "y-websocket-3")
SETTINGS: Final = {"COLLAB_HEARTBEAT": "3s", "COLLAB_SAVE_DELAY": "0.3", "COLLAB_SAVE_AT_MOST": "1", "COLLAB_ROOM_IDLE": "1"}
SECONDS: Final = 90.0
"""How long it may take until everybody's words are acknowledged again; heartbeats, clients' pauses and a busy machine."""
LOOK: Final = 0.05
"""Seconds between looks at other processes, which have no event to wait for."""


async def come_true(condition: Callable[[], object], saying: Callable[[], object]) -> None:
    """As `until`, for as long as things take here."""
    await until(condition, within=SECONDS, saying=saying)


class Named(Served):
    """A server with a log of its own."""

    @property
    def log(self) -> Path:
        return self.state.with_name(f"{self.environment['COLLAB_NODE']}.log")

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-20_000:] if self.log.exists() else ""


@dataclass(slots=True)
class Node:
    """A server, its lines to Redis and to PostgreSQL, and the one on which the other nodes reach it."""

    name: str
    served: Named
    redis: Line
    postgres: Line
    wire: Line


@dataclass(slots=True)
class Client:
    """A client at a node; its words begin with its number."""

    peer: Peer
    node: Node
    number: int
    stored: int = 0
    """How many of its words it was told of when somebody last asked."""


@dataclass
class Chaos:
    """The servers, who writes, and what has to come of it. Everything that is chosen is chosen by `chance`."""

    nodes: list[Node]
    server: RedisServer
    postgres: Postgres
    chance: random.Random
    peers: Peers
    clients: list[Client] = field(default_factory=list)
    must: dict[str, set[str]] = field(default_factory=lambda: {name: {"start"} for name in NAMES})
    """Words that somebody was told are there."""
    may: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in NAMES})
    """Words of which nobody knows whether they arrived."""
    entered: int = 0
    written_beside: int = 0
    beside: asyncio.Task[None] | None = None
    writing: bool = False

    # --- who writes

    async def enter(self, node: Node, name: str) -> None:
        """One more client of this document at this node, typing."""
        number = self.entered = self.entered + 1
        peer = await (await self.peers(FAMILIES[number % 2], node.served, name)).synced()
        self.clients.append(Client(peer, node, number))
        await peer.type(f"client{number}", pause=100, seed=self.chance.randrange(1, 2**31 - 1))

    async def leave(self, client: Client) -> None:
        """The client's process ends, with whatever it has not sent."""
        self.clients.remove(client)
        typed, stored = await client.peer.rest()
        await client.peer.end()
        self.must[client.peer.document] |= stored
        self.may[client.peer.document] |= set(typed)

    async def acknowledged(self, more: int, *, without: tuple[Node, ...] = ()) -> None:
        """Until each client, but for those at these nodes, was told of so many more words that they are stored."""
        waiting = {client.number: client for client in self.clients if client.node not in without}
        goal = {number: await self._stored(client) + more for number, client in waiting.items()}
        try:
            async with asyncio.timeout(SECONDS):
                while waiting:
                    for number, client in list(waiting.items()):
                        if await self._stored(client) >= goal[number]:
                            del waiting[number]
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            stuck = [(client.number, client.peer.client, client.peer.document, client.node.name) for client in waiting.values()]
            raise AssertionError(f"nothing is acknowledged for {SECONDS} s to {stuck}") from None

    @staticmethod
    async def _stored(client: Client) -> int:
        client.stored = (await client.peer.do("progress"))["stored"]
        return client.stored

    def go(self) -> None:
        """A script and a program write, too."""
        self.writing = True
        self.beside = asyncio.create_task(self._write_beside())

    async def still(self) -> None:
        """They do not any more, and all that they wrote is in the documents."""
        self.writing = False
        assert self.beside is not None
        await self.beside
        for client in self.clients:
            await client.peer.do("watch", on=True)
        for name in NAMES:
            await self._has(self._typist(name), self._beside(name))
        for client in self.clients:
            await client.peer.do("watch", on=False)

    async def saved(self) -> None:
        """Until what is typed now is in the files."""
        for name in NAMES:
            self.entered += 1
            word = f"line{self.entered}"
            self.must[name].add(word)
            await self._typist(name).line(word, 1.0)
            await come_true(lambda name=name, word=word: word in self._file(name).splitlines(), lambda name=name: name)  # type: ignore[misc]

    @staticmethod
    async def _has(peer: Peer, words: set[str]) -> None:
        await come_true(lambda: words <= set(peer.lines), lambda: words - set(peer.lines))

    def _typist(self, name: str) -> Peer:
        return next(client.peer for client in self.clients if client.peer.document == name)

    def _file(self, name: str) -> str:
        return self.nodes[0].served.read(name)

    def _beside(self, name: str) -> set[str]:
        return {word for word in self.must[name] if not word.startswith("client")}

    async def _write_beside(self) -> None:
        """A script and a program, which write into documents in turn."""
        async with httpx.AsyncClient(timeout=20, verify=False) as ask:
            while self.writing:
                number = self.written_beside = self.written_beside + 1
                name = self.chance.choice(NAMES)
                match self.chance.randrange(3):
                    case 0:
                        await self._put(ask, name, f"script{number}")
                    case 1:
                        self._replace(name, f"editor{number}")
                    case _:
                        self._append(name, f"program{number}")
                await asyncio.sleep(0.2)  # programs do not write all the time

    async def _put(self, ask: httpx.AsyncClient, name: str, word: str) -> None:
        """Read at one node, written at another one."""
        read, write = self.chance.sample(self.nodes, 2)
        headers = {"Authorization": f"Bearer {read.served.token('Script')}"}
        path = f"/api/documents/{name.replace('/', '%2F')}/content"
        place = self.chance.random()
        with contextlib.suppress(httpx.TransportError):
            found = await ask.get(read.served.url + path, headers=headers)
            if found.status_code != 200:
                return
            self.may[name].add(word)
            body = _with(found.text, word, place)
            put = await ask.put(write.served.url + path, headers={**headers, "If-Match": found.headers["etag"]}, content=body)
            if put.status_code == 200:
                self.must[name].add(word)
            elif put.status_code < 500:
                # What was given was not in the log yet when its node lost the document.
                assert put.status_code == 412, put.text
                self.may[name].discard(word)

    def _replace(self, name: str, word: str) -> None:
        """As an editor saves: another file in the place of the one that it had read."""
        path = self.nodes[0].served.root / name
        new = self.nodes[0].served.root.parent / "editor's"
        new.write_text(_with(path.read_bytes().decode(), word, self.chance.random()), encoding="utf-8", newline="")
        new.replace(path)
        self.must[name].add(word)

    def _append(self, name: str, word: str) -> None:
        with (self.nodes[0].served.root / name).open("ab") as file:
            file.write(f"{word}\n".encode())
        self.must[name].add(word)

    # --- what goes wrong

    def choose(self) -> Node:
        return self.chance.choice(self.nodes)

    async def a_node_is_killed_and_others_go_on(self) -> None:
        node = self.choose()
        await asyncio.to_thread(node.served.kill)
        await self.acknowledged(5, without=(node,))
        await asyncio.to_thread(node.served.start)

    async def a_node_is_killed_and_starts_at_once(self) -> None:
        node = self.choose()
        await asyncio.to_thread(node.served.kill)
        await asyncio.to_thread(node.served.start)

    async def two_nodes_are_killed(self) -> None:
        first, second = self.chance.sample(self.nodes, 2)
        await asyncio.gather(*(asyncio.to_thread(node.served.kill) for node in (first, second)))
        await self.acknowledged(5, without=(first, second))
        await asyncio.gather(*(asyncio.to_thread(node.served.start) for node in (first, second)))

    async def a_node_is_restarted(self) -> None:
        await asyncio.to_thread(self.choose().served.restart)

    async def a_node_is_paused_until_others_have_its_documents(self) -> None:
        node = self.choose()
        os.kill(node.served.pid, signal.SIGSTOP)
        try:
            await self._unheard(node)
            await self.acknowledged(5, without=(node,))
        finally:
            os.kill(node.served.pid, signal.SIGCONT)

    async def a_node_does_not_reach_redis(self) -> None:
        node = self.choose()
        node.redis.refusing = True
        node.redis.cut()
        await self._unheard(node)
        await self._ready(node, 503)
        node.redis.refusing = False
        await self._ready(node, 200)

    async def nobody_reaches_redis(self) -> None:
        for node in self.nodes:
            node.redis.refusing = True
            node.redis.cut()
        for node in self.nodes:
            await self._ready(node, 503)
        for node in self.nodes:
            node.redis.refusing = False

    async def connections_to_redis_break(self) -> None:
        for node in self.nodes:
            node.redis.cut_after = self.chance.randrange(2000)
        await come_true(lambda: all(self._hears_less(node.redis) for node in self.nodes), lambda: "Redis is not asked")

    @staticmethod
    def _hears_less(line: Line) -> bool:
        """Whether it broke. A node on which no document lives asks for so little that it would not break for minutes."""
        if line.cut_after is not None:
            line.cut_after = max(0, line.cut_after - 10)
        return line.cut_after is None

    async def redis_is_killed(self) -> None:
        await asyncio.to_thread(self.server.kill)
        if self.chance.random() < 0.5:
            await self._ready(self.choose(), 503)
        await asyncio.to_thread(self.server.start)

    async def redis_and_a_node_are_killed(self) -> None:
        node = self.choose()
        await asyncio.gather(asyncio.to_thread(self.server.kill), asyncio.to_thread(node.served.kill))
        await asyncio.to_thread(self.server.start)
        await asyncio.to_thread(node.served.start)

    async def redis_forgets_everything(self) -> None:
        # What nobody holds would be gone: who had it is alive and heard of. And what a program had read before can't be made anew:
        # what it wrote then would be kept beside the file.
        await self.still()
        await self.acknowledged(2)
        await asyncio.to_thread(self.server.cli, "FLUSHALL")
        await self.acknowledged(2)
        await self.saved()
        self.go()

    async def redis_is_silent(self) -> None:
        self.server.pause()
        try:
            await self._ready(self.choose(), 503)
        finally:
            self.server.resume()

    async def postgresql_is_silent(self) -> None:
        self.postgres.pause()
        try:
            await self.acknowledged(5)
        finally:
            self.postgres.resume()

    async def wires_are_cut(self) -> None:
        for node in self.nodes:
            await come_true(lambda: any(node.wire.busy for node in self.nodes), lambda: "no node speaks to another one")
            node.wire.cut()
            await self.acknowledged(1)

    async def wires_break_in_the_middle_of_what_is_said(self) -> None:
        busy = [node for node in self.nodes if node.wire.busy]
        for node in busy:
            node.wire.cut_after = self.chance.randrange(2000)
        await self.acknowledged(5)
        for node in busy:
            node.wire.cut_after = None

    async def a_node_is_reached_by_no_other(self) -> None:
        node = self.choose()
        node.wire.refusing = True
        node.wire.cut()
        at_home = [client for client in self.clients if client.node is node]
        await self.acknowledged(1, without=tuple(other for other in self.nodes if other is not node or not at_home))
        node.wire.refusing = False

    async def a_wire_is_silent(self) -> None:
        await come_true(lambda: any(node.wire.busy for node in self.nodes), lambda: "no node speaks to another one")
        node = self.chance.choice([node for node in self.nodes if node.wire.busy])
        node.wire.silence()
        await come_true(lambda: not node.wire.held, lambda: f"{node.name} goes on with a wire on which nothing comes")
        node.wire.speak()

    async def postgresql_restarts(self) -> None:
        await asyncio.to_thread(self.postgres.stop)
        await self.acknowledged(3)
        await asyncio.to_thread(self.postgres.start)

    async def a_node_does_not_reach_postgresql(self) -> None:
        node = self.choose()
        node.postgres.refusing = True
        node.postgres.cut()
        await self.acknowledged(5)
        node.postgres.refusing = False

    async def a_client_ends(self) -> None:
        client = self.chance.choice(self.clients)
        await self.leave(client)
        await self.enter(self.choose(), client.peer.document)

    async def _unheard(self, node: Node) -> None:
        """Until Redis says that this node is gone."""
        await come_true(lambda: self.server.cli("EXISTS", f"collab:node:{node.name}") == "0", lambda: node.name)

    @staticmethod
    async def _ready(node: Node, status: int) -> None:
        async with httpx.AsyncClient(timeout=20, verify=False) as ask, asyncio.timeout(SECONDS):
            told = 0
            while told != status:
                await asyncio.sleep(LOOK)
                told = (await ask.get(f"{node.served.url}/readyz")).status_code

    # --- what has to come of it

    async def come_to_rest(self) -> None:
        """Nobody writes any more; until all that was written is everywhere, once."""
        await self.still()
        for client in self.clients:
            typed, stored = await client.peer.rest()
            assert stored <= set(typed)
            self.must[client.peer.document] |= set(typed)
        for name in NAMES:
            await self._equal(name)

    async def _equal(self, name: str) -> None:
        peers = [client.peer for client in self.clients if client.peer.document == name]
        must, may = self.must[name], self.may[name]

        def file() -> str:
            return self._file(name)

        def whole() -> bool:
            return must <= set(file().splitlines()) and all(peer.text == file() and peer.of()["synced"] for peer in peers)

        def wrong() -> object:
            texts = {"file": file(), **{f"{peer.client} {number}": peer.text for number, peer in enumerate(peers)}}
            return name, {
                who: {
                    "lost": sorted(must - set(text.splitlines())),
                    "doubled": [word for word, times in Counter(text.splitlines()).items() if times > 1],
                    "unlike the file": text != texts["file"],
                }
                for who, text in texts.items()
            }

        await come_true(whole, wrong)
        for peer in peers:
            await peer.stored()
        words = Counter(file().splitlines())
        assert max(words.values()) == 1, wrong()
        assert set(words) <= must | may, set(words) - must - may

    def claims(self) -> dict[tuple[str, int], set[str]]:
        """For each document and fencing number, all nodes that were ever given it, by what Redis has kept of its commands."""
        given: dict[tuple[str, int], set[str]] = {}
        for path in sorted((self.server.folder / "appendonlydir").glob("*.aof")):
            for words in _commands(path.read_bytes()):
                if words[0].upper() == b"HSET" and words[1].startswith(b"collab:doc:"):
                    fields = dict(zip(words[2::2], words[3::2], strict=True))
                    if b"node" in fields:
                        document = words[1].decode().removeprefix("collab:doc:")
                        given.setdefault((document, int(fields[b"fence"])), set()).add(fields[b"node"].decode())
        return given

    def written(self) -> dict[str, int]:
        """The fencing number with which each document was saved last."""
        return {f"id:{path.name}": int(path.read_bytes()) for path in (self.nodes[0].served.state / "fences").iterdir()}


def _with(text: str, word: str, place: float) -> str:
    """A line of its own at a border of lines."""
    lines = text.splitlines(keepends=True)
    lines.insert(int(place * (len(lines) + 1)), f"{word}\n")
    return "".join(lines)


def _commands(kept: bytes) -> list[list[bytes]]:
    """Redis' protocol: arrays of strings. The last one may be torn."""
    found: list[list[bytes]] = []
    at = 0
    while (end := kept.find(b"\r\n", at)) > 0:
        words: list[bytes] = []
        count, at = int(kept[at + 1 : end]), end + 2
        for _ in range(count):
            end = kept.find(b"\r\n", at)
            if end < 0:
                return found
            length = int(kept[at + 1 : end])
            words.append(kept[end + 2 : end + 2 + length])
            at = end + 4 + length
        found.append(words)
    return found


@contextlib.asynccontextmanager
async def chaos(
    folder: Path,
    server: RedisServer,
    postgres: Postgres,
    peers: Peers,
    chance: random.Random,
    *,
    kind: type[Chaos] = Chaos,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Chaos]:
    """The servers run, two clients type into each document, and a script and a program write beside them. `settings`: of all servers."""
    # Short, for the sockets' paths.
    short = Path(tempfile.mkdtemp(prefix="collab-lines-", dir="/tmp"))
    database = postgres.new()
    nodes: list[Node] = []
    world = kind(nodes, server, postgres, chance, peers)
    try:
        for name in NODES:
            (short / name).mkdir()
            address, wire = (f"127.0.0.1:{free_port()}" for _ in range(2))
            lines = (
                Line(f"{server.folder}/socket", f"{short / name}/redis"),
                Line(f"{postgres.folder}/.s.PGSQL.5432", f"{short / name}/.s.PGSQL.5432"),
                Line(address, wire),
            )
            # Where a node listens it says in Redis; the others are told the line before it.
            lines[0].instead = address.encode(), wire.encode()
            for line in lines:
                await line.open()
            own = {
                "COLLAB_NODE": name,
                "COLLAB_NODE_ADDRESS": address,
                "COLLAB_JOURNAL": f"unix://{short / name}/redis",
                "COLLAB_ARCHIVE": database.replace(str(postgres.folder), str(short / name)),
            }
            nodes.append(Node(name, Named(folder / "root", folder / "state", {**SETTINGS, **(settings or {}), **own}), *lines))
        for name in NAMES:
            nodes[0].served.write(name, "start\n")
        for node in nodes:
            await asyncio.to_thread(node.served.start)
        await asyncio.gather(*(world.enter(nodes[(at + place) % 3], name) for at, name in enumerate(NAMES) for place in range(2)))
        world.go()
        yield world
    finally:
        if world.beside is not None:
            world.beside.cancel()
            await asyncio.gather(world.beside, return_exceptions=True)
        for node in nodes:
            if node.served.process is not None:
                await asyncio.to_thread(node.served.kill)
            for line in (node.redis, node.postgres, node.wire):
                await line.close()
        shutil.rmtree(short, ignore_errors=True)
        for node in nodes:
            print(f"--- {node.name}", node.served.told())
