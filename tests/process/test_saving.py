"""SAVE-1: a document is saved soon after the last edit, at most some time after the first, and when the last person leaves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from serving import serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from interop.conftest import Peers

NAME = "notes.md"


async def test_a_document_that_is_edited_without_a_pause_is_saved_all_the_same(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, COLLAB_SAVE_DELAY="1", COLLAB_SAVE_AT_MOST="2") as server:
        server.write(NAME, "start\n")
        peer = await (await peers("hocuspocus-4", server, NAME)).stored()

        await peer.type("word", pause=50, seed=7)
        await until(lambda: "word-0" in server.read(NAME))
        saved = set(server.read(NAME).splitlines())
        await until(lambda: not set(server.read(NAME).splitlines()) <= saved)

        typed, _ = await peer.rest()
        await server.holds(NAME, Counter(["start", *typed]))


@pytest.mark.parametrize("client", ["y-websocket-3", "hocuspocus-4"])
async def test_a_document_is_saved_at_once_when_the_last_person_leaves(client: str, tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, COLLAB_SAVE_DELAY="600", COLLAB_SAVE_AT_MOST="600") as server:
        server.write(NAME, "start\n")
        first = await (await peers(client, server, NAME)).synced()
        last = await (await peers(client, server, NAME)).synced()
        await first.line("typed", 1.0)
        await last.reads("start\ntyped\n")

        await first.end()
        await last.line("typed too", 1.0)
        await last.stored()
        assert server.read(NAME) == "start\n"
        await last.do("disconnect")

        await server.shows(NAME, "start\ntyped\ntyped too\n")
