from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doorstep import SECONDS, Client, client_frame, doorstep, opening

from collab.web.door import Limits
from collab.web.server import KEEPALIVE, listen, reported

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent.parent
READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"

PROGRAM = """
import asyncio
import sys

from doorstep import Doorstep, lifespan

from collab.web.door import Door, Limits
from collab.web.server import serve

drain_seconds, close_seconds, loop = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
house = Doorstep()
draining = False


def say(*words):
    print(*words, flush=True)


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        say("lifespan over")
    else:
        status = 503 if draining else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def drain():
    global draining
    draining = True
    say("draining")


async def stop():
    await asyncio.sleep(0)
    say("rooms stored")


door = Door(house.open, Limits(close_seconds=close_seconds))
serve(
    app, door, host="127.0.0.1", port=0, drain_seconds=drain_seconds, loop=loop,
    on_drain=drain, on_stop=stop, on_ready=lambda port: say("port", port),
)
say("calls", *house.rooms["/ws/room"].calls)
"""


class Process:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = int(self.line().removeprefix("port "))

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def connect(self) -> Client:
        return Client(socket.create_connection(("127.0.0.1", self.port), 60))

    def status(self) -> bytes:
        with closing(self.connect()) as client:
            client.send(READY)
            return client.head()[9:12]


@contextmanager
def program(drain_seconds: float, loop: str = "uvloop", close_seconds: float = SECONDS) -> Iterator[Process]:
    command = [sys.executable, "-c", PROGRAM, str(drain_seconds), str(close_seconds), loop]
    environment = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield Process(process)
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
        finally:
            process.kill()


@contextmanager
def room(server: Process) -> Iterator[Client]:
    with closing(server.connect()) as client:
        client.send(opening())
        assert client.head().startswith(b"HTTP/1.1 101 ")
        client.echo(b"hello")
        yield client


def farewell(client: Client) -> None:
    assert client.frame() == (0x82, b"bye")
    assert client.closed() == (1012, "restart: the server restarts, come back in a moment")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_with_the_listener_open_then_stores_the_rooms_then_closes(number: signal.Signals, loop: str) -> None:
    with program(3600, loop) as server, room(server) as client:
        assert server.status() == b"200"
        server.process.send_signal(number)
        assert server.line() == "draining"
        # However long it takes to ask.
        assert server.status() == b"503"
        client.echo(b"still served")
        server.process.send_signal(number)
        assert server.line() == "rooms stored"
        farewell(client)
        assert server.line() == "lifespan over"
        assert server.line() == "calls going away lost 1012"


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_server_that_drains_waits_as_long_as_it_was_told_to_and_serves_meanwhile(loop: str) -> None:
    with program(1.0, loop) as server, room(server) as client:
        start = time.monotonic()
        # Both are there when the wait begins, so both are served in it.
        client.send(client_frame(b"still served"))
        server.process.send_signal(signal.SIGTERM)
        assert server.line() == "draining"
        assert server.line() == "rooms stored"
        assert time.monotonic() - start >= 0.9
        assert client.frame() == (0x82, b"still served")
        farewell(client)
        assert server.line() == "lifespan over"
        assert server.line() == "calls going away lost 1012"


def test_a_second_signal_skips_only_the_wait() -> None:
    with program(3600) as server, room(server) as client:
        server.process.send_signal(signal.SIGTERM)
        assert server.line() == "draining"
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.line() == "rooms stored"
        farewell(client)
        assert server.line() == "lifespan over"
        assert server.line() == "calls going away lost 1012"


def test_a_client_that_does_not_say_goodbye_cannot_hold_the_server() -> None:
    with program(0, close_seconds=1.0) as server, room(server) as client, closing(server.connect()):
        server.process.send_signal(signal.SIGTERM)
        assert [server.line(), server.line()] == ["draining", "rooms stored"]
        assert client.frame() == (0x82, b"bye")
        assert client.frame()[0] == 0x88
        assert server.line() == "lifespan over"
        assert server.line() == "calls going away lost 1012"


def test_the_port_is_taken_again_at_once() -> None:
    with doorstep(Limits()) as house:
        port = house.port
        with house.visit() as client:
            client.echo(b"hello")
    with closing(listen("127.0.0.1", port)) as again:
        assert again.getsockname()[1] == port


def test_a_port_that_is_taken_is_an_error_of_the_system() -> None:
    with closing(listen("127.0.0.1", 0)) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", first.getsockname()[1])


def test_a_name_with_both_families_is_bound_as_ipv4() -> None:
    with closing(listen("localhost", 0)) as listener:
        assert listener.family == socket.AF_INET


def test_accepted_sockets_notice_a_peer_whose_machine_is_gone() -> None:
    with closing(listen("127.0.0.1", 0)) as listener:
        listener.listen()
        with closing(socket.create_connection(listener.getsockname())), closing(listener.accept()[0]) as accepted:
            assert [accepted.getsockopt(level, option) for level, option, _ in KEEPALIVE] == [value for *_, value in KEEPALIVE]


def test_a_step_of_stopping_that_fails_is_logged_and_the_next_is_made(caplog: pytest.LogCaptureFixture) -> None:
    def store() -> None:
        raise OSError("disk full")

    with reported("storing the rooms"):
        store()
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "storing the rooms failed")


def test_rooms_are_told_and_closed_when_the_server_ends() -> None:
    with doorstep(Limits(close_seconds=SECONDS)) as house, house.visit() as client:
        house.stop()
        assert client.frame() == (0x82, b"bye")
        assert client.closed()[0] == 1012
        house.wait(lambda: house.room("/ws/room").calls == ["going away", "lost 1012"])
