"""The bytes of files, over HTTP to and from the data server that the gateway names."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import httpx

from collab.errors import Malformed, TooLarge, Unavailable, Unsupported
from collab.gateway.codes import transfer_refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence

    from collab.gateway.resources import Endpoint

TIMEOUT: Final = 60.0
"""Seconds in which something of a body must have come or gone."""
PIECE: Final = 64 * 1024
_PLAIN: Final = ("simple", "spaces")
"""Protocols that are one request; servers offer them in any order, beside others."""


class Transfers:
    """Connections to data servers, kept for a while. All raise what `codes.HTTP_ERRORS` says, and `Unavailable`. `about` names the file in errors."""

    def __init__(self, *, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._opened: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Let go of the connections. Idempotent."""
        if self._opened is not None:
            client, self._opened = self._opened, None
            await client.aclose()

    async def download(self, ways: Sequence[Endpoint], token: str, *, limit: int, about: str) -> bytes:
        """A whole body; TooLarge over `limit` bytes."""
        body = bytearray()
        async with self.pieces(ways, token, about=about) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > limit:
                    raise TooLarge(f"the file has over {limit} bytes: {about}")
        return bytes(body)

    @asynccontextmanager
    async def pieces(self, ways: Sequence[Endpoint], token: str, *, about: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A body piece by piece."""
        way = _way(ways, about)
        with _translated(about):
            request = self._client().stream("GET", way.address, headers=_headers(way, token))
            async with request as answer:
                if answer.status_code != httpx.codes.OK:
                    raise transfer_refusal(answer.status_code, about)
                yield answer.aiter_bytes(PIECE)

    async def upload(  # noqa: PLR0913 - the facts of a body
        self, ways: Sequence[Endpoint], token: str, body: AsyncIterable[bytes], *, length: int, about: str, lock: str = "", holder: str = ""
    ) -> str:
        """Send just `length` bytes: servers take fewer as they are, and cut off more. The file's new etag, empty when the server does not tell it.

        `lock` and `holder`: the id of the lock and the application's name. Unavailable may also mean that the file is there, and the answer was lost.
        """
        way = _way(ways, about)
        headers = {**_headers(way, token), "Content-Length": str(length), "Content-Type": "application/octet-stream"}
        if lock:
            headers |= {"X-Lock-Id": lock, "X-Lock-Holder": holder}
        with _translated(about):
            answer = await self._client().put(way.address, content=_exactly(body, length, about), headers=headers)
        if not answer.is_success:
            raise transfer_refusal(answer.status_code, about)
        return str(answer.headers.get("ETag") or answer.headers.get("OC-ETag") or "")

    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            # The system's certificates, or those of SSL_CERT_FILE; a proxy of the environment is for the outer world.
            trusted = ssl.create_default_context()
            self._opened = httpx.AsyncClient(timeout=httpx.Timeout(self._timeout), verify=trusted, trust_env=False)
        return self._opened


class _translated:  # noqa: N801 - used as a function
    """The library's errors are a data server that is away."""

    def __init__(self, about: str) -> None:
        self._about = about

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, httpx.HTTPError | httpx.StreamError | httpx.InvalidURL):
            # The library's words may hold the address, which may hold a token.
            raise Unavailable(f"the storage's data server broke off ({type(error).__name__}): {self._about}") from None


def _way(ways: Sequence[Endpoint], about: str) -> Endpoint:
    for protocol in _PLAIN:
        for way in ways:
            if way.protocol == protocol:
                return way
    raise Unsupported(f"the storage offers no plain transfer, only {', '.join(way.protocol for way in ways) or 'none'}: {about}")


def _headers(way: Endpoint, token: str) -> dict[str, str]:
    return {"X-Access-Token": token, **({"X-Reva-Transfer": way.token} if way.token else {})}


async def _exactly(body: AsyncIterable[bytes], length: int, about: str) -> AsyncIterator[bytes]:
    """Nothing but the announced number of bytes."""
    sent = 0
    async for piece in body:
        sent += len(piece)
        if sent > length:
            break
        yield piece
    if sent != length:
        raise Malformed(f"a body of {length} bytes was announced, and another came: {about}")
