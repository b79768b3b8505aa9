"""What every storage of files does."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from collab.errors import Changed, CollabError, Denied, Exists, Malformed, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from folders import Outside, OutsideCloud

    from collab.ports import Displaced

MONTH = 30 * 86400.0
LIMIT = 2**20


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()


async def read(outside: Outside, name: str) -> bytes:
    return (await outside.files.read(name, limit=LIMIT)).body


# Looking


async def test_a_file_is_told_by_path_and_by_id(outside: Outside) -> None:
    outside.put("notes/a.md", b"one")
    stat = await outside.files.stat("notes/a.md")
    assert re.fullmatch("id:[a-z]{26}", stat.id)
    assert (stat.path, stat.type, stat.size, stat.etag) == ("notes/a.md", "text/markdown", 3, etag(b"one"))
    assert stat.writable
    assert not stat.folder
    assert await outside.files.stat(stat.id) == stat
    assert await outside.files.stat("notes/a.md") == stat


async def test_an_id_survives_a_restart(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.restart()
    assert (await outside.files.stat("a.md")).id == stat.id
    assert (await outside.files.stat(stat.id)).path == "a.md"


async def test_a_read_gives_the_bytes_and_their_etag(outside: Outside) -> None:
    outside.put("a.md", b"\xef\xbb\xbfone\r\n")
    content = await outside.files.read("a.md", limit=8)
    assert content.body == b"\xef\xbb\xbfone\r\n"
    assert content.stat.etag == etag(content.body)
    assert content.leftovers == ()


async def test_a_file_over_the_limit_is_too_large(outside: Outside) -> None:
    outside.put("a.md", b"123456789")
    with pytest.raises(TooLarge, match="9"):
        await outside.files.read("a.md", limit=8)


async def test_the_etag_follows_the_content_whoever_changes_it(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.writer("a.md")(b"two")
    changed = await outside.files.stat("a.md")
    assert (changed.etag, changed.id) == (etag(b"two"), stat.id)
    outside.put("a.md", b"six")
    replaced = await outside.files.stat(stat.id)
    assert (replaced.etag, replaced.id) == (etag(b"six"), stat.id)


async def test_a_list_is_sorted_and_has_folders_and_no_hidden_files(outside: Outside) -> None:
    for path in ("b.md", "a.md", "é.md", "B.md", "sub/deep/x.md", ".hidden", ".git/config", "sub/.secret"):
        outside.put(path, b"one")
    assert [entry.path for entry in await outside.files.list("")] == ["B.md", "a.md", "b.md", "sub", "é.md"]
    (deep,) = await outside.files.list("sub")
    assert (deep.path, deep.folder, deep.id, deep.etag, deep.type) == ("sub/deep", True, "", "", "inode/directory")
    (file,) = await outside.files.list("sub/deep")
    stat = await outside.files.stat(file.id)
    # What is expensive to hash has a weak word in a list, which is as good for a condition.
    assert file == replace(stat, etag=file.etag)
    assert file.etag == stat.etag or file.etag.startswith("weak-")
    assert (await outside.files.write(file.id, b"two", if_match=file.etag)).stat.etag == etag(b"two")


async def test_the_root_is_the_empty_path(outside: Outside) -> None:
    assert (await outside.files.stat("")).folder
    assert await outside.files.list("") == []


@pytest.mark.parametrize("path", ["missing", "a.md", "a.md/b"])
async def test_what_is_no_folder_cannot_be_listed(outside: Outside, path: str) -> None:
    outside.put("a.md", b"one")
    with pytest.raises(NotFound):
        await outside.files.list(path)


async def test_a_folder_is_no_document(outside: Outside) -> None:
    outside.put("sub/a.md", b"one")
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: outside.files.read("sub", limit=LIMIT),
        lambda: outside.files.write("sub", b"", if_match=etag(b"")),
        lambda: outside.files.move("sub", "other", if_match=None),
        lambda: outside.files.delete("sub", if_match=None),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            await act()


# Names

IMPOSSIBLE = [
    "/etc/passwd",
    "..",
    "a/../b",
    "a/./b",
    ".",
    "a//b",
    "a/",
    "/",
    "a\0b",
    "x" * 256,
    "é" * 128,
    "/".join(["d" * 100] * 11),
    "a\ud800",
]
HIDDEN = ["..\\b", ".hidden", "sub/.hidden", ".sub/a", "...", "sub/.a.md.collab-abcdefgh-1"]


@pytest.mark.parametrize("name", IMPOSSIBLE)
async def test_a_name_that_can_be_none_is_malformed_for_every_verb(outside: Outside, name: str) -> None:
    outside.put("b.md", b"one")
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: outside.files.stat(name),
        lambda: outside.files.read(name, limit=LIMIT),
        lambda: outside.files.list(name),
        lambda: outside.files.write(name, b"", if_match=None),
        lambda: outside.files.write(name, b"", if_match="x"),
        lambda: outside.files.move("b.md", name, if_match=None),
        lambda: outside.files.delete(name, if_match=None),
    ]
    for act in acts:
        with pytest.raises(Malformed):
            await act()


@pytest.mark.parametrize("name", HIDDEN)
async def test_a_hidden_file_is_not_found_and_not_made(outside: Outside, name: str) -> None:
    outside.put("sub/a.md", b"one")
    outside.put(name if name != "..." else ".hidden", b"secret")
    for act in (
        lambda: outside.files.stat(name),
        lambda: outside.files.read(name, limit=LIMIT),
        lambda: outside.files.delete(name, if_match=None),
    ):
        with pytest.raises(NotFound):
            await act()
    with pytest.raises(Malformed):
        await outside.files.write(name, b"", if_match=None)
    with pytest.raises(Malformed):
        await outside.files.move("sub/a.md", name, if_match=None)


ODD = ["e\u0301.md", "\u00e9.md", "a\u202eb.md", "a\nb", "%2e%2e", "a\\b", "x" * 255, "~", "C:", "id:short", "\U0001f600", " ", "-rf"]


async def test_names_are_matched_byte_for_byte(outside: Outside) -> None:
    for number, name in enumerate(ODD):
        outside.put(name, b"%d" % number)
    assert [await read(outside, name) for name in ODD] == [b"%d" % number for number in range(len(ODD))]
    assert {entry.path for entry in await outside.files.list("")} == set(ODD)
    assert len({entry.id for entry in await outside.files.list("")}) == len(ODD)
    with pytest.raises(NotFound):
        await outside.files.stat("\u212b.md")


async def test_an_id_is_never_a_path(outside: Outside) -> None:
    name = "id:" + "z" * 26
    outside.put(name, b"one")
    with pytest.raises(NotFound):
        await outside.files.stat(name)
    (listed,) = await outside.files.list("")
    assert await read(outside, listed.id) == b"one"
    with pytest.raises(Malformed):
        await outside.files.write(name, b"", if_match=None)


# Writing


async def test_a_write_replaces_the_expected_file(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    written = await outside.files.write(stat.id, b"two", if_match=stat.etag)
    assert outside.body("a.md") == b"two"
    assert (written.stat.id, written.stat.path, written.stat.etag, written.stat.size) == (stat.id, "a.md", etag(b"two"), 3)
    if written.displaced is not None:
        await written.displaced.discard()
    now = await outside.files.stat(stat.id)
    assert (now.etag, now.id) == (etag(b"two"), stat.id)
    assert (await outside.files.read(stat.id, limit=LIMIT)).leftovers == ()
    for number, body in enumerate((b"", b"one", b"one")):
        before = (await outside.files.stat(stat.id)).etag
        assert (await outside.files.write(stat.id, body, if_match=before)).stat.etag == etag(body), number
        assert outside.body("a.md") == body


async def test_a_write_shows_what_it_displaced(folder: Outside) -> None:
    folder.put("a.md", b"one")
    written = await folder.files.write("a.md", b"two", if_match=etag(b"one"))
    assert written.displaced is not None
    assert written.displaced.body == b"one"
    assert await written.displaced.reread() is None
    await written.displaced.discard()
    await written.displaced.discard()


async def test_what_a_write_replaced_in_a_cloud_is_a_version_of_it(cloud: OutsideCloud) -> None:
    """CS3-10."""
    cloud.put("a.md", b"one")
    written = await cloud.files.write("a.md", b"two", if_match=etag(b"one"))
    assert written.displaced is None
    assert [version.body for version in cloud.cloud.at("ann", "a.md").versions] == [b"one"]
    assert cloud.cloud.at("ann", "a.md").lock is None


async def test_a_write_over_another_file_than_expected_changes_nothing(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.put("a.md", b"theirs")
    with pytest.raises(Changed):
        await outside.files.write(stat.id, b"two", if_match=stat.etag)
    content = await outside.files.read(stat.id, limit=LIMIT)
    assert (content.body, content.leftovers) == (b"theirs", ())


async def test_a_write_to_a_file_that_is_gone_makes_none(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.remove("a.md")
    with pytest.raises(NotFound):
        await outside.files.write(stat.id, b"two", if_match=stat.etag)
    with pytest.raises(NotFound):
        await outside.files.write("a.md", b"two", if_match=stat.etag)
    assert await outside.files.list("") == []


async def test_a_writer_that_still_holds_the_displaced_file_is_read_again(folder: Outside) -> None:
    folder.put("a.md", b"one")
    late = folder.writer("a.md")
    written = await folder.files.write("a.md", b"two", if_match=etag(b"one"))
    assert written.displaced is not None
    late(b"one and more")
    assert await written.displaced.reread() == b"one and more"
    assert await written.displaced.reread() is None
    assert written.displaced.body in {b"one", b"one and more"}
    assert folder.body("a.md") == b"two"


async def test_each_write_has_its_own_displaced_body(folder: Outside) -> None:
    folder.put("a.md", b"0")
    kept: list[Displaced] = []
    for number in range(3):
        displaced = (await folder.files.write("a.md", b"%d" % (number + 1), if_match=etag(b"%d" % number))).displaced
        assert displaced is not None
        kept.append(displaced)
    assert [displaced.body for displaced in kept] == [b"0", b"1", b"2"]
    assert (await folder.files.read("a.md", limit=LIMIT)).leftovers == ()


async def test_what_was_not_discarded_is_a_leftover_after_a_crash_until_it_is_discarded(folder: Outside) -> None:
    folder.put("a.md", b"one")
    kept = [
        await folder.files.write("a.md", b"two", if_match=etag(b"one")),
        await folder.files.write("a.md", b"six", if_match=etag(b"two")),
    ]
    assert kept[1].displaced is not None
    await kept[1].displaced.discard()
    folder.restart()
    content = await folder.files.read("a.md", limit=LIMIT)
    assert [leftover.body for leftover in content.leftovers] == [b"one"]
    again = await folder.files.write("a.md", b"ten", if_match=etag(b"six"))
    assert again.displaced is not None
    assert [leftover.body for leftover in (await folder.files.read("a.md", limit=LIMIT)).leftovers] == [b"one"]
    for leftover in content.leftovers:
        await leftover.discard()
    assert (await folder.files.read("a.md", limit=LIMIT)).leftovers == ()


async def test_a_leftover_moves_with_its_document(folder: Outside) -> None:
    folder.put("a.md", b"one")
    folder.put("sub/x.md", b"x")
    kept = await folder.files.write("a.md", b"two", if_match=etag(b"one"))
    await folder.files.move("a.md", "sub/b.md", if_match=None)
    assert kept.displaced is not None
    assert await kept.displaced.reread() is None
    folder.restart()
    (leftover,) = (await folder.files.read("sub/b.md", limit=LIMIT)).leftovers
    assert leftover.body == b"one"


async def test_a_new_file_is_made_only_where_none_is(outside: Outside) -> None:
    outside.put("sub/x.md", b"x")
    written = await outside.files.write("sub/new.md", b"new", if_match=None)
    assert (written.displaced, written.stat.path, written.stat.etag) == (None, "sub/new.md", etag(b"new"))
    assert outside.body("sub/new.md") == b"new"
    for taken in ("sub/new.md", "sub"):
        with pytest.raises(Exists):
            await outside.files.write(taken, b"other", if_match=None)
    with pytest.raises(NotFound):
        await outside.files.write("nowhere/new.md", b"", if_match=None)
    assert outside.body("sub/new.md") == b"new"


async def test_a_read_only_file_says_so_and_is_not_replaced(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.protect("a.md")
    assert not (await outside.files.stat("a.md")).writable
    with pytest.raises(Denied):
        await outside.files.write("a.md", b"two", if_match=etag(b"one"))
    with pytest.raises(Denied):
        await outside.files.delete("a.md", if_match=etag(b"one"))
    assert await read(outside, "a.md") == b"one"


# Moving and deleting


async def test_a_move_keeps_the_id(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.put("sub/x.md", b"x")
    stat = await outside.files.stat("a.md")
    moved = await outside.files.move("a.md", "sub/b.txt", if_match=stat.etag)
    assert (moved.id, moved.path, moved.etag, moved.type) == (stat.id, "sub/b.txt", stat.etag, "text/plain")
    assert (await outside.files.stat(stat.id)).path == "sub/b.txt"
    with pytest.raises(NotFound):
        await outside.files.stat("a.md")
    outside.put("a.md", b"another")
    assert (await outside.files.stat("a.md")).id != stat.id


async def test_a_move_takes_nobodys_place(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.put("b.md", b"two")
    outside.put("sub/x.md", b"x")
    for taken in ("b.md", "sub"):
        with pytest.raises(Exists):
            await outside.files.move("a.md", taken, if_match=None)
    with pytest.raises(NotFound):
        await outside.files.move("a.md", "nowhere/a.md", if_match=None)
    with pytest.raises(Changed):
        await outside.files.move("a.md", "c.md", if_match=etag(b"other"))
    assert (outside.body("a.md"), outside.body("b.md")) == (b"one", b"two")


async def test_a_move_to_where_a_known_file_vanished_unseen_is_a_move(outside: Outside) -> None:
    outside.put("a.md", b"one")
    outside.put("b.md", b"two")
    stat, other = await outside.files.stat("a.md"), await outside.files.stat("b.md")
    outside.remove("b.md")
    assert (await outside.files.move("a.md", "b.md", if_match=None)).id == stat.id
    with pytest.raises(NotFound):
        await outside.files.stat(other.id)
    assert (await outside.files.stat("b.md")).id == stat.id


async def test_a_move_to_where_it_is_changes_nothing(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    assert (await outside.files.move("a.md", "a.md", if_match=None)).id == stat.id


async def test_a_delete_removes_the_expected_file_only(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    with pytest.raises(Changed):
        await outside.files.delete("a.md", if_match=etag(b"other"))
    await outside.files.delete(stat.id, if_match=stat.etag)
    for name in ("a.md", stat.id):
        with pytest.raises(NotFound):
            await outside.files.stat(name)
        with pytest.raises(NotFound):
            await outside.files.delete(name, if_match=None)


async def test_an_unknown_id_is_not_found(outside: Outside) -> None:
    with pytest.raises(NotFound):
        await outside.files.stat("id:" + "q" * 26)


# Renames and deletions from outside


async def test_a_rename_is_believed_when_the_old_name_stayed_empty_for_two_seconds(folder: Outside) -> None:
    folder.put("a.md", b"one")
    folder.put("sub/x.md", b"x")
    stat = await folder.files.stat("a.md")
    folder.rename("a.md", "sub/b.md")
    with pytest.raises(NotFound):
        await folder.files.stat(stat.id)
    folder.time.pass_(1.9)
    with pytest.raises(NotFound):
        await folder.files.stat(stat.id)
    folder.time.pass_(0.2)
    assert (await folder.files.stat(stat.id)).path == "sub/b.md"
    assert await read(folder, stat.id) == b"one"


async def test_the_new_name_of_a_renamed_file_never_gets_another_id(outside: Outside) -> None:
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.rename("a.md", "b.md")
    assert (await outside.files.stat("b.md")).id == stat.id
    assert [entry.id for entry in await outside.files.list("")] == [stat.id]
    outside.time.pass_(2.1)
    assert (await outside.files.stat("b.md")).id == stat.id
    assert (await outside.files.stat(stat.id)).path == "b.md"


async def test_a_name_that_is_filled_again_at_once_is_the_same_document_and_the_file_set_aside_is_another(folder: Outside) -> None:
    folder.put("a.md", b"one")
    stat = await folder.files.stat("a.md")
    folder.rename("a.md", "a.md~")
    with pytest.raises(NotFound):
        await folder.files.stat(stat.id)
    assert (await folder.files.stat("a.md~")).id == stat.id
    folder.time.pass_(1.0)
    folder.put("a.md", b"one more")
    saved = await folder.files.stat("a.md")
    assert (saved.id, saved.path) == (stat.id, "a.md")
    assert (await folder.files.stat("a.md~")).id != stat.id
    folder.remove("a.md~")
    assert (await folder.files.stat(stat.id)).etag == etag(b"one more")


async def test_a_file_renamed_over_another_is_the_document_of_that_name(folder: Outside) -> None:
    folder.put("a.md", b"one")
    folder.put("b.md", b"two")
    one, two = await folder.files.stat("a.md"), await folder.files.stat("b.md")
    folder.rename("a.md", "b.md")
    assert (await folder.files.stat("b.md")).id == two.id
    for seconds in (0.0, 2.1):
        folder.time.pass_(seconds)
        with pytest.raises(NotFound):
            await folder.files.stat(one.id)
    assert (await folder.files.stat(two.id)).etag == etag(b"one")


async def test_names_that_were_swapped_keep_their_documents(folder: Outside) -> None:
    folder.put("a.md", b"one")
    folder.put("b.md", b"two")
    one, two = await folder.files.stat("a.md"), await folder.files.stat("b.md")
    folder.rename("a.md", "c.md")
    folder.rename("b.md", "a.md")
    folder.rename("c.md", "b.md")
    assert [(await folder.files.stat(name)).id for name in ("a.md", "b.md")] == [one.id, two.id]


# The same in a cloud, which knows which file is which


async def test_a_rename_in_a_cloud_is_known_at_once(cloud: OutsideCloud) -> None:
    """CS3-2."""
    cloud.put("a.md", b"one")
    cloud.put("sub/x.md", b"x")
    stat = await cloud.files.stat("a.md")
    cloud.rename("a.md", "sub/b.md")
    assert (await cloud.files.stat(stat.id)).path == "sub/b.md"
    assert (await cloud.files.stat("sub/b.md")).id == stat.id
    assert await read(cloud, stat.id) == b"one"


async def test_what_is_made_in_the_place_of_a_file_in_a_cloud_is_another_document(cloud: OutsideCloud) -> None:
    """CS3-2."""
    cloud.put("a.md", b"one")
    stat = await cloud.files.stat("a.md")
    cloud.rename("a.md", "a.md~")
    cloud.put("a.md", b"one more")
    assert (await cloud.files.stat("a.md")).id != stat.id
    assert (await cloud.files.stat(stat.id)).path == "a.md~"
    cloud.remove("a.md~")
    with pytest.raises(NotFound):
        await cloud.files.stat(stat.id)
    made = await cloud.files.stat("a.md")
    await cloud.files.delete("a.md", if_match=None)
    assert (await cloud.files.write("a.md", b"one more", if_match=None)).stat.id != made.id


async def test_files_whose_names_were_swapped_in_a_cloud_are_where_they_are(cloud: OutsideCloud) -> None:
    """CS3-2."""
    cloud.put("a.md", b"one")
    cloud.put("b.md", b"two")
    one, two = await cloud.files.stat("a.md"), await cloud.files.stat("b.md")
    cloud.rename("a.md", "c.md")
    cloud.rename("b.md", "a.md")
    cloud.rename("c.md", "b.md")
    assert [(await cloud.files.stat(name)).id for name in ("a.md", "b.md")] == [two.id, one.id]
    cloud.rename("a.md", "b.md")
    assert (await cloud.files.stat("b.md")).id == two.id
    with pytest.raises(NotFound):
        await cloud.files.stat(one.id)


async def deleted(outside: Outside) -> str:
    """A document that is gone from outside, and was missed."""
    outside.put("a.md", b"one")
    stat = await outside.files.stat("a.md")
    outside.remove("a.md")
    for seconds in (0.0, 2.1):
        outside.time.pass_(seconds)
        with pytest.raises(NotFound):
            await outside.files.stat(stat.id)
    return stat.id


@pytest.mark.parametrize(("days", "alike", "same"), [(29, True, True), (29, False, False), (31, True, False)])
async def test_a_name_that_comes_back_after_a_deletion_is_recognised_by_its_body_within_thirty_days(
    folder: Outside, days: int, *, alike: bool, same: bool
) -> None:
    """FILE-8."""
    gone = await deleted(folder)
    asked = []

    async def recognise(document: str, body: bytes) -> bool:
        asked.append((document, body))
        return alike

    folder.files.recognise = recognise  # type: ignore[attr-defined]
    folder.time.pass_(days * 86400.0)
    folder.put("a.md", b"one, changed")
    stat = await folder.files.stat("a.md")
    assert (stat.id == gone) is same
    assert asked == ([(gone, b"one, changed")] if days < 30 else [])
    assert (await folder.files.stat("a.md")).id == stat.id
    assert len(asked) <= 1


async def test_the_id_of_a_deleted_document_finds_it_when_it_is_back(folder: Outside) -> None:
    gone = await deleted(folder)
    folder.put("a.md", b"one")
    assert (await folder.files.stat(gone)).path == "a.md"


async def test_the_id_of_a_deleted_document_is_not_that_of_the_next(outside: Outside) -> None:
    gone = await deleted(outside)
    outside.put("a.md", b"something else")
    with pytest.raises(NotFound):
        await outside.files.stat(gone)
    (listed,) = await outside.files.list("")
    assert listed.id != gone


async def test_a_file_that_we_deleted_and_that_is_made_again_is_recognised_too(folder: Outside) -> None:
    folder.put("a.md", b"one")
    stat = await folder.files.stat("a.md")
    await folder.files.delete("a.md", if_match=None)
    assert (await folder.files.write("a.md", b"one", if_match=None)).stat.id == stat.id


async def test_a_list_asks_for_the_files_that_came_back(folder: Outside) -> None:
    gone = await deleted(folder)
    folder.put("a.md", b"one")
    folder.put("b.md", b"two")
    assert [entry.id == gone for entry in await folder.files.list("")] == [True, False]


async def test_every_error_is_one_of_ours(outside: Outside) -> None:
    outside.put("a.md", b"one")
    for name in (*IMPOSSIBLE, *HIDDEN, *ODD, "id:" + "b" * 26):
        with pytest.raises(CollabError):
            await outside.files.write(name, b"", if_match="x")
