"""Names in headers are UTF-7; new files get names that are free (WOPI-10)."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab.errors import Malformed
from collab.wopi.names import BYTES, LONGEST, TRIES, check, from_header, split, suggested, to_header, variants

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda name: bool(name.strip()))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("plain.docx", "plain.docx"),
        ("with space.docx", "with space.docx"),
        ("madeup+AF8-name.wopitestx", "madeup_name.wopitestx"),
        ("Gr+APYA3w-e.odt", "Größe.odt"),
        ("+2D3eAA-.md", "😀.md"),
        ("a+-b", "a+b"),
        ("+AF8-+AF8-", "__"),
        # Some clients form-encode the name as well: a plus is a space then.
        ("my+file.docx", "my file.docx"),
        ("my+new+AF8-file.docx", "my new_file.docx"),
        ("my+document.docx", "my document.docx"),
        ("a+b-c", "a b-c"),
        # The minus may be left out before what is no base64 (RFC 2152).
        ("Gr+APYA3w.odt", "Größ.odt"),
        ("+ZYdO9g.odt", "文件.odt"),
        ("trailing+", "trailing "),
        # UTF-8, as it arrives.
        ("Größe.odt".encode().decode("latin-1"), "Größe.odt"),
    ],
)
def test_a_name_in_a_header_is_what_was_meant(header: str, name: str) -> None:
    """WOPI-10."""
    assert from_header(header) == name


@given(TEXT)
def test_every_name_comes_back_from_a_header(name: str) -> None:
    """WOPI-10."""
    assert from_header(to_header(name)) == name


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_any_header_is_a_name_or_is_refused(header: str) -> None:
    with suppress(Malformed):
        assert from_header(header).strip()


@pytest.mark.parametrize("header", ["", "  ", "n" * (LONGEST + 1), "\xff\xfe"])
def test_what_is_no_name_is_refused(header: str) -> None:
    """WOPI-10."""
    with pytest.raises(Malformed, match=r"name"):
        from_header(header)


@pytest.mark.parametrize(
    ("name", "parts"),
    [("a.docx", ("a", ".docx")), ("a.tar.gz", ("a.tar", ".gz")), ("a", ("a", "")), (".a", (".a", "")), ("a.", ("a", "."))],
)
def test_a_name_is_a_stem_and_an_extension(name: str, parts: tuple[str, str]) -> None:
    assert split(name) == parts
    assert "".join(parts) == name


@pytest.mark.parametrize("name", ["a/b", "a\0b", "a\nb", ".hidden", "\ud800", "é" * 128])
def test_a_name_that_is_wanted_as_it_is_and_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        check(name)


@pytest.mark.parametrize("name", ["a.docx", "a b.docx", "Größe 😀", "é" * 127])
def test_a_name_that_can_be_is_taken_as_it_is(name: str) -> None:
    assert check(name) == name


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        (".odt", "report.odt"),
        ("other.odt", "other.odt"),
        ("a/b\\c:d.odt", "a_b_c_d.odt"),
        ("..odt", "odt"),
        (".config.d", "config.d"),
        (" x ", "x"),
        ("...", "Document"),
        ("\ud800.md", "?.md".replace("?", "_")),
    ],
)
def test_a_suggested_name_becomes_one_that_can_be(wanted: str, first: str) -> None:
    """WOPI-10."""
    assert next(suggested(wanted, "report.docx")) == first


def test_names_are_tried_in_turn() -> None:
    assert list(islice(variants("a.docx"), 3)) == ["a.docx", "a (2).docx", "a (3).docx"]
    assert len(list(variants("a"))) == TRIES


@given(TEXT, st.integers(0, TRIES - 1))
def test_each_name_that_is_tried_can_be_one(name: str, at: int) -> None:
    tried = next(islice(suggested(name * 10, "report.docx"), at, None))
    assert check(tried)
    assert len(tried.encode()) <= BYTES
