"""A folder in memory for tests and simulations: deterministic, with outside writers, refusals, and crashes between the steps of a write."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from collab.errors import Changed, CollabError, Denied, Exists, NotFound, TooLarge
from collab.formats import media_type
from collab.ports import Content, Stat, Written
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.names import Names, Place, Question, Sight
from collab.storage.paths import is_id, split, split_new, visible
from collab.storage.places import Places

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


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
    folders: set[bytes] = field(default_factory=lambda: {b""})
    asides: dict[str, dict[int, Node]] = field(default_factory=dict)
    counter: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


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


class MemoryFiles:
    """See `collab.ports.Files`. Without `names`, ids come from a fixed seed and time is the loop's; `clock` in UTC seconds.

    `step` is awaited with a word after each step of a change (`written`, `named`, `checked`, `exchanged`, `synced`, `created`, `moved`,
    `deleted`): a simulation may `crash` there, and never return.
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
        """What each verb (`stat`, `read`, `write`, `list`, `move`, `delete`) raises, until it is taken out."""
        self._clock = clock or _loop_time
        self._hook = step
        self._disk = Disk()
        self._held: set[tuple[str, int]] = set()
        made = names or Names(Database(None, STATE), random=Random(0), clock=self._clock, timer=_loop_time)  # noqa: S311 - no secrets
        self._places = Places(self, made)

    # The port

    async def stat(self, name: str) -> Stat:
        """What the name stands for now."""
        return self._stat(await self._place("stat", name))

    async def read(self, name: str, *, limit: int) -> Content:
        """The whole file."""
        place = await self._place("read", name)
        node = self._node(place)
        if len(node.body) > limit:
            raise TooLarge(f"{name} has {len(node.body)} bytes; at most {limit} are read")
        asides = sorted(self._disk.asides.get(place.id, {}).items())
        leftovers = (MemoryDisplaced(self, place.id, number, aside) for number, aside in asides if (place.id, number) not in self._held)
        return Content(self._stat(place), node.body, tuple(leftover for leftover in leftovers if len(leftover.body) <= limit))

    async def write(self, name: str, body: bytes, *, if_match: str | None) -> Written:
        """Replace the file, or create it."""
        if if_match is None:
            return Written(await self._create(name, body))
        place = await self._place("write", name)
        path = place.sight.path
        self._allow(self._node(place))
        await self._step("written")
        number = next(self._disk.counter)
        asides = self._disk.asides.setdefault(place.id, {})
        asides[number] = self._new(body)
        self._held.add((place.id, number))
        await self._step("named")
        try:
            self._check(path, if_match)
            await self._step("checked")
            displaced = self._at(path)
        except CollabError:
            self.drop(place.id, number)
            raise
        self._disk.nodes[path], asides[number] = asides[number], displaced
        written = _sight(path, self._disk.nodes[path])
        await self._step("exchanged")
        etag = sha256(body).hexdigest()
        self._places.names.settle(place.id, written, etag)
        await self._step("synced")
        return Written(_stat(Place(place.id, written), etag), MemoryDisplaced(self, place.id, number, displaced))

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder."""
        self._refuse("list")
        raw = b"/".join(split(path))
        if raw not in self._disk.folders:
            raise NotFound(f"no such folder: {path}")
        below = raw + b"/" if raw else b""
        names = (entry for entry in (*self._disk.nodes, *self._disk.folders) if entry and entry.startswith(below))
        shown = sorted(entry for entry in names if b"/" not in entry[len(below) :] and visible(entry[len(below) :]))
        found = self._places.identify([self._seen(entry) for entry in shown])
        return [self._stat(place if isinstance(place, Place) else await self._answer(place)) for place in found]

    async def move(self, name: str, path: str, *, if_match: str | None) -> Stat:
        """Rename or move to a free path."""
        to = b"/".join(split_new(path))
        place = await self._place("move", name)
        node = self._node(place)
        if if_match is not None:
            self._check(place.sight.path, if_match)
        if to != place.sight.path:
            self._free(to)
            del self._disk.nodes[place.sight.path]
            self._disk.nodes[to] = node
        await self._step("moved")
        etag = sha256(node.body).hexdigest()
        return _stat(self._places.names.settle(place.id, _sight(to, node), etag), etag)

    async def delete(self, name: str, *, if_match: str | None) -> None:
        """Remove the file."""
        place = await self._place("delete", name)
        self._allow(self._node(place))
        if if_match is not None:
            self._check(place.sight.path, if_match)
        del self._disk.nodes[place.sight.path]
        await self._step("deleted")
        self._places.names.bury(place.id, by_us=True)

    async def close(self) -> None:
        """Nothing to do."""

    # The world outside

    def crash(self) -> MemoryFiles:
        """The files after a crash of the process; what the dead process still does reaches an empty disk."""
        after = MemoryFiles(self._places.names, clock=self._clock, step=self._hook, recognise=self.recognise)
        after._disk, self._disk = self._disk, Disk()
        return after

    def peek(self, path: str) -> bytes:
        """What is in the file. KeyError when there is none."""
        return self._disk.nodes[path.encode()].body

    def asides(self) -> int:
        """How many displaced bodies were not discarded."""
        return sum(len(asides) for asides in self._disk.asides.values())

    def open(self, path: str) -> Node:
        """The inode, as a program holds it that writes in place with `rewrite`."""
        return self._disk.nodes[path.encode()]

    def rewrite(self, node: Node, body: bytes) -> None:
        """Somebody writes in place."""
        node.body, node.version, node.modified = body, next(self._disk.counter), self._clock()

    def poke(self, path: str, body: bytes, *, writable: bool = True) -> Node:
        """Somebody puts a new file there, over one that is there; folders are made."""
        raw = path.encode()
        parent = raw.rpartition(b"/")[0]
        while parent:
            self._disk.folders.add(parent)
            parent = parent.rpartition(b"/")[0]
        self._disk.nodes[raw] = node = self._new(body)
        node.writable = writable
        return node

    def rename(self, path: str, to: str) -> None:
        """Somebody renames a file, over one that is there."""
        self._disk.nodes[to.encode()] = self._disk.nodes.pop(path.encode())

    def remove(self, path: str) -> None:
        """Somebody deletes a file."""
        del self._disk.nodes[path.encode()]

    # `places.Tree`

    def look(self, path: bytes) -> Sight | None:
        """The file or folder at a path."""
        return self._seen(path) if path in self._disk.nodes or path in self._disk.folders else None

    def search(self, file: str, near: bytes) -> Sight | None:
        """Where an inode is now; `near` first, for the same answer as a folder gives."""
        found = sorted(path for path in self._disk.nodes if self._seen(path).file == file and all(map(visible, path.split(b"/"))))
        parent = near.rpartition(b"/")[0]
        return self._seen(min(found, key=lambda path: path.rpartition(b"/")[0] != parent)) if found else None

    def drop(self, document: str, number: int) -> None:
        """Remove a displaced body."""
        self._disk.asides.get(document, {}).pop(number, None)
        self._held.discard((document, number))

    async def _step(self, word: str) -> None:
        if self._hook is not None:
            await self._hook(word)

    def _refuse(self, verb: str) -> None:
        refusal = self.refusals.get(verb)
        if refusal is not None:
            raise type(refusal)(refusal.detail)

    async def _place(self, verb: str, name: str) -> Place:
        self._refuse(verb)
        place = self._places.resolve(name)
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
        return self._places.names.answer(question, same=same)

    async def _create(self, name: str, body: bytes) -> Stat:
        self._refuse("write")
        path = b"/".join(split_new(name))
        await self._step("written")
        self._free(path)
        self._disk.nodes[path] = self._new(body)
        await self._step("created")
        return self._stat(await self._place("stat", name))

    def _free(self, path: bytes) -> None:
        if path.rpartition(b"/")[0] not in self._disk.folders:
            raise NotFound(f"no such folder: {path.rpartition(b'/')[0].decode()}")
        if self.look(path) is not None:
            raise Exists(f"there is something of this name: {path.decode()}")

    def _check(self, path: bytes, if_match: str) -> None:
        if sha256(self._at(path).body).hexdigest() != if_match:
            raise Changed(f"the file was changed by somebody else: {path.decode()}")

    def _at(self, path: bytes) -> Node:
        node = self._disk.nodes.get(path)
        if node is None:
            raise NotFound(f"no such file: {path.decode()}")
        return node

    def _node(self, place: Place) -> Node:
        if place.sight.folder:
            raise NotFound(f"this is a folder: {place.sight.path.decode() or 'the root'}")
        return self._at(place.sight.path)

    @staticmethod
    def _allow(node: Node) -> None:
        if not node.writable:
            raise Denied("the file is read-only")

    def _new(self, body: bytes) -> Node:
        number = next(self._disk.counter)
        return Node(number, body, self._clock(), number)

    def _seen(self, path: bytes) -> Sight:
        node = self._disk.nodes.get(path)
        return Sight(path, "", 0, 0, 0, folder=True) if node is None else _sight(path, node)

    def _stat(self, place: Place) -> Stat:
        if place.sight.folder:
            return _stat(place, "")
        etag = sha256(self._at(place.sight.path).body).hexdigest()
        self._places.names.remember([(place.id, place.sight, etag)])
        return _stat(place, etag)


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
