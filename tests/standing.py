"""The whole server but its socket: the real application on a real folder, with a clock that stands still."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import httpx

from collab.access import Grant, Person, Role, sign
from collab.app.adapters import Adapters
from collab.app.building import App, build
from collab.archive.memory import MemoryArchive
from collab.journal.memory import MemoryJournal
from collab.settings import load
from collab.state.database import Database
from collab.state.secrets import Logins
from collab.state.shelf import Shelf
from collab.state.tables import STATE
from collab.storage.local import LocalFiles
from collab.storage.local_bin import LocalBin
from collab.storage.local_claims import LocalClaims
from collab.storage.local_folders import LocalFolders
from collab.storage.names import Names
from collab.web.sessions import Spent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.types import Receive, Send

SECRET = bytes(range(32))
NOW = 1_800_000_000.0
ADA = Person("name:Ada", "Ada")
ORIGIN = "http://127.0.0.1:8000"


@dataclass(slots=True)
class Site:
    """A server that stands, and what a test does to it."""

    app: App
    root: Path
    journal: MemoryJournal
    logins: Logins
    files: LocalFiles
    archive: MemoryArchive
    folders: LocalFolders
    time: list[float] = field(default_factory=lambda: [NOW])

    def token(self, role: Role = Role.EDITOR, document: str | None = None, person: Person = ADA) -> str:
        return sign(Grant(person, role, document, expires=self.time[0] + 3600), SECRET, now=self.time[0])

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Somebody with this token, or with none."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app.web, raise_app_exceptions=False, client=("192.0.2.7", 4000))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def answer(self, request: bytes, receive: Receive, send: Send, *headers: tuple[bytes, bytes]) -> None:
        """As the server does, message by message: `request` is method and raw path, from Ada."""
        method, _, target = request.partition(b" ")
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method.decode(),
            "scheme": "http",
            "path": path.decode(),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer " + self.token().encode()), *headers],
            "client": ("192.0.2.7", 4000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        await self.app.web(scope, receive, send)

    def of(self, role: Role = Role.EDITOR, document: str | None = None) -> httpx.AsyncClient:
        """Ada, with a token of this role."""
        return self.client(self.token(role, document))


@asynccontextmanager
async def stand(
    folder: Path,
    *,
    client: Path | None = None,
    archive: MemoryArchive | None = None,
    step: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = monotonic,
    **settings: object,
) -> AsyncIterator[Site]:
    """A server on `folder/root`, started and stopped in order; on an archive that is there already, and with trouble at `step`s of the storage.
    `clock`: monotonic seconds, by which whoever guesses waits.
    """
    root = folder / "root"
    root.mkdir(exist_ok=True)
    time = [NOW]
    database = Database(folder / "state.sqlite", STATE)
    files, journal, archive = LocalFiles(root, Names(database), step=step), MemoryJournal(), archive or MemoryArchive()
    logins = Logins(database)
    app = build(
        load({"root": root, **settings}),
        Adapters(
            files=files,
            folders=LocalFolders(files),
            claims=LocalClaims(files, clock=lambda: time[0]),
            bin=LocalBin(files),
            journal=journal,
            bases=archive.bases,
            versions=archive.versions,
            authors=archive.authors,
            locks=archive.locks,
            rejections=archive.rejections,
            office=archive.office,
            infos=archive.infos,
            sign_ins=archive.sign_ins,
            metadata=archive.metadata,
            shares=archive.shares,
            links=archive.links,
            accounts=archive.accounts,
            members=archive.members,
            provider_sessions=archive.provider_sessions(SECRET),
            secret=SECRET,
            one_time=logins,
            spent=Spent(folder / "spent", NOW),
            shelf=Shelf(database),
            now=lambda: time[0],
            clock=clock,
            random=os.urandom,
            client=client or folder / "client",
        ),
    )
    async with app.web.router.lifespan_context(app.web):
        yield Site(app, root, journal, logins, files, archive, LocalFolders(files), time)
        await app.rooms.stop()
    await journal.close()
    await files.close()
    await asyncio.to_thread(database.close)
