"""A folder in memory for tests and simulations: deterministic, with outside writers, refusals, and crashes between the steps of a write."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from collab.errors import Changed, CollabError, Denied, Exists, NotFound, TooLarge
from collab.formats import media_type
from collab.ports import Content, Replaced, Stat, Written
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.names import Names, Place, Question, Sight
from collab.storage.paths import is_id, split, split_new, visible, within
from collab.storage.places import Places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from collab.ports import Claim, First, Line
    from collab.storage.bin import Note


@dataclass(slots=True, eq=False)
class Node:
    """One inode; whoever holds it may write it in place, wherever it is by now."""

    number: int
    body: bytes
    modified: float
    version: int
    writable: bool = True


@dataclass(slots=True)
class Disk:
    """What outlives a crash. Paths are bytes; `asides` are the displaced bodies of each document, by number."""

    nodes: dict[bytes, Node] = field(default_factory=dict)
    folders: dict[bytes, int] = field(default_factory=lambda: {b"": 0})
    """By path, with a number for each."""
    asides: dict[str, dict[int, Node]] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    """What the bin knows, by key; the things themselves are under hidden paths."""
    counter: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    made: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, path: bytes) -> None:
        """A folder, unless there is one."""
        if path not in self.folders:
            self.folders[path] = next(self.made)


class MemoryDisplaced:
    """See `collab.ports.Displaced`."""

    def __init__(self, files: MemoryFiles, document: str, number: int, node: Node) -> None:
        self._files = files
        self._key = (document, number)
        self._node = node
        self.body: bytes = node.body

    async def reread(self) -> bytes | None:
        """Other bytes than before, or None."""
        if self._node.body == self.body:
            return None
        self.body = self._node.body
        return self.body

    async def discard(self) -> None:
        """Remove them."""
        self._files.drop(*self._key)

    def leave(self) -> None:
        """They are a leftover."""
        self._files.leave(*self._key)


class MemoryReader:
    """See `collab.ports.Reader`."""

    def __init__(self, stat: Stat, node: Node) -> None:
        self.stat = stat
        self._node = node
        self._body, self._version = node.body, node.version

    async def read(self, start: int, size: int) -> bytes:
        """So many bytes from an offset."""
        if self._node.version != self._version:
            raise Changed(f"the file was changed while it was read: {self.stat.path}")
        return self._body[start : start + size]

    async def give(self, line: Line, start: int, size: int) -> int:
        """Send so many bytes from an offset."""
        return line.send(await self.read(start, size))

    def close(self) -> None:
        """Nothing to do."""


class MemoryFormer:
    """See `collab.ports.Former`."""

    def __init__(self, files: MemoryFiles, document: str, number: int, node: Node) -> None:
        self._files = files
        self._key = (document, number)
        self._node = node
        self._version = node.version

    async def end(self) -> bool:
        """Drop it, unless somebody has written into it."""
        stays = self._node.version != self._version
        (self._files.leave if stays else self._files.drop)(*self._key)
        return stays


class MemoryDraft:
    """See `collab.ports.Draft`."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files
        self._body = bytearray()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return len(self._body)

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes so far."""
        return sha256(self._body).hexdigest()

    async def add(self, piece: bytes) -> None:
        """One more piece."""
        self._body += piece

    async def replace(self, name: str, *, if_match: str, first: First | None = None) -> Replaced:
        """Take the place of the file with this etag."""
        return await self._files.commit(name, bytes(self._body), if_match, first)

    async def create(self, path: str) -> Stat:
        """Become a new file."""
        return (await self._files.write(path, bytes(self._body), if_match=None)).stat

    async def discard(self) -> None:
        """Nothing to do."""


class MemoryFiles:
    """See `collab.ports.Files`. Without `names`, ids come from a fixed seed and time is the loop's; `clock` in UTC seconds.

    `step` is awaited with a word after each step of a change (`written`, `named`, `checked`, `exchanged`, `synced`, `created`, `moved`,
    `deleted`; in the bin `noted`, `binned`, `restored`, `purged`): a simulation may `crash` there, and never return.
    """

    def __init__(
        self,
        names: Names | None = None,
        *,
        clock: Callable[[], float] | None = None,
        step: Callable[[str], Awaitable[None]] | None = None,
        recognise: Callable[[str, bytes], Awaitable[bool]] | None = None,
    ) -> None:
        self.recognise = recognise
        self.refusals: dict[str, CollabError] = {}
        """What each verb (`stat`, `read`, `write`, `list`, `move`, `delete`; `discard`, `restore`, …) raises, until it is taken out."""
        self._clock = clock or _loop_time
        self._hook = step
        self.guard: Callable[[str], None] = _allowed
        """Raises when a document may not be written just now (see `MemoryRoomLocks`)."""
        self.outside: Callable[[bytes], Claim | None] = lambda _: None
        """Who else has a file open; `MemoryClaims` knows."""
        self.disk = Disk()
        self._held: set[tuple[str, int]] = set()
        self._turn = asyncio.Lock()
        """Held by whoever changes something, from the look to the note of it."""
        self._still = asyncio.Event()
        """Nothing is on its way to another place."""
        self._still.set()
        made = names or Names(Database(None, STATE), random=Random(0), clock=self._clock, timer=_loop_time)  # noqa: S311 - no secrets
        self.places = Places(self, made)

    # The port

    async def stat(self, name: str) -> Stat:
        """What the name stands for now."""
        return self._stat(await self.place("stat", name))

    async def read(self, name: str, *, limit: int) -> Content:
        """The whole file."""
        place = await self.place("read", name)
        node = self.node(place)
        if len(node.body) > limit:
            raise TooLarge(f"{name} has {len(node.body)} bytes; at most {limit} are read")
        asides = sorted(self.disk.asides.get(place.id, {}).items())
        leftovers = (MemoryDisplaced(self, place.id, number, aside) for number, aside in asides if (place.id, number) not in self._held)
        return Content(self._stat(place), node.body, tuple(leftover for leftover in leftovers if len(leftover.body) <= limit))

    async def write(self, name: str, body: bytes, *, if_match: str | None) -> Written:
        """Replace the file, or create it."""
        if if_match is None:
            return Written(await self._create(name, body))
        async with self._turn:
            return await self._replace(name, body, if_match)

    async def reader(self, name: str) -> MemoryReader:
        """The file, open."""
        place = await self.place("read", name)
        return MemoryReader(self._stat(place), self.node(place))

    async def draft(self, name: str) -> MemoryDraft:
        """A body for a document, or for a new one."""
        try:
            place = await self.place("write", name)
            if not place.sight.folder:
                self.allow(self.node(place))
        except NotFound:
            if is_id(name):
                raise
            path = b"/".join(split_new(name))
            if path.rpartition(b"/")[0] not in self.disk.folders:
                raise
        return MemoryDraft(self)

    async def commit(self, name: str, body: bytes, if_match: str, first: First | None) -> Replaced:
        """For `MemoryDraft`."""
        async with self._turn:
            written, former = await self._exchange(name, body, if_match, first or _unasked)
        return Replaced(written, MemoryFormer(self, *former))

    async def _replace(self, name: str, body: bytes, if_match: str) -> Written:
        written, displaced = await self._exchange(name, body, if_match)
        return Written(written, MemoryDisplaced(self, *displaced))

    async def _exchange(self, name: str, body: bytes, if_match: str, first: First | None = None) -> tuple[Stat, tuple[str, int, Node]]:
        """`first`: nothing else is displaced than what was checked, and it has the last word."""
        place = await self.place("write", name)
        path = place.sight.path
        self.allow(self.node(place))
        await self.step("written")
        number = next(self.disk.counter)
        asides = self.disk.asides.setdefault(place.id, {})
        asides[number] = self._new(body)
        self._held.add((place.id, number))
        await self.step("named")
        try:
            self.check(path, if_match)
            await self.step("checked")
            self.guard(place.id)
            if first is not None:
                self.check(path, if_match)
                first(self._stat(place), self.outside(path))
            displaced = self._at(path)
        except Exception:
            self.drop(place.id, number)
            raise
        self.disk.nodes[path], asides[number] = asides[number], displaced
        written = _sight(path, self.disk.nodes[path])
        await self.step("exchanged")
        etag = sha256(body).hexdigest()
        self.places.names.settle(place.id, written, etag)
        await self.step("synced")
        return _stat(Place(place.id, written), etag), (place.id, number, displaced)

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder."""
        await self._still.wait()
        self.refuse("list")
        raw = b"/".join(split(path))
        if raw not in self.disk.folders:
            raise NotFound(f"no such folder: {path}")
        below = raw + b"/" if raw else b""
        names = (entry for entry in (*self.disk.nodes, *self.disk.folders) if entry and entry.startswith(below))
        shown = sorted(entry for entry in names if b"/" not in entry[len(below) :] and visible(entry[len(below) :]))
        found = self.places.identify([self._seen(entry) for entry in shown])
        return [self._stat(place if isinstance(place, Place) else await self._answer(place)) for place in found]

    async def move(self, name: str, path: str, *, if_match: str | None) -> Stat:
        """Rename or move to a free path."""
        to = b"/".join(split_new(path))
        async with self._turn:
            return await self._move(name, to, if_match)

    async def _move(self, name: str, to: bytes, if_match: str | None) -> Stat:
        place = await self.place("move", name)
        node = self.node(place)
        if if_match is not None:
            self.check(place.sight.path, if_match)
        if to != place.sight.path:
            self.free(to)
            del self.disk.nodes[place.sight.path]
            self.disk.nodes[to] = node
        await self.step("moved")
        etag = sha256(node.body).hexdigest()
        return _stat(self.places.names.settle(place.id, _sight(to, node), etag), etag)

    async def delete(self, name: str, *, if_match: str | None) -> None:
        """Remove the file."""
        place = await self.place("delete", name)
        self.allow(self.node(place))
        if if_match is not None:
            self.check(place.sight.path, if_match)
        del self.disk.nodes[place.sight.path]
        await self.step("deleted")
        self.places.names.bury(place.id, by_us=True)

    async def close(self) -> None:
        """Nothing to do."""

    # The world outside

    def crash(self) -> MemoryFiles:
        """The files after a crash of the process; what the dead process still does reaches an empty disk."""
        after = MemoryFiles(self.places.names, clock=self._clock, step=self._hook, recognise=self.recognise)
        after.disk, self.disk, after.guard = self.disk, Disk(), self.guard
        return after

    def peek(self, path: str) -> bytes:
        """What is in the file. KeyError when there is none."""
        return self.disk.nodes[path.encode()].body

    def paths(self) -> Sequence[str]:
        """The paths of all files."""
        return sorted(path.decode() for path in self.disk.nodes)

    def asides(self) -> int:
        """How many displaced bodies were not discarded."""
        return sum(len(asides) for asides in self.disk.asides.values())

    def open(self, path: str) -> Node:
        """The inode, as a program holds it that writes in place with `rewrite`."""
        return self.disk.nodes[path.encode()]

    def rewrite(self, node: Node, body: bytes) -> None:
        """Somebody writes in place."""
        node.body, node.version, node.modified = body, next(self.disk.counter), self._clock()

    def poke(self, path: str, body: bytes, *, writable: bool = True) -> Node:
        """Somebody puts a new file there, over one that is there; folders are made."""
        raw = path.encode()
        parent = raw.rpartition(b"/")[0]
        while parent:
            self.disk.make(parent)
            parent = parent.rpartition(b"/")[0]
        self.disk.nodes[raw] = node = self._new(body)
        node.writable = writable
        return node

    def rename(self, path: str, to: str) -> None:
        """Somebody renames a file, over one that is there, or a folder."""
        if path.encode() in self.disk.folders:
            self.carry(path.encode(), to.encode())
        else:
            self.disk.nodes[to.encode()] = self.disk.nodes.pop(path.encode())

    def remove(self, path: str) -> None:
        """Somebody deletes a file."""
        del self.disk.nodes[path.encode()]

    def clear(self, path: str) -> None:
        """Somebody deletes a folder with all in it."""
        raw = path.encode()
        self.disk.nodes = {each: node for each, node in self.disk.nodes.items() if not within(each, raw)}
        self.disk.folders = {each: number for each, number in self.disk.folders.items() if not within(each, raw)}

    # `places.Tree`

    def look(self, path: bytes) -> Sight | None:
        """The file or folder at a path."""
        return self._seen(path) if path in self.disk.nodes or path in self.disk.folders else None

    def search(self, file: str, near: bytes) -> Sight | None:
        """Where an inode is now; `near` first, for the same answer as a folder gives."""
        found = sorted(path for path in self.disk.nodes if self._seen(path).file == file and all(map(visible, path.split(b"/"))))
        parent = near.rpartition(b"/")[0]
        return self._seen(min(found, key=lambda path: path.rpartition(b"/")[0] != parent)) if found else None

    # `folder_names.Tree`

    def which(self, path: bytes) -> str | None:
        """What tells the folder at a path from every other."""
        number = self.disk.folders.get(path)
        return None if number is None else f"memory:{number}"

    def seek(self, which: str, near: bytes) -> bytes | None:
        """Where that folder is now."""
        del near
        shown = (path for path in self.disk.folders if path and all(map(visible, path.split(b"/"))))
        return next((path for path in shown if self.which(path) == which), None)

    def drop(self, document: str, number: int) -> None:
        """Remove a displaced body."""
        self.disk.asides.get(document, {}).pop(number, None)
        self._held.discard((document, number))

    def leave(self, document: str, number: int) -> None:
        """Nobody looks after a displaced body any more."""
        self._held.discard((document, number))

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else looks or writes, as in a folder on a disk: a move and the note of it are one."""
        async with self._turn:
            self._still.clear()
            try:
                yield
            finally:
                self._still.set()

    async def step(self, word: str) -> None:
        """A step of a change was made."""
        if self._hook is not None:
            await self._hook(word)

    def refuse(self, verb: str) -> None:
        """Raise what this verb is told to."""
        refusal = self.refusals.get(verb)
        if refusal is not None:
            raise type(refusal)(refusal.detail)

    def carry(self, path: bytes, to: bytes) -> None:
        """What is at a path, with all in it, is at another now."""
        folders = self.disk.folders.items()
        self.disk.folders = {to + each[len(path) :] if within(each, path) else each: number for each, number in folders}
        self.disk.nodes = {to + each[len(path) :] if within(each, path) else each: node for each, node in self.disk.nodes.items()}

    async def place(self, verb: str, name: str) -> Place:
        """The place of a name, for this verb, when nothing is on its way to another."""
        await self._still.wait()
        return await self.resolve(verb, name)

    async def resolve(self, verb: str, name: str) -> Place:
        """As `place`, for whoever is alone."""
        self.refuse(verb)
        place = self.places.resolve(name)
        if isinstance(place, Question):
            place = await self._answer(place)
            if is_id(name) and place.id != name:
                raise NotFound(f"the file was deleted: {name}")
        return place

    async def _answer(self, question: Question) -> Place:
        body = self._at(question.sight.path).body
        same = sha256(body).hexdigest() == question.etag
        if not same and self.recognise is not None:
            same = await self.recognise(question.id, body)
        return self.places.names.answer(question, same=same)

    async def _create(self, name: str, body: bytes) -> Stat:
        self.refuse("write")
        path = b"/".join(split_new(name))
        await self.step("written")
        self.free(path)
        self.disk.nodes[path] = self._new(body)
        await self.step("created")
        return self._stat(await self.place("stat", name))

    def free(self, path: bytes) -> None:
        """Whether something can be made there. Raises `NotFound`, `Exists`."""
        if path.rpartition(b"/")[0] not in self.disk.folders:
            raise NotFound(f"no such folder: {path.rpartition(b'/')[0].decode()}")
        if self.look(path) is not None:
            raise Exists(f"there is something of this name: {path.decode()}")

    def check(self, path: bytes, if_match: str) -> None:
        """`Changed` when the file is another."""
        if sha256(self._at(path).body).hexdigest() != if_match:
            raise Changed(f"the file was changed by somebody else: {path.decode()}")

    def _at(self, path: bytes) -> Node:
        node = self.disk.nodes.get(path)
        if node is None:
            raise NotFound(f"no such file: {path.decode()}")
        return node

    def node(self, place: Place) -> Node:
        """The file of a place."""
        if place.sight.folder:
            raise NotFound(f"this is a folder: {place.sight.path.decode() or 'the root'}")
        return self._at(place.sight.path)

    @staticmethod
    def allow(node: Node) -> None:
        """`Denied` when it may not be changed."""
        if not node.writable:
            raise Denied("the file is read-only")

    def _new(self, body: bytes) -> Node:
        number = next(self.disk.counter)
        return Node(number, body, self._clock(), number)

    def _seen(self, path: bytes) -> Sight:
        node = self.disk.nodes.get(path)
        return Sight(path, "", 0, 0, 0, folder=True) if node is None else _sight(path, node)

    def _stat(self, place: Place) -> Stat:
        if place.sight.folder:
            return _stat(place, "")
        etag = sha256(self._at(place.sight.path).body).hexdigest()
        self.places.names.remember([(place.id, place.sight, etag)])
        return _stat(place, etag)


def _allowed(document: str) -> None:
    del document


def _unasked(stat: Stat, outside: Claim | None) -> None:
    del stat, outside


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _sight(path: bytes, node: Node) -> Sight:
    modified = int(node.modified * 10**9)
    return Sight(path, f"memory:{node.number}", len(node.body), modified, node.version, writable=node.writable)


def _stat(place: Place, etag: str) -> Stat:
    sight = place.sight
    path = sight.path.decode()
    kind = "inode/directory" if sight.folder else media_type(path)
    return Stat(place.id, path, kind, sight.size, etag, sight.mtime_ns / 10**9, writable=sight.writable, folder=sight.folder)
