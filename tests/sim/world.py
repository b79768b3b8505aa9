"""A server that crashes, a network that cuts, doubles and reorders, writers of every kind, all from one seed."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from pycrdt import Doc, Text

from collab import protocol
from collab.access import Grant, Person, Role
from collab.archive.memory import MemoryArchive
from collab.authorship import FILE, PROGRAM, UNKNOWN
from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.dialects import HOCUSPOCUS, YWEBSOCKET, Dialect
from collab.errors import CollabError
from collab.journal.memory import MemoryJournal
from collab.runtime.connection import Caller, Connection
from collab.runtime.metrics import Metrics
from collab.runtime.rooms import Rooms, Surroundings
from collab.runtime.saver import Timing
from collab.storage.memory import MemoryFiles
from sim.virtual import at_once, in_order

if TYPE_CHECKING:
    from collab.ports import Placement

PATH = "notes.md"
START = "# Notes\r\n\r\nfirst line\r\nsecond line é😀\nthird line\r\n"
WORD = re.compile("[\u4e00-\u9fff\U00020000-\U0002a6df]")
"""Every word is one character that nobody else types, of three bytes or of four."""


class Link:
    """The server's end of a connection; what it writes reaches the client later, in order, or never."""

    def __init__(self, world: World, client: Client) -> None:
        self.limit = 0
        self.connection: Connection | None = None
        self._world = world
        self._client = client
        self._down: asyncio.Queue[bytes] = asyncio.Queue()
        self._up: asyncio.Queue[bytes] = asyncio.Queue()
        self.open = True
        self._reading = asyncio.Event()
        self._reading.set()
        self._tasks = [asyncio.ensure_future(self._carry_down()), asyncio.ensure_future(self._carry_up())]

    def write(self, data: bytes) -> None:
        if self.open:
            self._down.put_nowait(data)

    def close(self, code: int, reason: str) -> None:
        del code, reason
        asyncio.get_running_loop().call_soon(self.cut)

    def pause(self) -> None:
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    def buffered(self) -> int:
        return self._down.qsize()

    def send(self, data: bytes) -> None:
        if self.open:
            self._up.put_nowait(data)

    def cut(self) -> None:
        """Both ends lose what is on its way."""
        if not self.open:
            return
        self.open = False
        for task in self._tasks:
            task.cancel()
        if self.connection is not None:
            self.connection.lost(1006)
        self._client.lost(self)

    async def _carry_down(self) -> None:
        while True:
            joined = await self._down.get()
            await self._world.delay()
            reader = Reader(joined)
            while not reader.done and self.open:
                self._client.receive(self, reader.var_bytes())

    async def _carry_up(self) -> None:
        while True:
            data = await self._up.get()
            await self._world.delay()
            await self._reading.wait()
            if self.connection is not None and self.open:
                try:
                    self.connection.receive(data)
                except CollabError as error:
                    self._world.refused.append(f"{self._client.name}: {error.reason}: {error.detail}")
                    self.cut()


class Client:
    """A peer with a document of its own. A word that it was told is stored must never be lost."""

    keeps: ClassVar[bool] = False
    """Whether what is deleted is kept, as pages of ours do with the sources of cells."""

    def __init__(self, world: World, name: str, dialect: Dialect) -> None:
        self.world = world
        self.name = name
        self.dialect = dialect
        self.doc: Doc[Text] = Doc(client_id=world.random.randrange(1, 2**32), skip_gc=self.keeps)
        self.text = self.doc.get("content", type=Text)
        self.link: Link | None = None
        self.synced = False
        self.unsynced = 0
        self.typed: list[str] = []
        self.acknowledged: set[str] = set()
        self.erased: set[str] = set()
        self._address = protocol.address(world.path) if dialect.addressed else b""
        self._token = f"{name}"
        self._pending: dict[bytes, list[str]] = {}
        self._late: list[bytes] = []
        """Updates that the next ones overtake."""

    def connect(self) -> None:
        rooms = self.world.rooms
        if self.link is not None or rooms is None:
            return
        self.link = link = Link(self.world, self)
        self.synced = False
        self._pending.clear()
        self._late = []
        grant = Grant(Person(self.name, self.name), Role.EDITOR)
        caller = Caller("here", grant=None if self.dialect.addressed else grant)
        link.connection = Connection(rooms, link, self.dialect, caller, self.world.path)
        if self.dialect.addressed:
            link.send(self._address + b"\x02\x00" + var_string(self._token))
        self.unsynced = 1
        link.send(self._address + protocol.step1(self.doc.get_state()))
        state = f'{{"user":{{"name":"{self.name}"}}}}'
        entry = var_uint(1) + var_uint(self.doc.client_id) + var_uint(1) + var_string(state)
        link.send(self._address + protocol.awareness(entry))

    def lost(self, link: Link) -> None:
        if self.link is link:
            self.link = None
            self.synced = False

    def receive(self, link: Link, data: bytes) -> None:
        if link is not self.link:
            return
        assert data.startswith(self._address), data
        reader = Reader(data, len(self._address))
        kind = reader.var_uint()
        if kind == 0:
            self._sync(link, reader)
        elif kind == 8:
            assert reader.var_uint() == 1, "an honest edit was refused"
            self._status()
        elif kind == 2 and reader.var_uint() != 2:
            self.world.refused.append(f"{self.name}: {reader.var_string()}")

    def _sync(self, link: Link, reader: Reader) -> None:
        step, payload = reader.var_uint(), reader.var_bytes()
        if step == 0:
            link.send(self._address + protocol.step2(self.doc.get_update(payload)))
            return
        self.doc.apply_update(payload)
        if step == 1:
            self.synced = True
        self.acknowledged.update(self._pending.pop(payload, ()))

    def _status(self) -> None:
        self.unsynced -= self.unsynced > 0
        if self.unsynced == 0:
            self.acknowledged.update(self.typed)

    def type(self) -> None:
        """Insert a word of one's own at a random place, or take one out."""
        self._type_into(self.text)

    def _type_into(self, shared: Text) -> None:
        made: list[bytes] = []
        # Not for longer: what pycrdt holds, and the document with it, no garbage collector would find.
        subscription = self.doc.observe(lambda event: made.append(event.update))
        word = self._edit(shared)
        self.doc.unobserve(subscription)
        self._deliver(made, word)

    def _edit(self, shared: Text) -> str:
        rng = self.world.random
        text = str(shared)
        mine = [word for word in self.typed if word in text]
        if mine and rng.random() < 0.15:
            word = rng.choice(mine)
            start = len(text[: text.index(word)].encode())
            self.erased.add(word)
            del shared[start : start + len(word.encode())]
        else:
            word = self.world.word()
            self.typed.append(word)
            spot = self._spot(text)
            shared.insert(len(text[:spot].encode()), word)
        return word

    def _spot(self, text: str) -> int:
        return self.world.random.randrange(len(text) + 1)

    def sees(self) -> str:
        """What is compared with what others see."""
        return str(self.text)

    def _deliver(self, made: list[bytes], word: str) -> None:
        if self.link is None:
            return
        rng = self.world.random
        sent = made * 2 if rng.random() < 0.1 else made
        # Providers count each update that they send.
        self.unsynced += len(sent)
        for update in sent:
            self._pending[update] = [word]
        if rng.random() < 0.1 and not self._late:
            self._late = sent
            return
        self._send([*sent, *self._late])

    def flush(self) -> None:
        """What was held back goes after all."""
        self._send(self._late)

    def _send(self, updates: list[bytes]) -> None:
        self._late = []
        for update in updates:
            if self.link is not None:
                self.link.send(self._address + protocol.update(update))


@dataclass(eq=False)
class World:
    """Everything of one schedule."""

    path: ClassVar[str] = PATH
    start_body: ClassVar[bytes] = START.encode()
    seed: int
    random: random.Random = field(init=False)
    journal: MemoryJournal = field(init=False)
    files: MemoryFiles = field(init=False)
    archive: MemoryArchive = field(init=False)
    rooms: Rooms | None = None
    clients: list[Client] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    readings: list[tuple[float, bytes]] = field(default_factory=list)
    """What programs have read, and when."""
    late: int = 0
    """Bodies of programs that had read before our last save, or may have."""
    metrics: list[Metrics] = field(default_factory=list)
    """One for each life of the server."""
    crashes: int = 0
    calm: bool = False
    steps: Counter[str] = field(default_factory=Counter)
    _words: int = 0
    _stopping: asyncio.Future[None] | None = None
    _wall: float = 1_700_000_000.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.journal = MemoryJournal(self.step)
        self.files = MemoryFiles(step=self.step)
        self.archive = MemoryArchive(self.step)

    async def delay(self) -> None:
        """The network, or a disk."""
        await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.01, 0.1, self.random.random()]))

    async def step(self, word: str) -> None:
        """Between two steps of journal or storage: it takes time, others write the file, or the power goes."""
        self.steps[word] += 1
        if not self.calm:
            if self.random.random() < 0.02:
                self.crash()
                await asyncio.Event().wait()
            if self.random.random() < 0.05:
                self.write_outside()
        await self.delay()

    def start(self) -> None:
        self.rooms = Rooms(self.around(self.files, self.journal, self.archive))
        self._starting = asyncio.ensure_future(self.rooms.start())

    def around(
        self, files: MemoryFiles, journal: MemoryJournal, archive: MemoryArchive, placement: Placement | None = None
    ) -> Surroundings:
        """What the rooms of a server have around them."""
        self.metrics.append(Metrics())
        return Surroundings(
            files=files,
            journal=journal,
            bases=archive.bases,
            versions=archive.versions,
            authors=archive.authors,
            metrics=self.metrics[-1],
            authorise=lambda token: Grant(Person(token, token), Role.EDITOR),
            frame=var_bytes,
            thread=at_once,
            aside=at_once,
            clock=asyncio.get_running_loop().time,
            now=self.wall,
            random=self.random.randbytes,
            audit=lambda *_: None,
            timing=Timing(debounce=2.0, latest=10.0, retry=0.5),
            idle=5.0,
            placement=placement,
        )

    def word(self) -> str:
        """A character that was not used yet."""
        self._words += 1
        return chr((0x4E00 if self._words % 2 else 0x20000) + self._words)

    def wall(self) -> float:
        """The wall clock jumps by a day now and then."""
        self._wall += self.random.choice([0.0, 1.0, 1.0, 86_400.0, -86_400.0])
        return self._wall

    def crash(self) -> None:
        """The power goes: what was not durable is forgotten, nothing of the old process ever acts again."""
        rooms, self.rooms = self.rooms, None
        if rooms is None:
            return
        self.crashes += 1
        dead = self.journal
        self.journal = dead.crash()
        dead.append = lambda *_: asyncio.get_running_loop().create_future()  # type: ignore[method-assign]
        self.files = self.files.crash()
        self.archive = self.archive.crash()
        for client in self.clients:
            if client.link is not None:
                client.link.connection = None
                client.link.cut()
        if rooms._beat is not None:
            rooms._beat.cancel()
        if self._stopping is not None:
            self._stopping.cancel()
        for entry in rooms._open.values():
            entry.host.closed = True
        for task in in_order(rooms._tasks):
            task.cancel()
        asyncio.get_running_loop().call_later(self.random.random(), self.start)

    async def restart(self) -> None:
        """The server is stopped as it should be, and started again; the power may go meanwhile."""
        rooms = self.rooms
        if rooms is not None:
            self._stopping = asyncio.ensure_future(rooms.stop())
            await asyncio.wait([self._stopping], timeout=30.0)
            if self.rooms is rooms:
                for client in self.clients:
                    if client.link is not None:
                        client.link.cut()
                self.start()

    def write_outside(self) -> None:
        """A program reads the file and replaces it."""
        self.files.poke(self.path, self._rewritten(self.files.peek(self.path)))
        if self.random.random() < 0.5:
            self.notice()

    def _rewritten(self, body: bytes) -> bytes:
        """A word more, at the beginning of a line."""
        lines = body.decode().split("\n")
        word = self.word()
        spot = self.random.randrange(len(lines))
        lines[spot] = word + lines[spot]
        self.outside.append(word)
        return "\n".join(lines).encode()

    def notice(self) -> None:
        """The watch tells that the file changed; or it tells so for nothing."""
        if self.rooms is not None:
            for host in self.rooms.hosts:
                self.rooms.noticed(host.id)

    def read_outside(self) -> None:
        """A program reads the file, and will come back with a change of that."""
        if self.path in self.files.paths():
            self.readings.append((asyncio.get_running_loop().time(), self.files.peek(self.path)))

    def write_late(self) -> None:
        """A program writes what it made of what it had read up to five seconds before. Nobody can help programs that overwrite each other
        before we have looked: then what one of them has read was never seen here.
        """
        now = asyncio.get_running_loop().time()
        (host,) = self.rooms.hosts if self.rooms is not None and self.rooms.hosts else [None]
        if host is None or self.path not in self.files.paths() or sha256(self.files.peek(self.path)).hexdigest() != host.ledger.base.hash:
            return
        seen = {kept.hash for kept in host.ledger.past}
        fresh = [body for at, body in self.readings if now - at < 5 and sha256(body).hexdigest() in seen]
        if not fresh:
            return
        self.late += 1
        self.files.poke(self.path, self._rewritten(self.random.choice(fresh)))
        self.notice()

    async def live(self, seconds: float) -> None:
        """Everybody works; connections are cut, the server crashes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        rng = self.random
        while loop.time() < end:
            await asyncio.sleep(rng.random() * 0.3)
            client = rng.choice(self.clients)
            match rng.choices(["type", "connect", "cut", "crash", "outside", "restart", "read", "late"], [60, 15, 4, 1, 2, 1, 3, 2])[0]:
                case "type" if client.synced or client.typed:
                    client.type()
                case "connect":
                    client.connect()
                case "cut" if client.link is not None:
                    client.link.cut()
                case "crash":
                    self.crash()
                case "outside":
                    self.write_outside()
                case "restart":
                    await self.restart()
                case "read":
                    self.read_outside()
                case "late":
                    self.write_late()

    async def settle(self) -> None:
        """No more accidents: everybody comes back, and what is dirty is saved."""
        self.calm = True
        for _ in range(40):
            await asyncio.sleep(1.0)
            for client in self.clients:
                client.connect()
                client.flush()
        # Somebody types once more: files are looked at when they are saved.
        self.clients[0].type()
        self.clients[0].flush()
        await asyncio.sleep(60.0)

    def check_file(self, text: str) -> None:
        """The file is what everybody sees, in its own form; nothing of the start is gone, torn or doubled."""
        file = self.files.peek(self.path).decode()
        assert file.replace("\r\n", "\n") == text, f"the file differs: {file!r} is not {text!r}"
        assert WORD.sub("", file) == START, f"line ends changed, or the start is gone, torn or doubled: {file!r}"

    def check(self) -> None:
        """Replicas equal, file equal, nothing acknowledged lost, nothing doubled."""
        assert self.rooms is not None
        texts = {client.name: client.sees() for client in self.clients}
        first = next(iter(texts.values()))
        assert all(text == first for text in texts.values()), f"replicas differ: {texts}, refused {self.refused}"
        self.check_file(first)
        counts = Counter(WORD.findall(first))
        doubled = [word for word, count in counts.items() if count > 1]
        assert not doubled, f"doubled: {doubled}"
        for client in self.clients:
            lost = [word for word in client.acknowledged - client.erased if word not in counts]
            assert not lost, f"{client.name} lost {lost}"
            lost = [word for word in client.typed if word not in counts and word not in client.erased]
            assert not lost, f"{client.name} came back and lost {lost}"
        missing = [word for word in self.outside if word not in counts]
        assert not missing, f"outside words are lost: {missing}"
        assert not [name for name in self.files.paths() if "(" in name], self.files.paths()
        assert not self.refused, self.refused
        # The archive may take longer than anybody waits: it is told later.
        faults = [part for metrics in self.metrics for part in metrics.failures if part not in {"save", "archive"}]
        assert not faults, faults

    async def check_authors(self) -> None:
        """Each character is somebody's, outside words are programs', and what is kept is whole: AUTHORS-1, AUTHORS-3."""
        assert self.rooms is not None
        picture = await self.rooms.authors((await self.files.stat(PATH)).id)
        text = str(self.clients[0].text)
        counts = {share.author: share.characters for share in picture.shares}
        assert sum(counts.values()) == picture.length == len(text), counts
        assert not counts.get(UNKNOWN), counts
        for run in picture.runs:
            words = set(WORD.findall(text[run.start : run.stop]))
            whole = [word for word in words.intersection(self.outside) if run.author not in {PROGRAM, FILE}]
            assert not whole, f"{whole} are said to be of {run.author}"


class Refusals(list[str]):
    """What clients are refused; whose document is gone hangs up and comes back."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def append(self, line: str) -> None:
        name, _, reason = line.partition(": ")
        if not reason.startswith("not-found"):
            super().append(line)
        for client in self._world.clients:
            if client.name == name and client.link is not None:
                asyncio.get_running_loop().call_soon(client.link.cut)


async def schedule(seed: int, seconds: float = 40.0, kind: type[World] = World, peer: type[Client] = Client) -> World:
    """One schedule from its seed."""
    world = kind(seed)
    world.files.poke(world.path, world.start_body)
    dialects = [HOCUSPOCUS, YWEBSOCKET]
    world.clients = [peer(world, f"peer{number}", dialects[number % 2]) for number in range(world.random.randint(2, 5))]
    world.start()
    await world.live(seconds)
    await world.settle()
    world.check()
    await world.check_authors()
    return world
