"""A document in an office suite: opened from the list, edited in the suite's frame, saved over WOPI, and closed again."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from e2e.browsing import Files
from e2e.suite_page import suite_page
from e2e.test_accessibility import FITS, faults, shot
from e2e.walk import Look
from playwright.async_api import expect
from serving import serving, until
from suites import fake_suite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from e2e.people import Company, Person
    from e2e.suite_page import SuitePage
    from playwright.async_api import Frame, Page
    from serving import Served
    from suites import FakeSuite, Flavour

PHONE: dict[str, Any] = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
"""Settings of a browser context."""
SCREENS = {320: 568, 900: 500}
"""Pixels: widths and heights."""
WORDS = "first words"


@dataclass(slots=True)
class Office:
    """A server with one office suite called Writer."""

    served: Served
    suite: FakeSuite
    page: SuitePage

    def write(self, name: str, text: str = WORDS) -> None:
        """A file that is no text: this suite's documents are a byte that no text has, and words."""
        path = self.served.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" + text.encode())

    def read(self, name: str) -> str:
        return (self.served.root / name).read_bytes().removeprefix(b"\0").decode()

    async def holds(self, name: str, text: str) -> None:
        await until(lambda: self.read(name) == text, saying=lambda: self.read(name))


async def running(flavour: Flavour, folder: Path) -> AsyncIterator[Office]:
    with fake_suite(flavour) as suite, suite_page(suite) as page:
        settings = {"COLLAB_SAVE_DELAY": "0.5", "COLLAB_WOPI_DISCOVERY": f"Writer={suite.url}", "COLLAB_WOPI_SUITE_HOSTS": "localhost"}
        with serving(folder, **settings) as served:
            await until(lambda: "Writer" in served.log.read_text() and "answers" in served.log.read_text())
            yield Office(served, suite, page)


@pytest_asyncio.fixture(params=["collabora"], loop_scope="session")
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """One of this test's own, which it may change."""
    async for office in running(request.param, tmp_path):
        yield office


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One for all tests that leave the suite as it is and have files of their own."""
    async for office in running("collabora", tmp_path_factory.mktemp("office")):
        yield office


every_product = pytest.mark.parametrize("office", ["collabora", "microsoft", "onlyoffice"], indirect=True)


async def frame_of(page: Page) -> Frame:
    """The suite's frame, with its document."""
    await page.frame_locator("iframe[name=office-suite]").locator("#text").wait_for()
    frame = page.frame("office-suite")
    assert frame is not None
    return frame


async def loaded(page: Page) -> Frame:
    """The same, when the page knows that it is there."""
    frame = await frame_of(page)
    await page.locator("body[data-state=loaded]").wait_for()
    return frame


async def visit(person: Person, name: str, action: str = "edit", *, suite: str = "Writer", width: int = 900) -> Page:
    page = await person.new_page()
    await page.set_viewport_size({"width": width, "height": SCREENS[width]})
    await page.goto(f"{person.served.url}/office/{quote(name, safe='/')}?suite={quote(suite)}&action={action}")
    return page


async def type_and_save(frame: Frame, words: str) -> None:
    await frame.locator("#text").fill(words)
    await frame.locator("#save").click()
    await expect(frame.locator("body")).to_have_attribute("data-saved", "200")


@every_product
async def test_a_file_is_opened_from_the_list_edited_saved_and_closed(office: Office, company: Company, tmp_path: Path) -> None:
    """WOPI-22."""
    office.write("papers/plan.odt")
    ann = await company.join("Ann", office.served)
    files = await Files.folder(ann, "papers")
    await expect(files.open("plan.odt")).to_have_attribute("href", "/office/papers/plan.odt?suite=Writer&action=edit")

    await files.open("plan.odt").click()
    frame = await loaded(files.page)
    await expect(frame.locator("#who")).to_have_text("Ann")
    await expect(frame.locator("#text")).to_have_value("\0" + WORDS)
    await type_and_save(frame, "\0more words")
    await files.page.screenshot(path=tmp_path / "suite.png")
    assert office.read("papers/plan.odt") == "more words"

    await frame.locator("#close").click()
    await files.shows("plan.odt")
    assert files.page.url == f"{office.served.url}/?path=papers"


async def test_the_token_is_in_no_address_no_history_no_page_and_no_log(office: Office, company: Company) -> None:
    office.write("secret.odt")
    ann = await company.join("Ann", office.served)
    page = await visit(ann, "secret.odt")
    frame = await loaded(page)

    (session,) = office.page.sessions.values()
    kept = await page.evaluate(
        "[location.href, document.documentElement.outerHTML, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join()"
    )
    told = [kept, frame.url, office.served.log.read_text()] + [request.url for request in ann.seen.requests]
    assert session.token
    assert [words for words in told if session.token in words or session.token.rpartition(".")[2] in words] == []


async def test_the_menu_of_a_file_leads_to_each_suite_by_keyboard(shared_office: Office, company: Company) -> None:
    shared_office.write("menu.odt")
    ann = await company.join("Ann", shared_office.served)
    files = await Files.of(ann)
    await expect(files.open("menu.odt")).to_have_attribute("href", "/office/menu.odt?suite=Writer&action=edit")
    await files.open("menu.odt").focus()

    await files.press("ArrowRight", "ArrowRight", "Enter")
    item = files.page.get_by_role("menuitem", name="Edit in Writer")
    await expect(files.page.get_by_role("menuitem", name="Open", exact=True)).to_be_focused()
    await files.press("ArrowDown")
    await expect(item).to_be_focused()
    await files.press("Enter")

    await loaded(files.page)


async def test_a_file_that_is_no_text_opens_in_the_suite_by_its_link_too_and_without_one_is_downloaded(
    shared_office: Office, company: Company
) -> None:
    shared_office.write("linked.odt")
    shared_office.write("picture.zzz")
    ann = await company.join("Ann", shared_office.served)

    editor = await ann.visit("linked.odt")
    await loaded(editor.page)
    editor = await ann.visit("picture.zzz")
    await editor.refused("")
    await expect(editor.note("refusal").get_by_role("link", name="Download")).to_be_visible()


async def test_a_text_that_people_type_in_opens_in_a_suite_beside_it_and_both_have_all_words(
    shared_office: Office, company: Company
) -> None:
    shared_office.served.write("notes.md", "start\n")
    ann, bob = await company.join("Ann", shared_office.served), await company.join("Bob", shared_office.served)
    editor = await ann.open("notes.md")
    await editor.page.locator("#more").click()
    async with editor.page.expect_popup() as opened:
        await editor.page.locator("#menu").get_by_text("Edit in Writer").click()
    page = await opened.value
    ann.seen.watch(page)
    frame = await loaded(page)
    await expect(frame.locator("#text")).to_have_value("start\n")

    other = await bob.open("notes.md")
    await other.type("Bob's\n", at="Control+End")
    await editor.reads("start\nBob's\n")
    await type_and_save(frame, "the suite's start\n")

    await editor.reads("the suite's start\nBob's\n")
    await shared_office.served.shows("notes.md", "the suite's start\nBob's\n")


@pytest.mark.parametrize(("width", "locale", "words"), [(900, "en-GB", "in Writer"), (320, "fr-FR", "dans Writer")])
async def test_who_writes_in_a_suite_is_shown_among_the_people_with_the_suites_name_and_without_a_caret(
    shared_office: Office, company: Company, width: int, locale: str, words: str
) -> None:
    """WOPI-24."""
    name = f"people-{width}-{locale}.md"
    shared_office.served.write(name, "# Start\n\nwords\n")
    ann = await company.join("Ann", shared_office.served, locale=locale, **(PHONE if width < 600 else {}))
    eve, bob = await company.join("Eve Adams", shared_office.served), await company.join("Bob", shared_office.served)
    page = (await ann.visit(name)).page
    await page.set_viewport_size({"width": width, "height": SCREENS[width]})
    frame = await loaded(await visit(eve, name))
    beside = await bob.open(name)
    await loaded(await visit(bob, name))

    face, both = page.locator('#people li[data-name="Eve Adams"]'), page.locator('#people li[data-name="Bob"]')
    await expect(face).to_have_attribute("data-doing", "suite")
    await expect(face).to_have_attribute("title", f"Eve Adams, {words}")
    await expect(both).to_have_attribute("title", f"Bob, {words}")
    await beside.sees("Ann", "Bob", "Eve Adams")
    await page.locator(".bar [aria-haspopup=dialog]").first.click()
    row, other = page.locator('#everybody li[data-person="Eve Adams"]'), page.locator('#everybody li[data-person="Bob"]')
    await expect(row.locator(".does")).to_have_text(words)
    await expect(row.get_by_role("button")).to_have_count(0)
    await expect(other.locator(".does")).to_have_text(re.compile(f". · {words}$"))
    await expect(other.get_by_role("button")).to_have_count(2)
    await expect(page.locator('.cm-ySelectionCaret[data-name="Eve Adams"]')).to_have_count(0)
    await shot(page, Look(width), f"in a suite {locale}")
    assert await faults(page) == []
    assert {key: value for key, value in (await page.evaluate(FITS)).items() if value} == {}

    await frame.locator("#close").click()
    await expect(face).to_have_count(0)


async def test_the_title_follows_a_name_that_was_given_in_the_suite_as_the_server_knows_it(shared_office: Office, company: Company) -> None:
    shared_office.write("former.odt")
    ann = await company.join("Ann", shared_office.served)
    page = await visit(ann, "former.odt")
    frame = await loaded(page)

    await frame.locator("#rename").click()

    await expect(page.locator("#title")).to_have_text("renamed.odt")
    await expect(page).to_have_title("renamed.odt · collab")
    await expect(page).to_have_url(f"{shared_office.served.url}/office/renamed.odt?suite=Writer&action=edit")
    await type_and_save(frame, "\0after the rename")
    assert shared_office.read("renamed.odt") == "after the rename"


@every_product
async def test_share_gives_the_link_of_the_document(office: Office, company: Company, tmp_path: Path) -> None:
    office.write("shared.odt")
    ann = await company.join("Ann", office.served, permissions=["clipboard-read", "clipboard-write"])
    page = await visit(ann, "shared.odt")
    frame = await loaded(page)

    await frame.locator("#share").click()
    window = page.locator("dialog[open]")
    await window.get_by_role("button", name="Copy").click()
    await expect(window.get_by_role("status")).to_have_text("The link is copied.")
    await page.screenshot(path=tmp_path / "share.png")
    link = await page.evaluate("navigator.clipboard.readText()")
    await page.keyboard.press("Escape")

    await page.goto(link)
    await loaded(page)
    await expect(page.locator("#title")).to_have_text("shared.odt")


async def test_a_copy_is_saved_under_the_name_that_one_types(shared_office: Office, company: Company) -> None:
    shared_office.write("first.odt")
    ann = await company.join("Ann", shared_office.served)
    page = await visit(ann, "first.odt")
    frame = await loaded(page)

    await frame.locator("#copy").click()
    field = page.get_by_label("Name")
    await expect(field).to_have_value("Copy of first.odt")
    await expect(field).to_be_focused()
    await page.keyboard.type("second")
    await page.keyboard.press("Enter")

    await until((shared_office.served.root / "second.odt").exists)


@pytest.mark.parametrize("office", ["collabora", "microsoft"], indirect=True)
async def test_a_token_is_renewed_before_its_end_and_the_suite_goes_on_with_the_next_one(office: Office, company: Company) -> None:
    office.write("long.odt")
    ann = await company.join("Ann", office.served)
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(f"{office.served.url}/office/long.odt?suite=Writer&action=edit")
    frame = await loaded(page)
    (session,) = office.page.sessions.values()

    async with page.expect_response(lambda answer: answer.url.endswith("/office") and answer.request.method == "POST"):
        await page.clock.fast_forward("09:45:00")
    await until(lambda: session.tokens)

    await type_and_save(frame, "\0after ten hours")
    assert office.read("long.odt") == "after ten hours"
    await expect(page.locator("#notes .note")).to_have_count(0)


@pytest.mark.parametrize("office", ["onlyoffice"], indirect=True)
async def test_a_suite_that_takes_no_other_token_is_told_of_before_its_end(office: Office, company: Company) -> None:
    office.write("long.odt")
    ann = await company.join("Ann", office.served)
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(f"{office.served.url}/office/long.odt?suite=Writer&action=edit")
    await loaded(page)

    await page.clock.fast_forward("09:45:00")

    await expect(page.locator("[data-note=ending]")).to_contain_text("Your access to this document ends at")
    await page.get_by_role("button", name="Open again").click()
    await loaded(page)
    assert len(office.page.sessions) == 2


async def test_when_the_access_has_ended_the_person_is_told_in_time(office: Office, company: Company) -> None:
    office.write("ended.odt")
    ann = await company.join("Ann", office.served)
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(f"{office.served.url}/office/ended.odt?suite=Writer&action=edit")
    await loaded(page)
    await ann.context.clear_cookies()

    await page.clock.fast_forward("09:45:00")

    await expect(page.locator("[data-note=ending]")).to_contain_text("Save in Writer before then")


async def test_a_frame_of_another_origin_is_not_heard_whatever_it_says(office: Office, company: Company) -> None:
    """A page inside the suite's own, and a window that the suite's page has opened, speak as the suite would."""
    office.page.hostile = f"http://127.0.0.1:{office.page.port}/hostile"
    office.write("hostile.odt")
    ann = await company.join("Ann", office.served)
    page = await visit(ann, "hostile.odt")
    await page.evaluate("addEventListener('message', ({ origin }) => (window.origins ??= []).push(origin))")
    frame = await loaded(page)
    await until(lambda: any(each.url.endswith("/hostile") for each in page.frames))
    await frame.evaluate("document.querySelector('iframe').src += '?again'")
    await page.wait_for_function("(origin) => (window.origins ?? []).includes(origin)", arg=f"http://127.0.0.1:{office.page.port}")
    # One of the same origin as the suite's, but of another window.
    await frame.evaluate(
        "(address) => { const made = document.createElement('iframe'); made.src = address; document.body.append(made) }", "/hostile"
    )
    await page.wait_for_function("(origin) => window.origins.filter((each) => each === origin).length > 3", arg=office.page.origin)

    assert page.url == f"{office.served.url}/office/hostile.odt?suite=Writer&action=edit"
    await expect(page.locator("dialog")).to_have_count(0)
    await type_and_save(frame, "\0still here")
    assert office.read("hostile.odt") == "still here"


async def test_who_may_only_read_opens_for_reading(shared_office: Office, company: Company) -> None:
    shared_office.write("read.odt")
    eve = await company.join("Eve", shared_office.served, "viewer")
    files = await Files.of(eve)
    await expect(files.open("read.odt")).to_have_attribute("href", "/office/read.odt?suite=Writer&action=view")

    await files.open("read.odt").click()
    frame = await loaded(files.page)

    await expect(frame.locator("#text")).not_to_be_editable()
    await expect(files.page.locator("#read-only")).to_be_visible()


async def test_a_suite_that_says_nothing_leaves_a_way_out(office: Office, company: Company, tmp_path: Path) -> None:
    office.page.silent = True
    office.write("quiet.odt")
    ann = await company.join("Ann", office.served)
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(f"{office.served.url}/office/quiet.odt?suite=Writer&action=edit")
    await page.locator("iframe.shown").wait_for()

    await page.clock.fast_forward("00:30")
    note = page.locator("[data-note=refusal]")
    await expect(note).to_contain_text("Writer does not say whether the document is there")
    await page.screenshot(path=tmp_path / "quiet.png")
    office.page.silent = False
    async with page.expect_popup() as opened:
        await note.get_by_role("button", name="Open in a window of its own").click()
    window = await opened.value
    await expect(window.locator("#text")).to_have_value("\0" + WORDS)


async def test_a_suite_that_may_be_shown_in_no_frame_is_told_of_and_opens_in_a_window(office: Office, company: Company) -> None:
    office.page.headers["X-Frame-Options"] = "DENY"
    office.write("framed.odt")
    ann = await company.join("Ann", office.served)
    page = await ann.new_page()
    await page.clock.install()
    await page.goto(f"{office.served.url}/office/framed.odt?suite=Writer&action=edit")
    await page.locator("iframe.shown").wait_for()
    await page.clock.fast_forward("00:30")

    async with page.expect_popup() as opened:
        await page.get_by_role("button", name="Open in a window of its own").click()
    await expect((await opened.value).locator("#text")).to_have_value("\0" + WORDS)


async def test_what_the_suite_cannot_save_is_told(office: Office, company: Company) -> None:
    office.write("full.odt")
    ann = await company.join("Ann", office.served)
    page = await visit(ann, "full.odt")
    frame = await loaded(page)
    office.page.failing = True

    await frame.locator("#text").fill("\0not saved")
    await expect(page.locator("#saves")).to_have_text("not saved yet")
    await frame.locator("#save").click()

    await expect(page.locator("[data-note=unsaved]")).to_contain_text("the suite's disk is full")
    office.page.failing = False
    await frame.locator("#save").click()
    await expect(page.locator("[data-note=unsaved]")).to_have_count(0)
    await expect(page.locator("#saves")).to_have_text("saved")


async def test_leaving_by_our_own_button_saves_first(shared_office: Office, company: Company) -> None:
    shared_office.write("left.odt")
    ann = await company.join("Ann", shared_office.served)
    page = await visit(ann, "left.odt")
    frame = await loaded(page)
    await frame.locator("#text").fill("\0unsaved until one leaves")
    await expect(page.locator("#saves")).to_have_text("not saved yet")

    # However long the suite takes: four seconds later one leaves without a word of it.
    await page.evaluate("() => { window.setTimeout = () => 0 }")
    await page.locator("#back").click()

    await page.locator("#rows").wait_for()
    assert shared_office.read("left.odt") == "unsaved until one leaves"


@pytest.mark.parametrize(
    ("name", "suite", "words"),
    [
        ("nothing.odt", "Writer", "There is no document “nothing.odt”"),
        ("there.odt", "Nobody", "cannot be opened like this"),
        ("there.zzz", "Writer", "cannot be opened like this"),
        ("there.zzz", "", "cannot be opened like this"),
    ],
)
async def test_what_cannot_be_opened_is_said_in_words(shared_office: Office, company: Company, name: str, suite: str, words: str) -> None:
    shared_office.write("there.odt")
    shared_office.write("there.zzz")
    ann = await company.join("Ann", shared_office.served)

    page = await visit(ann, name, suite=suite)

    note = page.locator("[data-note=refusal]")
    await expect(note).to_contain_text(words)
    await expect(note.get_by_role("link", name="All files")).to_be_visible()


async def test_nobody_who_is_not_signed_in_is_led_to_a_suite(shared_office: Office, company: Company) -> None:
    shared_office.write("mine.odt")
    nobody = await company.join("Nobody", shared_office.served, None)

    page = await visit(nobody, "mine.odt")

    await expect(page.locator("[data-note=refusal]")).to_contain_text("You are not signed in")
    await expect(page.locator("iframe")).to_have_count(0)


async def test_on_a_phone_the_suite_has_the_whole_screen_and_nothing_scrolls_but_it(shared_office: Office, company: Company) -> None:
    """Without a picture: for one Chromium changes the scale, and on a busy machine taps in another site's frame are then halfway to where they should be."""
    shared_office.write("phone.odt")
    ann = await company.join("Ann", shared_office.served, **PHONE)
    page = await visit(ann, "phone.odt", width=320)
    frame = await loaded(page)

    box = await page.locator("iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 568}
    await page.evaluate("scrollTo(0, 500)")
    assert await page.evaluate("[scrollY, document.scrollingElement.scrollHeight <= innerHeight]") == [0, True]
    await frame.locator("#share").tap()
    window = page.locator("dialog[open]")
    await expect(window).to_be_visible()
    assert await faults(page) == []
    await window.get_by_role("button", name="Close").tap()
    await frame.locator("#close").tap()
    await page.locator("#rows").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_and_what_it_says_can_be_used_by_everybody(
    shared_office: Office, company: Company, scheme: str, tmp_path: Path
) -> None:
    shared_office.write("wide.odt")
    found: list[str] = []
    for width in SCREENS:
        ann = await company.join("Ann", shared_office.served, color_scheme=scheme, **(PHONE if width == 320 else {}))
        page = await visit(ann, "wide.odt", width=width)
        for state, ready in {
            "open": page.locator("body[data-state=loaded]"),
            "refused": page.locator("[data-note=refusal]"),
        }.items():
            if state == "refused":
                await page.goto(f"{shared_office.served.url}/office/nothing.odt?suite=Writer&action=edit")
            await ready.wait_for()
            await page.screenshot(path=tmp_path / f"{state}-{width}-{scheme}.png")
            fits: dict[str, Any] = await page.evaluate(FITS)
            found += [f"{state} {width}: {fault}" for fault in await faults(page)]
            found += [f"{state} {width}: {key}: {value}" for key, value in fits.items() if value]
    assert found == []


async def test_an_office_document_is_made_from_a_template_and_opens_in_the_suite(
    shared_office: Office, company: Company, tmp_path: Path
) -> None:
    ann = await company.join("Ann", shared_office.served)
    files = await Files.of(ann)
    await files.press("n")
    await files.choose("Text document (odt)")
    field = files.window.get_by_label("Name")
    await expect(field).to_have_value("Text document.odt")
    await files.page.screenshot(path=tmp_path / "new.png")
    await field.fill("Letter")
    await files.press("Enter")

    await files.page.wait_for_url("**/office/Letter.odt?suite=Writer&action=edit")
    with zipfile.ZipFile(io.BytesIO((shared_office.served.root / "Letter.odt").read_bytes())) as archive:
        assert archive.read("mimetype") == b"application/vnd.oasis.opendocument.text"


async def test_whoever_runs_the_server_sees_in_the_settings_how_the_suites_are(
    shared_office: Office, company: Company, tmp_path: Path
) -> None:
    ann = await company.join("Ann", shared_office.served, "owner")
    files = await Files.of(ann)
    await files.page.locator("#me button").first.click()
    await files.page.locator("#me-menu").get_by_text("Settings").click()

    await expect(files.page.locator(".suites li")).to_contain_text(["Writeranswers"])
    await files.page.screenshot(path=tmp_path / "settings.png")


async def test_what_a_suite_saved_and_no_document_could_take_is_told_and_listed(
    shared_office: Office, company: Company, tmp_path: Path
) -> None:
    """WOPI-1."""
    shared_office.write("taken.odt")
    ann = await company.join("Ann", shared_office.served)
    page = await visit(ann, "taken.odt")
    frame = await loaded(page)
    shared_office.write("taken.odt", "written by another program")

    await frame.locator("#text").fill("\0the suite's words")
    await frame.locator("#save").click()

    note = page.locator("[data-note=rejected]")
    await expect(note).to_contain_text("could not be taken")
    await page.screenshot(path=tmp_path / "rejected.png")
    assert shared_office.read("taken.odt") == "written by another program"
    files = await Files.of(ann)
    await files.page.locator("#conflicts").get_by_role("button", name="Show").click()
    await expect(files.window.get_by_role("heading", name="taken.odt")).to_be_visible()
    await files.page.screenshot(path=tmp_path / "conflicts.png")
    assert await faults(files.page) == []


async def test_who_has_a_file_open_on_a_desktop_is_told_to_whoever_wants_to_do_something_with_it(
    shared_office: Office, company: Company, tmp_path: Path
) -> None:
    """WOPI-6."""
    shared_office.write("desk/open.odt")
    shared_office.served.write("desk/text.md", "start\n")
    for name in ("open.odt", "text.md"):
        lock = shared_office.served.root / f"desk/.~lock.{name}#"
        lock.write_text("Ada Lovelace,ada,desk,29.11.2026 18:00,file:///home/ada/.config/libreoffice/4;", "utf-8")
    ann = await company.join("Ann", shared_office.served)

    files = await Files.folder(ann, "desk")
    await files.shows("open.odt", "text.md")
    await expect(files.row("open.odt").locator(".held")).to_have_text("Open in LibreOffice: Ada Lovelace")
    await files.row("open.odt").locator(".more").click()
    await expect(files.page.locator(".row-menu .fact")).to_have_text("Open in LibreOffice: Ada Lovelace")
    await files.page.screenshot(path=tmp_path / "held.png")
    assert await faults(files.page) == []
    await files.page.keyboard.press("Escape")

    page = await visit(ann, "desk/open.odt")
    await expect(page.locator("[data-note=held]")).to_contain_text("Ada Lovelace has this file open in LibreOffice")
    editor = await ann.open("desk/text.md")
    await expect(editor.note("held")).to_contain_text("You can go on")

    lock.unlink()
    await expect(editor.note("held")).to_have_count(0)
    lock.write_text("Bob Stone,bob,desk,29.11.2026 18:00,file:///home/bob/.config/libreoffice/4;", "utf-8")
    await expect(editor.note("held")).to_contain_text("Bob Stone has this file open in LibreOffice")
    phone = await company.join("Cem", shared_office.served, locale="de-DE", **PHONE)
    files = await Files.folder(phone, "desk")
    await files.page.set_viewport_size({"width": 320, "height": SCREENS[320]})
    await expect(files.page.locator("#rows .held").last).to_have_text("In LibreOffice geöffnet: Bob Stone")
    await shot(files.page, Look(320), "held in a list")
    assert await faults(files.page) == []
    assert {key: value for key, value in (await files.page.evaluate(FITS)).items() if value} == {}
