"""Where a document is, from what people have at hand (PEER-4)."""

from __future__ import annotations

import pytest

from collab.errors import Malformed
from collab.remote.address import Address, parse


@pytest.mark.parametrize(
    ("where", "base", "name", "url"),
    [
        ("https://e.org/edit/notes.md", "https://e.org", "notes.md", "https://e.org/api/documents/notes.md"),
        (
            "https://e.org/a/b/edit/f/%C3%BC%20b.md?x=1#2",
            "https://e.org/a/b",
            "f/ü b.md",
            "https://e.org/a/b/api/documents/f%2F%C3%BC%20b.md",
        ),
        ("https://e.org/edit/f/ü b.md", "https://e.org", "f/ü b.md", "https://e.org/api/documents/f%2F%C3%BC%20b.md"),
        ("http://[::1]:8000/present/100%25.md", "http://[::1]:8000", "100%.md", "http://[::1]:8000/api/documents/100%25.md"),
        ("https://bücher.example/edit/a", "https://xn--bcher-kva.example", "a", "https://xn--bcher-kva.example/api/documents/a"),
        ("https://e.org/x/api/documents/f%2Fa.md/content", "https://e.org/x", "f/a.md", "https://e.org/x/api/documents/f%2Fa.md"),
        ("https://e.org/edit/id:abc", "https://e.org", "id:abc", "https://e.org/api/documents/id:abc"),
    ],
)
def test_a_page_and_a_resource_name_a_document(where: str, base: str, name: str, url: str) -> None:
    assert parse(where) == Address(base, name)
    assert parse(where).url == url


def test_a_name_needs_the_servers_address() -> None:
    assert parse("f/ü.md", "https://e.org/x/") == Address("https://e.org/x", "f/ü.md")
    with pytest.raises(Malformed, match="COLLAB_URL"):
        parse("notes.md")


@pytest.mark.parametrize(
    "where",
    [
        *(
            "https://e.org/",
            "https://e.org/edit/",
            "ftp://e.org/edit/a",
            "https:///edit/a",
            "https://e.org:x/edit/a",
            "https://e.org/notes.md",
        ),
        *("https://ann:secret@e.org/edit/a", "https://e.org/edit/a?token=secret"),
    ],
)
def test_what_names_no_document_or_holds_a_secret_is_refused(where: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse(where)
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        *(("https://e.org", True), ("http://127.8.9.1:80", True), ("http://localhost:8000", True), ("http://[::1]", True)),
        *(("http://e.org", False), ("http://10.0.0.1", False), ("http://127.0.0.1.e.org", False), ("http://localhost.e.org", False)),
    ],
)
def test_a_token_is_sent_unencrypted_on_the_same_machine_only(base: str, secure: bool) -> None:
    assert Address(base, "a").secure is secure
