"""pycrdt as a client: its own provider over a WebSocket of `websockets`, in the words of y-websocket."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar

from pycrdt import Doc, Provider, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SECONDS = 60.0


@dataclass(slots=True)
class WebSocketChannel:
    """What pycrdt's provider asks of a transport: one message a frame, and an end when the connection ends."""

    connection: ClientConnection

    @property
    def path(self) -> str:
        assert self.connection.request is not None
        return self.connection.request.path

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None

    async def recv(self) -> bytes:
        message = await self.connection.recv()
        assert isinstance(message, bytes)
        return message

    async def send(self, message: bytes) -> None:
        await self.connection.send(message)


@dataclass(slots=True)
class PycrdtPeer:
    """A pycrdt document and its connection; it may be disconnected, changed and connected again."""

    room: str
    """The address of the document, token included."""
    doc: Doc[Text] = field(default_factory=Doc)
    content: Text = field(init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.content = self.doc.get("content", type=Text)

    @property
    def text(self) -> str:
        return str(self.content)

    async def __aenter__(self) -> Self:
        """Connected, and synced for the first time; the same task has to leave again."""
        stack = AsyncExitStack()
        connection = await stack.enter_async_context(connect(self.room, max_size=None, open_timeout=SECONDS))
        provider = await stack.enter_async_context(Provider(self.doc, WebSocketChannel(connection)))
        watch = self.content.observe(lambda _: self._news.set())
        stack.callback(self.content.unobserve, watch)
        self._stack = stack
        async with asyncio.timeout(SECONDS):
            await provider.synced.wait()
        return self

    async def __aexit__(self, *error: object) -> None:
        """The connection is closed after what is still to be sent."""
        await self._stack.aclose()

    async def until(self, condition: Callable[[], T], *, within: float = SECONDS) -> T:
        """The condition's first true value, looked at whenever the text changed."""
        try:
            async with asyncio.timeout(within):
                while not (value := condition()):
                    self._news.clear()
                    await self._news.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"pycrdt did not come to this within {within} s: {self.text[-3000:]!r}") from None

    async def holds(self, lines: Counter[str]) -> None:
        """Until the text has exactly these lines, in whatever order."""
        await self.until(lambda: Counter(self.text.splitlines()) == lines)

    async def reads(self, text: str) -> None:
        await self.until(lambda: self.text == text)

    async def line(self, text: str, place: float) -> None:
        """A line of its own, at the border of lines that `place` (0 to 1) picks."""
        body = self.text.encode()
        borders = [0, *(at + 1 for at, byte in enumerate(body) if byte == 0x0A)]
        self.content.insert(borders[min(len(borders) - 1, int(place * len(borders)))], text + "\n")
