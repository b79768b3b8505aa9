"""A journal in memory for tests and simulations: what is durable outlives a crash, what is queued does not."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collab.errors import Unavailable
from collab.ports import Kind, Log, Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Meta


@dataclass(slots=True)
class Durable:
    """What one document has on the medium."""

    checkpoint: bytes | None = None
    meta: Meta = field(default_factory=dict)
    position: int = 0
    records: list[tuple[int, Record]] = field(default_factory=list)
    edited: int = 0
    saved: int = 0

    def add(self, position: int, record: Record) -> None:
        """The next record."""
        self.records.append((position, record))
        if record.kind in {Kind.UPDATE, Kind.MERGE}:
            self.edited = position
        elif record.kind is Kind.SAVED:
            place = record.meta.get("place", 0)
            self.saved = max(self.saved, place if isinstance(place, int) else 0)


class MemoryJournal:
    """A `Journal` that becomes durable in groups, as a disk would.

    `step` is awaited with a word before each change of the medium (`append`, `checkpoint`, `forget`): a simulation may crash there, by
    `crash`, and never return.
    """

    def __init__(self, step: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.trouble: str | None = None
        self._step = step
        self._medium: dict[str, Durable] = {}
        self._queue: deque[tuple[int, str, Record, asyncio.Future[int]]] = deque()
        self._position = 0
        self._task: asyncio.Task[None] | None = None
        self._accepting = asyncio.Event()
        self._accepting.set()
        self._moved = asyncio.Event()
        """Set, and replaced by a new one, whenever there is something to look at again."""
        self._closed = False

    @property
    def pending_records(self) -> int:
        """Records that wait to become durable."""
        return len(self._queue)

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait to become durable."""
        return sum(len(record.body) for _, _, record, _ in self._queue)

    def refuse(self, why: str | None) -> None:
        """From now on nothing becomes durable, for this reason; None ends it."""
        self.trouble = why
        if why is None:
            self._accepting.set()
        else:
            self._accepting.clear()
        self._notify()

    def crash(self) -> MemoryJournal:
        """The journal after a crash of the process: what was not durable is forgotten, futures of before never end."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        after = MemoryJournal(self._step)
        after._medium, self._medium = self._medium, {}
        after._position = max(
            (max(log.position, log.edited, *(at for at, _ in log.records), 0) for log in after._medium.values()), default=0
        )
        return after

    def append(self, document: str, record: Record) -> asyncio.Future[int]:
        """Queue the record (see the port); the future's result is its position."""
        self._check()
        # Meta goes through JSON as it does on a disk: what is not JSON fails here, and nobody shares it.
        kept = Record(record.kind, record.body, json.loads(json.dumps(record.meta)))
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._position += 1
        self._queue.append((self._position, document, kept, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return future

    async def load(self, document: str) -> Log:
        """The log with everything appended before."""
        await self._flushed(document)
        held = self._medium.get(document, Durable())
        return Log(held.checkpoint, held.meta, held.position, tuple(held.records))

    async def checkpoint(self, document: str, position: int, state: bytes, meta: Meta) -> None:
        """Replace the records up to and with `position`; nothing happens when there is a later checkpoint already."""
        await self._change("checkpoint", None)
        held = self._medium.setdefault(document, Durable())
        if position >= held.position:
            held.checkpoint, held.meta, held.position = state, json.loads(json.dumps(meta)), position
            held.records = [(at, record) for at, record in held.records if at > position]

    async def refill(self, document: str, state: bytes, meta: Meta, *, ahead: bool) -> int:
        """As `collab.ports.Refillable`, for a document of which nothing waits."""
        self._position += 1
        held = Durable(state, json.loads(json.dumps(meta)), self._position, edited=self._position if ahead else 0)
        self._medium[document] = held
        return held.position

    async def forget(self, document: str) -> None:
        """Drop the document's log."""
        await self._change("forget", document)
        self._medium.pop(document, None)

    async def unsaved(self) -> list[str]:
        """The documents whose file lags behind, sorted."""
        await self._flushed(None)
        return sorted(document for document, held in self._medium.items() if held.edited > held.saved)

    async def close(self) -> None:
        """What the medium still refuses fails with `Unavailable`. Idempotent."""
        if not self._closed:
            await self._flushed(None)
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        while self._queue:
            future = self._queue.popleft()[3]
            if not future.done():
                future.set_exception(Unavailable("the journal was closed before this was durable"))
                future.exception()  # whoever waits is told; nobody needs to

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("the journal is closed")

    async def _change(self, word: str, document: str | None) -> None:
        await self._flushed(document)
        if self.trouble is not None:
            raise Unavailable(self.trouble)
        if self._step is not None:
            await self._step(word)
        self._check()

    async def _flushed(self, document: str | None) -> None:
        """Everything appended before is durable; while the medium refuses, only what was appended to `document` is waited for."""
        self._check()
        while self._queue and (self.trouble is None or any(entry[1] == document for entry in self._queue)):
            await self._moved.wait()
        self._check()

    async def _drain(self) -> None:
        while self._queue:
            group = len(self._queue)
            if self._step is not None:
                await self._step("append")
            await self._accepting.wait()
            self._commit(group)
        self._task = None

    def _commit(self, group: int) -> None:
        for _ in range(group):
            position, document, record, future = self._queue.popleft()
            self._medium.setdefault(document, Durable()).add(position, record)
            if not future.done():
                future.set_result(position)
        self._notify()

    def _notify(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
