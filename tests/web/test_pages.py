from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from standing import stand
from suites import fake_suite

import collab
from collab.web.pages import PAGES

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

TEMPLATE = '<script nonce="__NONCE__" src="__BASE__/static/assets/x-1.js"></script><meta content="__VERSION__">{name}'
SCRIPT = "console.log('ü');\n" * 100


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A web client as Vite builds it."""
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    for name in PAGES:
        (folder / f"{name}.html").write_text(TEMPLATE.replace("{name}", name), "utf-8")
    (folder / "assets" / "x-1.js").write_text(SCRIPT, "utf-8")
    (folder / "assets" / "f-1.woff2").write_bytes(b"font" * 100)
    (tmp_path / "outside.js").write_text("secret", "utf-8")
    return folder


def policy(answer: httpx.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index"),
        ("/?path=notes", "index"),
        ("/login", "login"),
        ("/edit/notes%2Fa.md", "edit"),
        ("/edit/notes/%FF%00?x", "edit"),
        ("/present/notes/a.md", "present"),
        ("/diagram", "diagram"),
        ("/office/notes/a.odt?suite=Office&action=edit", "office"),
    ],
)
async def test_each_address_has_its_page(tmp_path: Path, client: Path, path: str, name: str) -> None:
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.endswith(f'<meta content="{collab.__version__}">{name}')
        assert 'src="/static/assets/x-1.js"' in answer.text


async def test_only_what_is_ours_may_run(tmp_path: Path, client: Path) -> None:
    """AUTH-10, HTTP-3."""
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        first, second = await browser.get("/"), await browser.get("/")
        found = re.search('nonce="([A-Za-z0-9_-]{22})"', first.text)
        assert found is not None
        assert found[1] not in second.text
        assert policy(first) == {
            "default-src": "'none'",
            "script-src": f"'self' 'nonce-{found[1]}'",
            "style-src": f"'self' 'nonce-{found[1]}'",
            "img-src": "'self' data: blob:",
            "font-src": "'self'",
            "connect-src": "'self' ws://127.0.0.1:8000",
            "frame-src": "'self'",
            "worker-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
            "require-trusted-types-for": "'script'",
            "trusted-types": "collab dompurify default",
        }
        assert first.headers["referrer-policy"] == "same-origin"
        assert first.headers["x-content-type-options"] == "nosniff"
        assert first.headers["cache-control"] == "no-store"
        assert "camera=()" in first.headers["permissions-policy"]


@pytest.mark.parametrize("frames", ["", "https://portal.example"])
async def test_the_diagram_page_has_no_origin_and_speaks_to_nobody_but_the_page_around_it(
    tmp_path: Path, client: Path, frames: str
) -> None:
    """HTTP-10."""
    async with stand(tmp_path, client=client, frame_ancestors=frames) as site, site.client() as browser:
        answer = await browser.get("/diagram")
        assert policy(answer) == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'unsafe-inline'",
            "img-src": "data:",
            "font-src": "'none'",
            "connect-src": "'none'",
            "sandbox": "allow-scripts",
            "frame-ancestors": f"'self' {frames}".strip(),
        }
        assert "x-frame-options" not in answer.headers
        assert "cross-origin-opener-policy" not in answer.headers


async def test_the_page_of_an_office_suite_may_show_that_one_and_send_it_a_form_and_others_may_not(tmp_path: Path, client: Path) -> None:
    """WOPI-3, WOPI-22."""
    with fake_suite() as suite:
        async with (
            stand(tmp_path, client=client, wopi_discovery=f"Office={suite.url} Other=http://127.0.0.2:1/") as site,
            site.client() as browser,
        ):
            assert await site.app.suites.offices[0].renew()
            answer = await browser.get("/office/a.odt?suite=Office&action=edit")
            unknown, other = await browser.get("/office/a.odt?suite=Nobody"), await browser.get("/edit/a.odt?suite=Office")
        plain = policy(unknown) | {"script-src": "", "style-src": ""}
        assert policy(answer) | {"script-src": "", "style-src": ""} == plain | {
            "frame-src": f"'self' {suite.origin}",
            "form-action": f"'self' {suite.origin}",
        }
        assert plain == policy(other) | {"script-src": "", "style-src": ""}
        assert (plain["frame-src"], plain["form-action"], plain["frame-ancestors"]) == ("'self'", "'self'", "'none'")
        assert (answer.headers["x-frame-options"], answer.headers["referrer-policy"]) == ("DENY", "strict-origin")


async def test_a_script_that_becomes_a_worker_brings_its_own_policy(tmp_path: Path, client: Path) -> None:
    """HTTP-3."""
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        script, font = await browser.get("/static/assets/x-1.js"), await browser.get("/static/assets/f-1.woff2")
        assert policy(script) == {"default-src": "'none'", "script-src": "'self'", "connect-src": "'self'"}
        assert "content-security-policy" not in font.headers
        assert {each.headers["access-control-allow-origin"] for each in (script, font)} == {"*"}


@pytest.mark.parametrize(("name", "path"), [("present", "/present/a.md"), ("diagram", "/diagram"), ("office", "/office/a.odt")])
async def test_a_client_without_a_page_that_it_can_do_without_has_the_others(tmp_path: Path, client: Path, name: str, path: str) -> None:
    (client / f"{name}.html").unlink()
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        assert (await browser.get(path)).status_code == 404
        assert (await browser.get("/edit/a.md")).status_code == 200


async def test_under_a_prefix_a_page_names_its_own_addresses(tmp_path: Path, client: Path) -> None:
    """HTTP-6."""
    public = "https://docs.example/a&b"
    async with stand(tmp_path, client=client, public_url=public, trusted_proxies="192.0.2.7") as site:
        said = {"Host": "docs.example", "X-Forwarded-Proto": "https"}
        async with site.client(**said) as browser:
            answer = await browser.get("/a&b/edit/x.md")
            assert 'src="/a&amp;b/static/assets/x-1.js"' in answer.text
            assert policy(answer)["connect-src"] == "'self' wss://docs.example"
            assert (await browser.get("/a&b/static/assets/x-1.js")).text == SCRIPT


async def test_an_asset_may_be_kept_for_ever_and_comes_compressed(tmp_path: Path, client: Path) -> None:
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        answer = await browser.get("/static/assets/x-1.js")
        assert answer.text == SCRIPT
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < len(SCRIPT) / 4
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"
        for refused in ("identity", "gzip;q=0", "br, gzip; q=0.0", ""):
            plain = await browser.get("/static/assets/x-1.js", headers={"Accept-Encoding": refused})
            assert "content-encoding" not in plain.headers
            assert plain.text == SCRIPT
        font = await browser.get("/static/assets/f-1.woff2")
        assert (font.headers["content-type"], font.content) == ("font/woff2", b"font" * 100)
        assert "content-encoding" not in font.headers


@pytest.mark.parametrize(
    "path",
    [
        "assets/none.js",
        "index.html",
        "assets",
        "",
        "../outside.js",
        "..%2Foutside.js",
        "%2e%2e/outside.js",
        "assets/x-1.js%00",
        "/etc/passwd",
    ],
)
async def test_nothing_else_is_served(tmp_path: Path, client: Path, path: str) -> None:
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        answer = await browser.get(f"/static/{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_without_a_built_client_a_page_says_how_to_build_it(tmp_path: Path, client: Path) -> None:
    later = tmp_path / "client"
    async with stand(tmp_path, client=later) as site, site.client() as browser:
        answer = await browser.get("/")
        assert answer.status_code == 503
        assert "npm run build" in answer.text
        assert policy(answer)["default-src"] == "'none'"
        assert (await browser.get("/static/assets/x-1.js")).status_code == 404
        await asyncio.to_thread(client.rename, later)
        assert (await browser.get("/")).status_code == 200


async def test_a_file_that_a_newer_version_took_away_is_not_found(tmp_path: Path, client: Path) -> None:
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        assert (await browser.get("/")).status_code == 200
        await asyncio.to_thread((client / "assets" / "x-1.js").unlink)
        assert (await browser.get("/static/assets/x-1.js")).status_code == 404


async def test_what_the_build_compressed_better_is_sent_so_to_who_takes_it(tmp_path: Path, client: Path) -> None:
    (client / "assets" / "x-1.js.br").write_bytes(b"as Brotli")
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        async with browser.stream("GET", "/static/assets/x-1.js", headers={"Accept-Encoding": "gzip, br"}) as answer:
            assert answer.headers["content-encoding"] == "br"
            assert b"".join([part async for part in answer.aiter_raw()]) == b"as Brotli"
        assert (await browser.get("/static/assets/x-1.js", headers={"Accept-Encoding": "gzip, br;q=0"})).headers[
            "content-encoding"
        ] == "gzip"
        assert (await browser.get("/static/assets/x-1.js.br")).status_code == 404


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/edit/notes/plan.md", "plan.md"),
        ("/edit/100%2525%20%3Cb%3E.md", "100%25 &lt;b&gt;.md"),
        ("/edit/%FF.md", "\N{REPLACEMENT CHARACTER}.md"),
        ("/edit/id:abcdefghijklmnopqrstuvwxyz", ""),
        ("/login", ""),
    ],
)
async def test_a_page_names_its_document_before_any_script_has_come(tmp_path: Path, client: Path, path: str, name: str) -> None:
    for page in PAGES:
        (client / f"{page}.html").write_text("<h1>__NAME__</h1>")
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        assert (await browser.get(path)).text == f"<h1>{name}</h1>"


async def test_a_page_comes_compressed_to_who_takes_it(tmp_path: Path, client: Path) -> None:
    async with stand(tmp_path, client=client) as site, site.client() as browser:
        packed = await browser.get("/login", headers={"accept-encoding": "gzip"})
        plain = await browser.get("/login", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding, Accept-Language"
    assert "content-encoding" not in plain.headers
    without_nonce = [re.sub(r'nonce="[^"]*"', "", answer.text) for answer in (packed, plain)]
    assert without_nonce[0] == without_nonce[1]
