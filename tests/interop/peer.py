"""Unmodified clients in Node, one process each, driven by JSON lines (peer.mjs) and watched as one state that they tell."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Json = dict[str, Any]

HERE = Path(__file__).parent
SECONDS = 60.0
"""How long a condition may take on a busy machine; nothing waits that long when all is well."""

Y_WEBSOCKET = ("y-websocket-1", "y-websocket-2", "y-websocket-3", "y-websocket-4")
HOCUSPOCUS = ("hocuspocus-2", "hocuspocus-3", "hocuspocus-4")
CLIENTS = Y_WEBSOCKET + HOCUSPOCUS


def install() -> None:
    """The clients of package-lock.json in node_modules, installed once whoever asks first."""
    modules, lock = HERE / "node_modules", HERE / "package-lock.json"
    mark = modules / ".package-lock.json"
    (HERE.parent.parent / ".make").mkdir(exist_ok=True)
    with (HERE.parent.parent / ".make" / "interop.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not mark.exists() or mark.stat().st_mtime_ns < lock.stat().st_mtime_ns:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, stdin=subprocess.DEVNULL)
            os.utime(mark)


@dataclass(slots=True)
class Peer:
    """A client and its first document. `state` is the newest that it told; wait for a change of it with `until`."""

    client: str
    document: str
    process: asyncio.subprocess.Process
    state: Json = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _reader: asyncio.Task[None] | None = None
    _asked: int = 0

    @classmethod
    async def start(cls, client: str, url: str, document: str, **settings: Any) -> Self:
        """The client, connecting to the server at `url` (ws://…); settings: token, awareness, options of the library."""
        configuration = {"client": client, "url": url, "document": document} | settings
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / "peer.mjs"), json.dumps(configuration), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=1 << 26
        )
        peer = cls(client, document, process)
        peer._reader = asyncio.create_task(peer._read())
        try:
            await peer.until(lambda: peer.state)
        except BaseException:
            await peer.end()
            raise
        return peer

    async def end(self) -> None:
        """Close the client's process."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if not line.endswith(b"\n"):
                break  # ended in the middle of a word
            told: Json = json.loads(line)
            if "state" in told:
                async with self._news:
                    self.state = told["state"]
                    self._news.notify_all()
            if "id" in told:
                self._answer(told)
        for future in self._answers.values():
            future.cancel()
        async with self._news:
            self._news.notify_all()

    def _answer(self, told: Json) -> None:
        future = self._answers.pop(told["id"])
        if future.done():
            # Nobody waits for it any more.
            return
        if "error" in told:
            future.set_exception(RuntimeError(told["error"]))
        else:
            future.set_result(told["ok"])

    async def do(self, act: str, **arguments: Any) -> Any:
        """One command of peer.mjs and its answer."""
        assert self.process.stdin is not None
        self._asked += 1
        future = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        command = {"id": self._asked, "do": act, "document": self.document} | arguments
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(SECONDS):
            return await future

    async def until(self, condition: Callable[[], T], *, within: float = SECONDS) -> T:
        """The condition's first true value, looked at whenever the client told something; AssertionError with its state when it takes longer."""
        try:
            async with asyncio.timeout(within), self._news:
                while not (value := condition()):
                    if self.process.returncode is not None or self.process.stdout is None or self.process.stdout.at_eof():
                        raise AssertionError(f"{self.client} ended: {self.process.returncode}")
                    await self._news.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"{self.client} did not come to this within {within} s: {json.dumps(self.state)[-3000:]}") from None

    # What the client has of a document; without a name: of its first one.

    def of(self, document: str | None = None) -> Json:
        found: Json = self.state["documents"][self.document if document is None else document]
        return found

    @property
    def text(self) -> str:
        return str(self.of()["text"])

    @property
    def refused(self) -> list[str]:
        """Reasons of permissions that were denied: in band for Hocuspocus, in its only way (a warning) for y-websocket."""
        warned = [line.split("\n")[-1] for line in self.state["warnings"] if line.startswith("Permission denied")]
        return [*self.of()["refused"], *warned]

    @property
    def lines(self) -> Counter[str]:
        return Counter(self.text.splitlines())

    @property
    def codes(self) -> list[int]:
        """The codes of the connections that were closed, in order."""
        return [code for code, _ in self.state["closes"]]

    async def denied(self, reason: str) -> None:
        """Until a permission is denied; the first word of the first reason has to be this one."""
        first = await self.until(lambda: self.refused[:1])
        assert first[0].split(":")[0] == reason

    async def closed(self, times: int, *, within: float = SECONDS) -> None:
        """Until so many connections of the client have ended."""
        await self.until(lambda: len(self.codes) >= times, within=within)

    async def lost(self) -> None:
        """Until the client knows that its connection is gone."""
        await self.until(lambda: not self.of()["connected"])

    async def offline(self) -> None:
        """Disconnected, until told to connect."""
        await self.do("disconnect")
        await self.lost()

    async def holds(self, lines: Counter[str], *, within: float = SECONDS) -> None:
        """Until the text has exactly these lines, in whatever order."""
        await self.until(lambda: self.lines == lines, within=within)

    async def synced(self, document: str | None = None) -> Self:
        await self.until(lambda: self.of(document)["synced"])
        return self

    async def stored(self, document: str | None = None) -> Self:
        """Until the client's own count of changes that the server has not stored is 0 (provider 2.x may count below, after a reconnect)."""
        await self.until(lambda: self.of(document)["synced"] and self.of(document)["pending"] <= 0)
        return self

    async def reads(self, text: str, document: str | None = None) -> None:
        await self.until(lambda: self.of(document)["text"] == text)

    async def insert(self, at: int, text: str, document: str | None = None) -> None:
        """`at` counts UTF-16 units, as everything in a browser."""
        await self.do("insert", at=at, text=text, document=self._name(document))

    async def delete(self, at: int, length: int, document: str | None = None) -> None:
        await self.do("delete", at=at, length=length, document=self._name(document))

    async def type(self, prefix: str, *, pause: int, seed: int) -> None:
        """Words by itself, each a line of its own, one each `pause` milliseconds while synced. Its state is not told meanwhile."""
        await self.do("watch", on=False)
        await self.do("type", prefix=prefix, pause=pause, seed=seed)

    async def rest(self) -> tuple[list[str], set[str]]:
        """No more words: those typed so far, and those of them that the server has said are stored."""
        await self.do("watch", on=True)
        told = await self.do("rest")
        return told["typed"], set(told["stored"])

    async def line(self, text: str, place: float, document: str | None = None) -> None:
        """A line of its own, at the border of lines that `place` (0 to 1) picks."""
        await self.do("line", text=text, place=place, document=self._name(document))

    def _name(self, document: str | None) -> str:
        return self.document if document is None else document
