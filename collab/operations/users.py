"""`collab user`: local accounts for a small group, beside a running server or without one (docs/how-to/sign-in.md)."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from collab.app import places
from collab.archive.store import Archive
from collab.errors import Exists, Malformed
from collab.ports import Account
from collab.runtime.accounts import login_of
from collab.state.passwords import MOST, Passwords, checked
from collab.web.sessions import person_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from collab.settings import Settings

GROUP = 100
"""Characters of a group's name."""


def add(commands: argparse._SubParsersAction[Any], shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """Put the command beside the others; `shared` adds the flags that say which server is meant."""
    user = commands.add_parser(
        "user", help="accounts of people who sign in here", description="Make, list and change accounts, while the server runs or not."
    )
    what = user.add_subparsers(dest="what", required=True, metavar="WHAT")

    new = what.add_parser(
        "add", help="a new account", description="Make an account. Its password is asked for, or read from standard input."
    )
    _described(new)
    every = what.add_parser(
        "list", help="all accounts", description="List accounts: name, groups, since when, and how the person is called."
    )
    change = what.add_parser("change", help="another name or other groups", description="Change how a person is called, or their groups.")
    _described(change)
    change.add_argument("--no-groups", action="store_true", help="in no group any more")
    password = what.add_parser(
        "password", help="another password", description="Set another password. Whoever is signed in with the account signs in again."
    )
    off = what.add_parser(
        "disable", help="may not sign in", description="Let nobody sign in with the account; who is signed in is signed off."
    )
    on = what.add_parser("enable", help="may sign in again", description="Let the person sign in again.")
    gone = what.add_parser("remove", help="remove an account", description="Remove an account for good; who is signed in is signed off.")
    for parser in (new, change, password, off, on, gone):
        parser.add_argument("name", metavar="NAME", help="what the person signs in with")
    for parser in (new, every, change, password, off, on, gone):
        shared(parser)


def _described(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--display", metavar="NAME", help="what others see")
    parser.add_argument("--group", action="append", default=None, metavar="GROUP", help="a group that the person is in; once for each")


def run(settings: Settings, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Do what was asked; errors are CollabError and OSError."""
    directory = places.prepared(settings)
    act = {
        "add": _add,
        "list": _list,
        "change": _change,
        "password": _password,
        "disable": _disable,
        "enable": _enable,
        "remove": _remove,
    }[given.what]
    asyncio.run(_with(places.archive_url(settings, directory), lambda archive: act(archive, given, say)))


async def _with(url: str, act: Callable[[Archive], Awaitable[None]]) -> None:
    archive = Archive(url)
    try:
        await act(archive)
    finally:
        await archive.close()


async def _add(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    login = login_of(given.name)
    name = person_name(given.display or given.name)
    groups = _groups(given.group or [])
    if await archive.accounts.find(login) is not None:
        # Before a password is asked for that nobody needs.
        raise Exists(f"there is an account {login!r} already: `collab user password {login}` sets another password")
    now = time.time()
    kept = await _encoded(_asked())
    await archive.accounts.add(Account(login, f"account:{os.urandom(12).hex()}", name, groups, now, password=kept, changed=now))
    say(f"added: {login}")


async def _list(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    del given
    for account in await archive.accounts.list():
        day = datetime.fromtimestamp(account.made, UTC).date().isoformat()
        state = "disabled" if account.disabled is not None else "enabled"
        say("\t".join((account.login, state, day, ",".join(account.groups) or "-", account.name)))


async def _change(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    if given.display is None and given.group is None and not given.no_groups:
        raise Malformed("say what to change: --display, --group or --no-groups")
    if given.group is not None and given.no_groups:
        raise Malformed("give --group or --no-groups, not both")
    name = None if given.display is None else person_name(given.display)
    groups = () if given.no_groups else None if given.group is None else _groups(given.group)
    account = await archive.accounts.describe(login_of(given.name), name=name, groups=groups)
    await archive.sign_ins.rename(account.person, account.name)
    await archive.sign_ins.regroup(account.person, account.groups)
    say(f"changed: {account.login}")


async def _password(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    account = await archive.accounts.describe(login_of(given.name))
    await archive.accounts.set_password(account.login, await _encoded(_asked()), time.time())
    ended = await archive.sign_ins.end_all(account.person, time.time())
    say(f"changed: {account.login}{_signed_off(ended)}")


async def _disable(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    account = await archive.accounts.disable(login_of(given.name), time.time())
    ended = await archive.sign_ins.end_all(account.person, time.time())
    say(f"disabled: {account.login}{_signed_off(ended)}")


async def _enable(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    account = await archive.accounts.disable(login_of(given.name), None)
    say(f"enabled: {account.login}")


async def _remove(archive: Archive, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    account = await archive.accounts.remove(login_of(given.name))
    ended = await archive.sign_ins.end_all(account.person, time.time())
    say(f"removed: {account.login}{_signed_off(ended)}")


def _signed_off(sessions: int) -> str:
    return f", and {sessions} session{'s' * (sessions != 1)} ended" if sessions else ""


def _groups(given: list[str]) -> tuple[str, ...]:
    for group in given:
        if not group.strip() or len(group) > GROUP or not group.isprintable():
            raise Malformed(f"a group's name has 1 to {GROUP} characters that can be printed")
    return tuple(sorted({group.strip() for group in given}))


def _asked() -> str:
    """From the keyboard, twice and unseen; or the first line of standard input."""
    if not sys.stdin.isatty():
        return checked(sys.stdin.readline(4 * MOST + 2).rstrip("\r\n"))
    password = checked(getpass.getpass("Password: "))
    if getpass.getpass("The same again: ") != password:
        raise Malformed("these are two passwords: nothing was changed")
    return password


async def _encoded(password: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.encoded(password)
    finally:
        passwords.close()
