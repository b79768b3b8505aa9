"""What desktop office suites leave beside files: read and written as they do (WOPI-6)."""

from __future__ import annotations

import random

import pytest

from collab.storage.habits import Entry, hidden, lock_of, owners_of, read_lock, read_owner, write_lock


def owner_file(name: str, *, word: bool, padding: bytes = b"\0") -> bytes:
    """As Word, or Excel and PowerPoint, write it."""
    size, at = (162, 54) if word else (165, 55)
    plain = name.encode("cp1252", errors="replace")
    body = bytes([len(plain)]) + plain + (b"\0" if word else padding)
    body += (b"\0" if word else b" ") * (at - len(body))
    body += len(name).to_bytes(2, "little") + name.encode("utf-16-le")
    return body + (b"\0" if word else b" \0") * size if word else (body + b" \0" * size)[:size]


def test_a_lock_of_libreoffice_says_who_has_the_file_open() -> None:
    body = "Ann Möller,ann,host.example,29.11.2026 14:05,file:///home/ann/.config/libreoffice/4;".encode()
    assert read_lock(body) == Entry("Ann Möller", "ann", "host.example", "29.11.2026 14:05", "file:///home/ann/.config/libreoffice/4")
    assert not read_lock(body).ours


def test_commas_semicolons_and_backslashes_are_escaped() -> None:
    assert read_lock(rb"A\, B\; C\\,x,y,z,u;").name == "A, B; C\\"
    written = write_lock("Möller, Ann; \\ \0(Collabora)", "h,o;s\\t", 0.0)
    assert read_lock(written) == Entry("Möller, Ann; \\ (Collabora)", "collab", "h,o;s\\t", "01.01.1970 00:00", "collab:h,o;s\\t")
    assert read_lock(written).ours


@pytest.mark.parametrize("body", [b"", b"Ann", b"Ann,", b"Ann,ann,host,date,profile", b"\\x,a,b,c,d;", b"\xff\xfe\0", b"\\"])
def test_a_lock_that_cannot_be_read_is_nobodys(body: bytes) -> None:
    assert read_lock(body) == Entry("")


def test_an_older_lock_with_fewer_fields_is_read() -> None:
    assert read_lock(b"Ann,ann,host;") == Entry("Ann", "ann", "host")


def test_no_bytes_make_the_reader_fall() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        body = bytes(chance.choice(b",;\\aA\0\xc3\xa9~") for _ in range(chance.randrange(40)))
        read_lock(body)
        read_owner(chance.randbytes(chance.choice([0, 1, 54, 161, 162, 163, 165, 300])))
    for _ in range(500):
        name = "".join(chance.choice("aé,;\\ 😀%#") for _ in range(chance.randrange(30)))
        assert read_lock(write_lock(name, "host", chance.random() * 2e9)).name == name


@pytest.mark.parametrize("name", ["A", "Ann", "Ann Möller", "x" * 32, "y" * 52, "Ваня"])
def test_an_owner_file_says_the_name_of_each_product(name: str) -> None:
    """A length of 32 is a space, as what is between."""
    for body in (owner_file(name, word=True)[:162], owner_file(name, word=False), owner_file(name, word=False, padding=b" ")):
        assert read_owner(body) == name


def test_what_is_no_owner_file_is_nobodys() -> None:
    for body in (b"", b"# Notes\n", b"\0" * 162, b"\xff" * 165, b"x" * 1000, owner_file("Ann", word=True)[:161]):
        assert read_owner(body) is None


def test_an_owner_file_without_a_wide_name_says_the_plain_one() -> None:
    assert read_owner(bytes([3]) + b"Ann" + b"\0" * 158) == "Ann"


@pytest.mark.parametrize(
    ("name", "owners"),
    [
        ("report.docx", ["~$report.docx"]),
        ("reports.docx", ["~$eports.docx", "~$reports.docx"]),
        ("document.DOC", ["~$cument.DOC", "~$document.DOC"]),
        ("Übersicht.odt", ["~$ersicht.odt", "~$Übersicht.odt"]),
        ("long workbook.xlsx", ["~$long workbook.xlsx"]),
        ("slides for all.pptx", ["~$slides for all.pptx"]),
    ],
)
def test_word_leaves_out_letters_of_a_long_name(name: str, owners: list[str]) -> None:
    assert [each.decode() for each in owners_of(name.encode())] == owners


def test_locks_and_owner_files_are_no_documents() -> None:
    assert lock_of("Größe.odt".encode()) == ".~lock.Größe.odt#".encode()
    assert all(map(hidden, (lock_of(b"a.odt"), b"~$a.docx", b".a")))
    assert not any(map(hidden, (b"a.docx", b"~a.docx", b"$a", b"a~$")))
