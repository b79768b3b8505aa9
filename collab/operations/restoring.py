"""`collab restore`: a backup becomes the state of a root again. Every document gets a new lineage: what was told to clients since the backup is
forgotten here, so their copies have another history (CASES: restored backups).

What the files say is not forgotten: a file that is newer is merged like any program's work when its document is opened, one that is older gets
what the state knows, one that is missing is written.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from collab import merge
from collab.archive.store import Archive
from collab.document import Document, new_lineage
from collab.errors import CollabError, Conflict, Exists, NotFound, Poisoned
from collab.journal.sqlite import SqliteJournal, rewrite
from collab.ledger import Base, Ledger, history
from collab.operations import bundle
from collab.ports import Kind, Log, Part, Record
from collab.state import directory as state
from collab.state.database import Database
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.local_folders import LocalFolders
from collab.storage.names import Names
from collab.storage.paths import BIN
from collab.succession import lineage_of, succeed, succeed_authors, succeed_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collab.state.directory import Directory

LARGEST = 2**30
"""Bytes of a file that is looked at."""
_EVERY = 500
"""Documents between two lines that tell how far it is."""


@dataclass(frozen=True, slots=True)
class _Heir:
    """A document's old and new lineage, and the last position of its log."""

    old: int
    new: int
    end: int


def restore(  # noqa: PLR0913 - what a restore needs
    path: Path, root: Path, into: Path, archive: str | None, *, tell: Callable[[str], None], now: float
) -> int:
    """Restore the backup `path` for the folder `root` into the state directory `into`, which must be empty; how many documents it has.

    `archive`: the URL of one that is elsewhere and was restored by its own means. Malformed, Conflict, and what the disk says.
    """
    note = bundle.read(path)
    if (note.get("archive") == "elsewhere") is (archive is None):
        raise Conflict(
            "the backup has an archive of its own: leave out the setting `archive`"
            if archive
            else "the archive is not in this backup: restore it with pg_restore, then name it by the setting `archive`"
        )
    directory, draw = state.empty(root, into)
    with directory.hold(now=now):
        bundle.unpack(path, directory.path)
        with closing(Database(directory.database, STATE)) as database:
            names = Names(database)
            names.unsee()
            documents = asyncio.run(_Restoring(directory, names, draw, tell, now).run(archive or f"sqlite:///{directory.archive}"))
        state.finish(directory)
    return documents


class _Restoring:
    def __init__(self, directory: Directory, names: Names, draw: bytes, tell: Callable[[str], None], now: float) -> None:
        self._directory = directory
        self._names = names
        self._draw = draw
        self._tell = tell
        self._now = now
        self._heirs: dict[str, _Heir] = {}
        self._lost: list[str] = []

    async def run(self, url: str) -> int:
        """From copied files to a state that can be served."""
        await asyncio.to_thread(rewrite, self._directory.journal, self._succeed)
        archive = Archive(url)
        try:
            for document, heir in self._heirs.items():
                await archive.bases.rewrite(document, partial(succeed_part, old=heir.old, new=heir.new), heir.end)
                authors = await archive.authors.get(document)
                if authors is not None:
                    await archive.authors.put(document, authors[0], succeed_authors(*authors, heir.old, heir.new))
            for document in self._lost:
                await archive.bases.rewrite(document, _same, -1)
            last = await archive.versions.last()
            journal, files = SqliteJournal(self._directory.journal, behind=last), LocalFiles(self._directory.root, self._names)
            try:
                for document in self._lost:
                    await journal.forget(document)
                for document in await LocalBin(files).mend():
                    # Gone for good, and a crash came before that was noted.
                    await journal.forget(document)
                    await archive.bases.forget(document)
                    self._heirs.pop(document, None)
                settling = _Settling(journal, archive, files, self._names, self._tell, self._now)
                for done, document in enumerate(self._heirs, 1):
                    await settling.settle(document)
                    if done % _EVERY == 0:
                        self._tell(f"{done} of {len(self._heirs)} documents")
            finally:
                await journal.close()
                await files.close()
        finally:
            await archive.close()
        return len(self._heirs)

    def _succeed(self, document: str, log: Log) -> Log:
        if log.checkpoint is None and not log.records:
            return log
        try:
            old = lineage_of(log)
            heir = _Heir(old, self._lineage(document, old), log.records[-1][0] if log.records else log.position)
            after = succeed(log, heir.old, heir.new)
            _check(log, after)
        except CollabError as error:
            self._tell(f"{self._path(document)}: its history cannot be read, it begins anew from its file: {error.detail}")
            self._lost.append(document)
            return log
        self._heirs[document] = heir
        return after

    def _lineage(self, document: str, old: int) -> int:
        """Drawn for this restore and document."""
        count = 0
        while True:
            count += 1
            drawn = sha256(b"%b %b %d" % (self._draw, document.encode(), count)).digest()
            new = new_lineage(partial(_first, drawn))
            if new != old:
                return new

    def _path(self, document: str) -> str:
        row = self._names.find(document)
        return document if row is None else row.path.decode(errors="replace")


def _first(drawn: bytes, size: int) -> bytes:
    return drawn[:size]


def _same(part: Part) -> Part:
    return part


def _check(before: Log, after: Log) -> None:
    """Poisoned when the text is not the same: the order of what was written at once in one place depends on client ids."""
    if Document.replay(history(before)).text() != Document.replay(history(after)).text():
        raise Poisoned("its text would be another one")


@dataclass(frozen=True, slots=True)
class _Settling:
    """Says to each document's log what its file holds now."""

    journal: SqliteJournal
    archive: Archive
    files: LocalFiles
    names: Names
    tell: Callable[[str], None]
    now: float

    async def settle(self, document: str) -> None:
        """Compare the file with the log."""
        log = await self.journal.load(document)
        ledger, live = Ledger.of(log), Document.replay(history(log))
        body = live.body(ledger.form)
        said = {"hash": sha256(body).hexdigest(), "at": self.now, "sketch": merge.sketch(live.looks().words).hex()}
        # Files and clients may be ahead of the backup, with what it holds: it is what they had read.
        await self.journal.append(document, Record(Kind.GIVEN, meta={**said, "restored": True}))
        row = self.names.find(document)
        if row is None or row.deleted_at is not None or row.path.startswith(BIN + b"/"):
            return
        path = row.path.decode(errors="replace")
        try:
            content = await self.files.read(document, limit=LARGEST)
        except NotFound:
            await self._write(document, path, body, said)
        except CollabError as error:
            self.tell(f"{path}: {error.detail}")
        else:
            await self._compare(document, ledger, live, sha256(content.body).hexdigest())

    async def _compare(self, document: str, ledger: Ledger, live: Document, digest: str) -> None:
        """A file that holds what it held long before the backup is an old copy, and gets what was written since."""
        if digest in {base.hash for base in ledger.candidates()}:
            return
        known = [kept for kept in reversed(ledger.past) if kept.hash == digest] or await self.archive.bases.find(document, digest)
        if known:
            meta = {
                "hash": digest,
                "form": ledger.form.to_json(),
                "endings": list(live.endings),
                "base": Base(known[0].hash, known[0].place, known[0].merges).to_json(),
                "in_file": True,
                "by": "",
                "at": self.now,
            }
            await self.journal.append(document, Record(Kind.MERGE, meta=meta))

    async def _write(self, document: str, path: str, body: bytes, said: dict[str, object]) -> None:
        """The file is gone, its text is not."""
        try:
            await self._make_folders(path)
            place = await self.journal.append(document, Record(Kind.ANNOUNCE, meta=said))
            await self.files.write(path, body, if_match=None)
        except CollabError as error:
            self.tell(f"{path}: the file is gone, and cannot be written again: {error.detail}")
            return
        await self.journal.append(document, Record(Kind.SAVED, meta={"hash": said["hash"], "place": place, "at": self.now}))
        self.tell(f"{path}: the file was gone, and is written again")

    async def _make_folders(self, path: str) -> None:
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            try:
                await LocalFolders(self.files).make("/".join(parts[:count]))
            except Exists:
                continue
