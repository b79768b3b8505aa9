"""`collab share`: roles on documents and folders, given, listed and taken back beside a running server or without one (docs/how-to/share.md)."""

from __future__ import annotations

import asyncio
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from os import urandom
from typing import TYPE_CHECKING, Any

from collab.access import Role, Share, subject, targets
from collab.app import places
from collab.archive.store import Archive
from collab.errors import Conflict, Malformed, NotFound
from collab.ports import Link
from collab.runtime.desk import LONGEST, PASSWORD
from collab.runtime.sharing import digest_of, target_of
from collab.settings import seconds
from collab.state.database import Database
from collab.state.passwords import Passwords
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_folders import LocalFolders
from collab.storage.names import Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from collab.ports import Stat
    from collab.settings import Settings


def add(commands: argparse._SubParsersAction[Any], shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """Put the command beside the others; `shared` adds the flags that say which server is meant."""
    parser = commands.add_parser(
        "share", help="who may do what with documents and folders", description="Share documents and folders, while the server runs or not."
    )
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    give = what.add_parser(
        "add",
        help="give a role",
        description="Give a person, a group, or whoever has a link a role. Prints its id, and of a link the address.",
    )
    whom = give.add_mutually_exclusive_group(required=True)
    whom.add_argument("--person", metavar="ID", help="for a person: the id, such as account:… (`collab user list`)")
    whom.add_argument("--group", metavar="NAME", help="for all who are in a group")
    whom.add_argument("--link", action="store_true", help="for whoever has a link, which is printed once")
    give.add_argument("--role", required=True, choices=[role.word for role in Role], help="what it allows; a link allows viewer or editor")
    give.add_argument("--expires", metavar="TIME", help="for so long: 90, 90s, 15m, 1h or 7d; without it for ever")
    give.add_argument("--uses", type=int, metavar="N", help="of a link: so many people may open it")
    give.add_argument("--password", action="store_true", help="of a link: ask for a password, which is read from standard input")

    every = what.add_parser(
        "list", help="what is shared", description="List what was given on a document or folder, also with the folders around it."
    )
    gone = what.add_parser(
        "remove", help="take back", description="Take back what was given: it counts no more, on open connections within a second."
    )
    for each in (give, every, gone):
        each.add_argument("target", metavar="TARGET", help="a document or folder: its path under the root, or an id; / is everything")
    gone.add_argument("share", metavar="SHARE", help="the id that `collab share list` prints")
    for each in (give, every, gone):
        shared(each)
        each.add_argument("--public-url", dest="public_url", metavar="VALUE", help="the address that people use, for links")


def run(settings: Settings, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Do what was asked; errors are CollabError and OSError."""
    if settings.storage == "cs3":
        raise Conflict("these files are in a cloud: there the cloud shares, in its own pages and in ours (docs/how-to/cs3.md)")
    directory = places.present(settings)
    running = places.running_address(directory)
    base = settings.public_url or running or places.base_address(settings, settings.port)

    async def act() -> None:
        with closing(Database(directory.database, STATE)) as database:
            files, archive = LocalFiles(directory.root, Names(database)), Archive(places.archive_url(settings, directory))
            try:
                counter = _Counter(files, archive, base, say)
                await {"add": counter.give, "list": counter.list, "remove": counter.take}[given.what](given)
            finally:
                await archive.close()
                await files.close()

    asyncio.run(act())


@dataclass(frozen=True, slots=True)
class _Counter:
    files: LocalFiles
    archive: Archive
    base: str
    say: Callable[[str], None]

    async def give(self, given: argparse.Namespace) -> None:
        stat, role, now = await self._stat(given), Role.of(given.role), time.time()
        expires = None if given.expires is None else now + _duration(given.expires)
        (folder,) = await LocalFolders(self.files).identify([stat.path]) if stat.folder else [""]
        if given.link:
            await self._link(given, Link("", target_of(stat), role.word, "", now, expires, uses=given.uses, folder=folder))
            return
        if given.uses is not None or given.password:
            raise Malformed("--uses and --password are of links")
        whom = subject("group", given.group) if given.group else subject("person", given.person)
        share = Share(urandom(12).hex(), target_of(stat), whom, role, now, "", expires, folder)
        self.say((await self.archive.shares.add(share)).id)

    async def _link(self, given: argparse.Namespace, link: Link) -> None:
        if link.role == Role.OWNER.word:
            raise Malformed("whoever has a link may read or edit: --role viewer or editor")
        if given.uses is not None and given.uses < 1:
            raise Malformed("--uses is a number from 1 on")
        secret = urlsafe_b64encode(urandom(24)).decode()
        password = await _password() if given.password else ""
        made = Link(digest_of(secret), link.target, link.role, "", link.made, link.expires, password, link.uses, folder=link.folder)
        await self.archive.links.add(made)
        self.say(made.digest)
        self.say(f"{self.base}/s/{secret}")

    async def list(self, given: argparse.Namespace) -> None:
        stat, now = await self._stat(given), time.time()
        for share in await self.archive.shares.on(targets(stat.path, stat.id, folder=stat.folder)):
            if share.live(now):
                self.say("\t".join(_told(share, target_of(stat))))

    async def take(self, given: argparse.Namespace) -> None:
        stat = await self._stat(given)
        await self.archive.shares.remove(target_of(stat), given.share, time.time())
        self.say(f"taken back: {given.share}")

    async def _stat(self, given: argparse.Namespace) -> Stat:
        try:
            return await self.files.stat(given.target.strip("/"))
        except NotFound as error:
            raise NotFound(f"there is no document or folder {given.target}: give its path under the root, or its id") from error


def _told(share: Share, target: str) -> tuple[str, ...]:
    """Id, role, whom, until when, and with which folder, if it is another's."""
    whom = "link" if share.subject == subject("link", share.id) else share.subject
    until = "" if share.expires is None else datetime.fromtimestamp(share.expires, UTC).isoformat(timespec="seconds")
    return share.id, share.role.word, whom, until, "" if share.target == target else f"/{share.target}"


def _duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise Malformed(f"--expires: {error}") from error


async def _password() -> str:
    """The hash of a line of standard input."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not PASSWORD <= len(password) <= LONGEST:
        raise Malformed(f"a link's password has at least {PASSWORD} characters, and at most {LONGEST}")
    passwords = Passwords()
    try:
        return await passwords.encoded(password)
    finally:
        passwords.close()
