"""The journal of several nodes, on Redis or Valkey: a stream for each document, written by whoever has the document's fencing number.

The number and the last position are compared in the script that appends. So a group that is sent again, when nobody knows whether it arrived,
is appended once; a node that lost the document appends nothing; and a Redis that has forgotten something is found out before anything is
acknowledged. A stream begins behind the archive's checkpoint.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from collab.errors import CollabError, Fenced, Unavailable
from collab.ports import Checkpoint, Kind, Log, Record
from collab.redis.keys import LUA, PREFIX
from collab.redis.server import GIVEN_UP, Call, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collab.ports import Checkpoints, Meta
    from collab.redis.server import Reply, Server

GROUP_RECORDS = 4096
GROUP_BYTES = 16 * 2**20
"""What is sent at once ends at either."""
RETRY = (0.05, 5.0)
"""Seconds before the first try after a failure, doubling, and at most."""
LINES = 4096
"""Documents that are remembered though nothing waits for them."""

_FENCED, _FORGOTTEN = -1, -2
"""What the scripts answer when somebody else has the document, and when Redis has forgotten that we have it, or what we appended."""
_EDITS = frozenset({Kind.UPDATE, Kind.MERGE})
_IN_A_STATE = frozenset({Kind.UPDATE, Kind.MEND})
"""Records that say nothing more than the state behind them."""
_NAMING = frozenset({Kind.ANNOUNCE, Kind.GIVEN})
"""Records whose place names a state."""

_FENCE: Final = (
    LUA
    + """
local id, fence = ARGV[2], tonumber(ARGV[3])
local row = redis.call('HMGET', doc(id), 'fence', 'position', 'begun', 'edited', 'saved', 'trimmed')
local held = tonumber(row[1] or '0')
if held > fence then return -1 end
if held < fence then return -2 end
local position = tonumber(row[2] or '0')
"""
)

BEGIN = Script(
    _FENCE
    + """
if tonumber(row[3] or '0') ~= fence then
  position = math.max(position, tonumber(ARGV[4]), millis())
  redis.call('HSET', doc(id), 'begun', int(fence), 'position', int(position))
end
return position
"""
)
"""Where a new fencing number's records begin: above whatever was there, also if Redis has forgotten it, as positions are never given again."""

APPEND = Script(
    _FENCE
    + """
local first, edited, saved = tonumber(ARGV[4]), tonumber(row[4] or '0'), tonumber(row[5] or '0')
if position < first - 1 or tonumber(row[3] or '0') ~= fence then return -2 end
local new = false
for at = 5, #ARGV, 5 do
  if first > position then
    new, position = true, first
    redis.call('XADD', log(id), int(position) .. '-0', 'k', ARGV[at], 'm', ARGV[at + 3], 'b', ARGV[at + 4])
    if ARGV[at + 1] == '1' then edited = position end
    saved = math.max(saved, tonumber(ARGV[at + 2]))
  end
  first = first + 1
end
if new then
  redis.call('HSET', doc(id), 'position', int(position), 'edited', int(edited), 'saved', int(saved))
  settled(id, edited, saved)
end
return position
"""
)
"""For each record: kind, whether it is an edit, the `place` of a SAVED, meta, body."""

TRIM = Script(
    _FENCE
    + """
local trimmed = tonumber(ARGV[4])
if trimmed >= tonumber(row[6] or '0') then
  redis.call('XTRIM', log(id), 'MINID', int(trimmed + 1) .. '-0')
  redis.call('HSET', doc(id), 'trimmed', int(trimmed))
end
return 0
"""
)

SEAL = Script(
    _FENCE
    + """
redis.call('HSET', doc(id), 'trimmed', int(position), 'edited', ARGV[4], 'saved', '0')
settled(id, tonumber(ARGV[4]), 0)
return 0
"""
)

LOAD = Script(
    LUA
    + """
return {redis.call('HGET', doc(ARGV[2]), 'trimmed') or '0', redis.call('XRANGE', log(ARGV[2]), '-', '+')}
"""
)

FORGET = Script(
    LUA
    + """
local id = ARGV[2]
redis.call('DEL', log(id))
redis.call('SREM', P .. 'unsaved', id)
if redis.call('HEXISTS', doc(id), 'node') == 1 then
  redis.call('HDEL', doc(id), 'edited', 'saved', 'trimmed')
else
  redis.call('DEL', doc(id))
end
return 0
"""
)


class _Entry(NamedTuple):
    """A record that waits; `size` is what it counts for in `pending_bytes`."""

    kind: Kind
    place: int
    meta: str
    body: bytes
    size: int
    future: asyncio.Future[int]

    def words(self) -> tuple[bytes | str | int, ...]:
        """As the script takes it."""
        return self.kind.value, int(self.kind in _EDITS), self.place, self.meta, self.body


@dataclass(eq=False, slots=True)
class _Line:
    """What waits for one document under one fencing number."""

    document: str
    fence: int
    position: int | None = None
    """The last that Redis has of us; None: it was not asked yet."""
    waiting: deque[_Entry] = field(default_factory=deque)
    forgotten: bool = False
    """Redis has forgotten; everything waits until the owner has told what the document is."""


class RedisJournal:
    """A `Journal` on a Redis. A document is written by whoever has its claim: `fence` tells the number, None for none.

    Told are: `fenced(document, fence)`, when another node has it by now; `forgotten(document, fence)`, when Redis has forgotten that we have it,
    or what we appended: then everything of the document waits until its owner has claimed it again and calls `refill`, or `abandon`.
    """

    def __init__(
        self,
        server: Server,
        checkpoints: Checkpoints,
        fence: Callable[[str], int | None],
        *,
        prefix: str = PREFIX,
        retry: tuple[float, float] = RETRY,
    ) -> None:
        self._server = server
        self._checkpoints = checkpoints
        self._fence = fence
        self._prefix = prefix
        self._shortest, self._longest = retry
        self._delay = 0.0
        self._lines: dict[str, _Line] = {}
        self._active: dict[_Line, None] = {}
        """Those with something to send, the oldest first."""
        self._floors: dict[str, int] = {}
        """Positions up to which a document's log was seen."""
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        """Set, and replaced by a new one, whenever there is something to look at again."""
        self._ending = asyncio.Event()
        """Nothing is tried again."""
        self._closed = False
        self._records = self._bytes = 0
        self.fenced: Callable[[str, int], None] = lambda _, __: None
        self.forgotten: Callable[[str, int], None] = lambda _, __: None

    @property
    def trouble(self) -> str | None:
        """Why something can't be made durable just now, in words, or None."""
        if self._failure is None and any(line.forgotten for line in self._lines.values()):
            return "Redis has lost its memory; what this server has is written again"
        return self._failure

    @property
    def pending_records(self) -> int:
        """Records that wait to become durable."""
        return self._records

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait to become durable."""
        return self._bytes

    # --- appending

    def append(self, document: str, record: Record) -> asyncio.Future[int]:
        """Queue the record (see the port); the future's result is its position. It may be `Fenced`."""
        self._check()
        meta = json.dumps(record.meta) if record.meta else ""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        line = self._line(document)
        if line is None or self._ending.is_set():
            _fail(future, _moved(document) if line is None else Unavailable(GIVEN_UP))
            return future
        size = len(record.body) + len(meta)
        line.waiting.append(_Entry(record.kind, _place(record), meta, record.body, size, future))
        self._records += 1
        self._bytes += size
        self._activate(line)
        return future

    def _line(self, document: str) -> _Line | None:
        """Where records of this document wait now; None: another node has it."""
        line, fence = self._lines.get(document), self._fence(document)
        if line is not None and (line.forgotten or line.fence == fence):
            return line
        if line is not None:
            self._give_up(line)
        if fence is None:
            return None
        if len(self._lines) >= LINES:
            self._lines = {each: known for each, known in self._lines.items() if known.waiting or self._fence(each) == known.fence}
        line = self._lines[document] = _Line(document, fence)
        return line

    def _activate(self, line: _Line) -> None:
        if line.forgotten or not line.waiting:
            return
        self._active[line] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._active:
                try:
                    await self._round()
                except Unavailable as error:
                    self._failure = error.detail
                    self._notify()
                    if self._ending.is_set():
                        return
                    await self._pause()
                else:
                    self._failure, self._delay = None, 0.0
                    self._notify()
        finally:
            self._task = None

    async def _pause(self) -> None:
        self._delay = min(max(self._shortest, self._delay * 2), self._longest)
        try:
            async with asyncio.timeout(self._delay):
                await self._ending.wait()
        except TimeoutError:
            return

    async def _round(self) -> None:
        """Send what waits, once. Unavailable: some of it was refused, or nobody knows."""
        sent = self._gathered()
        calls = [
            Call(BEGIN, (self._prefix, line.document, line.fence, self._floors.get(line.document, 0)))
            if line.position is None
            else self._append_call(line, entries)
            for line, entries in sent
        ]
        refused: Unavailable | None = None
        for (line, entries), reply in zip(sent, await self._server.call_all(calls), strict=True):
            if isinstance(reply, Unavailable):
                refused = refused or reply
            elif self._stands(line, reply):
                self._take(line, entries, reply)
        if refused is not None:
            raise refused

    def _gathered(self) -> list[tuple[_Line, list[_Entry]]]:
        records = size = 0
        sent = []
        for line in self._active:
            entries: list[_Entry] = []
            for entry in line.waiting if line.position is not None else ():
                if records >= GROUP_RECORDS or size >= GROUP_BYTES:
                    break
                entries.append(entry)
                records += 1
                size += entry.size
            if entries or line.position is None:
                sent.append((line, entries))
        return sent

    def _append_call(self, line: _Line, entries: Iterable[_Entry]) -> Call:
        first = (line.position or 0) + 1
        return Call(APPEND, (self._prefix, line.document, line.fence, first, *(word for entry in entries for word in entry.words())))

    def _take(self, line: _Line, entries: list[_Entry], reply: Reply) -> None:
        """Redis has these."""
        if line.position is None:
            line.position = int(reply)
            return
        for entry in entries:
            if not line.waiting or line.waiting[0] is not entry:
                return  # given up meanwhile
            line.position += 1
            self._settle(line.waiting.popleft(), line.position)
        self._active.pop(line, None)
        self._activate(line)

    def _settle(self, entry: _Entry, position: int | CollabError) -> None:
        self._records -= 1
        self._bytes -= entry.size
        if isinstance(position, CollabError):
            _fail(entry.future, position)
        elif not entry.future.done():
            entry.future.set_result(position)

    def _stands(self, line: _Line, reply: Reply) -> bool:
        """Whether a line's number was the one that Redis knows."""
        if reply == _FENCED:
            self._give_up(line)
            self.fenced(line.document, line.fence)
        elif reply == _FORGOTTEN:
            self._active.pop(line, None)
            if self._lines.get(line.document) is line:
                line.forgotten = True
                self.forgotten(line.document, line.fence)
        else:
            return True
        return False

    def _give_up(self, line: _Line) -> None:
        """Another node has the document: what waits is to be sent there."""
        self._active.pop(line, None)
        if self._lines.get(line.document) is line:
            del self._lines[line.document]
        while line.waiting:
            self._settle(line.waiting.popleft(), _moved(line.document))
        self._notify()

    # --- a Redis that forgot

    async def check(self) -> None:
        """Redis was restarted or replaced: whether it has what it had acknowledged. What it has not is told to `forgotten`. Unavailable: of some
        nobody knows yet.
        """
        lines = [line for line in self._lines.values() if line.position is not None and not line.forgotten]
        replies = await self._server.call_all([self._append_call(line, ()) for line in lines])
        refused: Unavailable | None = None
        for line, reply in zip(lines, replies, strict=True):
            if isinstance(reply, Unavailable):
                refused = reply
            else:
                self._stands(line, reply)
        if refused is not None:
            raise refused

    async def refill(self, document: str, state: bytes, meta: Meta, *, ahead: bool) -> int:
        """Redis has forgotten a document, and it was claimed again: its log begins anew with this state, at the position that is given back, above
        all that were given before. `ahead`: the file does not hold the state.

        The state has everything that was appended before the call. What waited of that is done; a record whose place was to name a state before
        this one fails with `Unavailable`. What was appended since follows. Fenced, Unavailable: it is forgotten still.
        """
        fence, line = self._fence(document), self._lines.get(document)
        if fence is None:
            raise _moved(document)
        covered = len(line.waiting) if line is not None else 0
        position = await self._fenced_call(BEGIN, document, fence, self._floors.get(document, 0))
        await self._checkpoints.put(document, Checkpoint(position, state, json.loads(json.dumps(meta))))
        await self._fenced_call(SEAL, document, fence, position if ahead else 0)
        self._follow(_Line(document, fence, position), covered)
        return position

    def _follow(self, line: _Line, covered: int) -> None:
        """The new line has what waited in the old one, but for the first ones, as far as they are in the state that it begins with."""
        old = self._lines.get(line.document)
        self._lines[line.document] = line
        waiting = list(old.waiting) if old is not None else []
        if old is not None:
            # An answer to what was sent before may still come.
            old.waiting.clear()
            self._active.pop(old, None)
        for place, entry in enumerate(waiting):
            if place < covered and entry.kind in _IN_A_STATE:
                self._settle(entry, line.position or 0)
            elif place < covered and entry.kind in _NAMING:
                self._settle(entry, Unavailable("Redis had lost its memory; try again"))
            else:
                line.waiting.append(entry)
        self._activate(line)
        self._notify()

    def suspend(self, document: str) -> None:
        """Redis has forgotten that we have this document: everything of it waits until `refill` or `abandon`."""
        line = self._lines.setdefault(document, _Line(document, 0))
        line.forgotten = True
        self._active.pop(line, None)

    def abandon(self, document: str) -> None:
        """Nobody has what Redis has forgotten of this document: what waits is refused."""
        line = self._lines.get(document)
        if line is not None and line.forgotten:
            self._give_up(line)

    # --- reading

    async def load(self, document: str) -> Log:
        """The log with everything appended before."""
        await self._flushed(document)
        trimmed, rows = await self._server.call(LOAD, self._prefix, document)
        records = tuple(_record(*row) for row in rows)
        # Behind the records: when both change in between, the newer checkpoint has what was trimmed.
        known = await self._checkpoint_of(document, whole=bool(records) and records[0][1].kind is Kind.SEED and int(trimmed) == 0)
        if known is None and int(trimmed) == 0:
            return Log(records=records)
        if known is None or known.position < int(trimmed):
            raise Unavailable("the archive has an older state of the document than Redis goes on from: was it restored from a backup?")
        self._floors[document] = known.position
        return Log(known.state, known.meta, known.position, tuple(each for each in records if each[0] > known.position))

    async def _checkpoint_of(self, document: str, *, whole: bool) -> Checkpoint | None:
        """An archive that does not answer is not needed for a log that is whole."""
        try:
            return await self._checkpoints.get(document)
        except Unavailable:
            if whole:
                return None
            raise

    async def checkpoint(self, document: str, position: int, state: bytes, meta: Meta) -> None:
        """Replace the records up to and with `position`: durable in the archive, and only then out of Redis."""
        self._check()
        if self.trouble is not None:
            raise Unavailable(self.trouble)
        fence = self._fence(document)
        if fence is None:
            raise _moved(document)
        await self._checkpoints.put(document, Checkpoint(position, state, json.loads(json.dumps(meta))))
        await self._fenced_call(TRIM, document, fence, position)

    async def forget(self, document: str) -> None:
        """Drop the document's log."""
        await self._flushed(document)
        await self._server.call(FORGET, self._prefix, document)
        await self._checkpoints.forget(document)

    async def unsaved(self) -> list[str]:
        """The documents whose file lags behind, sorted."""
        await self._flushed(None)
        found = await self._server.ask("SMEMBERS", f"{self._prefix}unsaved")
        return sorted(document.decode() for document in found)

    def give_up(self) -> None:
        """Redis is asked nothing more: what waits, and what comes, fails with `Unavailable`, though some of it may have arrived."""
        self._ending.set()
        self._failure = self._failure or GIVEN_UP
        self._refuse(GIVEN_UP)

    async def close(self) -> None:
        """Send what waits, once; what Redis still refuses fails with `Unavailable`. Idempotent."""
        self._ending.set()
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])
        self._refuse("the journal was closed before this was durable")

    def _refuse(self, words: str) -> None:
        for line in self._lines.values():
            while line.waiting:
                self._settle(line.waiting.popleft(), Unavailable(words))
        self._active.clear()
        self._notify()

    async def _fenced_call(self, script: Script, document: str, fence: int, argument: int) -> int:
        answer = int(await self._server.call(script, self._prefix, document, fence, argument))
        if answer == _FENCED:
            self.fenced(document, fence)
            raise _moved(document)
        if answer == _FORGOTTEN:
            line = self._lines.setdefault(document, _Line(document, fence))
            line.forgotten = True
            self._active.pop(line, None)
            self.forgotten(document, fence)
            raise Unavailable("Redis has forgotten this document")
        return answer

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("the journal is closed")

    async def _flushed(self, document: str | None) -> None:
        """Everything appended before is durable, whatever is appended meanwhile; while Redis refuses, only what was appended to `document` is waited for."""
        self._check()
        lines = [*self._active] if document is None else [line for line in (self._lines.get(document),) if line is not None]
        last = [(line.document, line.waiting[-1]) for line in lines if line.waiting]
        while last := [each for each in last if self._waits(*each, anyway=document is not None)]:
            await self._moved.wait()
        self._check()

    def _waits(self, document: str, entry: _Entry, *, anyway: bool) -> bool:
        line = self._lines.get(document)
        if line is None or not (anyway or (self._failure is None and not line.forgotten)):
            return False
        return any(each is entry for each in line.waiting)

    def _notify(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def _fail(future: asyncio.Future[int], error: CollabError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever waits is told; nobody needs to


def _moved(document: str) -> Fenced:
    return Fenced(f"The document is open on another server by now ({document}); come back in a moment.")


def _place(record: Record) -> int:
    place = record.meta.get("place", 0)
    return place if record.kind is Kind.SAVED and isinstance(place, int) else 0


def _record(entry: bytes, values: list[bytes]) -> tuple[int, Record]:
    held = dict(zip(values[::2], values[1::2], strict=True))
    meta = json.loads(held[b"m"]) if held[b"m"] else {}
    return int(entry.partition(b"-")[0]), Record(Kind(held[b"k"].decode()), held[b"b"], meta)
