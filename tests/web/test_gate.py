"""What pages of other sites can do with somebody's session here: nothing, on any route that there is (AUTH-5); and show none of our pages (AUTH-10)."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from standing import NOW, ORIGIN, Site, stand

from collab.access import Role
from collab.web.admission import SAFE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import httpx

SITE = "https://evil.example"
PAGES = ("index", "edit", "login", "present", "diagram", "office", "settings")
FORGED: dict[str, dict[str, str]] = {
    "another site": {"Origin": SITE},
    "another site, said by the browser": {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    "a page without an origin": {"Origin": "null"},
    "a form that says nothing of where it is": {},
    "another port": {"Origin": "http://127.0.0.1:9000"},
    "a name that only begins alike": {"Origin": ORIGIN + ".evil.example"},
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    for name in PAGES:
        (built / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    (root / "notes" / "a.md").write_text("# words\n")
    async with stand(tmp_path, client=built) as site:
        yield site


def routes(site: Site) -> Iterator[tuple[str, str]]:
    """Methods and paths of every route, for a document that there is."""
    given = {"id": quote("notes/a.md", safe=""), "path": "notes/a.md", "secret": "x" * 32}
    for route in site.app.web.routes:
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: given.get(found[1], "1"), getattr(route, "path", ""))
        for method in sorted(getattr(route, "methods", None) or ()):
            yield method, path


@asynccontextmanager
async def signed_in(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which the owner is signed in."""
    async with site.client() as browser:
        answer = await browser.post("/api/session", json={"secret": site.logins.issue(NOW)}, headers={"Origin": ORIGIN})
        assert answer.status_code == 200
        yield browser


@pytest.mark.parametrize("how", FORGED)
async def test_no_route_that_changes_something_takes_a_session_from_elsewhere(how: str, site: Site) -> None:
    """AUTH-5."""
    changing = [(method, path) for method, path in routes(site) if method not in SAFE]
    assert len(changing) > 40, "all of them"
    async with signed_in(site) as browser:
        answered = {
            (method, path): await browser.request(method, path, headers={**FORGED[how], "If-Match": "*"}, content=b"")
            for method, path in changing
        }
        assert [asked for asked, answer in answered.items() if answer.status_code != 403] == []
        assert {answer.json()["reason"] for answer in answered.values()} == {"forbidden"}
        # Still signed in, and all is as it was.
        assert (await browser.get("/api/session")).json()["role"] == "owner"
        assert (await browser.get("/api/documents/notes%2Fa.md/content")).text == "# words\n"
        listed = (await browser.get("/api/documents", params={"path": "notes"})).json()["documents"]
        assert [each["path"] for each in listed] == ["notes/a.md"]


async def test_no_page_is_shown_in_a_frame_of_another_site(site: Site) -> None:
    """AUTH-10: pages, what they say when something is refused, and the pages of links."""
    async with site.of(Role.OWNER) as op:
        made = (await op.post("/api/documents/notes%2Fa.md/shares", json={"kind": "link", "role": "editor"})).json()
    more = [
        "/v/nothing.md",
        made["address"].removeprefix(ORIGIN),
        "/edit/nothing.md",
        "/edit/notes/a.md",
        "/present/notes/a.md",
        "/v/notes%2Fa.md",
        "/login?notice=wrong",
    ]
    seen: dict[str, str] = {}
    async with signed_in(site) as browser, site.client() as stranger:
        for who in (browser, stranger):
            for path in [*(path for method, path in routes(site) if method == "GET" and not path.startswith("/transport")), *more]:
                answer = await who.get(path, headers={"Accept": "text/html"})
                if answer.headers.get("content-type", "").startswith("text/html"):
                    policy = answer.headers["content-security-policy"]
                    seen[path] = policy.partition("frame-ancestors ")[2].partition(";")[0]
                    assert seen[path] == "'none'" or (path == "/diagram" and seen[path] == "'self'"), path
                    assert path == "/diagram" or answer.headers.get("x-frame-options") == "DENY", path
    assert {"/", "/login", "/diagram", "/v/", *more} <= seen.keys()
