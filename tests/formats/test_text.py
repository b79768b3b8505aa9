"""TEXT-1, TEXT-2, TEXT-3, TEXT-4: file bytes to shared text and back."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pycrdt import Doc, Text
from scale import scale
from scripts import CLUSTERS, PIECES, steady, texts

from collab.errors import Malformed, NotText
from collab.formats.offsets import Unit, length
from collab.formats.text import Form, Mark, carriage_returns, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collab.merge import Edit

BOM = b"\xef\xbb\xbf"
MIXED = ["\n", "\r\n", "\r", "\r\r\n", "\ufeff", *CLUSTERS, *PIECES]
bodies = st.lists(st.sampled_from(MIXED), max_size=40).map(lambda pieces: "".join(pieces).encode())


def by_place(marks: Iterable[Mark]) -> dict[int, str]:
    return {mark.utf8: mark.ending for mark in marks}


def there_and_back(body: bytes) -> bytes:
    text, form, marks = decode(body)
    return encode(text, form, by_place(marks))


@steady
@given(bodies)
@example(b"")
@example(BOM)
@example(BOM + BOM)
@example(b"a\r\r\n\n\rb")
@example(b"\r\n\r\n\r\r")
def test_text_1_a_file_that_nobody_edited_is_the_same_byte_for_byte(body: bytes) -> None:
    assert there_and_back(body) == body


@pytest.mark.parametrize("size", range(scale(6, 8)))
def test_text_1_every_order_of_line_ends_comes_back(size: int) -> None:
    for pieces in product([b"\n", b"\r\n", b"\r", "é".encode()], repeat=size):
        assert there_and_back(b"".join(pieces)) == b"".join(pieces)


@steady
@given(bodies)
def test_text_2_the_shared_text_holds_only_lf(body: bytes) -> None:
    text, _, marks = decode(body)
    assert "\r" not in text
    assert text.encode() == body.removeprefix(BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for mark in marks:
        before = text.encode()[: mark.utf8].decode()
        assert text[len(before)] == "\n"
        assert mark.utf16 == length(before, Unit.UTF16)


@pytest.mark.parametrize(
    ("body", "form", "marks"),
    [
        (b"", Form(), []),
        (b"a", Form(), []),
        (b"a\nb\n", Form(), []),
        (b"a\r\nb\r\n", Form(eol="\r\n"), []),
        (b"a\rb\r", Form(eol="\r"), []),
        (BOM + b"a\r\n", Form(bom=True, eol="\r\n"), []),
        (b"a\r\nb\n", Form(), [Mark(1, 1, "\r\n")]),
        (b"a\r\nb\rc", Form(), [Mark(1, 1, "\r\n"), Mark(3, 3, "\r")]),
        ("é😀\n\r\n\r\n".encode(), Form(eol="\r\n"), [Mark(3, 6, "\n")]),
        ("\r\n😀\n\r\n\r\n日\r".encode(), Form(eol="\r\n"), [Mark(3, 5, "\n"), Mark(7, 11, "\r")]),
        (b"\r\r\n\r", Form(eol="\r"), [Mark(1, 1, "\r\n")]),
        (BOM + b"\r\n\n\n", Form(bom=True), [Mark(0, 0, "\r\n")]),
    ],
)
def test_text_2_the_commonest_line_end_is_the_form_and_the_others_are_marked(body: bytes, form: Form, marks: list[Mark]) -> None:
    assert decode(body)[1:] == (form, marks)


def test_text_2_a_new_line_is_written_as_the_commonest_one() -> None:
    text, form, marks = decode(b"one\r\ntwo\r\nthree\n")
    assert encode(text + "four\n", form, by_place(marks)) == b"one\r\ntwo\r\nthree\nfour\r\n"


@steady
@given(
    texts,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.dictionaries(st.integers(-3, 60), st.sampled_from(["\n", "\r\n", "\r", "x"])),
)
@example("\n\n", "\n", False, {0: "\r"})
@example("\n\n\n", "\r", False, {1: "\n", 2: "\n"})
@example("a\n\n", "\r\n", True, {1: "\r", 2: "\n"})
def test_text_2_no_line_is_lost_whatever_is_edited_around_the_marks(text: str, eol: str, bom: bool, marks: dict[int, str]) -> None:
    form = Form(bom or text.startswith("\ufeff"), eol)
    assert decode(encode(text, form, marks))[0] == text


def test_text_2_a_mark_whose_line_end_is_gone_or_that_is_no_line_end_does_not_count() -> None:
    assert encode("a\nb\n", Form(), {0: "\r\n", 3: "evil", 9: "\r", -1: "\r\n"}) == b"a\nb\n"


def apply(text: str, edits: list[Edit]) -> str:
    shared = Doc({"content": Text(text)})["content"]
    assert isinstance(shared, Text)
    for start, stop, new in reversed(edits):
        del shared[start:stop]
        shared.insert(start, new)
    return str(shared)


@steady
@given(st.lists(st.sampled_from(MIXED), max_size=20).map("".join))
@example("a\r\r\n\rb\r\n")
def test_text_3_carriage_returns_are_taken_out_and_no_line_is_lost(text: str) -> None:
    assert apply(text, carriage_returns(text)) == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("a\nb", []),
        ("é\r\n", [(2, 3, "")]),
        ("é\r", [(2, 3, "\n")]),
        ("\r\r\n😀\r", [(0, 2, "\n"), (7, 8, "\n")]),
    ],
)
def test_text_3_the_lf_of_a_crlf_stays(text: str, edits: list[tuple[int, int, str]]) -> None:
    assert carriage_returns(text) == edits


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"caf\xe9 au lait!!\n", "byte 0xE9 at offset 3 is not UTF-8"),
        (BOM + b"abcdefghi\xe9", "byte 0xE9 at offset 12 is not UTF-8"),
        (b"cut \xe2\x82", "byte 0xE2 at offset 4 is not UTF-8"),
        (b"half a pair \xed\xa0\x80", "byte 0xED at offset 12 is not UTF-8"),
        (b"long \xc0\x80", "byte 0xC0 at offset 5 is not UTF-8"),
        (b"nul \0", "byte 0x00 at offset 4 is not text"),
        ("UTF-16".encode("utf-16"), "it is UTF-16, not UTF-8"),
    ],
)
def test_text_4_what_is_not_text_is_refused_in_plain_words(body: bytes, detail: str) -> None:
    with pytest.raises(NotText) as caught:
        decode(body)
    assert caught.value.detail == detail


@steady
@given(st.binary(max_size=60))
def test_text_4_any_bytes_are_refused_or_come_back(body: bytes) -> None:
    with suppress(NotText):
        assert there_and_back(body) == body


@pytest.mark.parametrize("form", [Form(), Form(bom=True, eol="\r\n"), Form(eol="\r")])
def test_a_form_goes_through_json(form: Form) -> None:
    assert Form.from_json(form.to_json()) == form


@pytest.mark.parametrize(
    "value", [{}, {"bom": 1, "eol": "\n"}, {"bom": True, "eol": "x"}, {"bom": True, "eol": None}, {"bom": None, "eol": "\n"}]
)
def test_what_is_no_form_is_malformed(value: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        Form.from_json(value)


@pytest.mark.parametrize("line", [b"some words in a line\n", b"some words in a line\r\n", "Wörter in einer Zeile 😀\r".encode()])
def test_a_large_file_of_one_form_is_quick(line: bytes) -> None:
    body = line * (scale(2 << 20, 16 << 20) // len(line))
    started = time.process_time()
    assert there_and_back(body) == body
    assert time.process_time() - started < 2
