from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from serving import PATIENCE
from standing import Site, stand

from collab.access import Person, Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

BOB = Person("name:Bob", "Bob")
SEARCH = b"GET /api/search?q=budget"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for name, body in {
        "budget.md": "Travel\n",
        "notes/a.md": "the Budget 😀 budget\n",
        "notes/deep/b.txt": "no\n\nBUDGET\n",
        "notes/c.zip": "budget",
        ".hidden/budget.md": "budget",
    }.items():
        (root / name).write_text(body, "utf-8")
    async with stand(tmp_path) as site:
        yield site


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def paths(answer: httpx.Response) -> list[str]:
    return [line["document"]["path"] for line in lines(answer) if "document" in line]


async def test_a_search_tells_names_first_then_lines_and_at_last_that_it_is_over(site: Site) -> None:
    """HTTP-11."""
    async with site.of(Role.VIEWER) as ada:
        answer = await ada.get("/api/search", params={"q": "budget"})
        name, first, second, end = lines(answer)
        assert (name["document"]["path"], name["matches"]) == ("budget.md", [])
        assert first == {
            "document": (await ada.get("/api/documents/notes%2Fa.md")).json(),
            "matches": [{"line": 1, "text": "the Budget 😀 budget", "ranges": [[4, 10], [14, 20]]}],
        }
        assert second["matches"] == [{"line": 3, "text": "BUDGET", "ranges": [[0, 6]]}]
        assert end == {"done": True, "searched": 4, "more": False}
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"


async def test_a_search_is_of_a_folder_and_of_names_or_texts_if_so_asked(site: Site) -> None:
    async with site.of() as ada:

        async def found(**asked: str) -> list[str]:
            return paths(await ada.get("/api/search", params={"q": "budget", **asked}))

        assert await found(path="notes/") == ["notes/a.md", "notes/deep/b.txt"]
        assert await found(path="notes/deep") == ["notes/deep/b.txt"]
        assert await found(**{"in": "name"}) == ["budget.md"]
        assert await found(**{"in": "content"}) == ["notes/a.md", "notes/deep/b.txt"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 400),
        ({"q": "  "}, 400),
        ({"q": "x" * 201}, 400),
        ({"q": "x", "in": "names"}, 400),
        ({"q": "x", "path": "none"}, 404),
        ({"q": "x", "path": "budget.md"}, 404),
        ({"q": "x", "path": ".hidden"}, 404),
        ({"q": "x", "path": "../root"}, 400),
        ({"q": "x", "path": "n" * 1025}, 413),
    ],
)
async def test_what_cannot_be_searched_is_refused_in_words(site: Site, asked: dict[str, str], status: int) -> None:
    """HTTP-5."""
    async with site.of() as ada:
        answer = await ada.get("/api/search", params=asked)
        assert answer.status_code == status
        assert answer.json()["detail"]


async def test_nobody_searches_who_has_not_signed_in(site: Site) -> None:
    async with site.client() as nobody:
        assert (await nobody.get("/api/search", params={"q": "budget"})).status_code == 401


@pytest.mark.parametrize("by_id", [False, True])
async def test_a_grant_for_one_document_finds_in_that_one_only(site: Site, *, by_id: bool) -> None:
    """HTTP-11."""
    async with site.of() as ada:
        document = (await ada.get("/api/documents/notes%2Fa.md")).json()["id"] if by_id else "notes/a.md"
    async with site.of(Role.VIEWER, document) as guest:
        assert paths(await guest.get("/api/search", params={"q": "budget"})) == ["notes/a.md"]
        assert paths(await guest.get("/api/search", params={"q": "budget", "path": "notes"})) == ["notes/a.md"]
        assert paths(await guest.get("/api/search", params={"q": "budget", "path": "notes/deep"})) == []
        assert paths(await guest.get("/api/search", params={"q": "travel"})) == []


async def test_what_is_found_tells_the_callers_star(site: Site) -> None:
    async with site.of() as ada, site.client(site.token(person=BOB)) as bob:
        await ada.put("/api/documents/notes%2Fa.md/star")
        for person, starred in ((ada, True), (bob, False)):
            found = lines(await person.get("/api/search", params={"q": "budget", "path": "notes"}))
            assert [line["document"]["starred"] for line in found[:2]] == [starred, False]


# --- as it goes out


async def nothing() -> Any:
    """The caller says no more, and stays."""
    await asyncio.Event().wait()


async def test_each_line_goes_out_before_the_search_goes_on(site: Site) -> None:
    """HTTP-11."""
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        if body := message.get("body"):
            told.append(json.loads(body))
            (site.root / "notes" / "deep" / "b.txt").unlink(missing_ok=True)

    await site.answer(SEARCH, nothing, send)
    assert [line.get("document", {}).get("path") for line in told] == ["budget.md", "notes/a.md", None]


async def test_who_hangs_up_ends_the_search_and_gives_the_turn_back(site: Site) -> None:
    """HTTP-11."""
    for _ in range(5):
        told, gone = list[bytes](), asyncio.Event()

        async def send(message: Any, told: list[bytes] = told, gone: asyncio.Event = gone) -> None:
            if body := message.get("body"):
                told.append(body)
                gone.set()
                await asyncio.Event().wait()

        async def receive(gone: asyncio.Event = gone) -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        await asyncio.wait_for(site.answer(SEARCH, receive, send), PATIENCE)
        assert len(told) == 1
    async with site.of() as ada:
        assert len(paths(await ada.get("/api/search", params={"q": "budget"}))) == 3


async def test_a_person_who_starts_ever_more_searches_is_told_to_wait(site: Site) -> None:
    """LIMIT-6."""
    refused = asyncio.Event()

    async def send(message: Any) -> None:
        if message.get("status") == 429:
            refused.set()
        elif message.get("body"):
            await asyncio.Event().wait()

    running = [asyncio.create_task(site.answer(SEARCH, nothing, send)) for _ in range(11)]
    await asyncio.wait_for(refused.wait(), PATIENCE)
    async with site.of() as ada, site.client(site.token(person=BOB)) as bob:
        assert (await ada.get("/api/search", params={"q": "budget"})).json()["reason"] == "too-many"
        assert len(paths(await bob.get("/api/search", params={"q": "budget"}))) == 3
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
