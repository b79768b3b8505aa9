"""A LibreOffice without a window, with a profile of its own, in which tests open, change and save files as people do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DESK = Path(__file__).parent / "desk.py"
SYSTEM = "/usr/bin/python3"
"""Debian's Python, which knows UNO."""
PATIENCE = 120.0
"""Seconds for one act on a busy machine."""

TEXT = "Text (encoded)", "UTF8,LF,,,"
"""How office suites read and write a text: filter and options."""
CSV = "Text - txt - csv (StarCalc)", "44,34,76,1,,0,false,true,false"
"""The same of a table with commas: separator, quote, UTF-8, from the first line."""


@dataclass(slots=True)
class LibreOffice:
    """One process, and who sits at it. Acts are done one after the other."""

    folder: Path
    desk: asyncio.subprocess.Process
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, call: str, *arguments: object) -> Any:
        """An act of `Desk`; AssertionError with LibreOffice's words when it refuses."""
        assert self.desk.stdin is not None
        assert self.desk.stdout is not None
        async with self._turn, asyncio.timeout(PATIENCE):
            self.desk.stdin.write(json.dumps({"call": call, "with": arguments}).encode() + b"\n")
            answer = json.loads(await self.desk.stdout.readline() or b'{"error": "LibreOffice is gone"}')
        assert "error" not in answer, answer
        return answer["answer"]

    async def open(self, body: bytes, ending: str, reader: str = "", options: str = "") -> Paper:
        """These bytes as a document on the screen."""
        path = self.folder / f"{uuid.uuid4().hex}.{ending}"
        path.write_bytes(body)
        return Paper(self, await self.ask("open", str(path), reader, options), path)


@dataclass(frozen=True, slots=True)
class Paper:
    """A document on the screen."""

    office: LibreOffice
    number: int
    path: Path

    async def text(self) -> str:
        """What it says."""
        said: str = await self.office.ask("text", self.number)
        return said

    async def append(self, words: str) -> None:
        """Type at its end."""
        await self.office.ask("append", self.number, words)

    async def replace(self, old: str, new: str) -> None:
        """Replace words that are there once."""
        assert await self.office.ask("replace", self.number, old, new) == 1

    async def cell(self, at: str) -> str:
        """What a cell shows."""
        shown: str = await self.office.ask("cell", self.number, at)
        return shown

    async def fill(self, at: str, value: str) -> None:
        """Type into a cell."""
        await self.office.ask("fill", self.number, at, value)

    async def save(self, writer: str = "", options: str = "") -> bytes:
        """The bytes that this filter makes of it."""
        path = self.path.with_suffix(".saved" + self.path.suffix)
        await self.office.ask("store", self.number, str(path), writer, options)
        return path.read_bytes()

    async def close(self) -> None:
        """Look no more at it."""
        await self.office.ask("close", self.number)


@contextlib.asynccontextmanager
async def libreoffice(folder: Path) -> AsyncIterator[LibreOffice]:
    """A LibreOffice in this folder, gone with all its processes afterwards."""
    program = shutil.which("soffice")
    assert program is not None, (
        "these tests need a LibreOffice: apt-get install libreoffice-writer-nogui libreoffice-calc-nogui python3-uno"
    )
    pipe = f"collab-{uuid.uuid4().hex[:12]}"
    arguments = [
        program,
        "--headless",
        "--nologo",
        "--nodefault",
        "--norestore",
        "--nolockcheck",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
    ]
    with (folder / "libreoffice.log").open("wb") as log:
        office = await asyncio.create_subprocess_exec(
            *arguments, f"--accept=pipe,name={pipe};urp", stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        desk = await asyncio.create_subprocess_exec(
            SYSTEM, str(DESK), pipe, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
        )
        try:
            yield LibreOffice(folder, desk)
        finally:
            with contextlib.suppress(ProcessLookupError):
                desk.kill()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(office.pid, signal.SIGKILL)  # the program is a script with children
            await desk.wait()
            await office.wait()
