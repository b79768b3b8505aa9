"""Bytes: what is typed in a browser stands in the file as it was typed, and everything else as it stood before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from e2e.people import Company
    from serving import Served

SCRIPTS = [
    "👩‍👩‍👧‍👦 ✍🏽 🇨🇭 😀",
    "e\u0301 a\u0308 ก็ Z͑ͫ̓ͪ",
    "漢字とかな 한글 𠮷野家",
    "שלום עולם مرحبا بالعالم",
    "\U0001d538\u211d ∀x∈\u2115: x² ≥ 0",
]


async def test_every_script_typed_between_others_ends_up_right_in_both_pages_and_the_file(shared_server: Served, company: Company) -> None:
    text = "😀 שלום 漢字 é\n👩‍👩‍👧\n"
    shared_server.write("scripts.md", text)
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor, other = await ann.open("scripts.md"), await bob.open("scripts.md")

    for typed in SCRIPTS:
        await editor.caret_to(len("😀 שלום".encode("utf-16-le")) // 2)
        await editor.type(typed)
        await other.type("👍🏽", at="Control+End")
        text = f"😀 שלום{typed}{text.removeprefix('😀 שלום')}👍🏽"
        await asyncio.gather(editor.reads(text), other.reads(text))

    await editor.saved()
    assert shared_server.read("scripts.md") == text


async def test_backspace_takes_a_whole_character(shared_server: Served, company: Company) -> None:
    shared_server.write("erase.md", "a👩‍👩‍👧b")
    editor = await (await company.join("Ann", shared_server)).open("erase.md")
    await editor.caret_to(len("a👩‍👩‍👧".encode("utf-16-le")) // 2)

    await editor.page.keyboard.press("Backspace")

    await editor.reads("ab")
    await editor.saved()
    assert shared_server.read("erase.md") == "ab"


@pytest.mark.parametrize(
    ("body", "line", "typed", "expected"),
    [
        (b"\xef\xbb\xbfone\r\ntwo\r\nthree", 2, "!\nmore", b"\xef\xbb\xbfone\r\ntwo!\r\nmore\r\nthree"),
        (b"one\ntwo\r\nthree\rfour\n", 2, "!", b"one\ntwo!\r\nthree\rfour\n"),
        (b"one\ntwo\n\n\n", 2, "!\n", b"one\ntwo!\n\n\n\n"),
    ],
    ids=["mark and CRLF", "mixed", "empty lines at the end"],
)
async def test_mark_line_ends_and_final_line_keep_their_bytes_where_nobody_typed(
    body: bytes, line: int, typed: str, expected: bytes, shared_server: Served, company: Company
) -> None:
    path = shared_server.root / f"bytes-{line}-{len(body)}.txt"
    path.write_bytes(body)
    editor = await (await company.join("Ann", shared_server)).open(path.name)
    assert "\r" not in await editor.text()
    assert "\ufeff" not in await editor.text()
    for key in ("Control+Home", *["ArrowDown"] * (line - 1), "End"):
        await editor.content.press(key)

    await editor.type(typed)

    await editor.saved()
    assert path.read_bytes() == expected


async def test_pasted_line_ends_become_the_files_own(shared_server: Served, company: Company) -> None:
    path = shared_server.root / "pasted.txt"
    path.write_bytes(b"one\r\ntwo\r\n")
    editor = await (await company.join("Ann", shared_server)).open("pasted.txt")
    await editor.content.press("Control+End")

    await editor.page.evaluate("""() => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', 'three\\r\\nfour\\rfive\\n')
      collab.view.contentDOM.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
    }""")

    await editor.reads("one\ntwo\nthree\nfour\nfive\n")
    await editor.saved()
    assert path.read_bytes() == b"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n"


async def test_a_file_that_was_only_looked_at_is_not_written(server: Served, company: Company) -> None:
    path = server.write("looked.md", "start\n")
    before = path.stat()
    ann = await company.join("Ann", server)
    editor = await ann.open("looked.md")
    await editor.content.press("Control+End")
    await editor.page.close()

    server.stop()

    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_a_long_document_scrolls_and_takes_words_at_its_end(shared_server: Served, company: Company) -> None:
    body = "".join(f"## Part {number}\n\nWords of part {number}.\n\n" for number in range(2000))
    shared_server.write("longer.md", body)
    ann, bob = await company.join("Ann", shared_server), await company.join("Bob", shared_server)
    editor, other = await ann.open("longer.md"), await bob.open("longer.md")

    await editor.type("The end.", at="Control+End")
    await other.type("The start. ", at="Control+Home")

    expected = f"The start. {body}The end."
    await editor.reads(expected)
    await other.reads(expected)
    await editor.saved()
    assert shared_server.read("longer.md") == expected
