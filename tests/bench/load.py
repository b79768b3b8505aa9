"""A load on one server, from several processes: raw sockets, edits that were made before, no CRDT: `python tests/bench/load.py --url … --pid …`.

It prints one line of JSON. Each edit is one inserted or deleted character and has a clock of its writer, so that every delivery to every
client is counted, also when a server merges updates. What many clients get alike is decoded once.
"""

from __future__ import annotations

import argparse
import json
import mmap
import multiprocessing
import os
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from websockets.speedups import apply_mask

from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.updates import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

MASK = b"\x5a\x11\xc3\x7e"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATIENCE = 60.0
"""Seconds for all connections to be synced."""
QUIET = 0.3
"""Seconds between the last sync and the load."""
TICK = 1 / os.sysconf("SC_CLK_TCK")
GO, STOP, COUNTS = range(3)
"""Places in the shared memory: the load begins, all is over, and from there on for each process …"""
SYNCED, CLOSED, SENT, DONE, DELIVERED = range(5)
"""… how many clients are synced and closed, how many edits were sent, whether that is all, and for each room what was delivered."""


class Edit(NamedTuple):
    """An update of the trace, made by the client id `base`."""

    clock: int
    """The clock of the inserted character; `DELETION` has none."""
    data: bytes


DELETION = 0xFFFFFFFF


def load_trace(path: Path) -> tuple[int, list[Edit]]:
    """The base client id and the edits of a file in the form of `keystrokes.py`."""
    data = path.read_bytes()
    base, count = struct.unpack_from("<II", data, 8)
    edits, position = [], 16
    for _ in range(count):
        length, clock, _ = struct.unpack_from("<HIB", data, position)
        position += 7 + length
        edits.append(Edit(clock, data[position - length : position]))
    return base, edits


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and resident MB of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK, int(fields[21]) * mmap.PAGESIZE / 2**20


def masked(payload: bytes) -> bytes:
    """One binary frame of a client."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x82, 0x80 | size)
    else:
        head = struct.pack("!BBH", 0x82, 0xFE, size) if size < 65536 else struct.pack("!BBQ", 0x82, 0xFF, size)
    return head + MASK + apply_mask(payload, MASK)


def frames(data: bytes | bytearray) -> tuple[list[tuple[int, bytes]], int]:
    """The whole frames of a server (opcode, payload), and the bytes that they take."""
    found, position, size = [], 0, len(data)
    while size - position >= 2:
        length, start = data[position + 1], position + 2
        if length > 125:
            extra = 2 if length == 126 else 8
            if size < start + extra:
                break
            length, start = int.from_bytes(data[start : start + extra], "big"), start + extra
        if size < start + length:
            break
        found.append((data[position] & 15, bytes(data[start : start + length])))
        position = start + length
    return found, position


@lru_cache(4096)
def spans(update: bytes) -> tuple[tuple[int, int, int, bool], ...]:
    """(client, clock, length, inserted) of all that an update brings."""
    parsed = read(update)
    new = [(each.client, each.clock, each.length, True) for structs in parsed.structs.values() for each in structs]
    return (*new, *((client, clock, length, False) for client, ranges in parsed.deletes.items() for clock, length in ranges))


@dataclass(eq=False, slots=True)
class Client:
    """One connection."""

    room: int
    index: int
    socket: socket.socket
    began: float
    writer: int | None
    stalled: bool = False
    state: str = "handshake"
    held: bytearray = field(default_factory=bytearray)
    waiting: bytearray = field(default_factory=bytearray)
    """Bytes that the socket did not take yet."""


class Worker:
    """One process: some of the clients, all of the writers of their rooms."""

    def __init__(self, options: argparse.Namespace, number: int, shared: memoryview) -> None:
        self.options = options
        self.number = number
        self.shared = shared
        self.width = DELIVERED + options.rooms
        self.at = COUNTS + number * self.width
        self.base, self.edits = load_trace(options.updates) if options.writers and options.duration else (0, [])
        self.poll = select.epoll()
        self.clients: dict[int, Client] = {}
        self.rooms: dict[int, list[Client]] = {}
        self.times: dict[tuple[int, int], dict[int, int]] = {}
        """When each character was sent, by (room, writer) and clock, in ns."""
        self.next: dict[tuple[int, int], int] = {}
        self.turn: dict[int, int] = {}
        self.sent: dict[int, int] = {}
        self.syncs: list[float] = []
        self.given = 0
        """Bytes of the answers to their first questions."""
        self.latencies: list[int] = []
        self.opening = 0
        self.measuring = False
        self.preloaded = False
        """The document is there."""
        self.exhausted = False
        parts = urlsplit(options.url)
        self.address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.path, self.query = parts.path, f"?{parts.query}" if parts.query else ""

    # --- who

    def mine(self) -> Iterator[tuple[int, int]]:
        """(room, index) of this process' clients. The writers of a room are in one process, which also counts what may be in flight."""
        options = self.options
        for room in range(options.rooms):
            home = room % options.processes
            for index in range(options.clients):
                place = home if options.rooms >= options.processes or index < options.writers else index % options.processes
                if place == self.number:
                    yield room, index

    def name(self, room: int) -> str:
        return self.options.room if self.options.rooms == 1 else f"{self.options.room}-{room}"

    # --- connecting

    def connect(self, room: int, index: int) -> None:
        options = self.options
        made = socket.socket()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stalled = index >= options.clients - options.stall
        if stalled:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        began = time.perf_counter()
        made.connect(self.address)
        made.setblocking(False)
        client = Client(room, index, made, began, index if index < options.writers else None, stalled)
        self.clients[made.fileno()] = client
        self.rooms.setdefault(room, []).append(client)
        self.poll.register(made.fileno(), select.EPOLLIN)
        path = self.path if options.no_room_path else f"{self.path.rstrip('/')}/{self.name(room)}"
        head = (
            f"GET {path}{self.query} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        )
        head += f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1\r\n\r\n"
        self.opening += 1
        self.write(client, head.encode())

    def connect_all(self) -> None:
        """Connect and sync everybody; the first one brings the document when there is one."""
        waiting = list(self.mine())
        end = time.monotonic() + PATIENCE
        if self.options.preload and waiting:
            self.connect(*waiting.pop(0))
            while not self.shared[self.at + SYNCED] and time.monotonic() < end:
                self.step(0.1)
            (first,) = self.clients.values()
            self.say(first, b"\0\2" + var_bytes(self.options.preload.read_bytes()))
            rest = time.monotonic() + 2.0
            while first.waiting or time.monotonic() < rest:
                self.step(0.05)
            self.syncs.clear()
            self.given = 0
            self.preloaded = True
        total = len(waiting) + len(self.clients)
        waiting.reverse()
        while self.shared[self.at + SYNCED] + self.shared[self.at + CLOSED] < total and time.monotonic() < end:
            while waiting and self.opening < self.options.conc:
                self.connect(*waiting.pop())
            self.step(0.1)

    # --- bytes

    def write(self, client: Client, data: bytes) -> None:
        if client.state == "closed":
            return
        if not client.waiting:
            try:
                data = data[client.socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                self.close(client)
                return
        if data:
            client.waiting += data
            self.poll.modify(
                client.socket.fileno(), (0 if client.stalled and client.state == "synced" else select.EPOLLIN) | select.EPOLLOUT
            )

    def flush(self, client: Client) -> None:
        try:
            del client.waiting[: client.socket.send(client.waiting)]
        except BlockingIOError:
            return
        except OSError:
            self.close(client)
            return
        if not client.waiting:
            self.poll.modify(client.socket.fileno(), 0 if client.stalled and client.state == "synced" else select.EPOLLIN)

    def say(self, client: Client, message: bytes) -> None:
        prefix = var_string(self.name(client.room)) if self.options.framing == "hocuspocus" else b""
        self.write(client, masked(prefix + message))

    def close(self, client: Client) -> None:
        if client.state != "closed":
            self.opening -= client.state != "synced"
            self.poll.unregister(client.socket.fileno())
            del self.clients[client.socket.fileno()]
            client.socket.close()
            client.state = "closed"
            self.shared[self.at + CLOSED] += 1

    def step(self, seconds: float) -> None:
        """Read and write what is ready, waiting so long for it."""
        for number, event in self.poll.poll(seconds):
            client = self.clients.get(number)
            if client is None:
                continue
            if event & select.EPOLLOUT:
                self.flush(client)
            if event & ~select.EPOLLOUT and client.state != "closed":
                self.receive(client)

    def receive(self, client: Client) -> None:
        try:
            data = client.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close(client)
            return
        client.held += data
        if client.state == "handshake" and not self.answered(client):
            return
        whole, taken = frames(client.held)
        del client.held[:taken]
        for opcode, payload in whole:
            if opcode == 2:
                self.hear(client, payload)
            elif opcode == 9:
                self.write(client, b"\x8a\x80" + MASK)
            elif opcode == 8:
                self.close(client)
            if client.state == "closed":
                return

    def answered(self, client: Client) -> bool:
        """Whether the server's answer to the handshake is there, and yes."""
        head, end, rest = bytes(client.held).partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            print(f"refused: {head[:60]!r}", file=sys.stderr)
            self.close(client)
            return False
        client.held = bytearray(rest)
        client.state = "open"
        token = var_string(self.options.token) + var_string("4.0.0")
        self.say(client, b"\2\0" + token if self.options.framing == "hocuspocus" else self.step1())
        return True

    def step1(self) -> bytes:
        """What a client holds: nothing, or what it had before."""
        options = self.options
        known = options.state.read_bytes() if options.state and (self.preloaded or not options.preload) else b"\0"
        return b"\0\0" + var_bytes(known)

    # --- messages

    def hear(self, client: Client, payload: bytes) -> None:
        addressed = self.options.framing == "hocuspocus"
        reader = Reader(payload)
        if addressed:
            reader.var_string()
        while not reader.done:
            kind = reader.var_uint()
            if kind == 0 or (addressed and kind == 4):
                self.sync(client, reader.var_uint(), reader.var_bytes())
            elif kind == 1:
                reader.var_bytes()
            elif addressed and kind == 2:
                if reader.var_uint() == 2:
                    self.say(client, self.step1())
                reader.var_bytes()
            elif addressed and kind == 8:
                reader.var_uint()
            else:
                return

    def sync(self, client: Client, step: int, data: bytes) -> None:
        if step == 0:
            self.say(client, b"\0\1\2\0\0")
        elif step == 1 and client.state == "open":
            self.given += len(data)
            self.synced(client)
        elif self.measuring:
            self.count(client, data)

    def synced(self, client: Client) -> None:
        client.state = "synced"
        self.opening -= 1
        self.shared[self.at + SYNCED] += 1
        self.syncs.append(time.perf_counter() - client.began)
        if client.stalled:
            self.poll.modify(client.socket.fileno(), 0)

    def count(self, client: Client, update: bytes) -> None:
        own = self.base + client.writer if client.writer is not None else None
        now = time.perf_counter_ns()
        got = 0
        for writer, clock, length, inserted in spans(update):
            number = writer - self.base
            if writer == own or not 0 <= number < self.options.writers:
                continue
            got += length
            # Latencies are measured where the writers are.
            times = self.times.get((client.room, number)) if inserted else None
            if times is not None:
                self.latencies += [now - times[each] for each in range(clock, clock + length) if each in times]
        self.shared[self.at + DELIVERED + client.room] += got

    # --- the load

    def edit(self, room: int) -> bool:
        """The next writer's next edit; False when the trace is over."""
        options = self.options
        number = self.turn.get(room, 0)
        self.turn[room] = (number + 1) % options.writers
        place = self.next.get((room, number), 0)
        if place >= len(self.edits):
            self.exhausted = True
            return False
        self.next[room, number] = place + 1
        edit = self.edits[place]
        data = edit.data.replace(var_uint(self.base), var_uint(self.base + number)) if number else edit.data
        client = next(each for each in self.rooms[room] if each.writer == number)
        if edit.clock != DELETION:
            self.times.setdefault((room, number), {})[edit.clock] = time.perf_counter_ns()
        self.say(client, b"\0\2" + var_bytes(data))
        self.sent[room] = self.sent.get(room, 0) + 1
        self.shared[self.at + SENT] += 1
        return True

    def delivered(self, room: int) -> int:
        return sum(self.shared[COUNTS + number * self.width + DELIVERED + room] for number in range(self.options.processes))

    def run(self) -> None:
        """Until the parent says that it is over."""
        options = self.options
        # Another process may begin before this one sees that it may.
        self.measuring = True
        while not self.shared[GO] and not self.shared[STOP]:
            self.step(0.02)
        homes = [room for room in self.rooms if room % options.processes == self.number and options.writers]
        readers = options.clients - options.stall - 1
        began = time.monotonic()
        end = began + options.duration
        made = 0
        while not self.exhausted and homes and (now := time.monotonic()) < end:
            if options.rate:
                due = (now - began) * options.rate / options.rooms * len(homes)
                while made < due and self.edit(homes[made % len(homes)]):
                    made += 1
                self.step(max(0.0, min(0.005, (made + 1 - due) / options.rate)))
            else:
                busy = False
                for room in homes:
                    allowed = self.delivered(room) // readers + options.window - self.sent.get(room, 0)
                    for _ in range(min(allowed, options.window)):
                        busy = self.edit(room)
                self.step(0.0 if busy else 0.0005)
        self.shared[self.at + DONE] = 1
        while not self.shared[STOP]:
            self.step(0.005)


def work(options: argparse.Namespace, number: int, buffer: mmap.mmap, out: Connection) -> None:
    """One process of the generator."""
    worker = Worker(options, number, memoryview(buffer).cast("Q"))
    worker.connect_all()
    before = time.process_time()
    worker.run()
    out.send((worker.syncs, worker.latencies, time.process_time() - before, worker.given))


class Crowd:
    """All processes, seen from the one that started them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.width = DELIVERED + options.rooms
        self.buffer = mmap.mmap(-1, 8 * (COUNTS + options.processes * self.width))
        self.shared = memoryview(self.buffer).cast("Q")
        fork = multiprocessing.get_context("fork")
        self.pipes = [fork.Pipe(duplex=False) for _ in range(options.processes)]
        self.processes = [
            fork.Process(target=work, args=(options, number, self.buffer, out), daemon=True) for number, (_, out) in enumerate(self.pipes)
        ]

    def total(self, what: int, count: int = 1) -> int:
        return sum(sum(self.shared[(at := COUNTS + n * self.width + what) : at + count]) for n in range(self.options.processes))

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (come := true()) and time.monotonic() < end and all(process.is_alive() for process in self.processes):
            time.sleep(0.01)
        return come

    def most(self) -> float:
        return max(self.greatest, usage(self.options.pid)[1])

    def run(self) -> dict[str, object]:
        """The whole load, and what it found."""
        options = self.options
        start = usage(options.pid)
        for process in self.processes:
            process.start()
        everybody = options.rooms * options.clients
        self.until(lambda: self.total(SYNCED) + self.total(CLOSED) >= everybody, PATIENCE + 5)
        time.sleep(QUIET)
        before = usage(options.pid)
        self.greatest = before[1]
        began = time.monotonic()
        self.shared[GO] = 1

        def loaded() -> bool:
            self.greatest = self.most()
            return bool(self.total(DONE) == options.processes)

        self.until(loaded, options.duration + PATIENCE)
        readers = options.clients - options.stall - 1
        expected = self.total(SENT) * readers

        def complete() -> bool:
            self.greatest = self.most()
            return bool(self.total(DELIVERED, options.rooms) >= expected)

        whole = self.until(complete, options.drain)
        after, seconds = usage(options.pid), time.monotonic() - began
        self.greatest = max(self.greatest, after[1])
        closed, synced = self.total(CLOSED), self.total(SYNCED)
        self.shared[STOP] = 1
        told = [pipe.recv() for pipe, _ in self.pipes]
        syncs = sorted(each for one in told for each in one[0])
        latencies = sorted(each for one in told for each in one[1])
        sent, delivered = self.total(SENT), self.total(DELIVERED, options.rooms)
        cpu = after[0] - before[0]
        return {
            "clients": options.clients,
            "stall": options.stall,
            "synced": synced,
            "closed": closed,
            "sync_p50_ms": quantile(syncs, 0.5) * 1e3,
            "sync_bytes": sum(one[3] for one in told),
            "rss0_mb": start[1],
            "rss_conn_mb": before[1],
            "rss_max_mb": self.greatest,
            "sent": sent,
            "expected": expected,
            "delivered": delivered,
            "complete": whole and synced == everybody,
            "lat_p50_ms": quantile(latencies, 0.5) / 1e6,
            "lat_p99_ms": quantile(latencies, 0.99) / 1e6,
            "server_cpu_s": cpu,
            "cpu_s_per_mdeliv": cpu * 1e6 / delivered if delivered else -1,
            "cpu_us_per_edit": cpu * 1e6 / sent if sent else -1,
            "gen_cpu_share": max(one[2] for one in told) / seconds,
        }


def quantile(ordered: list[float] | list[int], part: float) -> float:
    """-1 when there is nothing."""
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else -1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="ws://127.0.0.1:PORT/path?query; the room's name is appended to the path")
    parser.add_argument("--pid", type=int, required=True, help="the server's process")
    parser.add_argument("--updates", type=Path, required=True, help="edits, as keystrokes.py makes them")
    parser.add_argument("--room", default="bench")
    parser.add_argument("--no-room-path", action="store_true")
    parser.add_argument("--framing", choices=["yws", "hocuspocus"], default="yws")
    parser.add_argument("--token", default="")
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--clients", type=int, default=2, help="in each room")
    parser.add_argument("--writers", type=int, default=1, help="of them")
    parser.add_argument("--window", type=int, default=64, help="edits in flight in each room")
    parser.add_argument("--rate", type=float, default=0.0, help="edits a second in all, in place of --window")
    parser.add_argument("--duration", type=float, default=2.0, help="seconds")
    parser.add_argument("--drain", type=float, default=5.0, help="seconds for the last deliveries")
    parser.add_argument("--conc", type=int, default=32, help="connections that are opened at once, in each process")
    parser.add_argument("--preload", type=Path, help="an update that the first client brings; the others time how they get it")
    parser.add_argument("--state", type=Path, help="a state vector: what clients hold already, but not the one that brings the document")
    parser.add_argument("--stall", type=int, default=0, help="so many clients of each room stop reading")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.preload or options.stall:
        options.processes = 1
    result = Crowd(options).run()
    print(json.dumps(result))
    return 1 if result["closed"] and not options.stall else 0


if __name__ == "__main__":
    sys.exit(main())
