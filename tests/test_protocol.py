"""WIRE-1, WIRE-3, WIRE-14: messages of both dialects, byte by byte."""

from __future__ import annotations

import random

import pytest
from scale import scale

from collab import protocol
from collab.codec import var_string
from collab.dialects import HOCUSPOCUS, YWEBSOCKET
from collab.errors import CollabError, Malformed
from collab.protocol import Kind

DOC = b"\x03doc"

PLAIN = [
    ("00 00 01 00", [(Kind.STEP1, b"\0")]),
    ("00 01 02 00 00", [(Kind.STEP2, b"\0\0")]),
    ("00 02 02 00 00", [(Kind.UPDATE, b"\0\0")]),
    ("01 06 01 01 01 02 7b 7d", [(Kind.AWARENESS, b"\x01\x01\x01\x02{}")]),
    ("03", [(Kind.QUERY_AWARENESS, b"")]),
    ("00 00 01 00 03 01 01 00", [(Kind.STEP1, b"\0"), (Kind.QUERY_AWARENESS, b""), (Kind.AWARENESS, b"\0")]),
]

ADDRESSED = [
    ("00 00 01 00", (Kind.STEP1, b"\0")),
    ("04 02 02 00 00", (Kind.UPDATE, b"\0\0")),
    ("01 01 00", (Kind.AWARENESS, b"\0")),
    ("02 00 03 74 6f 6b 05 34 2e 35 2e 30", (Kind.TOKEN, b"tok")),
    ("02 00 03 74 6f 6b", (Kind.TOKEN, b"tok")),
    ("03", (Kind.QUERY_AWARENESS, b"")),
    ("05 01 78", (Kind.STATELESS, b"x")),
    ("07", (Kind.CLOSE, b"")),
    ("07 01 78", (Kind.CLOSE, b"")),
]


@pytest.mark.parametrize(("wire", "messages"), PLAIN)
def test_y_websocket_frames_hold_one_message_or_many(wire: str, messages: list[protocol.Message]) -> None:
    assert protocol.read(bytes.fromhex(wire), YWEBSOCKET) == (b"", messages)


@pytest.mark.parametrize(("wire", "message"), ADDRESSED)
def test_hocuspocus_frames_hold_an_address_and_one_message(wire: str, message: protocol.Message) -> None:
    assert protocol.read(DOC + bytes.fromhex(wire), HOCUSPOCUS) == (DOC, [message])


def test_ping_and_pong_of_hocuspocus_have_no_address() -> None:
    assert protocol.read(b"\x09", HOCUSPOCUS) == (b"", [(Kind.PING, b"")])
    assert protocol.read(b"\x0a", HOCUSPOCUS) == (b"", [])


def test_an_address_may_carry_a_session_id_behind_the_name() -> None:
    assert protocol.document_name(var_string("a/b.md\0xyz")) == "a/b.md"
    assert protocol.document_name(var_string("a%2Fb.md")) == "a%2Fb.md"


@pytest.mark.parametrize(
    "wire",
    ["", "00", "00 03 00", "00 02 05 00", "02 00 00", "04", "05 01 78", "66 00", "80", "00 80 00 00", "01 05 00", "03 00 00 09 00"],
)
def test_what_is_no_y_websocket_message_is_malformed(wire: str) -> None:
    with pytest.raises(Malformed):
        protocol.read(bytes.fromhex(wire), YWEBSOCKET)


@pytest.mark.parametrize(
    "wire",
    ["", "00", "00 05 00", "02 01 01 78", "02 02 00", "06 01 78", "08 01", "05 01 ff", "03 00", "0b", "07 05 78", "01 00 00"],
)
def test_what_is_no_hocuspocus_message_of_a_client_is_malformed(wire: str) -> None:
    with pytest.raises(Malformed):
        protocol.read(DOC + bytes.fromhex(wire), HOCUSPOCUS)


def test_an_address_that_is_not_utf_8_is_malformed() -> None:
    with pytest.raises(Malformed):
        protocol.read(b"\x02\xff\xfe\x03", HOCUSPOCUS)


def test_random_frames_are_read_or_refused_and_nothing_else() -> None:
    rng = random.Random(7)
    whole = [bytes.fromhex(wire) for wire, _ in PLAIN] + [DOC + bytes.fromhex(wire) for wire, _ in ADDRESSED]
    for _ in range(scale(10_000, 200_000)):
        frame = bytearray(rng.choice(whole))
        for _ in range(rng.randint(0, 3)):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
        cut = bytes(frame[: rng.randint(0, len(frame))]) + rng.randbytes(rng.choice([0, 0, 1, 9]))
        for dialect in (YWEBSOCKET, HOCUSPOCUS):
            try:
                protocol.read(cut, dialect)
            except CollabError:
                continue


def test_what_we_say_is_what_the_peers_expect() -> None:
    assert protocol.step1(b"\0") == bytes.fromhex("00 00 01 00")
    assert protocol.step2(b"\0\0") == bytes.fromhex("00 01 02 00 00")
    assert protocol.update(b"\0\0") == bytes.fromhex("00 02 02 00 00")
    assert protocol.denied("no", YWEBSOCKET) == bytes.fromhex("02 00 02 6e 6f")
    assert protocol.denied("no", HOCUSPOCUS) == bytes.fromhex("02 01 02 6e 6f")
    assert protocol.authenticated("readonly") == bytes.fromhex("02 02 08 72 65 61 64 6f 6e 6c 79")
    assert protocol.stateless("x") == bytes.fromhex("05 01 78")
    assert protocol.close("bye") == bytes.fromhex("07 03 62 79 65")
    assert bytes.fromhex("08 01 08 00 01 01 00") == protocol.APPLIED + protocol.REFUSED + protocol.KEEP_ALIVE


def test_a_frame_with_very_many_messages_is_malformed() -> None:
    """WIRE-1, WIRE-3: one frame does not keep the loop busy for everybody else."""
    assert len(protocol.read(b"\x03" * 1_000, YWEBSOCKET)[1]) == 1_000
    with pytest.raises(Malformed):
        protocol.read(b"\x03" * 1_001, YWEBSOCKET)
