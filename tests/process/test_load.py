"""The benchmark's own generator counts every delivery of a real server, in both dialects and from several processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bench.keystrokes import typed
from pycrdt import Doc, Text

if TYPE_CHECKING:
    from serving import Served

LOAD = Path(__file__).parents[1] / "bench" / "load.py"


@pytest.mark.parametrize("arguments", [("--window", "4"), ("--rate", "100")], ids=["in flight", "a second"])
@pytest.mark.parametrize("framing", ["yws", "hocuspocus"])
async def test_every_edit_comes_to_everybody(server: Served, tmp_path: Path, framing: str, arguments: tuple[str, ...]) -> None:
    trace = tmp_path / "updates.bin"
    trace.write_bytes(typed(500))
    rooms = ["load-0", "load-1"]
    for room in rooms:
        server.write(room, "")
    path = f"/ws?token={server.token('Ann')}" if framing == "yws" else "/collaboration"
    command = [sys.executable, str(LOAD), "--url", server.ws + path, "--pid", str(server.pid), "--updates", str(trace), "--room", "load"]
    command += ["--rooms", "2", "--clients", "4", "--writers", "2", "--framing", framing, "--token", server.token("Ann"), "--drain", "30"]
    command += ["--duration", "0.5", *arguments, *(["--no-room-path"] if framing == "hocuspocus" else [])]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120, check=True)
    result = json.loads(done.stdout)
    assert (result["synced"], result["closed"], result["complete"]) == (8, 0, True)
    assert result["delivered"] == 3 * result["sent"] > 0
    assert result["lat_p50_ms"] > 0


async def test_who_comes_back_is_given_what_is_new(server: Served, tmp_path: Path) -> None:
    trace, big, state = tmp_path / "updates.bin", tmp_path / "big.bin", tmp_path / "big.state"
    trace.write_bytes(typed(10))
    document: Doc[Any] = Doc()
    document.get("content", type=Text).insert(0, "words " * 1_000)
    big.write_bytes(document.get_update())
    state.write_bytes(document.get_state())
    server.write("big.md", "")
    command = [
        sys.executable,
        str(LOAD),
        "--url",
        f"{server.ws}/ws?token={server.token('Ann')}",
        "--pid",
        str(server.pid),
        "--room",
        "big.md",
    ]
    command += ["--updates", str(trace), "--clients", "3", "--writers", "0", "--duration", "0", "--preload", str(big)]
    received = []
    for beside in ([], ["--state", str(state)]):
        done = await asyncio.to_thread(subprocess.run, [*command, *beside], capture_output=True, text=True, timeout=120, check=True)
        result = json.loads(done.stdout)
        assert (result["synced"], result["closed"]) == (3, 0)
        received.append(result["sync_bytes"])
    assert received[0] > 2 * 6_000
    assert received[1] < 2 * 1_000
