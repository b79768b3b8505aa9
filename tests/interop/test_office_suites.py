"""Office suites as their products behave save one text that two people type in over WebSockets: every line is there once (WOPI-16 to WOPI-19)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from interop.pycrdt_peer import PycrdtPeer
from office import BEN, Office, opened
from serving import server
from websockets.asyncio.client import connect
from wopi_clients import Collabora, Microsoft, OnlyOffice, in_turn

from collab import protocol
from collab.access import Person, Role
from collab.awareness import read
from collab.codec import Reader

if TYPE_CHECKING:
    from serving import Served
    from websockets.asyncio.client import ClientConnection
    from wopi_clients import Product

__all__ = ["server"]

CEM = Person("name:cem", "Cem")
DOCUMENTS = {"notes.md": "# Notes\n\nfirst\n", "table.csv": 'name,price\n"apple",1.50\npear,007', "plain.txt": "one\r\ntwo"}
ROUNDS = 4


class People:
    """Two who type in the room, and every line that anybody wrote."""

    def __init__(self, lines: list[str], peers: list[PycrdtPeer]) -> None:
        self.lines = Counter(lines)
        self._peers = peers
        self._typed = 0

    async def type(self) -> None:
        """Each of them writes a line at the beginning."""
        for number, peer in enumerate(self._peers):
            self._typed += 1
            line = f"typed {self._typed},by {number}"
            self.lines[line] += 1
            await peer.line(line, 0.0)

    def wrote(self, suite: Product, line: str) -> None:
        """Somebody in the suite writes a line."""
        suite.write(line)
        self.lines[line] += 1


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("product", ["collabora", "onlyoffice", "microsoft"])
async def test_a_suite_saves_what_two_people_type_in_and_every_line_is_there_once(server: Served, product: str, name: str) -> None:
    text = DOCUMENTS[name]
    first = await asyncio.to_thread(opened, server, name, text.encode())
    offices = [first, first.of(BEN), first.of(CEM)]
    token = server.token()
    async with PycrdtPeer(server.room(name, token)) as one, PycrdtPeer(server.room(name, token)) as other:
        people = People(text.splitlines(), [one, other])
        await SESSIONS[product](people, offices)
        for peer in (one, other):
            await peer.holds(people.lines)
        await server.holds(name, people.lines)
    body = (server.root / name).read_bytes()
    assert body.startswith(b"\xef\xbb\xbf") is False
    assert body.endswith(b"\n") == text.endswith("\n")


async def _collabora(people: People, offices: list[Office]) -> None:
    suite = Collabora(offices)
    await asyncio.to_thread(suite.open)
    await people.type()
    await asyncio.to_thread(suite.join)
    turn = in_turn(suite)
    for number in range(ROUNDS):
        people.wrote(suite, f"Collabora {number},x")
        await people.type()
        await asyncio.to_thread(suite.save, next(turn), auto=number % 2 == 0)
        await asyncio.to_thread(suite.refresh)
    people.wrote(suite, "Collabora last,x")
    await people.type()
    await asyncio.to_thread(suite.close, next(turn))


async def _onlyoffice(people: People, offices: list[Office]) -> None:
    suite = OnlyOffice(offices)
    await asyncio.to_thread(suite.open)
    for number in range(ROUNDS):
        people.wrote(suite, f"OnlyOffice {number},x")
        await people.type()
        await asyncio.to_thread(suite.read, offices[0].of(CEM, role=Role.VIEWER))
        if number == 1:
            await asyncio.to_thread(suite.force, 1)
    await people.type()
    await asyncio.to_thread(suite.close, 2)


async def _microsoft(people: People, offices: list[Office]) -> None:
    suite = Microsoft(offices)
    await asyncio.to_thread(suite.open)
    turn = in_turn(suite)
    for number in range(ROUNDS):
        people.wrote(suite, f"Microsoft {number},x")
        await people.type()
        await asyncio.to_thread(suite.save, next(turn))
        await asyncio.to_thread(suite.join if number % 2 else suite.refresh, number % 3)
    await people.type()
    people.wrote(suite, "Microsoft last,x")
    await asyncio.to_thread(suite.close, next(turn))


async def test_people_in_the_room_see_who_has_it_open_in_a_suite_until_it_unlocks(server: Served) -> None:
    """WOPI-24."""
    office = await asyncio.to_thread(opened, server, "seen.md", b"one\n")
    async with connect(server.room("seen.md", server.token()), open_timeout=60) as socket:
        await asyncio.to_thread(office.lock, "lock")
        await asyncio.to_thread(office.of(BEN).info)
        await socket.send(protocol.step1(b"\0"))
        seen: dict[int, str] = {}
        await in_suites(socket, ["Ann in office", "Ben ✍ in office"], seen)
        await asyncio.to_thread(office.lock, "lock", "UNLOCK")
        await in_suites(socket, [], seen)


async def in_suites(socket: ClientConnection, wanted: list[str], seen: dict[int, str] | None = None) -> None:
    """Until just these are heard to be in suites, beside those of before."""
    seen = {} if seen is None else seen
    async with asyncio.timeout(60):
        while sorted(seen.values()) != wanted:
            _hear(await socket.recv(), seen)


def _hear(message: str | bytes, seen: dict[int, str]) -> None:
    assert isinstance(message, bytes)
    if message[0] != 1:
        return
    for client, _, state in read(Reader(message, 1).var_bytes()):
        seen.pop(client, None)
        if state != "null":
            user = json.loads(state)["user"]
            seen[client] = f"{user['name']} in {user['suite']}"


SESSIONS = {"collabora": _collabora, "onlyoffice": _onlyoffice, "microsoft": _microsoft}
