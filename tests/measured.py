"""What a server says of itself, and what the system says of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from serving import Served

STALL = 3 * 0.05
"""Seconds for which nothing may hold the event loop: 50 ms, and threefold slack."""


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    families = text_string_to_metric_families(text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


async def numbers(server: Served) -> dict[tuple[str, ...], float]:
    """What /metrics says."""
    async with httpx.AsyncClient(verify=False, timeout=60) as client:
        return samples((await client.get(f"{server.url}/metrics")).text)


async def check_stalls(server: Served) -> None:
    """No piece of work held the event loop for longer than it may, since the server was started. By processor time: other programs do not count."""
    held = (await numbers(server))["collab_event_loop_held_max_seconds",]
    print(f"held {held:.3f} s")
    assert held < STALL, f"the event loop was held for {held:.3f} s"


def processes(pid: int) -> list[int]:
    """Its children, oldest first."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def threads(pid: int) -> int:
    """Threads of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def descriptors(pid: int) -> int:
    """Open descriptors of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def memory(pid: int) -> int:
    """Bytes that a process has in memory, without what it shares with files."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


def peak(pid: int) -> int:
    """Bytes of memory that a process had at most."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def ticks(pid: int) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
