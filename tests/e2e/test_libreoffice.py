"""A real office suite writes over WOPI, while people write in browsers: LibreOffice opens what GetFile gave, and what it saves goes back by PutFile."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from e2e.test_csv import opened as table_of
from libreoffice import CSV, TEXT, libreoffice
from office import ANN, BEN, opened
from scale import scale
from serving import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from e2e.people import Company, Editor
    from libreoffice import Paper
    from playwright.async_api import Locator
    from serving import Served

    from collab.access import Person

ROUNDS = scale(4, 20)
"""So often the suite saves."""
PAUSE = scale(100, 20)
"""Milliseconds between keys: quick people, or as quick as browsers can."""
PLAIN = {"odt": "writer8", "docx": "MS Word 2007 XML", "ods": "calc8", "xlsx": "Calc MS Excel 2007 XML"}
"""What writer and calc take of our templates, and the filters that save it."""
TABLES = {"ods", "xlsx"}


@dataclass(slots=True)
class Desktop:
    """One document in LibreOffice, with the token of one person, as a suite's server holds it."""

    http: httpx.AsyncClient
    address: str
    token: str
    lock: str
    version: str = ""
    modified: str = ""
    typed: list[str] = field(default_factory=list)

    async def ask(self, method: str, operation: str = "", *, to: str = "", body: bytes = b"", **headers: str) -> httpx.Response:
        """A request of WOPI; AssertionError unless it is granted."""
        named = {"X-WOPI-Override": operation} if operation else {}
        sent = {**named, **{f"X-{name.replace('_', '-')}": value for name, value in headers.items()}}
        answer = await self.http.request(method, self.address + to, params={"access_token": self.token}, headers=sent, content=body)
        assert answer.status_code == 200, (operation or method, answer.status_code, answer.text, answer.headers)
        return answer

    async def open(self) -> bytes:
        """As a suite begins: what it is, the lock, the bytes."""
        info = (await self.ask("GET")).json()
        assert info["UserCanWrite"] is True
        self.version, self.modified = info["Version"], info["LastModifiedTime"]
        await self.ask("POST", "LOCK", WOPI_Lock=self.lock)
        answer = await self.ask("GET", to="/contents")
        return answer.content

    async def save(self, body: bytes) -> None:
        """PutFile, as Collabora does it: nobody who types may make it fail."""
        info = (await self.ask("GET")).json()
        assert (info["Version"], info["LastModifiedTime"]) == (self.version, self.modified)
        answer = await self.ask("POST", "PUT", to="/contents", body=body, WOPI_Lock=self.lock, COOL_WOPI_Timestamp=self.modified)
        self.version, self.modified = answer.headers["X-WOPI-ItemVersion"], answer.json()["LastModifiedTime"]

    async def leave(self) -> None:
        """Unlock."""
        await self.ask("POST", "UNLOCK", WOPI_Lock=self.lock)


@asynccontextmanager
async def desktop(served: Served, path: str, name: str = "Olga") -> AsyncIterator[Desktop]:
    """Somebody's WOPI session on a document."""
    made = await asyncio.to_thread(served.run, "token", "--wopi", "--document", path, "--role", "editor", "--name", name)
    given = json.loads(made.stdout)
    async with httpx.AsyncClient(timeout=60.0) as http:
        yield Desktop(http, given["wopisrc"], given["access_token"], f"lock of {name}")


@asynccontextmanager
async def session(served: Served, path: str, person: Person) -> AsyncIterator[Desktop]:
    """The same without the second that a process takes."""
    office = await asyncio.to_thread(opened, served, path, None)
    office = office.of(person)
    async with httpx.AsyncClient(timeout=60.0) as http:
        yield Desktop(http, office.src, office.token, f"lock of {person.id}")


async def test_a_new_document_is_opened_changed_and_saved_by_libreoffice(shared_server: Served, tmp_path: Path) -> None:
    """WOPI: what is made from our templates is opened without repair; the bytes that the suite saved are the file, and open to the next one."""
    async with libreoffice(tmp_path) as office:
        for ending, writer in PLAIN.items():
            path = shared_server.root / f"report.{ending}"
            await made(shared_server, path.name, ending)
            async with session(shared_server, path.name, ANN) as ann:
                paper = await office.open(await ann.open(), ending)
                assert await read(paper, ending) == []
                for number in range(3):
                    await typed(paper, ending, number)
                    saved = await paper.save(writer)
                    await ann.save(saved)
                    assert path.read_bytes() == saved
                await paper.close()
                await ann.leave()
            async with session(shared_server, path.name, BEN) as ben:
                again = await office.open(await ben.open(), ending)
                assert await read(again, ending) == ["word0", "word1", "word2"]
                await again.close()
                await ben.leave()


async def made(served: Served, path: str, template: str) -> None:
    """A new document from what is built in."""
    headers = {"Authorization": f"Bearer {served.token()}"}
    async with httpx.AsyncClient(timeout=60.0) as http:
        answer = await http.post(f"{served.url}/api/documents", json={"path": path, "template": template}, headers=headers)
    assert answer.status_code == 201, answer.text


async def typed(paper: Paper, ending: str, number: int) -> None:
    if ending in TABLES:
        await paper.fill(f"A{number + 1}", f"word{number}")
    else:
        await paper.append(f"word{number} ")


async def read(paper: Paper, ending: str) -> list[str]:
    """The words that are there."""
    cells = [await paper.cell(f"A{number}") for number in (1, 2, 3)] if ending in TABLES else (await paper.text()).split()
    return [each for each in cells if each]


STORY = "# Títle\r\n\r\nA first line … nobody touches it.\r\n\r\nAnn: \r\n\r\nA line between.\r\n\r\nBob: \r\n\r\nThe last line"


@pytest.mark.parametrize("name", ["story.md", "story.txt"])
async def test_a_text_is_written_by_two_browsers_and_libreoffice_at_once(
    shared_server: Served, company: Company, tmp_path: Path, name: str
) -> None:
    """WOPI: every word of everybody is there once, and what nobody touched keeps its bytes."""
    shared_server.write(f"office/{name}", STORY)
    ann, bob = [await (await company.join(person, shared_server)).open(f"office/{name}") for person in ("Ann", "Bob")]
    done = asyncio.Event()
    words: list[str] = []
    async with libreoffice(tmp_path) as office:
        typing = [asyncio.create_task(type_at(editor, person, done, words)) for editor, person in ((ann, "Ann"), (bob, "Bob"))]
        for session in range(2):
            async with desktop(shared_server, f"office/{name}") as olga:
                paper = await office.open(await olga.open(), "txt", *TEXT)
                for number in range(ROUNDS):
                    words.append(f"office{session}x{number}")
                    await paper.append(f" {words[-1]}")
                    words.append(f"middle{session}x{number}")
                    await paper.replace("between.", f"{words[-1]} between.")
                    await more(words)
                    await olga.save(await paper.save(*TEXT))
                await paper.close()
                await olga.leave()
        done.set()
        await asyncio.gather(*typing)
    await everything(shared_server, [ann, bob], f"office/{name}", words)


async def more(words: list[str]) -> None:
    """Until people have typed on."""
    before = len(words)
    await until(lambda: len(words) > before + 1)


async def type_at(editor: Editor, name: str, done: asyncio.Event, words: list[str]) -> None:
    """Words one after the other, at one's own place."""
    await editor.caret_after(f"{name}: ")
    number = 0
    while not done.is_set():
        word = f"{name.lower()}{number}"
        await editor.page.keyboard.type(word + " ", delay=PAUSE)
        words.append(word)
        number += 1


async def everything(served: Served, editors: list[Editor], path: str, words: list[str]) -> None:
    """Until pages and file are equal; each word is there once, what nobody touched as it was."""
    for editor in editors:
        await editor.saved()
    body = served.read(path)
    assert "\ufeff" not in body
    assert body.startswith("# Títle\r\n\r\nA first line … nobody touches it.\r\n\r\nAnn: ann0 ")
    assert body.replace("\r\n", "").count("\n") == 0
    assert not body.endswith("\n")
    for editor in editors:
        await editor.reads(body.replace("\r\n", "\n"))
    counts = Counter(body.split())
    assert {word: counts[word] for word in words if counts[word] != 1} == {}
    assert not list((served.root / path).parent.glob("*(*"))


ROWS = 12
TABLE = [
    "number,Ann,Bob,Olga,price,day,quoted,twice",
    *(f'{row:03},,,,{row}.50,2020-01-{row:02},"said {row}",=E{row + 1}*2' for row in range(1, ROWS)),
]


async def test_a_table_is_written_by_two_browsers_and_libreoffice_at_once(shared_server: Served, company: Company, tmp_path: Path) -> None:
    """WOPI: every cell of everybody is there once; cells that nobody changed keep their bytes, whatever LibreOffice makes of numbers, quotes and formulas."""
    shared_server.write("office/table.csv", "\n".join(TABLE) + "\n")
    tables = [await table_of(await company.join(person, shared_server), "office/table.csv") for person in ("Ann", "Bob")]
    async with libreoffice(tmp_path) as office, desktop(shared_server, "office/table.csv") as olga:
        paper = await office.open(await olga.open(), "csv", *CSV)
        assert await paper.cell("A2") == "1"
        for row in range(2, ROWS + 1):
            await asyncio.gather(
                *(fill(table.cell(f"{column}{row}"), f"{column.lower()}{row}") for table, column in zip(tables, "BC", strict=True))
            )
            await paper.fill(f"D{row}", f"olga{row}")
            await olga.save(await paper.save(*CSV))
        await paper.close()
        await olga.leave()
    # Until a page has heard of it, "in the file" is said of what was there before.
    await until(lambda: f"olga{ROWS}" in shared_server.read("office/table.csv"))
    for table in tables:
        await table.editor.saved()
    rows = list(csv.reader(shared_server.read("office/table.csv").splitlines()))
    assert [row[1:4] for row in rows[1:]] == [[f"b{row}", f"c{row}", f"olga{row}"] for row in range(2, ROWS + 1)]
    untouched = [line.split(",") for line in shared_server.read("office/table.csv").splitlines()]
    assert [[line[0], *line[4:]] for line in untouched] == [[line.split(",")[0], *line.split(",")[4:]] for line in TABLE]


async def fill(cell: Locator, value: str) -> None:
    """As people do: a click, the value, Enter."""
    await cell.click()
    await cell.page.keyboard.type(value)
    await cell.page.keyboard.press("Enter")
