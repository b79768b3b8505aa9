"""The cloud's gateway (gRPC) and its data server (HTTP), on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Self

import grpc
from cs3.gateway.v1beta1 import gateway_api_pb2_grpc
from serving import free_port

from gateway.data import DataServer
from gateway.moods import Moods
from gateway.rpcs import Calls

if TYPE_CHECKING:
    from gateway.cloud import Cloud


class CloudGateway:
    """Serves a cloud; `seed` draws its moods; `tls`: key and certificate of the gateway, in PEM."""

    def __init__(self, cloud: Cloud, *, moods: Moods | None = None, seed: int = 1, tls: tuple[bytes, bytes] | None = None) -> None:
        self.cloud = cloud
        self.moods = moods or Moods()
        self.random = Random(seed)
        self.calls: Counter[str] = Counter()
        self.tokens: set[str] = set()
        self.applications: dict[str, Any] = {}
        """What has registered, by name, since the last start."""
        self.port = 0
        self.tls = tls
        self.data = DataServer(self)
        self._server: Any = None

    @property
    def target(self) -> str:
        """`host:port` of the gateway."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; after a stop on the same ports, which nobody else takes meanwhile."""
        await self.data.start()
        self.port = self.port or free_port()
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 1)])
        gateway_api_pb2_grpc.add_GatewayAPIServicer_to_server(Calls(self), self._server)
        where = f"127.0.0.1:{self.port}"
        if self.tls is None:
            self.port = self._server.add_insecure_port(where)
        else:
            self.port = self._server.add_secure_port(where, grpc.ssl_server_credentials([self.tls]))
        assert self.port
        await self._server.start()

    async def stop(self) -> None:
        """Away, at once; connections are cut, and the registry is forgotten."""
        self.applications.clear()
        await self.data.stop()
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def restart(self) -> None:
        """Away and back: files and locks are as they were, transfers that were under way are unknown."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def chance(self, of: float) -> bool:
        """Whether it happens now."""
        return bool(of) and self.random.random() < of

    async def enter(self, name: str) -> None:
        """What each call and transfer goes through first."""
        self.calls[name] += 1
        if self.moods.slow:
            await asyncio.sleep(self.random.random() * self.moods.slow)
        if name in self.moods.holds:
            await self.moods.holds[name].wait()
