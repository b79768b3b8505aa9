"""Opening documents in office suites, from the settings to the first signed request: `/api/office`, `/api/documents/{id}/office`, `/api/templates`."""

from __future__ import annotations

import json
import logging
import os
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from serving import Served, serving, until
from standing import NOW, ORIGIN, SECRET, Site, stand
from suites import FakeSuite, fake_suite

from collab.access import Grant, Person, Role, sign
from collab.wopi.blanks import blank
from collab.wopi.tokens import Pass, seal, unseal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    import httpx
    from suites import Flavour

SIGNED_IN = Grant(Person("owner", "Ada"), Role.OWNER, expires=NOW + 3600, id="5e55")


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite() as suite:
        yield suite


@asynccontextmanager
async def office(folder: Path, *suites: FakeSuite, **settings: Any) -> AsyncIterator[Site]:
    """A server with these suites, named S0, S1 …, and some files; each suite was asked."""
    (folder / "root").mkdir(exist_ok=True)
    for name, body in {"a.odt": b"PK", "b.md": b"text", "new.docx": b"", "c.exe": b"MZ", "plain": b"words"}.items():
        (folder / "root" / name).write_bytes(body)
    listed = " ".join(f"S{number}={suite.url}" for number, suite in enumerate(suites))
    async with stand(folder, wopi_discovery=listed, **settings) as site:
        await until(lambda: all("not asked" not in office.detail for office in site.app.suites.offices))
        yield site


async def launch(client: httpx.AsyncClient, name: str, suite: str = "S0", action: str = "edit", **more: str) -> httpx.Response:
    return await client.post(f"/api/documents/{quote(name, safe='')}/office", json={"suite": suite, "action": action, **more})


def meaning(launched: dict[str, Any]) -> Pass:
    return unseal(launched["access_token"], SECRET, now=NOW)


def source(launched: dict[str, Any]) -> str:
    (found,) = parse_qs(urlsplit(str(launched["url"])).query)["WOPISrc"]
    return found


async def test_suites_are_told_with_what_they_open(tmp_path: Path, suite: FakeSuite) -> None:
    with fake_suite("microsoft") as other:
        other.status = 503
        async with (
            office(tmp_path, suite, other) as site,
            site.of(Role.VIEWER) as ada,
            site.of(Role.OWNER) as owner,
            site.client() as nobody,
        ):
            one, two = (await ada.get("/api/office")).json()["suites"]
            assert (one["name"], one["product"], one["healthy"]) == ("S0", "collabora", True)
            assert {"action": "edit", "ext": "odt"} in one["actions"]
            assert {"action": "view", "ext": "odt"} in one["actions"]
            assert two == {"name": "S1", "product": "", "healthy": False, "actions": []}
            assert "503" in (await owner.get("/api/office")).json()["suites"][1]["detail"]
            assert (await nobody.get("/api/office")).status_code == 401


async def test_without_suites_none_are_offered(tmp_path: Path) -> None:
    async with office(tmp_path) as site, site.of() as ada:
        assert (await ada.get("/api/office")).json() == {"suites": []}
        assert (await ada.get("/api/documents/a.odt/office")).json() == {"actions": []}
        assert (await launch(ada, "a.odt")).status_code == 404


@pytest.mark.parametrize(("role", "actions"), [(Role.OWNER, {"edit", "view"}), (Role.EDITOR, {"edit", "view"}), (Role.VIEWER, {"view"})])
async def test_what_is_offered_is_what_the_role_may_do(tmp_path: Path, suite: FakeSuite, role: Role, actions: set[str]) -> None:
    """WOPI-14."""
    async with office(tmp_path, suite) as site, site.of(role) as ada:
        told = (await ada.get("/api/documents/a.odt/office")).json()
        assert {each["action"] for each in told["actions"]} == actions
        assert told["actions"][0]["icon"] == f"{suite.origin}/icon.svg"
        assert (await ada.get("/api/documents/c.exe/office")).json()["actions"] == []
        for action in ("edit", "view"):
            answer = await launch(ada, "a.odt", action=action)
            assert answer.status_code == (200 if action in actions else 403)
            if answer.status_code == 200:
                assert meaning(answer.json()).role is (Role.VIEWER if action == "view" else role)


@pytest.mark.parametrize("flavour", ["collabora", "onlyoffice", "microsoft"])
async def test_a_document_opens_where_the_suite_says_with_a_token_for_it_alone(tmp_path: Path, flavour: Flavour) -> None:
    """WOPI-14."""
    with fake_suite(flavour) as suite:
        async with office(tmp_path, suite) as site, site.of() as ada:
            document = (await ada.get("/api/documents/a.odt")).json()["id"]
            for name in ("a.odt", document):
                answer = await launch(ada, name, lang="de-DE")
                assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
                launched = answer.json()
                assert sorted(launched) == ["access_token", "access_token_ttl", "origin", "url"]
                assert launched["origin"] == suite.origin
                assert launched["url"].startswith(suite.origin + "/")
                assert launched["access_token"] not in launched["url"]
                assert source(launched) == f"{ORIGIN}/wopi/files/{document.removeprefix('id:')}"
                assert "de-DE" in launched["url"]
                granted = meaning(launched)
                assert (granted.target, granted.suite, granted.scope) == (document, "S0", None)
                assert launched["access_token_ttl"] == granted.expires * 1000


async def test_who_has_a_document_open_outside_is_told(tmp_path: Path, suite: FakeSuite) -> None:
    async with office(tmp_path, suite) as site, site.of() as ada:
        assert "locked" not in (await ada.get("/api/documents/a.odt/office")).json()
        left = site.root / ".~lock.a.odt#"
        left.write_text(",ben,desk,29.11.2026 20:00,file:///home/ben/.config/libreoffice/4;")
        os.utime(left, (NOW, NOW))
        assert (await ada.get("/api/documents/a.odt/office")).json()["locked"]["by"] == "ben"
        assert (await launch(ada, "a.odt")).status_code == 200


async def test_an_empty_file_opens_as_a_new_one(tmp_path: Path) -> None:
    with fake_suite("microsoft") as suite:
        async with office(tmp_path, suite) as site, site.of() as ada:
            assert "new=1" in (await launch(ada, "new.docx")).json()["url"]
            assert "new=1" not in (await launch(ada, "a.odt")).json()["url"]
            assert "new=1" not in (await launch(ada, "new.docx", action="view")).json()["url"]


async def test_suites_reach_the_server_at_an_address_of_its_own(tmp_path: Path, suite: FakeSuite) -> None:
    settings = {"wopi_url": "http://collab.internal:8000/docs", "public_url": "http://docs.example/docs"}
    async with office(tmp_path, suite, **settings) as site, site.client(site.token(), Host="docs.example") as ada:
        answer = await ada.post("/docs/api/documents/a.odt/office", json={"suite": "S0", "action": "edit"})
        assert source(answer.json()).startswith("http://collab.internal:8000/docs/wopi/files/")
        token = answer.json()["access_token"]
        address = urlsplit(source(answer.json()))
        target = f"{address.path}?access_token={token}"
        async with site.client(Host="collab.internal:8000") as asks:
            right = suite.sign(token, f"http://collab.internal:8000{target}", now=NOW)
            assert (await asks.get(target, headers=right)).status_code == 200
            wrong = suite.sign(token, f"http://docs.example{target}", now=NOW)
            assert (await asks.get(target, headers=wrong)).status_code == 500


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"suite": "S0"}, 400),
        ({"suite": "S0", "action": 1}, 400),
        ({"suite": "S0", "action": "edit", "more": 1}, 400),
        ({"suite": "none", "action": "edit"}, 404),
        ({"suite": "", "action": "edit"}, 404),
        ({"suite": "S0", "action": "embedview"}, 404),
        ({"suite": "S0", "action": "javascript:"}, 404),
        ({"suite": "S0", "action": "edit", "lang": "de&x=1"}, 400),
        ({"suite": "S0", "action": "edit", "lang": "../.."}, 400),
        ({"suite": "S0", "action": "edit", "lang": "x" * 100}, 400),
    ],
)
async def test_what_cannot_be_opened_is_refused_in_words(tmp_path: Path, suite: FakeSuite, fields: dict[str, object], status: int) -> None:
    async with office(tmp_path, suite) as site, site.of() as ada:
        answer = await ada.post("/api/documents/a.odt/office", json=fields)
        assert answer.status_code == status
        assert answer.json()["detail"]


async def test_folders_and_other_types_and_what_is_gone_do_not_open(tmp_path: Path, suite: FakeSuite) -> None:
    async with office(tmp_path, suite) as site, site.of() as ada:
        (site.root / "folder").mkdir()
        assert [(await launch(ada, name)).status_code for name in ("folder", "c.exe", "none.odt", "plain")] == [404] * 4


async def test_a_suite_that_never_answered_opens_nothing_and_says_so(tmp_path: Path, suite: FakeSuite) -> None:
    suite.status = 500
    async with office(tmp_path, suite) as site, site.of() as ada:
        answer = await launch(ada, "a.odt")
        assert answer.status_code == 503
        assert "S0" in answer.json()["detail"]


@pytest.mark.parametrize("where", ["javascript:alert(1)//", "https://evil.example"])
async def test_nobody_is_sent_where_nobody_configured(tmp_path: Path, suite: FakeSuite, where: str) -> None:
    """WOPI-3."""
    suite.office = where
    async with office(tmp_path, suite) as site, site.of() as ada:
        assert (await launch(ada, "a.odt")).status_code == 404
        assert (await ada.get("/api/documents/a.odt/office")).json() == {"actions": []}


async def test_a_token_ends_with_the_session_that_it_was_made_in(tmp_path: Path) -> None:
    """WOPI-14."""
    with fake_suite(signs=False) as suite:
        async with office(tmp_path, suite, wopi_token_length="2h") as site, site.client() as browser:
            browser.cookies.set("collab_8000", sign(SIGNED_IN, SECRET, now=NOW, use="session"))
            browser.headers["Origin"] = ORIGIN
            launched = (await launch(browser, "a.odt")).json()
            granted = meaning(launched)
            assert (granted.session, granted.expires) == ("5e55", NOW + 3600)
            target = urlsplit(source(launched)).path
            async with site.client(launched["access_token"]) as asks:
                assert (await asks.get(target)).status_code == 200
                assert (await browser.delete("/api/session")).status_code == 204
                assert (await asks.get(target)).status_code == 401
            assert (await launch(browser, "a.odt")).status_code == 401


@pytest.mark.parametrize(
    ("grant", "ends"),
    [
        (Grant(Person("a", "Ada"), Role.EDITOR, expires=NOW + 100), NOW + 100),
        (Grant(Person("a", "Ada"), Role.EDITOR, expires=NOW + 10**6), NOW + 7200),
        (Grant(Person("a", "Ada"), Role.EDITOR, expires=NOW + 600, until=NOW + 3600), NOW + 3600),
    ],
)
async def test_a_token_ends_with_the_one_that_it_was_made_from(tmp_path: Path, suite: FakeSuite, grant: Grant, ends: float) -> None:
    """WOPI-14."""
    async with office(tmp_path, suite, wopi_token_length="2h") as site, site.client(sign(grant, SECRET, now=NOW)) as ada:
        assert meaning((await launch(ada, "a.odt")).json()).expires == ends


async def test_a_grant_of_one_document_reaches_that_one_only(tmp_path: Path, suite: FakeSuite) -> None:
    """WOPI-14."""
    async with office(tmp_path, suite) as site, site.of(Role.EDITOR, "a.odt") as ada:
        granted = meaning((await launch(ada, "a.odt")).json())
        assert granted.scope == granted.target
        assert (await launch(ada, "b.md")).status_code == 403
        assert (await ada.get("/api/documents/b.md/office")).status_code == 403


async def test_a_file_that_nobody_may_write_is_only_looked_at(tmp_path: Path, suite: FakeSuite) -> None:
    """WOPI-14."""
    async with office(tmp_path, suite) as site, site.of() as ada:
        (site.root / "a.odt").chmod(0o444)
        told = (await ada.get("/api/documents/a.odt/office")).json()["actions"]
        writable = (await ada.get("/api/documents/a.odt")).json()["role"] == "editor"
        # Who runs as root may write everything.
        assert [each["action"] for each in told] == (["edit", "view"] if writable else ["view"])


async def test_only_the_suite_that_it_was_made_for_can_use_a_token(tmp_path: Path, suite: FakeSuite) -> None:
    """WOPI-7."""
    with fake_suite("onlyoffice") as other:
        async with office(tmp_path, suite, other) as site, site.of() as ada, site.client() as asks:
            launched = (await launch(ada, "a.odt")).json()
            token = launched["access_token"]
            path = urlsplit(source(launched)).path
            for target, method in (
                (f"{path}?access_token={token}", "GET"),
                (f"{path}/contents?access_token={token}", "GET"),
                (f"{path}?access_token={token}", "POST"),
            ):
                address = ORIGIN + target
                override = {"X-WOPI-Override": "GET_LOCK"}
                statuses = [
                    (await asks.request(method, target, headers={**override, **headers})).status_code
                    for headers in (
                        {},
                        other.sign(token, address, now=NOW),
                        suite.sign(token, address, now=NOW - 3600),
                        suite.sign("other", address, now=NOW),
                        suite.sign(token, "https://evil.example" + target, now=NOW),
                        suite.sign(token, address, now=NOW) | {"Authorization": "Bearer x"},
                        suite.sign(token, address, now=NOW),
                    )
                ]
                assert statuses == [500] * 5 + [200] * 2, target


async def test_what_the_request_says_of_its_host_counts_for_nothing(tmp_path: Path, suite: FakeSuite) -> None:
    """WOPI-3, WOPI-7."""
    async with (
        office(tmp_path, suite, trusted_proxies="192.0.2.0/24", allowed_hosts="other.example") as site,
        site.of() as ada,
        site.client() as asks,
    ):
        for tricks in ({"Host": "other.example"}, {"X-Forwarded-Host": "other.example"}, {"X-Forwarded-Proto": "https"}):
            launched = (await ada.post("/api/documents/a.odt/office", json={"suite": "S0", "action": "edit"}, headers=tricks)).json()
            assert source(launched).startswith(ORIGIN + "/wopi/files/")
            target = f"{urlsplit(source(launched)).path}?access_token={launched['access_token']}"
            right = suite.sign(launched["access_token"], ORIGIN + target, now=NOW)
            wrong = suite.sign(launched["access_token"], "http://other.example" + target, now=NOW)
            answer = await asks.get(target, headers=tricks | right)
            assert answer.status_code == 200
            assert "other.example" not in answer.text
            assert (await asks.get(target, headers=tricks | wrong)).status_code == 500
        for tricks in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
            assert (await asks.get(target, headers=tricks | right)).status_code == 421


async def test_tokens_that_are_over_forged_or_of_another_file_are_worth_nothing(tmp_path: Path) -> None:
    """WOPI-11."""
    with fake_suite(signs=False) as suite:
        async with office(tmp_path, suite) as site, site.of() as ada, site.client() as asks:
            launched, of_other = (await launch(ada, "a.odt")).json(), (await launch(ada, "b.md")).json()
            granted = meaning(launched)
            path = urlsplit(source(launched)).path
            ours = site.token(Role.OWNER)
            session = sign(SIGNED_IN, SECRET, now=NOW, use="session")
            forged = seal(granted, b"x" * 32, now=NOW)
            head, body, tail = launched["access_token"].split(".")
            gone = seal(Pass(granted.person, granted.role, granted.target, granted.expires, suite="Gone"), SECRET, now=NOW)
            for token in (of_other["access_token"], ours, session, forged, f"{head}.{body}.", f"{head}.{body}.{tail[:-4]}AAAA", "", gone):
                assert (await asks.get(f"{path}?access_token={token}")).status_code in {401, 404}
            assert (await asks.get(f"{path}?access_token={launched['access_token']}")).status_code == 200
            site.time[0] = granted.expires
            assert (await asks.get(f"{path}?access_token={launched['access_token']}")).status_code == 401
            # A suite's token opens nothing of the rest.
            for address in ("/api/documents", "/api/documents/a.odt/content", "/api/office"):
                answer = await asks.get(address, headers={"Authorization": f"Bearer {launched['access_token']}"})
                assert answer.status_code == 401


async def test_nothing_of_a_token_stands_in_a_log(tmp_path: Path, suite: FakeSuite, caplog: pytest.LogCaptureFixture) -> None:
    """WOPI-14."""
    caplog.set_level(logging.DEBUG, "collab")
    caplog.set_level(logging.INFO, "collab.audit")
    async with office(tmp_path, suite) as site, site.of() as ada, site.client() as asks:
        launched = (await launch(ada, "a.odt")).json()
        token = launched["access_token"]
        path = urlsplit(source(launched)).path
        for query in (f"access_token={token}", f"access_token={token[:-3]}AAA"):
            await asks.get(f"{path}?{query}")
            await asks.post(f"{path}?{query}", headers={"X-WOPI-Override": "LOCK", "X-WOPI-Lock": "x"})
        await asks.get(f"{path}?access_token={token}", headers=suite.sign(token, f"{ORIGIN}{path}?access_token={token}", now=NOW))
    events = [json.loads(record.message) for record in caplog.records if record.name == "collab.audit"]
    assert [(each["event"], each["detail"], each["document"]["path"]) for each in events if each["event"] == "office"] == [
        ("office", "S0 edit", "a.odt")
    ]
    for part in token.split("."):
        assert part not in caplog.text or part == token.split(".")[0]
    assert token.rpartition(".")[0] not in caplog.text


def sent(server: Served, target: str, headers: Mapping[str, str]) -> int:
    """The status of a request whose target is sent letter by letter."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest("GET", target, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_real_server_looks_at_what_was_sent_letter_by_letter(tmp_path: Path, suite: FakeSuite) -> None:
    """WOPI-7, WOPI-14."""
    with serving(tmp_path, COLLAB_WOPI_DISCOVERY=suite.url, COLLAB_AUDIT="-", COLLAB_LOG_LEVEL="debug") as server:
        server.write("a.odt", "PK")
        done = server.run("token", "--wopi", "--document", "a.odt", "--role", "editor", "--name", "Ann")
        told = json.loads(done.stdout)
        token, path = told["access_token"], urlsplit(told["wopisrc"]).path
        assert told["wopisrc"].startswith(server.url + "/wopi/files/")
        for _ in range(6):
            target = f"{path}?access_token={token}"
            assert sent(server, target, suite.sign(token, server.url + target)) == 200
            suite.rotate()
        for query in ("", "&x=%7e~%2F/&y=+%20", "&access_token_ttl=0"):
            target = f"{path}?access_token={token}{query}"
            right = suite.sign(token, server.url + target)
            assert sent(server, target, right) == 200
            assert sent(server, target.replace("%7e", "%7E"), right) == 200
            assert sent(server, target + "&more=1", right) == 500
            assert sent(server, target, {}) == 500
            for where, tricks, status in (
                ("http://evil.example", {"Host": "evil.example"}, 421),
                ("http://evil.example", {"X-Forwarded-Host": "evil.example"}, 500),
                (f"http://localhost:{server.port}", {"Host": f"localhost:{server.port}"}, 500),
                (f"https://127.0.0.1:{server.port}", {"X-Forwarded-Proto": "https"}, 500),
            ):
                assert sent(server, target, suite.sign(token, where + target) | tricks) == status
        encoded = path[:-1] + f"%{ord(path[-1]):02x}"
        target = f"{encoded}?access_token={token}"
        assert sent(server, target, suite.sign(token, server.url + target)) == 200
        assert sent(server, target, suite.sign(token, f"{server.url}{path}?access_token={token}")) == 500
        log = server.log.read_text()
        assert token not in log
        assert token.rpartition(".")[2] not in log


async def test_new_documents_are_made_from_templates(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "Letter.odt").write_bytes(b"PK letter")
    async with (
        office(tmp_path, templates=str(tmp_path / "own")) as site,
        site.of() as ada,
        site.of(Role.VIEWER) as viewer,
        site.client() as nobody,
    ):
        offered = (await viewer.get("/api/templates")).json()
        assert offered[0] == {"name": "Letter.odt", "title": "Letter", "type": "application/vnd.oasis.opendocument.text"}
        assert {"odt", "ods", "odp", "docx", "xlsx", "pptx", "md", "txt", "csv"} <= {each["name"] for each in offered}
        assert (await nobody.get("/api/templates")).status_code == 401
        for template, path in (("Letter.odt", "Dear Ben.odt"), ("xlsx", "sums.xlsx"), ("md", "x.md")):
            answer = await ada.post("/api/documents", json={"path": path, "template": template})
            assert answer.status_code == 201, answer.text
            assert answer.json()["path"] == path
        assert (site.root / "Dear Ben.odt").read_bytes() == b"PK letter"
        assert (site.root / "sums.xlsx").read_bytes() == blank("xlsx")
        refused = [
            ({"path": "Dear Ben.odt", "template": "Letter.odt"}, 409),
            ({"path": "x.docx", "template": "odt"}, 400),
            ({"path": "x.odt", "template": "none"}, 404),
            ({"path": "x.odt", "template": "odt", "content": "a"}, 400),
            ({"path": "../x.odt", "template": "odt"}, 400),
        ]
        for fields, status in refused:
            assert (await ada.post("/api/documents", json=fields)).status_code == status, fields
        assert (await viewer.post("/api/documents", json={"path": "y.odt", "template": "odt"})).status_code == 403
