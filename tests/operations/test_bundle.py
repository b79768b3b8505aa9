"""The file of a backup: whole, private, never over another one; what is damaged is refused in words (RESTORE-1)."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from collab.errors import CollabError, Conflict, Exists, Malformed
from collab.operations import bundle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    members = [tmp_path / name for name in ("journal.sqlite", "state.sqlite")]
    for number, member in enumerate(members):
        member.write_bytes(b"%d" % number * 3000)
    path = tmp_path / "backup.tar"
    bundle.write(path, members, {"archive": "here"}, 1_800_000_000.0)
    return path


def test_what_was_put_in_comes_out_and_only_its_owner_may_read_it(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert bundle.read(made) == bundle.unpack(made, out)
    assert sorted(path.name for path in out.iterdir()) == ["journal.sqlite", "state.sqlite"]
    assert (out / "state.sqlite").read_bytes() == b"1" * 3000
    assert {path.stat().st_mode & 0o777 for path in (made, *out.iterdir())} == {0o600}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_no_file_is_replaced_by_a_backup(made: Path) -> None:
    before = made.read_bytes()
    with pytest.raises(Exists):
        bundle.write(made, [], {}, 0.0)
    assert made.read_bytes() == before


@pytest.mark.parametrize("keep", [0, 100, 700, 2000, 5000, -2000])
def test_a_backup_that_is_cut_is_refused(made: Path, keep: int) -> None:
    whole = made.read_bytes()
    end = whole.rindex(b"1") + 1
    made.write_bytes(whole[: keep if keep >= 0 else end + keep])
    with pytest.raises(Malformed):
        bundle.read(made)


def test_a_backup_with_one_other_byte_is_refused(made: Path) -> None:
    whole = bytearray(made.read_bytes())
    whole[whole.rindex(b"1" * 100)] ^= 1
    made.write_bytes(whole)
    with pytest.raises(Malformed, match="damaged"):
        bundle.read(made)


@pytest.mark.parametrize(
    ("name", "note", "error"),
    [
        ("backup.json", {"format": 2, "files": {}}, Conflict),
        ("backup.json", {"files": {}}, Malformed),
        ("../evil", {"format": 1, "files": {}}, Malformed),
        ("other.json", {"format": 1, "files": {}}, Malformed),
    ],
)
def test_what_is_no_backup_of_ours_is_refused(tmp_path: Path, name: str, note: object, error: type[CollabError]) -> None:
    words = json.dumps(note).encode()
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(words)
        tar.addfile(entry, io.BytesIO(words))
    with pytest.raises(error):
        bundle.unpack(tmp_path / "x.tar", tmp_path)
    assert not (tmp_path.parent / "evil").exists()
