"""Ids and references of CS3 as values."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from collab.errors import Malformed
from collab.gateway.resources import Endpoint, Reference, ResourceId


@pytest.mark.parametrize("text", ["storage$space!opaque", "123$4!5", "eos!77", "a$b!c!d"])
def test_an_id_is_what_its_string_says(text: str) -> None:
    """CS3-2."""
    assert str(ResourceId.parse(text)) == text


def test_the_id_of_a_space_is_its_root() -> None:
    assert ResourceId.parse("storage$space") == ResourceId("storage", "space", "space")


@pytest.mark.parametrize("text", ["", "storage", "$space!x", "storage$!x", "storage$space!", "!x", "/a/b"])
def test_what_is_no_id_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match=re.escape("storage$space!opaque")):
        ResourceId.parse(text)


def test_a_document_has_the_same_id_everywhere_and_each_its_own() -> None:
    """CS3-2."""
    ids = [ResourceId("s", "a", str(number)).document for number in range(1000)]

    assert len(set(ids)) == 1000
    assert all(re.fullmatch("id:[a-z]{26}", each) for each in ids)
    number = int.from_bytes(sha256(b"s$a!0").digest())
    assert sum((ord(letter) - ord("a")) * 26**place for place, letter in enumerate(ids[0][3:])) == number % 26**26


def test_a_reference_is_a_path_under_a_resource_or_an_absolute_one() -> None:
    root = ResourceId("s", "a", "r")

    assert Reference(root).below("work").below("x", "y") == Reference(root, "work/x/y")
    assert str(Reference(root).below("work")) == "s$a!r/work"
    assert str(Reference(None, "home/ann").below("a.md")) == "/home/ann/a.md"


def test_the_token_of_a_transfer_is_not_shown() -> None:
    assert "secret" not in repr(Endpoint("simple", "http://data", "secret"))
