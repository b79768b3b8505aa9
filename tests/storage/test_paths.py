"""Names as users give them (FILE-1, FILE-2, FILE-3, FILE-5)."""

from __future__ import annotations

import pytest

from collab.errors import Malformed, NotFound
from collab.storage.paths import NAME_BYTES, binned, is_id, is_key, mark_of, split, split_move, split_new, temporary, visible, within


def test_a_path_is_split_and_nothing_else_is_done_to_it() -> None:
    assert split("") == ()
    assert split("a/b c/%2e%2e/e\u0301") == (b"a", b"b c", b"%2e%2e", b"e\xcc\x81")


@pytest.mark.parametrize("name", ["id:abcdefghijklmnopqrstuvwxyz", "id:" + "q" * 26])
def test_an_id_has_26_lower_case_letters(name: str) -> None:
    assert is_id(name)
    with pytest.raises(Malformed):
        split_new(name)


@pytest.mark.parametrize(
    "name", ["id:" + "A" * 26, "id:" + "a" * 25, "id:" + "a" * 27, "id:" + "a" * 26 + "\n", "x/id:" + "a" * 26, "ID:" + "a" * 26]
)
def test_everything_else_is_a_path(name: str) -> None:
    assert not is_id(name)


@pytest.mark.parametrize("name", ["/a", "a//b", "a/", "..", "a/../b", ".", "\0", "a" * 256, "a/" * 512 + "a", "\udc80"])
def test_what_can_be_no_path_under_a_root_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        split(name)


def test_a_hidden_name_is_not_found_and_is_never_given() -> None:
    with pytest.raises(NotFound):
        split("a/.b")
    with pytest.raises(Malformed):
        split_new("a/.b")


def test_a_temporary_name_is_hidden_fits_and_tells_its_mark_and_number() -> None:
    for name in (b"a.md", b"x" * 255, "é".encode() * 127, "😀".encode() * 63):
        hidden = temporary(name, "abcdefgh", 123456789)
        assert not visible(hidden)
        assert len(hidden + b".new") <= NAME_BYTES
        hidden.decode()
        assert mark_of(hidden) == ("abcdefgh", 123456789, False)
        assert mark_of(hidden + b".new") == ("abcdefgh", 123456789, True)


@pytest.mark.parametrize(
    "name", [b"a.collab-abcdefgh-1", b".a.collab-abcdefg-1", b".a.collab-abcdefgh-", b".a.collab-ABCDEFGH-1", b".a.collab-abcdefgh-1.old"]
)
def test_other_hidden_names_are_not_ours(name: bytes) -> None:
    assert mark_of(name) is None


def test_a_folder_holds_itself_and_what_is_below_it_and_not_what_begins_alike() -> None:
    assert [path for path in (b"a", b"a/b", b"a/b/c", b"ab", b"a0", b"b/a") if within(path, b"a")] == [b"a", b"a/b", b"a/b/c"]


def test_the_bin_is_a_hidden_folder_at_the_root() -> None:
    assert [path for path in (b".collab-bin/x", b".collab-bin", b".collab-bins/x", b"a/.collab-bin/x") if binned(path)] == [
        b".collab-bin/x"
    ]
    with pytest.raises(NotFound):
        split(".collab-bin/x")


@pytest.mark.parametrize("key", ["", "a" * 25, "a" * 27, "A" * 26, "a" * 26 + "\n", "." * 26, "../" + "a" * 23])
def test_a_key_of_the_bin_has_26_lower_case_letters(key: str) -> None:
    assert is_key("a" * 26)
    assert not is_key(key)


def test_a_folder_is_moved_to_a_name_that_can_be_one_and_never_into_itself() -> None:
    assert split_move("a/b", "c") == (b"a/b", b"c")
    assert split_move("a", "a") == (b"a", b"a")
    assert split_move("a", "ab/c") == (b"a", b"ab/c")
    for path, to in (("a", "a/b"), ("a", "a/b/c"), ("", "a"), ("a", ""), ("a", ".b")):
        with pytest.raises(Malformed):
            split_move(path, to)
