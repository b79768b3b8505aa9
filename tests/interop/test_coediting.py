"""SYNC-9, ID-8, SAVE-9: unmodified clients of every family write into one document at once; all and the file end up with the same words."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Protocol

import pytest
from interop.peer import CLIENTS, HOCUSPOCUS
from interop.pycrdt_peer import PycrdtPeer
from scale import scale

if TYPE_CHECKING:
    import random

    from interop.conftest import Peers
    from serving import Served

START = "# Größe ☃ 😀\n\nThe first paragraph.\nعربي and עברית\n"


class Writer(Protocol):
    @property
    def text(self) -> str: ...

    async def line(self, text: str, place: float) -> None: ...

    async def holds(self, lines: Counter[str]) -> None: ...


def lines(text: str) -> Counter[str]:
    return Counter(text.splitlines())


async def write(writer: Writer, words: list[str], chance: random.Random) -> None:
    for word in words:
        await writer.line(word, chance.random())


async def test_all_clients_edit_one_document_at_once_and_everybody_and_the_file_read_the_same(
    shared_server: Served, peers: Peers, seeded: random.Random
) -> None:
    shared_server.write("all.md", START)
    started = await asyncio.gather(*(peers(client, shared_server, "all.md") for client in CLIENTS))
    await asyncio.gather(*(peer.synced() for peer in started))
    async with PycrdtPeer(shared_server.room("all.md", shared_server.token("pycrdt"))) as pycrdt:
        writers: dict[str, Writer] = {peer.client: peer for peer in started} | {"pycrdt": pycrdt}
        words = {name: [f"{name} wrote № {number} ✍🏽" for number in range(scale(12, 200))] for name in writers}

        await asyncio.gather(*(write(writer, words[name], seeded) for name, writer in writers.items()))

        expected = lines(START) + Counter(word for written in words.values() for word in written)
        for writer in writers.values():
            await writer.holds(expected)
        assert {writer.text for writer in writers.values()} == {pycrdt.text}
        await shared_server.shows("all.md", pycrdt.text)
    for peer in started:
        await peer.stored()


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_reads_the_file_and_its_edits_reach_the_file(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"one/{client}.txt"
    shared_server.write(name, START)
    peer = await (await peers(client, shared_server, name)).synced()
    await peer.reads(START)

    await peer.insert(len("# Größe ☃ 😀".encode("utf-16-le")) // 2, " 👩‍👩‍👧")
    await peer.delete(0, 2)

    expected = START.replace("# Größe ☃ 😀", "Größe ☃ 😀 👩‍👩‍👧")
    await peer.reads(expected)
    await shared_server.shows(name, expected)


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_client_and_pycrdt_see_each_others_words(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"two/{client}.md"
    shared_server.write(name, "between\n")
    peer = await (await peers(client, shared_server, name)).synced()
    async with PycrdtPeer(shared_server.room(name, shared_server.token("pycrdt"))) as pycrdt:
        await pycrdt.reads("between\n")

        await pycrdt.line("above", 0.0)
        await peer.line("below", 1.0)

        expected = Counter(["above", "between", "below"])
        await peer.holds(expected)
        await pycrdt.holds(expected)
        assert peer.text == pycrdt.text
        await shared_server.shows(name, pycrdt.text)


async def test_a_file_that_is_opened_and_not_edited_is_not_written(shared_server: Served, peers: Peers) -> None:
    path = shared_server.write("untouched.md", "\ufeffone\r\ntwo\rthree\n")
    before = path.stat()
    peer = await (await peers("hocuspocus-4", shared_server, "untouched.md")).stored()
    assert peer.text == "one\ntwo\nthree\n"
    await peer.end()

    other = await (await peers("y-websocket-3", shared_server, "untouched.md")).synced()
    await other.reads("one\ntwo\nthree\n")

    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("client", ["y-websocket-2", *HOCUSPOCUS])
async def test_people_see_who_else_is_there_under_the_names_that_the_server_knows(client: str, shared_server: Served, peers: Peers) -> None:
    name = f"presence/{client}.md"
    shared_server.write(name, "who?\n")
    ada = await (await peers("y-websocket-3", shared_server, name, token=shared_server.token("Ada"))).synced()
    eve = await (await peers(client, shared_server, name, token=shared_server.token("Eve"))).synced()

    await eve.do("awareness", state={"user": {"name": "Ada", "color": "#000000"}, "cursor": 3})

    shown = str(eve.of()["client"])
    await ada.until(lambda: ada.of()["awareness"].get(shown, {}).get("cursor") == 3)
    assert ada.of()["awareness"][shown]["user"]["name"] == "Eve"
    await eve.end()
    await ada.until(lambda: shown not in ada.of()["awareness"])
