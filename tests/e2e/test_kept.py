"""What is typed outlives its page: a closed tab, a killed browser, somebody else on this device; it comes back once, or is handed over."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.people import FLAGS, MILLISECONDS, Company, Person, chromium
from e2e.test_refusals import saved_copy
from e2e.test_words import busy_journal
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e2e.people import Editor
    from playwright.async_api import Page
    from serving import Served

KEPT = "kept on this device"
COUNT = """
(store) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('collab')
  opening.onerror = () => reject(opening.error)
  opening.onsuccess = () => {
    const counting = opening.result.transaction(store).objectStore(store).count()
    counting.onsuccess = () => { opening.result.close(); resolve(counting.result) }
  }
})
"""


async def counted(page: Page, store: str = "pending") -> int:
    """Records that the browser keeps."""
    count: int = await page.evaluate(COUNT, store)
    return count


async def dropped(page: Page) -> None:
    """Until nothing is kept any more, since everything is stored."""
    async with asyncio.timeout(MILLISECONDS / 1000):
        while await counted(page) + await counted(page, "snapshots"):
            await page.evaluate("() => new Promise(requestAnimationFrame)")


async def leave_unsent(served: Served, editor: Editor, words: str, *, at: str = "Control+Home", copied: bool = False) -> None:
    """Type while the server is gone, and close the page when the words are on the disk; `copied`: when the whole document is, too."""
    await asyncio.to_thread(served.kill)
    await editor.is_told("offline")
    await editor.type(words, at=at)
    await expect(editor.words).to_contain_text(f"{len(words)} changes {KEPT}", timeout=MILLISECONDS)
    while copied and not await counted(editor.page, "snapshots"):
        await editor.page.evaluate("() => new Promise(requestAnimationFrame)")
    async with editor.page.expect_event("close"):
        await editor.page.close(run_before_unload=True)


async def test_words_of_a_closed_tab_are_in_the_document_when_it_is_opened_again(server: Served, company: Company) -> None:
    """KEPT-1, KEPT-2."""
    server.write("closed.md", "start\n")
    ann, bob = await company.join("Ann", server), await company.join("Bob", server)
    await leave_unsent(server, await ann.open("closed.md"), "unsent ")
    await asyncio.to_thread(server.start)
    other = await bob.open("closed.md")
    await other.type("Bob goes on\n", at="Control+End")
    await other.saved()

    editor = await ann.open("closed.md")

    expected = "unsent start\nBob goes on\n"
    await asyncio.gather(editor.reads(expected), other.reads(expected))
    await expect(editor.note("returned")).to_contain_text("7 changes from ")
    await server.shows("closed.md", expected)
    await dropped(editor.page)
    await editor.caret_to(len(expected))
    await editor.note("returned").get_by_role("button", name="Show").click()
    assert await editor.page.evaluate("collab.view.state.selection.main.head") == 0
    await editor.note("returned").get_by_role("button", name="Close").click()
    await expect(editor.note("returned")).to_have_count(0)
    await editor.page.reload()
    await editor.reads(expected)
    await editor.saved()
    await expect(editor.note("returned")).to_have_count(0)


@asynccontextmanager
async def own_browser(profile: Path, served: Served, name: str) -> AsyncIterator[Person]:
    """Somebody whose browser is a process of its own, with a profile on the disk."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(profile, executable_path=chromium(), args=FLAGS)
        context.set_default_timeout(MILLISECONDS)
        person = Person(name, served, context)
        await person.sign_in()
        yield person
        assert person.seen.violations == []
        await context.close()


def kill_browser(profile: Path) -> None:
    """SIGKILL for every process of the browser with this profile: what it has not written is gone."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(profile) in line and b"chrom" in line.partition(b"\0")[0]:
            try:
                os.kill(int(process.name), signal.SIGKILL)
            except ProcessLookupError:
                continue


async def test_words_survive_a_browser_that_is_killed(server: Served, tmp_path: Path) -> None:
    """KEPT-1."""
    server.write("killed.md", "start\n")
    profile = tmp_path / "profile"
    async with own_browser(profile, server, "Ann") as ann:
        editor = await ann.open("killed.md")
        await asyncio.to_thread(server.kill)
        await editor.is_told("offline")
        await editor.type("before the end ", at="Control+Home")
        await expect(editor.words).to_contain_text(f"15 changes {KEPT}", timeout=MILLISECONDS)
        async with editor.page.context.expect_event("close"):
            kill_browser(profile)
    await asyncio.to_thread(server.start)

    async with own_browser(profile, server, "Ann") as ann:
        editor = await ann.open("killed.md")
        await editor.reads("before the end start\n")
        await server.shows("killed.md", "before the end start\n")
        await dropped(editor.page)


async def test_a_tab_that_is_closed_and_opened_again_at_once_goes_on_beside_its_old_connection(server: Served, company: Company) -> None:
    """KEPT-1, KEPT-2, ID-7."""
    server.write("at-once.md", "start\n")
    ann = await company.join("Ann", server)
    first = await ann.open("at-once.md")
    with busy_journal(server):
        await first.watch_words()
        await first.type("held up ", at="Control+Home")
        # After five seconds without the journal it is called something else.
        await first.page.wait_for_function("() => told.includes('received')")
        while await counted(first.page) == 0:
            await first.page.evaluate("() => new Promise(requestAnimationFrame)")
        second = await ann.visit("at-once.md")
        await second.reads("held up start\n")
        await first.page.close()
        await second.type("and on ", at="Control+Home")
        assert await counted(second.page) > 0

    await second.saved()

    await second.reads("and on held up start\n")
    await server.shows("at-once.md", "and on held up start\n")
    await dropped(second.page)


async def test_two_tabs_with_the_same_unsent_words_bring_them_once(shared_server: Served, company: Company) -> None:
    """KEPT-2."""
    shared_server.write("twice.md", "start\n")
    ann = await company.join("Ann", shared_server)
    first = await ann.open("twice.md")
    await first.page.evaluate("collab.provider.configuration.websocketProvider.disconnect()")
    await first.is_told("offline")
    await first.type("only once ", at="Control+Home")
    await expect(first.words).to_contain_text(f"10 changes {KEPT}")

    second = await ann.open("twice.md")
    await second.reads("only once start\n")
    await second.type("more ", at="Control+Home")
    await second.saved()
    await first.page.evaluate("collab.provider.configuration.websocketProvider.connect()")
    await first.saved()

    await asyncio.gather(first.reads("more only once start\n"), second.reads("more only once start\n"))
    await shared_server.shows("twice.md", "more only once start\n")
    await dropped(second.page)


async def test_nobody_else_on_this_device_sends_or_sees_my_words_and_they_wait_for_me(server: Served, company: Company) -> None:
    """KEPT-3."""
    server.write("shared.md", "start\n")
    ann = await company.join("Ann", server)
    await leave_unsent(server, await ann.open("shared.md"), "Ann's words ")
    await asyncio.to_thread(server.start)

    await Person("Bob", server, ann.context).sign_in()
    bobs = await ann.open("shared.md")
    await bobs.sees("Bob")
    await bobs.type("Bob's ", at="Control+Home")
    await bobs.saved()
    await expect(bobs.page.locator(".note")).to_have_count(0)
    assert server.read("shared.md") == "Bob's start\n"
    assert await counted(bobs.page) > 0
    await bobs.page.close()

    await ann.sign_in()
    editor = await ann.open("shared.md")
    await expect(editor.note("returned")).to_contain_text("12 changes")
    assert sorted((await editor.text()).split()) == ["Ann's", "Bob's", "start", "words"]
    await dropped(editor.page)


def restore(backup: Path, folder: Path) -> None:
    """What is in the folder is as it was; the folder itself stays."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.copytree(backup, folder, dirs_exist_ok=True)


async def restored(server: Served, ann: Person, folder: Path, *, copied: bool) -> Editor:
    """The document of a server that went back to before the words on which Ann's unsent ones build; `copied`: her page had time to keep them."""
    server.write("backup.md", "start\n")
    await (await ann.open("backup.md")).page.close()
    await asyncio.to_thread(server.stop)
    for each in (server.root, server.state):
        shutil.copytree(each, folder / each.name)
    await asyncio.to_thread(server.start)
    editor = await ann.open("backup.md")
    await editor.type("after the backup ", at="Control+Home")
    await editor.saved()
    await editor.caret_to(len("after "))
    if not copied:
        await editor.page.evaluate("window.requestIdleCallback = () => 0")
    await leave_unsent(server, editor, "unsent ", at="Shift", copied=copied)
    for each in (server.root, server.state):
        restore(folder / each.name, each)
    await asyncio.to_thread(server.start)
    return await ann.open("backup.md")


async def test_words_for_a_server_from_an_older_backup_come_with_what_they_build_on(
    server: Served, company: Company, tmp_path: Path
) -> None:
    """KEPT-2."""
    editor = await restored(server, await company.join("Ann", server), tmp_path / "backup", copied=True)

    await editor.reads("after unsent the backup start\n")
    await editor.saved()
    await dropped(editor.page)


async def test_words_that_build_on_what_an_older_backup_has_not_are_handed_over(server: Served, company: Company, tmp_path: Path) -> None:
    """KEPT-5."""
    editor = await restored(server, await company.join("Ann", server), tmp_path / "backup", copied=False)

    note = editor.note("stranded-gap")
    await expect(note).to_contain_text("7 changes from ")
    await expect(note).to_contain_text("restored from a backup")
    await editor.reads("start\n")
    assert await saved_copy(editor, note.get_by_role("button", name="Save only what was not sent")) == b"unsent "
    assert await counted(editor.page) > 0


async def test_unsent_words_of_a_document_that_may_only_be_read_now_are_handed_over_until_they_are_discarded(
    server: Served, company: Company
) -> None:
    """KEPT-5."""
    path = server.write("reader.txt", "start\n")
    ann = await company.join("Ann", server)
    await leave_unsent(server, await ann.open("reader.txt"), "unsent ")
    path.chmod(0o444)
    await asyncio.to_thread(server.start)

    editor = await ann.visit("reader.txt")

    note = editor.note("stranded-read-only")
    await expect(note).to_contain_text("7 changes from ")
    assert await saved_copy(editor, note.get_by_role("button", name="Save the whole text with them")) == b"unsent start\n"
    assert await saved_copy(editor, note.get_by_role("button", name="Save only what was not sent")) == b"unsent "
    await editor.reads("start\n")
    await note.get_by_role("button", name="Discard").click()
    await expect(note).to_contain_text("Discard 7 changes for good?")
    await note.get_by_role("button", name="Cancel").click()
    await editor.page.reload()
    await note.get_by_role("button", name="Discard").click()
    await note.get_by_role("button", name="Discard").click()
    await expect(note).to_have_count(0)
    await dropped(editor.page)
    path.chmod(0o644)
    await editor.page.close()
    await asyncio.to_thread(server.restart)
    await (await ann.open("reader.txt")).reads("start\n")


async def test_unsent_words_of_a_document_that_is_gone_are_handed_over(server: Served, company: Company) -> None:
    """KEPT-5."""
    path = server.write("gone.md", "start\n")
    ann = await company.join("Ann", server)
    await leave_unsent(server, await ann.open("gone.md"), "unsent ", copied=True)
    path.unlink()
    await asyncio.to_thread(server.start)

    editor = await ann.visit("gone.md")

    await editor.refused("There is no such document")
    note = editor.note("stranded-gone")
    await expect(note).to_contain_text("7 changes from ")
    assert await saved_copy(editor, note.get_by_role("button", name="Save the whole text with them")) == b"unsent start\n"


AGE = """
(milliseconds) => new Promise((resolve) => {
  const opening = indexedDB.open('collab')
  opening.onsuccess = () => {
    const transaction = opening.result.transaction('pending', 'readwrite')
    const walking = transaction.objectStore('pending').openCursor()
    walking.onsuccess = () => {
      if (walking.result === null) return
      walking.result.update({ ...walking.result.value, at: Date.now() - milliseconds })
      walking.result.continue()
    }
    transaction.oncomplete = () => { opening.result.close(); resolve() }
  }
})
"""
MONTH = 31 * 24 * 3600 * 1000


async def test_words_that_nobody_came_back_for_in_a_month_are_spoken_of_in_another_document(server: Served, company: Company) -> None:
    """KEPT-5."""
    server.write("forgotten.md", "start\n")
    server.write("today.md", "today\n")
    ann = await company.join("Ann", server)
    await leave_unsent(server, await ann.open("forgotten.md"), "unsent ")
    await asyncio.to_thread(server.start)
    editor = await ann.open("today.md")
    await expect(editor.page.locator(".note")).to_have_count(0)
    await editor.page.evaluate(AGE, MONTH)
    await editor.page.reload()

    note = editor.page.locator('[data-note^="old-"]')
    await expect(note).to_contain_text("7 changes to “forgotten.md” from ")
    assert await saved_copy(editor, note.get_by_role("button", name="Save only what was not sent")) == b"unsent "
    await note.get_by_role("button", name="Discard").click()
    await note.get_by_role("button", name="Discard").click()
    await expect(note).to_have_count(0)
    await dropped(editor.page)
