"""LOAD-1, WOPI: two hundred office sessions at once, on one file and on two hundred, against a real server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from hashlib import sha256
from random import Random

import httpx
import pytest
from measured import descriptors, memory
from serving import Served, until

from collab.access import Person, Role
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

SESSIONS = 200
ROUNDS = 3
GROWN = 64 * 2**20
"""Bytes by which the process may have grown when all are gone."""


@dataclass
class Session:
    """One office session, which locks, gets, puts and unlocks its file, and knows what it was told."""

    number: int
    client: httpx.AsyncClient
    address: str
    token: str
    lock: str

    async def ask(self, override: str, body: bytes | None = None) -> httpx.Response:
        headers = {"X-WOPI-Override": override, "X-WOPI-Lock": self.lock}
        path = "" if body is None else "/contents"
        return await self.client.post(self.address + path, params={"access_token": self.token}, headers=headers, content=body or b"")

    async def get(self) -> httpx.Response:
        return await self.client.get(self.address + "/contents", params={"access_token": self.token})


def session(server: Served, client: httpx.AsyncClient, document: str, number: int, lock: str) -> Session:
    now = time.time()
    token = seal(Pass(Person(f"p{number}", f"P{number}"), Role.EDITOR, document, now + 3600), server.secret(), now=now)
    return Session(number, client, f"{server.url}/wopi/files/{key_of(document)}", token, lock)


def body_of(number: int, turn: int) -> bytes:
    """A body that tells who put it."""
    return b"PK\0" + f"{number} {turn}\n".encode() * (50 + 13 * number)


async def document_of(server: Served, client: httpx.AsyncClient, name: str) -> str:
    answer = await client.get(f"{server.url}/api/documents/{name}", headers={"Authorization": f"Bearer {server.token()}"})
    document: str = answer.raise_for_status().json()["id"]
    return document


async def at_rest(server: Served, before: tuple[int, int]) -> None:
    """Descriptors and memory are as they were, and nothing hidden is left beside the files."""
    await until(lambda: descriptors(server.pid) <= before[0] + 2, within=60)
    assert memory(server.pid) - before[1] < GROWN
    await until(lambda: not [path for path in server.root.iterdir() if ".collab-" in path.name and path.is_file()], within=60)


def limits() -> httpx.Limits:
    return httpx.Limits(max_connections=SESSIONS, max_keepalive_connections=0)


@pytest.mark.parametrize("seed", [6])
async def test_two_hundred_sessions_on_two_hundred_files_lose_nothing(server: Served, seed: int) -> None:
    for number in range(SESSIONS):
        (server.root / f"{number}.docx").write_bytes(body_of(number, 0))
    async with httpx.AsyncClient(limits=limits(), timeout=300) as client:
        sessions = [
            session(server, client, await document_of(server, client, f"{number}.docx"), number, f"L{number}") for number in range(SESSIONS)
        ]
        before = descriptors(server.pid), memory(server.pid)
        random = Random(seed)

        async def work(each: Session) -> None:
            for turn in range(1, ROUNDS + 1):
                assert (await each.ask("LOCK")).status_code == 200
                assert (await each.get()).content == body_of(each.number, turn - 1)
                assert (await each.ask("PUT", body_of(each.number, turn))).status_code == 200
                assert (await each.ask("UNLOCK")).status_code == 200

        random.shuffle(sessions)
        await asyncio.gather(*(work(each) for each in sessions))
    for number in range(SESSIONS):
        assert (server.root / f"{number}.docx").read_bytes() == body_of(number, ROUNDS)
    await at_rest(server, before)


@pytest.mark.parametrize("seed", [6])
async def test_two_hundred_sessions_on_one_file_take_turns_and_what_is_refused_is_kept(server: Served, seed: int) -> None:
    (server.root / "a.docx").write_bytes(body_of(0, 0))
    async with httpx.AsyncClient(limits=limits(), timeout=300) as client:
        document = await document_of(server, client, "a.docx")
        random = Random(seed)
        # Half of them are one suite's, and share its lock; each of the others has one of its own.
        sessions = [session(server, client, document, number, "shared" if number % 2 else f"L{number}") for number in range(SESSIONS)]
        before = descriptors(server.pid), memory(server.pid)
        taken: dict[str, int] = {}
        refused: list[bytes] = []

        async def work(each: Session) -> None:
            locked = await each.ask("LOCK")
            assert locked.status_code in {200, 409}, locked.text
            if locked.status_code == 409:
                assert locked.headers["x-wopi-lock"] != each.lock
            got = await each.get()
            assert got.status_code == 200
            put = await each.ask("PUT", body_of(each.number, 1))
            assert put.status_code in {200, 409}, put.text
            if put.status_code == 200:
                taken[sha256(body_of(each.number, 1)).hexdigest()] = int(put.headers["x-wopi-itemversion"].split("-")[0])
            else:
                refused.append(body_of(each.number, 1))
            unlocked = await each.ask("UNLOCK")
            assert unlocked.status_code in {200, 409}, unlocked.text

        random.shuffle(sessions)
        await asyncio.gather(*(work(each) for each in sessions))
        assert len(taken) + len(refused) == SESSIONS
        assert len(set(taken.values())) == len(taken) > 0
        stands = sha256((server.root / "a.docx").read_bytes()).hexdigest()
        assert taken[stands] == max(taken.values())
        kept = {path.read_bytes() for path in server.root.rglob("*conflict*") if path.is_file()}
        assert set(refused) <= kept, "a refused body is nowhere"
    await at_rest(server, before)
