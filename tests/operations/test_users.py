"""`collab user` beside a running server (SIGN-4)."""

from __future__ import annotations

import asyncio
import io
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from operating import operate
from serving import Served, serving, until

from collab.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("users")) as served:
        yield served


def shell(server: Served, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A process of its own, as from a shell."""
    return subprocess.run(
        server.command("user", *arguments), input=typed, capture_output=True, text=True, env=server.variables(), timeout=60, check=False
    )


async def user(server: Served, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(operate, server, "user", *arguments, typed=typed)


def signed_in(server: Served, login: str, password: str = PASSWORD) -> httpx.Client:
    client = httpx.Client(base_url=server.url, headers={"Origin": server.url}, timeout=60)
    answer = client.post("/api/session", json={"account": login, "password": password})
    if answer.is_error:
        client.close()
    answer.raise_for_status()
    return client


async def test_an_account_is_made_used_changed_and_removed_while_the_server_runs(server: Served) -> None:
    """SIGN-4: within a second nothing of a session counts any more."""
    added = shell(server, "add", "Ada", "--display", "Ada Lovelace", "--group", "staff", "--group", "physics", typed=PASSWORD + "\n")
    assert (added.returncode, added.stdout) == (0, "added: ada\n"), added.stderr
    again = await user(server, "add", "ada", typed=PASSWORD + "\n")
    assert again.returncode == 2
    assert "there is an account 'ada' already" in again.stderr
    login, state, day, groups, name = (await user(server, "list")).stdout.rstrip("\n").split("\t")
    assert (login, state, groups, name) == ("ada", "enabled", "physics,staff", "Ada Lovelace")
    assert len(day) == 10
    client = signed_in(server, "ada")
    assert client.get("/api/session").json()["name"] == "Ada Lovelace"

    assert (await user(server, "change", "ada", "--display", "Ada King", "--no-groups")).returncode == 0
    assert (await user(server, "list")).stdout.endswith("\t-\tAda King\n")

    for act, typed, told in (
        ("password", "another good one\n", "changed: ada, and 1 session ended\n"),
        ("disable", "", "disabled: ada, and 1 session ended\n"),
        ("remove", "", "removed: ada\n"),
    ):
        assert (await user(server, act, "ada", typed=typed)).stdout == told
        await until(lambda client=client: client.get("/api/session").status_code == 401)  # type: ignore[misc]  # bound
        client.close()
        if act == "password":
            client = signed_in(server, "ada", "another good one")
        elif act == "disable":
            with pytest.raises(httpx.HTTPStatusError):
                signed_in(server, "ada", "another good one")
            assert (await user(server, "enable", "ada")).stdout == "enabled: ada\n"
            client = signed_in(server, "ada", "another good one")
            await user(server, "disable", "ada")
    assert (await user(server, "list")).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("add", "ada"), "short\n", "at least 10"),
        (("add", "ada"), "", "at least 10"),
        (("add", "a b"), PASSWORD, "letters, digits"),
        (("add", "ada", "--display", "\u202e"), PASSWORD, "1 to 60 characters"),
        (("add", "ada", "--group", " "), PASSWORD, "group's name"),
        (("password", "nobody"), PASSWORD, "no account 'nobody'"),
        (("disable", "nobody"), "", "collab user list"),
        (("enable", "nobody"), "", "no account"),
        (("remove", "nobody"), "", "no account"),
        (("change", "nobody", "--no-groups"), "", "no account"),
        (("change", "ada"), "", "say what to change"),
        (("change", "ada", "--group", "a", "--no-groups"), "", "not both"),
        (("add", "ada", "--password", PASSWORD), "", "unrecognized arguments"),
        ((), "", "required: WHAT"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], typed: str, words: str
) -> None:
    """SIGN-2, SIGN-4: a password is no argument."""
    (tmp_path / "root").mkdir()
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    place = ("--root", str(tmp_path / "root"), "--state", str(tmp_path / "state"))
    try:
        status = main(["user", *arguments, *(place if arguments else ())])
    except SystemExit as end:
        status = int(str(end.code))
    told = capsys.readouterr()
    assert (status, told.out) == (2, "")
    assert words in told.err
    assert told.err.count("\n") == 1
