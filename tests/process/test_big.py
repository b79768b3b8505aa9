"""LOAD-1: long documents are opened, joined, edited, saved and merged, and the server goes on for everybody else meanwhile."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import httpx
from interop.pycrdt_peer import PycrdtPeer
from measured import check_stalls
from pycrdt import Array
from scale import scale
from serving import PATIENCE, Served, until
from traces import trace

from collab.journal.sqlite import SqliteJournal
from collab.ledger import pack
from collab.ports import Kind, Record

if TYPE_CHECKING:
    from pathlib import Path

    from pycrdt import Doc

EDITS = scale(60_000, 260_000)
"""The whole of the b4 trace has 260,000."""
AT_ONCE = 8
"""Edits that a record of the journal holds."""


async def write_log(state: Path, updates: list[bytes]) -> None:
    """Behind the only document's log, while no server runs."""
    with closing(sqlite3.connect(state / "journal.sqlite")) as database:
        ((document,),) = database.execute("SELECT id FROM documents").fetchall()
    journal = SqliteJournal(state / "journal.sqlite")
    some = [updates[start : start + AT_ONCE] for start in range(0, len(updates), AT_ONCE)]
    futures = [journal.append(document, Record(Kind.UPDATE, pack(each), {"by": [("ann", len(each))]})) for each in some]
    await asyncio.gather(*futures)
    await journal.close()


async def test_a_document_of_a_long_log_is_opened_and_typed_into_without_holding_anybody_up(server: Served) -> None:
    server.write("long.md", "")
    room = server.room("long.md", server.token())
    async with PycrdtPeer(room):
        pass
    await asyncio.to_thread(server.stop)
    updates, text = trace(EDITS)
    await write_log(server.state, updates)
    await asyncio.to_thread(server.start)
    room = server.room("long.md", server.token())
    for begin in ("from the log\n", "from the checkpoint\n"):
        async with PycrdtPeer(room) as ann, PycrdtPeer(room) as bob:
            assert ann.text == text
            ann.content.insert(0, begin)
            text = begin + text
            await bob.reads(text)
        await server.shows("long.md", text)
        await check_stalls(server)
        await asyncio.to_thread(server.restart)


def notebook(cells: int, size: int) -> dict[str, object]:
    """With so many cells of code, each with so many characters of output."""
    line = "y" * 60 + "\n"
    output = {"output_type": "stream", "name": "stdout", "text": [line] * (size // len(line))}
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": number,
            "source": [f"print({number})"],
            "outputs": [output],
        }
        for number in range(cells)
    ]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


async def asked(server: Served, name: str, old: bytes, new: bytes) -> None:
    """By a script and a reader, while the file does not hold yet what they see."""
    headers = {"Authorization": f"Bearer {server.token('Script')}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        got = await client.get(f"/api/documents/{name}/content")
        body = got.content.replace(old, new)
        put = await client.put(f"/api/documents/{name}/content", content=body, headers={"If-Match": got.headers["ETag"]})
        assert put.status_code == 200, put.text
        for address in (f"/api/documents/{name}", "/api/documents", f"/api/documents/{name}/content", f"/v/{name}"):
            assert (await client.get(address)).status_code == 200
        # An archive that is late is told afterwards.
        async with asyncio.timeout(PATIENCE):
            while not (versions := (await client.get(f"/api/documents/{name}/versions")).json()["versions"]):
                pass
        assert (await client.get(f"/api/documents/{name}/versions/{versions[0]['number']}/difference")).status_code == 200


async def test_a_big_notebook_is_opened_edited_saved_and_merged_without_holding_anybody_up(server: Served) -> None:
    given = notebook(1000, scale(6_000, 20_000))
    path = server.write("big.ipynb", json.dumps(given, indent=1) + "\n")
    async with PycrdtPeer(server.room("big.ipynb", server.token())) as ann:
        cells = cast("Doc[Any]", ann.doc).get("cells", type=Array)
        source = cells[500]["source"]
        assert str(source) == "print(500)"
        source.insert(0, "# Ann\n")
        await until(lambda: "# Ann" in path.read_text(), within=60)
        body = path.read_text()
        (there := path.with_name("new.ipynb")).write_text(body.replace("print(700)", "print(701)"))
        there.rename(path)
        await until(lambda: str(cells[700]["source"]) == "print(701)", within=60)
        assert str(cells[500]["source"]) == "# Ann\nprint(500)"
        await asked(server, "big.ipynb", b"print(600)", b"print(601)")
        await until(lambda: str(cells[600]["source"]) == "print(601)", within=60)
    await check_stalls(server)


async def test_a_big_text_is_opened_edited_saved_and_merged_without_holding_anybody_up(server: Served) -> None:
    lines = [f"{number} coral reef water depth sample probe station\n" for number in range(scale(80_000, 300_000))]
    path = server.write("big.md", "".join(lines))
    async with PycrdtPeer(server.room("big.md", server.token())) as ann:
        ann.content.insert(0, "Ann\n")
        await until(lambda: path.read_text().startswith("Ann\n"), within=60)
        (there := path.with_name("new.md")).write_text("Ann\n" + "".join(lines[:1000] + lines[1001:]) + "Bob\n")
        there.rename(path)
        await ann.until(lambda: ann.text.endswith("Bob\n"), within=60)
        assert ann.text == path.read_text()
    await check_stalls(server)
