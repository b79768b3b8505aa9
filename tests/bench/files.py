"""What an office suite costs our server: GetFile and PutFile of 1 kB, 1 MB and 100 MB, beside a bare file server (`floor.py`) in the same run.

Processor time of the server's process with all its threads, by the kernel's nanoseconds; both servers in turn, several rounds.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from serving import Served

from collab.access import Person, Role
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
NAME = "bench.docx"
LOCK = "bench"
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Size:
    """A file, how often it goes in one round, and how many times the floor's processor time a put and a get may take."""

    name: str
    bytes: int
    times: int
    put: float
    get: float


SIZES: Final = (
    Size("1 kB", 1_000, 200, 4, 6.7),
    Size("1 MB", 1_000_000, 40, 1.13, 7.3),
    Size("100 MB", 100_000_000, 2, 2, 4),
)
MEMORY: Final = 16.0
"""MB by which our process may grow over all of it."""


class Lost(Exception):
    """A server answered otherwise than with the file."""


class Client:
    """One connection that sends requests one after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = memoryview(bytearray(PIECE))

    def connect(self) -> None:
        """Anew: a server hangs up on who is silent for long."""
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> tuple[bytes, str]:
        """The answer's body as its SHA-256 (or itself, when it is short), and its head. Lost for any status but 200."""
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = "" if method == "GET" else f"Content-Length: {len(body)}\r\n"
        self._socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}{told}\r\n".encode())
        if body:
            self._socket.sendall(body)
        return self._answer()

    def _answer(self) -> tuple[bytes, str]:
        came = b""
        while b"\r\n\r\n" not in came:
            piece = self._socket.recv(65536)
            if not piece:
                raise Lost("the server hung up")
            came += piece
        head, _, rest = came.partition(b"\r\n\r\n")
        words = head.decode("latin-1")
        if not words.startswith("HTTP/1.1 200"):
            raise Lost(words.partition("\r\n")[0])
        size = int(words.lower().partition("content-length:")[2].partition("\r\n")[0])
        hashed, left = sha256(rest), size - len(rest)
        while left:
            count = self._socket.recv_into(self._buffer, min(PIECE, left))
            if not count:
                raise Lost("half an answer")
            hashed.update(self._buffer[:count])
            left -= count
        return hashed.digest(), words

    def end(self) -> None:
        """Hang up."""
        self._socket.close()


class Server(ABC):
    """A server that runs, with a client."""

    client: Client
    pid: int

    def begin(self) -> None:
        """Connect."""
        self.client.connect()

    @abstractmethod
    def get(self) -> bytes:
        """The SHA-256 of the file as it comes."""

    @abstractmethod
    def put(self, body: bytes) -> None: ...


class Floor(Server):
    """`floor.py`."""

    def __init__(self, port: int, pid: int) -> None:
        self.client, self.pid = Client(port), pid

    def get(self) -> bytes:
        return self.client.ask("GET", f"/{NAME}", {})[0]

    def put(self, body: bytes) -> None:
        self.client.ask("POST", f"/{NAME}", {}, body)


class Ours(Server):
    """Our server, with the pass of an office suite that has the file locked."""

    def __init__(self, served: Served, document: str) -> None:
        self.client, self.pid = Client(served.port), served.pid
        now = time.time()
        token = seal(Pass(Person("bench", "Bench"), Role.EDITOR, document, now + 3600), served.secret(), now=now)
        self._file, self._query = f"/wopi/files/{key_of(document)}", f"?access_token={token}"

    def begin(self) -> None:
        """Connect, and hold the lock."""
        self.client.connect()
        self._ask("POST", "", {"X-WOPI-Override": "LOCK", "X-WOPI-Lock": LOCK})

    def get(self) -> bytes:
        return self._ask("GET", "/contents", {})

    def put(self, body: bytes) -> None:
        self._ask("POST", "/contents", {"X-WOPI-Override": "PUT", "X-WOPI-Lock": LOCK}, body)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        return self.client.ask(method, self._file + path + self._query, headers, body)[0]


@contextmanager
def floor(folder: Path) -> Iterator[Server]:
    folder.mkdir()
    (folder / NAME).write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(HERE / "floor.py"), str(folder), str(port)])
    try:
        yield Floor(_listening(port, process), process.pid)
    finally:
        process.kill()
        process.wait()


def _listening(port: int, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.02)
    raise Lost("the bare file server does not listen")


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    served = Served(folder / "root", folder / "state", {"COLLAB_LOG_LEVEL": "warning"})
    served.write(NAME, "")
    served.start()
    try:
        yield Ours(served, _document(served))
    finally:
        served.kill()


def _document(served: Served) -> str:
    """The file's id."""
    import httpx  # noqa: PLC0415  # the floor's process does without

    answer = httpx.get(f"{served.url}/api/documents/{NAME}", headers={"Authorization": f"Bearer {served.token('Bench')}"})
    document: str = answer.raise_for_status().json()["id"]
    return document


def processor(pid: int) -> float:
    """Seconds that the process's threads were on a processor (proc(5), `schedstat`)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text("ascii").split()[0])
    return total / 1e9


def peak(pid: int) -> float:
    """MB of memory that the process had at most."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cost(server: Server, size: Size, body: bytes) -> tuple[float, float]:
    """Milliseconds of the processor for one put and one get; what was put is what comes."""
    wanted = sha256(body).digest()
    server.begin()
    spent = [processor(server.pid)]
    for _ in range(size.times):
        server.put(body)
    spent.append(processor(server.pid))
    for _ in range(size.times):
        if server.get() != wanted:
            raise Lost("another file came than was put")
    spent.append(processor(server.pid))
    server.client.end()
    put, get = (1000 * (after - before) / size.times for before, after in pairwise(spent))
    return put, get


def measure(rounds: int) -> tuple[dict[tuple[str, str, str], list[float]], float]:
    """Milliseconds by act, size and server; and the MB by which ours grew."""
    results: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    random = Random(6)
    with tempfile.TemporaryDirectory(prefix="collab-bench-") as given:
        folder = Path(given)
        with floor(folder / "floor") as bare, ours(folder) as host:
            for server in (bare, host):
                cost(server, SIZES[0], b"warm" * 250)
            before = peak(host.pid)
            for number in range(rounds):
                for size in SIZES:
                    body = random.randbytes(size.bytes)
                    for name, server in (("floor", bare), ("collab", host)):
                        for act, spent in zip(("put", "get"), cost(server, size, body), strict=True):
                            results[act, size.name, name].append(spent)
                            print(f"round {number + 1}, {act} {size.name}, {name}: {spent:.3g} ms", file=sys.stderr, flush=True)
            return results, peak(host.pid) - before


def table(results: dict[tuple[str, str, str], list[float]], grown: float) -> str:
    """Markdown: medians with their spread, ours as a part of the floor's, and the goals."""
    lines = ["| | floor, ms | collab, ms | collab / floor | goal |", "|---|---|---|---|---|"]
    for size in SIZES:
        for act, goal in (("put", size.put), ("get", size.get)):
            bare, host = results[act, size.name, "floor"], results[act, size.name, "collab"]
            parts = [a / b for a, b in zip(host, bare, strict=True)]
            part = statistics.median(parts)
            told = f"≤ {goal:g} {'yes' if part <= goal else 'no'}"
            lines.append(f"| {act} {size.name} | {_shown(bare)} | {_shown(host)} | {_shown(parts)} | {told} |")
    told = f"≤ {MEMORY:g} {'yes' if grown <= MEMORY else 'no'}"
    lines.append(f"| memory, MB by which the process grew | | {grown:.1f} | | {told} |")
    return "\n".join(lines)


def _shown(values: list[float]) -> str:
    spread = "" if len(values) == 1 else f" ({min(values):.3g} to {max(values):.3g})"
    return f"{statistics.median(values):.3g}{spread}"


def report(rounds: int) -> str:
    """The table with its words. Lost, OSError."""
    results, grown = measure(rounds)
    machine = f"{os.cpu_count()} cores, loopback, local storage"
    words = f"Server CPU milliseconds for one request, medians of {rounds} interleaved rounds (least to most in brackets); {machine}."
    return f"{words}\n\n{table(results, grown)}\n"
