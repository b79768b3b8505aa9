"""Sharing over REST, and where links lead (SHARE-3, SHARE-5, SHARE-6, SHARE-9, SHARE-10)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sharers import came, share
from standing import NOW, ORIGIN, SECRET, Site, stand

from collab.access import Grant, Person, Role, sign
from collab.archive.memory import MemoryArchive
from collab.archive.memory_signins import MemorySignIns
from collab.errors import Unavailable
from collab.runtime.sharing import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from collab.ports import SignIn

FORM = {"Origin": ORIGIN}
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "work").mkdir(parents=True)
    (root / "work" / "Größe & <b>.md").write_text("a")
    (root / "b.md").write_text("b")
    async with stand(tmp_path, clock=lambda: 0.0) as site:
        yield site


DOC = "work/Größe & <b>.md"


def shares(name: str, share: str = "") -> str:
    return f"/api/documents/{quote(name, safe='')}/shares" + (f"/{share}" if share else "")


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


async def link(site: Site, name: str = DOC, role: str = "editor", **more: object) -> tuple[str, dict[str, Any]]:
    """The path of a new link's address, and its share."""
    async with site.of(Role.OWNER) as ada:
        answer = await ada.post(shares(name), json={"kind": "link", "role": role, **more})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["address"].startswith(f"{ORIGIN}/s/")
        return made["address"].removeprefix(ORIGIN), made


async def enter(who: httpx.AsyncClient, address: str, **fields: str) -> httpx.Response:
    return await who.post(address, data=fields, headers=FORM)


# --- sharing over REST


async def test_an_owner_gives_changes_and_takes_back(site: Site) -> None:
    """SHARE-9."""
    async with site.of(Role.OWNER) as ada, await came(site, "Bob", groups=("lab",)) as bob:
        answer = await ada.get(shares(DOC))
        assert answer.json() == {
            "shares": [],
            "allowed": {
                "person": True,
                "group": True,
                "link": True,
                "password": True,
                "expires": True,
                "uses": True,
                "roles": ["viewer", "editor", "owner"],
            },
        }
        given = await ada.post(shares(DOC), json={"kind": "person", "id": "account:bob", "role": "viewer"})
        assert (given.status_code, given.json()["subject"]) == (
            201,
            {"kind": "person", "id": "account:bob", "name": "Bob", "detail": "bob"},
        )
        assert given.json()["made"] == "2027-01-15T08:00:00.000Z"
        around = (await ada.post(shares("work"), json={"kind": "group", "id": "lab", "role": "viewer"})).json()
        listed = (await ada.get(shares(DOC))).json()["shares"]
        assert [(each["id"], each["inherited_from"]) for each in listed] == [(given.json()["id"], None), (around["id"], "work")]
        assert (await bob.get(shares(DOC))).status_code == 403
        assert (await bob.patch(shares(DOC, given.json()["id"]), json={"role": "owner"})).status_code == 403

        one = shares(DOC, given.json()["id"])
        assert (await ada.patch(one, json={"role": "owner", "expires": moment(NOW + 60)})).json()["expires"] == "2027-01-15T08:01:00.000Z"
        assert (await ada.patch(one, json={"expires": None})).json()["role"] == "owner"
        assert (await bob.get(shares(DOC))).status_code == 200
        assert (await bob.post(shares(DOC), json={"kind": "person", "id": "account:bob", "role": "owner"})).status_code == 201
        assert (await ada.delete(shares(DOC, around["id"]))).status_code == 404, "it was given with the folder"
        assert (await ada.delete(one)).status_code == 204
        assert (await ada.delete(one)).status_code == 404
        assert (await bob.get(shares(DOC))).status_code == 403


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "person", "id": "account:nobody", "role": "viewer"}, "nobody of this id"),
        ({"kind": "group", "id": "nobodies", "role": "viewer"}, "nobody is in a group"),
        ({"kind": "world", "id": "x", "role": "viewer"}, "person, group or link"),
        ({"kind": "person", "id": "account:bob", "role": "admin"}, "no role"),
        ({"kind": "person", "id": "account:bob"}, "'role'"),
        ({"kind": "person", "role": "viewer"}, "'id'"),
        ({"kind": "person", "id": "account:bob", "role": "viewer", "password": "secret1"}, "of links"),
        ({"kind": "person", "id": "account:bob", "role": "viewer", "expires": "2001-01-01T00:00:00Z"}, "in the past"),
        ({"kind": "person", "id": "account:bob", "role": "viewer", "expires": "tomorrow"}, "RFC 3339"),
        ({"kind": "person", "id": "account:bob", "role": "viewer", "expires": "2030-01-01T00:00:00"}, "RFC 3339"),
        ({"kind": "person", "id": "account:bob", "role": "viewer", "expires": 7}, "RFC 3339"),
        ({"kind": "link", "role": "owner"}, "given by name"),
        ({"kind": "link", "role": "viewer", "id": "x"}, "no 'id'"),
        ({"kind": "link", "role": "viewer", "uses": 0}, "from 1"),
        ({"kind": "link", "role": "viewer", "uses": "many"}, "whole number"),
        ({"kind": "link", "role": "viewer", "uses": True}, "whole number"),
        ({"kind": "link", "role": "viewer", "password": "short"}, "at least 6"),
        ({"kind": "link", "role": "viewer", "password": 7}, "'password'"),
    ],
)
async def test_what_cannot_be_given_is_said(site: Site, body: dict[str, object], words: str) -> None:
    async with site.of(Role.OWNER) as ada, await came(site, "Bob"):
        answer = await ada.post(shares(DOC), json=body)
        assert answer.status_code in {400, 404}
        assert words in answer.json()["detail"]


async def test_people_are_found_by_those_who_have_signed_in(site: Site) -> None:
    """SHARE-9."""
    async with await came(site, "Bob Builder", groups=("builders",)) as bob, await came(site, "Gil", kind="guest") as gil:
        answer = (await bob.get("/api/people", params={"query": "build"})).json()["people"]
        assert [(each["kind"], each["name"]) for each in answer] == [("person", "Bob Builder"), ("group", "builders")]
        assert (await bob.get("/api/people", params={"query": "gil"})).json() == {"people": []}
        assert (await bob.get("/api/people", params={"query": "b"})).status_code == 400
        assert (await gil.get("/api/people", params={"query": "build"})).status_code == 403
        async with site.client(None) as nobody:
            assert (await nobody.get("/api/people", params={"query": "build"})).status_code == 401


# --- the page of a link


@pytest.mark.parametrize(
    ("language", "words"),
    [("de-AT,de;q=0.9,en;q=0.5", "Ihr Name"), ("fr", "Votre nom"), ("nl,*;q=0.1", "Your name"), ("en;q=x", "Your name")],
)
async def test_the_page_of_a_link_works_without_scripts_and_uses_nothing_up(site: Site, language: str, words: str) -> None:
    """SHARE-5."""
    address, made = await link(site, uses=1)
    async with site.client(None, **{"Accept-Language": language}) as who:
        for _ in range(3):
            answer = await who.get(address)
            assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert words in answer.text
        assert "<script" not in answer.text
        assert "<bdi>Größe &amp; &lt;b&gt;.md</bdi>" in answer.text
        policy = answer.headers["content-security-policy"]
        assert re.fullmatch(
            r"default-src 'none'; style-src 'nonce-[\w-]{22}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", policy
        )
        assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("strict-origin", "no-store")
    assert (await site.archive.links.find(made["id"])).uses == 1


async def test_a_guest_comes_in_with_a_name_and_goes_with_the_link(site: Site) -> None:
    """SHARE-3, SHARE-6."""
    address, made = await link(site)
    async with site.client(None) as gil:
        answer = await enter(gil, address, name="  Gil ☃ ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/edit/work/Gr%C3%B6%C3%9Fe%20%26%20%3Cb%3E.md")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "HttpOnly" in answer.headers["set-cookie"]
        me = (await gil.get("/api/session")).json()
        assert (me["name"], me["id"].partition(":")[0]) == ("Gil ☃", "guest")
        known = (await gil.get("/api/documents")).json()["documents"]
        assert [(each["path"], each["role"]) for each in known] == [(DOC, "editor")]
        assert (await gil.get("/api/documents/b.md")).status_code == 403
        assert (await enter(gil, address)).status_code == 303, "whoever is in, comes in again"
        async with site.of(Role.OWNER) as ada:
            assert (await ada.patch(shares(DOC, made["id"]), json={"role": "viewer"})).status_code == 200
            assert (await gil.get("/api/documents")).json()["documents"][0]["role"] == "viewer"
            assert (await ada.delete(shares(DOC, made["id"]))).status_code == 204
        assert (await gil.get("/api/documents")).json()["documents"] == []
        over = await gil.get(address)
        assert (over.status_code, "opens nothing any more" in over.text) == (410, True)
        assert (await enter(gil, address, name="Gil")).status_code == 410


async def test_a_link_is_opened_as_often_as_it_may_be(site: Site) -> None:
    """SHARE-5: whoever came in comes in again, also when none is left."""
    address, _ = await link(site, uses=1)
    async with site.client(None) as one, site.client(None) as two:
        assert (await enter(one, address, name="")).status_code == 400
        assert (await enter(one, address, name="One")).status_code == 303
        assert (await enter(two, address, name="Two")).status_code == 410
        assert (await two.get(address)).status_code == 410
        assert (await enter(one, address)).status_code == 303
        assert (await one.get(address)).status_code == 200


async def test_a_link_ends_at_its_time_for_who_came_in_too(site: Site) -> None:
    """SHARE-5."""
    address, _ = await link(site, expires=moment(NOW + 60))
    async with site.client(None) as gil:
        assert (await enter(gil, address, name="Gil")).status_code == 303
        site.time[0] = NOW + 59
        assert len((await gil.get("/api/documents")).json()["documents"]) == 1
        site.time[0] = NOW + 60
        assert (await gil.get("/api/documents")).json()["documents"] == []
        assert (await gil.get(address)).status_code == 410


async def test_a_password_is_asked_for_and_guesses_wait(site: Site) -> None:
    """SHARE-5, SHARE-10."""
    address, made = await link(site, password="correct horse", uses=3)
    assert made["password"] is True
    assert (await site.archive.links.find(made["id"])).password.startswith("$argon2id$")
    async with site.client(None) as gil:
        page = await gil.get(address)
        assert 'type="password"' in page.text
        assert "Größe" not in page.text, "what it is, is told to who has the password"
        wrong = await enter(gil, address, name='Gil "<i>', password="x")
        assert (wrong.status_code, "not the password" in wrong.text, 'value="Gil &quot;&lt;i&gt;"' in wrong.text) == (403, True, True)
        for _ in range(4):
            assert (await enter(gil, address, name="Gil", password="x")).status_code == 403
        late = await enter(gil, address, name="Gil", password="correct horse")
        assert (late.status_code, int(late.headers["retry-after"]) > 0) == (429, True)
        assert (await site.archive.links.find(made["id"])).uses == 3
    async with site.client(None, **{"X-Forwarded-For": "198.51.100.1"}) as other:
        assert (await enter(other, address, name="Ann", password="correct horse")).status_code == 429, "nobody believes the header"


async def test_the_right_password_opens(site: Site) -> None:
    """SHARE-5."""
    address, _ = await link(site, role="viewer", password="correct horse")
    async with site.client(None) as gil:
        assert (await enter(gil, address, name="Gil", password="correct horse")).status_code == 303
        assert (await gil.get("/api/documents")).json()["documents"][0]["role"] == "viewer"


async def test_who_has_signed_in_opens_a_link_as_who_they_are(site: Site) -> None:
    """SHARE-6: and keeps what the link gives in every way they are here."""
    address, made = await link(site)
    await share(site, "b.md", "person", "account:bob", Role.VIEWER)
    record_client = await came(site, "Bob")
    async with record_client as bob:
        # As a browser has it: the same session in a cookie.
        (record,) = await site.archive.sign_ins.live(NOW, "account:bob")
        cookie = cookie_of(record.id)
        async with site.client(None, Cookie=f"{site.app.admission.cookie}={cookie}") as browser:
            page = await browser.get(address)
            assert ("signed in as <bdi>Bob</bdi>" in page.text, 'name="name"' in page.text) == (True, False)
            answer = await enter(browser, address)
            assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
        listed = {each["path"]: each["role"] for each in (await bob.get("/api/documents")).json()["documents"]}
        assert listed == {"b.md": "viewer", DOC: "editor"}
        (record,) = await site.archive.sign_ins.live(NOW, "account:bob")
        assert record.links == (made["id"],)


def cookie_of(session: str) -> str:
    return sign(
        Grant(Person("account:bob", "Bob"), Role.OWNER, expires=NOW + 3600, id=session, shared=True), SECRET, now=NOW, use="session"
    )


async def test_only_the_page_itself_sends_its_form(site: Site) -> None:
    """SHARE-5: nobody is let into another's document, or made a guest, by a page of somebody else."""
    address, made = await link(site, uses=1)
    async with site.client(None) as gil:
        for headers in ({}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:9"}):
            answer = await gil.post(address, data={"name": "Gil"}, headers=headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert (await site.archive.links.find(made["id"])).uses == 1


@pytest.mark.parametrize("secret", ["x" * 32, "..%2f..%2fetc", "%00" * 20, "a" * 400, "a/b", "é" * 20])
async def test_what_is_no_link_opens_nothing(site: Site, secret: str) -> None:
    async with site.client(None) as who:
        for answer in (await who.get(f"/s/{secret}"), await enter(who, f"/s/{secret}", name="x")):
            assert answer.status_code == 404


@pytest.mark.parametrize("body", [b"\xff", b"&".join(b"a=%d" % each for each in range(20)), b"name=" + b"x" * 20_000])
async def test_a_form_that_is_none_is_refused(site: Site, body: bytes) -> None:
    address, _ = await link(site)
    async with site.client(None) as who:
        answer = await who.post(address, content=body, headers={**FORM, "Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code in {400, 413}


async def test_a_folders_link_leads_to_the_folder(site: Site) -> None:
    """SHARE-5."""
    address, _ = await link(site, "work", "viewer")
    async with site.client(None) as gil:
        assert (await enter(gil, address, name="Gil")).headers["location"] == "/?path=work"
        assert (await gil.get("/api/documents", params={"path": "work"})).json()["documents"][0]["role"] == "viewer"


async def test_the_secret_of_a_link_is_kept_nowhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """SHARE-5."""
    caplog.set_level(0)
    address, made = await link(site, password="correct horse")
    secret = address.removeprefix("/s/")
    async with site.client(None) as gil:
        await enter(gil, address, name="Gil", password="wrong one")
        await enter(gil, address, name="Gil", password="correct horse")
        await gil.get("/s/" + secret[:-1])
    assert made["id"] == digest_of(secret)
    ours = " ".join(str(record.__dict__) for record in caplog.records if record.name.startswith("collab"))
    assert "link" in ours
    assert secret not in ours
    assert "correct horse" not in ours
    assert secret not in repr(site.archive.disk)


async def test_nobody_uses_a_link_up_whom_it_leads_nowhere_just_now(site: Site) -> None:
    """SHARE-3: some editors take a file away for a moment when they save it."""
    address, made = await link(site, uses=1)
    file, aside = site.root / DOC, site.root / "work" / "aside"
    async with site.client() as eve:
        file.rename(aside)
        assert (await enter(eve, address, name="Eve")).status_code == 410
        assert (await site.archive.links.find(made["id"])).uses == 1
        aside.rename(file)
        assert (await enter(eve, address, name="Eve")).status_code == 303


class Away(MemorySignIns):
    """An archive that takes no session once."""

    away = True

    async def add(self, sign_in: SignIn) -> None:
        if self.away:
            self.away = False
            raise Unavailable("the database is away")
        await super().add(sign_in)


async def test_nobody_uses_a_link_up_whose_session_cannot_be_kept(tmp_path: Path) -> None:
    """SHARE-3."""
    archive = MemoryArchive()
    archive.sign_ins = Away(archive)
    (tmp_path / "root/work").mkdir(parents=True)
    (tmp_path / "root" / DOC).write_text("a")
    async with stand(tmp_path, archive=archive) as site, site.client() as eve:
        address, made = await link(site, uses=1)
        assert (await enter(eve, address, name="Eve")).status_code == 503
        assert (await site.archive.links.find(made["id"])).uses == 1
        assert (await enter(eve, address, name="Eve")).status_code == 303
        async with site.client() as late:
            assert (await enter(late, address, name="Late")).status_code == 410
        assert len(await archive.sign_ins.live(NOW)) == 1
