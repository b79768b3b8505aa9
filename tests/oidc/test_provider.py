"""Signing in by a real provider: there, back, renewed, and off (SIGN-8 to SIGN-11)."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from oidc.served import SECRET, Provided, provided, walk
from standing import ORIGIN, Site, stand
from standing import SECRET as OURS

from collab.access import verify
from collab.archive.memory_providers import MemoryProviderSessions
from collab.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from collab.ports import ProviderSession

BACK = f"{ORIGIN}/login/oidc/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provided]:
    with provided(ORIGIN) as made:
        yield made


@pytest.fixture(autouse=True)
def well(provider: Provided) -> None:
    provider.tell(mode="well", enable="ada", groups={"ada": ["physics", "staff"]})


@asynccontextmanager
async def standing(folder: Path, provider: Provided, **settings: Any) -> AsyncIterator[Site]:
    given = {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": "collab",
        "oidc_client_secret": SECRET,
        "oidc_name": "The Institute",
        "oidc_refresh": "2s",
    }
    async with stand(folder, **(given | settings)) as site:
        # The provider's clock is the world's.
        site.time[0] = time.time()
        yield site


@pytest.fixture
async def site(tmp_path: Path, provider: Provided) -> AsyncIterator[Site]:
    async with standing(tmp_path, provider) as made:
        yield made


async def begin(browser: httpx.AsyncClient, wanted: str = "/edit/a.md") -> str:
    answer = await browser.get(f"/login/oidc?{urlencode({'next': wanted})}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def came_back(browser: httpx.AsyncClient, login: str = "ada", wanted: str = "/edit/a.md") -> str:
    """The address that the provider sends the browser back to."""
    async with httpx.AsyncClient(timeout=60) as there:
        return await walk(there, await begin(browser, wanted), login, until=BACK)


async def sign_in(browser: httpx.AsyncClient, login: str = "ada") -> httpx.Response:
    return await browser.get(await came_back(browser, login))


def renewing(site: Site) -> Any:
    """The loop's object, whose steps a test makes itself."""
    return site.app.begin.renewing


async def test_a_person_of_the_provider_signs_in_with_name_groups_and_orcid(site: Site, provider: Provided) -> None:
    """SIGN-8: by a code with PKCE, state and nonce; nothing of the provider's reaches the browser."""
    async with site.client(Origin=ORIGIN) as browser:
        asked = parse_qs(urlsplit(await begin(browser)).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["scope"] == ["openid profile email"]
        assert all(len(asked[name][0]) == 43 for name in ("state", "nonce", "code_challenge"))
        answer = await sign_in(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/edit/a.md")
        assert answer.headers["referrer-policy"] == "no-referrer"
        me = (await browser.get("/api/session")).json()
        assert (me["name"], me["kind"], me["renamable"]) == ("Ada Lovelace", "oidc", False)
        assert me["id"].startswith("oidc:")
        (record,) = await site.archive.sign_ins.live(site.time[0])
        assert (record.groups, record.kind, record.person) == (("physics", "staff"), "oidc", me["id"])
        member = await site.archive.members.get(me["id"])
        assert member is not None
        assert (member.orcid, member.login, member.groups) == ("0000-0002-1825-0097", "ada", ("physics", "staff"))
        again = (await browser.get("/api/session")).json()["id"]
    async with site.client(Origin=ORIGIN) as other:
        await sign_in(other)
        assert (await other.get("/api/session")).json()["id"] == again
        await sign_in(other, "bob")
        assert (await other.get("/api/session")).json()["id"] != again
    del provider


async def test_a_code_and_a_way_count_once_in_the_browser_that_went_it(site: Site) -> None:
    """SIGN-9: replayed, planted and forged answers sign nobody in."""
    async with site.client(Origin=ORIGIN) as browser, site.client(Origin=ORIGIN) as thief:
        address = await came_back(browser)
        stolen = await thief.get(address)
        assert stolen.headers["location"] == "/login?notice=again"
        copy = dict(browser.cookies)
        assert (await browser.get(address)).headers["location"] == "/edit/a.md"
        thief.cookies.update(copy)
        assert (await thief.get(address)).headers["location"] == "/login?notice=again"
        assert "collab_8000" not in thief.cookies
        for forged in (
            f"{BACK}?code=x",
            f"{BACK}?code=x&state={'A' * 43}",
            f"{BACK}?code=x&state=../../..",
            address + "&state=" + "B" * 43,
            f"{BACK}?state={parse_qs(urlsplit(address).query)['state'][0]}",
        ):
            assert (await thief.get(forged)).headers["location"] == "/login?notice=again"


async def test_an_answer_that_is_another_providers_signs_nobody_in(site: Site) -> None:
    """SIGN-9: mix-up (RFC 9207)."""
    async with site.client(Origin=ORIGIN) as browser:
        address = await came_back(browser)
        parts = parse_qs(urlsplit(address).query)
        assert "iss" in parts
        other = {name: values[0] for name, values in parts.items()} | {"iss": "https://evil.example"}
        assert (await browser.get(f"{BACK}?{urlencode(other)}")).headers["location"] == "/login?notice=again&next=%2Fedit%2Fa.md"
        del other["iss"]
        address = await came_back(browser)
        other = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items() if name != "iss"}
        assert "again" in (await browser.get(f"{BACK}?{urlencode(other)}")).headers["location"]


async def test_a_nonce_or_a_verifier_of_another_way_signs_nobody_in(site: Site) -> None:
    """SIGN-9: a code that somebody else put into this browser's way."""
    async with site.client(Origin=ORIGIN) as browser, site.client(Origin=ORIGIN) as thief:
        theirs = parse_qs(urlsplit(await came_back(thief, "bob")).query)
        ours = parse_qs(urlsplit(await begin(browser)).query)
        mixed = {"code": theirs["code"][0], "state": ours["state"][0], "iss": theirs["iss"][0]}
        answer = await browser.get(f"{BACK}?{urlencode(mixed)}")
        assert answer.headers["location"] == "/login?notice=again&next=%2Fedit%2Fa.md"
        assert "collab_8000" not in browser.cookies


async def test_who_does_not_come_back_in_time_begins_again(site: Site) -> None:
    """SIGN-9."""
    async with site.client(Origin=ORIGIN) as browser:
        address = await came_back(browser)
        site.time[0] += 601
        assert (await browser.get(address)).headers["location"] == "/login?notice=again"


async def test_two_tabs_may_be_on_their_way_and_each_goes_where_it_wanted_to(site: Site) -> None:
    """SIGN-8."""
    async with site.client(Origin=ORIGIN) as browser:
        first, second = await came_back(browser, wanted="/edit/a.md"), await came_back(browser, wanted="/edit/b.md")
        assert (await browser.get(first)).headers["location"] == "/edit/a.md"
        assert (await browser.get(second)).headers["location"] == "/edit/b.md"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
async def test_nobody_is_sent_elsewhere_afterwards(site: Site, wanted: str) -> None:
    """SIGN-6."""
    async with site.client(Origin=ORIGIN) as browser:
        assert (await browser.get(await came_back(browser, wanted=wanted))).headers["location"] == "/"


async def test_who_is_refused_there_is_told_in_a_word_of_ours(site: Site) -> None:
    """SIGN-9."""
    async with site.client(Origin=ORIGIN) as browser:
        asked = parse_qs(urlsplit(await begin(browser)).query)
        said = {"error": "access_denied", "error_description": "<script>", "state": asked["state"][0]}
        issuer = parse_qs(urlsplit(await came_back(browser)).query)["iss"][0]
        answer = await browser.get(f"{BACK}?{urlencode(said | {'iss': issuer})}")
        assert answer.headers["location"] == "/login?notice=refused&next=%2Fedit%2Fa.md"


@pytest.mark.parametrize("mode", ["away", "ill"])
async def test_a_provider_that_is_away_is_told_as_that(tmp_path: Path, provider: Provided, mode: str) -> None:
    """SIGN-10."""
    provider.tell(mode=mode)
    async with standing(tmp_path, provider) as site, site.client(Origin=ORIGIN) as browser:
        answer = await browser.get("/login/oidc?next=/edit/a.md")
        assert answer.headers["location"] == "/login?notice=provider&next=%2Fedit%2Fa.md"


async def test_new_keys_of_the_provider_are_looked_for(site: Site, provider: Provided) -> None:
    """SIGN-8."""
    async with site.client(Origin=ORIGIN) as browser:
        assert (await sign_in(browser)).headers["location"] == "/edit/a.md"
        provider.tell(rotate=True)
        door = renewing(site)._provider
        door._keys_asked -= 60
        assert (await sign_in(browser)).headers["location"] == "/edit/a.md"


async def test_sessions_are_renewed_and_groups_follow(site: Site, provider: Provided) -> None:
    """SIGN-10."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        provider.tell(groups={"ada": ["physics", "lab"]})
        for _ in range(3):
            assert await renewing(site).step() is False
            site.time[0] += 3
        assert (await browser.get("/api/session")).status_code == 200
        (record,) = await site.archive.sign_ins.live(site.time[0])
        assert record.groups == ("lab", "physics")


async def test_whoever_is_disabled_at_the_provider_is_signed_off_by_the_next_renewal(site: Site, provider: Provided) -> None:
    """SIGN-10."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        provider.tell(disable="ada")
        await renewing(site).step()
        assert (await browser.get("/api/session")).status_code == 200
        site.time[0] += 3
        await renewing(site).step()
        answer = await browser.get("/api/session")
        assert (answer.status_code, answer.json()["detail"]) == (401, "this session was ended: sign in again")
        assert await site.archive.provider_sessions(b"").take(1e12, 1e12, limit=9) == []


@pytest.mark.parametrize("mode", ["away", "ill", "gateway"])
async def test_a_provider_that_is_away_signs_nobody_off(site: Site, provider: Provided, mode: str) -> None:
    """SIGN-10."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        provider.tell(mode=mode)
        for _ in range(3):
            site.time[0] += 3
            await renewing(site).step()
            assert (await browser.get("/api/session")).status_code == 200
        provider.tell(mode="well")
        site.time[0] += 3
        await renewing(site).step()
        assert (await browser.get("/api/session")).status_code == 200


@pytest.mark.parametrize("apart", [0, 300])
async def test_a_renewal_whose_id_token_cannot_be_looked_at_signs_nobody_off(site: Site, provider: Provided, apart: float) -> None:
    """SIGN-10: keys are away just then, or clocks are apart; the refresh token that was used is worth nothing any more."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        if not apart:
            renewing(site)._provider._keys = None  # as after a restart
            provider.tell(mode="keyless")
        for _ in range(2):
            site.time[0] += 3 + apart
            await renewing(site).step()
            provider.tell(mode="well")
        assert (await browser.get("/api/session")).status_code == 200


class Away(MemoryProviderSessions):
    """An archive that takes nothing once."""

    away = True

    async def put(self, session: ProviderSession) -> None:
        if self.away:
            self.away = False
            raise Unavailable("the database is away")
        await super().put(session)


async def test_an_archive_that_is_away_in_the_middle_of_a_renewal_signs_nobody_off(site: Site, provider: Provided) -> None:
    """SIGN-10: what the provider gave is kept as soon as that can be."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        renewing(site)._sessions = Away(site.archive)
        for _ in range(2):
            site.time[0] += 3
            await renewing(site).step()
        assert (await browser.get("/api/session")).status_code == 200
        provider.tell(disable="ada")
        site.time[0] += 3
        await renewing(site).step()
        assert (await browser.get("/api/session")).status_code == 401


async def test_signing_out_leads_to_the_provider_and_forgets_what_it_gave(site: Site, provider: Provided) -> None:
    """SIGN-11."""
    async with site.client(Origin=ORIGIN) as browser:
        await sign_in(browser)
        answer = await browser.delete("/api/session")
        leave = urlsplit(answer.json()["leave"])
        assert answer.status_code == 200
        assert f"{leave.scheme}://{leave.netloc}" == provider.issuer
        assert parse_qs(leave.query) == {"client_id": ["collab"], "post_logout_redirect_uri": [f"{ORIGIN}/login"]}
        assert (await browser.get("/api/session")).status_code == 401
        assert await site.archive.provider_sessions(b"").take(1e12, 1e12, limit=9) == []
        async with httpx.AsyncClient(timeout=60) as there:
            assert (await there.get(answer.json()["leave"])).status_code == 200


async def test_without_a_refresh_token_a_session_is_a_short_one(tmp_path: Path) -> None:
    """SIGN-10."""
    with provided(ORIGIN, refresh=False) as provider:
        async with standing(tmp_path, provider, oidc_unrefreshed="2h") as site, site.client(Origin=ORIGIN) as browser:
            answer = await sign_in(browser)
            assert answer.headers["location"] == "/edit/a.md"
            (cookie,) = [value for name, value in browser.cookies.items() if name == "collab_8000"]
            grant = verify(cookie, OURS, now=site.time[0], use="session")
            assert grant.expires is not None
            assert 7190 <= grant.expires - site.time[0] <= 7200


async def test_what_the_provider_gave_is_told_nowhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """SIGN-8, AUTH-9."""
    with caplog.at_level("DEBUG"):
        async with site.client(Origin=ORIGIN) as browser:
            address = await came_back(browser)
            answer = await browser.get(address)
            (kept,) = await site.archive.provider_sessions(b"").take(1e12, 1e12, limit=9)
    code = parse_qs(urlsplit(address).query)["code"][0]
    refresh = json.loads(kept.tokens)["refresh"]
    for word in (code, refresh, SECRET):
        assert all(word not in record.getMessage() for record in caplog.records if record.name.startswith("collab"))
        assert word not in answer.text + str(answer.headers)
    assert refresh not in repr(kept)
