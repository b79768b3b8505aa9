from __future__ import annotations

import pytest

from collab.formats import is_textual, media_type


@pytest.mark.parametrize(
    ("path", "media", "textual"),
    [
        ("notes.md", "text/markdown", True),
        ("a.b/READ.ME.Markdown", "text/markdown", True),
        ("run.ipynb", "application/x-ipynb+json", True),
        ("table.csv", "text/csv", True),
        ("table.TSV", "text/tab-separated-values", True),
        ("code/main.py", "text/x-python", True),
        ("code/main.rs", "text/x-rust", True),
        ("Makefile", "text/x-makefile", True),
        ("src/CMakeLists.txt", "text/x-cmake", True),
        ("data.json", "application/json", True),
        ("drawing.svg", "image/svg+xml", True),
        ("page.html", "text/html", True),
        ("photo.JPG", "image/jpeg", False),
        ("paper.pdf", "application/pdf", False),
        ("data.tar.gz", "application/gzip", False),
        ("letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", False),
    ],
)
def test_a_name_tells_the_media_type(path: str, media: str, *, textual: bool) -> None:
    assert media_type(path) == media
    assert is_textual(media) is textual


@pytest.mark.parametrize("path", ["noname", "folder.d/noname", "odd.zzz", "trailing.", ".md.", ""])
def test_of_other_names_the_content_tells(path: str) -> None:
    assert media_type(path) == "text/plain"
    assert media_type(path, "grün".encode()) == "text/plain"
    assert media_type(path, b"cut off here: \xf0\x9f\x98") == "text/plain"
    assert media_type(path, b"\x7fELF\0\0") == "application/octet-stream"
    assert media_type(path, b"\xff\xd8\xff") == "application/octet-stream"


def test_the_name_counts_more_than_the_content() -> None:
    assert media_type("a.md", b"\0") == "text/markdown"
