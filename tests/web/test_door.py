"""WIRE-2, HTTP-1, LIMIT-2, LIMIT-5: the one door, honest and hostile."""

from __future__ import annotations

import base64
import gc
import logging
import random
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doorstep import HOSTILE, LIMIT, LOOPS, SECONDS, Client, Doorstep, client_frame, close_payload, doorstep, opening
from interop.peer import install
from scale import scale
from websockets.sync.client import connect

from collab.frames import ClientFrames, frame
from collab.web import door
from collab.web.door import HttpSocket, Limits
from collab.web.websocket import RoomSocket

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = Limits(first_message_bytes=LIMIT, header_bytes=4096, header_seconds=SECONDS, close_seconds=SECONDS / 2)
QUICK = Limits(header_bytes=4096, header_seconds=10.0, close_seconds=0.3)
INTEROP = Path(__file__).parent.parent / "interop"
GET = b"GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module", params=LOOPS)
def house(request: pytest.FixtureRequest) -> Iterator[Doorstep]:
    with doorstep(LIMITS, request.param) as house:
        yield house


@pytest.fixture(params=LOOPS)
def quick(request: pytest.FixtureRequest) -> Iterator[Doorstep]:
    with doorstep(QUICK, request.param) as house:
        yield house


def hurry(house: Doorstep, seconds: float = 0.3) -> None:
    """Headers of whoever comes from now on have little time; who is to stay has come before."""
    house.door.limits = replace(house.door.limits, header_seconds=seconds)


def get(client: Client, request: bytes = GET) -> tuple[bytes, bytes]:
    client.send(request)
    head = client.head()
    size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head, client.read(int(size.split(b":")[1]))


# The handshake


def test_the_answer_to_a_handshake_is_that_of_the_rfc(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        client.send(opening("/ws/rfc", key, without=b"Sec-WebSocket-Key"))
        head = client.head().lower()
        assert head.startswith(b"http/1.1 101 switching protocols\r\n")
        assert b"\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n" in head
        assert b"\r\nupgrade: websocket\r\n" in head
        assert b"\r\nconnection: upgrade\r\n" in head
        assert b"server:" not in head
        client.echo(b"hello")


def test_nothing_is_negotiated_that_we_do_not_speak(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(opening("/ws/deflate", b"Sec-WebSocket-Extensions: permessage-deflate", b"Sec-WebSocket-Protocol: chat"))
        head = client.head().lower()
        assert b"extensions" not in head
        assert b"protocol:" not in head


def test_a_room_is_asked_for_with_the_raw_address(house: Doorstep) -> None:
    with house.visit("/ws/a%20b%2Fc/d?token=x%26y&v=1", b"Cookie: a=b"):
        handshake = house.room("/ws/a%20b%2Fc/d").handshake
        assert handshake.path == b"/ws/a%20b%2Fc/d"
        assert handshake.query == b"token=x%26y&v=1"
        assert (b"cookie", b"a=b") in handshake.headers
        assert handshake.client is not None
        assert handshake.client[0] == "127.0.0.1"
        assert handshake.scheme == "http"


def test_an_absolute_address_names_the_same_room(house: Doorstep) -> None:
    with house.visit("http://127.0.0.1/ws/absolute?token=t"):
        assert house.room("/ws/absolute").handshake.query == b"token=t"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (opening().replace(b"GET", b"POST", 1), 405),
        (opening().replace(b"HTTP/1.1", b"HTTP/1.0", 1), 400),
        (opening(without=b"Sec-WebSocket-Key"), 400),
        (opening("/ws/room", b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16))), 400),
        (opening("/ws/room", b"Sec-WebSocket-Key: c2hvcnQ=", without=b"Sec-WebSocket-Key"), 400),
        (opening("/ws/room", b"Sec-WebSocket-Key: " + b"!" * 24, without=b"Sec-WebSocket-Key"), 400),
        (opening("/ws/room", b"Sec-WebSocket-Key: \xff\xfe", without=b"Sec-WebSocket-Key"), 400),
        (opening(without=b"Sec-WebSocket-Version"), 426),
        (opening("/ws/room", b"Sec-WebSocket-Version: 8", without=b"Sec-WebSocket-Version"), 426),
        (opening("/ws/room", b"Sec-WebSocket-Version: 13"), 426),
        (opening(without=b"Host"), 400),
        (opening("/ws/room", b"Host: other"), 400),
        (opening("/ws/room", b"Content-Length: 5") + b"12345", 400),
        (opening("/ws/refused"), 403),
        (opening("/ws/broken"), 500),
    ],
)
def test_a_handshake_that_is_refused_is_answered_with_plain_http(house: Doorstep, request_bytes: bytes, status: int) -> None:
    with closing(house.connect()) as client:
        client.send(request_bytes)
        head = client.head()
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"content-type: application/problem+json" in head
        client.sock.shutdown(socket.SHUT_WR)
        assert b'"status": %d' % status in client.ended()


def test_a_refusal_carries_its_own_headers_and_is_counted(house: Doorstep) -> None:
    before = house.refusals.count("forbidden")
    with closing(house.connect()) as client:
        client.send(opening("/ws/refused"))
        assert b"\r\nx-why: origin\r\n" in client.head()
        house.wait(lambda: house.refusals.count("forbidden") == before + 1)


def test_a_frame_right_behind_the_request_is_not_lost(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(opening() + client_frame(b"early"))
        client.head()
        assert client.frame() == (0x82, b"early")


def test_a_refusal_in_band_follows_the_handshake(house: Doorstep) -> None:
    with house.visit("/ws/in-band") as client:
        assert client.frame() == (0x82, b"first")
        assert client.closed() == (4401, "unauthorized: sign in")
        house.wait(lambda: house.room("/ws/in-band").calls == ["lost 4401"])


def test_other_websockets_and_pages_share_the_port(house: Doorstep) -> None:
    with connect(f"ws://127.0.0.1:{house.port}/elsewhere?token=x", open_timeout=SECONDS) as other:
        assert other.recv() == "not a room"
    for path in ("collaboration", "collaboration/?v=4"):
        with connect(f"ws://127.0.0.1:{house.port}/{path}", open_timeout=SECONDS) as room:
            room.send(b"hello")
            assert room.recv() == b"hello"
    with closing(house.connect()) as client:
        assert get(client)[1] == b"0"
        assert get(client, GET.replace(b"GET", b"POST", 1).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc"))[1] == b"3"
        client.send(opening("/ws/after-a-page"))
        assert client.head().startswith(b"HTTP/1.1 101 ")
        client.echo(b"hello")


def test_rooms_live_below_the_prefix_and_nowhere_else() -> None:
    with doorstep(LIMITS, prefix=b"/collab") as house:
        with house.visit("/collab/ws/room") as client:
            client.echo(b"hello")
        with connect(f"ws://127.0.0.1:{house.port}/ws/room", open_timeout=SECONDS) as other:
            assert other.recv() == "not a room"


# Frames


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_is_answered_with_the_right_code_and_harms_nobody_else(house: Doorstep, name: str) -> None:
    data, error = HOSTILE[name]
    with house.visit("/ws/honest") as honest, house.visit("/ws/hostile") as client:
        hostile = house.room("/ws/hostile")
        count = len(house.refusals)
        client.send(client_frame(b"before") + data + client_frame(b"after"))
        assert client.frame() == (0x82, b"before")
        code, reason = next_close(client)
        assert code == error.close_code
        assert reason.startswith(f"{error.reason}: ")
        house.wait(lambda: f"lost {error.close_code}" in hostile.calls)
        assert house.refusals[count:] == [error.reason]
        honest.echo(b"still here")


def next_close(client: Client) -> tuple[int, str]:
    """As `closed`, past the answers to what came before."""
    while True:
        first, payload = client.frame()
        if first == 0x88:
            client.sock.shutdown(socket.SHUT_WR)
            assert client.ended() == b""
            return struct.unpack("!H", payload[:2])[0], payload[2:].decode()


HONEST = b"".join(
    [
        client_frame(b"one"),
        client_frame(b"y" * 200),
        client_frame(b"fra", first=0x02),
        client_frame(b"there?", first=0x89),
        client_frame(b"gment", first=0x80),
    ]
)


def test_frames_are_read_however_tcp_splits_them(house: Doorstep) -> None:
    with house.visit() as client:
        for at in range(1, len(HONEST)):
            client.send_split(HONEST, at)
            frames = sorted(client.frame() for _ in range(4))
            assert frames == [(0x82, b"fragment"), (0x82, b"one"), (0x82, b"y" * 200), (0x8A, b"there?")]


def test_many_frames_in_one_piece_keep_their_order(house: Doorstep) -> None:
    with house.visit() as client:
        numbers = [b"%d" % number for number in range(5_000)]
        client.send(b"".join(map(client_frame, numbers)))
        assert [client.frame()[1] for _ in numbers] == numbers


def test_a_message_may_be_as_large_as_the_connection_says(house: Doorstep) -> None:
    size = 32 * 2**20
    with house.visit("/ws/large") as client:
        client.send(client_frame(b"widen:%d" % size))
        client.send(client_frame(bytes(size)))
        assert client.frame() == (0x82, bytes(size))
        client.send(client_frame(length=struct.pack("!BQ", 0xFF, size + 1))[:10])
        assert next_close(client)[0] == 1009


def test_a_message_over_the_limit_is_refused_from_its_header(house: Doorstep) -> None:
    with house.visit() as client:
        client.send(struct.pack("!BBH", 0x82, 0xFE, LIMIT + 1))
        assert next_close(client)[0] == 1009


def test_pings_without_end_are_answered_without_filling_the_buffer(house: Doorstep) -> None:
    with house.visit() as client:
        client.send(b"".join(client_frame(b"%d" % number, first=0x89) for number in range(20_000)))
        last = b""
        while last != b"19999":
            first, last = client.frame()
            assert first == 0x8A


# Ends


def test_the_close_frame_of_the_peer_is_echoed_and_its_code_told(house: Doorstep) -> None:
    for code in (1000, 1001, 4001):
        path = f"/ws/close-{code}"
        with house.visit(path) as client:
            client.send(client_frame(close_payload(code, b"bye"), first=0x88) + client_frame(b"after"))
            assert client.frame() == (0x88, struct.pack("!H", code))
            assert client.ended() == b""
        house.wait(lambda path=path, code=code: house.room(path).calls == [f"lost {code}"])  # type: ignore[misc]
        assert house.room(path).received == []


def test_an_empty_close_frame_is_answered_with_an_empty_one(house: Doorstep) -> None:
    with house.visit("/ws/empty-close") as client:
        client.send(client_frame(first=0x88))
        assert client.frame() == (0x88, b"")
        assert client.ended() == b""
    house.wait(lambda: house.room("/ws/empty-close").calls == ["lost 1005"])


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_peer_that_vanishes_is_told_once(house: Doorstep, way: str) -> None:
    with house.visit(f"/ws/vanish-{way}") as client:
        client.echo(b"hello")
        getattr(client, way)()
        house.wait(lambda: house.room(f"/ws/vanish-{way}").calls == ["lost 1006"])


def test_nothing_is_written_behind_our_close_frame(house: Doorstep) -> None:
    with house.visit("/ws/closing") as client:
        client.send(client_frame(b"close:go away") + client_frame(b"unread"))
        assert client.closed() == (4401, "go away")
    room = house.room("/ws/closing")
    house.wait(lambda: room.calls == ["lost 4401"])
    assert room.received == [b"close:go away"]


def test_a_peer_that_does_not_answer_our_close_frame_is_cut_off(quick: Doorstep) -> None:
    with quick.visit("/ws/mute") as client:
        client.send(client_frame(b"close:go away"))
        assert client.frame()[0] == 0x88
        assert client.ended() == b""


def test_a_peer_that_goes_on_after_its_own_fault_is_cut_off(quick: Doorstep) -> None:
    with quick.visit() as client:
        client.send(frame(b"not masked"))
        with pytest.raises(OSError):
            pour(client)


def pour(client: Client) -> None:
    """Write until nobody takes it."""
    for _ in range(1_000_000):
        client.send(b"x" * 10_000)


def test_an_error_of_the_connection_closes_with_its_code_and_is_counted_and_logged(
    house: Doorstep, caplog: pytest.LogCaptureFixture
) -> None:
    with house.visit("/ws/refusing?token=secret") as client:
        count = len(house.refusals)
        client.send(client_frame(b"refuse:" + "ü".encode() * 100))
        assert client.closed() == (4404, "not-found: " + "ü" * 56)
        assert house.refusals[count:] == ["not-found"]
    [line] = [record.getMessage() for record in caplog.records if "/ws/refusing" in record.getMessage()]
    assert "4404 not-found" in line
    assert "secret" not in caplog.text


def test_a_fault_of_ours_closes_that_connection_only(house: Doorstep, caplog: pytest.LogCaptureFixture) -> None:
    with house.visit() as honest, house.visit("/ws/failing?token=secret") as client:
        client.send(client_frame(b"fail:ouch") + client_frame(b"after"))
        assert client.closed()[0] == 1011
        honest.echo(b"still here")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "secret" not in caplog.text
    assert house.room("/ws/failing").received == [b"fail:ouch"]


def test_no_address_with_a_token_is_ever_logged(house: Doorstep, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with closing(house.connect()) as client:
        get(client, GET.replace(b"/page", b"/page?token=secret"))
    with connect(f"ws://127.0.0.1:{house.port}/elsewhere?token=secret", open_timeout=SECONDS) as other:
        other.recv()
    with house.visit("/ws/room?token=secret") as client:
        client.send(frame(b"not masked"))
        next_close(client)
    assert "secret" not in caplog.text


# A peer that does not read


def test_a_peer_that_does_not_read_stalls_its_connection_until_it_reads(house: Doorstep) -> None:
    with house.visit() as honest, house.visit("/ws/slow") as slow:
        room = house.room("/ws/slow")
        slow.send(client_frame(b"flood:8"))
        house.wait(lambda: room.calls == ["stalled"])
        honest.echo(b"still here")
        for _ in range(8):
            assert len(slow.frame()[1]) == 2**20
        house.wait(lambda: room.calls == ["stalled", "drained"])
        slow.echo(b"awake")


def test_pings_of_a_peer_that_does_not_read_are_answered_once_when_it_reads(house: Doorstep) -> None:
    with house.visit("/ws/pinging") as slow:
        slow.send(client_frame(b"flood:8"))
        house.wait(lambda: house.room("/ws/pinging").calls == ["stalled"])
        for number in range(1_000):
            slow.send(client_frame(b"%d" % number, first=0x89))
        slow.send(client_frame(b"last", first=0x89) + client_frame(b"pause:"))
        house.wait(lambda: b"pause:" in house.room("/ws/pinging").received)
        for _ in range(8):
            slow.frame()
        assert slow.frame() == (0x8A, b"last")


def test_a_peer_that_does_not_read_cannot_delay_its_end(quick: Doorstep) -> None:
    with quick.visit("/ws/stuck") as stuck:
        stuck.send(client_frame(b"flood:8") + client_frame(b"close:enough"))
        quick.wait(lambda: quick.room("/ws/stuck").calls == ["stalled", "lost 4401"])
        quick.wait(lambda: quick.callers.present() == 0)


def test_a_paused_peer_is_read_again(house: Doorstep) -> None:
    with house.visit() as client:
        client.send(client_frame(b"pause:"))
        client.echo(b"hello")


def test_what_came_already_waits_too_when_a_peer_is_paused(house: Doorstep) -> None:
    """LOAD-6."""
    with house.visit("/ws/paused") as client:
        client.send(client_frame(b"stop:") + client_frame(b"one") + client_frame(b"ping", first=0x89) + client_frame(b"two"))
        room = house.room("/ws/paused")
        house.wait(lambda: room.received)
        # After the loop's turn, in which all of it came.
        received: Future[list[bytes]] = Future()
        house.loop.call_soon_threadsafe(lambda: received.set_result(list(room.received)))
        assert received.result(SECONDS) == [b"stop:"]
        house.loop.call_soon_threadsafe(room.outbound.resume)
        assert client.frame() == (0x82, b"one")
        assert {client.frame(), client.frame()} == {(0x82, b"two"), (0x8A, b"ping")}
        client.echo(b"three")


def test_a_peer_that_goes_while_it_is_paused_is_let_go(house: Doorstep) -> None:
    with house.visit("/ws/going") as client:
        client.send(client_frame(b"stop:") + client_frame(b"one"))
        room = house.room("/ws/going")
        house.wait(lambda: room.received)
        house.loop.call_soon_threadsafe(room.outbound.close, 4401, "enough")
        assert client.closed() == (4401, "enough")
    house.wait(lambda: room.calls == ["lost 4401"])
    assert room.received == [b"stop:"]


def test_a_connection_that_goes_leaves_nothing_for_the_collector_of_garbage(house: Doorstep) -> None:
    # Who came before this test may leave something: the last of them goes now.
    house.wait(lambda: house.callers.present() == 0)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with house.visit() as client:
                client.echo(b"hello")
            with closing(house.connect()) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                client.ended()
        house.wait(lambda: house.callers.present() == 0)
        house.rooms.clear()
        # What ended last is let go in the loop's next turns.
        for _ in range(20):
            turned: Future[None] = Future()
            house.loop.call_soon_threadsafe(turned.set_result, None)
            turned.result(SECONDS)
            left = [type(each).__name__ for each in gc.get_objects() if isinstance(each, HttpSocket | RoomSocket | ClientFrames)]
            if not left:
                break
        assert left == []
    finally:
        gc.enable()


# Before a request is whole


def test_half_open_clients_are_closed_in_time_and_disturb_nobody(quick: Doorstep) -> None:
    beginnings = [b"", b"G", b"GET /ws/room HTTP/1.1\r\n", opening()[:-2], opening()[:-1], b"\r\n", b"POST / HTTP/1.1\r\nX: " + b"y" * 100]
    with quick.visit() as honest, ExitStack() as stack:
        hurry(quick)
        start = time.monotonic()
        clients = []
        for number in range(200):
            clients.append(stack.enter_context(closing(quick.connect())))
            clients[-1].send(beginnings[number % len(beginnings)])
        honest.echo(b"among them")
        for client in clients:
            # What comes only after the end is answered by the system, with a reset.
            with suppress(ConnectionResetError):
                assert client.ended() == b""
            honest.echo(b"still here")
        # All at once: one after the other they would take a minute.
        assert time.monotonic() - start < 30
        assert quick.refusals == ["timeout"] * 200


def test_a_header_that_drips_gains_no_time(quick: Doorstep) -> None:
    hurry(quick)
    with closing(quick.connect()) as client:
        client.send(b"GET / HTTP/1.1\r\n")
        client.sock.settimeout(0.02)
        assert any(hung_up(client) for _ in range(200))
    assert quick.refusals == ["timeout"]


def hung_up(client: Client) -> bool:
    """Send one more header, and look whether anybody is there."""
    try:
        client.send(b"X: y\r\n")
        return client.sock.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_the_next_request_of_a_connection_has_its_own_time(quick: Doorstep) -> None:
    with closing(quick.connect()) as client:
        assert get(client)[1] == b"0"
        hurry(quick)
        client.send(b"GET /page HT")
        assert client.ended() == b""
    assert quick.refusals == ["timeout"]


def test_empty_lines_between_requests_do_not_keep_a_connection(quick: Doorstep) -> None:
    with closing(quick.connect()) as client:
        get(client)
        hurry(quick)
        client.send(b"\r\n")
        assert client.ended() == b""


def test_a_slow_body_is_not_a_slow_header(quick: Doorstep) -> None:
    hurry(quick, 1.0)
    sent = threading.Event()
    # The header's time does not begin before all of it is there.
    quick.loop.call_soon_threadsafe(sent.wait, SECONDS)
    with closing(quick.connect()) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        sent.set()
        client.sock.settimeout(1.5)
        with pytest.raises(TimeoutError):
            client.sock.recv(1)
        client.sock.settimeout(SECONDS)
        client.send(b"b")
        assert client.head().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET[:-2] + b"X: " + b"y" * 5_000 + b"\r\n\r\n",
        GET[:-2] + b"X: " + b"y" * 100_000,
        GET[:-2] + b"X: y\r\n" * 2_000,
        b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000,
        opening("/ws/" + "a" * 5_000),
        opening("/ws/room", b"Cookie: " + b"c" * 5_000),
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: " + b"y" * 5_000 + b"\r\n\r\n",
    ],
)
def test_headers_over_the_limit_are_refused(house: Doorstep, request_bytes: bytes) -> None:
    with closing(house.connect()) as client:
        client.send(request_bytes)
        answer = client.ended()
        assert answer == b"" if b"chunked" in request_bytes else answer.startswith(b"HTTP/1.1 431 ")


def test_trailers_without_end_are_refused(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ")
        with pytest.raises(OSError):
            pour(client)


@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000])
@pytest.mark.parametrize("piece", [300, 100_000, 10_000_000])
def test_bodies_are_taken_as_they_are_and_end_where_they_say(house: Doorstep, size: int, piece: int) -> None:
    bodies = [random.Random(size + number).randbytes(size) for number in range(3)]
    head = b"POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    stream = b"".join(head + body for body in bodies)
    with closing(house.connect()) as client:
        for start in range(0, len(stream), piece):
            client.send(stream[start : start + piece])
        for body in bodies:
            client.head()
            assert client.read(64) == sha256(body).hexdigest().encode()


def test_a_client_that_goes_in_the_middle_of_a_long_body_is_let_go(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + bytes(100_000))
        client.sock.shutdown(socket.SHUT_WR)
        assert client.ended() == b""


def test_a_body_in_many_small_chunks_is_taken(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n")
        client.head()
        assert client.read(5) == b"50000"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(house: Doorstep, request_bytes: bytes) -> None:
    with closing(house.connect()) as client:
        client.send(request_bytes)
        assert client.ended().startswith(b"HTTP/1.1 400 ")


def test_an_upgrade_to_something_else_is_an_ordinary_request(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        assert get(client, GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")[1] == b"0"


def test_a_handshake_that_uvicorn_cannot_read_ends_the_connection() -> None:
    with doorstep(Limits()) as house, closing(house.connect()) as client:
        client.send(opening("/elsewhere", b"X: " + b"y" * 9_000))
        assert client.ended() == b""


def test_a_room_cannot_be_asked_for_while_an_answer_is_on_its_way(house: Doorstep) -> None:
    with closing(house.connect()) as client:
        client.send(GET + opening("/ws/too-early"))
        assert b" 101 " not in client.ended()
    assert "/ws/too-early" not in house.rooms


# Connections of one address


def test_connections_of_one_address_are_limited_and_counted_until_they_end() -> None:
    with doorstep(Limits(connections=3, header_seconds=SECONDS)) as house, ExitStack() as stack:
        half_open = stack.enter_context(closing(house.connect()))
        stack.enter_context(house.visit("/ws/one"))
        with connect(f"ws://127.0.0.1:{house.port}/elsewhere", open_timeout=SECONDS) as other:
            other.recv()
            with closing(house.connect()) as client:
                assert client.ended().startswith(b"HTTP/1.1 429 ")
            assert house.refusals == ["too-many"]
        half_open.close()
        house.wait(lambda: house.callers.present() == 1)
        with house.visit("/ws/two") as client:
            client.echo(b"hello")


def test_far_too_many_connections_are_not_even_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    # The one that is refused with words is there for as long as the next one takes.
    monkeypatch.setattr(door, "LINGER_SECONDS", SECONDS)
    with doorstep(Limits(connections=1)) as house, ExitStack() as stack:
        stack.enter_context(house.visit())
        refused = stack.enter_context(closing(house.connect()))
        house.wait(lambda: house.refusals == ["too-many"])
        with closing(house.connect()) as client:
            assert client.ended() == b""
        assert refused.head().startswith(b"HTTP/1.1 429 ")


# Unmodified clients


def test_the_websockets_library_is_served(house: Doorstep) -> None:
    with connect(f"ws://127.0.0.1:{house.port}/ws/library", max_size=None, open_timeout=SECONDS) as client:
        assert client.protocol.extensions == []
        client.send(b"widen:%d" % 2**20)
        for size in (0, 1, 125, 126, 65535, 65536, 2**20):
            client.send(bytes(size))
            assert client.recv() == bytes(size)
        client.send([b"frag", b"men", b"ted"])
        assert client.recv() == b"fragmented"
        assert client.ping(b"ping").wait(SECONDS)
        client.close(4000, "done")
    house.wait(lambda: house.room("/ws/library").calls == ["lost 4000"])


NODE = """
import WebSocket from "ws";
const socket = new WebSocket(process.argv[1]);
const sizes = [0, 1, 125, 126, 65535, 65536, 1048576];
let at = 0;
socket.on("error", (error) => { console.log("error", error.message); process.exit(1); });
socket.on("open", () => { socket.send(Buffer.from("widen:1048576")); socket.send(Buffer.alloc(sizes[at])); });
socket.on("message", (data, binary) => {
  if (!binary || data.length !== sizes[at]) { console.log("wrong", binary, data.length); process.exit(1); }
  at += 1;
  if (at < sizes.length) socket.send(Buffer.alloc(sizes[at]));
  else socket.ping("are you there?");
});
socket.on("pong", (data) => { console.log("pong", data.toString()); socket.send(Buffer.from("close:enough")); });
socket.on("close", (code, reason) => console.log("close", code, reason.toString()));
"""


def test_the_websocket_of_node_is_served(house: Doorstep) -> None:
    install()
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", NODE, f"ws://127.0.0.1:{house.port}/ws/node"],
        cwd=INTEROP,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("pong are you there?\nclose 4401 enough\n", "", 0)


# Noise


def test_random_bytes_get_a_plain_refusal_and_honest_clients_notice_nothing(house: Doorstep) -> None:
    rng = random.Random(20261122)
    faults = house.refusals.count("error")
    with house.visit("/ws/undisturbed") as honest:
        for case in range(scale(1_000, 10_000)):
            with house.visit("/ws/noise") as client:
                client.send(noise(rng))
                client.sock.shutdown(socket.SHUT_WR)
                assert plain(last_frame(client)), case
            if case % 50 == 0:
                honest.echo(b"%d" % case)
    assert house.refusals.count("error") == faults


def plain(last: tuple[int, bytes] | None) -> bool:
    """An answer, a refusal with a code that means the frame, or an echoed close."""
    if last is None or last[0] in {0x82, 0x8A}:
        return True
    return last[0] == 0x88 and last[1][:2] != struct.pack("!H", 1011)


def noise(rng: random.Random) -> bytes:
    """A few frames, most of them somehow wrong."""
    out = bytearray()
    for _ in range(rng.randrange(1, 4)):
        first = rng.choice([0x82, 0x02, 0x00, 0x80, 0x89, 0x88, 0x81, rng.randrange(256)])
        payload = rng.randbytes(rng.choice([0, 1, 2, 30, 125, 126, LIMIT, LIMIT + 1]))
        out += client_frame(b"\x00" + payload, first=first, mask=rng.randbytes(4))
    if rng.random() < 0.5:
        at = rng.randrange(len(out))
        out[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(out) or b"\x00"


def last_frame(client: Client) -> tuple[int, bytes] | None:
    """The last frame before the server hangs up."""
    client.buffer += client.ended()
    last = None
    while client.buffer:
        last = client.frame()
    return last
