"""PROC-1, PROC-9: one server for one folder and one state; commands work beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import asking
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from serving import Served


@pytest.mark.parametrize("same", ["root", "state", "both"])
def test_a_second_server_on_the_same_root_or_state_is_refused_and_told_whose_it_is(
    same: Literal["root", "state", "both"], server: Served, tmp_path: Path
) -> None:
    (tmp_path / "other root").mkdir()
    root = tmp_path / "other root" if same == "state" else server.root
    state = tmp_path / "other state" if same == "root" else server.state
    second = replace(server, root=root, state=state, port=0, process=None)

    refused = second.run("serve", "--port", "0", "--adopt")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert str(server.pid) in refused.stderr
    assert refused.stderr.strip().count("\n") == 0
    assert asking.get(f"{server.url}/healthz").status_code == 200


def test_a_killed_server_leaves_no_lock_behind(server: Served) -> None:
    server.kill()
    server.start()
    assert asking.get(f"{server.url}/readyz").status_code == 200


def test_tokens_and_addresses_are_made_beside_a_running_server_and_before_the_first_start(server: Served, tmp_path: Path) -> None:
    beside = server.run("token", "--all", "--role", "viewer", "--name", "Ann", "--expires", "1h")
    (tmp_path / "new root").mkdir()
    before = replace(server, root=tmp_path / "new root", state=tmp_path / "new state", port=0, process=None)
    made = before.run("token", "--all", "--role", "editor", "--name", "Ann", "--expires", "1h")

    assert (beside.returncode, made.returncode) == (0, 0)
    listed = asking.get(f"{server.url}/api/documents", headers={"Authorization": f"Bearer {beside.stdout.strip()}"})
    assert listed.status_code == 200
    before.start()
    try:
        listed = asking.get(f"{before.url}/api/documents", headers={"Authorization": f"Bearer {made.stdout.strip()}"})
        assert listed.status_code == 200
    finally:
        before.kill()
