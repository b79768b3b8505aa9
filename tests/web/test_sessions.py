"""Whose session has which name (AUTH-12)."""

from __future__ import annotations

import json
import os
import resource
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from standing import NOW, ORIGIN, SECRET, Site, stand

from collab.access import Role, verify
from collab.errors import Malformed
from collab.web.sessions import NAME_LENGTH, Spent, invite, person_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with stand(tmp_path, session_length="1h") as site:
        yield site


async def sign_in(browser: httpx.AsyncClient, secret: str) -> None:
    assert (await browser.post("/api/session", json={"secret": secret})).status_code == 200


async def rename(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    return await browser.patch("/api/session", json={"name": name})


async def test_who_signed_in_without_a_name_chooses_one_and_stays_the_same_person(site: Site) -> None:
    """AUTH-12."""
    async with site.client(Origin=ORIGIN) as browser:
        signed = await browser.post("/api/session", json={"secret": site.logins.issue(NOW)})
        before = (await browser.get("/api/session")).json()
        assert signed.json() == before
        assert before["renamable"] is True
        old = dict(browser.cookies)
        site.time[0] = NOW + 600
        answer = await rename(browser, "  Ada Lovelace ")
        assert answer.status_code == 200
        assert answer.json() == {**before, "name": "Ada Lovelace"} == (await browser.get("/api/session")).json()
        cookie = answer.headers["set-cookie"]
        assert "Max-Age=3000" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        grants = [verify(value, SECRET, now=NOW, use="session") for value in (*old.values(), *browser.cookies.values())]
        assert [grant.expires for grant in grants] == [NOW + 3600] * 2
        assert grants[0].person.id == grants[1].person.id


async def test_signing_out_ends_the_session_under_every_name_it_had(site: Site) -> None:
    """AUTH-12."""
    async with site.client(Origin=ORIGIN) as browser, site.client(Origin=ORIGIN) as thief:
        await sign_in(browser, site.logins.issue(NOW))
        thief.cookies.update(browser.cookies)
        await rename(browser, "Ada")
        await browser.delete("/api/session")
        assert (await thief.get("/api/session")).status_code == 401


async def test_a_name_that_the_operator_gave_stays(site: Site) -> None:
    """AUTH-12."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser, invite("Bob", Role.EDITOR, SECRET, now=NOW, random=os.urandom))
        assert (await browser.get("/api/session")).json()["renamable"] is False
        refused = await rename(browser, "Ann")
        assert (refused.status_code, refused.json()["reason"]) == (403, "forbidden")
        assert (await browser.get("/api/session")).json()["name"] == "Bob"


async def test_a_token_has_the_name_that_it_was_made_with(site: Site) -> None:
    """AUTH-12."""
    async with site.of(Role.OWNER) as script:
        assert (await script.get("/api/session")).json()["renamable"] is False
        assert (await rename(script, "Ann")).status_code == 403
    async with site.client(Origin=ORIGIN) as nobody:
        assert (await rename(nobody, "Ann")).status_code == 401


@pytest.mark.parametrize("origin", [{"Origin": "https://evil.example"}, {"Origin": ""}])
async def test_another_site_gives_nobody_a_name(site: Site, origin: dict[str, str]) -> None:
    """AUTH-5."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser, site.logins.issue(NOW))
        assert (await browser.patch("/api/session", json={"name": "Eve"}, headers=origin)).status_code == 403


async def test_a_new_name_is_audited_beside_the_old_one(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """PROC-8."""
    with caplog.at_level("INFO", "collab.audit"):
        async with site.client(Origin=ORIGIN) as browser:
            await sign_in(browser, site.logins.issue(NOW))
            before = (await browser.get("/api/session")).json()["name"]
            await rename(browser, "Ada")
    line = json.loads(caplog.records[-1].getMessage())
    assert (line["event"], line["person"], line["detail"]) == ("name", {"id": "owner", "name": "Ada"}, before)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (" Ada ", "Ada"),
        ("x" * NAME_LENGTH, "x" * NAME_LENGTH),
        ("Jose\u0301", "José"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("क्\u200dष", "क्\u200dष"),
        ("<b>", "<b>"),
    ],
)
def test_a_name_is_trimmed_and_else_kept(written: str, name: str) -> None:
    assert person_name(written) == name


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * (NAME_LENGTH + 1), "a\nb", "a\0b", "a\x7f", "a\x85b", "\u202eevil", "a\u2028b", "\u200d", "\ud800", "\ufeffa"]
)
def test_a_name_that_cannot_be_seen_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="1 to 60"):
        person_name(name)


@pytest.mark.parametrize("body", [{}, {"name": 1}, {"name": ""}, {"name": "a", "role": "owner"}])
async def test_a_body_that_gives_no_name_is_refused(site: Site, body: dict[str, object]) -> None:
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser, site.logins.issue(NOW))
        assert (await browser.patch("/api/session", json=body)).status_code == 400


def test_a_disk_that_is_full_at_a_start_brings_no_session_back(tmp_path: Path) -> None:
    """SIGN-1: the list of those that are over is made shorter then."""
    path = tmp_path / "spent"
    spent = Spent(path, NOW)
    spent.add("over", NOW + 1)
    spent.add("closed", NOW + 60)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with suppress(OSError):
            assert "closed" in Spent(path, NOW + 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    again = Spent(path, NOW + 3)
    assert "closed" in again
    assert path.read_text() == f"closed {NOW + 60:.0f}\n"
