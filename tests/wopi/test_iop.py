"""`/wopi/iop` as a Reva with the `wopi` driver asks: through the whole server but its socket."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from serving import until
from standing import ADA, NOW, ORIGIN, SECRET, Site, stand
from suites import FakeSuite, fake_suite

from collab.access import Role
from collab.wopi.tokens import Pass, unseal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import httpx

IOP = "iop-secret-that-only-reva-knows-0123456789"
FOREIGN = jwt.encode({"exp": int(NOW) + 3600, "user": "ada"}, "another system's key of 32 bytes!", algorithm="HS256")
BEARER = {"Authorization": f"Bearer {IOP}", "TokenHeader": FOREIGN}


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite() as suite:
        yield suite


@pytest.fixture
async def site(tmp_path: Path, suite: FakeSuite) -> AsyncIterator[Site]:
    (tmp_path / "root" / "folder").mkdir(parents=True)
    for name in ("a.odt", "folder/b.docx"):
        (tmp_path / "root" / name).write_bytes(b"PK")
    async with stand(tmp_path, wopi_discovery=f"Collabora={suite.url}", iop_secret=IOP) as site:
        await until(lambda: all("not asked" not in office.detail for office in site.app.suites.offices))
        yield site


def query(suite: FakeSuite, **changed: str) -> dict[str, str]:
    asked = {
        "endpoint": "storage",
        "fileid": "a.odt",
        "viewmode": "VIEW_MODE_READ_WRITE",
        "userid": "ada@idp.example",
        "username": "Ada Löw",
        "usertype": "regular",
        "folderurl": "https://cloud.example/files",
        "appname": "Collabora",
        "appurl": f"{suite.origin}/browser/0f1e2d/cool.html?",
        "appviewurl": f"{suite.origin}/browser/0f1e2d/cool.html?view=1&",
        "appinturl": "http://169.254.169.254/latest",
    }
    return {name: value for name, value in {**asked, **changed}.items() if value}


async def opened(site: Site, asked: dict[str, str], **headers: str) -> httpx.Response:
    async with site.client() as reva:
        return await reva.get("/wopi/iop/openinapp", params=asked, headers={**BEARER, **headers})


def meaning(answer: httpx.Response) -> Pass:
    told: dict[str, Any] = answer.json()
    assert sorted(told) == ["app-url", "form-parameters"]
    assert list(told["form-parameters"]) == ["access_token"]
    return unseal(told["form-parameters"]["access_token"], SECRET, now=NOW)


async def test_a_file_opens_as_reva_asks(site: Site, suite: FakeSuite) -> None:
    answer = await opened(site, query(suite))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    url = urlsplit(answer.json()["app-url"])
    granted = meaning(answer)
    assert parse_qs(url.query)["WOPISrc"] == [f"{ORIGIN}/wopi/files/{granted.target.removeprefix('id:')}"]
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{suite.origin}/browser/0f1e2d/cool.html"
    assert (granted.person.name, granted.person.id) == ("Ada Löw", "reva:ada@idp.example")
    assert (granted.role, granted.suite, granted.scope) == (Role.EDITOR, "Collabora", granted.target)
    assert granted.foreign == FOREIGN
    assert granted.expires == NOW + 3600
    assert "169.254" not in answer.text


async def test_the_suite_then_asks_with_signed_requests_only(site: Site, suite: FakeSuite) -> None:
    """WOPI-7."""
    answer = await opened(site, query(suite))
    (source,) = parse_qs(urlsplit(answer.json()["app-url"]).query)["WOPISrc"]
    target = f"{urlsplit(source).path}?access_token={answer.json()['form-parameters']['access_token']}"
    token = answer.json()["form-parameters"]["access_token"]
    async with site.client() as asks:
        assert (await asks.get(target)).status_code == 500
        told = await asks.get(target, headers=suite.sign(token, ORIGIN + target, now=NOW))
        assert told.status_code == 200
        assert FOREIGN not in told.text


@pytest.mark.parametrize("mode", ["VIEW_MODE_READ_ONLY", "VIEW_MODE_VIEW_ONLY", "VIEW_MODE_PREVIEW", "READ_ONLY", "view_mode_read_only"])
async def test_who_may_only_read_gets_the_address_for_that(site: Site, suite: FakeSuite, mode: str) -> None:
    answer = await opened(site, query(suite, viewmode=mode))
    assert meaning(answer).role is Role.VIEWER
    assert "view=1" in answer.json()["app-url"]
    answer = await opened(site, query(suite, viewmode=mode, appviewurl=""))
    assert "view=1" not in answer.json()["app-url"]


@pytest.mark.parametrize("name", ["/folder/b.docx", "folder/b.docx"])
async def test_a_file_is_named_by_path_or_id(site: Site, suite: FakeSuite, name: str) -> None:
    target = meaning(await opened(site, query(suite, fileid=name))).target
    assert target == (await site.files.stat("folder/b.docx")).id
    assert meaning(await opened(site, query(suite, fileid=target))).target == target


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Bearer x", f"bearer {IOP}", f"Bearer {IOP} ", f"Bearer {IOP}x", f"Basic {IOP}", IOP]
)
@pytest.mark.parametrize("path", ["openinapp", "list", "conflicts"])
async def test_who_does_not_know_the_secret_is_told_nothing(site: Site, suite: FakeSuite, said: str, path: str) -> None:
    """WOPI-15."""
    async with site.client() as reva:
        answer = await reva.get(
            f"/wopi/iop/{path}", params=query(suite), headers={"Authorization": said.strip() if said != f"Bearer {IOP} " else said + "y"}
        )
        assert answer.status_code == 401
        assert IOP not in answer.text
    async with site.of(Role.OWNER) as ada:
        assert (await ada.get(f"/wopi/iop/{path}", params=query(suite))).status_code == 401


async def test_without_a_secret_there_is_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as site, site.client() as reva:
        for said in ("Bearer ", "Bearer None", ""):
            assert (await reva.get("/wopi/iop/list", headers={"Authorization": said})).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/cool.html",
        "javascript:alert(1)",
        "//127.0.0.1/cool.html",
        "http://127.0.0.1@evil.example/",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example/",
        "cool.html",
    ],
)
@pytest.mark.parametrize("which", ["appurl", "appviewurl"])
async def test_nobody_is_sent_to_a_host_that_is_not_configured(site: Site, suite: FakeSuite, which: str, address: str) -> None:
    """WOPI-3."""
    before = list(suite.asked)
    answer = await opened(site, query(suite, **{which: address}))
    assert answer.status_code == 400
    assert "COLLAB_WOPI_SUITE_HOSTS" in answer.json()["detail"]
    assert suite.asked == before


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"fileid": ""}, 400),
        ({"viewmode": ""}, 400),
        ({"viewmode": "VIEW_MODE_EVERYTHING"}, 400),
        ({"userid": ""}, 400),
        ({"userid": "a\nb"}, 400),
        ({"username": "x" * 300}, 400),
        ({"appurl": ""}, 400),
        ({"fileid": "none.odt"}, 404),
        ({"fileid": "../secret"}, 400),
        ({"fileid": "folder"}, 400),
    ],
)
async def test_what_is_missing_or_wrong_is_told(site: Site, suite: FakeSuite, changed: dict[str, str], status: int) -> None:
    answer = await opened(site, query(suite, **changed))
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize("foreign", ["", "x" * 5000, jwt.encode({"exp": int(NOW) - 1}, "k" * 32, algorithm="HS256")])
async def test_a_token_that_is_missing_too_long_or_over_opens_nothing(site: Site, suite: FakeSuite, foreign: str) -> None:
    assert (await opened(site, query(suite), TokenHeader=foreign)).status_code in {400, 401}


@pytest.mark.parametrize("foreign", ["opaque", jwt.encode({"exp": 10**30}, "k" * 32, algorithm="HS256"), "a.b.c", "e30.e30.e30"])
async def test_a_token_without_an_end_ends_with_ours(site: Site, suite: FakeSuite, foreign: str) -> None:
    assert meaning(await opened(site, query(suite), TokenHeader=foreign)).expires == NOW + 36000


async def test_another_systems_token_stands_nowhere_but_encrypted(site: Site, suite: FakeSuite, caplog: pytest.LogCaptureFixture) -> None:
    """WOPI-14, WOPI-15."""
    caplog.set_level(logging.DEBUG, "collab")
    caplog.set_level(logging.INFO, "collab.audit")
    answer = await opened(site, query(suite))
    await opened(site, query(suite, fileid="none.odt"))
    await opened(site, query(suite), Authorization="Bearer wrong")
    token = answer.json()["form-parameters"]["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert FOREIGN not in str(claims)
    assert any(record.name == "collab.audit" for record in caplog.records)
    for secret in (FOREIGN, FOREIGN.rpartition(".")[2], IOP, token, token.rpartition(".")[2]):
        assert secret not in caplog.text


async def test_open_sessions_and_conflicts_are_listed(site: Site) -> None:
    stat = await site.files.stat("a.odt")
    async with site.client(**BEARER) as reva:
        assert (await reva.get("/wopi/iop/list")).json() == {"sessions": []}
        assert (await reva.get("/wopi/iop/conflicts")).json() == {"conflicts": []}
        await site.app.rejected.keep(stat, b"mine", "it was locked", Pass(ADA, Role.EDITOR, stat.id, NOW + 1, suite="Collabora"))
        (conflict,) = (await reva.get("/wopi/iop/conflicts")).json()["conflicts"]
        assert (conflict["document"], conflict["by"], conflict["suite"]) == (stat.id, "Ada", "Collabora")


async def test_a_locked_file_is_an_open_session(site: Site, suite: FakeSuite) -> None:
    answer = await opened(site, query(suite))
    token = answer.json()["form-parameters"]["access_token"]
    (source,) = parse_qs(urlsplit(answer.json()["app-url"]).query)["WOPISrc"]
    target = f"{urlsplit(source).path}?access_token={token}"
    async with site.client() as asks:
        headers = {"X-WOPI-Override": "LOCK", "X-WOPI-Lock": "mine", **suite.sign(token, ORIGIN + target, now=NOW)}
        assert (await asks.post(target, headers=headers)).status_code == 200
    async with site.client(**BEARER) as reva:
        (session,) = (await reva.get("/wopi/iop/list")).json()["sessions"]
        assert (session["document"], session["suite"], session["by"]) == (meaning(answer).target, "Collabora", "Ada Löw")
        assert 1700 < session["seconds"] <= 1800
        assert "mine" not in str(session)


async def test_suites_are_told_apart_by_their_addresses(tmp_path: Path, suite: FakeSuite) -> None:
    with fake_suite("onlyoffice") as other:
        async with stand(tmp_path, wopi_discovery=f"A={suite.url} B={other.url}") as site:
            await until(lambda: all("not asked" not in office.detail for office in site.app.suites.offices))
            found = [
                site.app.suites.at(address)
                for address in (
                    f"{suite.origin}/browser/0f1e2d/cool.html?x=1",
                    f"{other.origin}/hosting/wopi/word/edit?<ui=UI_LLCC&>",
                    f"{other.origin}/else",
                    "https://c.example/",
                )
            ]
            assert [office and office.name for office in found] == ["A", "B", "A", None]
