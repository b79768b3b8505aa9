"""A change of one line by another program, merged into a live document of a megabyte, against loading that document: `python tests/bench/merging.py`.

Loading: the file, the log, the shared document made anew, compared with the file, until somebody's first letter is taken. Merging: the whole new body against what its writer had read,
until it is in the journal and on its way to everybody. Processor seconds of the process, medians; the archive and the files are in memory, the
journal is SQLite. Exit status 1: merging costs a tenth of loading or more.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from typing import TYPE_CHECKING

from collab.access import Person
from collab.archive.memory import MemoryArchive
from collab.codec import var_bytes
from collab.document import Document
from collab.journal.sqlite import SqliteJournal
from collab.ledger import pack
from collab.merge import Edit
from collab.ports import Kind, Record
from collab.runtime.metrics import Metrics
from collab.runtime.rooms import Rooms, Surroundings
from collab.storage.memory import MemoryFiles

if TYPE_CHECKING:
    from collab.runtime.host import Host

SIZE = 1_000_000
EDITS = 20_000
"""Edits in the history of the document, in random places."""
ROUNDS = 9
GOAL = 0.1
BOB = Person("bob", "Bob")
WORDS = ["coral", "reef", "water", "depth", "sample", "probe", "station", "summer", "light", "salt", "wind", "value", "series", "north"]


def text(dice: random.Random) -> str:
    """Lines of words, about a megabyte."""
    lines = []
    size = 0
    while size < SIZE:
        lines.append(" ".join(dice.choice(WORDS) for _ in range(12)))
        size += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


async def rooms_of(files: MemoryFiles, journal: SqliteJournal, archive: MemoryArchive) -> Rooms:
    """A server without its web."""
    rooms = Rooms(
        Surroundings(
            files=files,
            journal=journal,
            bases=archive.bases,
            versions=archive.versions,
            authors=archive.authors,
            metrics=Metrics(),
            authorise=lambda _: (_ for _ in ()).throw(AssertionError),
            frame=var_bytes,
            clock=time.monotonic,
            now=time.time,
            random=random.Random(1).randbytes,
            audit=lambda *_: None,
        )
    )
    await rooms.start()
    return rooms


def typed(host: Host, client: int) -> bytes:
    """The update of a person who types one letter at the end."""
    live = host.room.document
    return Document.replay([live.encode()], 1000 + client).edit([Edit(live.length(), live.length(), "x")])


async def measured(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of each loading, and of each merge."""
    dice = random.Random(2)
    files, archive = MemoryFiles(), MemoryArchive()
    journal = SqliteJournal(folder / "journal.sqlite")
    files.poke("large.md", text(dice).encode())
    rooms = await rooms_of(files, journal, archive)
    document = (await files.stat("large.md")).id
    host = await rooms.open(document)
    updates = []
    for _ in range(EDITS):
        at = dice.randrange(host.room.document.length())
        updates.append(host.room.document.edit([Edit(at, at, dice.choice(WORDS))]))
    await host.append(Record(Kind.UPDATE, pack(updates)))
    body = host.body()
    await rooms.put(document, body + b"end\n", None, BOB)
    await rooms.stop()
    loads, merges = [], []
    for number in range(ROUNDS):
        rooms = await rooms_of(files, journal, archive)
        letter = typed(await rooms.open(document), number)
        await rooms.stop()
        rooms = await rooms_of(files, journal, archive)
        begun = time.process_time()
        host = await rooms.open(document)
        host.room.document.apply(letter, host.room.document.judge(letter, fast=True))
        loads.append(time.process_time() - begun)
        await host.append(Record(Kind.UPDATE, pack([letter])))
        await rooms.put(document, host.body(), None, BOB)
        await rooms.flush([document])
        for each in range(ROUNDS):
            before = host.body()
            lines = before.decode().split("\n")
            lines[dice.randrange(len(lines))] += f" changed {number} {each}"
            body = "\n".join(lines).encode()
            digest = sha256(before).hexdigest()
            begun = time.process_time()
            await rooms.put(document, body, digest, BOB)
            merges.append(time.process_time() - begun)
            assert host.body() == body
            await rooms.flush([document])
        await rooms.stop()
    await journal.close()
    return loads, merges


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        loads, merges = asyncio.run(measured(Path(folder)))
    load, merge = statistics.median(loads), statistics.median(merges)
    print(f"loading {load * 1000:.1f} ms, merging {merge * 1000:.2f} ms, {merge / load:.0%} of it")
    return int(merge >= GOAL * load)


if __name__ == "__main__":
    sys.exit(main())
