"""The editor in a frame of another site: a form posts a token into it, and no cookie is needed or made."""

from __future__ import annotations

import asyncio
import html
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote

import asking
import pytest
from e2e.people import MILLISECONDS, NO_MEMORY
from playwright.async_api import expect
from serving import serving, until

from collab.access import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.people import Company
    from playwright.async_api import Frame, Page, Route
    from serving import Served


FORM = """<!doctype html>
<title>Portal</title>
<form method="post" action="{action}" target="document"><input type="hidden" name="token" value="{token}"></form>
<iframe name="document" width="800" height="300"></iframe>
<script>document.forms[0].submit()</script>
"""
LINK = '<!doctype html><title>Portal</title><iframe name="document" src="{action}"></iframe>'
KEPT = """
() => {
  const stored = (read) => { try { return JSON.stringify(read()) } catch { return 'denied' } }
  const places = [stored(() => sessionStorage), stored(() => localStorage), location.href, document.documentElement.outerHTML]
  return { cookie: document.cookie, token: places.some((place) => place.includes('eyJ')), address: location.href }
}
"""
WORDS = "#words"


@dataclass(slots=True)
class Portal:
    """A site of somebody else's, whose pages are what a test puts there. `localhost` is another site than 127.0.0.1."""

    port: int
    page: str = ""

    def origin(self, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}"

    def shows(self, served: Served, document: str, token: str, page: str = FORM) -> None:
        self.page = page.format(action=html.escape(f"{served.url}/edit/{quote(document)}"), token=html.escape(token))


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal(0)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = portal.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library calls it so
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Answer)) as port:
        portal.port = port
        yield portal


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def framed(tmp_path: Path, portal: Portal) -> Iterator[Served]:
    """A server whose documents the portal may show."""
    origins = f"{portal.origin()} {portal.origin('127.0.0.1')}"
    settings = {"COLLAB_SAVE_DELAY": "0.5", "COLLAB_FRAME_ANCESTORS": origins, "COLLAB_LOG_LEVEL": "debug", "COLLAB_AUDIT": "-"}
    with serving(tmp_path, **settings) as served:
        served.write("notes.md", "start\n")
        yield served


async def document_in(page: Page) -> Frame:
    """The frame, when one can type in it."""
    await page.frame_locator("[name=document]").locator('.cm-content[contenteditable="true"]').wait_for()
    frame = page.frame("document")
    assert frame is not None
    return frame


async def type_in(page: Page, frame: Frame, words: str) -> None:
    """Keys at the end of the text, until they are in the file."""
    await frame.locator(".cm-content").focus()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(words)
    await expect(frame.locator(WORDS)).to_have_attribute("data-state", "in-file")


async def test_what_is_typed_in_a_frame_of_another_site_is_in_the_file_and_no_cookie_is_made(
    framed: Served, portal: Portal, company: Company, tmp_path: Path
) -> None:
    """AUTH-9, AUTH-10."""
    ann = await company.join("Ann", framed, None)
    token = framed.token("Bob", document="notes.md")
    portal.shows(framed, "notes.md", token)
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)

    await type_in(page, frame, "typed in a frame")

    await page.screenshot(path=tmp_path / "frame.png")
    await framed.shows("notes.md", "start\ntyped in a frame")
    await frame.locator('#people li[data-name="Bob"]').wait_for()
    assert await frame.locator("#back").is_hidden()
    assert await ann.context.cookies() == []
    assert await frame.evaluate(KEPT) == {"cookie": "", "token": False, "address": f"{framed.url}/edit/notes.md"}
    told = [request.url + (await request.all_headers()).get("referer", "") for request in ann.seen.requests]
    told += [socket.url for socket in ann.seen.sockets] + [framed.log.read_text()]
    assert [words for words in told if token.rpartition(".")[2] in words or "eyJ" in words] == []


async def test_a_cloud_posts_a_form_of_its_own_and_says_the_language(framed: Served, portal: Portal, company: Company) -> None:
    """AUTH-10, APP-3."""
    ann = await company.join("Ann", framed, None)
    portal.shows(framed, "notes.md", framed.token("Bob"), FORM.replace('name="token"', 'name="access_token"'))
    portal.page = portal.page.replace("notes.md", "notes.md?lang=de")
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)
    assert await frame.locator("html").get_attribute("lang") == "de"


async def test_two_people_in_frames_and_pages_edit_together(framed: Served, portal: Portal, company: Company) -> None:
    ann, bob = await company.join("Ann", framed), await company.join("Bob", framed, None)
    editor = await ann.open("notes.md")
    portal.shows(framed, "notes.md", framed.token("Bob"))
    page = await bob.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)

    await editor.sees("Ann", "Bob")
    await type_in(page, frame, "Bob's")
    await editor.reads("start\nBob's")
    await editor.type(" and Ann's", at="Control+End")

    await editor.reads("start\nBob's and Ann's")
    await editor.saved()
    await framed.shows("notes.md", "start\nBob's and Ann's")


async def test_a_page_renews_its_token_before_its_end_and_the_server_takes_the_new_one(
    framed: Served, portal: Portal, company: Company
) -> None:
    """AUTH-10."""
    ann = await company.join("Ann", framed, None)
    portal.shows(framed, "notes.md", framed.token("Bob"))
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(portal.origin())
    frame = await document_in(page)

    async with page.expect_response(lambda response: response.url.endswith("/api/session/renewal")) as renewal:
        await page.clock.fast_forward("07:30")
    answer = await renewal.value
    grant = verify((await answer.json())["token"], framed.secret(), now=0.0)
    assert (answer.status, grant.person.name, grant.role.word) == (200, "Bob", "editor")
    await frame.evaluate("collab.provider.sendToken()")

    await type_in(page, frame, "and on")
    await framed.shows("notes.md", "start\nand on")


async def test_a_page_for_readers_goes_on_with_a_new_token_when_the_one_of_its_stream_ends(
    framed: Served, portal: Portal, company: Company
) -> None:
    """AUTH-10, READ-6: the stream of before is one that ends as the server ends it ten minutes later."""
    ann = await company.join("Ann", framed, None)
    portal.page = FORM.format(action=html.escape(f"{framed.url}/v/notes.md"), token=html.escape(framed.token("Bob")))
    page = await ann.new_page()
    await page.clock.install()
    over, tokens = asyncio.Event(), list[str]()

    async def streamed(route: Route) -> None:
        if route.request.headers.get("accept") != "text/event-stream":
            await route.continue_()
            return
        tokens.append(route.request.headers["authorization"].removeprefix("Bearer "))
        if len(tokens) > 1:
            await route.continue_()
            return
        await over.wait()
        said = json.dumps({"reason": "unauthorized", "status": 401, "detail": "your session is over; sign in again"})
        await route.fulfill(status=200, content_type="text/event-stream", body=f"event: ended\ndata: {said}\n\n")

    await page.route(f"{framed.url}/v/**", streamed)
    async with page.expect_request(lambda request: request.headers.get("accept") == "text/event-stream"):
        await page.goto(portal.origin())
    # Two tokens of one second are one.
    began = time.time()
    await until(lambda: int(time.time()) > int(began))
    async with page.expect_response(lambda response: response.url.endswith("/api/session/renewal")) as renewal:
        await page.clock.fast_forward("07:30")
    renewed = (await (await renewal.value).json())["token"]
    async with page.expect_response(lambda response: response.request.headers.get("authorization") == f"Bearer {renewed}"):
        over.set()
    assert len(tokens) == 2
    assert tokens[0] != tokens[1] == renewed
    frame = page.frame_locator("[name=document]")
    await expect(frame.locator("#live")).to_have_attribute("data-state", "live")
    written = await asyncio.to_thread(
        asking.put,
        f"{framed.url}/api/documents/notes.md/content",
        headers={"Authorization": f"Bearer {framed.token()}", "If-Match": "*"},
        content="new words\n",
    )
    assert written.status_code == 200
    await expect(frame.locator("#body")).to_contain_text("new words")


async def test_when_the_first_token_is_over_the_page_says_so_and_keeps_the_words(framed: Served, portal: Portal, company: Company) -> None:
    """AUTH-10."""
    ann = await company.join("Ann", framed, None)
    # Long enough for a page that is slow to come.
    seconds = 30
    portal.shows(framed, "notes.md", framed.token("Bob", seconds=seconds))
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)

    note = frame.locator('[data-note="refusal"]')
    await expect(note).to_contain_text("Your access has ended", timeout=MILLISECONDS + seconds * 1000)
    await expect(note.get_by_role("button")).to_have_text(["Save a copy of my text"])
    assert await frame.evaluate("collab.text.toString()") == "start\n"

    portal.shows(framed, "notes.md", framed.token("Bob", seconds=-1))
    await page.reload()
    await expect(page.frame_locator("[name=document]").locator("body")).to_contain_text("time is over")


async def test_a_page_in_a_frame_stores_unsent_words_with_a_newer_server_and_opens_itself_anew(
    framed: Served, portal: Portal, company: Company, tmp_path: Path
) -> None:
    ann = await company.join("Ann", framed, None)
    portal.shows(framed, "notes.md", framed.token("Bob"))
    await ann.context.add_init_script(NO_MEMORY)
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "sitecustomize.py").write_text("import collab\ncollab.__version__ = '99.0.0'\n", encoding="utf-8")
    framed.environment["PYTHONPATH"] = str(newer)
    await asyncio.to_thread(framed.stop)
    await expect(frame.locator(WORDS)).to_have_attribute("data-state", "offline")
    await frame.locator(".cm-content").press_sequentially("unsent ")

    await asyncio.to_thread(framed.start)
    # Without memory the page would not know that it was loaded anew, so it asks.
    note = frame.locator('[data-note="version"]')
    await note.wait_for()
    await framed.shows("notes.md", "unsent start\n")
    async with page.expect_response(lambda response: "/edit/" in response.url) as opened:
        await note.get_by_role("button", name="Reload").click()

    answer = await opened.value
    assert (answer.request.method, answer.status, answer.request.headers.get("origin")) == ("POST", 200, framed.url)
    await expect(frame.locator('meta[name="collab-version"]')).to_have_attribute("content", "99.0.0")
    frame = await document_in(page)
    await type_in(page, frame, "anew")
    await framed.shows("notes.md", "unsent start\nanew")


async def test_on_the_same_site_the_token_counts_and_not_the_cookie(framed: Served, portal: Portal, company: Company) -> None:
    """AUTH-10."""
    ann = await company.join("Ann", framed, "owner")
    assert await ann.context.cookies()
    portal.shows(framed, "notes.md", framed.token("Bob", role="viewer"))
    page = await ann.new_page()
    await page.goto(portal.origin("127.0.0.1"))
    frame = page.frame_locator("[name=document]")

    await frame.locator('#people li[data-name="Bob"]').wait_for()
    await expect(frame.locator("#read-only")).to_be_visible()
    assert await frame.locator("#people li").count() == 1


@pytest.mark.parametrize("page_of_portal", [FORM, LINK], ids=["form", "link"])
async def test_no_page_is_shown_in_a_frame_of_a_site_that_is_not_configured(
    page_of_portal: str, shared_server: Served, portal: Portal, company: Company
) -> None:
    """AUTH-10."""
    shared_server.write("alone.md", "start\n")
    ann = await company.join("Ann", shared_server)
    ann.seen.tempted = True
    portal.shows(shared_server, "alone.md", shared_server.token("Bob"), page_of_portal)
    page = await ann.new_page()
    async with page.expect_event("response", lambda response: "/edit/" in response.url) as response:
        await page.goto(portal.origin())
    assert (await response.value).status == (403 if page_of_portal is FORM else 200)
    await page.wait_for_load_state()
    assert await page.frame_locator("[name=document]").locator("#editor").count() == 0


async def test_the_preview_in_a_frame_shows_in_words_what_its_token_is_not_for(framed: Served, portal: Portal, company: Company) -> None:
    """AUTH-10."""
    framed.write("notes.md", "![A map](img/map.svg) [other](other.md)\n")
    framed.write("img/map.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    ann = await company.join("Ann", framed, None)
    portal.shows(framed, "notes.md", framed.token("Bob"))
    page = await ann.new_page()
    await page.goto(portal.origin())
    frame = await document_in(page)

    await frame.locator("#modes [data-mode=preview]").click()

    await expect(frame.locator("#preview")).to_contain_text("A map (picture not shown in this frame: img/map.svg)")
    await expect(frame.get_by_role("link", name="other")).to_have_attribute("target", "_blank")
