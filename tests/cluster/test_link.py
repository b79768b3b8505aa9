"""NODES-5: the wire between nodes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop
from sim.network import Network

from collab.cluster import link
from collab.cluster.link import BEFORE, HANDSHAKE, HIGH, QUEUED, TURN, Exchange, Wire
from collab.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET, OTHER = bytes(range(32)), bytes(32)


class Ends:
    """Two nodes, `a` and `b`; what `b` is called for."""

    def __init__(self, theirs: bytes = SECRET) -> None:
        self.network = Network(lambda: asyncio.sleep(0))
        self.a = Exchange("a", SECRET, connect=self.network.connect("a"))
        self.b = self.network.exchanges["b"] = Exchange("b", theirs)
        self.calls: list[tuple[Wire, dict[str, str]]] = []
        self.b.answer = self._answer

    async def _answer(self, wire: Wire, facts: dict[str, str]) -> None:
        self.calls.append((wire, facts))
        await asyncio.Event().wait()


async def test_both_sides_prove_that_they_know_the_secret_and_say_who_they_are() -> None:
    ends = Ends()
    wire = await ends.a.dial("b", "b", "link")
    wire.send(b"he", b"llo")
    await asyncio.sleep(0.01)
    ((far, facts),) = ends.calls
    assert facts == {"from": "a", "to": "b", "for": "link"}
    assert await far.receive() == b"hello"
    await ends.b.close()


@pytest.mark.parametrize("node", ["b", "c"])
async def test_who_does_not_know_the_secret_or_looks_for_another_node_is_turned_away(node: str) -> None:
    ends = Ends(OTHER if node == "b" else SECRET)
    with pytest.raises(Unreachable):
        await ends.a.dial(node, "b", "link")
    assert not ends.calls


async def test_a_node_that_does_not_know_the_secret_learns_nothing_from_who_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers and does not prove itself is hung up on; what was said to it is no proof for anybody else."""
    ends = Ends()
    heard: list[bytes] = []

    async def admits(wire: Wire, key: bytes, node: str) -> dict[str, str]:
        del key, node
        wire.send(link.GREETING + bytes(32))
        heard.append(await wire.receive())
        wire.send(heard[0][32:64])
        return {"for": "link"}

    monkeypatch.setattr(link, "admit", admits)
    with pytest.raises(Unreachable, match="does not know the secret"):
        await ends.a.dial("b", "b", "link")
    assert SECRET not in heard[0]


async def test_a_proof_is_not_taken_twice() -> None:
    """Somebody who listened says again what a node said."""
    ends = Ends()
    said: list[bytes] = []
    dial = ends.network.connect("a")

    class Heard(Wire):
        def send(self, *parts: bytes) -> None:
            said.append(b"".join(parts))
            super().send(*parts)

    first = Heard()
    await dial("b", lambda: first)
    await link.introduce(first, link.key_of(SECRET), {"from": "a", "to": "b", "for": "link"})
    again = Wire()
    await dial("b", lambda: again)
    await again.receive()
    again.send(said[0])
    with pytest.raises(Unreachable):
        await again.receive()


async def test_before_the_proof_frames_are_small_and_time_is_short() -> None:
    ends = Ends()
    dial = ends.network.connect("a")
    large, silent = Wire(), Wire()
    await dial("b", lambda: large)
    large.send(bytes(BEFORE + 1))
    await dial("b", lambda: silent)
    await asyncio.sleep(0.1)
    assert large.closed
    assert not silent.closed
    await asyncio.sleep(HANDSHAKE)
    assert silent.closed


async def test_only_so_many_prove_themselves_at_once() -> None:
    ends = Ends()
    dial = ends.network.connect("a")
    wires = [Wire() for _ in range(link.HALF_OPEN + 5)]
    for wire in wires:
        await dial("b", lambda wire=wire: wire)  # type: ignore[misc]
    await asyncio.sleep(0.1)
    assert [wire.closed for wire in wires] == [False] * link.HALF_OPEN + [True] * 5


def test_frames_are_whole_however_they_come() -> None:
    bodies = [b"", b"x", b"y" * 300, b"z" * 70_000]
    sent = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    for size in (1, 2, 3, 5, 1000, len(sent)):
        wire, found = Wire(), list[bytes]()
        wire.limit = 100_000
        wire.listen(found.append, lambda: None, lambda _: None)
        for start in range(0, len(sent), size):
            wire.data_received(sent[start : start + size])
        assert found == bodies


async def test_what_nobody_receives_is_not_read_and_who_sends_waits() -> None:
    ends = Ends()
    wire = await ends.a.dial("b", "b", "link")
    sent = 0

    async def pour() -> None:
        nonlocal sent
        while True:
            wire.send(bytes(100_000))
            sent += 1
            await wire.drained()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pour(), 10)
    assert sent * 100_000 < HIGH + QUEUED + 1_000_000
    ((far, _),) = ends.calls
    for _ in range(sent):
        assert len(await far.receive()) == 100_000
    await asyncio.wait_for(wire.drained(), 1)
    await ends.b.close()


async def test_a_wire_that_is_cut_is_told_to_everybody_who_waits() -> None:
    ends = Ends()
    wire = await ends.a.dial("b", "b", "link")
    waiting = asyncio.ensure_future(wire.receive())
    await asyncio.sleep(0.1)
    await ends.b.close()
    with pytest.raises(Unreachable):
        await waiting


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_real_sockets(kind: str, loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    async def both() -> None:
        called, caller = Exchange("b", SECRET), Exchange("a", SECRET)

        async def echo(wire: Wire, facts: dict[str, str]) -> None:
            assert facts["from"] == "a"
            wire.send(b"echo " + await wire.receive())
            await wire.drained()

        called.answer = echo
        address = await called.listen(f"unix:{tmp_path}/b.sock" if kind == "unix" else "127.0.0.1:0")
        wire = await caller.dial("b", address, "ask")
        wire.send(bytes(3_000_000))
        assert await wire.receive() == b"echo " + bytes(3_000_000)
        with pytest.raises(Unreachable):
            await wire.receive()
        await called.close()
        with pytest.raises(Unreachable):
            await caller.dial("b", address, "ask")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(both())


async def test_of_many_frames_that_come_at_once_others_are_read_in_between() -> None:
    """LOAD-6."""
    ends = Ends()
    wire = await ends.a.dial("b", "b", "link")
    await asyncio.sleep(0.01)
    ((far, _),) = ends.calls
    taken: list[bytes] = []
    far.listen(taken.append, lambda: None, lambda _: None)
    far.data_received(b"".join(number.to_bytes(4, "big").join((b"\0\0\0\4", b"")) for number in range(2 * TURN + 1)))
    turns = []
    while len(taken) < 2 * TURN + 1:
        turns.append(len(taken))
        await asyncio.sleep(0)
    assert turns == [TURN, 2 * TURN]
    assert taken == [number.to_bytes(4, "big") for number in range(2 * TURN + 1)]
    wire.send(b"next")
    await asyncio.sleep(0.01)
    assert taken[-1] == b"next"
    await ends.b.close()
