"""WIRE-2: frames are what RFC 6455 says, wherever the network cuts them."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest
from doorstep import HOSTILE, LIMIT, client_frame, close_payload
from scale import scale
from websockets import frames as reference
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.speedups import apply_mask
from websockets.uri import parse_uri
from websockets.utils import apply_mask as pure_apply_mask

from collab.errors import CollabError
from collab.frames import (
    NO_STATUS,
    ClientFrames,
    Closing,
    MessageTooBig,
    Ping,
    close_frame,
    frame,
    pong_frame,
    sendable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Event = bytes | Ping | Closing

HONEST = b"".join(
    [
        client_frame(b""),
        client_frame(b"one"),
        client_frame(b"x" * 125),
        client_frame(b"y" * 126),
        client_frame(b"fra", first=0x02),
        client_frame(b"are you there?", first=0x89),
        client_frame(b"", first=0x00),
        client_frame(b"unasked", first=0x8A),
        client_frame(b"gm", first=0x00),
        client_frame(b"ent", first=0x80),
        client_frame(b"z" * LIMIT),
        client_frame(b"p" * 125, first=0x89),
        client_frame(close_payload(4001, "später".encode()), first=0x88),
    ]
)
HONEST_EVENTS: list[Event] = [
    b"",
    b"one",
    b"x" * 125,
    b"y" * 126,
    Ping(b"are you there?"),
    b"fragment",
    b"z" * LIMIT,
    Ping(b"p" * 125),
    Closing(4001, "später"),
]


def read(pieces: Iterable[bytes], limit: int = LIMIT) -> tuple[list[Event], type[CollabError] | None]:
    frames = ClientFrames(limit, apply_mask)
    events: list[Event] = []
    for piece in pieces:
        # The short way gives just what the whole one gives, or nothing.
        whole = frames.whole(piece)
        before = len(events)
        try:
            events.extend(frames.receive(piece))
        except CollabError as error:
            assert whole is None
            return events, type(error)
        assert whole is None or events[before:] == [whole]
    return events, None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_is_refused_however_it_is_split(name: str) -> None:
    data, error = HOSTILE[name]
    expected = read([data])
    assert expected[1] is error
    for at in range(1, len(data)):
        assert read([data[:at], data[at:]]) == expected
    assert read(data[at : at + 1] for at in range(len(data))) == expected


@pytest.mark.parametrize("name", HOSTILE)
def test_messages_before_a_hostile_frame_are_given_and_none_after_it(name: str) -> None:
    data, error = HOSTILE[name]
    events, found = read([client_frame(b"before") + data + client_frame(b"after")])
    assert found is error
    assert events[0] == b"before"
    assert b"after" not in events


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_read_behind_a_hostile_frame(name: str) -> None:
    data, error = HOSTILE[name]
    frames = ClientFrames(LIMIT, apply_mask)
    with pytest.raises(error):
        list(frames.receive(data))
    assert frames.ended
    assert list(frames.receive(client_frame(b"after"))) == []


def test_honest_frames_are_read_however_they_are_split() -> None:
    assert read([HONEST]) == (HONEST_EVENTS, None)
    for at in range(1, len(HONEST)):
        assert read([HONEST[:at], HONEST[at:]]) == (HONEST_EVENTS, None)
    for size in (1, 2, 3, 5, 7, 64, 127):
        assert read(HONEST[at : at + size] for at in range(0, len(HONEST), size)) == (HONEST_EVENTS, None)


def test_what_follows_a_close_frame_is_dropped() -> None:
    assert read([HONEST + frame(b"not masked"), b"\xff\xff"]) == (HONEST_EVENTS, None)


def test_a_close_frame_may_be_empty() -> None:
    assert read([client_frame(first=0x88)]) == ([Closing(NO_STATUS, "")], None)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
def test_a_close_code_that_may_be_sent_is_read(code: int) -> None:
    assert read([client_frame(close_payload(code), first=0x88)]) == ([Closing(code, "")], None)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 2**20])
def test_a_message_of_each_length_form_comes_through_both_ways(size: int) -> None:
    message = random.Random(size).randbytes(size)
    assert read([client_frame(message)], 2**20) == ([message], None)
    client = ClientProtocol(parse_uri("ws://x"), state=OPEN, max_size=None)
    client.receive_data(frame(message))
    [received] = client.events_received()
    assert isinstance(received, reference.Frame)
    assert (received.opcode, received.fin, bytes(received.data)) == (reference.Opcode.BINARY, True, message)


def test_a_message_over_the_limit_is_refused_before_any_of_it_came() -> None:
    frames = ClientFrames(2**20, apply_mask)
    with pytest.raises(MessageTooBig):
        list(frames.receive(struct.pack("!BBQ", 0x82, 0xFF, 2**20 + 1)))


def test_the_limit_may_be_raised_between_two_messages_of_one_piece() -> None:
    frames = ClientFrames(125, apply_mask)
    events = []
    for event in frames.receive(client_frame(b"token") + client_frame(b"x" * 500)):
        events.append(event)
        frames.limit = 500
    assert events == [b"token", b"x" * 500]


def test_fragments_of_nothing_hold_nothing() -> None:
    pieces = [client_frame(b"a", first=0x02), *[client_frame(b"", first=0x00)] * 10_000, client_frame(b"b", first=0x80)]
    assert read(pieces) == ([b"ab"], None)


def test_each_piece_of_a_long_message_is_taken_in_constant_time() -> None:
    size = 4 * 2**20
    data = client_frame(bytes(size))
    events, error = read((data[at : at + 256] for at in range(0, len(data), 256)), size)
    assert error is None
    assert events == [bytes(size)]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_compiled_mask_and_the_pure_one_are_the_same(kind: type) -> None:
    for size in (0, 1, 3, 4, 7, 8, 9, 100, 70_000):
        data = random.Random(size).randbytes(size)
        assert (
            apply_mask(kind(data), b"abcd")
            == pure_apply_mask(kind(data), b"abcd")
            == bytes(a ^ b for a, b in zip(data, b"abcd" * size, strict=False))
        )


def test_a_frame_that_is_pieced_together_is_read_without_the_compiled_mask_too() -> None:
    frames = ClientFrames(LIMIT, pure_apply_mask)
    events = [event for at in range(len(HONEST)) for event in frames.receive(HONEST[at : at + 1])]
    assert events == HONEST_EVENTS


def test_a_close_reason_is_cut_to_whole_characters() -> None:
    assert close_frame(4404, "ü" * 100) == b"\x88\x7c" + struct.pack("!H", 4404) + "ü".encode() * 61
    assert close_frame(4404, "x" * 200) == b"\x88\x7d" + struct.pack("!H", 4404) + b"x" * 123
    assert close_frame(4404, "\ud800") == b"\x88\x03" + struct.pack("!H", 4404) + b"?"
    assert close_frame(NO_STATUS) == b"\x88\x00"


def test_a_pong_is_a_control_frame() -> None:
    assert pong_frame(b"hi") == b"\x8a\x02hi"


def test_codes_that_only_a_program_may_use_are_never_sent() -> None:
    assert [code for code in range(1000, 1020) if sendable(code)] == [*range(1000, 1004), *range(1007, 1015)]


def random_frames(rng: random.Random) -> bytes:
    """Frames of which most are honest, then some bytes changed, taken away or put in."""
    out = bytearray()
    for _ in range(rng.randrange(1, 6)):
        first = rng.choice([0x82, 0x82, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, rng.randrange(256)])
        size = rng.choice([0, 1, 2, 30, 125, 126, 200, LIMIT])
        out += client_frame(rng.randbytes(size), first=first, mask=rng.randbytes(4))
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(len(out))
        out[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(2))
    return bytes(out)


def test_random_frames_mean_the_same_however_they_are_split_and_a_second_reader_never_objects_to_what_we_take() -> None:
    rng = random.Random(20261122)
    for case in range(scale(1_000, 10_000)):
        data = random_frames(rng)
        whole = read([data])
        cuts = sorted(rng.choices(range(len(data) + 1), k=4))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert read(pieces) == whole, case
        second = ServerProtocol(state=OPEN, max_size=None)
        second.receive_data(data)
        if whole[1] is None:
            # The other reader holds that a close frame may not come inside a message; RFC 6455, section 5.4 allows it.
            assert str(second.parser_exc) in {"None", "incomplete fragmented message"}, case
            assert messages(second) == [event for event in whole[0] if isinstance(event, bytes)], case


def messages(protocol: ServerProtocol) -> list[bytes]:
    """The whole binary messages that the reference reader gives."""
    found: list[bytes] = []
    parts = b""
    for event in protocol.events_received():
        assert isinstance(event, reference.Frame)
        if event.opcode in {reference.Opcode.BINARY, reference.Opcode.CONT}:
            parts += bytes(event.data)
            if event.fin:
                found.append(parts)
                parts = b""
    return found
