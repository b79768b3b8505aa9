"""Bytes that go past the server's buffers (FILE-16): whole or not at all, for any reader, in flat memory."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from doorstep import LOOPS, Client, lifespan
from serving import serving
from standing import stand

from collab.storage.local_streams import AHEAD, GIVEN
from collab.web import streams
from collab.web.server import Server, configure, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving import Served
    from standing import Site

BODY = Random(8).randbytes(24 * 2**20 + 5)
SMALL = b"PK small"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("given")) as served:
        (served.root / "large.bin").write_bytes(BODY)
        (served.root / "small.bin").write_bytes(SMALL)
        yield served


def asking(served: Served, name: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [
        f"{method} /api/documents/{name}/content HTTP/{version}",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {served.token()}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def connected(served: Served, *, buffer: int | None = None) -> Client:
    """`buffer`: bytes that the client's system takes before anybody reads."""
    sock = socket.socket()
    sock.settimeout(30)
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect(("127.0.0.1", served.port))
    return Client(sock)


def told(client: Client) -> tuple[int, int]:
    """Status and length of the answer that comes."""
    head = client.head().lower()
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), int(length.split(b":")[1])


def got(client: Client) -> tuple[int, bytes]:
    status, length = told(client)
    return status, client.read(length)


def rest(client: Client) -> bytes:
    """What comes until the server hangs up, or breaks off."""
    came = bytearray(client.buffer)
    try:
        while data := client.sock.recv(2**20):
            came += data
    except ConnectionResetError:
        pass
    return bytes(came)


@pytest.mark.parametrize("size", [0, 1, AHEAD, AHEAD + 1, 2 * AHEAD, 2 * AHEAD + 1, GIVEN + AHEAD, GIVEN + AHEAD + 1, 2 * GIVEN + 3])
def test_a_file_of_any_size_comes_whole_and_the_connection_goes_on(server: Served, size: int) -> None:
    (server.root / f"sized-{size}.bin").write_bytes(BODY[:size])
    with closing(connected(server)) as client:
        for _ in range(2):
            client.send(asking(server, f"sized-{size}.bin"))
            assert got(client) == (200, BODY[:size])
        client.send(asking(server, f"sized-{size}.bin", method="HEAD"))
        assert told(client) == (200, size)
        client.send(asking(server, "small.bin"))
        assert got(client) == (200, SMALL)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("0-0", BODY[:1]),
        ("5000-", BODY[5000:]),
        ("4095-9000000", BODY[4095:9_000_001]),
        (f"-{9 * 2**20}", BODY[-9 * 2**20 :]),
        (f"{len(BODY) - AHEAD}-", BODY[-AHEAD:]),
        (f"{len(BODY) - AHEAD - 1}-", BODY[-AHEAD - 1 :]),
    ],
)
def test_a_part_of_it_comes_too(server: Served, asked: str, part: bytes) -> None:
    with closing(connected(server)) as client:
        client.send(asking(server, "large.bin", f"Range: bytes={asked}"))
        status, body = got(client)
        assert (status, sha256(body).digest()) == (206, sha256(part).digest())
        client.send(asking(server, "small.bin"))
        assert got(client) == (200, SMALL)


def test_requests_that_come_together_are_answered_in_turn(server: Served) -> None:
    with closing(connected(server)) as client:
        client.send(b"".join(asking(server, name) for name in ("small.bin", "large.bin", "small.bin", "large.bin", "small.bin")))
        for body in (SMALL, BODY, SMALL, BODY, SMALL):
            assert got(client) == (200, body)


def test_old_clients_get_it_whole_and_a_closed_connection(server: Served) -> None:
    for request in (asking(server, "large.bin", version="1.0"), asking(server, "large.bin", "Connection: close")):
        with closing(connected(server)) as client:
            client.send(request)
            assert got(client) == (200, BODY)
            assert rest(client) == b""


def test_who_reads_slowly_gets_it_whole_and_holds_up_nobody(server: Served) -> None:
    with closing(connected(server, buffer=4096)) as slow:
        slow.send(asking(server, "large.bin"))
        status, length = told(slow)
        came = sha256()
        for number in range(0, length, 2**20):
            came.update(slow.read(min(2**20, length - number)))
            with closing(connected(server)) as other:
                other.send(asking(server, "small.bin"))
                assert got(other) == (200, SMALL)
        assert (status, length, came.digest()) == (200, len(BODY), sha256(BODY).digest())
        slow.send(asking(server, "small.bin"))
        assert got(slow) == (200, SMALL)


def held(served: Served) -> int:
    """Descriptors that the server has of the large file, and of sockets with its own port."""
    lines = Path(f"/proc/{served.pid}/net/tcp").read_text("ascii").splitlines()[1:]
    ours = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[1].endswith(f":{served.port:04X}")}
    targets = [target(each) for each in Path(f"/proc/{served.pid}/fd").iterdir()]
    return sum(1 for each in targets if each in ours or each.endswith("/large.bin"))


def target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize("way", ["close", "reset", "half"])
def test_who_hangs_up_in_the_middle_leaves_nothing_open(server: Served, way: str) -> None:
    for _ in range(3):
        with closing(connected(server, buffer=4096)) as client:
            client.send(asking(server, "large.bin"))
            told(client)
            if way == "reset":
                client.reset()
            elif way == "half":
                client.sock.shutdown(socket.SHUT_WR)
                assert len(rest(client)) < len(BODY)
    # It asks from now on: who says nothing for some seconds is let go.
    with closing(connected(server)) as other:
        for _ in range(1000):
            other.send(asking(server, "small.bin"))
            assert got(other) == (200, SMALL)
            if held(server) == 2:  # the listener, and this connection
                break
        else:
            raise AssertionError("something is still open")
    assert b"Traceback" not in server.log.read_bytes()


def write_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(len(BODY) - 10)
        file.write(b"theirs")


def touch_in_place(path: Path) -> None:
    """The bytes that are on their way just now."""
    with path.open("r+b") as file:
        file.write(b"!" * 2**20)


def cut(path: Path) -> None:
    os.truncate(path, 100)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("change", [write_in_place, touch_in_place, cut, grow])
def test_a_file_that_is_changed_meanwhile_breaks_the_answer_off(server: Served, change: object) -> None:
    assert callable(change)
    path = server.root / "changed.bin"
    path.write_bytes(BODY)
    with closing(connected(server, buffer=4096)) as client:
        client.send(asking(server, "changed.bin"))
        assert told(client) == (200, len(BODY))
        change(path)
        came = rest(client)
        assert len(came) < len(BODY)
        # What came before the change was read before it.
        assert came[: 2**16] == BODY[: 2**16]


def test_a_file_that_is_replaced_meanwhile_comes_as_it_was(server: Served) -> None:
    path = server.root / "replaced.bin"
    path.write_bytes(BODY)
    with closing(connected(server, buffer=4096)) as client:
        client.send(asking(server, "replaced.bin"))
        assert told(client) == (200, len(BODY))
        (server.root / "other.bin").write_bytes(b"theirs")
        (server.root / "other.bin").rename(path)
        assert sha256(client.read(len(BODY))).digest() == sha256(BODY).digest()
        client.send(asking(server, "replaced.bin"))
        assert got(client) == (200, b"theirs")


def test_a_gigabyte_comes_in_flat_memory(server: Served) -> None:
    size = 2**30 + 1
    with (server.root / "huge.bin").open("wb") as file:
        file.truncate(size)
    with closing(connected(server)) as client:
        client.send(asking(server, "large.bin"))
        assert got(client) == (200, BODY)
        before = peak(server)
        client.send(asking(server, "huge.bin"))
        assert told(client) == (200, size)
        left, nothing = size, bytes(2**20)
        while left:
            piece = client.read(min(left, len(client.buffer))) if client.buffer else client.sock.recv(min(left, 2**20))
            assert piece == nothing[: len(piece)] != b""
            left -= len(piece)
        assert peak(server) - before < 16 * 2**10
        client.send(asking(server, "small.bin"))
        assert got(client) == (200, SMALL)


def peak(served: Served) -> int:
    """KiB of memory that the server had at most."""
    return int(Path(f"/proc/{served.pid}/status").read_text("ascii").partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("loop", LOOPS)
def test_a_line_on_which_nobody_reads_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: str) -> None:
    """Not before the patience is over; and who reads afterwards sees that it is not the whole."""
    monkeypatch.setattr(streams, "PATIENCE", 0.3)
    monkeypatch.setattr(streams, "SLOWEST", 2**40)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "large.bin").write_bytes(BODY)

    async def nothing() -> None:
        pass

    def asked(port: int, site: Site) -> int:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(30)
        sock.connect(("127.0.0.1", port))
        with closing(Client(sock)) as client:
            line = (
                f"GET /api/documents/large.bin/content HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {site.token()}\r\n\r\n"
            )
            client.send(line.encode())
            assert told(client) == (200, len(BODY))
            failed = site.app.metrics.failures
            while not failed["request"]:
                # Another request's answer takes as long as it takes: nobody sleeps.
                with socket.create_connection(("127.0.0.1", port)) as other:
                    other.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                    while other.recv(65536):
                        pass
            return len(rest(client))

    async def run() -> int:
        async with stand(tmp_path) as site:
            listener = listen("127.0.0.1", 0)
            ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()

            async def app(scope: object, receive: object, send: object) -> None:
                assert isinstance(scope, dict)
                if scope["type"] == "lifespan":
                    await lifespan(receive, send)
                else:
                    await site.app.web(scope, receive, send)  # type: ignore[arg-type]

            server = Server(
                configure(app, site.app.door),
                begin=nothing,
                drain=lambda: None,
                stop=nothing,
                ready=ready.set_result,
                drain_seconds=0.0,
            )
            serves = asyncio.create_task(server.serve([listener]))
            came = await asyncio.to_thread(asked, await ready, site)
            server.interrupt()
            await serves
            listener.close()
            return came

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert 0 < runner.run(run()) < len(BODY)
