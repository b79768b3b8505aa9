"""What rooms share at the end of a turn of the event loop."""

from __future__ import annotations

import asyncio

from collab.runtime.tick import Tick


class Sink:
    """Says when it is written to, into a list that others write into, too."""

    def __init__(self, happened: list[str], name: str, *, broken: bool = False) -> None:
        self._happened, self._name, self._broken = happened, name, broken

    def write(self, data: bytes) -> None:
        if self._broken:
            raise OSError(self._name)
        self._happened.append(f"{self._name} {data.decode()}")


async def test_what_rooms_put_is_written_behind_all_of_them_and_in_order() -> None:
    happened: list[str] = []
    tick, ann, bob = Tick(), Sink(happened, "ann"), Sink(happened, "bob")

    def flush(room: str, *sinks: Sink) -> None:
        happened.append(room)
        for sink in sinks:
            tick.put(sink, room.encode())

    tick.soon(lambda: flush("one", ann, bob))
    tick.soon(lambda: flush("two", bob))
    await asyncio.sleep(0)
    assert happened == ["one", "two", "ann one", "bob one", "bob two"]


async def test_what_is_put_and_drained_at_once_follows_what_was_put_before() -> None:
    happened: list[str] = []
    tick, ann = Tick(), Sink(happened, "ann")

    def now() -> None:
        tick.put(ann, b"second")
        tick.drain()
        happened.append("refused")

    tick.soon(lambda: tick.put(ann, b"first"))
    tick.soon(now)
    await asyncio.sleep(0)
    assert happened == ["ann first", "ann second", "refused"]


async def test_who_fails_holds_up_nobody_and_is_told() -> None:
    happened: list[str] = []
    told: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    tick = Tick()

    def fail() -> None:
        raise ValueError("a room")

    tick.soon(fail)
    tick.soon(lambda: tick.put(Sink(happened, "broken", broken=True), b"words"))
    tick.soon(lambda: tick.put(Sink(happened, "whole"), b"words"))
    await asyncio.sleep(0)
    assert happened == ["whole words"]
    assert [str(error) for error in told] == ["a room", "broken"]
