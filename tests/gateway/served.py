"""A server of ours, in a process of its own, for the files of the tests' cloud."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from serving import Served

from gateway.cloud import MACHINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.server import CloudGateway


class CloudServed(Served):
    """Its files are in the cloud, where the tests write and read them: ann's."""

    gateway: CloudGateway

    def write(self, name: str, text: str) -> Path:
        """Somebody else makes a file, or another body of it. The path is nowhere."""
        self.gateway.cloud.put("ann", name, text.encode())
        return self.root / name

    def read(self, name: str) -> str:
        return self.gateway.cloud.body("ann", name).decode()


def on_cloud(root: Path, state: Path, gateway: CloudGateway, user: str = "ann", **environment: str) -> CloudServed:
    """A server that acts for this user, and serves her own space."""
    served = CloudServed(
        root,
        state,
        {
            "COLLAB_STORAGE": "cs3",
            "COLLAB_CS3_GATEWAY": gateway.target,
            "COLLAB_CS3_ROOT": gateway.cloud.root_id(user),
            "COLLAB_CS3_MACHINE_SECRET": MACHINE,
            "COLLAB_CS3_USER": user,
            "COLLAB_SAVE_DELAY": "0.2",
            **environment,
        },
    )
    served.gateway = gateway
    return served


@asynccontextmanager
async def cloud_server(folder: Path, gateway: CloudGateway, *, user: str = "ann", **environment: str) -> AsyncIterator[CloudServed]:
    """It runs, acts for this user, and serves her own space; beside the gateway, whose event loop is ours. Use `asyncio.to_thread` for what blocks."""
    served = on_cloud(folder / "unused", folder / "state", gateway, user, **environment)
    await asyncio.to_thread(served.start)
    try:
        yield served
    finally:
        if served.process is not None:
            await asyncio.to_thread(served.kill)
        print(served.log.read_text()[-8000:])  # pytest shows it when the test failed
