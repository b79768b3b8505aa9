"""Where the state is, whose it is, and that one server holds it (PROC-1, PROC-2, PROC-3, PROC-4, SAVE-10)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from collab.errors import Conflict, Locked, Malformed, NotFound
from collab.state.directory import default, prepare

NOW = 1_795_000_000.0
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


def test_the_default_is_named_after_the_roots_real_path(root: Path, tmp_path: Path) -> None:
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    (tmp_path / "link").symlink_to(root)
    for given in (root, tmp_path / "link", root / ".." / "root"):
        assert default(given, {"XDG_STATE_HOME": "/var/states"}) == Path("/var/states/collab") / name
    assert default(root, {"HOME": "/home/ada"}) == Path("/home/ada/.local/state/collab") / name
    assert default(root, {"HOME": "/home/ada", "XDG_STATE_HOME": "relative"}) == Path("/home/ada/.local/state/collab") / name


def test_a_state_is_made_for_the_user_alone(root: Path, tmp_path: Path) -> None:
    directory = prepare(root, tmp_path / "deep" / "state")
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert (directory.database.name, directory.journal.name) == ("state.sqlite", "journal.sqlite")
    assert prepare(root, directory.path) == directory


@pytest.mark.parametrize("where", [".", "state", "deep/state", "../root/state"])
def test_a_state_inside_the_root_is_refused(root: Path, where: str) -> None:
    with pytest.raises(Malformed, match="inside"):
        prepare(root, root / where)
    assert list(root.iterdir()) == []


def test_a_state_that_a_link_leads_into_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(Malformed):
        prepare(root, tmp_path / "link" / "state")


def test_a_root_that_is_no_folder_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("missing", "file"):
        with pytest.raises(NotFound):
            prepare(tmp_path / name, tmp_path / "state")


def test_the_state_of_another_root_is_refused_unless_it_is_adopted(root: Path, tmp_path: Path) -> None:
    directory = prepare(root, tmp_path / "state")
    root.rename(tmp_path / "old")
    root.mkdir()
    with pytest.raises(Conflict, match="--adopt"):
        prepare(root, tmp_path / "state")
    assert prepare(root, tmp_path / "state", adopt=True) == directory
    assert prepare(root, tmp_path / "state") == directory
    with pytest.raises(Conflict):
        prepare(tmp_path / "old", tmp_path / "state")


def test_a_root_that_was_renamed_is_the_same_root(root: Path, tmp_path: Path) -> None:
    prepare(root, tmp_path / "state")
    moved = root.rename(tmp_path / "moved")
    assert prepare(moved, tmp_path / "state").root == moved


@pytest.mark.parametrize("record", [{"format": 2}, {"format": "new"}, {}, []])
def test_a_newer_state_is_refused_in_words_and_left_alone(root: Path, tmp_path: Path, record: object) -> None:
    directory = prepare(root, tmp_path / "state")
    file = directory.path / "root.json"
    file.write_text(json.dumps(record))
    for adopt in (False, True):
        with pytest.raises(Conflict, match="newer"):
            prepare(root, directory.path, adopt=adopt)
    assert json.loads(file.read_text()) == record


def test_a_damaged_record_is_refused(root: Path, tmp_path: Path) -> None:
    directory = prepare(root, tmp_path / "state")
    (directory.path / "root.json").write_bytes(b"{")
    with pytest.raises(Conflict, match="damaged"):
        prepare(root, directory.path)


def test_a_second_server_is_refused_and_told_whose_the_state_is(root: Path, tmp_path: Path) -> None:
    directory = prepare(root, tmp_path / "state")
    with directory.hold(now=NOW, pid=4321):
        with pytest.raises(Locked, match=f"process 4321 on {re.escape(socket.gethostname())}, since 2026-11-18T11:06:40Z"):
            directory.hold(now=NOW + 9)
        assert (directory.path / "lock").read_text().split()[0] == "4321"
    directory.hold(now=NOW).release()


def test_a_second_server_with_another_state_is_refused_and_told_whose_the_root_is(root: Path, tmp_path: Path) -> None:
    with prepare(root, tmp_path / "one").hold(now=NOW), pytest.raises(Locked, match=f"root is in use by process {os.getpid()}, since 20"):
        prepare(root, tmp_path / "two").hold(now=NOW)
    with prepare(root, tmp_path / "two").hold(now=NOW) as hold:
        hold.release()
        hold.release()


HOLDER = """
import sys, time
from pathlib import Path
from collab.state.directory import prepare
with prepare(Path(sys.argv[1]), Path(sys.argv[2])).hold(now=time.time()):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_locks_end_with_the_process_however_it_ends(root: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root), str(tmp_path / "state")],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        directory = prepare(root, tmp_path / "state")
        with pytest.raises(Locked, match=f"process {holder.pid} "):
            directory.hold(now=NOW)
        with pytest.raises(Locked, match=f"process {holder.pid}, "):
            prepare(root, tmp_path / "other").hold(now=NOW)
        holder.kill()
        holder.wait()
        directory.hold(now=NOW).release()
