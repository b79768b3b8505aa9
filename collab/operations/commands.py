"""The commands `collab backup`, `restore` and `export` (docs/reference/cli.md)."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collab import app
from collab.operations.backup import back_up
from collab.operations.restoring import restore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collab.settings import Settings


def add(commands: argparse._SubParsersAction[Any], shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """Put the commands beside the others; `shared` adds the flags that say which folder is meant."""
    backup = commands.add_parser(
        "backup", help="copy the state into a file", description="Copy the state into one file, while the server runs or not."
    )
    shared(backup)
    backup.add_argument("--to", required=True, type=Path, metavar="FILE", help="the file to make; it must not be there")
    backup.add_argument("--with-secret", action="store_true", help="the signing key too: tokens and sessions stay valid after a restore")

    back = commands.add_parser(
        "restore", help="make a state from such a file", description="Make a state from a backup; no server may run."
    )
    shared(back)
    back.add_argument("file", type=Path, metavar="FILE", help="what `collab backup` made")


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Do what was asked; errors are CollabError and OSError."""
    {"backup": _backup, "restore": _restore}[given.command](settings, given)


def _backup(settings: Settings, given: argparse.Namespace) -> None:
    directory = app.present(settings)
    made = back_up(directory, given.to, archive_elsewhere=bool(settings.archive), secret=given.with_secret, now=time.time())
    say(f"{made.documents} documents, {made.size} bytes: {given.to}")
    if made.archive_elsewhere:
        say("the archive (versions, bases) is not in it: back its database up now with pg_dump")


def _restore(settings: Settings, given: argparse.Namespace) -> None:
    count = restore(given.file, settings.root, app.state_of(settings), settings.archive or None, tell=say, now=time.time())
    say(f"{count} documents are restored, each with a new lineage; start the server now")


def say(line: str) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
