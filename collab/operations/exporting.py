"""`collab export`: documents, versions, writers and CRDT states as open formats, beside a running server or without one.

What is exported is what the journal holds: text that was stored and is not in its file yet is in the export.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import collab
from collab.about import About
from collab.archive.store import Archive
from collab.authorship import MARKS, Authorship
from collab.document import Document
from collab.errors import CollabError, Exists, NotFound, Unavailable
from collab.formats.bodies import TEXT
from collab.journal.sqlite import SqliteJournal
from collab.ledger import Ledger, history
from collab.ports import Stat
from collab.shares import picture
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.names import Names
from collab.web.authors import told_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from collab.ports import Log, Version
    from collab.state.directory import Directory

DOCUMENTS, HISTORIES = "documents", "histories"
LARGE: Final = 64 * 2**20
"""Bytes of a file from which on it is only copied."""
_PAGE: Final = 500
_COLUMNS = ("number", "time", "source", "name", "writers", "size", "sha256", "file")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _State:
    """What a journal makes of a document: its live bytes, their CRDT state, and whether the file holds them."""

    body: bytes
    document: Document
    update: bytes
    log: Log
    ahead: bool
    base: str


async def export(directory: Directory, archive: str, names: Sequence[str], to: Path, *, tell: Callable[[str], None], now: float) -> int:  # noqa: PLR0913 - what an export needs
    """Write these documents, all for none, below the folder `to`, which must be new or empty; how many. NotFound, Exists, Unavailable."""
    _make(to)
    with closing(Database(directory.database, STATE)) as database:
        known = Names(database)
        files, journal = LocalFiles(directory.root, known), SqliteJournal(directory.journal)
        kept = Archive(archive)
        try:
            exporting = _Exporting(directory.root, files, journal, known, kept, to, tell, now)
            return await exporting.run(names)
        finally:
            await kept.close()
            await journal.close()
            await files.close()


def _make(to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    if any(to.iterdir()):
        raise Exists(f"{to} is not empty: an export goes into a folder of its own")


@dataclass(frozen=True, slots=True)
class _Exporting:
    root: Path
    files: LocalFiles
    journal: SqliteJournal
    names: Names
    archive: Archive
    to: Path
    tell: Callable[[str], None]
    now: float

    async def run(self, names: Sequence[str]) -> int:
        found: list[dict[str, object]] = []
        failed = 0
        async for stat in self._all() if not names else self._named(names):
            try:
                found.append(await self._document(stat))
            except (CollabError, OSError) as error:
                failed += 1
                self.tell(f"{stat.path}: not exported: {error}")
        index = {"program": f"collab {collab.__version__}", "exported": _utc(self.now), "documents": found}
        _write_json(self.to / "export.json", index)
        if failed:
            raise Unavailable(f"{failed} of {failed + len(found)} documents could not be exported; the others are in {self.to}")
        return len(found)

    async def _named(self, names: Iterable[str]) -> AsyncIterator[Stat]:
        for name in names:
            stat = await self.files.stat(name)
            if stat.folder:
                raise NotFound(f"this is a folder: {name}; --all exports everything")
            yield stat

    async def _all(self) -> AsyncIterator[Stat]:
        seen = set()
        folders = [""]
        while folders:
            for stat in await self.files.list(folders.pop()):
                if stat.folder:
                    folders.append(stat.path)
                else:
                    seen.add(stat.id)
                    yield stat
        for document in await self.journal.unsaved():
            row = self.names.find(document)
            if document not in seen and row is not None and row.deleted_at is None:
                self.tell(f"{row.path.decode(errors='replace')}: the file is gone, its text is not")
                yield Stat(document, row.path.decode(errors="replace"), "text/plain", 0, "", 0.0)

    async def _document(self, stat: Stat) -> dict[str, object]:
        state = _state(await self.journal.load(stat.id))
        folder = self.to / HISTORIES / stat.path
        place = self.to / DOCUMENTS / stat.path
        etag = await self._bytes(stat, state, place, folder)
        told: dict[str, object] = {"id": stat.id, "path": stat.path, "type": stat.type, "sha256": etag}
        versions = await self._versions(stat, folder)
        about = await self.archive.metadata.get(stat.id)
        if about != About():
            told |= {"tags": about.tags, "description": about.description}
        if state is not None:
            _put(folder / "state.yjs", state.update)
            told["state"] = {
                "format": "Yjs update, v1",
                "document": state.document.format,
                "lineage": str(state.document.lineage),
                "sha256": sha256(state.body).hexdigest(),
            }
            _write_json(folder / "authors.json", await self._authors(stat.id, state))
        if state is not None or versions or about != About():
            told["history"] = f"{HISTORIES}/{stat.path}"
            _write_json(folder / "document.json", told)
        self.tell(f"{stat.path}: {versions} version{'s' * (versions != 1)}")
        return told

    async def _bytes(self, stat: Stat, state: _State | None, place: Path, folder: Path) -> str:
        """The text as it is now; when the file has something else, that too. The hash of the first."""
        if stat.size > LARGE:
            return await asyncio.to_thread(_copy, self.root / stat.path, place)
        body = None if not stat.etag else (await self.files.read(stat.id, limit=LARGE)).body
        if state is not None and (body is None or state.ahead):
            if body is not None and sha256(body).hexdigest() not in {state.base, sha256(state.body).hexdigest()}:
                # Somebody wrote the file, and nobody has merged that yet.
                _put(folder / f"file{place.suffix}", body)
            body = state.body
        body = body or b""
        _put(place, body)
        return sha256(body).hexdigest()

    async def _authors(self, document: str, state: _State) -> dict[str, object]:
        """Who wrote which characters, as the interface tells it."""
        kept = await self.archive.authors.get(document)
        lineage = state.document.lineage
        authorship = Authorship(lineage) if kept is None else Authorship.decode(*kept, lineage)
        authorship.take(state.log)
        shares = picture(state.document.words(), state.update, authorship, self.now)
        called = await self.archive.authors.names({share.author for share in shares.shares} - MARKS)
        return told_of(shares, called, "text" if state.document.format == TEXT else "clients")

    async def _versions(self, stat: Stat, folder: Path) -> int:
        rows: list[dict[str, object]] = []
        before: int | None = None
        while versions := await self.archive.versions.list(stat.id, before=before, limit=_PAGE):
            called = await self.archive.authors.names({writer for version in versions for writer in version.writers})
            for version in versions:
                _, body = await self.archive.versions.read(stat.id, version.number)
                rows.append(_row(version, called, Path(stat.path).suffix))
                _put(folder / str(rows[-1]["file"]), body)
            before = versions[-1].number
        if rows:
            rows.reverse()
            _write_json(folder / "versions.json", rows)
            _write_table(folder / "versions.csv", rows)
        return len(rows)


def _state(log: Log) -> _State | None:
    if log.checkpoint is None and not log.records:
        return None
    ledger, document = Ledger.of(log), Document.replay(history(log))
    body = document.body(ledger.form)
    ahead = ledger.ahead or bool(ledger.base.merges)
    return _State(body, document, document.encode(), log, ahead, ledger.base.hash)


def _row(version: Version, called: Mapping[str, str], suffix: str) -> dict[str, object]:
    stamp = datetime.fromtimestamp(version.at, UTC).strftime("%Y-%m-%d %H.%M.%S")
    return {
        "number": version.number,
        "time": _utc(version.at),
        "source": version.source,
        "name": version.name,
        "writers": [{"id": writer if writer in called else "", "name": called.get(writer, "")} for writer in version.writers],
        "size": version.size,
        "sha256": version.hash,
        "file": f"versions/{version.number:06} {stamp}{suffix}",
    }


def _write_table(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for row in rows:
            writers = row["writers"]
            names = "; ".join(writer["name"] for writer in writers) if isinstance(writers, list) else ""
            table.writerow([_cell(names if column == "writers" else row[column]) for column in _COLUMNS])


def _cell(value: object) -> object:
    """No spreadsheet takes what people called themselves for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def _write_json(path: Path, value: object) -> None:
    _put(path, json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")


def _copy(path: Path, to: Path) -> str:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
    with to.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
