"""The steps of `collab doctor`: each tries one thing that the server needs, as the server would, and takes it back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import os
import socket
import ssl
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from collab.app import places
from collab.archive.store import Archive
from collab.errors import Conflict, NotFound, Unavailable
from collab.oidc.provider import Client, Provider
from collab.redis.server import Server as Redis
from collab.settings import unknown
from collab.state.directory import existing
from collab.storage import kernel
from collab.storage.habits import hidden
from collab.wopi.suites import Suites

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collab.settings import Settings

ROOM: Final = 256 * 2**20
"""Bytes that should be free where journal and archive grow."""
DAYS: Final = 14
"""A certificate that ends sooner should be renewed by now."""
REDIS: Final = 7
"""The oldest version that has what we ask for (docs/how-to/several-nodes.md)."""
PATIENCE: Final = 10.0
"""Seconds for an answer."""
WATCHES: Final = Path("/proc/sys/fs/inotify/max_user_watches")
_PROBE: Final = b".collab-doctor"
_OWN_PORT: Final = {"http": 80, "https": 443}


class Weak(Exception):
    """It works, and something will hurt; the text says what, `mend` what to do about it."""

    def __init__(self, detail: str, mend: str = "") -> None:
        super().__init__(detail)
        self.mend = mend


class Untried(Exception):
    """There is nothing to be tried; the text says why."""


async def settings(settings: Settings) -> str:
    """Whether the environment says something that no setting hears."""
    strangers = unknown()
    if strangers:
        raise Weak(f"{', '.join(strangers)}: there is no such setting")
    return "can be read" if settings.config is None else f"can be read from {settings.config} and the environment"


async def client(settings: Settings) -> str:
    """Whether the pages were built."""
    folder = settings.client or places.CLIENT
    if not (folder / "index.html").is_file():
        raise NotFound(f"{folder} has no built web client")
    return "is built"


async def folder(settings: Settings) -> str:
    """Whether files can be replaced as the server does it: written aside, synced, and exchanged."""
    return await asyncio.to_thread(_exchanged, settings.root)


def _exchanged(root: Path) -> str:
    names = [_PROBE + f"-{os.getpid()}-{number}".encode() for number in (1, 2)]
    with _opened(root) as descriptor:
        try:
            for name in names:
                file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=descriptor)
                try:
                    os.write(file, name)
                    os.fsync(file)
                finally:
                    os.close(file)
            os.fsync(descriptor)
            try:
                kernel.exchange(descriptor, *names)
            except OSError as error:
                raise Weak(
                    f"files can be written in {root}, but names cannot be exchanged ({error.strerror}): hard links are used instead",
                    "prefer a local file system (ext4, xfs, btrfs), so that not even a crash leaves a second name beside a file",
                ) from error
        finally:
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=descriptor)
    return f"{root} can be read, written, synced, and names in it exchanged"


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def watch(settings: Settings) -> str:
    """Whether the kernel tells of as many folders as there are."""
    count = await asyncio.to_thread(_folders, settings.root)
    try:
        most = int(WATCHES.read_text("ascii"))
    except (OSError, ValueError):
        raise Untried("this system does not say how many folders may be watched") from None
    if count > most * 3 // 4:
        raise Weak(
            f"{count} folders are to be watched, and {most} may be; those beyond are looked at every few seconds only while somebody has a file open"
        )
    return f"{count} folders are to be watched, {most} may be"


def _folders(root: Path) -> int:
    count = 0
    for _, folders, _ in os.walk(root):
        # Those are not watched, as they are not served.
        folders[:] = [name for name in folders if not hidden(os.fsencode(name))]
        count += 1
    return count


async def state(settings: Settings) -> str:
    """Whether the state belongs to the folder, is nobody else's to read, and can grow."""
    return await asyncio.to_thread(_state, settings)


def _state(settings: Settings) -> str:
    path = places.state_of(settings)
    with contextlib.suppress(NotFound):
        path = existing(settings.root, path).path
    there = next(each for each in (path, *path.parents) if each.exists())
    if not os.access(there, os.W_OK):
        raise PermissionError(13, f"{there} cannot be written")
    free = os.statvfs(there)
    room = free.f_bavail * free.f_frsize
    if there == path and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Weak(f"{path} can be read by others on this machine", f"chmod 700 {path}")
    if room < ROOM:
        raise Weak(f"{there} has {room // 2**20} MiB left", "make room: what cannot be written there is not acknowledged")
    return f"{path} {'belongs to the folder' if there == path else 'will be made at the first start'}; {room // 2**20} MiB are free"


async def archive(settings: Settings) -> str:
    """Whether the database answers, and is not too new. At its first use it is brought to our version, as at a start."""
    if not settings.archive:
        try:
            directory = places.present(settings)
        except NotFound:
            raise Untried("it is a file in the state, which is not there yet") from None
        if not directory.archive.exists():
            raise Untried("it is a file in the state, and nothing was kept yet")
    else:
        directory = None
    kept = Archive(settings.archive if directory is None else places.archive_url(settings, directory))
    try:
        await kept.locks.get("id:" + "a" * 26, "doctor")
    finally:
        await kept.close()
    return "the database answers" if settings.archive else "the file in the state can be read"


async def redis(settings: Settings) -> str:
    """Whether Redis answers, is new enough, and keeps what it takes."""
    if not settings.journal:
        raise Untried("the journal is a file in the state")
    server = Redis(settings.journal, answer=PATIENCE)
    try:
        version = await _version(server)
        if version and int(version.partition(".")[0]) < REDIS:
            raise Conflict(f"it has version {version}, and {REDIS} is needed")
        weakness = await server.weakness()
    finally:
        await server.close()
    if weakness is not None:
        raise Weak(
            f"{weakness}: people read *received*, not *stored*",
            "set appendonly yes and appendfsync always: docs/explanation/several-nodes.md",
        )
    return f"version {version or 'unknown'} answers, and has on its disk what it has taken"


async def _version(server: Redis) -> str:
    told = await server.ask("INFO", "server")
    found = told.get("redis_version", "") if isinstance(told, dict) else ""
    return found.decode() if isinstance(found, bytes) else str(found)


async def server(settings: Settings) -> str:
    """Whether a server of this state runs, and is ready."""
    try:
        port = places.running_port(places.present(settings))
    except NotFound:
        port = None
    if port is None:
        raise Untried("none runs on this state")
    status, said = await _get(f"http://{_reachable(settings.host)}:{port}{settings.prefix}/readyz")
    if status != 200:
        raise Unavailable(f"it answers {status}: {said}")
    if said != "ready":
        raise Weak(said, "its log says more")
    return "runs, and is ready"


def _reachable(host: str) -> str:
    """Where a server that listens there is reached from this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{name}]" if ":" in name else name


async def public(settings: Settings) -> str:
    """Whether the address that people use leads here."""
    address = _public(settings)
    status, said = await _get(f"{address}/healthz")
    if status != 200 or said != "alive":
        raise Unavailable(f"{address} answers {status}, and is no collab")
    # That is answered by any name; pages are not.
    status, said = await _get(f"{address}/login")
    if status == 421:
        raise Conflict("the server got another Host than the public address has: a proxy on the way changes it")
    if status != 200:
        raise Unavailable(f"the page to sign in answers {status}: {said}")
    return f"{address} leads to a collab"


def _public(settings: Settings) -> str:
    if not settings.public_url:
        raise Untried("there is no COLLAB_PUBLIC_URL")
    return settings.public_url


async def certificate(settings: Settings) -> str:
    """Whether browsers believe the public address, and for how long."""
    parts = urlsplit(_public(settings))
    if parts.scheme != "https":
        raise Untried("the public address is not https")
    ends = await asyncio.to_thread(_ends, parts.hostname or "", parts.port or 443)
    left = int((ends - time.time()) // 86_400)
    until = datetime.fromtimestamp(ends, UTC).date()
    if left < DAYS:
        raise Weak(f"it ends on {until}, in {left} days")
    return f"is believed, until {until}"


def _ends(host: str, port: int) -> float:
    """When it ends: UTC seconds since the epoch."""
    try:
        with socket.create_connection((host, port), PATIENCE) as plain, _trusting().wrap_socket(plain, server_hostname=host) as secure:
            told = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise Conflict(f"browsers will not believe it: {error.verify_message}") from error
    return float(ssl.cert_time_to_seconds(str(told["notAfter"])))


def _trusting() -> ssl.SSLContext:
    """Who is believed on this machine (SSL_CERT_FILE counts)."""
    return ssl.create_default_context()


async def websocket(settings: Settings) -> str:
    """Whether a WebSocket gets through all proxies (RFC 6455, section 4.1)."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    status, _ = await _get(f"{_public(settings)}/collaboration", asked)
    if status != 101:
        raise Unavailable(f"the way to the server does not let it through: {status}")
    return "gets through"


async def sign_in(settings: Settings) -> str:
    """Whether the provider by which people sign in answers, and can be believed."""
    if not settings.oidc_issuer:
        raise Untried("there is no provider by which people sign in (COLLAB_OIDC_ISSUER)")
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    provider = Provider(Client(settings.oidc_issuer, settings.oidc_client_id, secret), now=time.time, clock=time.monotonic)
    told = await provider.examine()
    back = f"{places.base_address(settings, settings.port)}/login/oidc/callback"
    if not secret:
        raise Weak(
            f"{told}; this server has no secret there", "set COLLAB_OIDC_CLIENT_SECRET, unless the provider has it as a public client"
        )
    return f"{told}; there this server's redirect address must be {back}"


async def offices(settings: Settings) -> str:
    """Whether the suites can be used, and have keys with which they sign."""
    if not settings.wopi_discovery:
        raise Untried("none is in COLLAB_WOPI_DISCOVERY")
    suites = Suites(
        settings.wopi_discovery, settings.wopi_suite_hosts, secure=settings.public_url.startswith("https:"), clock=time.monotonic
    )
    try:
        await asyncio.gather(*(office.renew() for office in suites.offices))
    finally:
        suites.close()
    ill = [f"{office.name}: {office.detail}" for office in suites.offices if not office.healthy]
    if ill:
        raise Unavailable("; ".join(ill))
    unsigned = [office.name for office in suites.offices if office.discovery is not None and not office.discovery.keys]
    if unsigned:
        raise Weak(
            f"{', '.join(unsigned)} has no proof key: who has a token may ask in its place",
            "let the suite make a key (Collabora: `coolconfig generate-proof-key`; ONLYOFFICE: `wopi.enable` and its keys)",
        )
    return ", ".join(f"{office.name} ({office.product}) answers, and signs" for office in suites.offices)


async def way_back(settings: Settings) -> str:
    """Whether the address that suites are told leads here, as far as that can be seen from this machine."""
    if not settings.wopi_discovery:
        raise Untried("there are no office suites")
    address = settings.wopi_url or settings.public_url
    if not address:
        raise Weak("suites are told this machine's own address", "set COLLAB_PUBLIC_URL or COLLAB_WOPI_URL")
    status, said = await _get(f"{address}/healthz")
    if status != 200 or said != "alive":
        raise Unavailable(f"{address} answers {status}, and is no collab")
    return f"{address} leads to a collab, from this machine"


async def _get(address: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and first words of what is there. OSError; Unavailable for what is no HTTP."""
    try:
        return await asyncio.to_thread(_ask, address, headers or {})
    except (ssl.SSLError, ConnectionError, TimeoutError, socket.gaierror) as error:
        raise Unavailable(f"{address} does not answer: {error.strerror or type(error).__name__}") from error
    except http.client.HTTPException as error:
        raise Unavailable(f"what is at {address} does not speak HTTP") from error


def _ask(address: str, headers: dict[str, str]) -> tuple[int, str]:
    parts = urlsplit(address)
    port = parts.port or _OWN_PORT[parts.scheme]
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=_trusting())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=PATIENCE)
    )
    with contextlib.closing(connection):
        connection.request("GET", parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, "" if answer.status == 101 else answer.read(1000).decode(errors="replace").strip()
