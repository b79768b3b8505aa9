from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from standing import ADA, NOW, ORIGIN, Site, stand
from starlette.routing import Route

import collab
from collab.access import Role, color_of
from collab.web.openapi import document as openapi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

ID = re.compile("id:[a-z]{26}")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    (root / "a.md").write_bytes(b"# A\r\n")
    (root / "notes" / "Gr\u00f6\u00dfe \U0001f600 100%.md").write_bytes("größe".encode())
    (root / "notes" / "b.md").write_bytes(b"b")
    (root / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "page.html").write_bytes(b"<script>alert(1)</script>")
    async with stand(tmp_path) as site:
        yield site


def problem(answer: httpx.Response, status: int, reason: str) -> str:
    """The words of a refusal, which has the form that every refusal has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert sorted(body) == ["detail", "reason", "status", "title", "type"]
    assert (body["status"], body["reason"], body["type"]) == (status, reason, "about:blank")
    assert body["detail"]
    return str(body["detail"])


def at(name: str, rest: str = "") -> str:
    return f"/api/documents/{quote(name, safe='')}{rest}"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- reading


async def test_a_folder_lists_its_documents(site: Site) -> None:
    async with site.of(Role.VIEWER) as ada:
        answer = await ada.get("/api/documents")
        assert answer.status_code == 200
        assert answer.json()["path"] == ""
        entries = {entry["path"]: entry for entry in answer.json()["documents"]}
        assert sorted(entries) == ["a.md", "notes", "page.html", "picture.png"]
        a = entries["a.md"]
        assert sorted(a) == ["etag", "id", "modified", "path", "role", "size", "starred", "type"]
        assert ID.fullmatch(a["id"])
        assert (a["type"], a["size"], a["etag"], a["role"]) == ("text/markdown", 5, digest(b"# A\r\n"), "viewer")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", a["modified"])
        assert (entries["notes"]["type"], entries["notes"]["id"]) == ("inode/directory", "")
        below = await ada.get("/api/documents", params={"path": "notes/"})
        assert [entry["path"] for entry in below.json()["documents"]] == ["notes/Größe 😀 100%.md", "notes/b.md"]


async def test_a_document_is_found_by_path_and_by_id_in_one_segment(site: Site) -> None:
    name = "notes/Größe 😀 100%.md"
    async with site.of() as ada:
        by_path = await ada.get(at(name))
        assert by_path.status_code == 200
        assert by_path.json()["path"] == name
        identity = by_path.json()["id"]
        for address in (at(identity), f"/api/documents/{identity}"):
            assert (await ada.get(address)).json() == by_path.json()
        assert (await ada.get(at(name, "/content"))).content == "größe".encode()
        assert by_path.headers["etag"] == f'"{by_path.json()["etag"]}"'


async def test_a_name_is_decoded_once(site: Site) -> None:
    """FILE-3."""
    (site.root / "50%25.md").write_bytes(b"once")
    (site.root / "50%.md").write_bytes(b"twice")
    async with site.of() as ada:
        assert (await ada.get("/api/documents/50%2525.md/content")).content == b"once"
        assert (await ada.get("/api/documents/50%25.md/content")).content == b"twice"
        problem(await ada.get("/api/documents/%FF.md"), 400, "malformed")
        problem(await ada.get("/api/documents/notes/b.md"), 404, "not-found")


@pytest.mark.parametrize(
    "name", ["..", "../spent", "notes/../a.md", "/etc/passwd", "a\0.md", ".hidden", "none.md", "notes//b.md", "id:zzz"]
)
async def test_a_name_that_is_not_there_or_cannot_be_is_refused(site: Site, name: str) -> None:
    """FILE-1, FILE-2, FILE-4."""
    (site.root / ".hidden").write_bytes(b"hidden")
    async with site.of() as ada:
        for address in (at(name), at(name, "/content")):
            answer = await ada.get(address)
            assert answer.status_code in {400, 404}
            problem(answer, answer.status_code, answer.json()["reason"])


async def test_a_name_over_its_limit_is_refused(site: Site) -> None:
    """LIMIT-4."""
    async with site.of() as ada:
        problem(await ada.get(at("n" * 1025)), 413, "too-large")
        problem(await ada.get("/api/documents", params={"path": "n" * 1025}), 413, "too-large")


async def test_what_the_caller_has_is_not_sent_again(site: Site) -> None:
    async with site.of() as ada:
        for address in (at("a.md"), at("a.md", "/content")):
            first = await ada.get(address)
            etag = first.headers["etag"]
            for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
                again = await ada.get(address, headers={"If-None-Match": known})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["etag"] == etag
            assert (await ada.get(address, headers={"If-None-Match": '"x"'})).status_code == 200


async def test_users_bytes_never_run_as_a_page_of_ours(site: Site) -> None:
    """HTTP-2."""
    async with site.of() as ada:
        for name in ("page.html", "a.md", "notes/Größe 😀 100%.md"):
            answer = await ada.get(at(name, "/content"))
            assert answer.status_code == 200
            assert answer.headers["content-disposition"].startswith("attachment; ")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
            assert answer.headers["cache-control"] == "private, no-cache"
        picture = await ada.get(at("picture.png", "/content"))
        assert picture.headers["content-disposition"].startswith("inline; ")
        assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert picture.headers["content-type"] == "image/png"


async def test_a_download_keeps_its_name(site: Site) -> None:
    (site.root / 'sa"y\\ \n.md').write_bytes(b"")
    async with site.of() as ada:
        given = (await ada.get(at("notes/Größe 😀 100%.md", "/content"))).headers["content-disposition"]
        assert given == "attachment; filename=\"Gr__e _ 100_.md\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%F0%9F%98%80%20100%25.md"
        given = (await ada.get(at('sa"y\\ \n.md', "/content"))).headers["content-disposition"]
        assert given == "attachment; filename=\"sa_y_ _.md\"; filename*=UTF-8''sa%22y%5C%20%0A.md"


async def test_content_comes_in_the_files_own_form(site: Site) -> None:
    """TEXT-1."""
    async with site.of() as ada:
        answer = await ada.get(at("a.md", "/content"))
        assert answer.content == b"# A\r\n"
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        head = await ada.head(at("a.md", "/content"))
        assert (head.status_code, head.headers["content-length"]) == (200, "5")


# --- writing


async def test_a_document_is_created(site: Site) -> None:
    async with site.of() as ada:
        answer = await ada.post("/api/documents", json={"path": "notes/c.md", "content": "c ☃"})
        assert answer.status_code == 201
        made = answer.json()
        assert (made["path"], made["size"], made["role"]) == ("notes/c.md", 5, "editor")
        assert answer.headers["location"] == f"/api/documents/{made['id']}"
        assert answer.headers["etag"] == f'"{digest("c ☃".encode())}"'
        assert (site.root / "notes" / "c.md").read_text("utf-8") == "c ☃"
        assert (await ada.get(answer.headers["location"])).json() == made
        assert (await ada.post("/api/documents", json={"path": "empty.md"})).json()["size"] == 0


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"path": "a.md"}, 409, "exists"),
        ({"path": "none/c.md"}, 404, "not-found"),
        ({"path": "../c.md"}, 400, "malformed"),
        ({"path": ""}, 400, "malformed"),
        ({}, 400, "malformed"),
        ({"path": 7}, 400, "malformed"),
        ({"path": "c.md", "content": None}, 400, "malformed"),
        ({"path": "c.md", "contents": ""}, 400, "malformed"),
        ({"path": "c\ud800.md"}, 400, "malformed"),
        ({"path": "c.md", "content": "\udfff"}, 400, "malformed"),
        ([], 400, "malformed"),
        ({"path": "n" * 1025}, 413, "too-large"),
    ],
)
async def test_what_cannot_be_created_is_refused(site: Site, body: object, status: int, reason: str) -> None:
    before = sorted(site.root.rglob("*"))
    async with site.of() as ada:
        headers = {"Content-Type": "application/json"}
        problem(await ada.post("/api/documents", content=json.dumps(body), headers=headers), status, reason)
    assert sorted(site.root.rglob("*")) == before


async def test_a_body_must_be_json(site: Site) -> None:
    async with site.of() as ada:
        for body in (b"{", b"\xff{}", b"[" * 5000, b""):
            answer = await ada.post("/api/documents", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
            problem(answer, 400, "malformed")
        problem(await ada.post("/api/documents", content=b'{"path": "c.md"}'), 415, "unsupported-media-type")
        problem(await ada.post("/api/documents", data={"path": "c.md"}), 415, "unsupported-media-type")
    assert not (site.root / "c.md").exists()


async def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    """LIMIT-1."""
    async with stand(tmp_path, limit_text="100KiB") as site, site.of() as ada:
        fits = await ada.post("/api/documents", json={"path": "fits.md", "content": "ü" * 50 * 1024})
        assert fits.status_code == 201
        over = await ada.post("/api/documents", json={"path": "over.md", "content": "x" * (100 * 1024 + 1)})
        problem(over, 413, "too-large")
        huge = await ada.post("/api/documents", json={"path": "huge.md", "content": "x" * 500 * 1024})
        problem(huge, 413, "too-large")
        streamed = await ada.post("/api/documents", content=_endless(), headers={"Content-Type": "application/json"})
        problem(streamed, 413, "too-large")
        move = await ada.patch(at("fits.md"), json={"path": "x" * 100_000}, headers={"If-Match": "*"})
        problem(move, 413, "too-large")
        assert sorted(path.name for path in site.root.iterdir()) == ["fits.md"]


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536


async def test_a_rename_keeps_the_id(site: Site) -> None:
    """FILE-5."""
    async with site.of() as ada:
        before = (await ada.get(at("a.md"))).json()
        answer = await ada.patch(at("a.md"), json={"path": "notes/z.md"}, headers={"If-Match": f'"{before["etag"]}"'})
        assert answer.status_code == 200
        assert answer.json() == {**before, "path": "notes/z.md"}
        assert answer.headers["etag"] == f'"{before["etag"]}"'
        assert (site.root / "notes" / "z.md").read_bytes() == b"# A\r\n"
        assert (await ada.get(at(before["id"]))).json()["path"] == "notes/z.md"
        problem(await ada.get(at("a.md")), 404, "not-found")


async def test_a_rename_never_takes_a_name_that_is_taken(site: Site) -> None:
    async with site.of() as ada:
        problem(await ada.patch(at("a.md"), json={"path": "notes/b.md"}, headers={"If-Match": "*"}), 409, "exists")
        problem(await ada.patch(at("a.md"), json={"path": "../b.md"}, headers={"If-Match": "*"}), 400, "malformed")
        problem(await ada.patch(at("a.md"), json={}, headers={"If-Match": "*"}), 400, "malformed")
    assert (site.root / "notes" / "b.md").read_bytes() == b"b"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_change_must_say_which_state_it_is_for(site: Site, method: str) -> None:
    """HTTP-4."""
    async with site.of() as ada:
        body = {"path": "new.md"} if method == "PATCH" else None
        etag = digest(b"# A\r\n")
        problem(await ada.request(method, at("a.md"), json=body), 428, "precondition-required")
        for wrong in ('"wrong"', f'W/"{etag}"', f'"{etag}x"', '"a", "b"', "wrong"):
            problem(await ada.request(method, at("a.md"), json=body, headers={"If-Match": wrong}), 412, "changed")
        for odd in ('"open', "a b", ",,"):
            problem(await ada.request(method, at("a.md"), json=body, headers={"If-Match": odd}), 400, "malformed")
        problem(await ada.request(method, at("none.md"), json=body, headers={"If-Match": "*"}), 404, "not-found")
        assert (site.root / "a.md").exists()


@pytest.mark.parametrize("given", ["*", '"{}"', "{}", '"other", "{}"', ' "{}" '])
async def test_a_change_for_the_right_state_is_made(site: Site, given: str) -> None:
    """HTTP-4."""
    async with site.of() as ada:
        answer = await ada.delete(at("a.md"), headers={"If-Match": given.replace("{}", digest(b"# A\r\n"))})
        assert (answer.status_code, answer.json()["path"]) == (200, "a.md")
        assert not (site.root / "a.md").exists()
        problem(await ada.get(at("a.md")), 404, "not-found")


# --- who may what


async def test_a_viewer_only_reads(site: Site) -> None:
    """AUTH-2."""
    async with site.of(Role.VIEWER) as ada:
        assert (await ada.get(at("a.md", "/content"))).status_code == 200
        for answer in (
            await ada.post("/api/documents", json={"path": "c.md"}),
            await ada.patch(at("a.md"), json={"path": "c.md"}, headers={"If-Match": "*"}),
            await ada.delete(at("a.md"), headers={"If-Match": "*"}),
        ):
            assert "needs the role editor; yours is viewer" in problem(answer, 403, "forbidden")
    assert (site.root / "a.md").exists()
    assert not (site.root / "c.md").exists()


async def test_a_token_of_one_document_sees_no_other(site: Site) -> None:
    """AUTH-1."""
    async with site.of() as ada:
        identity = (await ada.get(at("notes/b.md"))).json()["id"]
    for document in ("notes/b.md", identity):
        async with site.of(Role.EDITOR, document) as ada:
            for name in ("notes/b.md", identity):
                assert (await ada.get(at(name, "/content"))).content == b"b"
            for name in ("a.md", "none.md", "notes"):
                assert "another document" in problem(await ada.get(at(name)), 403, "forbidden")
                problem(await ada.get(at(name, "/content")), 403, "forbidden")
                problem(await ada.delete(at(name), headers={"If-Match": "*"}), 403, "forbidden")
            problem(await ada.post("/api/documents", json={"path": "c.md"}), 403, "forbidden")
            for folder, seen in (("", ["notes/b.md"]), ("notes", ["notes/b.md"]), ("other", []), ("note", [])):
                listing = (await ada.get("/api/documents", params={"path": folder})).json()
                assert [entry["path"] for entry in listing["documents"]] == seen
    async with site.of(Role.EDITOR, "none.md") as ada:
        assert (await ada.get("/api/documents")).json()["documents"] == []
        problem(await ada.get(at("none.md")), 404, "not-found")
        assert (await ada.post("/api/documents", json={"path": "none.md"})).status_code == 201


async def test_without_a_sign_in_nothing_is_told(site: Site) -> None:
    async with site.client() as nobody, site.client("wrong") as stranger:
        for client in (nobody, stranger):
            for answer in (
                await client.get("/api/documents"),
                await client.get(at("a.md")),
                await client.get(at("none.md", "/content")),
                await client.post("/api/documents", json={"path": "c.md"}),
                await client.patch(at("a.md"), json={"path": "c.md"}, headers={"If-Match": "*"}),
                await client.delete(at("a.md"), headers={"If-Match": "*"}),
                await client.get("/api/session"),
            ):
                problem(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_page_of_another_origin_writes_nothing(site: Site) -> None:
    """AUTH-5."""
    async with site.client(site.token(), Origin="http://evil.example") as ada:
        problem(await ada.post("/api/documents", json={"path": "c.md"}), 403, "forbidden")
        assert (await ada.get(at("a.md"))).status_code == 200
    assert not (site.root / "c.md").exists()


async def test_another_host_is_told_that_it_is_not_here(site: Site) -> None:
    """AUTH-6."""
    async with site.of() as ada:
        problem(await ada.get("/api/documents", headers={"Host": "evil.example"}), 421, "misdirected")


# --- sessions


async def test_a_printed_address_becomes_a_session_once(site: Site) -> None:
    """AUTH-3, AUTH-4."""
    secret = site.logins.issue(NOW)
    async with site.client(Origin=ORIGIN) as browser:
        answer = await browser.post("/api/session", json={"secret": secret})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("collab_8000=")
        for attribute in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"):
            assert attribute in cookie
        assert "Secure" not in cookie
        who = (await browser.get("/api/session")).json()
        assert who == answer.json()
        assert (who["role"], who["version"], who["color"]) == ("owner", collab.__version__, color_of(who["id"]))
        assert (await browser.post("/api/documents", json={"path": "c.md"})).json()["role"] == "owner"
    async with site.client() as other:
        assert "used before" in problem(await other.post("/api/session", json={"secret": secret}), 401, "unauthorized")
        for wrong in ("", "wrong", "a.b.c", "é", "x" * 10_000, site.token()):
            problem(await other.post("/api/session", json={"secret": wrong}), 401, "unauthorized")
        for body in ({}, {"secret": 7}, {"secret": secret, "name": "x"}):
            problem(await other.post("/api/session", json=body), 400, "malformed")


async def test_a_session_ends_with_its_time(site: Site) -> None:
    async with site.client(Origin=ORIGIN) as browser:
        await browser.post("/api/session", json={"secret": site.logins.issue(NOW)})
        site.time[0] += 7 * 86400 - 1
        assert (await browser.get("/api/session")).status_code == 200
        site.time[0] += 1
        problem(await browser.get("/api/session"), 401, "unauthorized")


async def test_who_signs_out_leaves_no_cookie_that_counts(site: Site, tmp_path: Path) -> None:
    async with site.client(Origin=ORIGIN) as browser:
        await browser.post("/api/session", json={"secret": site.logins.issue(NOW)})
        stolen = browser.cookies["collab_8000"]
        answer = await browser.delete("/api/session")
        assert answer.status_code == 204
        assert 'collab_8000=""; expires' in answer.headers["set-cookie"]
        problem(await browser.get("/api/session"), 401, "unauthorized")
    copy = {"Cookie": f"collab_8000={stolen}"}
    async with site.client(**copy) as thief:
        assert "signed out" in problem(await thief.get("/api/session"), 401, "unauthorized")
    async with stand(tmp_path) as restarted, restarted.client(**copy) as thief:
        problem(await thief.get("/api/session"), 401, "unauthorized")


async def test_a_token_tells_who_it_is_for(site: Site) -> None:
    async with site.of(Role.VIEWER) as ada:
        who = (await ada.get("/api/session")).json()
        assert (who["id"], who["name"], who["role"]) == (ADA.id, "Ada", "viewer")
        assert (await ada.delete("/api/session")).status_code == 204
        assert (await ada.get("/api/session")).status_code == 200


async def test_behind_https_the_cookie_is_for_https_only_and_for_the_prefix(tmp_path: Path) -> None:
    """AUTH-4, AUTH-7."""
    public = "https://docs.example/collab"
    async with stand(tmp_path, public_url=public, trusted_proxies="192.0.2.0/24") as site:
        said = {"Host": "docs.example", "X-Forwarded-Proto": "https", "Origin": "https://docs.example"}
        async with site.client(**said) as browser:
            answer = await browser.post("/collab/api/session", json={"secret": site.logins.issue(NOW)})
            assert answer.status_code == 200
            assert "Secure" in answer.headers["set-cookie"]
            assert "Path=/collab;" in answer.headers["set-cookie"]


# --- the rest


async def test_under_a_prefix_everything_moves_with_it(tmp_path: Path) -> None:
    """HTTP-6."""
    async with stand(tmp_path, public_url="http://127.0.0.1:8000/my/collab") as site, site.of() as ada:
        made = await ada.post("/my/collab/api/documents", json={"path": "a.md"})
        assert made.status_code == 201
        assert made.headers["location"].startswith("/my/collab/api/documents/id:")
        assert (await ada.get(made.headers["location"])).status_code == 200
        problem(await ada.get("/api/documents"), 404, "not-found")
        problem(await ada.get("/my/collaborators"), 404, "not-found")
        bare = await ada.get("/my/collab")
        assert (bare.status_code, bare.headers["location"]) == (308, "/my/collab/")
        assert (await ada.get("/my/collab/api/openapi.json")).json()["servers"] == [{"url": "/my/collab"}]


async def test_what_is_not_there_and_what_is_not_done_are_problems_too(site: Site) -> None:
    """HTTP-5."""
    async with site.of() as ada:
        problem(await ada.get("/api/nothing"), 404, "not-found")
        problem(await ada.get("/nothing"), 404, "not-found")
        answer = await ada.put(at("a.md"), content=b"x")
        problem(answer, 405, "method-not-allowed")
        assert set(answer.headers["allow"].split(", ")) >= {"GET", "PATCH", "DELETE"}


async def test_a_failure_of_the_server_is_a_problem_and_is_counted(site: Site) -> None:
    """HTTP-5."""
    (site.root / "gone").mkdir()
    async with site.of() as ada:
        site.app.web.router.routes.insert(0, Route("/api/broken", _broken))
        words = problem(await ada.get("/api/broken"), 500, "error")
        assert "secret" not in words
        assert site.app.metrics.failures["request"] == 1


async def _broken(request: object) -> None:
    raise RuntimeError(f"a secret detail of {request}")


async def test_refusals_are_counted_by_reason(site: Site) -> None:
    async with site.client("wrong") as stranger:
        await stranger.get("/api/documents")
        await stranger.get("/api/documents", headers={"Host": "evil.example"})
    assert site.app.metrics.refusals == {"unauthorized": 1, "misdirected": 1}


async def test_the_description_names_every_route_and_no_other(tmp_path: Path) -> None:
    """HTTP-8."""
    async with stand(tmp_path, frame_ancestors=("https://cloud.example",)) as site, site.client() as nobody:
        described = (await nobody.get("/api/openapi.json")).json()
    assert described["openapi"] == "3.1.0"
    verbs = {"get", "post", "patch", "delete", "put"}
    told = {(path, verb) for path, item in described["paths"].items() for verb in item if verb in verbs}
    routes = [route for route in site.app.web.routes if isinstance(route, Route) and route.path.startswith(("/api", "/v/"))]
    served = {(route.path.replace(":path}", "}"), method.lower()) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert told == served


def test_every_reference_of_the_description_leads_somewhere() -> None:
    described = openapi("")
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described)):
        place: object = described
        for part in reference.split("/"):
            assert isinstance(place, dict)
            place = place[part]
    paths = described["paths"]
    assert isinstance(paths, dict)
    names = [operation["operationId"] for item in paths.values() for operation in item.values() if isinstance(operation, dict)]
    assert len(names) == len(set(names))


async def test_events_are_audited_without_secrets(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """AUTH-9, PROC-8."""
    secret = site.logins.issue(NOW)
    token = site.token()
    with caplog.at_level("INFO", "collab.audit"):
        async with site.client(token) as ada:
            await ada.post("/api/session", json={"secret": secret})
            ada.cookies.clear()
            made = (await ada.post("/api/documents", json={"path": "c.md", "content": "c"})).json()
            await ada.patch(at("c.md"), json={"path": "d.md"}, headers={"If-Match": "*"})
            await ada.get(at("d.md", "/content"))
            await ada.delete(at("d.md"), headers={"If-Match": "*"})
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "collab.audit"]
    assert [line["event"] for line in lines] == ["sign-in", "create", "rename", "download", "delete"]
    assert lines[2] == {
        "time": "2027-01-15T08:00:00.000Z",
        "event": "rename",
        "person": {"id": ADA.id, "name": ADA.name},
        "address": "192.0.2.7",
        "document": {"id": made["id"], "path": "d.md"},
        "detail": "c.md",
    }
    for record in caplog.records:
        assert secret not in record.getMessage()
        assert token not in record.getMessage()
