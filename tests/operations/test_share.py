"""`collab share`, as an operator uses it beside a running server (SHARE-2, SHARE-3, SHARE-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asking
import pytest
from operating import operate
from serving import serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from serving import Served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("share")) as served:
        served.write("work/a.md", "a\n")
        served.write("b.md", "b\n")
        (served.root / "a folder that is there").mkdir()
        yield served


def share(server: Served, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return operate(server, "share", *arguments, typed=stdin)


def done(server: Served, *arguments: str, stdin: str = "") -> list[str]:
    ran = share(server, *arguments, stdin=stdin)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return ran.stdout.splitlines()


def test_the_command_gives_what_the_next_one_lists(server: Served) -> None:
    """Processes of their own, as from a shell."""
    given = server.run("share", "add", "a folder that is there", "--group", "shell", "--role", "viewer")
    assert (given.returncode, given.stderr) == (0, ""), given.stderr
    assert given.stdout.strip() in server.run("share", "list", "a folder that is there").stdout


def test_an_operator_gives_lists_and_takes_back(server: Served) -> None:
    (person,) = done(server, "add", "work/a.md", "--person", "account:ann", "--role", "owner", "--expires", "7d")
    (group,) = done(server, "add", "work", "--group", "lab", "--role", "editor")
    (everything,) = done(server, "add", "/", "--group", "all staff", "--role", "viewer")
    listed = [line.split("\t") for line in done(server, "list", "work/a.md")]
    assert [(each[0], *each[1:3], each[4]) for each in listed] == [
        (person, "owner", "person:account:ann", ""),
        (group, "editor", "group:lab", "/work"),
        (everything, "viewer", "group:all staff", "/"),
    ]
    assert listed[0][3].endswith("+00:00")
    assert done(server, "remove", "work/a.md", person) == [f"taken back: {person}"]
    assert share(server, "remove", "work/a.md", group).returncode == 2
    assert [line.split("\t")[0] for line in done(server, "list", "work/")] == [group, everything]


def test_a_link_is_printed_once_and_opens_the_running_server(server: Served) -> None:
    link, address = done(server, "add", "b.md", "--link", "--role", "editor", "--uses", "2", "--password", stdin="correct horse\n")
    assert address.startswith(f"{server.url}/s/")
    page = asking.get(address, timeout=60)
    assert (page.status_code, 'name="password"' in page.text) == (200, True)
    entered = asking.request(
        "POST",
        address,
        data={"name": "Gil", "password": "correct horse"},
        headers={"Origin": server.url},
        timeout=60,
        follow_redirects=False,
    )
    assert (entered.status_code, entered.headers["location"]) == (303, "/edit/b.md")
    assert [link, "editor", "link"] in [line.split("\t")[:3] for line in done(server, "list", "b.md")]
    done(server, "remove", "b.md", link)
    assert asking.get(address, timeout=60).status_code == 410


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "nowhere.md", "--group", "lab", "--role", "viewer"), "there is no document or folder nowhere.md"),
        (("add", "b.md", "--link", "--role", "owner"), "--role viewer or editor"),
        (("add", "b.md", "--link", "--role", "viewer", "--uses", "0"), "from 1 on"),
        (("add", "b.md", "--link", "--role", "viewer", "--password"), "at least 6"),
        (("add", "b.md", "--group", "lab", "--role", "viewer", "--uses", "3"), "are of links"),
        (("add", "b.md", "--group", "lab", "--role", "viewer", "--expires", "soon"), "a duration is written"),
        (("add", "b.md", "--role", "viewer"), "one of the arguments"),
        (("remove", "b.md", "nothing"), "no such share"),
    ],
)
def test_what_cannot_be_is_one_line_that_says_what_to_do(server: Served, arguments: tuple[str, ...], words: str) -> None:
    ran = share(server, *arguments, stdin="short\n")
    assert (ran.returncode, words in ran.stderr) == (2, True), ran.stderr
