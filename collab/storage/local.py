"""The files of a folder of this machine (`Files`): nothing blocks the loop, nothing leaves the root."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from collab.errors import Changed, CollabError, NotFound, TooLarge, Unavailable
from collab.formats import media_type
from collab.ports import Content, Replaced, Stat, Written
from collab.state.threads import Threads, beside
from collab.storage import kernel
from collab.storage.exchange import Checked, Exchange
from collab.storage.folder import READS, Folder, alike, joined, unchanged
from collab.storage.local_streams import AHEAD, LocalDraft, LocalFormer, LocalReader, read_at_once
from collab.storage.names import Place, Question, settled
from collab.storage.paths import binned, is_id, split, split_new
from collab.storage.places import Places
from collab.storage.refusals import explained
from collab.storage.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from collab.ports import Claim, Displaced, First
    from collab.state.turn import Turn
    from collab.storage.exchange import Aside, Unread
    from collab.storage.fences import Fences
    from collab.storage.names import Names, Sight
    from collab.storage.unfinished import Made, Unfinished

    # The class has a method `list`.
    Stats = list[Stat]
    Hashes = list[tuple[str, Sight, str]]

T = TypeVar("T")

HASHED: Final = 64 * 2**20
"""Bytes up to which a file's etag is its hash."""
LISTED: Final = 64 * 2**20
"""Bytes that one listing hashes; files beyond have the weak etag, which is as good for `if_match`."""
NOTED: Final = 4096
"""Documents of which it is known where they are; who was seen anew least lately is forgotten."""
THREADS: Final = 4
NEW: Final = b".new"
"""What a body is called, hidden, whose name nobody knows yet."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The folder, for who works in it on a thread of `LocalFiles`; `step` is called between the steps of a change, with a word."""

    folder: Folder
    places: Places
    exchange: Exchange
    step: Callable[[str], None]

    def note(self, fact: Callable[[Names], object]) -> None:
        """What is done is done: a state database that refuses learns of it at the next look."""
        with suppress(Unavailable):
            fact(self.places.names)


class LocalDisplaced:
    """See `collab.ports.Displaced`."""

    def __init__(self, files: LocalFiles, aside: Aside) -> None:
        self._files = files
        self._aside = aside
        self.body: bytes = aside.body

    async def reread(self) -> bytes | None:
        """Other bytes than before, or None."""
        with suppress(Unavailable):
            return await self._files.run(lambda exchange: exchange.reread(self._aside))
        return None

    async def discard(self) -> None:
        """Remove them."""
        with suppress(Unavailable):
            await self._files.run(lambda exchange: exchange.discard(self._aside))

    def leave(self) -> None:
        """They are a leftover."""
        self._files.leave(self._aside)


class LocalFiles:
    """See `collab.ports.Files`. `exchange` and `step` as in `Exchange`.

    `recognise(id, body)` is asked when a path comes back after its document was deleted: whether this is the same document. Nobody set:
    only the same bytes are. `fences`: several nodes write into the folder; `turn`: several processes of this machine.
    """

    def __init__(  # noqa: PLR0913 - the surroundings
        self,
        root: Path,
        names: Names,
        *,
        recognise: Callable[[str, bytes], Awaitable[bool]] | None = None,
        fences: Fences | None = None,
        turn: Turn | None = None,
        exchange: Callable[[int, bytes, bytes], None] = kernel.exchange,
        step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.recognise = recognise
        self._hold: Callable[[str], AbstractContextManager[None]] = _free if fences is None else fences.hold
        self._hold_ours: Callable[[str], AbstractContextManager[None]] = _free if fences is None else fences.hold_ours
        self.forget: Callable[[str], None] = (lambda _: None) if fences is None else fences.forget
        """A document is gone for good."""
        self.outside: Callable[[Disk, Place], Claim | None] = _nobody
        """Who else has a file open; `LocalClaims` knows."""
        self._folder = Folder(root)
        self._places = Places(self._folder, names)
        self._exchange = Exchange(self._folder, exchange=exchange, step=step)
        self._disk = Disk(self._folder, self._places, self._exchange, step)
        self._threads = Threads(THREADS, "collab-files")
        self._turns = Turns(turn)
        self._lately: dict[str, Place] = {}
        self._noting = threading.Lock()
        self._shared = turn is not None
        self._closed = False
        self.kept = 0
        """Bytes of drafts that wait in memory; for `LocalDraft`."""

    async def stat(self, name: str) -> Stat:
        """What the name stands for now."""
        return await self._at(name, self.told)

    async def read(self, name: str, *, limit: int) -> Content:
        """The whole file."""
        return await self._at(name, lambda place: self._read(place, limit))

    async def write(self, name: str, body: bytes, *, if_match: str | None) -> Written:
        """Replace the file, or create it."""
        if if_match is not None:
            return await self._at(name, lambda place: self._write(place, body, if_match))
        path = b"/".join(split_new(name))
        made = await self._run(lambda: self._exchange.create(path, self._fresh_mark(), body))
        return Written(await self._at(name, lambda place: self._made(place, made, hashlib.sha256(body).hexdigest())))

    async def reader(self, name: str) -> LocalReader:
        """The file, open."""
        opened = self._reader_at_once(name)
        return await self._at(name, self._reader) if opened is None else opened

    async def draft(self, name: str) -> LocalDraft:
        """A body for a document, or for a new one: a look at where comes only when there is something to write."""
        return LocalDraft(self, name)

    def berth(self, name: str) -> tuple[bytes, str]:
        """For `LocalDraft`, on a thread: the path beside which a body for this name waits, and its mark."""
        try:
            place = self._places.resolve(name)
        except NotFound:
            if is_id(name):
                raise
            return b"/".join(split_new(name)), self._fresh_mark()
        path = place.sight.path
        return (joined(path, NEW), self._fresh_mark()) if place.sight.folder else (path, place.id[3:11])

    async def commit(self, name: str, if_match: str, draft: LocalDraft, first: First | None) -> Replaced:
        """For `LocalDraft`."""
        return await self._at(name, lambda place: self._commit(place, if_match, draft, first))

    async def settle(self, path: bytes, draft: LocalDraft) -> Stat:
        """For `LocalDraft`: it becomes a new file."""
        mark = self._fresh_mark()
        made, digest, _ = await self._run(lambda: draft.put(path, mark, lambda exchange, new: (exchange.settle(path, new), None)))
        return await self._at(path.decode(), lambda place: self._made(place, made, digest))

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder."""
        found = await self._run(lambda: self._entries(path))
        places = [place if isinstance(place, Place) else await self._answer(place) for place in found]
        return await self._run(lambda: self._stats([place for place in places if place is not None]))

    async def move(self, name: str, path: str, *, if_match: str | None) -> Stat:
        """Rename or move to a free path."""
        to = b"/".join(split_new(path))
        return await self._at(name, lambda place: self._move(place, to, if_match), alone=True)

    async def delete(self, name: str, *, if_match: str | None) -> None:
        """Remove the file."""
        await self._at(name, lambda place: self._delete(place, if_match))

    async def close(self) -> None:
        """Wait for what runs. Displaced bodies that were not discarded are leftovers of the next start. Idempotent."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._folder.close()

    @property
    def exchange(self) -> Exchange:
        """For `LocalDraft`."""
        return self._exchange

    def leave(self, aside: Aside) -> None:
        """For `LocalDisplaced`."""
        self._exchange.leave(aside)

    async def drop(self, unread: Unread) -> bool:
        """For `LocalFormer`."""
        with suppress(Unavailable):
            return await self.off(lambda: self._exchange.drop(unread))
        return True

    async def off(self, act: Callable[[], T]) -> T:
        """`act` on a thread, whoever moves what; for `LocalReader` and `LocalDraft`."""
        if self._closed:
            raise Unavailable("the files are closed")
        return await beside(self._threads, act)

    async def run(self, act: Callable[[Exchange], T]) -> T:
        """`act` on a thread; for `LocalDisplaced`."""
        return await self._run(lambda: act(self._exchange))

    async def work(self, act: Callable[[Disk], T], *, alone: bool = False) -> T:
        """`act` on a thread, `alone` while nobody else looks or writes; for folders and the bin."""
        return await self._run(lambda: act(self._disk), alone=alone)

    async def look_at(self, name: str, act: Callable[[Disk, Place], T]) -> T:
        """`act` on the place of a name."""
        return await self._at(name, lambda place: act(self._disk, place))

    async def work_at(self, name: str, act: Callable[[Disk, Place], T]) -> T:
        """`act` on the place of a name, alone."""

        def held(place: Place) -> T:
            with self._hold_ours(place.id):
                return act(self._disk, place)

        return await self._at(name, held, alone=True)

    async def _run(self, act: Callable[[], T], *, alone: bool = False) -> T:
        if self._closed:
            raise Unavailable("the files are closed")

        def turn() -> T:
            with self._turns.alone() if alone else self._turns.together():
                return act()

        return await beside(self._threads, turn)

    async def _at(self, name: str, act: Callable[[Place], T], *, alone: bool = False) -> T:
        """`act` on the place of the name, in one hop to a thread, unless somebody must be asked."""

        def attempt() -> T | Question:
            place = self._lately.get(name)
            if place is None or not self._folder.still(place.sight):
                resolved = self._places.resolve(name)
                if isinstance(resolved, Question):
                    return resolved
                place = self._noted(resolved)
            else:
                self._places.names.found(place.id)
            return act(place)

        outcome = await self._run(attempt, alone=alone)
        if not isinstance(outcome, Question):
            return outcome
        place = await self._answer(outcome)
        if place is None or (is_id(name) and place.id != name):
            raise NotFound(f"the file was deleted: {name}")
        return await self._run(lambda: act(place), alone=alone)

    def _noted(self, place: Place) -> Place:
        """What the state database says of a file holds as long as the file is seen the same: it need not be asked again, if it knows the bytes."""
        with self._noting:
            self._lately.pop(place.id, None)
            if place.id and self._known_etag(place) is not None:
                self._lately[place.id] = place
                if len(self._lately) > NOTED:
                    del self._lately[next(iter(self._lately))]
        return place

    async def _answer(self, question: Question) -> Place | None:
        """The place after the question; None when the file is gone meanwhile."""
        path = question.sight.path
        try:
            now, body = await self._run(lambda: self._folder.read(path, HASHED))
        except NotFound:
            return None
        except TooLarge:
            now, body = question.sight, b""
        same = hashlib.sha256(body).hexdigest() == question.etag
        if not same and self.recognise is not None:
            same = await self.recognise(question.id, body)
        return await self._run(lambda: self._places.names.answer(Question(question.id, now, question.etag), same=same))

    def _entries(self, path: str) -> Sequence[Place | Question]:
        raw = b"/".join(split(path))
        sight = self._folder.look(raw)
        if sight is None or not sight.folder:
            raise NotFound(f"no such folder: {path}")
        return self._places.identify(self._folder.entries(raw))

    def _stats(self, places: Sequence[Place]) -> Stats:
        left = LISTED
        hashes: Hashes = []
        stats = []
        for place in places:
            etag = self._known_etag(place)
            if etag is None and place.sight.size <= left:
                left -= place.sight.size
                etag = self._hash(place, hashes)
            stats.append(described(place, place.sight.weak if etag is None else etag))
        self._disk.note(lambda names: names.remember(hashes))
        return stats

    def _hash(self, place: Place, hashes: Hashes) -> str | None:
        try:
            sight, etag = self._folder.hashed(place.sight.path)
        except CollabError:  # gone by now, or not for us to read: it is listed as it was
            return None
        hashes.append((place.id, sight, etag))
        return etag

    def told(self, place: Place) -> Stat:
        """What the port says of a place, on a thread; for `LocalClaims`."""
        etag = self._known_etag(place)
        if etag is None:
            sight, etag = self._folder.hashed(place.sight.path)
            self._disk.note(lambda names: names.remember([(place.id, sight, etag)]))
        return described(place, etag)

    @staticmethod
    def _known_etag(place: Place) -> str | None:
        if place.sight.folder:
            return ""
        return place.sight.weak if place.sight.size > HASHED else place.etag

    def _made(self, place: Place, made: Made, digest: str) -> Stat:
        """What a file is that we have just made, unless it is another by now."""
        if (place.sight.file, place.sight.stamp) != (made.sight.file, made.sight.stamp):
            return self.told(place)
        etag = digest if made.sight.size <= HASHED else made.sight.weak
        self._settled(place.id, made, etag)
        return described(place, etag)

    def _settled(self, document: str, made: Made, etag: str) -> None:
        """It is what we have just written, with these bytes."""
        self._disk.note(lambda names: self._noted(names.settle(document, made.sight, etag, durable=False, sure=made.sure)))

    def _reader_at_once(self, name: str) -> LocalReader | None:
        """Of a document that was read lately and is unchanged, when nobody must be waited for: a hop to a thread costs more than all the rest.

        Who moves folders just now need not be done: the path is walked in one step, and what is there is the file that it was, or it is looked for in turn.
        """
        place = None if self._closed or self._shared else self._lately.get(name)
        opened = None if place is None or binned(place.sight.path) else self._folder.open_at_once(place.sight.path)
        if place is None or opened is None:
            return None
        descriptor, info = opened
        etag, sight = self._known_etag(place), place.sight
        if etag is not None and alike(info, sight):
            body = read_at_once(descriptor, min(sight.size, AHEAD))
            if body is not None and unchanged(descriptor, sight):
                self._places.names.found(place.id)
                return LocalReader(self, described(place, etag), descriptor, sight.mtime_ns, body)
        os.close(descriptor)
        return None

    def _reader(self, place: Place) -> LocalReader:
        path = _file(place)
        for _ in range(READS):
            descriptor, sight = self._folder.open(path)
            try:
                with explained(path):
                    body = os.pread(descriptor, AHEAD, 0)
                    if unchanged(descriptor, sight):
                        etag = self._etag_of(place, sight, descriptor, body)
                        return LocalReader(self, described(Place(place.id, sight), etag), descriptor, sight.mtime_ns, body)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise Changed(f"the file is changed again and again: {path.decode()}")

    def _etag_of(self, place: Place, sight: Sight, descriptor: int, body: bytes) -> str:
        """Of the bytes that are read from an open file."""
        if sight.size > HASHED:
            return sight.weak
        if place.etag is not None and (place.sight.file, place.sight.stamp) == (sight.file, sight.stamp):
            return place.etag
        if sight.size > AHEAD:
            with open(descriptor, "rb", closefd=False) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            digest = hashlib.sha256(body).hexdigest()
        self._disk.note(lambda names: names.remember([(place.id, sight, digest)]))
        return digest

    def _read(self, place: Place, limit: int) -> Content:
        path = _file(place)
        sight, body = self._folder.read(path, limit)
        etag = _etag(sight, body)
        self._disk.note(lambda names: names.remember([(place.id, sight, etag)]))
        leftovers = self._exchange.leftovers(path, place.id[3:11], limit)
        return Content(
            described(Place(place.id, replace(sight, size=len(body))), etag),
            body,
            tuple(LocalDisplaced(self, aside) for aside in leftovers),
        )

    def _write(self, place: Place, body: bytes, if_match: str) -> Written:
        path = _file(place)
        with self._places.names.placing(place.id) as placed:
            with self._hold(place.id):
                made, aside = self._exchange.replace(path, place.id[3:11], body, lambda: checked(self._folder, place, if_match), placed)
            etag = _etag(made.sight, body)
            self._settled(place.id, made, etag)
        displaced: Displaced = LocalDisplaced(self, aside)
        return Written(described(Place(place.id, replace(made.sight, size=len(body))), etag), displaced)

    def _commit(self, place: Place, if_match: str, draft: LocalDraft, first: First | None) -> Replaced:
        path, mark = _file(place), place.id[3:11]

        def last(found: Checked) -> None:
            if first is not None:
                first(described(Place(place.id, found.sight), found.etag), self.outside(self._disk, place))

        with self._places.names.placing(place.id) as placed:

            def act(exchange: Exchange, new: Unfinished) -> tuple[Made, Unread | None]:
                return exchange.commit(path, mark, new, lambda: checked(self._folder, place, if_match), last, placed)

            with self._hold(place.id):
                made, digest, unread = draft.put(path, mark, act, allowed=place.sight.writable)
            etag = digest if draft.size <= HASHED else made.sight.weak
            self._settled(place.id, made, etag)
        former = None if unread is None else LocalFormer(self, unread)
        sight = made.sight if made.sight.size == draft.size else replace(made.sight, size=draft.size)
        return Replaced(described(Place(place.id, sight), etag), former)

    def _fresh_mark(self) -> str:
        return self._places.names.fresh_id()[3:11]

    def _move(self, place: Place, to: bytes, if_match: str | None) -> Stat:
        path = _file(place)
        if if_match is not None and not self._matches(path, if_match):
            raise Changed(f"the file was changed by somebody else: {path.decode()}")
        if to != path:
            with self._hold_ours(place.id):
                self._exchange.move(path, to, place.id[3:11])
        sight, etag = self._arrived(to)
        self._disk.note(lambda names: names.settle(place.id, sight, etag))
        return described(Place(place.id, sight), etag)

    def _arrived(self, path: bytes) -> tuple[Sight, str]:
        """What is there now, with its etag. A large file is not read: everybody waits for who moves something."""
        sight = self._folder.look(path)
        return (sight, sight.weak) if sight is not None and sight.size > HASHED else self._folder.hashed(path)

    def _delete(self, place: Place, if_match: str | None) -> None:
        path = _file(place)
        with self._hold_ours(place.id):
            self._exchange.delete(path, lambda: if_match is None or self._matches(path, if_match))
        self._disk.note(lambda names: names.bury(place.id, by_us=True))

    def _matches(self, path: bytes, if_match: str) -> bool:
        return matches(self._folder, path, if_match)


def _free(_document: str) -> AbstractContextManager[None]:
    """Nobody else writes here."""
    return nullcontext()


def checked(folder: Folder, place: Place, if_match: str) -> Checked | None:
    """The file at a place if it has this etag. Raises `NotFound`."""
    if place.etag is not None and place.sight.size <= HASHED and folder.still(place.sight):
        return Checked(place.sight, if_match, sure=True) if place.etag == if_match else None
    sight = folder.look(place.sight.path)
    if sight is None:
        raise NotFound(f"no such file: {place.sight.path.decode()}")
    if if_match == sight.weak:
        return Checked(sight, if_match, sure=True)
    if sight.size > HASHED:
        return None
    if place.etag is not None and (sight.file, sight.stamp) == (place.sight.file, place.sight.stamp):
        return Checked(sight, if_match, sure=True) if place.etag == if_match else None
    sight, etag = folder.hashed(place.sight.path)
    return Checked(sight, etag, sure=settled(sight, time.time())) if etag == if_match else None


def matches(folder: Folder, path: bytes, if_match: str) -> bool:
    """Whether the file has this etag. Raises `NotFound`."""
    sight = folder.look(path)
    if sight is None:
        raise NotFound(f"no such file: {path.decode()}")
    if if_match == sight.weak:
        return True
    return sight.size <= HASHED and folder.hashed(path)[1] == if_match


def _nobody(disk: Disk, place: Place) -> None:
    del disk, place


def _file(place: Place) -> bytes:
    if place.sight.folder:
        raise NotFound(f"this is a folder: {place.sight.path.decode() or 'the root'}")
    return place.sight.path


def _etag(sight: Sight, body: bytes) -> str:
    return hashlib.sha256(body).hexdigest() if len(body) <= HASHED else sight.weak


def described(place: Place, etag: str) -> Stat:
    """What the port says of a place whose etag is known."""
    sight = place.sight
    path = sight.path.decode()
    kind = "inode/directory" if sight.folder else media_type(path)
    modified = sight.mtime_ns / 10**9
    return Stat(place.id, path, kind, sight.size, etag, modified, writable=sight.writable, folder=sight.folder)
