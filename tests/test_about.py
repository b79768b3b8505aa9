"""Tags and descriptions as they are kept (META-5)."""

from __future__ import annotations

import unicodedata

import pytest

from collab.about import DESCRIPTION, TAG, TAGS, About, Change, description_of, tagged, tags_of
from collab.errors import Malformed


def test_what_looks_the_same_is_one_tag_written_as_it_was_first() -> None:
    cafe = "Café"
    assert tags_of(["  Lab \t notes ", "lab notes", "LAB NOTES", unicodedata.normalize("NFD", cafe), cafe]) == ("Lab notes", cafe)
    assert tags_of(["Straße", "STRASSE"]) == ("Straße",)
    assert tags_of(["👩\u200d🔬"]) == ("👩\u200d🔬",)
    assert tags_of([]) == ()


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "a\x00b", "a\u202eb", "\ud800", "x" * (TAG + 1)])
def test_what_cannot_be_a_tag_is_told_why(tag: str) -> None:
    with pytest.raises(Malformed, match="a tag"):
        tags_of([tag])


def test_there_are_so_many_tags_and_no_more() -> None:
    assert len(tags_of(str(number) for number in range(TAGS))) == TAGS
    with pytest.raises(Malformed, match=f"at most {TAGS} tags"):
        tags_of(str(number) for number in range(TAGS + 1))
    assert tags_of(["x"] * 1000) == ("x",)


def test_a_description_has_lines_and_an_end() -> None:
    assert description_of("\n one\r\ntwo\rthree\t4 \n\n") == "one\ntwo\nthree\t4"
    assert description_of("x" * DESCRIPTION) == "x" * DESCRIPTION
    assert description_of(" \n ") == ""
    with pytest.raises(Malformed, match=f"at most {DESCRIPTION} characters"):
        description_of("x" * (DESCRIPTION + 1))


@pytest.mark.parametrize("text", ["a\0b", "\x1b[31m", "\udfff", "a\u202eb"])
def test_a_description_is_text(text: str) -> None:
    with pytest.raises(Malformed, match="cannot be printed"):
        description_of(text)


def test_a_change_leaves_what_it_does_not_name() -> None:
    before = About(("a",), "text")
    assert Change().of(before) == before
    assert Change(tags=()).of(before) == About((), "text")
    assert Change(description="").of(before) == About(("a",))
    assert About(("a",)).etag != About(("a",), "x").etag == About(("a",), "x").etag


def test_tags_are_found_by_their_beginnings() -> None:
    tags = ("Genome", "lab notes")
    assert tagged(tags, ["gen"])
    assert tagged(tags, ["lab notes", "genome"])
    assert tagged(tags, [])
    assert not tagged(tags, ["notes"])
    assert not tagged(tags, ["gen", "x"])
    assert not tagged((), [""])
