"""What attachments stand on, in each storage (ATTACH-1, ATTACH-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collab.errors import NotFound
from collab.runtime.attaching import folder_of

if TYPE_CHECKING:
    from folders import Outside

FOLDER = folder_of("notes.md")


async def test_a_body_that_waits_beside_a_document_becomes_a_file_in_a_folder_that_was_made_meanwhile(outside: Outside) -> None:
    outside.put("notes.md", b"one\n")
    for body in (b"first", b"second"):
        draft = await outside.files.draft(FOLDER)
        try:
            await draft.add(body)
            if body == b"first":
                with pytest.raises(NotFound):
                    await outside.files.list(FOLDER)
                await outside.folders.make(FOLDER)
            made = await draft.create(f"{FOLDER}/{body.decode()}.bin")
        finally:
            await draft.discard()
        assert made.path == f"{FOLDER}/{body.decode()}.bin"
        assert outside.body(made.path) == body
    assert [stat.path for stat in await outside.files.list(FOLDER)] == [f"{FOLDER}/first.bin", f"{FOLDER}/second.bin"]
    moved = await outside.folders.move(FOLDER, folder_of("other.md"))
    assert outside.body(f"{moved.path}/first.bin") == b"first"
    binned = await outside.bin.discard(moved.path, if_match=None, by="Ann", now=1000.0)
    (entry,) = await outside.bin.entries()
    assert (entry.key, entry.path, entry.folder) == (binned.key, moved.path, True)
    await outside.bin.restore(entry.key, FOLDER)
    assert outside.body(f"{FOLDER}/second.bin") == b"second"
