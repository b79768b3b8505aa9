"""The command `collab`: serve, and what an operator does beside a running server (docs/reference/cli.md)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import re
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import collab
from collab.access import Grant, Role, sign
from collab.app import places
from collab.errors import CollabError, NotFound
from collab.operations import commands as operations
from collab.operations import users
from collab.remote import commands as remote
from collab.settings import Misconfigured, Settings, load, seconds, unknown
from collab.state.database import Database
from collab.state.secrets import Logins
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.names import Names
from collab.web.sessions import invite, named
from collab.wopi.addresses import Addresses
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collab.state.directory import Directory

log = logging.getLogger("collab.cli")

WRONG = 2
"""Exit status when the command cannot do what it was asked."""
SHARED = ("config", "root", "state")
"""Settings that every command takes."""
SECRETS = ("secret", "iop_secret", "cs3_machine_secret", "oidc_client_secret")
"""Settings that are no flags: everybody on the machine sees those."""
CHATTY = ("alembic", "grpc", "watchfiles")
"""Libraries that tell at the level of information what only their developers want to know."""
SECRETIVE = ("httpcore", "httpx")
"""Libraries that tell headers and addresses, and with them tokens of others."""
_ID = re.compile("id:[a-z]{26}")
_NAME_LENGTH = 200


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(WRONG)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status. Errors are one line on stderr."""
    given = _parser().parse_args(arguments)
    try:
        if given.command in remote.COMMANDS:
            remote.run(given)
            return 0
        settings = load({name: value for name, value in vars(given).items() if name in Settings.model_fields})
        _set_logging(settings)
        if given.command == "doctor":
            # It speaks to all that a server may have around it; a server starts sooner without what it has not.
            from collab.operations import doctor  # noqa: PLC0415

            return doctor.run(settings, given.user or "", operations.say)
        if given.command == "user":
            users.run(settings, given, operations.say)
            return 0
        commands = {"serve": _serve, "token": _token, "login": _login}
        commands.get(given.command, operations.run)(settings, given)
    except (Misconfigured, OSError, CollabError) as error:
        sys.stderr.write(f"collab {given.command}: {_one_line(error)}\n")
        return WRONG
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, CollabError):
        return " ".join(error.detail.split())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="collab", description="A co-editing server for the files of a folder.")
    parser.add_argument("--version", action="version", version=f"collab {collab.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve a folder", description="Serve a folder. Prints one address to sign in at.")
    _add_settings(serve, [name for name in Settings.model_fields if name not in SECRETS])
    serve.add_argument("--adopt", action="store_true", help="take the state over for a root that was moved or restored")

    token = commands.add_parser("token", help="make a token for a script", description="Print a token, alone on one line.")
    _add_settings(token, (*SHARED, "public_url", "wopi_url"))
    which = token.add_mutually_exclusive_group(required=True)
    which.add_argument("--document", metavar="PATH", help="for this document: its path under the root, or its id")
    which.add_argument("--all", action="store_true", help="for all documents")
    token.add_argument("--role", required=True, choices=[role.word for role in Role], help="what the token allows")
    token.add_argument("--name", required=True, type=_name, help="what others see; the same name is the same person")
    token.add_argument("--expires", default="1h", type=_lifetime, metavar="TIME", help="90, 90s, 15m, 1h or 7d (default: 1h)")
    token.add_argument("--wopi", action="store_true", help="for an office suite: print a line of JSON with what it is opened with")
    token.add_argument("--no-put-relative", action="store_true", help="with --wopi: no new files beside the document")

    login = commands.add_parser("login", help="make an address to sign in at", description="Print a new address to sign in at, once.")
    _add_settings(login, (*SHARED, "public_url"))
    login.add_argument("--name", type=_name, help="for another person, of this name; else it is for the operator")
    login.add_argument("--role", choices=[role.word for role in Role], default=None, help="of the other person (default: editor)")
    looked = commands.add_parser(
        "doctor",
        help="look whether all that the server needs is there",
        description="Try what the server needs, step by step, and say what to mend.",
    )
    _add_settings(looked, [name for name in Settings.model_fields if name not in SECRETS])
    looked.add_argument("--as", dest="user", metavar="USER", help="with files in a cloud: the user in whose name it is tried")
    remote.add(commands)
    users.add(commands, lambda each: _add_settings(each, (*SHARED, "archive")))
    operations.add(commands, lambda each: _add_settings(each, (*SHARED, "archive")))
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """A flag for each setting; without it a variable, the file or the default counts."""
    for name in names:
        described = Settings.model_fields[name].description or ""
        parser.add_argument("--" + name.replace("_", "-"), dest=name, metavar="VALUE", help=described.replace("%", "%%"))


def _name(text: str) -> str:
    if not text.strip() or len(text) > _NAME_LENGTH or not text.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {_NAME_LENGTH} characters that can be printed")
    return text.strip()


def _lifetime(text: str) -> float:
    try:
        duration = seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if duration <= 0:
        raise argparse.ArgumentTypeError("a token must live for some time")
    return duration


def _serve(settings: Settings, given: argparse.Namespace) -> None:
    _set_audit(settings)
    for variable in unknown():
        log.warning("%s is set, but there is no such setting", variable)

    def tell(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    # What serves is a second of imports, which no other command needs.
    from collab.app.serving import serve  # noqa: PLC0415

    serve(settings, adopt=given.adopt, tell=tell)


def _token(settings: Settings, given: argparse.Namespace) -> None:
    if given.no_put_relative and not given.wopi:
        raise Misconfigured("--no-put-relative is for office suites: give --wopi too")
    directory = places.prepared(settings)
    now = time.time()
    document = None if given.all else _document(directory, given.document)
    if given.wopi:
        sys.stdout.write(_wopi(settings, directory, given, document, now) + "\n")
        return
    grant = Grant(named(given.name), Role.of(given.role), document=document, expires=now + given.expires)
    sys.stdout.write(sign(grant, places.secret_of(settings, directory), now=now) + "\n")


def _wopi(settings: Settings, directory: Directory, given: argparse.Namespace, document: str | None, now: float) -> str:
    """What an office suite is opened with, as a line of JSON; `access_token_ttl` is when it ends, in milliseconds since the epoch."""
    if document is None:
        raise Misconfigured("--wopi is for one document: give --document")
    if not _ID.fullmatch(document):
        raise Misconfigured(f"there is no file {document}: an office suite opens one that is there")
    granted = Pass(named(given.name), Role.of(given.role), document, math.ceil(now + given.expires), relative=not given.no_put_relative)
    base = settings.wopi_url or settings.public_url or places.running_address(directory) or places.base_address(settings, settings.port)
    return json.dumps(
        {
            "wopisrc": Addresses(base, base).file(document),
            "access_token": seal(granted, places.secret_of(settings, directory), now=now),
            "access_token_ttl": int(granted.expires * 1000),
        },
    )


def _document(directory: Directory, name: str) -> str:
    """The document's id when there is one of this name, else the name: the token is for what will be there."""
    if _ID.fullmatch(name):
        return name
    with contextlib.closing(Database(directory.database, STATE)) as database:
        return asyncio.run(_identify(LocalFiles(directory.root, Names(database)), name))


async def _identify(files: LocalFiles, name: str) -> str:
    try:
        return (await files.stat(name)).id or name
    except NotFound:
        return name
    finally:
        await files.close()


def _login(settings: Settings, given: argparse.Namespace) -> None:
    if given.role is not None and given.name is None:
        raise Misconfigured("--role is for another person: give --name too")
    directory = places.prepared(settings)
    running = places.running_address(directory)
    if running is None:
        log.warning("no server seems to run on this state; the address works when one does")
    base = settings.public_url or running or places.base_address(settings, settings.port)
    sys.stdout.write(f"{base}/login#{_word(settings, directory, given)}\n")


def _word(settings: Settings, directory: Directory, given: argparse.Namespace) -> str:
    now = time.time()
    if given.name is not None:
        role = Role.of(given.role or Role.EDITOR.word)
        return invite(given.name, role, places.secret_of(settings, directory), now=now, random=os.urandom)
    with contextlib.closing(Database(directory.database, STATE)) as database:
        return Logins(database).issue(now)


def _set_logging(settings: Settings) -> None:
    """Words to stderr, so that stdout has only what was asked for."""
    level = settings.log_level.upper()
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING if settings.log_level != "debug" else logging.DEBUG)
    for secretive in SECRETIVE:
        logging.getLogger(secretive).setLevel(logging.WARNING)


def _set_audit(settings: Settings) -> None:
    """Audit events go where the settings say, each a line."""
    audit = logging.getLogger("collab.audit")
    audit.propagate = False
    audit.setLevel(logging.INFO if settings.audit else logging.CRITICAL)
    if settings.audit:
        handler = logging.StreamHandler(sys.stderr) if settings.audit == "-" else logging.FileHandler(settings.audit, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(message)s"))
        audit.handlers = [handler]
