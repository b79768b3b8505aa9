"""The commands `collab backup`, `restore`, `export`, `erase` and `share` (docs/reference/cli.md)."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collab.app import places
from collab.errors import Conflict, NotFound
from collab.operations import share
from collab.operations.backup import back_up
from collab.operations.erasing import erase
from collab.operations.exporting import export
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

    out = commands.add_parser(
        "export",
        help="write documents and their histories as open formats",
        description="Write documents, versions, writers and CRDT states into a folder, while the server runs or not.",
    )
    shared(out)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("documents", nargs="*", default=[], metavar="DOCUMENT", help="a path under the root, or an id")
    which.add_argument("--all", action="store_true", help="everything in the root")
    out.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="a folder that is new or empty")

    gone = commands.add_parser(
        "erase", help="erase a person", description="Erase a person's name wherever the server keeps it, for ever, while it runs or not."
    )
    shared(gone)
    gone.add_argument("person", metavar="PERSON", help="the name that others see, or the id")

    share.add(commands, shared)


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Do what was asked; errors are CollabError and OSError."""
    if given.command == "share":
        share.run(settings, given, say)
        return
    if settings.storage == "cs3" and given.command == "export":
        raise Conflict(f"`collab {given.command}` is for files in a folder, and these are in a cloud (docs/how-to/cs3.md)")
    if given.command != "erase" and (settings.journal or (given.command != "restore" and _moved(settings))):
        raise Conflict(
            f"`collab {given.command}` needs a journal in the state, and this one is in Redis: "
            "back up the folder, the state and the archive's database by their own means (docs/how-to/several-nodes.md)"
        )
    {"backup": _backup, "restore": _restore, "export": _export, "erase": _erase}[given.command](settings, given)


def _moved(settings: Settings) -> bool:
    """Whether there is a state whose journal is elsewhere."""
    try:
        return not places.present(settings).journal.is_file()
    except NotFound:
        return False


def _backup(settings: Settings, given: argparse.Namespace) -> None:
    directory = places.present(settings)
    made = back_up(directory, given.to, archive_elsewhere=bool(settings.archive), secret=given.with_secret, now=time.time())
    say(f"{_counted(made.documents)}, {made.size} bytes: {given.to}")
    if made.archive_elsewhere:
        say("the archive (versions, bases) is not in it: back its database up now with pg_dump")


def _restore(settings: Settings, given: argparse.Namespace) -> None:
    root = places.root_of(settings)
    if settings.storage == "cs3":
        # The files are where they are: each is compared with its log when it is opened.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = restore(given.file, root, places.state_of(settings), settings.archive or None, tell=say, now=time.time())
    say(f"restored with new lineages: {_counted(count)}; start the server now")


def _export(settings: Settings, given: argparse.Namespace) -> None:
    directory = places.present(settings)
    names = [] if given.all else given.documents
    count = asyncio.run(export(directory, places.archive_url(settings, directory), names, given.to, tell=say, now=time.time()))
    say(f"{_counted(count)}: {given.to}")


def _erase(settings: Settings, given: argparse.Namespace) -> None:
    directory = places.present(settings)
    person = asyncio.run(erase(directory, places.archive_url(settings, directory), given.person))
    say(f"erased: {person}")


def _counted(documents: int) -> str:
    return f"{documents} document{'s' * (documents != 1)}"


def say(line: str) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
