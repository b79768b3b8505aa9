"""What tests with real clients need: the clients, and a server."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

import pytest
from interop.peer import Peer, install
from serving import Served, server, shared_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["server", "shared_server"]


class Peers(Protocol):
    """Starts a client at a server; without a token it is given one of an editor of everything."""

    async def __call__(self, client: str, served: Served, document: str, **settings: object) -> Peer: ...


@pytest.fixture(scope="session")
def clients() -> None:
    install()


@pytest.fixture
async def peers(clients: None) -> AsyncIterator[Peers]:  # noqa: ARG001  # asked for what it does
    started: list[Peer] = []

    async def start(client: str, served: Served, document: str, **settings: object) -> Peer:
        name = f"{client}-{len(started)}"
        peer = await Peer.start(client, served.ws, document, **({"token": served.token(name)} | settings))
        started.append(peer)
        return peer

    yield start
    for peer in started:
        await peer.end()


@pytest.fixture
def seeded() -> random.Random:
    return random.Random(20261122)
