"""Readers of one document: pages and streams of events, as a browser's script and as thousands of quiet sockets."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import httpx
from serving import PATIENCE

from collab.access import Role
from collab.web.server import Server, configure, listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from serving import Served
    from standing import Site

Event = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class Street:
    """A site with a socket, in this process: streams come as they are sent."""

    site: Site
    url: str

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        given = headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.url, headers=given, timeout=PATIENCE, limits=httpx.Limits(max_connections=200))

    def of(self, role: Role = Role.EDITOR, document: str | None = None) -> httpx.AsyncClient:
        return self.client(self.site.token(role, document))


@asynccontextmanager
async def opened(site: Site) -> AsyncIterator[Street]:
    """A site behind its own door."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def nothing() -> None:
        pass

    with listen("127.0.0.1", 0) as listener:
        config = configure(site.app.web, site.app.door)
        config.lifespan = "off"
        server = Server(config, begin=nothing, drain=lambda: None, stop=nothing, ready=ready.set_result, drain_seconds=0.0)
        serving = asyncio.get_running_loop().create_task(server.serve([listener]))
        try:
            yield Street(site, f"http://127.0.0.1:{await ready}")
        finally:
            server.interrupt()
            await serving


def version_of(page: str) -> str:
    """The version of a page's document."""
    found = re.search(r' data-version="(\w+)"', page)
    assert found is not None, page[:500]
    return found[1]


def address(name: str) -> str:
    return f"/v/{quote(name)}"


@dataclass(slots=True)
class Page:
    """What a reader's page shows, kept new as its script does it."""

    html: str
    version: str
    blocks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, html: str) -> Page:
        inside = html.partition('<article id="body" class="sheet">')[2].partition("</article>")[0]
        return cls(html, version_of(html), re.split(r'(?=<div class="b">)', inside)[1:])

    def apply(self, patch: dict[str, Any]) -> None:
        assert patch["from"] == self.version
        for at, remove, insert in reversed(patch["splices"]):
            self.blocks[at : at + remove] = [f'<div class="b">{html}</div>' for _, html in insert]
        self.version = patch["to"]


@asynccontextmanager
async def following(client: httpx.AsyncClient, name: str, has: str = "", **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a document's stream, without the lines that say nothing."""
    given = {"Accept": "text/event-stream", **({"Last-Event-ID": has} if has else {}), **headers}
    async with client.stream("GET", address(name), headers=given) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[Event]:
    rest = ""
    async for piece in answer.aiter_text():
        *events, rest = (rest + piece).split("\n\n")
        for event in events:
            lines = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
            if "event" in lines:
                yield lines["event"], json.loads(lines["data"])


async def next_of(events: AsyncIterator[Event], kind: str) -> dict[str, Any]:
    """The next event of this kind."""
    async with asyncio.timeout(PATIENCE):
        async for found, data in events:
            if found == kind:
                return data
    raise AssertionError(f"the stream ended without {kind}")


class Listener(asyncio.Protocol):
    """One reader of a crowd: it looks for words in the lines that it is sent, and remembers when they came."""

    def __init__(self, request: bytes, seen: Callable[[bytes], None]) -> None:
        self._request = request
        self._seen = seen
        self._line = bytearray()
        """What came of a line that is not whole yet: a word may come in two pieces."""
        self.heard = 0
        self.begun = asyncio.get_running_loop().create_future()
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        ended, end, begun = data.rpartition(b"\n")
        if not end:
            self._line += data
            return
        lines = bytes(self._line + ended)
        self._line[:] = begun
        if not self.begun.done() and b"event: about" in lines:
            self.begun.set_result(None)
        self._seen(lines)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.over.done():
            self.over.set_result(None)


async def listening(server: Served, name: str, token: str, has: str, seen: Callable[[bytes], None], *, small: bool = False) -> Listener:
    """A reader, connected; `small`: its system takes little that it does not read."""
    lines = [
        f"GET {address(name)} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {token}",
        "Accept: text/event-stream",
        f"Last-Event-ID: {has}",
        "",
        "",
    ]
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await loop.sock_connect(sock, ("127.0.0.1", server.port))
    _, listener = await loop.create_connection(lambda: Listener("\r\n".join(lines).encode(), seen), sock=sock)
    await asyncio.wait_for(listener.begun, 60)
    return listener
