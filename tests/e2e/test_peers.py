"""Programs rewrite the file while people type in three browsers: every word of every writer is there once, and no caret jumps (MERGE-2, MERGE-3)."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from collections import Counter, deque
from typing import TYPE_CHECKING

from scale import scale
from serving import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.people import Company, Editor
    from serving import Served

NAMES = ("Ann", "Bob", "Cid")
REWRITES = scale(10, 50)
PAUSES = [pause * scale(2, 1) for pause in (20, 80, 200)]
"""Milliseconds between keys, one for each word."""
BEFORE = 5
"""So many bodies of the file the program may have in hand: what it rewrites may have been read that many writes before, its own and ours."""
WORDS = 3
"""Words that everybody types between two acts of a program, at least."""
CARET = "(name) => { const at = collab.view.state.selection.main.head; const text = collab.view.state.doc.toString(); return text.slice(text.indexOf(`${name}: `) + name.length + 2, at) }"
"""What stands between somebody's marker and their caret."""
PICK = """([name]) => {
  const at = collab.view.state.doc.toString().indexOf(`${name}: `)
  collab.view.dispatch({ selection: { anchor: at, head: at + name.length } })
}"""
COMES = """([word, there]) => new Promise((resolve) => {
  const look = () => { if (collab.text.toString().includes(word) === there) resolve(true) }
  collab.text.observe(() => queueMicrotask(look))
  setTimeout(() => resolve(false), 60000)
  look()
})"""
"""Whether the text comes to have a word, or to have it no more."""
PICKED = "() => { const { from, to } = collab.view.state.selection.main; return collab.view.state.sliceDoc(from, to) }"


def story(lines: int) -> str:
    """Paragraphs of a text, a place for each person between them."""
    rows = [f"Line {number} of a story that everybody writes together.\n" for number in range(1, lines + 1)]
    for number, name in enumerate(NAMES):
        rows.insert((number + 1) * lines // 4, f"\n{name}: \n\n")
    return "".join(rows)


class Writer:
    """Somebody who types words of their own at their own place, one after the other."""

    def __init__(self, name: str, path: str, editor: Editor) -> None:
        self.name = name
        self.path = path
        self.editor = editor
        self.typed: list[str] = []

    async def begin(self) -> None:
        await self.editor.caret_after(f"{self.name}: ")

    async def type(self, until: Callable[[], bool], seed: int) -> None:
        dice = random.Random(seed)
        while not until():
            self.typed.append(f"{self.name.lower()}{len(self.typed)}")
            await self.editor.page.keyboard.type(self.typed[-1] + " ", delay=dice.choice(PAUSES))

    async def stayed(self) -> None:
        """The caret is where it would be if nobody else had written."""
        before = await self.editor.page.evaluate(CARET, self.name)
        assert before == "".join(word + " " for word in self.typed)


async def gathered(served: Served, company: Company, path: str) -> list[Writer]:
    """Three people, each in a browser of their own, in a new document."""
    served.write(path, story(40))
    people = [await company.join(name, served) for name in NAMES]
    found = [Writer(person.name, path, await person.open(path)) for person in people]
    for writer in found:
        await writer.begin()
    return found


async def goes_on(writers: list[Writer]) -> None:
    """Everybody has typed some words more."""
    before = [len(writer.typed) for writer in writers]
    await until(lambda: all(len(writer.typed) > count + WORDS for writer, count in zip(writers, before, strict=True)))


def rewritten(body: str, word: str, dice: random.Random) -> str:
    """A line of the story gets a word."""
    lines = body.split("\n")
    place = dice.choice([number for number, line in enumerate(lines) if "story" in line])
    words = lines[place].split(" ")
    words.insert(dice.randrange(1, len(words)), word)
    lines[place] = " ".join(words)
    return "\n".join(lines)


def write(path: Path, body: str, number: int) -> None:
    """In place, or beside it and renamed over it, as programs do."""
    if number % 2:
        path.write_text(body, encoding="utf-8")
    else:
        beside = path.with_name(path.name + ".new")
        beside.write_text(body, encoding="utf-8")
        os.replace(beside, path)  # noqa: PTH105 - what programs call


async def everything(served: Served, writers: list[Writer], words: list[str]) -> str:
    """Until pages and file are equal; each word is there once."""
    for writer in writers:
        await writer.editor.saved()
    (path,) = {writer.path for writer in writers}
    text = served.read(path)
    for writer in writers:
        await writer.editor.reads(text)
    counts = Counter(text.split())
    assert {word: counts[word] for word in words if counts[word] != 1} == {}
    assert not list((served.root / path).parent.glob("*(*"))
    return text


async def test_a_program_rewrites_the_file_again_and_again_from_what_it_read_seconds_before(
    shared_server: Served, company: Company
) -> None:
    """MERGE-1, MERGE-2: no word is lost or doubled, no caret and no selection jumps, undo takes back one's own words only."""
    writers = await gathered(shared_server, company, "rewritten/story.md")
    path = shared_server.root / "rewritten" / "story.md"
    dice = random.Random(4)
    readings: deque[str] = deque([path.read_text(encoding="utf-8")], maxlen=BEFORE)
    written: list[str] = []
    done = False

    def reads() -> bool:
        """Whether there is something new in the file."""
        now = path.read_text(encoding="utf-8")
        new = now != readings[-1]
        if new:
            readings.append(now)
        return new

    async def rewrite() -> None:
        for number in range(REWRITES):
            if number % 3 == 0:
                await until(reads)
            written.append(f"outside{number}")
            write(path, rewritten(dice.choice(readings), written[-1], dice), number)
            reads()
            # Of what a program overwrites before anybody looked nobody knows anything: that this one is merged is waited for.
            assert await writers[0].editor.page.evaluate(COMES, [written[-1], True])

    typing = [asyncio.create_task(writer.type(lambda: done, seed)) for seed, writer in enumerate(writers)]
    await rewrite()
    await goes_on(writers)
    done = True
    await asyncio.gather(*typing)
    for writer in writers:
        await writer.stayed()
    words = [*written, *(word for writer in writers for word in writer.typed)]
    await everything(shared_server, writers, words)

    for writer in writers:
        await writer.editor.page.evaluate(PICK, [writer.name])
    written.append("last")
    write(path, rewritten(path.read_text(encoding="utf-8"), "last", dice), 0)
    ann, *others = writers
    for writer in writers:
        assert await writer.editor.page.evaluate(COMES, ["last", True])
    assert [await writer.editor.page.evaluate(PICKED) for writer in writers] == list(NAMES)

    while set(ann.typed) & set((await ann.editor.text()).split()):
        await ann.editor.content.press("Control+z")
    kept = [*written, *(word for writer in others for word in writer.typed)]
    text = await everything(shared_server, writers, kept)
    assert not set(ann.typed) & set(text.split())


def git(folder: Path, *arguments: str) -> bool:
    """Whether git did it."""
    command = ["git", "-c", "user.name=Eve", "-c", "user.email=eve@example.org", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


async def test_another_branch_is_checked_out_and_the_first_one_again_while_people_type(shared_server: Served, company: Company) -> None:
    """MERGE-3: the branch's words come and go, those of people stay."""
    writers = await gathered(shared_server, company, "branches/story.md")
    folder = shared_server.root / "branches"
    assert git(folder, "init", "--initial-branch=main")
    assert git(folder, "add", "story.md")
    assert git(folder, "commit", "--message=first")
    assert git(folder, "branch", "other")
    done = False
    typing = [asyncio.create_task(writer.type(lambda: done, seed)) for seed, writer in enumerate(writers)]

    async def committed(branch: str, *, has: bool) -> None:
        """What is in the file is committed and the branch checked out: at once, so that no save of ours comes between."""
        await until(lambda: git(folder, "commit", "--all", "--allow-empty", "--message=work") and git(folder, "checkout", branch))
        for writer in writers:
            assert await writer.editor.page.evaluate(COMES, ["branchword", has]), await writer.editor.text()

    await goes_on(writers)
    assert git(folder, "worktree", "add", "../.branches-other", "other")
    tree = shared_server.root / ".branches-other"
    beside = tree / "story.md"
    beside.write_text(beside.read_text(encoding="utf-8").replace("Line 33 of", "Line 33 branchword of"), encoding="utf-8")
    assert git(tree, "commit", "--all", "--message=other")
    assert git(folder, "worktree", "remove", "--force", str(tree))
    for _ in range(scale(2, 6)):
        await committed("other", has=True)
        await goes_on(writers)
        await committed("main", has=False)
        await goes_on(writers)
    done = True
    await asyncio.gather(*typing)
    for writer in writers:
        await writer.stayed()
    text = await everything(shared_server, writers, [word for writer in writers for word in writer.typed])
    assert "branchword" not in text
