"""Tags and descriptions over REST (META-1, META-2, META-5, META-6)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from standing import Site, stand

from collab.access import Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

ONE = "/api/documents/notes%2Fa.md"
SAID: dict[str, Any] = {"tags": ["Genome", "lab notes"], "description": "one\ntwo"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "root" / "notes").mkdir(parents=True)
    for name in ("a.md", "b.md"):
        (tmp_path / "root" / "notes" / name).write_bytes(b"text about wheat\n")
    async with stand(tmp_path, save_delay=0.0) as site:
        yield site


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["detail"]


def told(answer: httpx.Response) -> dict[str, Any]:
    """What is said, and that it is kept; the etag is that of the header."""
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{said.pop("etag")}"'
    assert said.pop("kept") is True
    return said


async def put(client: httpx.AsyncClient, one: str = ONE, /, *, match: str = "", **fields: Any) -> httpx.Response:
    return await client.put(f"{one}/metadata", json=fields, headers={"If-Match": match} if match else {})


async def test_editors_say_it_and_readers_read_it(site: Site) -> None:
    """META-5."""
    async with site.of() as ada, site.of(Role.VIEWER) as reader:
        nothing = await reader.get(f"{ONE}/metadata")
        assert told(nothing) == {"tags": [], "description": ""}
        assert nothing.headers["cache-control"] == "private, no-store"
        said = await put(ada, **SAID)
        assert told(said) == SAID
        assert told(await reader.get(f"{ONE}/metadata")) == SAID
        refused(await put(reader, tags=[]), 403, "forbidden")
        # Only what is named changes.
        assert told(await put(ada, description="")) == {"tags": SAID["tags"], "description": ""}
        assert (await put(ada, tags=["x"])).json()["tags"] == ["x"]


async def test_what_was_read_can_be_named_and_else_the_last_one_counts(site: Site) -> None:
    """META-2."""
    async with site.of() as ada:
        read = (await ada.get(f"{ONE}/metadata")).headers["etag"]
        fresh = await put(ada, match=read, tags=["a"])
        assert fresh.status_code == 200
        refused(await put(ada, match=read, tags=["b"]), 412, "changed")
        assert (await put(ada, match=fresh.headers["etag"], tags=["a", "b"])).json()["tags"] == ["a", "b"]
        assert (await put(ada, match="*", description="any")).status_code == 200
        assert told(await put(ada, tags=["last"])) == {"tags": ["last"], "description": "any"}
        both = await asyncio.gather(put(ada, tags=["both"]), put(ada, description="both"))
        assert [each.status_code for each in both] == [200, 200]
        assert told(await ada.get(f"{ONE}/metadata")) == {"tags": ["both"], "description": "both"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"tags": "a"}, "list of strings"),
        ({"tags": [1]}, "list of strings"),
        ({"tags": ["a,b"]}, "without commas"),
        ({"tags": [str(each) for each in range(21)]}, "at most 20 tags"),
        ({"tags": ["x" * 51]}, "at most 50 characters"),
        ({"description": "x" * 1001}, "at most 1000 characters"),
        ({"description": None}, "a string"),
        ({"title": "x"}, "means nothing here"),
    ],
)
async def test_what_is_too_much_or_no_text_is_told(site: Site, body: dict[str, Any], words: str) -> None:
    """META-5."""
    async with site.of() as ada:
        answer = await put(ada, **body)
        refused(answer, 400, "malformed")
        assert words in answer.json()["detail"]
        refused(await put(ada, "/api/documents/notes", tags=["x"]), 404, "not-found")
        refused(await put(ada, "/api/documents/none.md", tags=["x"]), 404, "not-found")


async def test_a_token_for_one_document_reaches_that_one_alone(site: Site) -> None:
    async with site.of(Role.EDITOR, "notes/a.md") as ada:
        assert (await put(ada, tags=["mine"])).status_code == 200
        refused(await put(ada, "/api/documents/notes%2Fb.md", tags=["x"]), 403, "forbidden")
        refused(await ada.get("/api/documents/notes%2Fb.md/metadata"), 403, "forbidden")
    async with site.client() as nobody:
        refused(await nobody.get(f"{ONE}/metadata"), 401, "unauthorized")


async def test_it_stays_with_the_document_through_renames_saves_restorations_and_the_bin(site: Site) -> None:
    """META-1."""
    async with site.of() as ada:
        await put(ada, **SAID)
        document = (await ada.get(ONE)).json()["id"]
        await ada.put(f"{ONE}/content", content=b"more\n", headers={"If-Match": "*"})
        await site.app.rooms.flush([document])
        first = (await ada.get(f"{ONE}/versions")).json()["versions"][-1]["number"]
        assert (await ada.post(f"{ONE}/versions/{first}/restoration")).status_code == 200
        await ada.patch(ONE, json={"path": "c.md"}, headers={"If-Match": "*"})
        assert told(await ada.get("/api/documents/c.md/metadata")) == SAID
        key = (await ada.delete("/api/documents/c.md", headers={"If-Match": "*"})).json()["key"]
        refused(await ada.get("/api/documents/c.md/metadata"), 404, "not-found")
        await ada.post(f"/api/bin/{key}/restoration", json={})
        assert told(await ada.get("/api/documents/c.md/metadata")) == SAID
        key = (await ada.delete("/api/documents/c.md", headers={"If-Match": "*"})).json()["key"]
        await ada.delete(f"/api/bin/{key}")
        assert site.archive.disk.about == {}


async def test_lists_tell_the_tags_and_searches_find_them(site: Site) -> None:
    """META-6."""
    async with site.of() as ada:
        await put(ada, **SAID)
        await put(ada, "/api/documents/notes%2Fb.md", tags=["genetics"])
        listed = (await ada.get("/api/documents?path=notes")).json()["documents"]
        assert [each.get("tags") for each in listed] == [SAID["tags"], ["genetics"]]
        assert (await ada.get(ONE)).json()["tags"] == SAID["tags"]
        await ada.put(f"{ONE}/star")
        assert (await ada.get("/api/shelf")).json()["starred"][0]["tags"] == SAID["tags"]

        async def found(query: str, **more: str) -> list[str]:
            answer = await ada.get("/api/search", params={"q": query, **more})
            assert answer.status_code == 200, answer.text
            told = [json.loads(line) for line in answer.text.splitlines()]
            assert told[-1]["done"]
            assert told[-1]["searched"] == 2
            return [each["document"]["path"] for each in told if "document" in each]

        assert await found("tag:gen") == ["notes/a.md", "notes/b.md"]
        assert await found("TAG:Genome") == ["notes/a.md"]
        assert await found('tag:"lab notes" tag:genome') == ["notes/a.md"]
        assert await found("tag:genetics wheat") == ["notes/b.md"]
        assert await found("tag:genetics wheat", **{"in": "name"}) == []
        assert await found("tag:genetics b.md") == ["notes/b.md"]
        assert await found("tag:genetics", **{"in": "content"}) == ["notes/b.md"]
        assert await found("tag:none") == []
        refused(await ada.get("/api/search", params={"q": "tag:"}), 400, "malformed")
    async with site.of(Role.VIEWER, "notes/b.md") as one:
        answer = await one.get("/api/search", params={"q": "tag:gen"})
        assert [json.loads(line)["document"]["path"] for line in answer.text.splitlines()[:-1]] == ["notes/b.md"]


async def test_an_archive_that_is_away_takes_no_list_with_it(site: Site) -> None:
    async with site.of() as ada:
        await put(ada, **SAID)
        site.archive.refuse("the disk is away")
        listed = (await ada.get("/api/documents?path=notes")).json()["documents"]
        assert [each.get("tags") for each in listed] == [None, None]
        refused(await ada.get(f"{ONE}/metadata"), 503, "unavailable")
        refused(await put(ada, tags=[]), 503, "unavailable")
