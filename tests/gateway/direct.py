"""The tests' gateway without sockets, for tests in virtual time: the same calls and transfers, in the caller's own event loop. A server of ours that
died (`Wire.cut`) asks nothing any more; a cloud that is away (`Sky.away`) answers nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import httpx

from collab.gateway.calls import Gateway
from collab.gateway.transfers import Transfers
from gateway.rpcs import Calls
from gateway.server import CloudGateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cloud import Cloud


class Sky:
    """A cloud's gateway and its data server, up or away."""

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.gateway = CloudGateway(cloud, seed=seed)
        self.calls = Calls(self.gateway)
        self.up = True
        self.lives = 0
        """So often it went away."""

    def leave(self) -> None:
        """Away: what was under way has no answer, and transfers that were promised are unknown."""
        self.up = False
        self.lives += 1
        self.gateway.data.transfers.clear()

    def come(self) -> None:
        """Back: files and locks are as they were."""
        self.up = True


def _gone(code: grpc.StatusCode, words: str) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), words)


@dataclass
class _Context:
    metadata: tuple[tuple[str, str], ...]

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self.metadata

    async def abort(self, code: grpc.StatusCode, words: str) -> None:
        raise _gone(code, words)


class Wire(httpx.AsyncBaseTransport):
    """What one process of ours has to the cloud."""

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        self.dead = False

    def cut(self) -> None:
        """The process died."""
        self.dead = True

    def calls(self, clock: Callable[[], float], timer: Callable[[], float]) -> Gateway:
        """Our side of the calls."""
        made = Gateway("direct", clock=clock, timer=timer)
        made._stub = self
        return made

    def transfers(self) -> Transfers:
        """And of the bytes."""
        made = Transfers()
        made._opened = httpx.AsyncClient(transport=self, trust_env=False)
        return made

    def __getattr__(self, name: str) -> Any:
        if not name[0].isupper():
            raise AttributeError(name)

        async def call(request: Any, *, timeout: float, metadata: tuple[tuple[str, str], ...] = ()) -> Any:  # noqa: ASYNC109 - as the library has it
            try:
                async with asyncio.timeout(timeout):
                    return await self._through(lambda: getattr(self.sky.calls, name)(request, _Context(metadata)))
            except TimeoutError:
                raise _gone(grpc.StatusCode.DEADLINE_EXCEEDED, "it took too long") from None

        return call

    async def _through(self, act: Callable[[], Any]) -> Any:
        sky, life = self.sky, self.sky.lives
        if self.dead:
            await asyncio.Event().wait()
        if not sky.up:
            raise _gone(grpc.StatusCode.UNAVAILABLE, "connection refused")
        answer = await act()
        if self.dead:
            await asyncio.Event().wait()
        if sky.lives != life:
            raise _gone(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One transfer."""
        body = await request.aread()
        try:
            status, headers, content = await self._through(lambda: self._transfer(request, body))
        except grpc.aio.AioRpcError as error:
            raise httpx.RemoteProtocolError(str(error.details())) from None
        return httpx.Response(status, headers=headers, content=content)

    async def _transfer(self, request: httpx.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        data, gateway = self.sky.gateway.data, self.sky.gateway
        headers = {name.lower(): value for name, value in request.headers.items()}
        transfer = data.transfers.get(headers.get("x-reva-transfer", ""))
        await gateway.enter(request.method)
        if gateway.chance(gateway.moods.away):
            return 503, {}, b""
        if request.method != "PUT":
            status, content = data._get(transfer)
            return status, {}, content
        reader = asyncio.StreamReader()
        reader.feed_data(body)
        status, answer = await data._put(transfer, headers, reader)
        if gateway.chance(gateway.moods.mute):
            raise _gone(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
        return status, answer, b""
