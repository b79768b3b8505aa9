"""Readers who see a document change: what they are sent is made once for all of them, and who is slow gets one difference later."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from collab.access import Role
from collab.errors import CollabError, Draining, Forbidden, NotFound, TooMany, Unauthorized
from collab.reading.blocks import splices
from collab.reading.marks import spoken
from collab.reading.words import WORDS
from collab.runtime.acting import asked_by
from collab.runtime.settling import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from collab.access import Grant
    from collab.ports import Stat
    from collab.runtime.host import Host
    from collab.runtime.reading import Read, Readings

log = logging.getLogger("collab.runtime")

TICK: Final = 0.25
"""Seconds between looks for what nobody tells of: names, files."""
LOOK: Final = 1.0
"""Seconds between looks at the file of a document that nobody has open."""
BEAT: Final = 15.0
"""Seconds after which a reader is sent something, so that proxies and phones keep the connection."""
PAST: Final = 64
"""Renderings of a document whose blocks are remembered, for readers who come back."""
SLICE: Final = 200
"""Readers who are written to in one turn of the event loop."""
LATEST: Final = 512 * 1024
"""Bytes of a patch: where more has changed, the page is loaded anew."""
ALIVE: Final = b":\n\n"


class Line(Protocol):
    """The connection of a reader."""

    def write(self, data: bytes) -> None:
        """Write at once; nothing happens after close."""

    def close(self) -> None:
        """Behind what is written."""


class Follower:
    """Somebody who reads along. It is also a seat whose rights are looked at (`collab.runtime.rights.Seat`)."""

    __slots__ = ("_sheet", "grant", "has", "language", "line", "over", "stuck")

    def __init__(self, grant: Grant, line: Line, language: str, has: str, sheet: _Sheet) -> None:
        self.grant = grant
        self.line = line
        self.language = language
        self.has = has
        """The version of the page that it shows."""
        self.stuck = False
        """It does not read."""
        self.over = False
        self._sheet = sheet

    @property
    def stat(self) -> Stat:
        """The document."""
        return self._sheet.stat

    @property
    def gone(self) -> bool:
        """Whether the file is known to be gone."""
        return self._sheet.gone

    def miss(self) -> None:
        """Its person does not find the document."""
        self._sheet.hurry()

    def decide(self, role: Role) -> None:
        """It may do this from now on: to read is enough."""
        if role < Role.VIEWER:
            self.dismiss(Forbidden("you may not read this document any more"))

    def dismiss(self, error: CollabError) -> None:
        """It ends, with this reason."""
        if not self.over:
            self.line.write(event("ended", {"reason": error.reason, "status": error.status, "detail": error.detail}))
            self.line.close()
            self.leave()

    def leave(self) -> None:
        """It is over; again changes nothing."""
        if not self.over:
            self.over = True
            self._sheet.leave(self)

    def pause(self) -> None:
        """Its connection takes no more just now."""
        self.stuck = True

    def resume(self) -> None:
        """It reads again: one difference to what is there now."""
        self.stuck = False
        if not self.over:
            self._sheet.catch_up(self)


class Followers:
    """All readers of this process who read along. `most` at a time."""

    def __init__(self, readings: Readings, *, now: Callable[[], float], most: int) -> None:
        self.readings = readings
        self._now = now
        self._most = most
        self._sheets: dict[str, _Sheet] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._beat = 0.0
        self.count = 0

    def seats(self) -> Iterator[Follower]:
        """Everybody, for `Reviews`."""
        return (follower for sheet in tuple(self._sheets.values()) for follower in tuple(sheet.followers))

    def full(self) -> None:
        """TooMany when nobody more is taken."""
        if self.readings.rooms.stopping:
            raise Draining("The server stops; come back in a moment.")
        if self.count >= self._most:
            raise TooMany("Too many people read here; the page stays as it is, and can be loaded again.")

    def follow(self, read: Read, grant: Grant, line: Line, language: str, has: str) -> Follower:
        """A reader who has this version of the page; it is told at once what it lacks."""
        sheet = self._sheets.get(read.stat.id)
        if sheet is None:
            sheet = self._sheets[read.stat.id] = _Sheet(self, read)
        follower = Follower(grant, line, language, has, sheet)
        sheet.enter(follower)
        self.count += 1
        if self._timer is None:
            self._beat = self.readings.clock() + BEAT
            self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)
        return follower

    def edited(self, document: str) -> None:
        """Something was typed in it."""
        sheet = self._sheets.get(document)
        if sheet is not None:
            sheet.stir()

    def close(self) -> None:
        """The server stops: everybody comes back later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for follower in tuple(self.seats()):
            follower.dismiss(Draining("The server stops; come back in a moment."))

    def left(self, sheet: _Sheet) -> None:
        """One left a document."""
        self.count -= 1
        if not sheet.followers and self._sheets.get(sheet.stat.id) is sheet:
            del self._sheets[sheet.stat.id]
            sheet.close()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick) if self._sheets else None
        clock = self.readings.clock()
        for sheet in tuple(self._sheets.values()):
            sheet.look(clock)
        if clock >= self._beat:
            self._beat = clock + BEAT
            self._alive(iter([*self.seats()]))

    def _alive(self, followers: Iterator[Follower]) -> None:
        """Whose time is over, ends; all others are sent a line without a meaning. Some now, more in the next turns of the loop."""
        now, follower = self._now(), None
        for follower in islice(followers, SLICE):
            if not follower.grant.live(now):
                follower.dismiss(Unauthorized("your session is over; sign in again"))
            elif not follower.stuck:
                follower.line.write(ALIVE)
        if follower is not None:
            asyncio.get_running_loop().call_soon(self._alive, followers)


class _Sheet:
    """A document that is read, and everybody who reads along."""

    def __init__(self, all_of_them: Followers, read: Read) -> None:
        self.stat = read.stat
        self.gone = False
        self.followers: dict[Follower, None] = {}
        self._all = all_of_them
        self._readings = all_of_them.readings
        self._read = read
        self._past: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        """The names of blocks, by version."""
        self._events: dict[tuple[str, str], bytes] = {}
        """What brings who has a version to the newest, by version and language."""
        self._seen: object = None
        self._next = 0.0
        self._missed: float | None = None
        """When the first look ended that did not find the file, if none has found it since."""
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        """Runs out when the document may be rendered again."""
        self._remember(read)

    def close(self) -> None:
        """Nobody reads it any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def enter(self, follower: Follower) -> None:
        self.followers[follower] = None
        follower.line.write(self._about())
        self.catch_up(follower)

    def leave(self, follower: Follower) -> None:
        if self.followers.pop(follower, self) is None:
            self._all.left(self)

    def hurry(self) -> None:
        """Look at the file soon."""
        self._next = 0.0

    def catch_up(self, follower: Follower) -> None:
        """What the follower lacks; who does not read gets it later."""
        newest = self._read.rendering.version
        if follower.stuck or follower.has == newest:
            return
        key = follower.has, follower.language
        made = self._events.get(key)
        if made is None:
            made = self._events[key] = self._patch(*key)
        follower.has = newest
        follower.line.write(made)

    # --- looking

    def stir(self) -> None:
        """Something may be new in its room: it is rendered now, or as soon as it may be."""
        host = self._readings.rooms.live(self.stat.id)
        if host is None or self._busy or self._timer is not None or _state(host) == self._seen:
            return
        wait = self._readings.wait(self.stat.id)
        if wait > 0:
            self._rest(wait)
        else:
            self._begin(self._live(host))

    def _rest(self, seconds: float) -> None:
        if self.followers:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._timer = None
        self.stir()

    def look(self, clock: float) -> None:
        """Whether there is something new of which nobody tells; called every TICK."""
        if self._busy:
            return
        if self._readings.rooms.live(self.stat.id) is not None:
            self.stir()
        elif clock >= self._next:
            self._next = clock + LOOK
            self._begin(self._resting())

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        self._busy = True
        self._readings.rooms.spawn(self._watched(work))

    async def _watched(self, work: Coroutine[object, object, None]) -> None:
        # In a cloud files are looked at for somebody: for whoever of the readers came first.
        first = next(iter(self.followers), None)
        rest, begun = LOOK, self._readings.clock()
        try:
            with asked_by("" if first is None else first.grant.id):
                await work
            rest = 0.0
        except NotFound:
            self._miss(begun)
        except (Forbidden, Unauthorized):
            # For this one: its rights are looked at, and the next one is asked.
            if first is not None and first in self.followers:
                self._readings.rooms.reviews.soon(first)
                self.followers[first] = self.followers.pop(first)
        except CollabError as error:
            log.info("%s cannot be looked at for its readers just now: %s", self.stat.id, error.detail)
        finally:
            self._busy = False
        if rest:
            self._rest(rest)
        else:
            self.stir()

    async def _live(self, host: Host) -> None:
        seen = _state(host)
        read = await self._readings.read(host.stat, since=self._readings.clock())
        self._missed = None
        self._show(read, gone=host.gone)
        self._seen = seen

    async def _resting(self) -> None:
        self._seen = None
        stat = await self._readings.files.stat(self.stat.id)
        self._missed = None
        if stat != self.stat or self.gone:
            self._show(await self._readings.read(stat), gone=False)

    def _miss(self, begun: float) -> None:
        """A file that is replaced is not there for a moment; where one is that was renamed, storages tell to a look that begins as long after another."""
        if self._missed is None:
            self._missed = self._readings.clock()
        elif begun - self._missed >= EMPTY and not self.gone:
            self.gone = True
            self._readings.forget(self.stat.id)
            self._tell(self._about())

    def _show(self, read: Read, *, gone: bool) -> None:
        about = (self.stat.path, self.gone)
        self.stat, self.gone = read.stat, gone
        if (self.stat.path, self.gone) != about:
            self._tell(self._about())
        if read.rendering.version != self._read.rendering.version:
            self._read = read
            self._events.clear()
            self._remember(read)
            self._spread(iter([*self.followers]))
        else:
            self._read = read

    def _remember(self, read: Read) -> None:
        self._past[read.rendering.version] = tuple(block.name for block in read.rendering.blocks)
        self._past.move_to_end(read.rendering.version)
        if len(self._past) > PAST:
            self._past.popitem(last=False)

    # --- telling

    def _spread(self, followers: Iterator[Follower]) -> None:
        """Some now, more in the next turns of the loop."""
        follower = None
        for follower in islice(followers, SLICE):
            if follower in self.followers:
                self.catch_up(follower)
        if follower is not None:
            asyncio.get_running_loop().call_soon(self._spread, followers)

    def _tell(self, data: bytes) -> None:
        for follower in tuple(self.followers):
            follower.line.write(data)

    def _about(self) -> bytes:
        return event("about", {"path": self.stat.path, "gone": self.gone})

    def _patch(self, since: str, language: str) -> bytes:
        """From that version to the newest."""
        rendering, known = self._read.rendering, self._past.get(since)
        if known is None:
            return event("reload", {"to": rendering.version}, rendering.version)
        words = WORDS[language]
        changes: Sequence[object] = [
            [each.at, each.remove, [[block.name, spoken(block.html, words)] for block in each.insert]]
            for each in splices(known, rendering.blocks)
        ]
        made = event(
            "patch",
            {
                "from": since,
                "to": rendering.version,
                "shell": rendering.shell,
                "title": rendering.title,
                "note": spoken(rendering.note, words),
                "splices": changes,
            },
            rendering.version,
        )
        return made if len(made) <= LATEST else event("reload", {"to": rendering.version}, rendering.version)


def _state(host: Host) -> tuple[object, ...]:
    """What tells whether something has changed in a room; the etag of its text costs as much as the text."""
    return host.edits, host.stat.path, host.gone, id(host)


def event(kind: str, data: object, name: str = "") -> bytes:
    """An event of a stream (HTML standard, section 9.2.6)."""
    said = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    named = f"id: {name}\n" if name else ""
    return f"event: {kind}\n{named}data: {said}\n\n".encode("utf-8", "replace")
