"""Our server and its neighbours in turn under the same load: `python tests/bench/bench.py` prints two tables (`make bench` puts them into the docs).

Ours runs as an operator runs it, with tokens, journal, acknowledgements and limits on. Every run has a server process of its own; the
servers take turns, so that a machine that slows down slows all of them. Exit status 1: something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycrdt import Doc, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LOADGEN = CHECKOUT.parent / "shared" / "loadgen"
"""Where a generator in C may be; without it there is ours."""
BUILT = CHECKOUT / ".make" / "bench"
PYCRDT = BUILT / "pycrdt"
"""The environment of pycrdt-websocket."""
PAGE = CHECKOUT / "docs" / "explanation" / "performance.md"
EDITING, FILES = "make bench", "make bench, files"
"""What the marks in the page say, between which the tables are."""

sys.path[0] = str(HERE.parent)

from bench.files import Lost  # noqa: E402  # the folder of the tests is no package
from bench.files import report as report_files  # noqa: E402
from bench.keystrokes import typed  # noqa: E402
from serving import Served  # noqa: E402

OWN = [sys.executable, str(HERE / "load.py")]
"""The generator that is always there."""
DOCUMENT_BYTES = 311_000
LEAST_EDITS = 10
"""Fewer than these are no measurement."""
EDITS = 60_000
"""Of the trace that is made when there is none."""
GENERATOR_SHARE = 0.9
"""Above this share of a core the latency is the generator's own."""


ENVIRONMENT = {
    "COLLAB_LIMIT_CONNECTIONS": "100000",  # all clients come from one address
    "COLLAB_ALLOWED_ORIGINS": "http://127.0.0.1",  # what the generator sends
    "COLLAB_LOG_LEVEL": "warning",
}


class Unmeasured(Exception):  # it is what the operator reads
    """Something that the table needs could not be measured."""


# ---- scenarios ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a scenario: how it is read from the generator's result, and which part of another server's it may be at most."""

    name: str
    unit: str
    read: Callable[[dict[str, float]], float]
    goals: dict[str, float] = field(default_factory=dict)
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load, and what is read from it. `rooms` files are made before; the relay without CRDT takes part only when `relay`."""

    name: str
    title: str
    arguments: tuple[str, ...]
    figures: tuple[Figure, ...]
    rooms: int = 1
    timed: bool = True
    relay: bool = True
    latency: bool = False
    preload: bool = False
    known: bool = False
    """The others have what the first one brings: our own generator makes the load, since the one in C always begins with nothing."""
    updates: str = "updates.bin"
    beside: tuple[str, ...] = ()
    """A second run without the burden, whose memory is taken off."""


def read(name: str) -> Callable[[dict[str, float]], float]:
    return lambda result: result[name]


def memory(result: dict[str, float]) -> float:
    return (result["rss_conn_mb"] - result["rss0_mb"]) * 1024 / result["clients"]


CPU = "server CPU seconds for a million deliveries"

SCENARIOS = (
    Scenario(
        "fan100",
        "1 room, 100 clients, 10 writers, 64 edits in flight",
        ("--clients", "100", "--writers", "10", "--window", "64"),
        (Figure("cpu/M", CPU, read("cpu_s_per_mdeliv"), {"hocuspocus": 0.25, "y-websocket": 0.04}),),
    ),
    Scenario(
        "fan500",
        "1 room, 500 clients, 10 writers, 64 edits in flight",
        ("--clients", "500", "--writers", "10", "--window", "64"),
        (Figure("cpu/M", CPU, read("cpu_s_per_mdeliv"), {"hocuspocus": 0.6}),),
    ),
    Scenario(
        "w1",
        "1 room, 100 clients, 10 writers, one edit in flight",
        ("--clients", "100", "--writers", "10", "--window", "1"),
        (Figure("cpu/M", CPU, read("cpu_s_per_mdeliv"), {"relay": 1.6, "y-websocket": 0.7, "hocuspocus": 0.55}),),
    ),
    Scenario(
        "200/s",
        "1 room, 100 clients, 200 edits a second",
        ("--clients", "100", "--writers", "10", "--rate", "200"),
        (
            Figure("cpu/M", CPU, read("cpu_s_per_mdeliv"), {"y-websocket": 0.6, "hocuspocus": 0.6}),
            Figure("p50", "ms from sending to arriving", read("lat_p50_ms")),
            Figure("p99", "ms from sending to arriving", read("lat_p99_ms"), {"hocuspocus": 0.6}),
        ),
        latency=True,
    ),
    Scenario(
        "500x2",
        "500 rooms with 2 clients each, one edit in flight in each",
        ("--rooms", "500", "--clients", "2", "--writers", "1", "--window", "1"),
        (Figure("cpu/edit", "server CPU microseconds", read("cpu_us_per_edit"), {"y-websocket": 0.4, "hocuspocus": 0.25}),),
        rooms=500,
    ),
    Scenario(
        "idle",
        "1,000 connections in one room, nobody types",
        ("--clients", "1000", "--writers", "0", "--duration", "0"),
        (Figure("memory", "KB for each connection", memory, at_most=10),),
        timed=False,
        relay=False,
    ),
    Scenario(
        "open",
        "a document of 311 KB sent to a new client, 40 times",
        ("--clients", "41", "--writers", "0", "--duration", "0", "--conc", "1"),
        (Figure("time", "ms from connecting to synced, median", read("sync_p50_ms"), {"y-websocket": 0.4}),),
        timed=False,
        relay=False,
        preload=True,
    ),
    Scenario(
        "rejoin",
        "a client that has the document of 311 KB comes back, 40 times",
        ("--clients", "41", "--writers", "0", "--duration", "0", "--conc", "1"),
        (Figure("time", "ms from connecting to synced, median", read("sync_p50_ms")),),
        timed=False,
        relay=False,
        preload=True,
        known=True,
    ),
    Scenario(
        "deaf",
        "8 clients, 4 s of 1,500 pasted lines of 750 bytes a second, 3 of them stop reading",
        ("--clients", "8", "--writers", "2", "--rate", "1500", "--duration", "4", "--drain", "20", "--stall", "3"),
        (Figure("memory", "MB for each client that does not read", read("burden_mb"), at_most=1),),
        timed=False,
        relay=False,
        updates="wide.bin",
        beside=("--clients", "5", "--writers", "2", "--rate", "1500", "--duration", "4", "--drain", "20"),
    ),
)


# ---- servers -----------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Running:
    """A server that listens."""

    url: str
    pid: int


class Contender(ABC):
    """A server that can be started for one run."""

    name: str
    framing = "yws"
    token = "bench"  # known to this machine alone, for seconds
    arguments: tuple[str, ...] = ()
    """What it needs of the generator beside the scenario's own."""

    @abstractmethod
    def start(self, folder: Path, rooms: list[str]) -> Iterator[Running]:
        """The server while the run lasts, with these documents."""

    @contextmanager
    def running(self, folder: Path, rooms: list[str]) -> Iterator[Running]:
        yield from self.start(folder, rooms)


class Ours(Contender):
    """Our server, its clients in the words of y-websocket."""

    name = "collab"

    def start(self, folder: Path, rooms: list[str]) -> Iterator[Running]:
        served = Served(folder / "root", folder / "state", dict(ENVIRONMENT))
        for room in rooms:
            served.write(room, "")
        served.start()
        try:
            self.token = served.token("Bench")
            yield Running(self.address(served), served.pid)
        finally:
            served.kill()

    def address(self, served: Served) -> str:
        return f"{served.ws}/ws?token={self.token}"


class OursHocuspocus(Ours):
    """Our server, its clients in the words of Hocuspocus."""

    name = "collab, Hocuspocus' words"
    framing = "hocuspocus"

    def address(self, served: Served) -> str:
        return f"{served.ws}/collaboration"


class Spawned(Contender):
    """A server that is a command with a port."""

    @abstractmethod
    def command(self, port: int) -> list[str]: ...

    def start(self, folder: Path, rooms: list[str]) -> Iterator[Running]:  # noqa: ARG002  # these open whatever is named
        port = free_port()
        environment = os.environ | {"PORT": str(port), "HOST": "127.0.0.1"}
        process = subprocess.Popen(self.command(port), cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            listening(port, process)
            yield Running(f"ws://127.0.0.1:{port}/", process.pid)
        finally:
            process.kill()
            process.wait()


class YWebsocket(Spawned):
    """y-websocket's own server."""

    name = "y-websocket"

    def command(self, port: int) -> list[str]:  # noqa: ARG002  # it reads PORT
        return [node(), str(HERE / "node_modules" / "y-websocket" / "bin" / "server.cjs")]


class Hocuspocus(Spawned):
    """Hocuspocus' server."""

    name = "hocuspocus"
    framing = "hocuspocus"

    def command(self, port: int) -> list[str]:
        return [node(), str(HERE / "hocuspocus.mjs"), str(port), self.token]


class PycrdtWebsocket(Spawned):
    """pycrdt-websocket on uvicorn."""

    name = "pycrdt-websocket"
    arguments = ("--conc", "1")  # it ends connections that come while it makes their room

    def command(self, port: int) -> list[str]:
        return [str(PYCRDT / "bin" / "python"), str(HERE / "pycrdt_server.py"), str(port)]


class Relay(Spawned):
    """A relay in C without CRDT: what any server has to pay."""

    name = "relay"

    def command(self, port: int) -> list[str]:
        return [str(BUILT / "climit"), str(port)]


CONTENDERS: tuple[Contender, ...] = (Ours(), OursHocuspocus(), YWebsocket(), Hocuspocus(), PycrdtWebsocket(), Relay())


def node() -> str:
    """The Node that npm installed here: Hocuspocus wants 22 or newer, and both get the same."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return str(HERE / "node_modules" / f"node-linux-{machine}" / "bin" / "node")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def listening(port: int, process: subprocess.Popen[bytes], *, within: float = 30.0) -> None:
    """Return when the port answers."""
    end = time.monotonic() + within
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise Unmeasured(f"{process.args!r} does not listen")


# ---- the generator -----------------------------------------------------------------------------------------------------------------


def prepare(loadgen: Path, names: Sequence[str]) -> list[str]:
    """Install the other servers, make what is sent; gives the generator's command. Unmeasured when something cannot be had."""
    BUILT.mkdir(parents=True, exist_ok=True)
    in_c = (loadgen / "yload.c").exists() and shutil.which("cc") is not None
    if in_c:
        for name in ("yload", "climit"):
            subprocess.run(["cc", "-O2", "-w", "-o", str(BUILT / name), str(loadgen / f"{name}.c"), "-lz"], check=True)
        trace = (loadgen / "updates.bin").read_bytes()
    else:
        trace = typed(EDITS)
    if not (BUILT / "bigdoc.state").exists() or (BUILT / "updates.bin").read_bytes() != trace:
        (BUILT / "updates.bin").write_bytes(trace)
        big = big_document(trace)
        (BUILT / "bigdoc.bin").write_bytes(big)
        (BUILT / "wide.bin").write_bytes(wide_updates(trace[:12]))
        held: Doc[Any] = Doc()
        held.apply_update(big)
        (BUILT / "bigdoc.state").write_bytes(held.get_state())
    if {"y-websocket", "hocuspocus"} & set(names):
        install_node()
    if "pycrdt-websocket" in names:
        install_pycrdt()
    return [str(BUILT / "yload")] if in_c else OWN


def install_node() -> None:
    mark = HERE / "node_modules" / ".package-lock.json"
    if not mark.exists() or mark.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        if shutil.which("npm") is None:
            raise Unmeasured("y-websocket and Hocuspocus need npm (Node 20 or newer)")
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=HERE, check=True)
        os.utime(mark)


def install_pycrdt() -> None:
    wanted, mark = HERE / "pycrdt-requirements.txt", PYCRDT / "installed"
    if not mark.exists() or mark.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PYCRDT)], check=True)
        subprocess.run([str(PYCRDT / "bin" / "pip"), "install", "--quiet", "--requirement", str(wanted)], check=True)
        mark.write_text(wanted.read_text())


def big_document(trace: bytes) -> bytes:
    """One document of DOCUMENT_BYTES: the trace's edits, by as many clients as it takes."""
    base, count = struct.unpack_from("<II", trace, 8)
    document: Doc[Any] = Doc()
    for writer in range(64):
        position = 16
        for number in range(count):
            length, _, _ = struct.unpack_from("<HIB", trace, position)
            position += 7 + length
            document.apply_update(trace[position - length : position].replace(_varint(base), _varint(base + writer)))
            if number % 1000 == 0 and len(update := document.get_update()) >= DOCUMENT_BYTES:
                return update
    raise Unmeasured("the trace is too short for the big document")


def wide_updates(head: bytes) -> bytes:
    """10,000 updates of about 770 bytes, each a pasted line, in the form of the trace (README of the load generator)."""
    (base,) = struct.unpack_from("<I", head, 8)
    document: Doc[Any] = Doc(client_id=base)
    text = document.get("text", type=Text)
    units = 250
    parts = [head, struct.pack("<I", 10_000)]
    for number in range(10_000):
        before = document.get_state()
        text.insert(0, "\u8a9e" * (units - 1) + "\n")
        update = document.get_update(before)
        parts += [struct.pack("<HIB", len(update), number * units, units), update]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def load(generator: Sequence[str], scenario: Scenario, contender: Contender, arguments: Sequence[str], seconds: float) -> dict[str, float]:
    """One run of the generator against a fresh server; Unmeasured when an edit or a connection was lost."""
    name = "bench.md"
    generator = OWN if scenario.known else generator
    rooms = [name] if scenario.rooms == 1 else [f"{name}-{number}" for number in range(scenario.rooms)]
    with tempfile.TemporaryDirectory(prefix="collab-bench-") as folder, contender.running(Path(folder), rooms) as server:
        command = [*generator, "--url", server.url, "--room", name, "--framing", contender.framing, "--token", contender.token]
        command += ["--pid", str(server.pid), "--updates", str(BUILT / scenario.updates), "--drain", "30", *arguments]
        command += ["--no-room-path"] if contender.framing == "hocuspocus" else []
        command += ["--duration", str(seconds)] if scenario.timed else []
        command += contender.arguments
        command += ["--preload", str(BUILT / "bigdoc.bin")] if scenario.preload else []
        command += ["--state", str(BUILT / "bigdoc.state")] if scenario.known else []
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return judged(done, scenario, f"{scenario.name} with {contender.name}")


def judged(done: subprocess.CompletedProcess[str], scenario: Scenario, what: str) -> dict[str, float]:
    if done.returncode != 0 or not done.stdout.startswith("{"):
        closed = re.search(r'"closed": ?([1-9]\d*)', done.stdout)
        why = f"the server closed {closed[1]} connections" if closed else f"the generator ended with {done.returncode}"
        raise Unmeasured(f"{what}: {why}: {done.stderr.strip()[-300:] or done.stdout[:500]}")
    result: dict[str, float] = json.loads(done.stdout)
    everybody = int(result["clients"]) * scenario.rooms
    if result["synced"] < everybody:
        raise Unmeasured(f"{what}: {result['synced']:.0f} of {everybody} clients were synced")
    if not result["complete"]:
        raise Unmeasured(f"{what}: {result['delivered']:.0f} of {result['expected']:.0f} deliveries came")
    if scenario.timed and result["sent"] < LEAST_EDITS:
        raise Unmeasured(f"{what}: only {result['sent']:.0f} edits were sent")
    if scenario.latency and result["gen_cpu_share"] > GENERATOR_SHARE:
        raise Unmeasured(f"{what}: the generator was the limit ({result['gen_cpu_share']:.0%} of a core)")
    return result


def measure(generator: Sequence[str], scenario: Scenario, contender: Contender, seconds: float) -> dict[str, float]:
    """The scenario's numbers, with what a burden costs beside the same load without it."""
    result = load(generator, scenario, contender, scenario.arguments, seconds)
    if scenario.beside:
        plain = load(generator, scenario, contender, scenario.beside, seconds)
        result["burden_mb"] = ((result["rss_max_mb"] - result["rss0_mb"]) - (plain["rss_max_mb"] - plain["rss0_mb"])) / result["stall"]
    return {figure.name: figure.read(result) for figure in scenario.figures}


# ---- the table ---------------------------------------------------------------------------------------------------------------------

Results = dict[tuple[str, str, str], list[float]]
"""The values of all rounds, by scenario, figure and server."""


def table(results: Results, scenarios: Sequence[Scenario], names: Sequence[str]) -> str:
    """Markdown: the median of each figure with its spread (least to most), and ours as a part of each other server's."""
    heads = ["scenario", "figure", *names, *(f"collab / {name}" for name in names if not name.startswith("collab")), "goals"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for scenario in scenarios:
        for figure in scenario.figures:
            values = {name: results.get((scenario.name, figure.name, name), []) for name in names}
            cells = [scenario.name, f"{figure.name}, {figure.unit}", *(shown(values[name]) for name in names)]
            cells += [ratio(values.get("collab", []), values[name]) for name in names if not name.startswith("collab")]
            lines.append("| " + " | ".join([*cells, goals(figure, values)]) + " |")
    return "\n".join(lines)


def shown(values: list[float]) -> str:
    if not values:
        return "-"
    spread = "" if len(values) == 1 else f" ({min(values):.3g} to {max(values):.3g})"
    return f"{statistics.median(values):.3g}{spread}"


def ratio(ours: list[float], theirs: list[float]) -> str:
    return f"{statistics.median(ours) / statistics.median(theirs):.2f}" if ours and theirs and statistics.median(theirs) else "-"


def goals(figure: Figure, values: dict[str, list[float]]) -> str:
    """Each goal and whether it is reached."""
    ours = values.get("collab", [])
    told = []
    for name, part in figure.goals.items():
        if ours and values.get(name):
            reached = statistics.median(ours) <= part * statistics.median(values[name])
            told.append(f"{name} ≤ {part} {'yes' if reached else 'no'}")
    if figure.at_most is not None and ours:
        told.append(f"≤ {figure.at_most:g} {'yes' if statistics.median(ours) <= figure.at_most else 'no'}")
    return "; ".join(told) or "-"


def report(results: Results, scenarios: Sequence[Scenario], names: Sequence[str], words: str) -> str:
    titles = "\n".join(f"- *{scenario.name}*: {scenario.title}." for scenario in scenarios)
    return f"{words}\n\n{table(results, scenarios, names)}\n\n{titles}\n"


def chosen(given: list[str] | None, known: Sequence[str], what: str) -> list[str]:
    wrong = sorted(set(given or []) - set(known))
    if wrong:
        raise Unmeasured(f"there is no {what} {', '.join(wrong)}; known are {', '.join(known)}")
    return [name for name in known if not given or name in given]


def run(options: argparse.Namespace) -> str:
    """All runs, the servers in turn within each scenario and round; the report."""
    known = [contender.name for contender in CONTENDERS if not isinstance(contender, Relay) or (options.loadgen / "climit.c").exists()]
    names = chosen(options.server, known, "server")
    wanted = chosen(options.scenario, [scenario.name for scenario in SCENARIOS], "scenario")
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in wanted]
    generator = prepare(options.loadgen, names)
    results: Results = defaultdict(list)
    began = time.monotonic()
    for number in range(options.rounds):
        for scenario in scenarios:
            for contender in (contender for contender in CONTENDERS if contender.name in names):
                if isinstance(contender, Relay) and not scenario.relay:
                    continue
                try:
                    measured = measure(generator, scenario, contender, options.seconds)
                except Unmeasured as error:
                    # A machine that does something else may be too slow once.
                    print(f"again, since {error}", file=sys.stderr, flush=True)
                    measured = measure(generator, scenario, contender, options.seconds)
                print(f"round {number + 1}, {scenario.name}, {contender.name}: {measured}", file=sys.stderr, flush=True)
                for figure, value in measured.items():
                    results[scenario.name, figure, contender.name].append(value)
        print(f"round {number + 1} of {options.rounds}: {(time.monotonic() - began) / 60:.1f} minutes", file=sys.stderr, flush=True)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, loopback"
    words = f"Medians of {options.rounds} interleaved runs of {options.seconds:g} s (least to most in brackets); {machine}. "
    words += "Ours has tokens, journal, acknowledgements and limits on; the others keep nothing on a disk. "
    words += "The load is made by `yload`, a C program." if len(generator) == 1 else "The load is made by `tests/bench/load.py`."
    if options.write:
        draw(results, scenarios, names)
        words += "\n\n![Ours as a part of each other server's, and the goals](performance.svg)"
    return report(results, scenarios, names, words)


def draw(results: Results, scenarios: Sequence[Scenario], names: Sequence[str]) -> None:
    """`performance.svg` beside the page: ours as a part of theirs, the spread from the runs of the same round, and the goals."""
    import matplotlib as mpl  # noqa: PLC0415  # only for the picture: it is in a group of its own
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415

    mpl.rcParams |= {"svg.hashsalt": "collab", "svg.fonttype": "none", "font.size": 9}
    figures = [(scenario, figure) for scenario in scenarios for figure in scenario.figures]
    others = [name for name in names if not name.startswith("collab")]
    canvas = Canvas(figsize=(8, 0.62 * len(figures) + 1.2), layout="constrained")
    axes = canvas.subplots()
    height = 0.8 / max(len(others), 1)
    for place, other in enumerate(others):
        rows, middles, spreads = [], [], ([], [])  # type: ignore[var-annotated]
        for row, (scenario, figure) in enumerate(figures):
            ours, theirs = (results.get((scenario.name, figure.name, name), []) for name in ("collab", other))
            parts = [a / b for a, b in zip(ours, theirs, strict=False) if b > 0 and a > 0]
            if parts:
                middle = statistics.median(parts)
                rows.append(row + (place + 0.5) * height - 0.4)
                middles.append(middle)
                spreads[0].append(middle - min(parts))
                spreads[1].append(max(parts) - middle)
                if other in figure.goals:
                    axes.plot(
                        [figure.goals[other]] * 2, [rows[-1] - height / 2, rows[-1] + height / 2], color="black", linewidth=2, zorder=3
                    )
        axes.barh(rows, middles, height * 0.9, xerr=spreads, label=other, error_kw={"elinewidth": 0.8})
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(figures)), [f"{scenario.name}, {figure.name}" for scenario, figure in figures])
    axes.invert_yaxis()
    axes.set_xlabel("collab / the other: less is better (black: the goal; thin lines: least to most)")
    canvas.legend(loc="outside upper center", ncols=len(others), fontsize=8)
    canvas.savefig(PAGE.with_suffix(".svg"), metadata={"Date": None})


def put(mark: str, text: str) -> None:
    """A report goes into the page, between its marks."""
    page, begin, end = PAGE.read_text("utf-8"), f"<!-- {mark}: begins -->", f"<!-- {mark}: ends -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise Unmeasured(f"{PAGE} has no place for the table: {begin} … {end}")
    before, _, rest = page.partition(begin)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.5, help="the load of each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server in each scenario")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that everything can be measured; nothing is written")
    parser.add_argument("--scenario", action="append", help="only this scenario (may be repeated)")
    parser.add_argument("--server", action="append", help="only this server (may be repeated)")
    parser.add_argument("--files", action="store_true", help="only files of office suites, beside a bare file server")
    parser.add_argument("--loadgen", type=Path, default=LOADGEN, help="the folder of a generator in C (yload.c); without it ours is used")
    parser.add_argument("--out", type=Path, help="a file for the table")
    parser.add_argument("--write", action="store_true", help="put table and picture into docs/explanation/performance.md")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds, options.write = 0.5, 1, False
    try:
        text = "" if options.files else run(options)
        files = report_files(options.rounds) if options.files or not (options.scenario or options.server) else ""
        if options.write:
            for mark, made in ((EDITING, text), (FILES, files)):
                if made:
                    put(mark, made)
    except (Unmeasured, Lost, AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"could not measure: {error}", file=sys.stderr)
        return 1
    text = f"{text}\n{files}".strip()
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
