"""What every storage does with files that come and go in pieces (FILE-15, FILE-16)."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import pytest

from collab.errors import Changed, Denied, Exists, Malformed, NotFound, Unavailable

if TYPE_CHECKING:
    from folders import Outside, OutsideCloud

    from collab.ports import Claim, Draft, Reader, Stat

LIMIT = 2**23
LARGE = Random(6).randbytes(3 * 2**20 + 7)
PIECE = 100_001


@pytest.fixture(params=[b"", b"two", LARGE], ids=["empty", "small", "large"])
def body(request: pytest.FixtureRequest) -> bytes:
    given: bytes = request.param
    return given


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


async def drafted(outside: Outside, name: str, body: bytes) -> Draft:
    draft = await outside.files.draft(name)
    for start in range(0, len(body), PIECE):
        await draft.add(body[start : start + PIECE])
    return draft


async def whole(reader: Reader) -> bytes:
    parts = [await reader.read(start, PIECE) for start in range(0, reader.stat.size, PIECE)]
    return b"".join(parts)


class Narrow:
    """A line that takes some bytes and is full then, until the test says otherwise."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.full = self.lost = False
        self.came = bytearray()

    def send(self, piece: bytes | memoryview) -> int:
        self.came += piece[: self.width]
        self.full = len(piece) > self.width
        return min(len(piece), self.width)

    def soon(self) -> bool:
        return False


async def hidden(outside: Outside, name: str) -> list[bytes]:
    return [leftover.body for leftover in (await outside.files.read(name, limit=LIMIT)).leftovers]


# Reading


async def test_pieces_make_the_file_that_the_reader_names(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", body)
    reader = await outside.files.reader("a.bin")
    assert reader.stat == await outside.files.stat("a.bin")
    assert (reader.stat.size, reader.stat.etag) == (len(body), etag(body))
    assert await whole(reader) == body
    assert await reader.read(1, 2) == body[1:3]
    assert await reader.read(max(0, len(body) - 1), 10) == body[-1:]
    reader.close()
    reader.close()


@pytest.mark.parametrize("width", [70_001, 2**22])
async def test_what_is_given_to_a_line_is_the_same(outside: Outside, body: bytes, width: int) -> None:
    outside.put("a.bin", body)
    reader = await outside.files.reader("a.bin")
    outside.put("a.bin", b"theirs")
    line, at = Narrow(width), min(1, len(body))
    while at < len(body):
        at += await reader.give(line, at, len(body) - at)
        line.full = False
    assert line.came == body[1:]
    reader.close()


async def test_a_file_that_is_written_in_place_while_it_is_given_never_comes_whole(folder: Outside) -> None:
    folder.put("a.bin", LARGE)
    reader = await folder.files.reader("a.bin")
    line = Narrow(PIECE)
    at = await reader.give(line, 0, len(LARGE))
    folder.writer("a.bin")(LARGE[1:])
    line.full = False
    with pytest.raises(Changed):
        await reader.give(line, at, len(LARGE) - at)
    assert len(line.came) < len(LARGE)
    reader.close()


async def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was_opened(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", body)
    reader = await outside.files.reader("a.bin")
    outside.put("a.bin", b"theirs")
    assert await whole(reader) == body
    written = await outside.files.write("a.bin", b"ours", if_match=etag(b"theirs"))
    if written.displaced is not None:
        await written.displaced.discard()
    assert await whole(reader) == body
    outside.remove("a.bin")
    assert await whole(reader) == body
    assert reader.stat.etag == etag(body)
    reader.close()


async def test_a_file_that_is_written_in_place_while_it_is_read_is_not_pieced_together(folder: Outside) -> None:
    folder.put("a.bin", LARGE)
    reader = await folder.files.reader("a.bin")
    await reader.read(0, PIECE)
    folder.writer("a.bin")(LARGE[1:])
    with pytest.raises(Changed):
        await reader.read(PIECE, PIECE)
    reader.close()


async def test_a_file_of_a_cloud_that_is_written_while_it_is_read_is_read_as_it_was_opened(cloud: OutsideCloud) -> None:
    cloud.put("a.bin", LARGE)
    reader = await cloud.files.reader("a.bin")
    first = await reader.read(0, PIECE)
    cloud.writer("a.bin")(LARGE[1:])
    assert first + await reader.read(PIECE, len(LARGE)) == LARGE
    reader.close()


async def test_what_is_no_file_is_not_opened(outside: Outside) -> None:
    outside.put("sub/a.md", b"one")
    for name in ("sub", "", "missing", "id:" + "q" * 26, ".hidden"):
        with pytest.raises(NotFound):
            await outside.files.reader(name)
    with pytest.raises(Malformed):
        await outside.files.reader("../a.md")


# Replacing


async def test_a_draft_takes_the_place_of_the_expected_file(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    stat = await outside.files.stat("a.bin")
    draft = await drafted(outside, stat.id, body)
    assert (draft.size, draft.hash) == (len(body), etag(body))
    assert outside.body("a.bin") == b"one"
    replaced = await draft.replace(stat.id, if_match=stat.etag)
    assert draft.hash == etag(body)
    await draft.discard()
    assert outside.body("a.bin") == body
    assert (replaced.stat.id, replaced.stat.path, replaced.stat.etag, replaced.stat.size) == (stat.id, "a.bin", etag(body), len(body))
    assert await outside.files.stat(stat.id) == replaced.stat
    if replaced.former is not None:
        assert not await replaced.former.end()
        assert not await replaced.former.end()
    assert await hidden(outside, "a.bin") == []


async def test_a_draft_over_another_file_than_expected_changes_nothing_and_is_still_there(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    stat = await outside.files.stat("a.bin")
    draft = await drafted(outside, stat.id, body)
    outside.put("a.bin", b"theirs")
    for _ in range(2):
        with pytest.raises(Changed):
            await draft.replace(stat.id, if_match=stat.etag)
    assert outside.body("a.bin") == b"theirs"
    beside = await draft.create("a (beside).bin")
    await draft.discard()
    assert (beside.path, beside.etag, outside.body("a (beside).bin")) == ("a (beside).bin", etag(body), body)
    assert beside.id != stat.id
    assert await hidden(outside, "a.bin") == await hidden(outside, "a (beside).bin") == []


async def test_whoever_has_a_last_word_is_asked_once_about_the_expected_file(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    stat = await outside.files.stat("a.bin")
    asked: list[tuple[Stat, Claim | None, bytes]] = []
    draft = await drafted(outside, stat.id, body)

    def refuse(found: Stat, claim: Claim | None) -> None:
        asked.append((found, claim, outside.body("a.bin")))
        raise Unavailable("not now")

    for number in range(2):
        with pytest.raises(Unavailable, match="not now"):
            await draft.replace(stat.id, if_match=stat.etag, first=refuse)
        assert (asked, outside.body("a.bin")) == ([(stat, None, b"one")] * (number + 1), b"one")
    assert await outside.files.stat(stat.id) == stat
    with pytest.raises(Changed):
        await draft.replace(stat.id, if_match=etag(b"other"), first=refuse)
    asked.clear()
    replaced = await draft.replace(stat.id, if_match=stat.etag, first=lambda *found: asked.append((*found, outside.body("a.bin"))))
    await draft.discard()
    assert asked == [(stat, None, b"one")]
    assert outside.body("a.bin") == body
    assert await outside.files.stat(stat.id) == replaced.stat
    if replaced.former is not None:
        assert not await replaced.former.end()
    assert await hidden(outside, "a.bin") == []


async def test_a_draft_for_a_file_that_is_gone_makes_none(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    stat = await outside.files.stat("a.bin")
    draft = await drafted(outside, "a.bin", body)
    outside.remove("a.bin")
    for name in (stat.id, "a.bin"):
        with pytest.raises(NotFound):
            await draft.replace(name, if_match=stat.etag)
    await draft.discard()
    assert await outside.files.list("") == []


async def test_a_draft_follows_its_document_to_another_folder(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    outside.put("sub/x.md", b"x")
    stat = await outside.files.stat("a.bin")
    draft = await drafted(outside, stat.id, body)
    await outside.files.move(stat.id, "sub/b.bin", if_match=None)
    assert (await draft.replace(stat.id, if_match=stat.etag)).stat.path == "sub/b.bin"
    await draft.discard()
    assert outside.body("sub/b.bin") == body


async def test_a_draft_that_is_given_up_leaves_nothing(outside: Outside, body: bytes) -> None:
    outside.put("a.bin", b"one")
    draft = await drafted(outside, "a.bin", body)
    await draft.discard()
    await draft.discard()
    assert [entry.path for entry in await outside.files.list("")] == ["a.bin"]
    assert await hidden(outside, "a.bin") == []


async def test_a_program_that_still_writes_into_what_a_draft_displaced_is_not_forgotten(folder: Outside, body: bytes) -> None:
    folder.put("a.bin", b"one")
    late = folder.writer("a.bin")
    draft = await drafted(folder, "a.bin", body)
    replaced = await draft.replace("a.bin", if_match=etag(b"one"))
    await draft.discard()
    assert replaced.former is not None
    assert await hidden(folder, "a.bin") == []
    late(b"one and more")
    assert await replaced.former.end()
    assert folder.body("a.bin") == body
    assert await hidden(folder, "a.bin") == [b"one and more"]


async def test_what_may_not_be_written_takes_no_large_body(outside: Outside) -> None:
    outside.put("a.bin", b"one")
    outside.protect("a.bin")
    wrong = {"a.bin": Denied, "id:" + "q" * 26: NotFound, "nowhere/a.bin": NotFound, "../a.bin": Malformed, ".hidden": Malformed}
    for name, error in wrong.items():
        with pytest.raises(error):
            await drafted(outside, name, LARGE)


# New files


async def test_a_draft_becomes_a_new_file_only_where_none_is(outside: Outside, body: bytes) -> None:
    outside.put("sub/x.md", b"x")
    draft = await drafted(outside, "sub/new.bin", body)
    assert [entry.path for entry in await outside.files.list("sub")] == ["sub/x.md"]
    for taken in ("sub/x.md", "sub"):
        with pytest.raises(Exists):
            await draft.create(taken)
    with pytest.raises(NotFound):
        await draft.create("nowhere/new.bin")
    stat = await draft.create("sub/new.bin")
    await draft.discard()
    assert (stat.path, stat.etag, stat.size) == ("sub/new.bin", etag(body), len(body))
    assert outside.body("sub/new.bin") == body
    assert await outside.files.stat(stat.id) == stat
    assert [entry.path for entry in await outside.files.list("sub")] == ["sub/new.bin", "sub/x.md"]
