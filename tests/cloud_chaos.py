"""The chaos of `chaos`, with the files in a cloud that restarts, is away, slow, and loses locks and answers meanwhile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chaos import NAMES, Chaos, chaos
from gateway import Cloud, CloudGateway, Moods
from gateway.cloud import MACHINE

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator
    from pathlib import Path

    from interop.conftest import Peers
    from postgres import Postgres
    from redis_server import RedisServer


class Skies(Chaos):
    """The nodes' files are ann's, in one cloud."""

    gateway: CloudGateway

    def _file(self, name: str) -> str:
        return self.gateway.cloud.body("ann", name).decode()

    def _replace(self, name: str, word: str) -> None:
        """As somebody saves there who had read it just now."""
        lines = self._file(name).splitlines(keepends=True)
        lines.insert(self.chance.randrange(len(lines) + 1), f"{word}\n")
        self.gateway.cloud.put("ann", name, "".join(lines).encode())
        self.must[name].add(word)

    def _append(self, name: str, word: str) -> None:
        self.gateway.cloud.put("ann", name, f"{self._file(name)}{word}\n".encode())
        self.must[name].add(word)

    async def the_cloud_restarts(self) -> None:
        await self.gateway.restart()
        await self.acknowledged(5)

    async def the_cloud_is_away(self) -> None:
        await self.gateway.stop()
        await self.acknowledged(5)
        await self.gateway.start()

    async def the_cloud_is_slow_and_torn_and_loses_locks_and_answers(self) -> None:
        self.gateway.moods = Moods(slow=0.2, torn=0.2, processing=1, loses_locks=0.2, mute=0.05, away=0.05)
        await self.acknowledged(20)
        self.gateway.moods = Moods()


@asynccontextmanager
async def cloud_chaos(folder: Path, server: RedisServer, postgres: Postgres, peers: Peers, chance: random.Random) -> AsyncIterator[Chaos]:
    """As `chaos`; the servers act for ann in one cloud."""
    cloud = Cloud()
    cloud.add_user("ann")
    for name in NAMES:
        cloud.put("ann", name, b"start\n")
    async with CloudGateway(cloud) as gateway:
        settings = {
            "COLLAB_STORAGE": "cs3",
            "COLLAB_CS3_GATEWAY": gateway.target,
            "COLLAB_CS3_ROOT": cloud.root_id("ann"),
            "COLLAB_CS3_MACHINE_SECRET": MACHINE,
            "COLLAB_CS3_USER": "ann",
        }
        Skies.gateway = gateway
        async with chaos(folder, server, postgres, peers, chance, kind=Skies, settings=settings) as world:
            yield world


OWN = (Skies.the_cloud_restarts, Skies.the_cloud_is_away, Skies.the_cloud_is_slow_and_torn_and_loses_locks_and_answers)
"""What a cloud does beside all that breaks anyway."""
