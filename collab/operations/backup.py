"""`collab backup`: the state at one moment, while the server runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import collab
from collab.errors import Exists
from collab.operations import bundle
from collab.state.database import Database, copy_together
from collab.state.tables import STATE

if TYPE_CHECKING:
    from collab.state.directory import Directory


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: its bytes, how many documents are in it, and whether the archive is not (it is in a database of its own)."""

    size: int
    documents: int
    archive_elsewhere: bool


def back_up(directory: Directory, to: Path, *, archive_elsewhere: bool, secret: bool, now: float) -> Made:
    """Make the file `to`. `archive_elsewhere`: it is not in the state directory. `secret`: the key that signs is in it, too. Exists, Unavailable.

    The databases are copied as they are at one moment, at which nobody writes to the journal: what the others say, the journal holds.
    """
    to = Path(os.path.abspath(to))  # noqa: PTH100 - a link is not followed
    if os.path.lexists(to):
        raise Exists(f"there is something of this name: {to}; a backup never replaces one")
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".collab-backup-") as name:
        folder = Path(name)
        sources = [directory.journal, directory.database]
        if not archive_elsewhere and directory.archive.exists():
            sources.append(directory.archive)
        members = [folder / source.name for source in sources]
        copy_together(sources, members)
        documents = _tidied(folder / directory.database.name)
        for more in (directory.spent, *([directory.secret] if secret else [])):
            if more.exists():
                shutil.copyfile(more, folder / more.name)
                members.append(folder / more.name)
        note = {
            "made": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "version": collab.__version__,
            "root": os.fsdecode(directory.root),
            "archive": "elsewhere" if archive_elsewhere else "here",
        }
        bundle.write(to, members, note, now)
    return Made(to.stat().st_size, documents, archive_elsewhere)


def _tidied(path: Path) -> int:
    """Nobody signs in by a backup: its one-time secrets go. How many documents there are."""
    with closing(Database(path, STATE)) as database:
        database.run_sync(lambda connection: connection.execute("DELETE FROM logins"))
        (count,) = database.look_sync(
            lambda connection: connection.execute("SELECT count(*) FROM documents WHERE deleted_at IS NULL").fetchone()
        )
    return int(count)
