"""What was shared with whom, at every door of a server as an operator starts it: each role, each action, each cell asserted (SHARE-1, SHARE-2, SHARE-3, SHARE-4)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from base64 import b64decode
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from pycrdt import Doc, Text
from serving import PATIENCE, serving
from sharers import guest_token
from websockets.asyncio.client import ClientConnection, connect

from collab import protocol
from collab.access import Grant, Person, Role, Share, sign, subject
from collab.archive.store import Archive
from collab.awareness import read
from collab.codec import Reader, var_bytes, var_string, var_uint
from collab.ports import Link, SignIn
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from serving import Served

NONE, VIEWER, EDITOR, OWNER = 0, Role.VIEWER, Role.EDITOR, Role.OWNER
BODY = "shared words\n"
STAR = {"If-Match": "*"}
PICTURE = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
ONCE = httpx.Limits(max_keepalive_connections=0)
"""The server lets go of connections that rest, perhaps just when the next request goes out."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who asks: what they may do with the document, and with the folder around it."""

    document: int
    folder: int
    kind: str = "account"
    most: Role = Role.OWNER
    status: int = 403
    """Of a refusal of everything."""


ROWS = {
    "nobody": Row(NONE, NONE),
    "document-viewer": Row(VIEWER, NONE),
    "document-editor": Row(EDITOR, NONE),
    "document-owner": Row(OWNER, NONE),
    "folder-viewer": Row(VIEWER, VIEWER),
    "folder-editor": Row(EDITOR, EDITOR),
    "folder-owner": Row(OWNER, OWNER),
    "group-editor": Row(EDITOR, EDITOR),
    "guest-viewer": Row(VIEWER, NONE, "guest", Role.EDITOR),
    "guest-editor": Row(EDITOR, NONE, "guest", Role.EDITOR),
    "owner-at-most-viewer": Row(VIEWER, VIEWER, most=Role.VIEWER),
    "expired": Row(NONE, NONE),
    "expired-guest": Row(NONE, NONE, "guest", Role.EDITOR),
    "taken-back": Row(NONE, NONE),
    "taken-back-guest": Row(NONE, NONE, "guest", Role.EDITOR),
    "ended": Row(NONE, NONE, status=401),
    "unknown-session": Row(NONE, NONE, status=401),
    "anothers-session": Row(NONE, NONE, status=401),
}


@dataclass(slots=True)
class Someone:
    """A row on a running server."""

    served: Served
    name: str
    row: Row
    token: str
    grant: Grant
    http: httpx.AsyncClient
    owner: httpx.AsyncClient
    ids: dict[str, str]

    async def ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, address, **more)

    def path(self, action: str) -> str:
        return f"{self.name}/{action}.md"

    def at(self, action: str, rest: str = "") -> str:
        return f"/api/documents/{quote(self.path(action), safe='')}{rest}"

    def suite(self, action: str) -> tuple[str, dict[str, str]]:
        """A token for an office suite as it was made while all was well, and the file's address."""
        document = self.ids[self.path(action)]
        granted = Pass(self.grant.person, self.row.most, document, time.time() + 600, scope=document, session=self.grant.id, shared=True)
        return f"/wopi/files/{key_of(document)}", {"access_token": seal(granted, self.served.secret(), now=time.time())}

    async def text(self, action: str) -> str:
        return (await self.owner.get(self.at(action, "/content"))).text


def rest(method: str, rest: str = "", good: tuple[int, ...] = (200, 201, 204), **more: Any) -> Any:
    async def act(who: Someone, action: str) -> bool:
        answer = await who.ask(method, who.at(action, rest), **more)
        assert answer.status_code in {*good, who.row.status}, answer.text
        if answer.status_code == who.row.status and who.row.document == NONE:
            there = answer.json()["detail"]
            nowhere = await who.ask(method, f"/api/documents/{quote(who.name + '/nothing.md', safe='')}{rest}", **more)
            if method != "PUT" or "If-None-Match" not in more.get("headers", {}):
                assert (nowhere.status_code, nowhere.json()["detail"]) == (answer.status_code, there), (
                    "what there is not is told of in the same words"
                )
        return answer.status_code in good

    return act


async def listed(who: Someone, action: str) -> bool:
    answer = await who.ask("GET", "/api/documents", params={"path": who.name})
    return answer.status_code == 200 and who.path(action) in {each["path"] for each in answer.json()["documents"]}


async def searched(who: Someone, action: str) -> bool:
    answer = await who.ask("GET", "/api/search", params={"q": f"{action} words"})
    if answer.status_code != 200:
        return False
    found = {line["document"]["path"] for line in map(json.loads, answer.text.splitlines()) if "document" in line}
    assert found <= {who.path(each) for each in ACTIONS}, "nothing of anybody else"
    return who.path(action) in found


async def kept(who: Someone, action: str) -> bool:
    await who.ask("PUT", who.at(action, "/visit"))
    answer = await who.ask("GET", "/api/shelf")
    return answer.status_code == 200 and who.path(action) in {each["path"] for each in answer.json()["recent"]}


async def put(who: Someone, action: str) -> bool:
    body = await who.text(action) + "put\n"
    answer = await who.ask("PUT", who.at(action, "/content"), headers=STAR, content=body.encode())
    assert (await who.text(action) == body) is (answer.status_code == 200)
    return answer.status_code == 200


async def offered(who: Someone, action: str) -> bool:
    answer = await who.ask("POST", who.at(action, "/content"), content=BODY.encode())
    return answer.status_code in {200, 201}


async def made(who: Someone, action: str) -> bool:
    answer = await who.ask("POST", "/api/documents", json={"path": f"{who.name}/made {action}.md"})
    assert answer.status_code in {201, who.row.status}
    return answer.status_code == 201


async def uploaded(who: Someone, action: str) -> bool:
    address = f"/api/documents/{quote(f'{who.name}/up {action}.bin', safe='')}/content"
    return (await who.ask("PUT", address, headers={"If-None-Match": "*"}, content=b"\0")).status_code == 201


async def nested(who: Someone, action: str) -> bool:
    return (await who.ask("POST", "/api/folders", json={"path": f"{who.name}/folder {action}"})).status_code == 201


async def renamed(who: Someone, action: str) -> bool:
    answer = await who.ask("PATCH", who.at(action), headers=STAR, json={"path": f"{who.name}/other {action}.md"})
    assert (who.served.root / who.path(action)).exists() is (answer.status_code != 200)
    return answer.status_code == 200


async def deleted(who: Someone, action: str) -> bool:
    answer = await who.ask("DELETE", who.at(action), headers=STAR)
    assert (who.served.root / who.path(action)).exists() is (answer.status_code != 200)
    return answer.status_code == 200


async def shared(who: Someone, action: str) -> bool:
    answer = await who.ask("POST", who.at(action, "/shares"), json={"kind": "link", "role": "editor"})
    return answer.status_code == 201


# --- sockets


class Wire:
    """A Hocuspocus client that sends whatever it likes and asks nobody whether it may."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self.socket = socket
        self.address = protocol.address(name)
        self.doc: Doc[Text] = Doc()
        self.scopes: list[str] = []
        """What it was told that it may, in order; `!` and a reason: refused."""
        self.statuses: list[bool] = []
        """Whether each of its edits was stored."""
        self.awareness: list[bytes] = []
        self.asked = 0
        """How often it was asked for a new token."""

    @classmethod
    @asynccontextmanager
    async def to(cls, served: Served, name: str, token: str, **headers: str) -> AsyncIterator[Wire]:
        """Signed in, or refused."""
        async with connect(f"{served.ws}/collaboration", max_size=None, open_timeout=PATIENCE, additional_headers=headers) as socket:
            wire = cls(socket, name)
            await wire.sign_in(token)
            await wire.until(lambda: wire.scopes)
            yield wire

    @property
    def open(self) -> bool:
        return not self.scopes[-1].startswith("!")

    @property
    def text(self) -> str:
        return str(self.doc.get("content", type=Text))

    @property
    def shown(self) -> dict[int, Any]:
        """The states of who is here, by client id."""
        states = {client: json.loads(state) for each in self.awareness for client, _, state in read(each)}
        return {client: state for client, state in states.items() if state is not None}

    async def show(self, *entries: tuple[int, int, object]) -> None:
        """Say so of these client ids, each with its clock; None: gone."""
        said = [var_uint(client) + var_uint(clock) + var_string(json.dumps(state)) for client, clock, state in entries]
        await self.say(protocol.awareness(var_uint(len(said)) + b"".join(said)))

    async def sign_in(self, token: str) -> None:
        await self.say(b"\x02\x00" + var_string(token))

    async def say(self, message: bytes) -> None:
        await self.socket.send(self.address + message)

    async def synced(self) -> None:
        await self.say(protocol.step1(self.doc.get_state()))
        await self.until(lambda: "words" in self.text)

    async def type(self, words: str) -> bool:
        """An edit; whether the server stored it."""
        before, told = self.doc.get_state(), len(self.statuses)
        self.doc.get("content", type=Text).insert(0, words)
        await self.say(protocol.update(self.doc.get_update(before)))
        await self.until(lambda: len(self.statuses) > told or not self.open)
        return self.open and self.statuses[told]

    async def until(self, condition: Callable[[], object], *, within: float = PATIENCE) -> None:
        async with asyncio.timeout(within):
            while not condition():
                self._hear(await self.socket.recv())

    def _hear(self, data: object) -> None:
        assert isinstance(data, bytes)
        reader = Reader(data)
        reader.var_string()
        kind = reader.var_uint()
        if kind in {0, 4}:
            if reader.var_uint() in {1, 2}:
                self.doc.apply_update(reader.var_bytes())
        elif kind == 1:
            self.awareness.append(reader.var_bytes())
        elif kind == 2:
            which = reader.var_uint()
            if which == 0:
                self.asked += 1
            else:
                self.scopes.append(("!" if which == 1 else "") + reader.var_string())
        elif kind == 7:
            self.scopes.append("!" + reader.var_string())
        elif kind == 8:
            self.statuses.append(reader.var_uint() == 1)


async def joined(who: Someone, action: str) -> bool:
    async with Wire.to(who.served, who.path(action), who.token) as wire:
        if not wire.open:
            return False
        assert wire.scopes == ["read-write" if who.row.document >= EDITOR else "readonly"]
        await wire.synced()
        return True


async def typed(who: Someone, action: str) -> bool:
    """An update straight on the wire."""
    async with Wire.to(who.served, who.path(action), who.token) as wire:
        if not wire.open:
            return False
        await wire.synced()
        done = await wire.type("typed ")
        assert (await who.text(action)).startswith("typed ") is done
        return done


class Slow(Wire):
    """The same without a socket: messages are posted, answers are a stream of events."""

    def __init__(self, http: httpx.AsyncClient, name: str, opened: dict[str, str]) -> None:
        self.socket = None  # type: ignore[assignment]
        self.address = protocol.address(name)
        self.doc = Doc()
        self.scopes, self.statuses, self.awareness, self.asked = [], [], [], 0
        self.http, self.at, self.key = http, f"/transport/{opened['id']}", opened["key"]
        self.batch = self.event = 0

    @classmethod
    @asynccontextmanager
    async def of(cls, http: httpx.AsyncClient, name: str, token: str) -> AsyncIterator[Slow]:
        """Signed in, or refused: the token comes in band, whoever opened the connection."""
        wire = cls(http, name, (await http.post("/transport")).json())
        await wire.sign_in(token)
        await wire.until(lambda: wire.scopes)
        yield wire
        await wire.http.delete(wire.at, headers={"Collab-Key": wire.key})

    async def say(self, message: bytes) -> None:
        self.batch += 1
        body = var_bytes(self.address + message)
        told = await self.http.post(self.at, content=body, headers={"Collab-Key": self.key, "Collab-Batch": str(self.batch)})
        assert told.status_code == 204, told.text

    async def until(self, condition: Callable[[], object], *, within: float = PATIENCE) -> None:
        async with asyncio.timeout(within):
            while not condition():
                headers = {"Collab-Key": self.key, **({"Last-Event-ID": str(self.event)} if self.event else {})}
                for line in (await self.http.get(f"{self.at}?wait", headers=headers)).text.splitlines():
                    if line.startswith("id: "):
                        self.event = int(line[4:])
                    elif line.startswith("data: ") and not line.startswith("data: {"):
                        self._hear(b64decode(line[6:]))


async def carried(who: Someone, action: str) -> bool:
    async with Slow.of(who.owner, who.path(action), who.token) as wire:
        if not wire.open:
            return False
        await wire.synced()
        return True


async def posted(who: Someone, action: str) -> bool:
    """An update without a socket."""
    async with Slow.of(who.owner, who.path(action), who.token) as wire:
        if not wire.open:
            return False
        await wire.synced()
        done = await wire.type("posted ")
        assert (await who.text(action)).startswith("posted ") is done
        return done


# --- readers, and what is attached


async def viewed(who: Someone, action: str) -> bool:
    answer = await who.ask("GET", f"/v/{quote(who.path(action))}")
    assert answer.status_code in {200, who.row.status}
    assert (f"{action} words" in answer.text) is (answer.status_code == 200)
    return answer.status_code == 200


async def followed(who: Someone, action: str) -> bool:
    """The stream of what changes, until it says something."""
    async with who.http.stream("GET", f"/v/{quote(who.path(action))}", headers={"Accept": "text/event-stream"}) as answer:
        if answer.status_code != 200:
            return False
        return bool(await anext(answer.aiter_bytes()))


async def shown(who: Someone, action: str) -> bool:
    """What is attached, as pages show it."""
    name = quote(f"{who.path(action)}.assets/x.png", safe="")
    answer = await who.ask("GET", f"/api/documents/{name}/content")
    assert (answer.content == PICTURE) is (answer.status_code == 200)
    return answer.status_code == 200


async def attached(who: Someone, action: str) -> bool:
    answer = await who.ask("POST", who.at(action, "/attachments?name=y.png"), content=PICTURE)
    assert (who.served.root / f"{who.path(action)}.assets" / "y.png").exists() is (answer.status_code == 201)
    return answer.status_code == 201


async def detached(who: Someone, action: str) -> bool:
    answer = await who.ask("DELETE", who.at(action, "/attachments/x.png"))
    assert (who.served.root / f"{who.path(action)}.assets" / "x.png").exists() is (answer.status_code != 200)
    return answer.status_code == 200


# --- office suites


async def informed(who: Someone, action: str) -> bool:
    address, token = who.suite(action)
    answer = await who.ask("GET", address, params=token)
    if answer.status_code == 200:
        assert answer.json()["UserCanWrite"] is (who.row.document >= EDITOR)
    return answer.status_code == 200


async def fetched(who: Someone, action: str) -> bool:
    address, token = who.suite(action)
    return (await who.ask("GET", address + "/contents", params=token)).status_code == 200


async def locked(who: Someone, action: str) -> bool:
    address, token = who.suite(action)
    answer = await who.ask("POST", address, params=token, headers={"X-WOPI-Override": "LOCK", "X-WOPI-Lock": "one"})
    return answer.status_code == 200 and answer.headers.get("x-wopi-lock", "one") == "one" and bool(await lock_of(who, action))


async def lock_of(who: Someone, action: str) -> str:
    document = who.ids[who.path(action)]
    owner = seal(Pass(Person("op", "Op"), Role.OWNER, document, time.time() + 600), who.served.secret(), now=time.time())
    told = await who.owner.post(f"/wopi/files/{key_of(document)}", params={"access_token": owner}, headers={"X-WOPI-Override": "GET_LOCK"})
    return told.headers["x-wopi-lock"]


async def stored(who: Someone, action: str) -> bool:
    address, token = who.suite(action)
    await who.ask("POST", address, params=token, headers={"X-WOPI-Override": "LOCK", "X-WOPI-Lock": "one"})
    answer = await who.ask(
        "POST", address + "/contents", params=token, content=b"suite\n", headers={"X-WOPI-Override": "PUT", "X-WOPI-Lock": "one"}
    )
    assert (await who.text(action) == "suite\n") is (answer.status_code == 200)
    copies = [*(who.served.root / who.name).glob(f"{action} (conflict*")]
    assert bool(copies) is (who.row.document == VIEWER and who.row.most >= EDITOR), (
        "words of who may still read are kept, and nobody else's"
    )
    return answer.status_code == 200


def suite(override: str, **headers: str) -> Any:
    async def act(who: Someone, action: str) -> bool:
        address, token = who.suite(action)
        sent = {"X-WOPI-Override": override, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return (await who.ask("POST", address, params=token, headers=sent)).status_code == 200

    return act


ACTIONS: dict[str, tuple[str, int, Any]] = {
    # document: the role on it; folder: the role on the folder; place: an editor of the folder, or an owner of the document.
    "seen": ("document", VIEWER, rest("GET")),
    "read": ("document", VIEWER, rest("GET", "/content")),
    "authors": ("document", VIEWER, rest("GET", "/authors")),
    "versions": ("document", VIEWER, rest("GET", "/versions")),
    "office": ("document", VIEWER, rest("GET", "/office")),
    "starred": ("document", VIEWER, rest("PUT", "/star")),
    "listed": ("document", VIEWER, listed),
    "searched": ("document", VIEWER, searched),
    "kept": ("document", VIEWER, kept),
    "put": ("document", EDITOR, put),
    "edited": ("document", EDITOR, rest("PATCH", "/content", headers=STAR, json={"edits": [{"start": 0, "stop": 0, "text": "e"}]})),
    "offered": ("document", EDITOR, offered),
    "named": ("document", EDITOR, rest("PATCH", "/versions/1", good=(200, 404), json={"name": "x"})),
    "shares": ("document", OWNER, rest("GET", "/shares")),
    "shared": ("document", OWNER, shared),
    "made": ("folder", EDITOR, made),
    "uploaded": ("folder", EDITOR, uploaded),
    "nested": ("folder", EDITOR, nested),
    "renamed": ("place", EDITOR, renamed),
    "deleted": ("place", EDITOR, deleted),
    "joined": ("document", VIEWER, joined),
    "typed": ("document", EDITOR, typed),
    "carried": ("document", VIEWER, carried),
    "posted": ("document", EDITOR, posted),
    "viewed": ("document", VIEWER, viewed),
    "followed": ("document", VIEWER, followed),
    "shown": ("document", VIEWER, shown),
    "attachments": ("document", VIEWER, rest("GET", "/attachments")),
    "attached": ("document", EDITOR, attached),
    "detached": ("document", EDITOR, detached),
    "described": ("document", VIEWER, rest("GET", "/metadata")),
    "tagged": ("document", EDITOR, rest("PUT", "/metadata", json={"description": "words"})),
    "informed": ("document", VIEWER, informed),
    "fetched": ("document", VIEWER, fetched),
    "locked": ("document", EDITOR, locked),
    "stored": ("document", EDITOR, stored),
    "noted": ("document", VIEWER, suite("PUT_USER_INFO")),
    "addressed": ("document", VIEWER, suite("GET_SHARE_URL", X_WOPI_UrlType="ReadOnly")),
    "retitled": ("place", EDITOR, suite("RENAME_FILE", X_WOPI_RequestedName="renamed in a suite")),
    "binned": ("place", EDITOR, suite("DELETE")),
    "relative": ("never", OWNER, suite("PUT_RELATIVE", X_WOPI_SuggestedTarget=".md")),
}


SUITES = {"informed", "fetched", "locked", "stored", "noted", "addressed", "retitled", "binned", "relative"}
"""With a token of their own."""


def expected(row: Row, kind: str, least: int) -> bool:
    return {
        "document": row.document >= least,
        "folder": row.folder >= least,
        "place": row.folder >= EDITOR or row.document >= OWNER,
        "never": False,
    }[kind]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("shared")
    with serving(folder, COLLAB_SAVE_DELAY="0.2") as server:
        for name in (*ROWS, *OWN):
            for action in ACTIONS:
                server.write(f"{name}/{action}.md", BODY.replace("shared", f"shared {action}"))
                if action in {"shown", "detached"}:
                    picture = server.root / f"{name}/{action}.md.assets" / "x.png"
                    picture.parent.mkdir()
                    picture.write_bytes(PICTURE)
        yield server


@pytest.fixture
async def archive(served: Served) -> AsyncIterator[Archive]:
    opened = Archive(f"sqlite:///{served.state / 'archive.sqlite'}")
    yield opened
    await opened.close()


@pytest.fixture
async def owner(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=served.url, headers={"Authorization": f"Bearer {served.token('Op', role='owner')}"}, timeout=60, limits=ONCE
    ) as client:
        yield client


OWN = {"tokens": "folder-owner"}
"""Folders of tests that write, and the row that people are of there."""
EVERYWHERE = {"owner-at-most-viewer", "ended", "unknown-session", "anothers-session", "expired", "taken-back"}
"""Rows whose person was made an owner of the folder."""


async def give(archive: Archive, name: str, folder: str, documents: Iterable[str]) -> tuple[str, ...]:
    """What was shared with the row's person; the links that its session opened."""
    what = OWN.get(name, name)
    row, now, word = ROWS[what], time.time(), what.rpartition("-")[2]
    person, over = subject("person", f"{row.kind}:{name}"), now - 1 if what.startswith("expired") else None

    def share(target: str, role: Role, whom: str = person, folder: str = "") -> Share:
        return Share(os.urandom(8).hex(), target, whom, role, now, "", over, folder)

    if row.kind == "guest":
        role = "viewer" if word == "viewer" else "editor"
        links = [Link(os.urandom(32).hex(), document, role, "", now, over) for document in documents]
        for link in links:
            await archive.links.add(link)
            if what.startswith("taken-back"):
                await archive.links.revoke(link.digest, now)
        return tuple(link.digest for link in links)
    given = {
        "document": [share(document, Role.of(word)) for document in documents] if what.startswith("document") else [],
        "folder": [share(name, Role.of(word), folder=folder)] if what.startswith("folder") else [],
        "group": [share(name, Role.EDITOR, subject("group", "lab"), folder)] if what == "group-editor" else [],
        "all": [share(name, Role.OWNER, folder=folder)] if what in EVERYWHERE else [],
    }
    for each in (share for some in given.values() for share in some):
        await archive.shares.add(each)
        if what == "taken-back":
            await archive.shares.remove(each.target, each.id, now)
    return ()


async def came(served: Served, archive: Archive, owner: httpx.AsyncClient, name: str) -> Someone:
    """Somebody of this row, with what was shared with them."""
    what = OWN.get(name, name)
    row, now = ROWS[what], time.time()
    listing = (await owner.get("/api/documents", params={"path": name})).json()["documents"]
    ids = {each["path"]: each["id"] for each in listing if each["type"] != "inode/directory"}
    probe = (await owner.post(f"/api/documents/{name}/shares", json={"kind": "link", "role": "viewer"})).json()["id"]
    (folder,) = [share.folder for share in await archive.shares.on([name]) if share.id == probe]
    await archive.shares.remove(name, probe, now)
    links = await give(archive, name, folder, ids.values())
    person, session = Person(f"{row.kind}:{name}", name), os.urandom(8).hex()
    if what != "unknown-session":
        owns = "account:somebody-else" if what == "anothers-session" else person.id
        groups = ("lab",) if what == "group-editor" else ()
        ended = now if what == "ended" else None
        await archive.sign_ins.add(SignIn(session, owns, name, row.kind, now, now, now + 3600, groups, links, ended=ended))
    grant = Grant(person, row.most, expires=now + 3600, id=session, shared=True)
    token = sign(grant, served.secret(), now=now)
    http = httpx.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {token}"}, timeout=60, limits=ONCE)
    return Someone(served, name, row, token, grant, http, owner, ids)


@pytest.mark.parametrize("name", ROWS)
async def test_each_role_does_at_each_door_what_it_may_and_nothing_else(
    name: str, served: Served, archive: Archive, owner: httpx.AsyncClient
) -> None:
    """SHARE-1, SHARE-2, SHARE-3, SHARE-9, AUTH-2: each action on a document of its own."""
    who = await came(served, archive, owner, name)
    async with who.http:
        got = {action: await act(who, action) for action, (_, _, act) in ACTIONS.items()}
    assert got == {action: expected(who.row, kind, least) for action, (kind, least, _) in ACTIONS.items()}


async def test_a_token_for_another_document_opens_no_other(served: Served, archive: Archive, owner: httpx.AsyncClient) -> None:
    """SHARE-1, AUTH-1: also one that comes from a session that may do everything."""
    who = await came(served, archive, owner, "tokens")
    async with who.http:
        now, other = time.time(), who.ids[who.path("relative")]
        lease = replace(who.grant, document=other, until=now + 3600)
        token = sign(lease.lease(now), served.secret(), now=now)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=60, limits=ONCE) as http:
            stranger = replace(who, token=token, http=http)
            assert await rest("GET")(stranger, "relative")
            assert await viewed(stranger, "relative")
            assert await joined(stranger, "relative")
            got = {action: await act(stranger, action) for action, (_, _, act) in ACTIONS.items() if action not in SUITES}
            assert [action for action, done in got.items() if done] == []
            assert (await http.get("/api/bin")).status_code == 403
            assert (await http.get("/api/sessions")).status_code == 403
        address, token_of_suite = who.suite("seen")
        elsewhere = f"/wopi/files/{key_of(other)}"
        assert (await who.http.get(elsewhere, params=token_of_suite)).status_code == 404
        assert (await who.http.get(address.replace("files", "containers"), params=token_of_suite)).status_code in {404, 501}
        assert (await who.http.get("/wopi/ecosystem", params=token_of_suite)).status_code in {404, 501}


@pytest.mark.parametrize(
    "path",
    [
        "../folder-owner/seen.md",
        "document-viewer/../folder-owner/seen.md",
        "folder-owner//seen.md",
        "./folder-owner/seen.md",
        "folder-owner/seen.md/",
        "/folder-owner",
        "folder-owner\0",
    ],
)
async def test_no_trick_with_a_path_leads_out_of_what_was_shared(
    path: str, served: Served, archive: Archive, owner: httpx.AsyncClient
) -> None:
    """SHARE-2."""
    who = await came(served, archive, owner, "document-viewer")
    async with who.http:
        for segment in (quote(path, safe=""), quote(quote(path, safe=""), safe="")):
            for rest in ("", "/content", "/shares"):
                answer = await who.http.get(f"/api/documents/{segment}{rest}")
                assert answer.status_code in {400, 403, 404}, answer.text
                assert "words" not in answer.text
            shown = await who.http.get(f"/v/{segment}")
            assert shown.status_code in {400, 403, 404}, shown.text
            assert "words" not in shown.text
            put = await who.http.put(f"/api/documents/{segment}/content", headers=STAR, content=b"put\n")
            assert put.status_code in {400, 403, 404}
        answer = await who.http.get("/api/documents", params={"path": path})
        assert answer.status_code in {200, 400}
        assert answer.status_code == 400 or answer.json()["documents"] == []
        moved = await who.http.patch(who.at("seen"), headers=STAR, json={"path": path})
        assert moved.status_code in {400, 403}
        for made in ("documents", "folders"):
            assert (await who.http.post(f"/api/{made}", json={"path": path})).status_code in {400, 403}
        async with Wire.to(served, path, who.token) as wire, Slow.of(who.http, path, who.token) as slow:
            for each in (wire, slow):
                assert each.scopes[-1] in {"!forbidden", "!malformed", "!not-found"}
                assert not each.open
        assert (served.root / "folder-owner" / "seen.md").exists()


@pytest.mark.parametrize("way", ["socket", "plain HTTP"])
@pytest.mark.parametrize("name", ["document-viewer", "document-editor", "guest-viewer", "guest-editor"])
async def test_nobody_is_here_in_anothers_name(name: str, way: str, served: Served, archive: Archive, owner: httpx.AsyncClient) -> None:
    """ID-8: nor speaks for another, nor says so much that the others have to carry it."""
    who = await came(served, archive, owner, name)
    path, op = who.path("seen"), served.token("Op", role="owner")
    async with who.http, Wire.to(served, path, op) as witness, AsyncExitStack() as stack:
        forger = await stack.enter_async_context(
            Wire.to(served, path, who.token) if way == "socket" else Slow.of(who.http, path, who.token)
        )
        for each in (witness, forger):
            await each.synced()
        hers, theirs = (1001, 2001) if way == "socket" else (1002, 2002)
        state = {"user": {"name": "Op", "color": "#123456"}, "here": True}
        await witness.show((hers, 1, state))
        await forger.until(lambda: hers in forger.shown)
        await forger.show((theirs, 1, {"user": {"id": "op", "name": "Op", "suite": "Word"}, "number": 1}))
        await witness.until(lambda: theirs in witness.shown)
        # Her state in other words, with a newer clock, and that she is gone.
        for number, forged in ((2, {**state, "here": False}), (3, None)):
            await forger.show((hers, 50 + number, forged), (theirs, number, {"user": {"name": "Op"}, "number": number}))
            await witness.until(lambda number=number: witness.shown[theirs]["number"] == number)  # type: ignore[misc]
        async with Wire.to(served, path, op) as late:
            await late.synced()
            await late.until(lambda: len(late.shown) == 2)
            for seen in (witness.shown, late.shown):
                assert seen[hers]["here"] is True
                assert (seen[hers]["user"]["id"], seen[hers]["user"]["name"]) == ("op", "Op")
                assert (seen[theirs]["user"]["id"], seen[theirs]["user"]["name"]) == (who.grant.person.id, name)
                assert "suite" not in seen[theirs]["user"]

        await forger.show((theirs, 9, {"words": "x" * 2**20}))
        await forger.until(lambda: not forger.open)
        assert forger.scopes[-1] == "!too-large"
        await witness.until(lambda: theirs not in witness.shown)
        assert max(len(each) for each in witness.awareness) < 1000
        assert witness.open
        assert hers in witness.shown


# --- what changes while people are here


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_change_reaches_open_connections_at_every_node_and_drops_nobody_who_may_still_read(workers: int, tmp_path: Path) -> None:
    """SHARE-3, SHARE-4, RIGHTS-1: what was stored stays, and what is refused is nowhere."""
    with serving(tmp_path, COLLAB_WORKERS=str(workers), COLLAB_RIGHTS_INTERVAL="1h", COLLAB_SAVE_DELAY="0.2") as server:
        for number in range(4):
            server.write(f"work/{number}.md", BODY)
        archive = Archive(f"sqlite:///{server.state / 'archive.sqlite'}")
        headers = {"Authorization": f"Bearer {server.token('Op', role='owner')}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, limits=ONCE) as op, AsyncExitStack() as stack:
            made = (await op.post("/api/documents/work/shares", json={"kind": "link", "role": "editor"})).json()
            now, session = time.time(), os.urandom(8).hex()
            await archive.sign_ins.add(SignIn(session, "guest:gil", "Gil", "guest", now, now, now + 3600, (), (made["id"],)))
            grant = Grant(Person("guest:gil", "Gil"), EDITOR, expires=now + 3600, id=session, shared=True)
            token = sign(grant, server.secret(), now=now)
            wires = [await stack.enter_async_context(Wire.to(server, f"work/{number}.md", token)) for number in range(4)]
            for wire in wires:
                await wire.synced()
                assert await wire.type("first ")

            one = f"/api/documents/work/shares/{made['id']}"
            begun = time.monotonic()
            assert (await op.patch(one, json={"role": "viewer"})).status_code == 200
            for wire in wires:
                await wire.until(lambda wire=wire: wire.scopes[-1] == "readonly")  # type: ignore[misc]
                assert not await wire.type("second ")
                assert wire.open
            assert time.monotonic() - begun < 30
            assert (await op.patch(one, json={"role": "editor"})).status_code == 200
            for number, wire in enumerate(wires):
                await wire.until(lambda wire=wire: wire.scopes[-1] == "read-write")  # type: ignore[misc]
                assert (await op.get(f"/api/documents/work%2F{number}.md/content")).text == "first " + BODY

            assert (await op.delete(one)).status_code == 204
            for wire in wires:
                await wire.until(lambda wire=wire: not wire.open)  # type: ignore[misc]
                assert wire.scopes[-1] == "!forbidden"
            async with Wire.to(server, "work/0.md", token) as again:
                assert again.scopes == ["!forbidden"]

            # A session that is ended goes at once, too.
            made = (await op.post("/api/documents/work/shares", json={"kind": "link", "role": "editor"})).json()
            await archive.sign_ins.open(session, made["id"])
            wires = [await stack.enter_async_context(Wire.to(server, f"work/{number}.md", token)) for number in range(4)]
            assert all(wire.open for wire in wires)
            await archive.sign_ins.end(session, time.time())
            for wire in wires:
                await wire.until(lambda wire=wire: not wire.open)  # type: ignore[misc]
        await archive.close()


@pytest.mark.parametrize("way", ["socket", "plain HTTP"])
async def test_a_connection_outlives_its_token_and_at_the_end_of_the_session_is_told(
    way: str, served: Served, archive: Archive, owner: httpx.AsyncClient
) -> None:
    """AUTH-1, SIGN-1: the new token is asked for in band, and nothing is opened anew."""
    who = await came(served, archive, owner, "group-editor")

    def short(seconds: float) -> str:
        now = time.time()
        return sign(replace(who.grant, expires=now + seconds), served.secret(), now=now)

    async with who.http, AsyncExitStack() as stack:
        path = who.path("seen")
        wire = await stack.enter_async_context(Wire.to(served, path, who.token) if way == "socket" else Slow.of(who.owner, path, who.token))
        await wire.synced()
        for number in (1, 2):
            # For longer than it takes to arrive, on a busy machine as well.
            old = short(5)
            await wire.sign_in(old)
            await wire.until(lambda number=number: len(wire.scopes) == number + 1)  # type: ignore[misc]
            assert await wire.type(f"{way} {number} ")
            await wire.until(lambda number=number: wire.asked == number)  # type: ignore[misc]
        assert wire.scopes == ["read-write"] * 3
        # Then it has none but an old one, and after that one that is good for a session that is over.
        await wire.sign_in(old)
        await wire.until(lambda: not wire.open)
        assert wire.scopes[-1] == "!unauthorized"
        await archive.sign_ins.end(who.grant.id, time.time())
        # What another process did to the archive is known within a second.
        async with asyncio.timeout(PATIENCE):
            while wire.scopes[-1] != "!unauthorized" or len(wire.scopes) < 5:
                told = len(wire.scopes)
                await wire.sign_in(short(60))
                await wire.until(lambda told=told: len(wire.scopes) > told)  # type: ignore[misc]


async def test_what_ends_by_itself_ends_what_is_open(tmp_path: Path) -> None:
    """SHARE-5, SIGN-1: a link, and the session of a browser, over both ways."""
    with serving(tmp_path, COLLAB_RIGHTS_INTERVAL="1h", COLLAB_SESSION_LENGTH="15s") as server:
        server.write("a.md", BODY)
        headers = {"Authorization": f"Bearer {server.token('Op', role='owner')}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60, limits=ONCE) as op:

            async def link(**more: object) -> dict[str, str]:
                made = await op.post("/api/documents/a.md/shares", json={"kind": "link", "role": "editor", **more})
                return dict(made.json())

            browser = httpx.AsyncClient(base_url=server.url, headers={"Origin": server.url}, timeout=60, limits=ONCE)
            made, other = await link(), await link()
            guest = await guest_token(server, made["id"])
            async with AsyncExitStack() as stack:
                socket = await stack.enter_async_context(Wire.to(server, "a.md", guest))
                posts = await stack.enter_async_context(Slow.of(op, "a.md", guest))
                for wire in (socket, posts):
                    await wire.synced()
                    assert await wire.type("in time ")
                # Last of all, as its session is short.
                await browser.post(other["address"], data={"name": "Gus"})
                cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
                page = await stack.enter_async_context(Wire.to(server, "a.md", "cookie", Origin=server.url, Cookie=cookie))
                slow_page = await stack.enter_async_context(Slow.of(browser, "a.md", "cookie"))
                for wire in (page, slow_page):
                    await wire.synced()
                    assert await wire.type("in time ")
                ends = datetime.fromtimestamp(time.time() + 5, UTC).isoformat()
                assert (await op.patch(f"/api/documents/a.md/shares/{made['id']}", json={"expires": ends})).status_code == 200
                for wire in (socket, posts):
                    await wire.until(lambda wire=wire: not wire.open)  # type: ignore[misc]
                    assert wire.scopes[-1] == "!forbidden"

                async def ends_with_its_session(wire: Wire) -> None:
                    assert wire.open
                    # A page has no other token than its cookie.
                    await wire.until(lambda: wire.asked)
                    await wire.sign_in("cookie")
                    await wire.until(lambda: not wire.open)
                    assert wire.scopes[-1] == "!unauthorized"

                # Both at once: one that nobody asks for its events is over when its session is.
                await asyncio.gather(*(ends_with_its_session(wire) for wire in (page, slow_page)))
            await browser.aclose()
            assert (await op.get("/api/documents/a.md/content")).text == "in time " * 4 + BODY
