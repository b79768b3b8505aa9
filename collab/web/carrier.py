"""A room's connection over plain HTTP: messages go down as numbered events, in one answer or in many, and come up as numbered batches.

Nothing here knows HTTP: `collab.web.transport` does. To the rooms a carrier is what a socket is (`Outbound`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, ClassVar, Final

from collab.errors import CollabError, Conflict, NotFound, TooMany
from collab.frames import MessageTooBig, payloads
from collab.web.websocket import ABNORMAL, HIGH_WATER, LOW_WATER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from collab.runtime.outbound import Inbound

KEPT: Final = 256 * 1024
"""Bytes of events that were sent and are kept, for a client whose answer was cut."""
RESUME: Final = 15.0
"""Seconds without anybody who reads, after which the connection is over; also for which its last words wait for a reader."""
PIECE: Final = 64 * 1024
"""Bytes of events that are sent at once, about."""
ANSWER: Final = 1024 * 1024
"""Bytes of events in one answer, about, for clients that get them in many."""
READERS: Final = 3
"""Requests at once that bring messages: one that is taken, one that waits, and one whose line is cut and who does not know it yet."""

logger = logging.getLogger("collab.web")


class Gone(NotFound):
    """The connection is over: the client opens another one, and syncs."""

    status: ClassVar[int] = 410
    reason: ClassVar[str] = "gone"


class Gap(Conflict):
    """A batch was left out: nothing is taken any more, so that no word is missing unseen."""

    reason: ClassVar[str] = "gap"


class Carrier:
    """One connection. `left` is called once, when nobody can ask for it any more; `ended` with the close code as soon as it is over."""

    def __init__(self, limit: int, refused: Callable[[str], None], left: Callable[[], None]) -> None:
        self.limit = limit
        self.name = "-"
        """For the log."""
        self.over = False
        self._refused = refused
        self._left = left
        self._inbound: Inbound | None = None
        self._loop = asyncio.get_running_loop()
        self._context = Context()
        """The connection's work is nobody's request."""
        self._events: deque[tuple[int, bytes]] = deque()
        """Sent and kept, then waiting; numbered from 1."""
        self._last = 0
        self._sent = 0
        """The number of the last event that was given to the reader."""
        self._held = 0
        """Bytes of all events here."""
        self._waiting = 0
        """Bytes of those not given yet."""
        self._stuck = False
        self._reader: object | None = None
        self._wake = asyncio.Event()
        self._alone: asyncio.TimerHandle | None = self._loop.call_later(RESUME, self._abandoned)
        self._paused = False
        self._taken = 0
        """The number of the last batch."""
        self._unread: Iterator[bytes] | None = None
        self._read = asyncio.Event()
        self._read.set()
        self.readers = 0
        """Requests that bring messages, now."""

    def begin(self, inbound: Inbound) -> None:
        """It is open."""
        self._inbound = inbound

    # --- what a connection sees

    def write(self, data: bytes) -> None:
        """Send frames, as they would go into a socket."""
        if self.over:
            return
        for payload in payloads(data):
            self._add(b"data: " + b64encode(payload))
        if self._waiting > HIGH_WATER and not self._stuck:
            self._stuck = True
            if self._inbound is not None:
                self._inbound.stalled()

    def close(self, code: int, reason: str) -> None:
        """The last event says so; whoever reads has some seconds to hear it."""
        if not self.over:
            self._add(b"event: close\ndata: " + json.dumps({"code": code, "reason": reason}).encode())
            self._end(code)

    def pause(self) -> None:
        """Take no more messages from the peer."""
        self._paused = not self.over

    def resume(self) -> None:
        """Take them again."""
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._read_on, context=self._context)

    def buffered(self) -> int:
        """Bytes that wait."""
        return self._waiting

    # --- down

    def _add(self, lines: bytes) -> None:
        self._last += 1
        event = b"id: %d\n%b\n\n" % (self._last, lines)
        self._events.append((self._last, event))
        self._held += len(event)
        self._waiting += len(event)
        self._wake.set()

    def seen(self, number: int) -> None:
        """The client has all events until this one: they need not be kept."""
        self._forget(min(number, self._sent), 0)

    def _forget(self, upto: int, most: int) -> None:
        while self._events and self._held > most and self._events[0][0] <= upto:
            self._held -= len(self._events.popleft()[1])

    def check(self, after: int) -> None:
        """Whether the events behind this number can be given. Gone, and the connection is over: they can't, and a word would be missing."""
        if after > self._last:
            raise Conflict("no event of this number was ever sent")
        if (self._events[0][0] if self._events else self._last + 1) > after + 1:
            if not self.over:
                self._end(ABNORMAL)
            raise Gone("what followed that event is not kept any more: open a new connection")

    async def read(self, after: int, idle: float) -> AsyncGenerator[bytes, None]:
        """The events behind this number, which was checked, as they come; b"" after `idle` seconds without any. A second reader takes the place of
        the first.
        """
        try:
            me = self._begin(after)
        except Gone:
            return  # since it was checked
        try:
            while (piece := await self._piece(me, PIECE, idle)) is not None:
                yield piece
                self._given()
        finally:
            self._done(me)

    async def answer(self, after: int, seconds: float) -> bytes:
        """The events behind this number, which was checked: those that are there, or the first that come within so many seconds."""
        me = self._begin(after)
        try:
            return await self._piece(me, ANSWER, seconds) or b""
        finally:
            self._given()
            self._done(me)

    def _begin(self, after: int) -> object:
        self.check(after)
        me = self._reader = object()
        self._wake.set()  # whoever read before looks again
        if self._alone is not None and not self.over:
            self._alone.cancel()
        self._rewind(after)
        return me

    def _done(self, me: object) -> None:
        if self._reader is me:
            self._reader = None
            self._be_alone()

    async def _piece(self, me: object, most: int, seconds: float) -> bytes | None:
        """What comes next, b"" when nothing came in time, and None when nothing will."""
        while self._reader is me:
            if piece := self._next(most):
                return piece
            if self.over:
                return None
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return b""
        return None

    def _rewind(self, after: int) -> None:
        """What was given behind this number did not arrive."""
        self._forget(after, 0)
        self._sent = after
        self._waiting = self._held
        self._given()

    def _next(self, most: int) -> bytes:
        """What is to be sent now, about so many bytes; it counts as sent."""
        found: list[bytes] = []
        size = 0
        first = self._sent - self._events[0][0] + 1 if self._events else 0
        for index in range(max(0, first), len(self._events)):
            number, event = self._events[index]
            if found and size + len(event) > most:
                break
            found.append(event)
            size += len(event)
            self._sent = number
        self._waiting -= size
        return b"".join(found)

    def _given(self) -> None:
        self._forget(self._sent, KEPT)
        if self._stuck and self._waiting <= LOW_WATER:
            self._stuck = False
            if self._inbound is not None and not self.over:
                self._loop.call_soon(self._drained, context=self._context)

    def _drained(self) -> None:
        if self._inbound is not None and not self.over:
            self._inbound.drained()

    # --- up

    async def take(self, number: int, messages: Sequence[bytes]) -> None:
        """A batch, in its turn: when this returns it was handled, and one that comes again is not. Gap; Gone; TooMany."""
        self._ordered(number)
        while not self._read.is_set() and number > self._taken:
            await self._read.wait()
            self._ordered(number)
        if number <= self._taken:
            return
        self._taken = number
        self._unread = iter(messages)
        self._read.clear()
        self._loop.call_soon(self._read_on, context=self._context)
        await self._read.wait()

    def _ordered(self, number: int) -> None:
        if self.over:
            raise Gone("the connection is over: open a new one")
        if number > self._taken + 1:
            raise Gap(f"batch {self._taken + 1} is the next one, and not {number}")

    def enter(self) -> None:
        """A request brings messages. TooMany."""
        if self.readers >= READERS:
            raise TooMany("too many requests at once bring messages of this connection: send one, and wait for its answer")
        self.readers += 1

    def _read_on(self) -> None:
        """Until the connection wants no more: also what came already waits then."""
        if self._unread is None or self._paused:
            return
        for message in self._unread:
            if self._wants_no_more(message):
                return
        self._unread = None
        self._read.set()

    def _wants_no_more(self, message: bytes) -> bool:
        self._give(message)
        return self._paused

    def _give(self, message: bytes) -> None:
        if self.over or self._inbound is None:
            return
        if len(message) > self.limit:
            self.refuse(MessageTooBig(f"The message has {len(message)} bytes; at most {self.limit} are taken now."))
            return
        try:
            self._inbound.receive(message)
        except CollabError as error:
            self.refuse(error)
        except Exception:
            logger.exception("%s: a message could not be handled", self.name)
            self._refused("error")
            self.close(1011, "error: the server failed; it is in its log")

    def refuse(self, error: CollabError) -> None:
        """Say why, count it and log it, once."""
        if not self.over:
            self._refused(error.reason)
            logger.warning("closed %s: %d %s: %s", self.name, error.close_code, error.reason, ascii(error.detail))
            self.close(error.close_code, f"{error.reason}: {error.detail}")

    # --- the end

    def hang_up(self, code: int) -> None:
        """The client goes."""
        if not self.over:
            self._end(code)

    def _abandoned(self) -> None:
        if self.over:
            self._left()
        else:
            self._end(ABNORMAL)

    def _be_alone(self) -> None:
        if self._alone is not None:
            self._alone.cancel()
        self._alone = self._loop.call_later(RESUME, self._abandoned)

    def _end(self, code: int) -> None:
        """It is over; what was said last can still be read for a while."""
        self.over = True
        self._paused = False
        self._unread = None
        self._read.set()
        self._wake.set()
        self._be_alone()
        inbound, self._inbound = self._inbound, None
        if inbound is not None:
            # Never from inside one of its own calls.
            self._loop.call_soon(inbound.lost, code, context=self._context)
