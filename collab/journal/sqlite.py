"""The journal of one server: an SQLite database of its own, written in groups by one thread, one transaction and one fsync each.

What is queued while a group is being written is the next group: the more comes, the fewer fsyncs for each record.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from math import inf
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple

from collab.errors import CollabError, Unavailable
from collab.ports import Kind, Log, Record
from collab.state.database import Connection, Database, reclaim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from collab.ports import Meta
    from collab.state.turn import Turn

JOURNAL: Final = (
    """
    CREATE TABLE documents (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        edited INTEGER NOT NULL DEFAULT 0,  -- position of the last UPDATE or MERGE
        saved INTEGER NOT NULL DEFAULT 0    -- `place` of the last SAVED
    );
    CREATE TABLE records (
        position INTEGER PRIMARY KEY,
        document INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL,
        meta TEXT NOT NULL
    );
    CREATE INDEX records_document ON records (document, position);
    CREATE TABLE checkpoints (
        document INTEGER PRIMARY KEY,
        position INTEGER NOT NULL,
        state BLOB NOT NULL,
        meta TEXT NOT NULL
    );
    """,
)
"""Migrations of the journal's database, in order; one that was released is never changed."""

PACE = 0.003
"""Seconds from the beginning of one group to the next, at least."""
EDITS_PACE = 0.05
"""The same while there are only edits: nobody waits for them but their acknowledgements. A group, with its sync and the turns of two threads,
costs as much processor time as a hundred sends.
"""
GROUP_RECORDS = 4096
GROUP_BYTES = 16 * 2**20
"""A group ends at either, so that no transaction holds up the rest for long."""
RETRY = (0.1, 30.0)
"""Seconds before the first try after a failure, doubling, and at most."""
SLACK_PAGES = 256
"""Free pages of 4 KiB that the file keeps for what comes next."""
KEYS = 10_000
"""Documents whose number in the database is remembered."""
ROWS: Final = (1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Rows that one statement may have. Each statement, and with `executemany` each row, lets go of the interpreter and has to get it back from a busy
event loop, which meanwhile wakes this thread in vain with each message that it reads.
"""

_EDITS = frozenset({Kind.UPDATE, Kind.MERGE})


class _Entry(NamedTuple):
    """A record that waits; `size` is what it counts for in `pending_bytes`."""

    position: int
    document: str
    record: Record
    meta: str
    size: int
    future: asyncio.Future[int]


class _Call(NamedTuple):
    """Something to be done after the entries before it: all of them, or those of `after` while the medium refuses."""

    act: Callable[[Connection], None] | None
    after: str | None
    future: asyncio.Future[None]


class _Stop:
    """The last item: the thread ends."""


_Item = _Entry | _Call | _Stop
"""What the queue holds."""


SEATS = 64
"""Processes that may write one journal."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One of the processes that write one journal: its positions are those that leave `number` when divided by `SEATS`, so none is given twice."""

    number: int
    turn: Turn

    def after(self, position: int) -> int:
        """The next position of this seat."""
        return position + 1 + (self.number - position - 1) % SEATS


class SqliteJournal:
    """A `Journal` in the database file `path`, used from one event loop, and by one process or by those that have a `seat` of their own.

    `retry`: seconds before the first try after a failure and at most. `behind`: new positions are greater than this.
    """

    def __init__(self, path: Path, *, retry: tuple[float, float] = RETRY, behind: int = 0, seat: Seat | None = None) -> None:
        self._seat = seat
        self._reader = Database(path, JOURNAL)
        self._position = max(behind, self._reader.look_sync(_last_position))
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._pending_records = 0
        self._pending_bytes = 0
        writing = Database(path, JOURNAL, turn=None if seat is None else seat.turn)
        self._writer = _Writer(writing, self._queue, self._deliver, retry, shared=seat is not None)
        self._thread = threading.Thread(target=self._writer.run, name="collab-journal", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be made durable just now, in words, or None."""
        return self._writer.trouble

    @property
    def pending_records(self) -> int:
        """Records that wait to become durable."""
        return self._pending_records

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait to become durable."""
        return self._pending_bytes

    def append(self, document: str, record: Record) -> asyncio.Future[int]:
        """Queue the record (see the port); the future's result is its position."""
        if self._closed:
            raise Unavailable("the journal is closed")
        loop = self._loop or self._bound()
        meta = _words(record.meta)
        size = len(record.body) + len(meta)
        future: asyncio.Future[int] = loop.create_future()
        self._position = self._position + 1 if self._seat is None else self._seat.after(self._position)
        self._pending_records += 1
        self._pending_bytes += size
        self._queue.put(_Entry(self._position, document, record, meta, size, future))
        if record.kind is not Kind.UPDATE:
            self._writer.hurry.set()
        return future

    async def load(self, document: str) -> Log:
        """The log with everything appended before."""
        await self._call(None, after=document)
        log = await self._reader.look(lambda connection: _log(connection, document))
        # Another process may have written it: what comes from here is behind.
        self._position = max(self._position, log.position, log.records[-1][0] if log.records else 0)
        return log

    async def checkpoint(self, document: str, position: int, state: bytes, meta: Meta) -> None:
        """Replace the records up to and with `position`; nothing happens when there is a later checkpoint already."""
        words = json.dumps(meta) if meta else ""

        def act(connection: Connection) -> None:
            self._writer.checkpoint(connection, document, (position, state, words))

        await self._call(act, after=None)

    async def forget(self, document: str) -> None:
        """Drop the document's log."""
        await self._call(lambda connection: self._writer.forget(connection, document), after=document)

    async def unsaved(self) -> list[str]:
        """The documents whose file lags behind, sorted."""
        await self._call(None, after=None)
        return await self._reader.look(_unsaved)

    async def close(self) -> None:
        """Write what waits, once; what the medium still refuses fails with `Unavailable`. Idempotent."""
        if not self._closed:
            self._closed = True
            self._queue.put(_Stop())
            self._writer.hurry.set()
        await asyncio.to_thread(self._thread.join)
        self._reader.close()

    async def _call(self, act: Callable[[Connection], None] | None, *, after: str | None) -> None:
        if self._closed:
            raise Unavailable("the journal is closed")
        future: asyncio.Future[None] = (self._loop or self._bound()).create_future()
        self._queue.put(_Call(act, after, future))
        self._writer.hurry.set()
        await future

    def _bound(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        return self._loop

    def _deliver(self, done: Iterable[_Entry | _Call], error: CollabError | None) -> None:
        """From the writer's thread: one wake-up of the loop for all of them."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, done, error)

    def _settle(self, done: Iterable[_Entry | _Call], error: CollabError | None) -> None:
        for item in done:
            if isinstance(item, _Entry):
                self._pending_records -= 1
                self._pending_bytes -= item.size
            if item.future.done():
                continue
            if error is not None:
                item.future.set_exception(error)
                item.future.exception()  # whoever waits is told; nobody needs to
            elif isinstance(item, _Entry):
                item.future.set_result(item.position)
            else:
                item.future.set_result(None)


class _Writer:
    """The thread that alone writes: groups in order, tried again for as long as the medium refuses."""

    def __init__(
        self,
        database: Database,
        queue: SimpleQueue[_Item],
        deliver: Callable[[Iterable[_Entry | _Call], CollabError | None], None],
        retry: tuple[float, float],
        *,
        shared: bool,
    ) -> None:
        self._shared = shared
        self.trouble: str | None = None
        self.hurry = threading.Event()
        """Set when something is in the queue that somebody waits for."""
        self._database = database
        self._queue = queue
        self._deliver = deliver
        self._shortest, self._longest = retry
        self._delay = 0.0
        self._again = 0.0
        """When the next try is due, on the monotonic clock."""
        self._paced = -inf
        """When the last group began; the clock may be that of a machine that was just switched on."""
        self._stopping = False
        self._entries: deque[_Entry] = deque()
        self._calls: deque[_Call] = deque()
        self._keys: dict[str, int] = {}

    def run(self) -> None:
        """Until the queue says stop."""
        try:
            while not self._stopping:
                self._gather()
                self._commit()
                self._answer()
        finally:
            if not self._stopping:
                self.trouble = "the journal has failed: see the server's log, and start it again"
            self._deliver([*self._entries, *self._calls], Unavailable("the journal was closed before this was durable"))
            self._database.close()

    def checkpoint(self, connection: Connection, document: str, row: tuple[int, bytes, str]) -> None:
        """Inside a transaction: the state is there and the records are gone, or neither."""
        self._look_again()
        key = self._key(connection, document)
        changed = connection.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?, ?) ON CONFLICT (document) DO UPDATE SET position = excluded.position, "
            "state = excluded.state, meta = excluded.meta WHERE excluded.position >= position",
            (key, *row),
        ).rowcount
        if changed:
            connection.execute("DELETE FROM records WHERE document = ? AND position <= ?", (key, row[0]))
            _shrink(connection)

    def forget(self, connection: Connection, document: str) -> None:
        """Inside a transaction."""
        self._look_again()
        key = self._key(connection, document)
        connection.execute("DELETE FROM records WHERE document = ?", (key,))
        connection.execute("DELETE FROM checkpoints WHERE document = ?", (key,))
        connection.execute("DELETE FROM documents WHERE key = ?", (key,))
        self._keys.clear()
        _shrink(connection)

    def _gather(self) -> None:
        """Wait for work, then take what is there: up to a call, which comes after the entries before it."""
        item = self._next()
        if isinstance(item, _Entry):
            self._keep_pace()
        size = 0
        while isinstance(item, _Entry):
            self._entries.append(item)
            size += item.size
            if len(self._entries) >= GROUP_RECORDS or size >= GROUP_BYTES:
                return
            item = self._more()
        if isinstance(item, _Call):
            self._calls.append(item)
        self._stopping = isinstance(item, _Stop)

    def _keep_pace(self) -> None:
        """The first group after a rest goes at once, one right behind another waits a little and grows: syncs cost the same for many."""
        wait = self._paced + PACE - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        wait = self._paced + EDITS_PACE - time.monotonic()
        if wait > 0:
            self.hurry.wait(wait)
        self.hurry.clear()  # whatever it was set for is in the queue, and in this group
        self._paced = time.monotonic()

    def _next(self) -> _Item | None:
        """The next item; None when the time has come to try again."""
        try:
            return self._queue.get(timeout=max(0.0, self._again - time.monotonic()) if self._entries else None)
        except Empty:
            return None

    def _more(self) -> _Item | None:
        """An item that is there already."""
        try:
            return self._queue.get_nowait()
        except Empty:
            return None

    def _due(self) -> bool:
        return time.monotonic() >= self._again

    def _commit(self) -> None:
        """Write the entries that wait, unless the medium refused a moment ago."""
        while self._entries and (self._stopping or self._due()):
            group = list(islice(self._entries, GROUP_RECORDS))
            try:
                self._database.run_sync(partial(self._insert, group))
            except CollabError as error:
                self._fail(error)
                return
            self.trouble, self._delay = None, 0.0
            for _ in group:
                self._entries.popleft()
            self._deliver(group, None)

    def _fail(self, error: CollabError) -> None:
        self.trouble = error.detail
        self._delay = min(max(self._shortest, self._delay * 2), self._longest)
        self._again = time.monotonic() + self._delay
        self._keys.clear()

    def _answer(self) -> None:
        """Do the calls that need not wait for an entry that the medium refuses."""
        refused = {entry.document for entry in self._entries}
        waiting: deque[_Call] = deque()
        for call in self._calls:
            if call.after in refused:
                waiting.append(call)
            else:
                self._deliver((call,), self._done(call))
        self._calls = waiting

    def _done(self, call: _Call) -> CollabError | None:
        if call.act is None:
            return None
        try:
            self._database.run_sync(call.act)
        except CollabError as error:
            self._keys.clear()
            return error
        return None

    def _insert(self, group: list[_Entry], connection: Connection) -> None:
        rows: list[tuple[object, ...]] = []
        marks: dict[int, tuple[int, int]] = {}
        self._look_again()
        for entry in group:
            key = self._key(connection, entry.document)
            kind = entry.record.kind
            rows.append((entry.position, key, kind.value, entry.record.body, entry.meta))
            edited, saved = marks.get(key, (0, 0))
            if kind in _EDITS:
                marks[key] = (entry.position, saved)
            elif kind is Kind.SAVED:
                marks[key] = (edited, _place(entry.record))
        _together(connection, "INSERT INTO records VALUES {}", rows)
        _together(connection, _MARKS, [(key, edited, saved) for key, (edited, saved) in marks.items()])

    def _look_again(self) -> None:
        """Another process may have dropped a document, and its number is another one's by now."""
        if self._shared:
            self._keys.clear()

    def _key(self, connection: Connection, document: str) -> int:
        key = self._keys.get(document)
        if key is None:
            connection.execute("INSERT OR IGNORE INTO documents (id) VALUES (?)", (document,))
            key = int(connection.execute("SELECT key FROM documents WHERE id = ?", (document,)).fetchone()[0])
            if len(self._keys) >= KEYS:
                self._keys.clear()
            self._keys[document] = key
        return key


_MARKS = (
    "WITH marks (document, at, place) AS (VALUES {}) UPDATE documents SET edited = max(edited, at), saved = max(saved, place) "
    "FROM marks WHERE key = document"
)


def _together(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Run a statement, `{}` standing for its values, for all rows in as few steps as its sizes allow."""
    done = 0
    while done < len(rows):
        some = rows[done : done + next(size for size in ROWS if size <= len(rows) - done)]
        connection.execute(_for_rows(statement, len(some), len(some[0])), [*chain.from_iterable(some)])
        done += len(some)


@lru_cache(64)
def _for_rows(statement: str, rows: int, columns: int) -> str:
    return statement.format(", ".join([f"({', '.join('?' * columns)})"] * rows))


def _words(meta: Meta) -> str:
    """The meta of a record in JSON."""
    by = meta.get("by")
    return _deliverers(by) if len(meta) == 1 and isinstance(by, tuple) else json.dumps(meta) if meta else ""


@lru_cache(1024)
def _deliverers(by: tuple[tuple[str, int], ...]) -> str:
    """Who delivered edits: nearly every record says nothing else, and the same as the one before."""
    return json.dumps({"by": by})


def rewrite(path: Path, change: Callable[[str, Log], Log]) -> None:
    """Put another log with the same positions in the place of each document's, while no server runs."""

    def act(connection: Connection, key: int, document: str) -> None:
        log = change(document, _log(connection, document))
        if log.checkpoint is not None:
            connection.execute("UPDATE checkpoints SET state = ?, meta = ? WHERE document = ?", (log.checkpoint, json.dumps(log.meta), key))
        rows = [(record.body, json.dumps(record.meta) if record.meta else "", position) for position, record in log.records]
        connection.executemany("UPDATE records SET body = ?, meta = ? WHERE position = ?", rows)

    with closing(Database(path, JOURNAL)) as database:
        for key, document in database.look_sync(lambda connection: connection.execute("SELECT key, id FROM documents").fetchall()):
            database.run_sync(partial(act, key=key, document=document))


def _place(record: Record) -> int:
    place = record.meta.get("place", 0)
    return place if isinstance(place, int) else 0


def _last_position(connection: Connection) -> int:
    return int(
        connection.execute(
            "SELECT max((SELECT coalesce(max(position), 0) FROM records), (SELECT coalesce(max(position), 0) FROM checkpoints), "
            "(SELECT coalesce(max(edited), 0) FROM documents), (SELECT coalesce(max(saved), 0) FROM documents))"
        ).fetchone()[0]
    )


def _log(connection: Connection, document: str) -> Log:
    found = connection.execute("SELECT key FROM documents WHERE id = ?", (document,)).fetchone()
    if found is None:
        return Log()
    checkpoint = connection.execute("SELECT state, meta, position FROM checkpoints WHERE document = ?", found).fetchone()
    state, meta, position = checkpoint or (None, "", 0)
    rows = connection.execute(
        "SELECT position, kind, body, meta FROM records WHERE document = ? AND position > ? ORDER BY position", (found[0], position)
    )
    records = tuple((at, Record(Kind(kind), body, _object(words))) for at, kind, body, words in rows)
    return Log(state, _object(meta), position, records)


def _object(words: str) -> Meta:
    meta = json.loads(words) if words else {}
    return meta if isinstance(meta, dict) else {}


def _unsaved(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT id FROM documents WHERE edited > saved ORDER BY id")]


def _shrink(connection: Connection) -> None:
    """Give back what is free above the slack, a few megabytes at a time so that nobody waits for long."""
    free = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    if free > SLACK_PAGES:
        reclaim(connection, min(free - SLACK_PAGES, 2 * SLACK_PAGES))
