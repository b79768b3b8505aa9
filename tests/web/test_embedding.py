from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from standing import ADA, NOW, ORIGIN, SECRET, Site, stand

from collab.access import LEASE_SECONDS, Grant, Person, Role, color_of, sign, verify
from collab.errors import Unauthorized
from collab.web.embedding import FORM_BYTES
from collab.web.pages import PAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

PORTAL = "https://portal.example"
OTHER = "http://portal.example:8080"
TEMPLATE = '<script nonce="__NONCE__" src="__BASE__/x.js"></script><meta name="collab-token" content="__TOKEN__">{name}'


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A web client as Vite builds it."""
    folder = tmp_path / "built"
    folder.mkdir()
    for name in PAGES:
        (folder / f"{name}.html").write_text(TEMPLATE.replace("{name}", name), "utf-8")
    return folder


@pytest.fixture
async def site(tmp_path: Path, client: Path) -> AsyncIterator[Site]:
    """A server whose documents two origins may show."""
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    (root / "a.md").write_bytes(b"# A\n")
    (root / "notes" / "Größe & b.md").write_bytes(b"b")
    async with stand(tmp_path, client=client, frame_ancestors=f"{PORTAL}, {OTHER}") as site:
        yield site


async def post(site: Site, token: str, name: str = "a.md", origin: str | None = PORTAL, **headers: str) -> httpx.Response:
    """As the browser sends the form of a page of that origin."""
    said = headers if origin is None else {"Origin": origin, **headers}
    async with site.client(**said) as browser:
        return await browser.post(f"/edit/{quote(name)}", data={"token": token, "button": "Open"})


def held(answer: httpx.Response) -> str:
    """The token that the page holds."""
    assert answer.status_code == 200, answer.text
    found = re.search('name="collab-token" content="([^"]*)"', answer.text)
    assert found is not None
    return found[1]


def ancestors(answer: httpx.Response) -> str:
    return str(answer.headers["content-security-policy"]).partition("frame-ancestors ")[2]


async def renewed(site: Site, token: str) -> httpx.Response:
    async with site.client(token, Origin=ORIGIN) as page:
        return await page.post("/api/session/renewal")


# --- without the setting


async def test_nobody_may_show_a_page_unless_told(tmp_path: Path, client: Path) -> None:
    """AUTH-10."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.md").write_bytes(b"a")
    async with stand(tmp_path, client=client) as site:
        assert (await post(site, site.token())).status_code == 403
        for origin in (ORIGIN, None):
            refused = await post(site, site.token(), origin=origin)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


# --- the page


@pytest.mark.parametrize("origin", [PORTAL, OTHER, ORIGIN])
async def test_a_form_with_a_token_opens_the_editor_for_the_frames_of_configured_origins(site: Site, origin: str) -> None:
    """AUTH-10."""
    answer = await post(site, site.token(), origin=origin)
    assert held(answer)
    assert answer.text.endswith("edit")
    assert ancestors(answer) == f"{PORTAL} {OTHER}"
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "script-src 'self' 'nonce-" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://portal.example", "https://portal.example:8080", "https://x.portal.example", "null", "", None]
)
async def test_a_form_of_another_origin_is_refused_before_its_token_counts(site: Site, origin: str | None) -> None:
    """AUTH-10, AUTH-11."""
    answer = await post(site, site.token(), origin=origin)
    assert answer.status_code == 403
    assert "COLLAB_FRAME_ANCESTORS" in answer.json()["detail"]
    assert "frame-ancestors" not in answer.headers.get("content-security-policy", "")


async def test_two_origins_are_refused(site: Site) -> None:
    async with site.client() as browser:
        headers = [("Origin", PORTAL), ("Origin", PORTAL)]
        assert (await browser.post("/edit/a.md", data={"token": site.token()}, headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/edit/a.md"])
async def test_a_page_that_nobody_posted_a_token_for_is_shown_in_no_frame(site: Site, path: str) -> None:
    """AUTH-10."""
    async with site.client(Origin=PORTAL) as browser:
        answer = await browser.get(path)
    assert ancestors(answer) == "'none'"
    assert answer.headers["x-frame-options"] == "DENY"
    assert held(answer) == ""


@pytest.mark.parametrize("path", ["/api/session", "/api/session/renewal", "/api/documents", "/"])
async def test_an_origin_that_may_show_pages_may_write_nothing_else(site: Site, path: str) -> None:
    """AUTH-5, AUTH-10."""
    async with site.client(site.token(), Origin=PORTAL) as script:
        # The list of files takes a form with a token, and nothing else.
        assert (await script.post(path, json={"path": "b.md"})).status_code == (400 if path == "/" else 403)


async def test_a_cookie_opens_nothing_in_a_frame(site: Site) -> None:
    """AUTH-10."""
    async with site.client(Origin=ORIGIN) as browser:
        await browser.post("/api/session", json={"secret": site.logins.issue(NOW)})
        assert browser.cookies
        assert (await browser.post("/edit/a.md", data={"token": ""})).status_code == 400
        answer = await browser.post("/edit/a.md", data={"token": site.token(Role.VIEWER)})
    grant = verify(held(answer), SECRET, now=NOW)
    assert (grant.person, grant.role) == (ADA, Role.VIEWER)


async def test_under_a_prefix_the_page_and_its_form_have_it_too(tmp_path: Path, client: Path) -> None:
    """HTTP-6."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.md").write_bytes(b"a")
    settings: dict[str, Any] = {"public_url": "https://docs.example/collab", "trusted_proxies": "192.0.2.7", "frame_ancestors": PORTAL}
    async with stand(tmp_path, client=client, **settings) as site:
        said = {"Host": "docs.example", "X-Forwarded-Proto": "https", "Origin": PORTAL}
        async with site.client(**said) as browser:
            answer = await browser.post("/collab/edit/a.md", data={"token": site.token()})
            assert 'src="/collab/x.js"' in answer.text
            assert held(answer)
            assert (await browser.post("/edit/a.md", data={"token": site.token()})).status_code == 404


# --- words instead of the page


@pytest.mark.parametrize(
    ("name", "token", "status", "words"),
    [
        ("a.md", "wrong", 401, "not valid here"),
        ("a.md", "spent", 401, "time is over"),
        ("a.md", "session", 401, "not valid here"),
        ("a.md", "", 400, "one field `token`"),
        ("notes/Größe & b.md", "a.md", 403, "another document"),
        ("missing.md", "a.md", 403, "another document"),
        ("missing.md", "all", 404, ""),
        ("notes", "all", 404, ""),
        (".hidden.md", "all", 404, ""),
        ("", "all", 404, ""),
        ("x" * 2000, "all", 413, "1024 bytes"),
    ],
)
async def test_what_cannot_be_opened_is_told_in_words_that_the_frame_shows(
    site: Site, name: str, token: str, status: int, words: str
) -> None:
    grant = Grant(ADA, Role.EDITOR, expires=NOW + 60, id="s")
    tokens = {
        "a.md": site.token(document="a.md"),
        "all": site.token(),
        "spent": sign(Grant(ADA, Role.EDITOR, expires=NOW - 1), SECRET, now=NOW - 60),
        "session": sign(grant, SECRET, now=NOW, use="session"),
    }
    answer = await post(site, tokens.get(token, token), name)
    assert answer.status_code == status, answer.text
    assert words in html.unescape(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert ancestors(answer) == f"{PORTAL} {OTHER}"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "x-frame-options" not in answer.headers
    assert sum(site.app.metrics.refusals.values()) == 1


async def test_words_are_never_markup(site: Site) -> None:
    answer = await post(site, site.token(), "<script>alert(1)</script>.md")
    assert answer.status_code == 404
    assert "<script" not in answer.text


async def test_a_form_is_bounded_and_has_one_token(site: Site) -> None:
    async with site.client(Origin=PORTAL, **{"Content-Type": "application/x-www-form-urlencoded"}) as browser:

        async def sent(body: bytes, **headers: str) -> int:
            return (await browser.post("/edit/a.md", content=body, headers=headers)).status_code

        token = b"token=" + site.token().encode()
        assert await sent(token) == 200
        # As a cloud's page posts it, with its end.
        assert await sent(b"access_" + token + b"&access_token_ttl=1800000000000") == 200
        assert await sent(b"access_" + token + b"&" + token) == 400
        assert await sent(token + b"&x=" + b"y" * (FORM_BYTES - len(token) - 3)) == 200
        assert await sent(token + b"&x=" + b"y" * (FORM_BYTES - len(token) - 2)) == 413
        assert await sent(b"", **{"Content-Length": "16385"}) == 413
        for body in (b"", b"token=", token + b"&" + token, b"token=\xff", token + b"&a=b" * 20):
            assert await sent(body) == 400
        for media in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
            assert await sent(token, **{"Content-Type": media}) == 400


# --- the token of the page


@pytest.mark.parametrize("document", [None, "notes/Größe & b.md"])
async def test_the_page_holds_another_token_bound_to_person_role_document_and_end(site: Site, document: str | None) -> None:
    """AUTH-10."""
    bob = Person("name:Bob", "Bob <b>")
    token = held(await post(site, site.token(Role.VIEWER, document, bob), "notes/Größe & b.md"))
    grant = verify(token, SECRET, now=NOW)
    async with site.client(token) as page:
        shown = (await page.get("/api/documents/" + quote("notes/Größe & b.md", safe=""))).json()
        assert grant == Grant(bob, Role.VIEWER, shown["id"], NOW + LEASE_SECONDS, until=NOW + 3600)
        assert (await page.get("/api/documents/a.md")).status_code == 403
    for use in ("session", "invitation"):
        with pytest.raises(Unauthorized, match="not valid here"):
            verify(token, SECRET, now=NOW, use=use)


async def test_the_page_asks_who_it_is_with_its_token(site: Site) -> None:
    async with site.client(held(await post(site, site.token()))) as page:
        who = (await page.get("/api/session")).json()
    assert (who["id"], who["name"], who["color"], who["role"]) == (ADA.id, ADA.name, color_of(ADA.id), "editor")
    assert who["version"]


async def test_the_page_opens_itself_anew_with_its_token_and_gains_no_time(site: Site) -> None:
    token = held(await post(site, site.token()))
    site.time[0] += 500
    again = held(await post(site, token, origin=ORIGIN))
    grant = verify(again, SECRET, now=site.time[0])
    assert (grant.expires, grant.until) == (NOW + 500 + LEASE_SECONDS, NOW + 3600)


async def test_a_renewal_gives_ten_minutes_and_nothing_beyond_the_end_of_the_first_token(site: Site) -> None:
    """AUTH-10."""
    token = held(await post(site, site.token()))
    first = verify(token, SECRET, now=NOW)
    for minutes, end in [(7, 17), (14, 24), (21, 31), (28, 38), (35, 45), (42, 52), (49, 59), (56, 60), (59, 60)]:
        site.time[0] = NOW + 60 * minutes
        answer = await renewed(site, token)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert sorted(body) == ["expires", "token"]
        token = body["token"]
        grant = verify(token, SECRET, now=site.time[0])
        assert (grant.person, grant.role, grant.document, grant.until) == (first.person, first.role, first.document, NOW + 3600)
        assert grant.expires == NOW + 60 * end
        assert body["expires"] == f"2027-01-15T{8 + end // 60:02}:{end % 60:02}:00.000Z"
    site.time[0] = NOW + 3600
    assert (await renewed(site, token)).status_code == 401
    assert "time is over" in (await post(site, token)).text


async def test_only_the_live_token_of_such_a_page_is_renewed(site: Site) -> None:
    """AUTH-10."""
    refused = await renewed(site, site.token())
    assert (refused.status_code, refused.json()["reason"]) == (403, "forbidden")
    assert "collab token" in refused.json()["detail"]
    spent = held(await post(site, site.token()))
    site.time[0] += LEASE_SECONDS
    assert (await renewed(site, spent)).status_code == 401
    async with site.client(Origin=ORIGIN) as browser:
        assert (await browser.post("/api/session/renewal")).status_code == 401
        await browser.post("/api/session", json={"secret": site.logins.issue(site.time[0])})
        assert (await browser.post("/api/session/renewal")).status_code == 403


async def test_no_token_stands_in_an_address_a_header_or_a_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """AUTH-9, AUTH-10."""
    posted = site.token()
    with caplog.at_level("DEBUG"):
        answer = await post(site, posted)
        token = held(answer)
        new = (await renewed(site, token)).json()["token"]
        await post(site, token + "x")
        await post(site, posted, "missing.md")
    assert posted not in answer.text
    assert "location" not in answer.headers
    # The client of this test logs what it sends; the server is asked about.
    ours = [record for record in caplog.records if record.name.startswith(("collab", "uvicorn"))]
    assert ours
    for secret in (posted, token, new):
        assert secret not in str(answer.url) + str(answer.headers)
        assert all(secret not in record.getMessage() for record in ours)
