"""The real server in a process of its own, as an operator starts it: on a temporary root and state and a free port."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import pytest

from collab.access import Grant, Person, Role, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")

READY_SECONDS = 120.0
STOP_SECONDS = 90.0
PATIENCE = 60.0
"""Seconds that something may take which is a moment's work on a quiet machine: processes begin in it, and files are saved."""
ADDRESS = re.compile(r"http://127\.0\.0\.1:(?P<port>\d+)\S*/login#\S+")

QUICK: Mapping[str, str] = {"COLLAB_DRAIN": "0"}
"""What a test's server is told unless the test says otherwise: nobody waits for a load balancer here."""


async def until(condition: Callable[[], T], *, within: float = PATIENCE, saying: Callable[[], object] | None = None) -> T:
    """The condition's first true value; AssertionError after `within` seconds, with what `saying` tells then."""
    start = time.monotonic()
    while not (value := condition()):
        if time.monotonic() - start > within:
            told = "" if saying is None else f": {saying()}"
            raise AssertionError(f"this did not come true within {within} s{told}")
        await asyncio.sleep(0.02)  # a file on disk and another process have no event to wait for
    return value


def _ports() -> Iterator[int]:
    """Ports of five digits that the system gives nobody by itself (ip(7), ip_local_port_range), and of the processes that run tests only this one:
    each once, until all were there.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # Browsers and Node refuse to go to 10080.
    ours = range(10_100, 30_000)[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % processes :: processes]
    begin = int.from_bytes(os.urandom(2), "big") % len(ours)
    return cycle((*ours[begin:], *ours[:begin]))


_PORTS = _ports()


def free_port() -> int:
    """A port on which nobody listens, and that nobody else takes while who has it is away: a server that is killed and comes back."""
    while True:
        port = next(_PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


@dataclass(slots=True)
class Served:
    """One root and state, and the server process on them while it runs. All methods block: use asyncio.to_thread beside open clients."""

    root: Path
    state: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    address: str = ""
    """What the server printed: where to sign in."""
    process: subprocess.Popen[bytes] | None = None
    program: tuple[str, ...] = ("-m", "collab")
    """What Python runs."""
    writers: dict[str, str] = field(default_factory=dict)
    """Which test wrote a file."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """All that the server's processes wrote to stderr."""
        return self.state.with_name(self.state.name + ".log")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, *self.program, *arguments, "--root", str(self.root), "--state", str(self.state)]

    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLAB_") or name == "COLLAB_CLIENT"}
        return kept | dict(QUICK) | self.environment

    def launch(self) -> subprocess.Popen[bytes]:
        """A process of the server that may not be ready yet, on the port of the last one."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.state.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command("serve", "--host", "127.0.0.1", "--port", str(self.port)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.variables(),
            )

    def start(self) -> None:
        """Run the server and wait until it printed its address; AssertionError with its log when it does not."""
        self.port = self.port or free_port()
        self.process = self.launch()
        line = _line(self.process, READY_SECONDS)
        found = ADDRESS.search(line)
        if found is None:
            self.kill()
            raise AssertionError(f"the server printed {line!r} and wrote: {self.log.read_text()[-4000:]}")
        self.port, self.address = int(found["port"]), found[0]

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, and the exit status."""
        return self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end in {STOP_SECONDS} s: {self.log.read_text()[-4000:]}") from None
        finally:
            assert process.stdout is not None
            process.stdout.close()

    def restart(self) -> None:
        """SIGTERM, then a new process on the same root, state and port."""
        self.stop()
        self.start()

    def write(self, name: str, text: str) -> Path:
        """A file below the root, made by somebody who knows nothing of the server. Tests that share a server have files of their own."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0].partition("[")[0]
        assert self.writers.setdefault(name, test) == test, f"{name} is a file of {self.writers[name]} on this server: take another name"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def read(self, name: str) -> str:
        return (self.root / name).read_bytes().decode()

    async def shows(self, name: str, text: str, *, within: float = PATIENCE) -> None:
        """Until the file has this text."""
        await until(lambda: self.read(name) == text, within=within, saying=lambda: self.read(name)[-2000:])

    async def holds(self, name: str, lines: Counter[str], *, within: float = PATIENCE) -> None:
        """Until the file has exactly these lines, in whatever order."""
        await until(lambda: Counter(self.read(name).splitlines()) == lines, within=within, saying=lambda: self.read(name)[-2000:])

    def room(self, name: str, token: str | None = None) -> str:
        """The y-websocket address of a document."""
        return f"{self.ws}/ws/{quote(name, safe='/')}" + ("" if token is None else f"?token={quote(token, safe='')}")

    def token(self, name: str = "Ann", *, role: str = "editor", document: str | None = None, seconds: float = 3600.0) -> str:
        """A token as `collab token` makes it, without the half second that a process takes; negative seconds: already over."""
        now = time.time()
        grant = Grant(Person(id=name.lower(), name=name), Role.of(role), document, now + seconds)
        return sign(grant, self.secret(), now=now)

    def secret(self) -> bytes:
        """The key that the server signs with."""
        return (self.state / "secret").read_bytes()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the CLI beside the server, for example `run("token", "--all", …)`."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, env=self.variables(), timeout=READY_SECONDS, check=False
        )


AnyServed = TypeVar("AnyServed", bound=Served)


@contextmanager
def running(served: AnyServed) -> Iterator[AnyServed]:
    """The server runs until it is left, whatever happened."""
    served.start()
    try:
        yield served
    finally:
        if served.process is not None:
            served.kill()
        print(served.log.read_text()[-8000:])  # pytest shows it when the test failed


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Served]:
    """A running server below the folder, with these COLLAB_ variables; ended when left, whatever happened."""
    with running(Served(folder / "root", folder / "state", environment)) as served:
        yield served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server of this test's own, which it may stop, kill and restart."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that only read and write documents of their own."""
    with serving(tmp_path_factory.mktemp("shared")) as served:
        yield served


def _line(process: subprocess.Popen[bytes], within: float) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], within)
    return process.stdout.readline().decode() if ready else ""
