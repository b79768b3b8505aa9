"""RESTORE-1, RESTORE-2, RESTORE-3: a backup made under writers, restored, and the writers come back with what they typed since."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING

import httpx
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import Peers
    from interop.peer import Peer
    from serving import Served

NEWER, OLDER, GONE = FILES = ("newer.md", "older.md", "folder/gone.md")
BEFORE = Counter(["start", "saved before", "stored before"])
SINCE = BEFORE + Counter(["after", "after it, too"])


async def offer(server: Served, name: str, text: str) -> None:
    """What a page does with a copy that has another history."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {server.token('Ann')}"}, verify=False, timeout=60) as client:
        answer = await client.post(f"{server.url}/api/documents/{name.replace('/', '%2F')}/content", content=text.encode())
        assert answer.status_code == 200, answer.text


async def run(server: Served, *command: str) -> str:
    done = await asyncio.to_thread(server.run, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def opened(peer: Peer) -> Peer:
    for name in (OLDER, GONE):
        await peer.do("open", document=name)
    for name in FILES:
        await peer.synced(name)
    return peer


async def each_file(server: Served, holds: Counter[str]) -> None:
    for name in FILES:
        await server.holds(name, holds)


async def each(peers: tuple[Peer, Peer], holds: Counter[str]) -> None:
    for peer in peers:
        for name in FILES:
            await peer.until(lambda peer=peer, name=name: Counter(peer.of(name)["text"].splitlines()) == holds)  # type: ignore[misc]


async def test_no_word_of_clients_from_before_a_restored_backup_is_lost_or_doubled(server: Served, peers: Peers, tmp_path: Path) -> None:
    """RESTORE-1, RESTORE-2: also when a file is newer than the backup, older, or gone."""
    for name in FILES:
        server.write(name, "start\n")
    ann, bob = both = await peers("hocuspocus-4", server, NEWER), await peers("y-websocket-3", server, NEWER)
    for peer in both:
        await opened(peer)
    for name in FILES:
        await bob.line("saved before", 1.0, name)
    await each_file(server, Counter(["start", "saved before"]))
    shutil.copy(server.root / OLDER, tmp_path / "older.md")
    for name in FILES:
        await ann.line("stored before", 0.0, name)
    await each(both, BEFORE)
    # Others see a word before it is stored: who typed it is told.
    for name in FILES:
        await ann.stored(name)
    await run(server, "backup", "--to", str(tmp_path / "backup.tar"), "--with-secret")

    for name in FILES:
        await ann.line("after", 1.0, name)
        await bob.line("after it, too", 0.5, name)
    await each(both, SINCE)
    await each_file(server, SINCE)
    await asyncio.to_thread(server.kill)
    await ann.lost()
    for name in FILES:
        await ann.line("never sent", 0.0, name)

    shutil.copy(tmp_path / "older.md", server.root / OLDER)
    shutil.rmtree(server.root / "folder")
    shutil.rmtree(server.state)
    told = await run(server, "restore", str(tmp_path / "backup.tar"))
    assert f"{GONE}: the file was gone, and is written again" in told
    await asyncio.to_thread(server.start)

    await ann.denied("lineage")
    await until(lambda: 4409 in bob.codes, saying=lambda: bob.codes)
    cat = await opened(await peers("hocuspocus-3", server, NEWER))
    everything = SINCE + Counter(["never sent", "typed meanwhile"])
    for name in FILES:
        assert set(BEFORE) <= set(cat.of(name)["text"].splitlines())
        await cat.line("typed meanwhile", 1.0, name)
        await cat.stored(name)
        for peer in (ann, bob, ann):
            await offer(server, name, peer.of(name)["text"])
        await cat.until(lambda name=name: Counter(cat.of(name)["text"].splitlines()) == everything)  # type: ignore[misc]
    await each_file(server, everything)
    assert {name: server.read(name) for name in FILES} == {name: cat.of(name)["text"] for name in FILES}


async def test_a_backup_under_load_is_of_one_moment_and_the_state_can_be_deleted(server: Served, peers: Peers, tmp_path: Path) -> None:
    """RESTORE-1, RESTORE-3."""
    server.environment |= {"COLLAB_SAVE_DELAY": "0.05"}
    await asyncio.to_thread(server.restart)
    server.write(NEWER, "start\n")
    ann, bob = await peers("hocuspocus-4", server, NEWER), await peers("hocuspocus-4", server, NEWER)
    await bob.synced()
    await ann.synced()
    await ann.type("word", pause=10, seed=1)
    while (await ann.do("progress"))["stored"] < 50:
        pass
    _, stored = await ann.rest()
    await bob.type("late", pause=10, seed=2)
    await run(server, "backup", "--to", str(tmp_path / "backup.tar"))
    typed, _ = await bob.rest()
    await bob.stored()

    # At the end everything is in the files: the state can go.
    await asyncio.to_thread(server.stop)
    assert stored | set(typed) <= set(server.read(NEWER).splitlines())
    shutil.rmtree(server.state)
    whole = server.read(NEWER)
    await asyncio.to_thread(server.start)
    cat = await (await peers("y-websocket-4", server, NEWER)).synced()
    assert cat.text == whole
    await cat.end()
    await asyncio.to_thread(server.kill)

    (server.root / NEWER).unlink()
    shutil.rmtree(server.state)
    await run(server, "restore", str(tmp_path / "backup.tar"))
    assert stored <= set(server.read(NEWER).splitlines())


async def test_words_in_one_line_that_two_pages_bring_back_are_there_once_whoever_comes_first(server: Served, tmp_path: Path) -> None:
    """RESTORE-2."""
    brought = ("unsent since then start\n", "since then start\n", "since then start, too\n")
    orders = {f"{number}.md": order for number, order in enumerate(permutations(brought))}
    for name in orders:
        server.write(name, "start\n")
        await offer(server, name, "start\n")
    await run(server, "backup", "--to", str(tmp_path / "backup.tar"), "--with-secret")
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.state)
    await run(server, "restore", str(tmp_path / "backup.tar"))
    await asyncio.to_thread(server.start)
    for name, order in orders.items():
        for text in order:
            await offer(server, name, text)
    for name in orders:
        await server.shows(name, "unsent since then start, too\n")
