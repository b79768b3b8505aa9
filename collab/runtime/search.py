"""A search over the files: names first, then texts, one file after another; bounded in time and number, over when nobody listens."""

from __future__ import annotations

import asyncio
import codecs
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from collab.about import tagged
from collab.errors import CollabError, TooMany, Unavailable
from collab.finding import PIECE, Hunt, Match, Query
from collab.formats import NOTEBOOK_TYPE, is_textual
from collab.formats.bodies import most, readable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator

    from collab.ports import Files, Metadata, Stat
    from collab.runtime.documents import Documents
    from collab.runtime.rooms import Rooms

T = TypeVar("T")

STEP = 16
"""Pieces of a text that are looked at before the search looks up."""
BEAT = 1.0
"""Seconds after which somebody who waits is told how far the search is."""


class Where(StrEnum):
    """What is searched."""

    ALL = "all"
    NAME = "name"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a search ends."""

    documents: int = 200
    """Found at most."""
    seconds: float = 20.0
    entries: int = 50_000
    """Files and folders of the tree that are looked at."""
    journal: float = 2.0
    """Seconds that the journal has to hold what people have just typed; else their document is passed over."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document or folder; without matches its name is what was found."""

    stat: Stat
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """How many documents the search is done with. `more`: there may be others that it did not come to; None while it goes on."""

    documents: int
    more: bool | None = None


Event: TypeAlias = "Found | Searched"


class Aside(Protocol):
    """Runs what takes time where it does not hold up the loop."""

    def __call__(self, act: Callable[[], T], /) -> Awaitable[T]:
        """The result of `act`."""


class _Enough(Exception):
    """A bound is reached."""


@dataclass(slots=True)
class Search:
    """One search, to be run once; `aside` takes what would hold up the loop. A document is told once: by its name, or with the lines of its text."""

    rooms: Rooms
    files: Files
    documents: Documents
    query: Query
    where: Where
    bounds: Bounds = field(default_factory=Bounds)
    aside: Aside = asyncio.to_thread
    metadata: Metadata | None = None
    """What is said about documents; None: nothing is, and no tag is found."""
    _texts: deque[Stat] = field(default_factory=deque)
    """What is to be read when all names are known."""
    _entries: int = 0
    _found: int = 0
    _searched: int = 0
    _more: bool = False
    _end: float = 0.0
    _told: float = 0.0

    async def below(self, folder: str) -> AsyncIterator[Event]:
        """All that is in the folder or deeper."""
        async for event in self._run(self._tree([folder], folder)):
            yield event

    async def among(self, stats: Collection[Stat]) -> AsyncIterator[Event]:
        """These documents only, and these folders with all that is in them."""
        async for event in self._run(self._all(stats)):
            yield event

    async def _all(self, stats: Collection[Stat]) -> AsyncIterator[Event]:
        async for event in self._named(stats, ""):
            yield event
        async for event in self._tree([stat.path for stat in stats if stat.folder], ""):
            yield event

    async def _run(self, names: AsyncIterator[Event]) -> AsyncIterator[Event]:
        self._told = asyncio.get_running_loop().time()
        self._end = self._told + self.bounds.seconds
        try:
            async for event in names:
                yield event
            while self._texts:
                for event in await self._text(self._texts.popleft()):
                    yield event
        except (TimeoutError, _Enough):
            self._more = True
        yield Searched(self._searched, self._more)

    async def _tree(self, starts: Iterable[str], top: str) -> AsyncIterator[Event]:
        folders = deque(starts)
        while folders:
            try:
                stats = await self._in_time(self.documents.list(folders.popleft()))
            except CollabError:  # gone by now, or not for us to read
                self._more = True
                continue
            folders.extend(stat.path for stat in stats if stat.folder)
            async for event in self._named(stats, top):
                yield event

    async def _named(self, stats: Collection[Stat], top: str) -> AsyncIterator[Event]:
        """Those whose name below the folder `top` is one that is looked for; the others wait to be read."""
        start = len(top) + 1 if top else 0
        stats = await self._tagged(stats)
        by_name = self.where is not Where.CONTENT or not self.query.words
        named = await self.aside(lambda: [by_name and self.query.names(stat.path[start:]) for stat in stats])
        for stat, is_named in zip(stats, named, strict=True):
            self._entries += 1
            if self._entries > self.bounds.entries:
                raise _Enough
            if is_named:
                self._searched += not stat.folder
                yield self._one(Found(stat))
            elif not stat.folder and self.where is not Where.NAME and self._readable(stat):
                self._texts.append(stat)
            else:
                self._searched += not stat.folder
        for event in self._beat():
            yield event

    async def _tagged(self, stats: Collection[Stat]) -> Collection[Stat]:
        """Those with the tags that are asked for; folders have none."""
        if not self.query.tags:
            return stats
        self._entries += len(stats)
        files = [stat for stat in stats if not stat.folder]
        try:
            about = await self._in_time(self.metadata.of(files)) if self.metadata is not None else {}
        except CollabError:
            self._more = True
            return []
        found = [stat for stat in files if stat.id in about and tagged(about[stat.id].tags, self.query.tags)]
        # The loop that takes these counts them.
        self._entries -= len(found)
        if self._entries > self.bounds.entries:
            raise _Enough
        self._searched += len(files) - len(found)
        return found

    def _readable(self, stat: Stat) -> bool:
        return is_textual(stat.type) and stat.size <= most(self.rooms.limits, stat.type)

    async def _text(self, stat: Stat) -> list[Event]:
        hunt = Hunt(self.query, set(self.query.words if self.where is Where.CONTENT else self.query.missing(stat.path)))
        try:
            pieces = await self._in_time(self._pieces(stat))
            while await self._in_time(self.aside(lambda: _look(hunt, pieces))):
                pass
        except (CollabError, UnicodeDecodeError) as error:  # gone by now, not for us to read, or no text
            self._more |= isinstance(error, Unavailable)
            hunt = Hunt(self.query, set(self.query.words))
        self._searched += 1
        found = [self._one(Found(stat, tuple(hunt.matches)))] if hunt.found else []
        return [*found, *self._beat()]

    async def _pieces(self, stat: Stat) -> Iterator[str]:
        """The text in pieces: the live one, once the journal holds it, where a room is ahead of its file."""
        host = self.rooms.live(stat.id)
        if host is None or host.file.word == "saved":
            content = await self.files.read(stat.id, limit=most(self.rooms.limits, stat.type))
            if host is None and self.rooms.neighbours is not None and content.stat.etag != stat.etag:
                # What was listed is the live text of another node.
                text = await self.rooms.neighbours.readable(stat.id)
                if text is not None:
                    return _cut(text)
            if stat.type == NOTEBOOK_TYPE:
                return _cut(await self.aside(lambda: readable(content.body, stat.type, self.rooms.limits)))
            return _decoded(content.body)
        try:
            async with asyncio.timeout(self.bounds.journal):
                await host.sound()
                text = host.room.document.readable()
                await host.settled()
        except TimeoutError:
            self._more = True
            return iter(())
        return _cut(text)

    def _one(self, found: Found) -> Found:
        """One more, if that is not too many."""
        if self._found == self.bounds.documents:
            raise _Enough
        self._found += 1
        return found

    def _beat(self) -> list[Event]:
        now = asyncio.get_running_loop().time()
        if now - self._told < BEAT:
            return []
        self._told = now
        return [Searched(self._searched)]

    async def _in_time(self, work: Awaitable[T]) -> T:
        async with asyncio.timeout_at(self._end):
            return await work


def _cut(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def _decoded(body: bytes) -> Iterator[str]:
    """The text of a file in pieces; UnicodeDecodeError where it turns out to be none, nothing for NUL and UTF-16."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body:
        return
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for start in range(0, len(body), PIECE):
        yield decoder.decode(body[start : start + PIECE])
    yield decoder.decode(b"", final=True)


def _look(hunt: Hunt, pieces: Iterator[str]) -> bool:
    """Look at the next pieces, on a thread; whether there are more worth looking at."""
    step = list(islice(pieces, STEP))
    for piece in step:
        hunt.feed(piece)
    if len(step) < STEP:
        hunt.end()
        return False
    return not hunt.over


class Turns:
    """At most `each` searches at a time for one person, `together` for all; the others wait in the order in which they came."""

    def __init__(self, *, each: int = 2, together: int = 4, waiting: int = 8) -> None:
        self._each = each
        self._together = together
        self._patience = waiting
        self._running: Counter[str] = Counter()
        self._waiting: list[Turn] = []

    def turn(self, person: str) -> Turn:
        """A place in the line; `TooMany` when so many searches of this person wait that another must not."""
        if sum(turn.person == person for turn in self._waiting) >= self._patience:
            raise TooMany("you have many searches under way: wait until one of them is over")
        turn = Turn(person, self)
        self._waiting.append(turn)
        self._next()
        return turn

    def leave(self, turn: Turn) -> None:
        """Somebody does not wait any more, or is done. Idempotent."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif not turn.left:
            self._running[turn.person] -= 1
            self._running += Counter()
        turn.left = True
        self._next()

    def _next(self) -> None:
        """Let in who is first and may."""
        for turn in tuple(self._waiting):
            if self._running.total() >= self._together:
                return
            if self._running[turn.person] < self._each:
                self._waiting.remove(turn)
                self._running[turn.person] += 1
                turn.begun.set()


@dataclass(eq=False, slots=True)
class Turn:
    """Of one search, from the moment that it is asked for; whoever took it leaves it."""

    person: str
    turns: Turns
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    left: bool = False

    def leave(self) -> None:
        """Let the next one in."""
        self.turns.leave(self)
