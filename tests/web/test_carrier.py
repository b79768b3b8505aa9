"""Connections over plain HTTP, without the HTTP: order, cuts, readers that are slow or gone (WIRE-16, WIRE-17)."""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64decode
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from runtime.stage import PATH, Guest, Stage, passing, soon
from scale import scale

from collab.codec import Reader
from collab.dialects import HOCUSPOCUS
from collab.errors import Conflict, Malformed, TooMany
from collab.frames import frame
from collab.runtime.connection import Caller, Connection
from collab.web.carrier import KEPT, READERS, RESUME, Carrier, Gap, Gone
from collab.web.websocket import HIGH_WATER, LOW_WATER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

IDLE = 5.0


class Room:
    """The other side of a carrier: remembers what it is told."""

    def __init__(self, carrier: Carrier, act: Callable[[bytes], None] = lambda _: None) -> None:
        self.carrier = carrier
        self.received: list[bytes] = []
        self.calls: list[object] = []
        self._act = act

    def receive(self, data: bytes) -> None:
        self.received.append(data)
        self._act(data)

    def stalled(self) -> None:
        self.calls.append("stalled")

    def drained(self) -> None:
        self.calls.append("drained")

    def lost(self, code: int) -> None:
        self.calls.append(code)

    def going_away(self) -> None:
        self.calls.append("going away")


class Opened:
    """A carrier with its room, and what became of it."""

    def __init__(self, limit: int = 1000) -> None:
        self.refusals: list[str] = []
        self.gone = False
        self.carrier = Carrier(limit, self.refusals.append, self._left)
        self.room = Room(self.carrier)
        self.carrier.begin(self.room)

    def _left(self) -> None:
        assert not self.gone
        self.gone = True

    def say(self, *messages: bytes) -> None:
        self.carrier.write(b"".join(map(frame, messages)))


@pytest.fixture
async def opened() -> Opened:
    return Opened()


def events(text: bytes) -> list[tuple[int, bytes]]:
    """Whole events with their numbers; what is cut in the middle does not count."""
    found = []
    for event in text.split(b"\n\n")[:-1]:
        if event.startswith(b":"):
            continue
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n"))
        data = fields[b"data"]
        found.append((int(fields[b"id"]), data if b"event" in fields else b64decode(data, validate=True)))
    return found


async def messages(carrier: Carrier, after: int = 0) -> list[bytes]:
    carrier.check(after)
    return [message for _, message in events(await carrier.answer(after, 0.01))]


async def test_messages_go_down_in_order_and_come_up_once(opened: Opened) -> None:
    opened.say(b"one", b"", b"x" * 200, b"y" * 70_000)
    assert await messages(opened.carrier) == [b"one", b"", b"x" * 200, b"y" * 70_000]
    await opened.carrier.take(1, [b"a", b"b"])
    await opened.carrier.take(1, [b"a", b"b"])
    await opened.carrier.take(2, [])
    await opened.carrier.take(3, [b"c"])
    await opened.carrier.take(2, [b"other"])
    assert opened.room.received == [b"a", b"b", b"c"]
    assert opened.room.calls == []


async def test_a_batch_that_is_missing_is_not_passed_over(opened: Opened) -> None:
    await opened.carrier.take(1, [b"a"])
    with pytest.raises(Gap):
        await opened.carrier.take(3, [b"c"])
    await opened.carrier.take(2, [b"b"])
    await opened.carrier.take(3, [b"c"])
    assert opened.room.received == [b"a", b"b", b"c"]


async def test_a_stream_that_was_cut_goes_on_behind_the_last_event_that_came(opened: Opened) -> None:
    opened.say(b"one", b"two", b"three")
    assert await messages(opened.carrier) == [b"one", b"two", b"three"]
    assert await messages(opened.carrier, 1) == [b"two", b"three"]
    opened.say(b"four")
    assert await messages(opened.carrier, 3) == [b"four"]
    opened.carrier.seen(3)
    with pytest.raises(Gone):
        opened.carrier.check(2)
    await soon()
    assert opened.room.calls == [1006], "a word would be missing: nobody goes on with this connection"


async def test_an_event_that_was_never_sent_is_not_a_place_to_go_on_from(opened: Opened) -> None:
    opened.say(b"one")
    with pytest.raises(Conflict):
        opened.carrier.check(2)
    assert await messages(opened.carrier) == [b"one"]


async def test_what_was_sent_is_kept_up_to_a_bound_and_not_longer_than_the_client_needs_it(opened: Opened) -> None:
    async with aclosing(opened.carrier.read(0, IDLE)) as stream:
        for number in range(100):
            opened.say(bytes([number]) * 10_000)
            await anext(stream)
    assert opened.carrier._held <= KEPT + 20_000
    assert await messages(opened.carrier, 95) == [bytes([number]) * 10_000 for number in range(95, 100)]
    opened.carrier.seen(100)
    assert opened.carrier._held == 0


async def test_a_second_reader_takes_the_place_of_the_first(opened: Opened) -> None:
    first = opened.carrier.read(0, IDLE)
    reading = asyncio.ensure_future(anext(first))
    await soon()
    async with aclosing(opened.carrier.read(0, IDLE)) as second:
        taking = asyncio.ensure_future(anext(second))
        with pytest.raises(StopAsyncIteration):
            await reading
        opened.say(b"one")
        assert events(await taking) == [(1, b"one")]


async def test_a_stream_says_that_it_is_alive(opened: Opened) -> None:
    async with aclosing(opened.carrier.read(0, IDLE)) as stream:
        start = asyncio.get_running_loop().time()
        assert await anext(stream) == b""
        assert asyncio.get_running_loop().time() - start == pytest.approx(IDLE)


async def test_nobody_who_reads_for_some_seconds_is_the_end(opened: Opened) -> None:
    await passing(RESUME - 1)
    assert await messages(opened.carrier) == []
    await passing(RESUME - 1)
    assert opened.room.calls == []
    await passing(2)
    assert opened.room.calls == [1006]
    with pytest.raises(Gone):
        await opened.carrier.take(1, [b"a"])
    assert not opened.gone
    await passing(RESUME)
    assert opened.gone


async def test_a_slow_reader_counts_as_stuck_as_a_socket_does(opened: Opened) -> None:
    piece = b"x" * 50_000
    while not opened.room.calls:
        opened.say(piece)
        assert opened.carrier.buffered() < HIGH_WATER + 100_000
    assert opened.room.calls == ["stalled"]
    async with aclosing(opened.carrier.read(0, IDLE)) as stream:
        while opened.carrier.buffered() > LOW_WATER:
            assert opened.room.calls == ["stalled"]
            await anext(stream)
        stepping = asyncio.ensure_future(anext(stream))
        await passing(1)
        assert opened.room.calls == ["stalled", "drained"]
        stepping.cancel()
        await asyncio.gather(stepping, return_exceptions=True)


async def test_a_connection_that_wants_no_more_keeps_the_next_batch_waiting(opened: Opened) -> None:
    carrier, room = opened.carrier, opened.room
    room._act = lambda message: carrier.pause() if message == b"stop" else None
    first = asyncio.ensure_future(carrier.take(1, [b"a", b"stop", b"b"]))
    second = asyncio.ensure_future(carrier.take(2, [b"c"]))
    again = asyncio.ensure_future(carrier.take(2, [b"c"]))
    await soon()
    assert room.received == [b"a", b"stop"]
    assert not any(taking.done() for taking in (first, second, again))
    carrier.resume()
    await asyncio.gather(first, second, again)
    assert room.received == [b"a", b"stop", b"b", b"c"]


async def test_few_requests_at_once_bring_messages(opened: Opened) -> None:
    for _ in range(READERS):
        opened.carrier.enter()
    with pytest.raises(TooMany):
        opened.carrier.enter()


async def test_an_error_closes_with_its_code_and_a_message_over_the_limit_too(opened: Opened) -> None:
    def fail(message: bytes) -> None:
        if message == b"bad":
            raise Malformed("nothing of this sort")

    opened.room._act = fail
    await opened.carrier.take(1, [b"good", b"bad", b"good"])
    assert opened.room.received == [b"good", b"bad"]
    (last,) = await messages(opened.carrier)
    assert json.loads(last) == {"code": 4400, "reason": "malformed: nothing of this sort"}
    assert opened.refusals == ["malformed"]
    await soon()
    assert opened.room.calls == [4400]

    other = Opened(limit=3)
    await other.carrier.take(1, [b"abc", b"abcd"])
    assert other.room.received == [b"abc"]
    (last,) = await messages(other.carrier)
    assert json.loads(last)["code"] == 1009


async def test_the_last_words_can_be_read_for_a_while(opened: Opened) -> None:
    opened.say(b"one")
    opened.carrier.close(4403, "forbidden: not yours")
    opened.say(b"two")
    async with aclosing(opened.carrier.read(0, IDLE)) as stream:
        said = [message for piece in [piece async for piece in stream] for _, message in events(piece)]
    assert said == [b"one", b'{"code": 4403, "reason": "forbidden: not yours"}']
    assert await messages(opened.carrier, 1) == [said[1]]
    await passing(RESUME + 1)
    assert opened.gone


# --- a client that is cut again and again


class Kept(Carrier):
    """The rooms of a stage frame messages in their own way."""

    def write(self, data: bytes) -> None:
        reader, found = Reader(data), []
        while not reader.done:
            found.append(frame(reader.var_bytes()))
        super().write(b"".join(found))


class Courier:
    """A client's end, with a bad line: answers are cut anywhere, and so are those of what is sent. A `Guest` takes it for a socket."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.limit = 0
        self.closed: tuple[int, str] | None = None
        self.stuck = False
        self.heard: Callable[[], None] | None = None
        self.cuts = 0
        self._chance = chance
        self._came: list[bytes] = []
        self._waiting: list[bytes] = []
        self._something = asyncio.Event()
        self.carrier = Kept(2**20, lambda _: None, lambda: None)
        self.carrier.begin(Connection(stage.rooms, self.carrier, HOCUSPOCUS, Caller("192.0.2.1")))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._listen()), loop.create_task(self._send())]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.carrier.hang_up(1000)

    def frames(self) -> list[bytes]:
        return self._came

    def send(self, data: bytes) -> None:
        self._waiting.append(data)
        self._something.set()

    async def _listen(self) -> None:
        last = 0
        while True:
            self.carrier.check(last)
            async with aclosing(self.carrier.read(last, IDLE)) as stream:
                async for piece in stream:
                    cut = self._chance.random() < 0.4
                    came = piece[: self._chance.randrange(len(piece) + 1)] if cut else piece
                    for number, message in events(came):
                        assert number == last + 1
                        last = number
                        self._came.append(message)
                    if self.heard is not None:
                        self.heard()
                    if cut:
                        self.cuts += 1
                        break
            await asyncio.sleep(self._chance.random() * 3)

    async def _send(self) -> None:
        number = 0
        while True:
            await self._something.wait()
            self._something.clear()
            batch, self._waiting = self._waiting, []
            number += 1
            while True:
                await self.carrier.take(number, batch)
                if self._chance.random() < 0.7:
                    break
                # The answer was lost: the same once more.
                self.cuts += 1
                await asyncio.sleep(self._chance.random())


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    made.files.poke(PATH, b"one\n")
    await made.start()
    yield made
    await made.end()


@pytest.mark.parametrize("seed", range(scale(20, 400)))
async def test_cuts_lose_nothing_and_double_nothing(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    couriers = [Courier(stage, random.Random(f"{seed} {number}")) for number in range(2)]
    guests: list[Guest] = []
    for number, courier in enumerate(couriers):
        socket: Any = courier
        guest = stage.on(socket)
        guest.sign_in(stage.token(f"Guest {number}"))
        guest.step1()
        guests.append(guest)
    other = await stage.guest("Bob")
    while not all(guest.synced for guest in guests):
        await passing(1)
    edits = dict.fromkeys(guests, 0)
    for number in range(30):
        guest = chance.choice([*guests, other])
        edits[guest] = edits.get(guest, 0) + 1
        guest.type(f"<{number}>", at=chance.choice([0, len(str(guest.replica.text).encode())]))
        await passing(chance.random())
    # One acknowledgement for each edit, and one for what each brought along.
    while not all(guest.text == other.text and len(guest.statuses) > edits[guest] for guest in guests):
        await passing(1)
    assert sorted(other.text.replace("one\n", "").replace("<", "").replace(">", " ").split()) == sorted(map(str, range(30)))
    assert [guest.statuses for guest in guests] == [[1] * (edits[guest] + 1) for guest in guests]
    assert all(courier.cuts > 0 for courier in couriers)
    for courier in couriers:
        await courier.end()
