"""People see who else is in a document, what they do, and go to them; each in a real browser of their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from e2e.people import MILLISECONDS, Editor
from playwright.async_api import expect

if TYPE_CHECKING:
    from e2e.people import Company, Person
    from playwright.async_api import Locator
    from serving import Served

LONG = "\n\n".join(f"## Part {part}\n\n" + "\n\n".join(f"Words {part}.{number}" for number in range(12)) for part in range(40)) + "\n"
HEBREW = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
SOURCE = "document.querySelector('#modes [data-mode=source]')?.click()"
PREVIEW = "document.querySelector('#modes [data-mode=preview]')?.click()"
TOP = "collab.view.scrollDOM.scrollTop"
RESTING = """() => new Promise((done) => {
  let [top, frames] = [collab.view.scrollDOM.scrollTop, 0]
  const look = () => {
    const now = collab.view.scrollDOM.scrollTop
    frames = now === top ? frames + 1 : 0
    top = now
    if (frames === 10) done(top)
    else requestAnimationFrame(look)
  }
  look()
})"""
"""Where the text is scrolled to when it has come to rest: an editor measures, and puts right, in the frames after a change."""
SHOWN_WITHIN = """
(name) => {
  const label = document.querySelector(`.cm-ySelectionCaret[data-name="${name}"] .cm-otherName.shown`)
  if (label === null) return false
  const [inner, outer] = [label.getBoundingClientRect(), collab.view.scrollDOM.getBoundingClientRect()]
  return inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1
}
"""
"""Whether somebody's name is shown at their caret and wholly to be seen."""
NAMES_APART = """
() => {
  const boxes = [...document.querySelectorAll('.cm-otherName.shown')].map((each) => each.getBoundingClientRect())
  const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
  return boxes.length > 1 && boxes.every((one, at) => boxes.slice(at + 1).every((other) => !over(one, other)))
}
"""
TOLD_OF_BOB = "[...collab.provider.awareness.getStates().values()].some(({ user }) => user?.name === 'Bob')"
DOES = """
([name, words]) => document.querySelector(`#everybody li[data-person="${name}"]`)?.textContent.includes(words) ?? false
"""
CARET_IN_VIEW = """
(name) => {
  const caret = document.querySelector(`.cm-ySelectionCaret[data-name="${name}"]`)
  if (caret === null || caret.hidden) return false
  const [inner, outer] = [caret.getBoundingClientRect(), collab.view.scrollDOM.getBoundingClientRect()]
  return inner.top >= outer.top && inner.bottom <= outer.bottom
}
"""


async def meet(company: Company, served: Served, document: str, *names: str, **settings: Any) -> list[Editor]:
    people = await asyncio.gather(*(company.join(name, served, **settings) for name in names))
    return list(await asyncio.gather(*(person.open(document) for person in people)))


async def meet_in_table(company: Company, served: Served, document: str, *names: str) -> list[Editor]:
    """As `meet`, for a document that opens as a table."""
    people = await asyncio.gather(*(company.join(name, served) for name in names))
    editors = list(await asyncio.gather(*(person.visit(document) for person in people)))
    await asyncio.gather(*(editor.saved() for editor in editors))
    return editors


async def enter(person: Person, document: str, at: int) -> Editor:
    editor = await person.open(document)
    await editor.page.evaluate(SOURCE)
    await editor.caret_to(at)
    return editor


async def everybody(editor: Editor) -> Locator:
    """The list of all who are here, opened by the button."""
    await editor.page.get_by_role("button", name="people here").or_(editor.page.get_by_role("button", name="person here")).click()
    dialog = editor.page.get_by_role("dialog", name="People in this document")
    await dialog.wait_for()
    return dialog


def row(dialog: Locator, name: str) -> Locator:
    return dialog.locator(f'li[data-person="{name}"]')


async def follows(editor: Editor, name: str) -> None:
    await row(await everybody(editor), name).get_by_role("button", name=f"Follow {name}").click()
    await expect(editor.page.locator("#following")).to_contain_text(f"Following {name}")


async def is_true(editor: Editor, script: str, argument: object = None) -> None:
    await editor.page.wait_for_function(script, arg=argument, timeout=MILLISECONDS)


async def test_who_is_here_and_what_they_do_is_in_a_list(shared_server: Served, company: Company) -> None:
    shared_server.write("list.md", "# Introduction\n\nwords\n\n# End\n\nmore\n")
    ann, bob, eve = await meet(company, shared_server, "list.md", "Ann", "Bob", "Eve")
    for editor in (ann, bob, eve):
        await editor.page.evaluate(SOURCE)
    await eve.caret_to(len("# Introduction\n\nwords\n\n# End\n\nmo"))
    await ann.sees("Ann", "Bob", "Eve")

    dialog = await everybody(ann)
    await bob.caret_to(len("# Introduction\n\nwords"))
    # Typing is shown for three seconds: the page looks out for it from before on.
    await asyncio.gather(is_true(ann, DOES, ["Bob", "typing in “Introduction”"]), bob.type("x"))

    await expect(row(dialog, "Eve")).to_contain_text("in “End”")
    await expect(row(dialog, "Ann")).to_contain_text("Ann (you)")
    await expect(row(dialog, "Ann").get_by_role("button")).to_have_count(0)
    await expect(row(dialog, "Bob")).to_contain_text("in “Introduction”", timeout=MILLISECONDS)
    await expect(ann.page.locator('#people li[data-name="Bob"]')).to_have_attribute("data-doing", "there", timeout=MILLISECONDS)
    await ann.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_who_deletes_is_typing_too_and_who_only_looks_is_reading(shared_server: Served, company: Company) -> None:
    shared_server.write("delete.txt", "one two three four")
    ann, bob = await meet(company, shared_server, "delete.txt", "Ann", "Bob")
    eve = await (await company.join("Eve", shared_server, "viewer")).visit("delete.txt")
    dialog = await everybody(ann)
    await expect(row(dialog, "Eve")).to_contain_text("reading")

    await bob.caret_to(7)
    await asyncio.gather(is_true(ann, DOES, ["Bob", "typing in line 1"]), bob.page.keyboard.press("Backspace"))

    await eve.page.close()


async def test_somebody_with_two_tabs_is_one_and_has_the_caret_of_the_last(shared_server: Served, company: Company) -> None:
    shared_server.write("tabs.txt", "one\ntwo\nthree\n")
    [ann] = await meet(company, shared_server, "tabs.txt", "Ann")
    bob = await company.join("Bob", shared_server)
    first = await enter(bob, "tabs.txt", 1)
    await ann.sees_caret_of("Bob")
    second = await enter(bob, "tabs.txt", 9)

    await ann.sees("Ann", "Bob")
    await expect(ann.page.locator(".cm-ySelectionCaret")).to_have_count(1)
    await expect(row(await everybody(ann), "Bob")).to_contain_text("line 3")
    await first.sees("Bob", "Ann")
    await expect(second.page.locator('.cm-ySelectionCaret[data-name="Bob"]')).to_have_count(0)

    await first.page.bring_to_front()
    await first.caret_to(5)
    await expect(row(ann.page.locator("#everybody"), "Bob")).to_contain_text("line 2")


async def test_one_jumps_to_somebody_by_keyboard_and_their_name_is_shown(shared_server: Served, company: Company) -> None:
    shared_server.write("jump.md", LONG)
    ann = await (await company.join("Ann", shared_server)).open("jump.md")
    await ann.page.evaluate(SOURCE)
    await enter(await company.join("Bob", shared_server), "jump.md", LONG.index("Words 30.5"))
    await ann.sees("Ann", "Bob")
    assert await ann.page.evaluate(TOP) == 0

    dialog = await everybody(ann)
    await expect(row(dialog, "Bob")).to_contain_text("in “Part 30”", timeout=MILLISECONDS)
    await row(dialog, "Bob").get_by_role("button", name="Go there").focus()
    await asyncio.gather(is_true(ann, SHOWN_WITHIN, "Bob"), ann.page.keyboard.press("Enter"))

    await expect(dialog).to_be_hidden()
    assert await ann.page.evaluate("collab.view.state.selection.main.head") == 0


async def test_one_jumps_to_somebody_in_the_preview_when_only_that_is_shown(shared_server: Served, company: Company) -> None:
    shared_server.write("jump-preview.md", LONG)
    ann = await (await company.join("Ann", shared_server)).open("jump-preview.md")
    await ann.page.evaluate(PREVIEW)
    await ann.page.locator("#preview").get_by_text("Words 0.0").wait_for()
    await enter(await company.join("Bob", shared_server), "jump-preview.md", LONG.index("Words 30.5"))
    await ann.sees("Ann", "Bob")
    bob = row(await everybody(ann), "Bob")
    await expect(bob).to_contain_text("in “Part 30”", timeout=MILLISECONDS)

    await bob.get_by_role("button", name="Go there").click()

    await expect(ann.page.locator("#preview").get_by_text("Words 30.5", exact=True)).to_be_in_viewport(timeout=MILLISECONDS)
    await expect(ann.page.locator("#preview .mark")).to_have_text("B")


async def test_one_jumps_to_somebodys_cell_of_a_table(shared_server: Served, company: Company) -> None:
    shared_server.write("jump.csv", "name,number\n" + "".join(f"row {number},{number}\n" for number in range(500)))
    ann, bob = await meet_in_table(company, shared_server, "jump.csv", "Ann", "Bob")
    await bob.page.evaluate(SOURCE)
    await bob.caret_to(len("name,number\n") + sum(len(f"row {number},{number}\n") for number in range(400)) + 2)
    await ann.sees("Ann", "Bob")
    there = row(await everybody(ann), "Bob")
    await expect(there).to_contain_text("line 402", timeout=MILLISECONDS)

    await there.get_by_role("button", name="Go there").click()

    await expect(ann.page.locator("#preview").get_by_text("row 400", exact=True)).to_be_in_viewport(timeout=MILLISECONDS)


async def test_a_caret_that_is_followed_stays_in_view_until_one_types(shared_server: Served, company: Company) -> None:
    shared_server.write("follow.md", LONG)
    ann = await (await company.join("Ann", shared_server)).open("follow.md")
    await ann.page.evaluate(SOURCE)
    bob = await enter(await company.join("Bob", shared_server), "follow.md", 0)
    await ann.sees("Ann", "Bob")
    await follows(ann, "Bob")

    for place in ("Words 35.1", "Words 3.1", "Words 20.0"):
        await bob.caret_to(LONG.index(place))
        await expect(ann.content.get_by_text(place, exact=True)).to_be_in_viewport(timeout=MILLISECONDS)
        await is_true(ann, CARET_IN_VIEW, "Bob")
    assert await ann.page.evaluate("collab.view.state.selection.main.head") == 0

    await ann.type("x")
    await expect(ann.page.locator("#following")).to_be_empty()
    before = await ann.page.evaluate(RESTING)
    dialog = await everybody(ann)
    await bob.caret_to(LONG.index("Words 39.1"))
    await expect(row(dialog, "Bob")).to_contain_text("in “Part 39”", timeout=MILLISECONDS)
    assert await ann.page.evaluate(RESTING) == before


async def test_scrolling_escape_and_the_banners_button_end_following(shared_server: Served, company: Company) -> None:
    shared_server.write("unfollow.md", LONG)
    ann = await (await company.join("Ann", shared_server)).open("unfollow.md")
    await ann.page.evaluate(SOURCE)
    await enter(await company.join("Bob", shared_server), "unfollow.md", LONG.index("Words 20.0"))
    await ann.sees("Ann", "Bob")
    banner = ann.page.locator("#following")

    await follows(ann, "Bob")
    await expect(ann.content.get_by_text("Words 20.0", exact=True)).to_be_in_viewport(timeout=MILLISECONDS)
    await ann.content.hover()
    await ann.page.mouse.wheel(0, 300)
    await expect(banner).to_be_empty()

    await follows(ann, "Bob")
    await ann.page.keyboard.press("Escape")
    await expect(banner).to_be_empty()

    await follows(ann, "Bob")
    await banner.get_by_role("button", name="Stop following").click()
    await expect(banner).to_be_empty()
    await expect(row(await everybody(ann), "Bob").get_by_role("button", name="Follow Bob")).to_have_attribute("aria-pressed", "false")


async def test_following_somebody_who_leaves_ends_and_says_so(shared_server: Served, company: Company) -> None:
    shared_server.write("leave.md", LONG)
    ann, bob = await meet(company, shared_server, "leave.md", "Ann", "Bob")
    await ann.sees("Ann", "Bob")
    await follows(ann, "Bob")

    await bob.page.close()

    banner = ann.page.locator("#following")
    await expect(banner).to_contain_text("Bob has left. Waiting", timeout=MILLISECONDS)
    await expect(banner).to_contain_text("Nobody is followed any more", timeout=MILLISECONDS)
    await expect(banner).to_be_empty(timeout=MILLISECONDS)


async def test_who_comes_and_who_leaves_is_read_aloud_once_and_never_oneself(shared_server: Served, company: Company) -> None:
    shared_server.write("aloud.txt", "start\n")
    [bob] = await meet(company, shared_server, "aloud.txt", "Bob")
    ann = Editor(await (await company.join("Ann", shared_server)).new_page())
    await ann.page.clock.install()
    await ann.page.goto(bob.page.url)
    await ann.ready()
    said = ann.page.locator("#people-said")
    await ann.sees("Ann", "Bob")
    await expect(said).to_have_attribute("aria-live", "polite", timeout=MILLISECONDS)
    await ann.page.evaluate("""() => {
      window.told = []
      const said = document.getElementById('people-said')
      new MutationObserver(() => told.push(said.textContent)).observe(said, { childList: true, subtree: true })
    }""")
    eve = await (await company.join("Eve", shared_server)).open("aloud.txt")
    await expect(said).to_contain_text("Eve came.", timeout=MILLISECONDS)

    # Who is back within ten seconds was not away: by her clock two have passed, however long his page takes to load.
    await ann.page.clock.pause_at(await ann.page.evaluate("Date.now() / 1000 + 10"))
    address = bob.page.url
    await bob.page.goto("about:blank")
    await is_true(ann, f"() => !({TOLD_OF_BOB})")
    await ann.page.clock.run_for(1000)
    await ann.sees("Ann", "Eve")
    await bob.page.goto(address)
    await is_true(ann, f"() => {TOLD_OF_BOB}")
    await ann.page.clock.run_for(1000)
    await ann.sees("Ann", "Bob", "Eve")
    await ann.page.clock.resume()
    await eve.page.close()

    await expect(said).to_contain_text("Eve left.", timeout=MILLISECONDS)
    told = " ".join(await ann.page.evaluate("told"))
    assert "Ann" not in told
    assert "Bob" not in told
    assert told.count("Eve left.") == 1


async def test_ones_own_colour_is_seen_by_the_others_at_once(shared_server: Served, company: Company) -> None:
    shared_server.write("colour.txt", "start\n")
    ann, bob = await meet(company, shared_server, "colour.txt", "Ann", "Bob")
    await bob.caret_to(2)
    await ann.sees_caret_of("Bob")

    await bob.page.evaluate("""() => {
      localStorage['collab-preferences'] = JSON.stringify({ color: '#b45309' })
      dispatchEvent(new StorageEvent('storage', { key: 'collab-preferences', newValue: localStorage['collab-preferences'] }))
    }""")

    shown = "() => getComputedStyle(document.querySelector('.cm-ySelectionCaret')).getPropertyValue('--who') === '#b45309'"
    await is_true(ann, shown)
    await is_true(
        ann, "() => getComputedStyle(document.querySelector('#people li[data-name=Bob] .face')).backgroundColor === 'rgb(180, 83, 9)'"
    )


async def test_two_who_choose_the_same_colour_are_told_apart(shared_server: Served, company: Company) -> None:
    shared_server.write("same-colour.txt", "start\n")
    ann, bob, eve = await meet(company, shared_server, "same-colour.txt", "Ann", "Bob", "Eve")
    for editor in (bob, eve):
        await editor.page.evaluate("collab.provider.setAwarenessField('user', { color: '#1d4ed8' })")
        await editor.caret_to(2)

    await ann.sees_caret_of("Bob")
    await ann.sees_caret_of("Eve")
    await is_true(
        ann,
        "() => new Set([...document.querySelectorAll('.cm-ySelectionCaret')].map((each) => each.style.getPropertyValue('--who'))).size === 2",
    )


async def test_names_at_one_place_and_at_the_edges_can_all_be_read(shared_server: Served, company: Company) -> None:
    shared_server.write("edges.txt", "first line\n" + "wide " * 60 + f"\n{HEBREW}\n" + "line\n" * 100)
    [ann] = await meet(company, shared_server, "edges.txt", "Ann")
    people = await asyncio.gather(*(company.join(name, shared_server) for name in ("Bob", "Eve", "Maximilian von Hohenberg")))
    others = [await enter(person, "edges.txt", 0) for person in people]
    for person in people:
        await ann.sees_caret_of(person.name)

    # A name goes some seconds after its caret has moved: they move together.
    await asyncio.gather(*(other.caret_to(3) for other in others))
    await is_true(ann, NAMES_APART)
    right = await ann.page.evaluate("""() => {
      const from = collab.view.state.doc.line(2).from
      const top = collab.view.coordsAtPos(from).top
      let at = from
      while (collab.view.coordsAtPos(at + 1).top === top) at += 1
      return at
    }""")
    await others[2].caret_to(right)
    await is_true(ann, SHOWN_WITHIN, "Maximilian von Hohenberg")
    await others[1].caret_to(0)
    await is_true(ann, SHOWN_WITHIN, "Eve")
    await others[0].caret_to(len("first line\n" + "wide " * 60 + f"\n{HEBREW[0]}"))
    await is_true(ann, SHOWN_WITHIN, "Bob")
    await ann.page.evaluate("collab.view.scrollDOM.scrollTop = 20")
    await others[1].caret_to(len("first line\n") + 3)
    await is_true(ann, SHOWN_WITHIN, "Eve")


async def test_a_forged_presence_shows_no_markup_and_breaks_nothing(shared_server: Served, company: Company) -> None:
    shared_server.write("forged.txt", "start\n")
    ann, bob = await meet(company, shared_server, "forged.txt", "Ann", "Bob")
    forged: list[dict[str, object]] = [
        {"cursor": {"anchor": {"tname": "junk"}, "head": {"tname": "junk"}}},
        {"cursor": {"anchor": {"item": {"client": 1e15, "clock": -1}}, "head": 7}, "typed": "x" * 1000, "idle": {"a": []}},
        {"cursor": "<img src=x onerror=alert(1)>", "typed": None, "idle": "yes"},
        {"user": {"name": 7, "color": "red;background:url(//x)", "id": []}, "cursor": []},
    ]
    for state in forged:
        await bob.page.evaluate("(state) => collab.provider.awareness.setLocalState(state)", state)
        await bob.type("x", at="Control+End")
    await ann.reads("start\nxxxx")

    await ann.sees("Ann", "Bob")
    assert "junk" not in await ann.page.evaluate("[...collab.text.doc.share.keys()]")
    assert await ann.page.evaluate("getComputedStyle(document.querySelector('#people li[data-name=Bob] .face')).backgroundImage") == "none"


async def test_who_is_idle_is_shown_so_and_is_back_with_the_next_move(shared_server: Served, company: Company) -> None:
    shared_server.write("idle.txt", "start\n")
    ann, bob = await meet(company, shared_server, "idle.txt", "Ann", "Bob")
    await bob.caret_to(2)
    await ann.sees_caret_of("Bob")

    await bob.page.evaluate("collab.provider.setAwarenessField('idle', true)")
    await expect(ann.page.locator('#people li[data-name="Bob"]')).to_have_attribute("data-doing", "idle")
    await expect(row(await everybody(ann), "Bob")).to_contain_text("away for a while")

    await bob.page.evaluate("collab.provider.setAwarenessField('idle', false)")
    await expect(ann.page.locator('#people li[data-name="Bob"]')).to_have_attribute("data-doing", "there")


async def test_on_a_phone_four_are_shown_and_the_number_of_the_others(shared_server: Served, company: Company) -> None:
    shared_server.write("many.md", "# Many\n\nwords\n")
    ann = await company.join("Ann", shared_server)
    editor = await ann.open("many.md")
    await editor.page.set_viewport_size({"width": 360, "height": 740})
    names = ["Bob", "Cy", "Di", "Eve", "Fay", "Gus"]
    others = await asyncio.gather(*(company.join(name, shared_server) for name in names))
    await asyncio.gather(*(person.open("many.md") for person in others))

    await expect(editor.page.locator("#people li")).to_have_count(4)
    await expect(editor.page.get_by_role("button", name="7 people here")).to_have_text("+3")
    dialog = await everybody(editor)
    for name in names:
        await expect(row(dialog, name)).to_be_visible()
    assert await editor.page.evaluate("document.documentElement.scrollWidth <= 360")
    await editor.page.keyboard.press("Escape")
    await editor.page.set_viewport_size({"width": 1440, "height": 900})
    await expect(editor.page.locator("#people li")).to_have_count(7)
