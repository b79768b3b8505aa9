"""RESTORE-1, RESTORE-2, RESTORE-3: a backup made under writers, restored, and the writers come back with what they typed since."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from serving import until

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import Peers
    from serving import Served

NAME = "notes.md"


async def offer(server: Served, text: str) -> None:
    """What a page does with a copy that has another history."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {server.token('Ann')}"}) as client:
        answer = await client.post(f"{server.url}/api/documents/{NAME}/content", content=text.encode())
        assert answer.status_code == 200, answer.text


async def back_up(server: Served, folder: Path) -> None:
    made = await asyncio.to_thread(server.run, "backup", "--to", str(folder / "backup.tar"), "--with-secret")
    assert made.returncode == 0, made.stderr


async def restored(server: Served, folder: Path) -> None:
    """The state is lost, and made again from the backup."""
    shutil.rmtree(server.state)
    done = await asyncio.to_thread(server.run, "restore", str(folder / "backup.tar"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", ["newer", "older", "gone"])
async def test_no_word_of_clients_from_before_a_restored_backup_is_lost_or_doubled(
    server: Served, peers: Peers, tmp_path: Path, file: str
) -> None:
    """RESTORE-1, RESTORE-2: also when the file is older than the backup, newer, or gone."""
    server.write(NAME, "start\n")
    ann, bob = await peers("hocuspocus-4", server, NAME), await peers("y-websocket-3", server, NAME)
    await ann.line("saved before", 1.0)
    await server.holds(NAME, Counter(["start", "saved before"]))
    shutil.copy(server.root / NAME, tmp_path / "older.md")
    await bob.line("stored before", 0.0)
    await ann.holds(Counter(["start", "saved before", "stored before"]))
    await ann.stored()
    await back_up(server, tmp_path)

    await ann.line("after", 1.0)
    await bob.line("after it, too", 0.5)
    words = Counter(["start", "saved before", "stored before", "after", "after it, too"])
    await asyncio.gather(ann.holds(words), bob.holds(words))
    await ann.stored()
    await server.holds(NAME, words)
    await asyncio.to_thread(server.kill)
    await ann.lost()
    await ann.line("never sent", 0.0)

    if file == "older":
        shutil.copy(tmp_path / "older.md", server.root / NAME)
    elif file == "gone":
        (server.root / NAME).unlink()
    await restored(server, tmp_path)
    await asyncio.to_thread(server.start)

    await ann.denied("lineage")
    await until(lambda: 4409 in bob.codes, saying=lambda: bob.codes)
    cat = await (await peers("hocuspocus-3", server, NAME)).synced()
    assert {"start", "saved before", "stored before"} <= set(cat.lines)
    await cat.line("typed meanwhile", 1.0)
    await cat.stored()
    for text in (ann.text, bob.text, ann.text):
        await offer(server, text)

    everything = words + Counter(["never sent", "typed meanwhile"])
    await cat.holds(everything)
    await server.holds(NAME, everything)
    assert (server.root / NAME).read_text() == cat.text


async def test_a_backup_that_is_taken_under_load_is_of_one_moment(server: Served, peers: Peers, tmp_path: Path) -> None:
    """RESTORE-1: whatever was stored before it was begun is in it, with checkpoints and versions made at the same time."""
    server.environment |= {"COLLAB_SAVE_DELAY": "0.05"}
    await asyncio.to_thread(server.restart)
    server.write(NAME, "x" * 300_000 + "\n")
    peer = await (await peers("hocuspocus-4", server, NAME)).synced()
    stored: set[str] = set()
    for number in range(3):
        await peer.stored()
        await peer.type(f"word{number}", pause=5, seed=number + 1)
        while (await peer.do("progress"))["stored"] < 60 * (number + 1):
            pass
        (tmp_path / "backup.tar").unlink(missing_ok=True)
        _, stored = (await peer.rest()) if number == 2 else ([], set())
        if number == 2:
            await peer.type("late", pause=5, seed=9)
        await back_up(server, tmp_path)
    await asyncio.to_thread(server.kill)
    (server.root / NAME).unlink()
    await restored(server, tmp_path)
    await asyncio.to_thread(server.start)
    await until(lambda: stored <= set(server.read(NAME).splitlines()))


async def test_the_state_can_be_deleted_and_no_text_with_it(server: Served, peers: Peers) -> None:
    """RESTORE-3: at the end everything is in the files; and what was in a file after `kill -9` is there with another state."""
    server.write(NAME, "start\n")
    ann = await (await peers("hocuspocus-4", server, NAME)).synced()
    await ann.line("not saved yet", 1.0)
    await ann.stored()
    await asyncio.to_thread(server.stop)
    assert server.read(NAME) == "start\nnot saved yet\n"
    shutil.rmtree(server.state)
    await asyncio.to_thread(server.start)
    bob = await (await peers("hocuspocus-4", server, NAME)).synced()
    assert bob.text == "start\nnot saved yet\n"
    await bob.line("saved", 1.0)
    await server.holds(NAME, Counter(["start", "not saved yet", "saved"]))
    await asyncio.to_thread(server.kill)
    shutil.rmtree(server.state)
    await asyncio.to_thread(server.start)
    cat = await (await peers("y-websocket-4", server, NAME)).synced()
    assert cat.text == "start\nnot saved yet\nsaved\n"
