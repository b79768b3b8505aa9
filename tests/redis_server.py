"""A Redis of the tests' own: on a Unix socket in a temporary folder, with every write synced, and a line to it that can be cut."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import lines
import pytest

from collab.archive.memory import MemoryArchive
from collab.cluster.redis import RedisPlacement
from collab.journal.redis import RedisJournal
from collab.redis.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SECONDS = 60.0
ALWAYS = {"appendonly": "yes", "appendfsync": "always", "save": ""}


@dataclass(slots=True)
class RedisServer:
    """One data folder, and its server while it runs."""

    folder: Path
    options: dict[str, str] = field(default_factory=lambda: dict(ALWAYS))
    process: subprocess.Popen[bytes] | None = None
    made: int = 0

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/socket"

    def prefix(self) -> str:
        """One under which there is nothing."""
        self.made += 1
        return f"test{self.made}:"

    def start(self) -> None:
        """Run the server until it answers."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "Redis is not installed: apt-get install redis-server"
        told = {"port": "0", "unixsocket": f"{self.folder}/socket", "dir": str(self.folder), "daemonize": "no", **self.options}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, *(word for name, value in told.items() for word in (f"--{name}", value))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for _ in range(1200):
            if self.cli("PING") == "PONG":
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)  # another process has no event to wait for
        raise AssertionError("Redis does not answer")

    def cli(self, *command: str) -> str:
        """What redis-cli says."""
        program = shutil.which("redis-cli") or shutil.which("valkey-cli") or ""
        told = subprocess.run(
            [program, "-s", f"{self.folder}/socket", *command], capture_output=True, text=True, check=False, timeout=SECONDS
        )
        return told.stdout.strip()

    def pause(self) -> None:
        """It takes connections and answers nobody, until `resume`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: only what is on the disk is left."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        process.wait(SECONDS)

    def lose(self) -> None:
        """What it had is gone; it must not run."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        (self.folder / "dump.rdb").unlink(missing_ok=True)


@contextlib.contextmanager
def running(**options: str) -> Iterator[RedisServer]:
    """A Redis while the block runs; who stops it starts it again."""
    # Short, for the socket's path.
    folder = Path(tempfile.mkdtemp(prefix="collab-redis-", dir="/tmp"))
    server = RedisServer(folder, ALWAYS | options)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests of this process that do not stop it; each takes a prefix of its own."""
    with running() as server:
        yield server


async def known(url: str, prefix: str) -> None:
    """Redis is known under this prefix since long ago: nobody waits for nodes that may still come."""
    server = Server(url)
    info = await server.ask("INFO", "server")
    await server.ask("HSET", f"{prefix}epoch", "run", info["run_id"], "since", 0)
    await server.close()


@pytest.fixture
async def prefix(redis_server: RedisServer) -> str:
    """One under which Redis is known."""
    prefix = redis_server.prefix()
    await known(redis_server.url, prefix)
    return prefix


@dataclass(slots=True)
class Node:
    """What a server has of Redis."""

    server: Server
    placement: RedisPlacement
    journal: RedisJournal
    archive: MemoryArchive

    async def close(self) -> None:
        await self.journal.close()
        await self.placement.close()
        await self.server.close()


async def started(
    url: str,
    prefix: str,
    archive: MemoryArchive | None = None,
    *,
    name: str = "one",
    heartbeat: float = 1.5,
    answer: float = 5.0,
    parting: float = 5.0,
) -> Node:
    """A node with its heartbeat."""
    server = Server(url, answer=answer, parting=parting)
    placement = RedisPlacement(server, name=name, incarnation=secrets.token_hex(8), address=f"{name}:1", heartbeat=heartbeat, prefix=prefix)
    archive = archive or MemoryArchive()
    journal = RedisJournal(server, archive.checkpoints, placement.fence, prefix=prefix, retry=(0.01, 0.1))
    journal.fenced, journal.forgotten = placement.lose, placement.forget
    server.given_up = journal.give_up
    try:
        await placement.start()
    except BaseException:
        await server.close()
        raise
    return Node(server, placement, journal, archive)


@contextlib.asynccontextmanager
async def a_node(
    url: str, prefix: str, archive: MemoryArchive | None = None, *, name: str = "one", heartbeat: float = 1.5
) -> AsyncIterator[Node]:
    """A node while the block runs."""
    node = await started(url, prefix, archive, name=name, heartbeat=heartbeat)
    try:
        yield node
    finally:
        await node.close()


class Line(lines.Line):
    """A line to Redis."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(f"{server.folder}/socket", f"{server.folder}/line{id(self)}")
        self.url = f"unix://{self.path}"
