"""The history over REST (HISTORY-1 to HISTORY-3)."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from serving import PATIENCE, until
from standing import Site, stand

from collab.access import Role, color_of
from collab.differences import changes
from collab.runtime import history

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from collab.differences import Change

FIRST = "one two three\nfour five six\n"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.md").write_bytes(FIRST.encode())
    async with stand(tmp_path, save_delay=0.0, room_idle=60.0) as site:
        yield site


def at(rest: str = "") -> str:
    return f"/api/documents/a.md/versions{rest}"


def refused(answer: httpx.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["detail"]


async def written(site: Site, ada: httpx.AsyncClient, *bodies: str) -> list[dict[str, object]]:
    """Each body is saved before the next one; gives the versions, newest first."""
    for body in bodies:
        answer = await ada.put("/api/documents/a.md/content", content=body.encode(), headers={"If-Match": "*"})
        assert answer.status_code == 200
        await site.app.rooms.flush([answer.json()["id"]])
    found = (await ada.get(at())).json()
    assert not found["more"]
    versions: list[dict[str, object]] = found["versions"]
    return versions


async def test_each_save_is_a_version_with_its_writers_and_its_bytes(site: Site) -> None:
    """HISTORY-1."""
    async with site.of() as ada:
        newest, first = await written(site, ada, FIRST.replace("two", "TWO"))
        assert (newest["source"], first["source"]) == ("save", "first")
        assert newest["writers"] == [{"id": "name:Ada", "name": "Ada", "color": color_of("name:Ada")}]
        assert (await ada.get(at(f"/{first['number']}/content"))).content == FIRST.encode()
        got = await ada.get(at(f"/{newest['number']}/content"))
        assert got.content == FIRST.replace("two", "TWO").encode()
        assert got.headers["etag"] == f'"{newest["etag"]}"'
        assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert (await ada.get(at(f"/{newest['number']}"))).json() == newest


async def test_versions_come_in_pages(site: Site) -> None:
    async with site.of() as ada:
        all_ = await written(site, ada, *(FIRST + f"{number}\n" for number in range(5)))
        assert len(all_) == 6
        page = (await ada.get(at("?limit=4"))).json()
        assert (page["versions"], page["more"]) == (all_[:4], True)
        rest = (await ada.get(at(f"?limit=4&before={page['versions'][-1]['number']}"))).json()
        assert (rest["versions"], rest["more"]) == (all_[4:], False)
        refused(await ada.get(at("?limit=x")), 400, "malformed")


async def test_a_difference_tells_the_words(site: Site) -> None:
    """HISTORY-2."""
    async with site.of() as ada:
        later = FIRST.replace("two", "2").replace("six", "six seven")
        newest, first = await written(site, ada, later)
        found = (await ada.get(at(f"/{newest['number']}/difference"))).json()
        assert (found["from"], found["to"]) == (first["number"], newest["number"])
        changes = [(each["kind"], each["text"]) for each in found["changes"]]
        assert changes == [
            ("same", "one "),
            ("removed", "two"),
            ("added", "2"),
            ("same", " three\nfour five six"),
            ("added", " seven"),
            ("same", "\n"),
        ]
        back = (await ada.get(at(f"/{first['number']}/difference?from={newest['number']}"))).json()["changes"]
        assert "".join(each["text"] for each in back if each["kind"] != "removed") == FIRST
        assert "".join(each["text"] for each in back if each["kind"] != "added") == later
        alone = (await ada.get(at(f"/{first['number']}/difference"))).json()
        assert (alone["from"], alone["changes"]) == (None, [{"kind": "added", "text": FIRST}])


async def test_restoring_is_a_new_edit_and_what_was_there_is_a_version(site: Site) -> None:
    """HISTORY-3."""
    async with site.of() as ada:
        later = FIRST.replace("two", "TWO")
        newest, first = await written(site, ada, later)
        answer = await ada.post(at(f"/{first['number']}/restoration"))
        assert answer.status_code == 200
        await site.app.rooms.flush([answer.json()["id"]])
        assert (site.root / "a.md").read_text() == FIRST
        bodies = [(await ada.get(at(f"/{each['number']}/content"))).text for each in (await ada.get(at())).json()["versions"]]
        assert bodies == [FIRST, later, FIRST]
        assert (await ada.get(at(f"/{newest['number']}/content"))).text == later


async def test_a_version_gets_a_name_and_loses_it(site: Site) -> None:
    async with site.of() as ada:
        newest, _ = await written(site, ada, FIRST + "x")
        named = await ada.patch(at(f"/{newest['number']}"), json={"name": " as sent "})
        assert named.json() == {**newest, "name": "as sent"}
        assert (await ada.get(at())).json()["versions"][0]["name"] == "as sent"
        assert (await ada.patch(at(f"/{newest['number']}"), json={"name": ""})).json() == newest
        refused(await ada.patch(at(f"/{newest['number']}"), json={"name": "x" * 201}), 400, "malformed")


async def test_who_reads_sees_the_history_and_changes_nothing(site: Site) -> None:
    """AUTH-2."""
    async with site.of() as ada:
        newest, _ = await written(site, ada, FIRST + "x")
    async with site.of(Role.VIEWER) as vera:
        assert len((await vera.get(at())).json()["versions"]) == 2
        refused(await vera.patch(at(f"/{newest['number']}"), json={"name": "x"}), 403, "forbidden")
        refused(await vera.post(at(f"/{newest['number']}/restoration")), 403, "forbidden")
        refused(await vera.post("/api/documents/a.md/return"), 403, "forbidden")
    async with site.client() as nobody:
        refused(await nobody.get(at()), 401, "unauthorized")


@pytest.mark.parametrize("rest", ["/99999", "/x", "/99999/content", "/99999/difference"])
async def test_a_version_that_is_not_there_is_not_found(site: Site, rest: str) -> None:
    async with site.of() as ada:
        refused(await ada.get(at(rest)), 404, "not-found")


async def test_a_file_that_is_deleted_outside_is_put_back_as_the_same_document(site: Site) -> None:
    """MERGE-9."""
    async with site.of() as ada:
        refused(await ada.post("/api/documents/none.md/return"), 404, "not-found")
        answer = await ada.put("/api/documents/a.md/content", content=b"new\n" + FIRST.encode(), headers={"If-Match": "*"})
        known = answer.json()["id"]
        await site.app.rooms.flush([known])
        (site.root / "a.md").unlink()
        back = await ada.post(f"/api/documents/{known}/return")
        assert (back.status_code, back.json()["id"]) == (201, known)
        assert (site.root / "a.md").read_bytes() == b"new\n" + FIRST.encode()
        refused(await ada.post(f"/api/documents/{known}/return"), 409, "exists")


async def test_a_restoration_is_taken_back_and_what_was_typed_since_stays(site: Site) -> None:
    """HISTORY-3."""
    async with site.of() as ada:
        later = FIRST.replace("two", "TWO").replace("six", "six seven")
        newest, first = await written(site, ada, later)
        restored = (await ada.post(at(f"/{first['number']}/restoration"))).json()
        assert restored["before"] == newest["number"]
        typed = await ada.put("/api/documents/a.md/content", content=("typed\n" + FIRST).encode(), headers={"If-Match": "*"})
        assert typed.status_code == 200

        back = await ada.post(at(f"/{restored['before']}/restoration?over={restored['version']}"))

        assert back.status_code == 200
        assert (await ada.get("/api/documents/a.md/content")).text == "typed\n" + later
        refused(await ada.post(at(f"/{first['number']}/restoration?over=1")), 412, "changed")


async def test_what_no_save_had_written_yet_is_a_version_when_something_is_restored(site: Site) -> None:
    """HISTORY-3."""
    async with site.of() as ada:
        (first,) = await written(site, ada, FIRST)
        await ada.put("/api/documents/a.md/content", content=b"just typed", headers={"If-Match": "*"})
        answer = (await ada.post(at(f"/{first['number']}/restoration"))).json()
        found = (await ada.get(at())).json()["versions"]
        assert [(each["number"], each["source"]) for each in found[:2]] == [(answer["version"], "restore"), (answer["before"], "save")]
        assert (await ada.get(at(f"/{answer['before']}/content"))).text == "just typed"
        assert found[0]["writers"] == found[1]["writers"] == [{"id": "name:Ada", "name": "Ada", "color": color_of("name:Ada")}]


@pytest.mark.parametrize("body", [b"\xef\xbb\xbfa\r\nb\r\nc\n", b"a\rb\r", b"", "a\u2028b\n\U0001f468\u200d\U0001f469\n".encode()])
async def test_a_version_is_restored_byte_for_byte(site: Site, body: bytes) -> None:
    """HISTORY-2, HISTORY-3."""
    async with site.of() as ada:
        known = (await ada.put("/api/documents/b.md/content", content=body, headers={"If-None-Match": "*"})).json()["id"]
        place = f"/api/documents/{known}"
        await ada.put(f"{place}/content", content=b"another one\n", headers={"If-Match": "*"})
        await site.app.rooms.flush([known])
        versions = (await ada.get(f"{place}/versions")).json()["versions"]
        await ada.post(f"{place}/versions/{versions[-1]['number']}/restoration")
        await site.app.rooms.flush([known])
        assert (site.root / "b.md").read_bytes() == body


async def test_a_difference_with_the_text_as_it_is_now(site: Site) -> None:
    """HISTORY-2."""
    async with site.of() as ada:
        (first,) = await written(site, ada, FIRST)
        await ada.put("/api/documents/a.md/content", content=(FIRST + "more\n").encode(), headers={"If-Match": "*"})
        found = (await ada.get(at(f"/now/difference?from={first['number']}"))).json()
        assert (found["from"], found["to"]) == (first["number"], None)
        assert found["changes"] == [{"kind": "same", "text": FIRST}, {"kind": "added", "text": "more\n"}]


async def test_while_a_difference_of_large_texts_is_sought_others_are_served(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """HISTORY-2."""
    words = [f"w{number * 7919 % 5000}" for number in range(60_000)]
    begun, served = threading.Event(), threading.Event()

    def sought(*texts: str) -> list[Change]:
        begun.set()
        assert served.wait(PATIENCE)
        return changes(*texts)

    monkeypatch.setattr(history, "changes", sought)
    async with site.of() as ada:
        newest, _, _ = await written(site, ada, " ".join(words), "\n".join(reversed(words)))
        asked = asyncio.create_task(ada.get(at(f"/{newest['number']}/difference")))
        await until(begun.is_set)
        assert (await ada.get(at())).status_code == 200
        assert not asked.done()
        served.set()
        turns = 0
        while not asked.done():
            turns += 1
            await asyncio.sleep(0.001)
        found = (await asked).json()["changes"]
        assert "".join(each["text"] for each in found if each["kind"] != "removed") == "\n".join(reversed(words))
        # What keeps the interpreter to itself leaves two.
        assert turns > 2


@pytest.mark.parametrize(
    ("given", "kept"), [("<img src=x onerror=alert(1)>", None), (" two\nlines\t ", "two lines"), ("\u0645\u06cc\u200c\u062e", None)]
)
async def test_a_version_is_named_by_one_line_as_it_is(site: Site, given: str, kept: str | None) -> None:
    async with site.of() as ada:
        newest, _ = await written(site, ada, FIRST + "x")
        assert (await ada.patch(at(f"/{newest['number']}"), json={"name": given})).json()["name"] == (kept or given)
        refused(await ada.patch(at(f"/{newest['number']}"), json={"name": "a\u202eb"}), 400, "malformed")
