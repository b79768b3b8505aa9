"""Pages and streams for readers (READ-1 to READ-9)."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import re
import signal
import threading
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from interop.pycrdt_peer import PycrdtPeer
from readers import Page, Street, address, following, next_of, opened, version_of
from serving import PATIENCE, until
from sharers import token_of
from standing import ADA, Site, stand

from collab.access import Grant, Person, Role
from collab.errors import Forbidden, Unauthorized
from collab.ports import Kind
from collab.reading import documents
from collab.runtime import following as following_module
from collab.runtime.reading import AGAIN
from collab.runtime.rendering import rendered
from collab.runtime.rights import GrantRights
from collab.web.pages import PAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from collab.ports import Stat
    from collab.reading.blocks import Rendering

TEXT = "# Title\n\nsome *words*\n\n- [ ] a task\n"
PARENT = "https://cloud.example"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    root = tmp_path / "root"
    (root / "notes").mkdir(parents=True)
    (root / "notes" / "a.md").write_text(TEXT, "utf-8")
    (root / "b.bin").write_bytes(b"\0\1\2")
    built = tmp_path / "built"
    (built / "assets").mkdir(parents=True)
    for name in PAGES:
        (built / f"{name}.html").write_text("page", "utf-8")
    for name in ("reader-1.js", "keeper-2.js", "icon-3.svg", "icon-192-4.png"):
        (built / "assets" / name).write_text("built", "utf-8")
    (built / "assets" / "reader-5.css").write_text("p{color:red}", "utf-8")
    async with stand(tmp_path, client=built, frame_ancestors=(PARENT,)) as site:
        yield site


@pytest.fixture
async def street(site: Site) -> AsyncIterator[Street]:
    async with opened(site) as street:
        yield street


async def put(site: Site, name: str, body: str) -> None:
    async with site.of() as ada:
        answer = await ada.put(f"/api/documents/{name.replace('/', '%2F')}/content", content=body.encode(), headers={"If-Match": "*"})
        assert answer.status_code == 200


def policy(answer: httpx.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


async def test_read_1_a_page_is_whole_without_a_script(site: Site) -> None:
    async with site.of(Role.VIEWER) as reader:
        answer = await reader.get("/v/notes/a.md")

    assert answer.status_code == 200
    assert '<h1 id="user-content-title">Title</h1>' in answer.text
    assert 'aria-label="to do"' in answer.text
    assert "<title>Title · a.md</title>" in answer.text
    assert "p{color:red}" in answer.text
    assert '<a id="to-files" href="/?path=notes">' in answer.text
    assert "to-edit" not in answer.text


async def test_read_1_a_page_of_ten_kilobytes_is_small(site: Site) -> None:
    words = " ".join(f"word{number * 7919 % 1000}" for number in range(1_200))
    (site.root / "long.md").write_text("\n\n".join(f"## {number}\n\n{words[number * 380 :][:380]}" for number in range(26)), "utf-8")
    assert 9_000 < (site.root / "long.md").stat().st_size < 12_000

    async with site.of() as reader:
        answer = await reader.get("/v/long.md")

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 30_000
    assert "to-edit" in answer.text


async def test_read_8_who_has_a_page_gets_304_and_costs_no_rendering(site: Site) -> None:
    async with site.of() as reader, site.client(site.token(person=Person("name:Bob", "Bob"))) as bob:
        first = await reader.get("/v/notes/a.md")
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", {tag}'}, {"If-None-Match": tag.removeprefix("W/")}):
            again = await reader.get("/v/notes/a.md", headers=headers)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "content-security-policy" not in again.headers
        head = await reader.head("/v/notes/a.md")
        assert (head.status_code, head.headers["etag"]) == (200, tag)
        others = {
            (await reader.get("/v/notes/a.md", headers={"Accept-Language": "de"})).headers["etag"],
            (await bob.get("/v/notes/a.md")).headers["etag"],
        }
        assert len(others | {tag}) == 3
        assert site.app.metrics.renderings == 1
        assert {each.strip() for each in first.headers["vary"].split(",")} >= {"Accept", "Accept-Encoding", "Accept-Language", "Cookie"}
        await put(site, "notes/a.md", "other\n")
        changed = await reader.get("/v/notes/a.md", headers={"If-None-Match": tag})
        # A page that is a moment old may be told, never an old page for long.
        assert changed.status_code in {200, 304}
        await until_shown(reader, "other")
    assert site.app.metrics.renderings == 2


async def until_shown(reader: httpx.AsyncClient, words: str, name: str = "notes/a.md") -> str:
    start = time.monotonic()
    while words not in (page := (await reader.get(address(name))).text):
        assert time.monotonic() - start < PATIENCE
        await asyncio.sleep(0.02)  # renderings have their time; there is no event for who asks for pages
    return page


async def test_read_2_no_room_is_opened_and_what_is_typed_is_shown_once_the_journal_holds_it(street: Street) -> None:
    site = street.site
    async with street.of() as reader:
        await reader.get("/v/notes/a.md")
        async with following(reader, "notes/a.md"):
            assert site.app.rooms.hosts == []
        await put(site, "notes/a.md", TEXT + "typed\n")
        assert "typed" in await until_shown(reader, "typed")
        (host,) = site.app.rooms.hosts
        room = f"{street.url.replace('http', 'ws', 1)}/ws/notes/a.md?token={site.token()}"
        async with PycrdtPeer(room) as ann:
            site.journal.refuse("the disk is full")
            ann.content.insert(0, "not stored ")
            await until(lambda: b"not stored" in host.body())
            await asyncio.sleep(AGAIN)  # what was rendered is new enough for so long
            asking = asyncio.create_task(reader.get("/v/notes/a.md"))
            done, _ = await asyncio.wait({asking}, timeout=0.5)
            assert not done or "not stored" not in asking.result().text
            site.journal.refuse(None)
            assert "not stored" in await until_shown(reader, "not stored")
            await asking
        records = (await site.journal.load(host.id)).records
        assert [record.kind for _, record in records if record.kind is Kind.GIVEN] == []


async def test_the_words_are_the_readers(site: Site) -> None:
    async with site.of() as reader:
        german = await reader.get("/v/notes/a.md", headers={"Accept-Language": "de-DE,de;q=0.9"})
        french = await reader.get("/v/notes/a.md?lang=fr", headers={"Accept-Language": "de"})

        chosen = {"Cookie": "collab_language=de", "Accept-Language": "fr"}
        by_setting = await reader.get("/v/notes/a.md", headers=chosen)
        by_address = await reader.get("/v/notes/a.md?lang=en-GB", headers=chosen)
        by_browser = await reader.get("/v/notes/a.md?lang=xx", headers={**chosen, "Cookie": "collab_language=auto"})
        first_page = await reader.get("/v/", headers=chosen)

    assert [re.findall(r'<html lang="(\w+)">', each.text)[0] for each in (by_setting, by_address, by_browser, first_page)] == [
        "de",
        "en",
        "fr",
        "de",
    ]
    assert len({each.headers["etag"] for each in (by_setting, by_address, by_browser)}) == 3
    assert '<html lang="de">' in german.text
    assert 'aria-label="zu tun"' in german.text
    assert ">Télécharger<" in french.text


async def test_read_3_the_policy_lets_no_authors_script_run(site: Site) -> None:
    async with site.of() as reader:
        answer = await reader.get("/v/notes/a.md")
        other = await reader.get("/v/b.bin")

    rules = policy(answer)
    nonce = rules["script-src"].removeprefix("'nonce-").removesuffix("'")
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    assert rules["style-src"] == f"'nonce-{nonce}'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert re.findall(r"<script[^>]*>", answer.text) == [f'<script nonce="{nonce}" src="/static/assets/reader-1.js" defer>']
    assert policy(other)["script-src"] != rules["script-src"]


HOSTILE = [
    '"><img src=x onerror=attack()>',
    "' onmouseover='attack()",
    "<script>attack()<script>",
    "&quot; onfocus=attack() autofocus &lt;b&gt;",
    "<!--<title><style>*{x:y}",
    "javascript:attack()",
    "\u202e\ufdd0done\ufdd1\ufdd30\ufdd4",
    "%22%3E%3Cimg src=x%3E#?a=b&c",
]


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes: what somebody calls a document makes no difference to them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, [name for name, _ in attrs]))
        self.parts += [
            value for name, value in attrs if name in {"href", "src"} and not (value or "").startswith(("/", "http://127.0.0.1"))
        ]

    def handle_comment(self, data: str) -> None:
        self.parts.append(data)


def shape(answer: httpx.Response) -> list[object]:
    found = Shape()
    found.feed(answer.text)
    found.close()
    assert len(found.parts) > 5
    return found.parts


async def shapes(site: Site, reader: httpx.AsyncClient, stem: str) -> dict[str, list[object]]:
    """Of every kind of page, of documents that are called like this."""
    bodies = {
        "md": b"---\ntitle: a\n---\n\n[x](y.md) ![z](z.png)\n",
        "ipynb": b"{",
        "csv": b"a,b\n",
        "txt": b"a\n",
        "svg": b"<svg/>",
        "bin": b"\0",
    }
    (site.root / stem).mkdir()
    pages: dict[str, list[object]] = {}
    for kind, body in bodies.items():
        path = f"{stem}/{stem}.{kind}"
        (site.root / path).write_bytes(body)
        answer = await reader.get(address(path))
        assert answer.status_code == 200
        pages[kind] = shape(answer)
    (site.root / stem / "titled.md").write_text(f"---\ntitle: {json.dumps(stem)}\nlang: {json.dumps(stem)}\n---\n\nx\n", "utf-8")
    titled = shape(await reader.get(address(f"{stem}/titled.md")))
    # A language is said only where it is one.
    pages["titled"] = [("main", ["id", "tabindex"]) if part == ("main", ["id", "tabindex", "lang"]) else part for part in titled]
    refused = await reader.get(address(f"{stem}/none.md"), headers={"Accept": "text/html"})
    assert refused.status_code == 404
    pages["refused"] = shape(refused)
    pages["language"] = shape(await reader.get("/v/notes/a.md", params={"lang": stem}))
    await reader.put(f"/api/documents/{quote(f'{stem}/{stem}.md', safe='')}/visit")
    return pages


async def test_read_3_what_a_document_is_called_is_text_on_every_page(site: Site) -> None:
    async with site.of(Role.VIEWER) as reader:
        plain = await shapes(site, reader, "plain")
        home = shape(await reader.get("/v/"))
        for name in HOSTILE:
            pages = await shapes(site, reader, name)
            assert {kind: parts for kind, parts in pages.items() if parts != plain[kind]} == {}, name
        # Links more, of the same kind.
        assert [part for part in shape(await reader.get("/v/")) if part not in home] == []


async def test_read_9_what_cannot_be_read_says_why(site: Site) -> None:
    async with site.of() as ada, site.client() as nobody, site.of(document="b.bin") as other:
        for client, name, status, words in (
            (nobody, "notes/a.md", 401, "Sign in to read this"),
            (other, "notes/a.md", 403, "You may not read this"),
            (other, "nowhere.md", 403, "You may not read this"),
            (ada, "nowhere.md", 404, "There is no such document"),
            (ada, "notes", 404, "There is no such document"),
            (ada, "b.bin", 200, "This file is no text"),
            (ada, "..%2F..%2Fetc%2Fpasswd", 400, "This cannot be shown"),
        ):
            answer = await client.get(f"/v/{name}", headers={"Accept": "text/html"})
            assert (name, answer.status_code) == (name, status)
            assert words in answer.text
            assert policy(answer)["default-src"] == "'none'"
            assert answer.headers["cache-control"] in {"no-store", "private, no-cache"}
        refused = await nobody.get("/v/notes/a%20b%26c.md", headers={"Accept": "text/html"})
        assert 'href="/login?next=%2Fv%2Fnotes%2Fa%2520b%2526c.md"' in refused.text
        problem = await nobody.get("/v/notes/a.md", headers={"Accept": "text/event-stream"})
        assert (problem.status_code, problem.headers["content-type"]) == (401, "application/problem+json")


async def test_read_4_a_change_comes_as_the_blocks_that_changed(street: Street) -> None:
    site = street.site
    async with street.of() as reader:
        page = Page.of((await reader.get("/v/notes/a.md")).text)
        async with following(reader, "notes/a.md", page.version) as events:
            assert await next_of(events, "about") == {"path": "notes/a.md", "gone": False}
            await put(site, "notes/a.md", TEXT.replace("words", "other words"))
            patch = await next_of(events, "patch")
        assert [len(insert) for _, _, insert in patch["splices"]] == [1]
        page.apply(patch)
        assert page.blocks == Page.of(await until_shown(reader, "other words")).blocks


async def test_read_4_who_comes_back_gets_what_it_lacks_or_loads_anew(street: Street) -> None:
    site = street.site
    async with street.of() as reader:
        page = Page.of((await reader.get("/v/notes/a.md")).text)
        async with following(reader, "notes/a.md", page.version) as first, following(reader, "notes/a.md", "unknown") as lost:
            assert (await next_of(lost, "reload"))["to"] == page.version
            await put(site, "notes/a.md", TEXT.replace("Title", "New"))
            await next_of(first, "patch")
            async with following(reader, "notes/a.md", page.version) as back:
                page.apply(await next_of(back, "patch"))
            assert page.version == version_of(await until_shown(reader, "New"))


async def test_read_5_a_change_costs_one_rendering_however_many_read(street: Street) -> None:
    site = street.site
    async with street.of() as reader:
        await asyncio.gather(*(reader.get("/v/notes/a.md") for _ in range(50)))
        assert site.app.metrics.renderings == 1
        page = await reader.get("/v/notes/a.md")
        streams = [
            following(reader, "notes/a.md", version_of(page.text), **{"Accept-Language": ("en", "de", "fr")[number % 3]})
            for number in range(60)
        ]
        every = [await stream.__aenter__() for stream in streams]
        assert site.app.followers.count == 60
        await put(site, "notes/a.md", TEXT + "- [x] more\n")
        patches = await asyncio.gather(*(next_of(events, "patch") for events in every))
        assert site.app.metrics.renderings == 2
        assert {("done" in str(each), "erledigt" in str(each), "fait" in str(each)) for each in patches} == {
            (True, False, False),
            (False, True, False),
            (False, False, True),
        }
        for stream in streams:
            await stream.__aexit__(None, None, None)
        await until(lambda: site.app.followers.count == 0)


async def test_read_5_the_same_text_is_rendered_once_whether_it_is_open_or_at_rest(street: Street) -> None:
    site, path = street.site, street.site.root / "notes" / "a.md"
    readings = site.app.followers.readings
    known = await site.files.stat("notes/a.md")

    async def newest() -> str:
        read = await readings.read(await site.files.stat(known.id), since=readings.clock())
        return read.rendering.version

    version = await newest()
    path.write_bytes(path.read_bytes())
    assert (await newest(), site.app.metrics.renderings) == (version, 1)
    async with PycrdtPeer(f"{street.url.replace('http', 'ws', 1)}/ws/notes/a.md?token={site.token()}") as ann:
        (host,) = site.app.rooms.hosts
        assert (await newest(), site.app.metrics.renderings) == (version, 1)
        ann.content.insert(0, "typed ")
        await until(lambda: host.body().startswith(b"typed"))
        assert await newest() != version
        del ann.content[0:6]
        await until(lambda: host.body().startswith(b"# Title"))
        assert (await newest(), site.app.metrics.renderings) == (version, 3)


async def test_read_5_a_document_in_another_folder_is_rendered_anew(site: Site) -> None:
    """Its relative addresses are others."""
    path = site.root / "notes" / "a.md"
    path.write_text("[other](b.md)\n", "utf-8")
    async with site.of() as reader:
        assert 'href="/v/notes/b.md"' in (await reader.get("/v/notes/a.md")).text
        path.rename(site.root / "a.md")
        await until_shown(reader, 'href="/v/b.md"', "a.md")


async def test_read_5_what_is_typed_is_rendered_at_once_or_as_soon_as_it_may_be(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "TICK", 3600.0)
    site = street.site
    async with street.of() as reader:
        page = Page.of((await reader.get("/v/notes/a.md")).text)
        async with following(reader, "notes/a.md", page.version) as events:
            await put(site, "notes/a.md", TEXT + "first\n")
            page.apply(await next_of(events, "patch"))
            # Too soon for a rendering of its own, and nothing comes behind it.
            await put(site, "notes/a.md", TEXT + "first\nsecond\n")
            page.apply(await next_of(events, "patch"))
            assert "second" in page.blocks[-1]
            assert site.app.metrics.renderings == 3
            (host,) = site.app.rooms.hosts
            site.journal.refuse("the disk is full")
            async with PycrdtPeer(f"{street.url.replace('http', 'ws', 1)}/ws/notes/a.md?token={site.token()}") as ann:
                ann.content.insert(0, "not stored ")
                await until(lambda: b"not stored" in host.body())
                site.journal.refuse(None)
                page.apply(await next_of(events, "patch"))
                assert "not stored" in page.blocks[0]


async def test_read_6_who_may_not_read_any_more_is_told(street: Street) -> None:
    site = street.site

    class Rights(GrantRights):
        """Everybody may read until it is said otherwise."""

        refused: str = ""

        async def role(self, grant: Grant, stat: object) -> Role:
            del stat
            if grant.person.name == self.refused:
                raise Forbidden("you may not open this document any more")
            return grant.role

    rights = Rights()
    reviews = site.app.rooms.reviews
    reviews._rights = rights
    async with street.of() as ada, street.client(site.token(person=Person("name:Bob", "Bob"))) as bob:
        async with following(ada, "notes/a.md") as first, following(bob, "notes/a.md") as second:
            await next_of(first, "about")
            await next_of(second, "about")
            rights.refused = "Bob"
            for seat in site.app.followers.seats():
                reviews.soon(seat)
            ended = await next_of(second, "ended")
            assert (ended["status"], ended["reason"]) == (403, "forbidden")
            await put(site, "notes/a.md", "still\n")
            await next_of(first, "patch")
            assert [seat.grant.person.name for seat in site.app.followers.seats()] == ["Ada"]
        await until(lambda: site.app.followers.count == 0)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("notes/a.md", {"kind": "person", "id": "account:bob"}),
        ("notes/a.md", {"kind": "group", "id": "lab"}),
        ("notes", {"kind": "group", "id": "lab"}),
        ("notes", {"kind": "person", "id": "account:bob"}),
        ("notes/a.md", {"kind": "link"}),
        ("notes", {"kind": "link"}),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value,
)
async def test_read_6_what_was_shared_and_is_taken_back_ends_page_and_stream(street: Street, target: str, body: dict[str, str]) -> None:
    site = street.site
    shares = f"/api/documents/{quote(target, safe='')}/shares"
    by_name = await token_of(site, "Bob", groups=("lab",))
    async with street.of(Role.OWNER) as ada:
        given = (await ada.post(shares, json={**body, "role": "viewer"})).json()
        token = by_name if body["kind"] != "link" else await token_of(site, "Gus", kind="guest", links=(given["id"],))
        async with street.client(token, Accept="text/html") as bob, following(ada, "notes/a.md") as hers:
            page = await bob.get("/v/notes/a.md")
            assert (page.status_code, ">Edit<" in page.text) == (200, False)
            known = {"If-None-Match": page.headers["etag"]}
            assert (await bob.get("/v/notes/a.md", headers=known)).status_code == 304
            async with following(bob, "notes/a.md", version_of(page.text)) as his:
                await next_of(his, "about")
                await next_of(hers, "about")
                assert (await ada.delete(f"{shares}/{given['id']}")).status_code == 204
                assert (await next_of(his, "ended"))["status"] == 403
                await put(site, "notes/a.md", "not for Bob\n")
                await next_of(hers, "patch")
                assert [each async for each in his] == []
            refused = await bob.get("/v/notes/a.md", headers=known)
            assert refused.status_code == 403
            assert "a task" in page.text
            assert "a task" not in refused.text
            again = await bob.get("/v/notes/a.md", headers={"Accept": "text/event-stream"})
            assert again.status_code == refused.status_code


async def test_read_6_a_session_that_is_over_ends_the_stream(street: Street) -> None:
    site = street.site
    async with street.of() as ada, following(ada, "notes/a.md") as events:
        await next_of(events, "about")
        (seat,) = site.app.followers.seats()
        site.time[0] += 7200
        site.app.followers._beat = 0.0
        assert (await next_of(events, "ended"))["status"] == Unauthorized.status
        assert seat.over


async def test_a_document_that_is_renamed_or_deleted_while_it_is_read_is_told(street: Street) -> None:
    site = street.site
    async with street.of() as ada:
        page = await ada.get("/v/notes/a.md")
        async with following(ada, "notes/a.md", version_of(page.text)) as events:
            await next_of(events, "about")
            (site.root / "notes" / "a.md").rename(site.root / "notes" / "b.md")
            assert await next_of(events, "about") == {"path": "notes/b.md", "gone": False}
            (site.root / "notes" / "b.md").unlink()
            assert (await next_of(events, "about"))["gone"] is True
        assert (await ada.get("/v/notes/b.md")).status_code == 404


async def test_a_rename_is_not_taken_for_a_deletion_when_the_first_look_was_slow(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time in which it is not believed yet begins with that look's end."""
    site = street.site
    looks, late = site.files.stat, list[float]()

    async def stat(name: str) -> Stat:
        await asyncio.sleep(late.pop() if late else 0.0)
        return await looks(name)

    monkeypatch.setattr(site.files, "stat", stat)
    async with street.of() as ada:
        page = await ada.get("/v/notes/a.md")
        async with following(ada, "notes/a.md", version_of(page.text)) as events:
            await next_of(events, "about")
            late.append(0.7)
            (site.root / "notes" / "a.md").rename(site.root / "notes" / "b.md")
            assert await next_of(events, "about") == {"path": "notes/b.md", "gone": False}
            assert late == []


async def test_a_stop_sends_readers_away_and_takes_no_more(street: Street) -> None:
    site = street.site
    async with street.of() as ada, following(ada, "notes/a.md") as events:
        await next_of(events, "about")
        site.app.followers.close()
        assert (await next_of(events, "ended"))["status"] == 503


async def test_more_readers_than_are_taken_see_the_page_as_it_is(street: Street) -> None:
    site = street.site
    site.app.followers._most = 1
    async with street.of() as ada, following(ada, "notes/a.md") as events:
        await next_of(events, "about")
        refused = await ada.get("/v/notes/a.md", headers={"Accept": "text/event-stream"})
        assert refused.status_code == 429
        assert (await ada.get("/v/notes/a.md")).status_code == 200


async def test_the_page_in_a_frame_of_another_site_has_a_token_for_this_document_alone(street: Street) -> None:
    site = street.site
    async with street.client(Origin=PARENT) as frame:
        answer = await frame.post("/v/notes/a.md", data={"token": site.token()})
        stranger = await frame.post("/v/notes/a.md", data={"token": site.token()}, headers={"Origin": "https://evil.example"})
        wrong = await frame.post("/v/notes/a.md", data={"token": "x"})
    token = re.search(r' data-token="([^"]+)"', answer.text)
    assert token is not None
    assert "Title" in answer.text
    assert policy(answer)["frame-ancestors"] == f"'self' {PARENT}"
    assert "x-frame-options" not in answer.headers
    assert (stranger.status_code, wrong.status_code) == (403, 401)
    assert "data-token" not in wrong.text
    async with street.client(token[1]) as script:
        assert (await script.get("/v/notes/a.md")).status_code == 200
        assert (await script.get("/v/b.bin")).status_code == 403
        async with following(script, "notes/a.md") as events:
            await next_of(events, "about")


async def test_read_7_what_a_device_keeps_has_a_scope_and_a_person(site: Site) -> None:
    async with site.of() as ada, site.client(site.token(person=Person("name:Bob", "Bob"))) as bob:
        manifest = (await ada.get("/manifest.webmanifest")).json()
        worker = await ada.get("/sw.js")
        mine, other = (await ada.get("/v/notes/a.md")).headers, (await bob.get("/v/notes/a.md")).headers
        again = (await ada.get("/v/")).headers

    assert (manifest["scope"], manifest["start_url"], manifest["display"]) == ("/v/", "/v/", "standalone")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192"}
    assert (worker.text, worker.headers["cache-control"]) == ("built", "no-cache")
    assert "service-worker-allowed" not in worker.headers
    assert mine["x-collab-person"] == again["x-collab-person"] != other["x-collab-person"]
    assert ADA.id not in mine["x-collab-person"]


async def test_the_first_page_lists_what_was_opened_last(site: Site) -> None:
    async with site.of() as ada, site.client() as nobody:
        assert "Nothing has been opened yet." in (await ada.get("/v/")).text
        await ada.put("/api/documents/notes%2Fa.md/visit")
        page = await ada.get("/v/")
        assert '<a href="/v/notes/a.md"><bdi>a.md</bdi></a>' in page.text
        assert page.headers["cache-control"] == "no-store"
        assert (await nobody.get("/v/")).status_code == 401


def test_read_5_a_rendering_that_takes_too_long_is_given_up() -> None:
    made = rendered("x.md", "", b"*a* b\n\n" * 20_000, 0.05)

    assert made.shell == "text"
    assert made.note
    assert rendered("x.md", "", b"*a*", PATIENCE).shell == "sheet"


def test_read_5_a_rendering_is_given_up_although_what_says_so_is_lost_at_first(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a callback of the collector, or while something is let go."""
    lost, render = list[str](), documents.render

    def busy(phase: str, _about: dict[str, int]) -> None:
        """Once, until it comes."""
        if not lost and signal.getitimer(signal.ITIMER_REAL)[0] and threading.current_thread() is threading.main_thread():
            lost.append(phase)
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                pass

    def collected(path: str, prefix: str, body: bytes) -> Rendering:
        gc.collect()
        return render(path, prefix, body)

    monkeypatch.setattr(documents, "render", collected)
    gc.callbacks.append(busy)
    try:
        made = rendered("x.md", "", b"*a* b\n\n" * 20_000, 0.5)
    finally:
        gc.callbacks.remove(busy)

    assert lost
    assert made.shell == "text"
    assert capfd.readouterr().err == ""


async def test_pages_are_told_in_the_coding_that_is_taken(site: Site) -> None:
    async with site.of() as ada:
        plain = await ada.get("/v/notes/a.md", headers={"Accept-Encoding": "identity"})
        packed = await ada.get("/v/notes/a.md", headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert plain.text == packed.text
    assert len(gzip.compress(plain.content)) < len(plain.content)
