"""The authors over REST (AUTHORS-1, AUTHORS-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from standing import ADA, Site, stand

from collab.access import Person, Role, color_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TEXT = "one 😀 two\n"
BOB = Person("name:Bob", "Bob")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.md").write_bytes(TEXT.encode())
    (root / "picture.png").write_bytes(b"\x89PNG\0")
    async with stand(tmp_path, save_delay=0.0, room_idle=60.0) as site:
        yield site


async def put(site: Site, person: Person, body: str) -> None:
    async with site.client(site.token(person=person)) as client:
        answer = await client.put("/api/documents/a.md/content", content=body.encode(), headers={"If-Match": "*"})
        assert answer.status_code == 200


async def test_whoever_may_read_sees_who_wrote_what(site: Site) -> None:
    """AUTHORS-1, AUTHORS-4."""
    await put(site, ADA, TEXT + "ada 😀😀\n")
    await put(site, BOB, "one 😀 two\nbob ada 😀😀\n".replace("two", "2"))
    async with site.client(site.token(Role.VIEWER)) as viewer:
        answer = await viewer.get("/api/documents/a.md/authors")
        assert answer.status_code == 200
        told = answer.json()
        assert told["characters"] == len("one 😀 2\nbob ada 😀😀\n") == sum(each["characters"] for each in told["authors"])
        file, ada, bob = sorted(told["authors"], key=lambda each: each["name"])
        assert (file["kind"], file["id"], file["name"], file["color"], file["characters"]) == ("file", "", "", "", 7)
        assert (ada["kind"], ada["name"], ada["color"], ada["characters"], ada["deleted"]) == ("person", "Ada", color_of(ADA.id), 7, 0)
        assert (bob["name"], bob["characters"], bob["deleted"]) == ("Bob", 5, 3)
        assert bob["first"] == bob["last"] == "2027-01-15T08:00:00.000Z"
        places = {each["name"]: place for place, each in enumerate(told["authors"])}
        assert told["runs"] == [
            {"start": 0, "stop": 6, "author": places[""]},
            {"start": 6, "stop": 7, "author": places["Bob"]},
            {"start": 7, "stop": 8, "author": places[""]},
            {"start": 8, "stop": 12, "author": places["Bob"]},
            {"start": 12, "stop": 19, "author": places["Ada"]},
        ]


async def test_an_editor_gets_them_by_client_and_clock(site: Site) -> None:
    """AUTHORS-1: each client's clocks from the first on are somebody's."""
    await put(site, ADA, TEXT + "more\n")
    async with site.of() as ada:
        told = (await ada.get("/api/documents/a.md/authors?runs=clients")).json()
    assert "runs" not in told
    places = {each["kind"]: place for place, each in enumerate(told["authors"])}
    assert sorted(told["clients"].values()) == sorted([[[0, len(TEXT) + 2, places["file"]]], [[0, 5, places["person"]]]])


async def test_who_may_not_read_sees_no_author_and_other_files_have_none(site: Site) -> None:
    """AUTHORS-4."""
    async with site.client() as nobody, site.of() as ada:
        assert (await nobody.get("/api/documents/a.md/authors")).status_code == 401
        assert (await ada.get("/api/documents/a.md/authors?runs=x")).status_code == 400
        assert (await ada.get("/api/documents/nothing.md/authors")).status_code == 404
        assert (await ada.get("/api/documents/picture.png/authors")).status_code == 415
    async with site.client(site.token(document="other.md")) as other:
        assert (await other.get("/api/documents/a.md/authors")).status_code == 403
