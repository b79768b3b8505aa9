"""People in front of real browsers: each has a profile of their own, signs in with a printed address, and edits in our pages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playwright.async_api import expect
from serving import PATIENCE

from collab.access import Role
from collab.web.sessions import invite

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Request, WebSocket
    from serving import Served

MILLISECONDS = PATIENCE * 1000.0
"""How long a page may take to come to something on a busy machine."""
VIOLATION = "policy violated:"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--site-per-process",
    "--enable-features=IsolateSandboxedIframes",
]

WATCH_POLICY = f"""
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('{VIOLATION} ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile + ':' + event.lineNumber))
"""
NO_STORAGE = "Object.defineProperty(window, 'indexedDB', { value: undefined })"
"""A browser that keeps nothing, as some do in private windows and in frames of other sites."""
NO_MEMORY = """
for (const memory of ['sessionStorage', 'localStorage'])
  Object.defineProperty(window, memory, { get() { throw new DOMException('denied', 'SecurityError') } })
"""
"""A browser that denies frames of other sites what they remember."""
READS = """
([wanted, patience]) => new Promise((resolve) => {
  const text = () => [collab.text.toString(), collab.view?.state.doc.toString()]
  const look = () => { if (text().every((each) => each === wanted)) resolve(text()) }
  collab.text.observe(() => queueMicrotask(look))
  setTimeout(() => resolve(text()), patience)
  look()
})
"""
CARET_AFTER = """
(words) => {
  const at = collab.view.state.doc.toString().indexOf(words)
  if (at < 0) throw new Error(`the text has no ${JSON.stringify(words)}`)
  collab.view.dispatch({ selection: { anchor: at + words.length } })
}
"""
WATCH_WORDS = """
() => {
  const words = document.getElementById('words')
  window.told = [words.dataset.state]
  new MutationObserver(() => { if (told.at(-1) !== words.dataset.state) told.push(words.dataset.state) })
    .observe(words, { attributes: true, attributeFilter: ['data-state'] })
}
"""


async def comes_true(page: Page, question: str, arg: object = None) -> None:
    """Until a function of the page that answers later says yes; `wait_for_function` takes the promise of an answer for a yes."""
    end = time.monotonic() + PATIENCE
    while not await page.evaluate(question, arg):
        assert time.monotonic() < end, question
        await page.evaluate("() => new Promise(requestAnimationFrame)")


def chromium() -> str:
    """The browser of this machine; AssertionError that says what to install when there is none. Chromium without windows is three times as fast."""
    found = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None)
    assert found is not None, "these tests need a real Chromium: apt-get install chromium-headless-shell"
    return found


def invitation(served: Served, name: str, role: str) -> str:
    """What `collab login --name --role` prints, without the second that a process takes."""
    return f"{served.url}/login#{invite(name, Role.of(role), served.secret(), now=time.time(), random=os.urandom)}"


@dataclass
class Seen:
    """What a person's pages told: every request, every socket, every word on the console.

    Without slots: playwright keeps its own wrappers beside the methods that listen.
    """

    console: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    tempted: bool = False
    """The test itself does what the policy forbids."""

    def watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)
        page.on("websocket", self._connected)

    def _said(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def _failed(self, error: Error) -> None:
        self.faults.append(f"{error.message}\n{error.stack}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _connected(self, socket: WebSocket) -> None:
        self.sockets.append(socket)

    @property
    def violations(self) -> list[str]:
        """What the Content-Security-Policy stopped: our event's words and the browser's own."""
        return [line for line in self.console if VIOLATION in line or "Content Security Policy" in line]


@dataclass(slots=True)
class Editor:
    """A page with one document."""

    page: Page

    @property
    def content(self) -> Locator:
        return self.page.locator(".cm-content")

    @property
    def words(self) -> Locator:
        return self.page.locator("#words")

    def note(self, key: str) -> Locator:
        return self.page.locator(f'[data-note="{key}"]')

    async def ready(self) -> Editor:
        """Until one can type."""
        await self.page.locator('.cm-content[contenteditable="true"]').wait_for()
        return self

    async def text(self) -> str:
        """The shared text; the editor has to show the same."""
        shared, shown = await self.page.evaluate("[collab.text.toString(), collab.view.state.doc.toString()]")
        assert shared == shown, f"the shared text is {shared!r}, the editor shows {shown!r}"
        return str(shared)

    async def reads(self, wanted: str) -> None:
        """Until shared text and editor are this."""
        await self.content.wait_for()
        shared, shown = await self.page.evaluate(READS, [wanted, MILLISECONDS])
        assert (shared, shown) == (wanted, wanted), f"the shared text is {shared!r}, the editor shows {shown!r}, both should be {wanted!r}"

    async def type(self, text: str, *, at: str | None = None, pause: float = 0) -> None:
        """Keys one by one, `pause` milliseconds apart; `at`: first the keys that go there, such as `Control+End`."""
        await self.content.focus()
        if at is not None:
            await self.page.keyboard.press(at)
        await self.page.keyboard.type(text, delay=pause)

    async def insert(self, text: str, *, at: str | None = None) -> None:
        """All at once, as an input method does: one change, of which neither a save nor an undo finds a part. `at` as in `type`."""
        await self.content.focus()
        if at is not None:
            await self.page.keyboard.press(at)
        await self.page.keyboard.insert_text(text)

    async def caret_to(self, position: int) -> None:
        """Put the caret at this UTF-16 offset, as a click would."""
        await self.content.focus()
        await self.page.evaluate("(at) => collab.view.dispatch({ selection: { anchor: at } })", position)

    async def caret_after(self, words: str) -> None:
        """Put the caret behind the first place with these words, also while others write before it."""
        await self.content.focus()
        await self.page.evaluate(CARET_AFTER, words)

    async def is_told(self, state: str) -> None:
        """Until the page says this of the words."""
        await expect(self.words).to_have_attribute("data-state", state, timeout=MILLISECONDS)

    async def saved(self) -> None:
        await self.is_told("in-file")

    async def watch_words(self) -> None:
        """From now on remember every state that is shown."""
        await self.page.evaluate(WATCH_WORDS)

    async def was_told(self) -> list[str]:
        told: list[str] = await self.page.evaluate("told")
        return told

    async def sees(self, *names: str) -> None:
        """Until exactly these people are shown as present."""
        people = self.page.locator("#people li")
        await expect(people).to_have_count(len(names), timeout=MILLISECONDS)
        for name in names:
            await self.page.locator(f'#people li[data-name="{name}"]').wait_for()

    async def sees_caret_of(self, name: str) -> None:
        await self.page.locator(f'.cm-ySelectionCaret[data-name="{name}"]').wait_for(state="attached")

    async def refused(self, words: str) -> Locator:
        """The note that says why, in these words."""
        note = self.note("refusal")
        await expect(note).to_contain_text(words, timeout=MILLISECONDS)
        return note


@dataclass(slots=True)
class Person:
    """Somebody with a browser profile of their own."""

    name: str
    served: Served
    context: BrowserContext
    seen: Seen = field(default_factory=Seen)

    async def new_page(self) -> Page:
        page = await self.context.new_page()
        self.seen.watch(page)
        return page

    async def sign_in(self, role: str = "editor") -> None:
        """As the page of the printed address does it, without showing that page."""
        answer = await self.context.request.post(
            self.served.url + "/api/session",
            data={"secret": invitation(self.served, self.name, role).partition("#")[2]},
            headers={"Origin": self.served.url},
        )
        assert answer.ok, await answer.text()

    async def visit(self, document: str) -> Editor:
        """The document's page, whatever it then shows."""
        page = await self.new_page()
        await page.goto(f"{self.served.url}/edit/{quote(document, safe='/')}")
        return Editor(page)

    async def open(self, document: str) -> Editor:
        """The document, ready to type and with nothing left to compare."""
        editor = await (await self.visit(document)).ready()
        await editor.saved()
        return editor


@dataclass(slots=True)
class Company:
    """Everybody who takes part in a test."""

    browser: Browser
    people: list[Person] = field(default_factory=list)

    async def join(self, name: str, served: Served, role: str | None = "editor", **settings: Any) -> Person:
        """Somebody new, signed in unless the role is None; `settings` are those of a browser context."""
        context = await self.browser.new_context(viewport={"width": 900, "height": 500}, **settings)
        context.set_default_timeout(MILLISECONDS)
        await context.add_init_script(WATCH_POLICY)
        person = Person(name, served, context)
        self.people.append(person)
        if role is not None:
            await person.sign_in(role)
        return person

    async def pictures(self, folder: os.PathLike[str]) -> None:
        """What everybody sees now, as files."""
        for person in self.people:
            for number, page in enumerate(person.context.pages):
                with contextlib.suppress(Exception):
                    await page.screenshot(path=f"{os.fspath(folder)}/{person.name}-{number}.png", timeout=5000)

    async def leave(self) -> None:
        await asyncio.gather(*(person.context.close() for person in self.people))
