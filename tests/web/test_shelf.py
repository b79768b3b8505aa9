from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from standing import NOW, ORIGIN, Site, stand

from collab.access import Person, Role
from collab.state.shelf import MISSED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

BOB = Person("name:Bob", "Bob")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    for name in ("a.md", "b.md", "c.md", "notes/d.md"):
        (root / name).write_bytes(name.encode())
    async with stand(tmp_path) as site:
        yield site


def at(name: str, rest: str = "") -> str:
    return f"/api/documents/{quote(name, safe='')}{rest}"


async def shelf(person: httpx.AsyncClient) -> dict[str, list[dict[str, Any]]]:
    answer = await person.get("/api/shelf")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    told: dict[str, list[dict[str, Any]]] = answer.json()
    assert sorted(told) == ["recent", "starred"]
    return told


async def paths(person: httpx.AsyncClient, which: str) -> list[str]:
    return [each["path"] for each in (await shelf(person))[which]]


async def put(person: httpx.AsyncClient, name: str, what: str) -> None:
    answer = await person.put(at(name, f"/{what}"))
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_star_is_told_wherever_the_document_is(site: Site) -> None:
    """HTTP-13."""
    async with site.of(Role.VIEWER) as ada:
        await put(ada, "a.md", "star")
        await put(ada, "notes/d.md", "star")
        document = (await ada.get(at("a.md"))).json()
        assert document["starred"] is True
        assert (await ada.get(at("b.md"))).json()["starred"] is False
        listed = (await ada.get("/api/documents")).json()["documents"]
        assert {each["path"]: each["starred"] for each in listed} == {"a.md": True, "b.md": False, "c.md": False, "notes": False}
        assert document in (await shelf(ada))["starred"]
        assert (await ada.delete(at("a.md", "/star"))).status_code == 204
        assert (await ada.delete(at("a.md", "/star"))).status_code == 204
        assert (await ada.get(at("a.md"))).json()["starred"] is False
        assert await paths(ada, "starred") == ["notes/d.md"]


async def test_the_newest_stands_first_and_says_when(site: Site) -> None:
    async with site.of(Role.VIEWER) as ada:
        for seconds, name in enumerate(["a.md", "b.md", "notes/d.md", "a.md"]):
            site.time[0] = NOW + seconds
            await put(ada, name, "visit")
            await put(ada, name, "star")
        recent = (await shelf(ada))["recent"]
        assert [each["path"] for each in recent] == ["a.md", "notes/d.md", "b.md"]
        assert recent[0]["opened"] == "2027-01-15T08:00:03.000Z"
        assert recent[0]["starred"] is True
        assert await paths(ada, "starred") == ["notes/d.md", "b.md", "a.md"]


async def test_each_person_has_a_shelf_on_every_device(site: Site) -> None:
    """HTTP-13."""
    async with site.of(Role.VIEWER) as laptop, site.of(Role.EDITOR) as phone, site.client(site.token(person=BOB)) as bob:
        await put(laptop, "a.md", "star")
        assert await paths(phone, "starred") == ["a.md"]
        assert await shelf(bob) == {"starred": [], "recent": []}
        assert (await bob.get(at("a.md"))).json()["starred"] is False


async def test_a_document_that_was_renamed_is_on_the_shelf_where_it_is_now(site: Site) -> None:
    """HTTP-13."""
    async with site.of() as ada:
        await put(ada, "a.md", "visit")
        moved = await ada.patch(at("a.md"), json={"path": "notes/new.md"}, headers={"If-Match": "*"})
        assert moved.json()["starred"] is False
        assert await paths(ada, "recent") == ["notes/new.md"]


async def test_what_is_in_the_bin_is_left_out_and_comes_back(site: Site) -> None:
    """HTTP-13."""
    async with site.of() as ada:
        await put(ada, "a.md", "star")
        await put(ada, "b.md", "star")
        key = (await ada.delete(at("a.md"), headers={"If-Match": "*"})).json()["key"]
        assert await paths(ada, "starred") == ["b.md"]
        restored = await ada.post(f"/api/bin/{key}/restoration", json={})
        assert restored.json()["starred"] is True
        assert sorted(await paths(ada, "starred")) == ["a.md", "b.md"]


async def test_what_is_gone_for_long_is_forgotten(site: Site) -> None:
    async with site.of() as ada:
        await put(ada, "a.md", "star")
        document = (await ada.get(at("a.md"))).json()["id"]
        await ada.delete(at("a.md"), headers={"If-Match": "*"})
        await shelf(ada)
    site.time[0] = NOW + MISSED
    async with site.of() as ada:
        await shelf(ada)
        assert document not in {each["id"] for each in (await shelf(ada))["starred"]}


async def test_the_star_of_what_is_gone_can_be_taken(site: Site) -> None:
    async with site.of() as ada:
        await put(ada, "a.md", "star")
        document = (await ada.get(at("a.md"))).json()["id"]
        key = (await ada.delete(at("a.md"), headers={"If-Match": "*"})).json()["key"]
        assert (await ada.delete(at(document, "/star"))).status_code == 204
        assert (await ada.post(f"/api/bin/{key}/restoration", json={})).json()["starred"] is False


async def test_a_grant_for_one_document_sees_that_one_and_forgets_no_other(site: Site) -> None:
    """HTTP-13."""
    async with site.of() as ada, site.of(Role.VIEWER, "a.md") as guest:
        for name in ("a.md", "b.md"):
            await put(ada, name, "star")
            await put(ada, name, "visit")
        assert await paths(guest, "starred") == ["a.md"]
        assert await paths(guest, "recent") == ["a.md"]
        for verb in (guest.put, guest.delete):
            assert (await verb(at("b.md", "/star"))).status_code == 403
        assert (await guest.put(at("b.md", "/visit"))).status_code == 403
        assert sorted(await paths(ada, "starred")) == ["a.md", "b.md"]


@pytest.mark.parametrize("what", ["star", "visit"])
@pytest.mark.parametrize(("name", "status"), [("none.md", 404), ("notes", 404), (".hidden", 404), ("n" * 1025, 413), ("../a.md", 400)])
async def test_only_documents_are_kept_at_hand(site: Site, what: str, name: str, status: int) -> None:
    async with site.of() as ada:
        assert (await ada.put(at(name, f"/{what}"))).status_code == status


async def test_too_many_stars_are_refused_in_words(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab.state.shelf.STARS", 1)
    async with site.of() as ada:
        await put(ada, "a.md", "star")
        refused = await ada.put(at("b.md", "/star"))
        assert (refused.status_code, refused.json()["reason"]) == (409, "conflict")


async def test_a_cookie_stars_from_our_own_pages_only(site: Site) -> None:
    """AUTH-5."""
    async with site.client(Origin=ORIGIN) as browser:
        assert (await browser.post("/api/session", json={"secret": site.logins.issue(NOW)})).status_code == 200
        await put(browser, "a.md", "star")
        for origin in ({"Origin": "https://evil.example"}, {"Origin": ""}):
            assert (await browser.put(at("b.md", "/star"), headers=origin)).status_code == 403
        assert await paths(browser, "starred") == ["a.md"]


async def test_nobody_has_a_shelf_who_has_not_signed_in(site: Site) -> None:
    async with site.client() as nobody:
        assert (await nobody.get("/api/shelf")).status_code == 401
        assert (await nobody.put(at("a.md", "/star"))).status_code == 401
