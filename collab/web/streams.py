"""Bytes of any length over HTTP: sent and received in pieces, in as much time as they need at a slow line's pace."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from collab.errors import CollabError, TimedOut, TooLarge
from collab.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    from collab.ports import Draft, Line, Reader

PIECE: Final = 256 * 1024
"""Bytes that are read and sent at once."""
FIRST: Final = 64 * 1024
"""Bytes that are read before anything is sent."""
GIVING: Final = "collab.response.given"
"""The ASGI extension, and the message, by which the rest of a body goes past the server's buffers (`collab.web.door`). The extension's value has an
attribute `write_paused`: whether more would have to wait.
"""
COMING: Final = "collab.request.coming"
"""The ASGI extension that says whether a piece of the request's body waits already: its value has an attribute `ready`, or is None."""
PATIENCE: Final = 60.0
"""Seconds that a body may take however small it is."""
SLOWEST: Final = 16 * 1024
"""Bytes a second of a line that is still waited for."""
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.IGNORECASE)


class Broken(ConnectionError):
    """An answer ended in the middle. The server closes the connection, so that nobody takes a part for the whole."""


class Pace:
    """Until when a body is waited for, by how much of it there was."""

    def __init__(self) -> None:
        self._end = asyncio.get_running_loop().time() + PATIENCE

    def waiting(self, size: int) -> asyncio.Timeout:
        """For more, after so many bytes. Raises `TimeoutError` inside."""
        return asyncio.timeout_at(self.end(size))

    def end(self, size: int) -> float:
        """Until when more is waited for, after so many bytes; by the loop's clock."""
        return self._end + size / SLOWEST


class Streamed(Response):
    """A part of an open file; closes it."""

    def __init__(self, reader: Reader, span: range, status: int, headers: Mapping[str, str]) -> None:
        # As Starlette's own, which looks for what is never there.
        self.status_code = status
        self.background = None
        told = {**headers, "Content-Length": str(len(span))}
        self.raw_headers = [_raw(name, value) for name, value in told.items()]
        self._reader = reader
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Broken when it is not whole: somebody wrote into the file, the storage failed, or the line is too slow."""
        del receive
        try:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            if scope["method"] == "HEAD" or not self._span:
                await send(start)
                await send({"type": "http.response.body", "body": b""})
                return
            # The first piece before the headers: until then whatever is wrong can be told.
            piece = await self._reader.read(self._span.start, min(FIRST, len(self._span)))
            await send(start)
            line = scope.get("extensions", {}).get(GIVING)
            if len(piece) == len(self._span) and line is not None and not line.write_paused:
                # Nobody is waited for, so nobody's patience runs.
                await send({"type": "http.response.body", "body": piece})
                return
            try:
                await self._send(piece, send, given=line is not None)
            except (CollabError, TimeoutError) as error:
                raise Broken from error
        finally:
            self._reader.close()

    async def _send(self, piece: bytes, send: Send, *, given: bool) -> None:
        pace, at = Pace(), self._span.start
        while True:
            at += len(piece)
            left = self._span.stop - at
            async with pace.waiting(at - self._span.start):
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if not left:
                return
            if given:
                await self._give(pace, at, send)
                return
            piece = await self._reader.read(at, min(PIECE, left))
            if not piece:
                raise Broken

    async def _give(self, pace: Pace, at: int, send: Send) -> None:
        span, reader = self._span, self._reader
        async with pace.waiting(at - span.start) as patience:

            async def give(line: Line) -> int:
                nonlocal at
                count = await reader.give(line, at, span.stop - at)
                at += count
                patience.reschedule(pace.end(at - span.start))
                return count

            await send({"type": GIVING, "count": span.stop - at, "give": give})


@lru_cache(1024)
def _raw(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as ASGI has it; most are those of the answer before."""
    return name.lower().encode("latin-1"), value.encode("latin-1")


def answer(method: str, asked: Mapping[str, str], reader: Reader, headers: Mapping[str, str]) -> Response:
    """The whole file or the one range that was asked for (RFC 9110, section 14); what is no such range is not asked for. `asked`: the request's headers."""
    size = reader.stat.size
    span = _span(method, asked, size, reader.stat.etag)
    if span is None:
        return Streamed(reader, range(size), 200, headers)
    if not span:
        reader.close()
        return Problem(416, "range-not-satisfiable", f"the document has {size} bytes", {"Content-Range": f"bytes */{size}"})
    return Streamed(reader, span, 206, {**headers, "Content-Range": f"bytes {span.start}-{span.stop - 1}/{size}"})


def _span(method: str, asked: Mapping[str, str], size: int, etag: str) -> range | None:
    """The range that is asked for, an empty one when the file has nothing there; None when all is."""
    wanted = asked.get("range", "").strip()
    match = _RANGE.fullmatch(wanted) if wanted else None
    condition = asked.get("if-range", "").strip()
    if method != "GET" or match is None or not any(match.groups()) or condition not in {"", f'"{etag}"'}:
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    return range(start, min(int(last) + 1, size) if first and last else size)


class Pieces:
    """The body of a request as it comes, for one who asks. TooLarge over `most` bytes, at once when the request says so beforehand; TimedOut;
    ClientDisconnect. Not a generator, which the event loop keeps account of, nor behind Starlette's: a short body is not worth that.
    """

    def __init__(self, request: Request, most: int) -> None:
        said = request.headers.get("content-length", "")
        self._announced = int(said) if said.isdecimal() else 0
        self._receive = request.receive
        self._most = most
        self._size = 0
        self._coming = request.scope.get("extensions", {}).get(COMING)
        self._pace: Pace | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if max(self._announced, self._size) > self._most:
            raise TooLarge(f"the file is too large: at most {self._most} bytes are taken")
        while not self._over:
            message = await self._next()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._over = not message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            self._size += len(piece)
            if self._size > self._most:
                raise TooLarge(f"the file is too large: at most {self._most} bytes are taken")
            if piece:
                return piece
        raise StopAsyncIteration

    async def _next(self) -> Message:
        if self._coming is not None and self._coming.ready:
            # Nobody is waited for, so nobody's patience runs.
            return await self._receive()
        self._pace = self._pace or Pace()
        try:
            async with self._pace.waiting(self._size):
                return await self._receive()
        except TimeoutError as error:
            raise TimedOut("the body came too slowly: send it again over a better line") from error


@asynccontextmanager
async def received(request: Request, draft: Draft, most: int) -> AsyncIterator[Draft]:
    """The draft with the whole body of the request; what it did not become is gone afterwards. Errors as those of `pieces` and `Draft.add`."""
    try:
        async for piece in Pieces(request, most):
            await draft.add(piece)
        yield draft
    finally:
        await draft.discard()


__all__ = ["Broken", "ClientDisconnect", "Pieces", "answer", "received"]
