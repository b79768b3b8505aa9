"""The data server: bytes of files over HTTP/1.1, for whoever has a transfer's token."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING

from serving import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cloud import Caller, Node
    from gateway.server import CloudGateway

CHUNK = 64 * 1024
REASONS = {
    200: "OK",
    404: "Not Found",
    401: "Unauthorized",
    412: "Precondition Failed",
    419: "Checksum Mismatch",
    500: "Internal Server Error",
}


@dataclass(eq=False)
class Transfer:
    """What Initiate promised. `node` None: a new file of this name in the folder `parent`."""

    caller: Caller
    node: Node | None
    parent: Node | None = None
    name: str = ""
    if_match: str = ""
    new: bool = False
    lock: str = ""
    length: int = 0
    checksum: str = ""
    version: bytes | None = None


def _nothing() -> None:
    """Nobody does anything."""


class DataServer:
    """Serves the transfers of a gateway."""

    def __init__(self, gateway: CloudGateway) -> None:
        self.gateway = gateway
        self.transfers: dict[str, Transfer] = {}
        self.port = 0
        self.deaf = False
        """The next PUT is done, and its answer lost."""
        self.then: Callable[[], object] = _nothing
        """What happens in between, once."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/data"

    def begin(self, transfer: Transfer) -> str:
        """The token of a transfer."""
        token = f"transfer-{next(self.gateway.cloud.numbers)}"
        self.transfers[token] = transfer
        return token

    async def start(self) -> None:
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None
        self.transfers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._request(reader, writer):
                pass
        self._open.discard(writer)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether another may follow."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method = line.split(" ")[0]
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields if each)}
        transfer = self.transfers.get(headers.get("x-reva-transfer", ""))
        await self.gateway.enter(method)
        gateway, moods = self.gateway, self.gateway.moods
        status, body = 503, b""
        answer: dict[str, str] = {}
        if gateway.chance(moods.away):
            pass
        elif method == "PUT":
            status, answer = await self._put(transfer, headers, reader)
        else:
            status, body = self._get(transfer)
        deaf, self.deaf = self.deaf, self.deaf and method != "PUT"
        if method == "PUT" and (deaf or gateway.chance(moods.mute)):
            then, self.then = self.then, _nothing
            then()
            writer.transport.abort()
            return False
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}", f"Content-Length: {len(body)}"]
        if status >= 400:
            lines.append("Connection: close")
        writer.write("\r\n".join([*lines, *(f"{name}: {value}" for name, value in answer.items()), "", ""]).encode())
        for start in range(0, len(body), CHUNK):
            writer.write(body[start : start + CHUNK])
            await writer.drain()
        await writer.drain()
        return status < 400

    def _get(self, transfer: Transfer | None) -> tuple[int, bytes]:
        moods = self.gateway.moods
        if transfer is None:
            return 404, b""
        if transfer.version is not None:
            return 200, transfer.version
        node = transfer.node
        if node is None or node.body is None or self.gateway.cloud.binned(node):
            return 404, b""
        if node.processing:
            node.processing -= 1
            return 500, b""
        if node.versions and self.gateway.chance(moods.torn):
            half = min(len(node.body), len(node.former)) // 2
            return 200, node.body[:half] + node.former[half:]
        return 200, node.body

    async def _put(self, transfer: Transfer | None, headers: dict[str, str], reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        gateway, cloud, moods = self.gateway, self.gateway.cloud, self.gateway.moods
        refused = self._refused(transfer, headers)
        body = await reader.readexactly(int(headers["content-length"]))
        if refused or transfer is None:
            return refused, {}
        await asyncio.sleep(0)
        node = transfer.node
        if node is not None and gateway.chance(moods.loses_locks):
            node.lock = None
            await asyncio.sleep(0.002)
        kind, _, checksum = transfer.checksum.partition(" ")
        if kind == "sha1" and sha1(body).hexdigest() != checksum:
            return 419, {}
        if (refused := self._stale(transfer)) or (node is not None and cloud.binned(node)):
            return refused or 404, {}
        body = body[: transfer.length]
        if node is None:
            assert transfer.parent is not None
            node = cloud.create(transfer.parent, transfer.name, body)
        else:
            cloud.write(node, body)
        node.processing = moods.processing
        etag = f"W/{node.etag}" if moods.odd_etags else node.etag
        return 200, {"ETag": etag, "OC-ETag": etag}

    def _refused(self, transfer: Transfer | None, headers: dict[str, str]) -> int:
        """Before the bytes are read."""
        if transfer is None:
            return 404
        if self.gateway.cloud.caller(headers.get("x-access-token", "")) is None:
            return 401
        if transfer.node is None:
            return 0
        lock = self.gateway.cloud.lock_of(transfer.node)
        told = headers.get("x-lock-id", "")
        if lock is None:
            return 412 if transfer.lock or told else 0
        return 0 if told == lock.id else 500

    def _stale(self, transfer: Transfer) -> int:
        """In one step with what follows."""
        if transfer.node is None:
            assert transfer.parent is not None
            return 412 if transfer.new and transfer.name in transfer.parent.children else 0
        stale = transfer.if_match and transfer.node.etag != transfer.if_match and not self.gateway.moods.ignores_if_match
        return 412 if stale else 0
