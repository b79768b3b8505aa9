"""The commands `collab pull`, `push` and `watch` (docs/reference/cli.md)."""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collab.errors import Conflict, Malformed, NotFound, Unauthorized
from collab.remote.address import parse
from collab.remote.local import LocalFile
from collab.remote.memory import Memory, place
from collab.remote.server import Remote
from collab.remote.sync import Sync
from collab.remote.watching import PASSING, Watching

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collab.remote.address import Address

COMMANDS: Final = frozenset({"pull", "push", "watch"})
TOKEN: Final = "COLLAB_TOKEN"  # noqa: S105 - a variable's name
SERVER: Final = "COLLAB_URL"
_PULL = "Write a document into a local file. A file with changes that were not pushed stays as it is."
_PUSH = "Merge what was changed in a local file since it was pulled into its document, whatever others wrote meanwhile."
_WATCH = "Keep a local file and a document in step, both ways, until Ctrl-C: use your own editor."


def add(commands: argparse._SubParsersAction[Any]) -> None:
    """Put the commands beside the others."""
    for name, short, long in (
        ("pull", "write a document into a local file", _PULL),
        ("push", "merge a local file into its document", _PUSH),
        ("watch", "keep both in step", _WATCH),
    ):
        parser = commands.add_parser(name, help=short, description=long)
        parser.add_argument(
            "where",
            nargs="?",
            metavar="URL",
            help="the address of the document's page; or its name, with the server's address in COLLAB_URL",
        )
        parser.add_argument("file", type=Path, metavar="FILE", help="the local file")
        parser.add_argument("--token-file", type=Path, metavar="PATH", help="the file with the token; else it is in COLLAB_TOKEN")
        parser.add_argument("--plain-http", action="store_true", help="send the token without encryption to another machine")


def run(given: argparse.Namespace) -> None:
    """Do what was asked; errors are CollabError and OSError."""
    local = LocalFile(given.file)
    with closing(Memory.open(place(local.path, os.environ))) as memory:
        address = _address(given, memory)
        sync = Sync(local, Remote(address, token_of(given.token_file)), memory, say, time.time)
        {"pull": _pull, "push": _push, "watch": _watch}[given.command](sync, given)


def _address(given: argparse.Namespace, memory: Memory) -> Address:
    known = memory.address
    if given.where is not None:
        address = parse(given.where, os.environ.get(SERVER, ""))
    elif known is not None:
        address = known
    else:
        raise Malformed(f"it is not known which document {given.file} is a copy of: give its address, too")
    if not address.secure and not given.plain_http:
        raise Malformed(f"{address.base} is not encrypted: everybody on the way could read the token. Use https://, or say --plain-http")
    return address


def token_of(path: Path | None) -> Callable[[], str]:
    """The token, read anew each time: a file may get another one."""

    def token() -> str:
        try:
            found = (path.read_text("utf-8") if path is not None else os.environ.get(TOKEN, "")).strip()
        except (OSError, UnicodeDecodeError) as error:
            # Also while somebody puts another one there.
            raise Unauthorized(f"there is no token to be read in {path}: {getattr(error, 'strerror', None) or 'it is no text'}") from error
        if not found or not found.isascii() or not found.isprintable() or " " in found:
            raise Unauthorized(f"there is no token in {path or TOKEN}: make one with `collab token` on the server's machine")
        return found

    return token


def _met(sync: Sync) -> bool:
    """Find the document; False when there was none, and now is, with what the local file holds."""
    try:
        found = sync.remote.find()
    except NotFound:
        if sync.memory.document or sync.local.read() is None or not sync.create():
            raise
        found = sync.remote.find()
        sync.begin(found)
        sync.remote.address = replace(sync.remote.address, name=found.id)
        return False
    sync.begin(found)
    # From now on by id: a rename does not matter.
    sync.remote.address = replace(sync.remote.address, name=found.id)
    sync.meet()
    return True


def _pull(sync: Sync, _: argparse.Namespace) -> None:
    sync.begin(sync.remote.find())
    sync.meet()
    if not _pulled(sync):
        raise Conflict(f"{sync.local.path} has changes that were not pushed: `collab push` merges them, and brings what others wrote")


def _pulled(sync: Sync) -> bool:
    """False when there are changes that were not pushed. Conflict when nobody knows what the local file was made from."""
    body = sync.remote.read()
    if body is None or sync.pull(body):
        return True
    if not sync.memory.held:
        raise Conflict(f"{sync.local.path} is there, and it is not known what it has of the document: move it away, or choose another name")
    return False


def _push(sync: Sync, _: argparse.Namespace) -> None:
    if not _met(sync):
        return
    if not sync.memory.held:
        _pulled(sync)
    if sync.push() is None:
        raise NotFound(f"there is no file {sync.local.path}")


def _watch(sync: Sync, given: argparse.Namespace) -> None:
    try:
        if _met(sync):
            _pulled(sync)
    except PASSING as error:
        if not sync.memory.held:
            raise
        sync.tell(f"not in step yet: {error.detail}")
        sync.meet()
    sync.tell(f"{sync.local.path} and {sync.memory.path} are kept in step; Ctrl-C ends it")
    Watching(sync, renewable=given.token_file is not None).run()


def say(line: str) -> None:
    """A line on standard output, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()
