"""AUTHORS-6: one command erases a person, beside a running server, and nothing in the state tells the name any more."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from postgres import Postgres, postgres
from serving import Served, serving

from collab.access import Grant, Role, sign
from collab.archive.rows import Damaged, unpressed
from collab.archive.store import Archive
from collab.runtime import saver
from collab.web.sessions import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["postgres"]

NAME = "Zebulon Quastel"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, COLLAB_SAVE_DELAY="0.1") as served:
        yield served


def somebody(server: Served, name: str) -> httpx.Client:
    """With a token as `collab token` makes it."""
    now = time.time()
    token = sign(Grant(named(name), Role.EDITOR, expires=now + 3600), server.secret(), now=now)
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def put(client: httpx.Client, body: str) -> None:
    client.put("/api/documents/a.md/content", content=body.encode(), headers={"If-Match": "*"}).raise_for_status()


def told(client: httpx.Client) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/api/documents/a.md/authors").raise_for_status().json()["authors"]
    return found


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of all files, and of what is packed in their databases."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.suffix == ".sqlite":
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in connection.execute(f"SELECT * FROM {table}"):
                    yield from ((table, _opened(value)) for value in row if isinstance(value, bytes))
            connection.close()


def _opened(value: bytes) -> bytes:
    try:
        return unpressed(value)
    except Damaged:
        # Not packed, or a text that is packed against another one.
        return value


def holds(folder: Path, name: str) -> list[str]:
    return [where for where, data in everything(folder) if name.encode() in data]


def test_an_erased_person_is_nowhere_in_the_state_and_comes_back_as_somebody_else(server: Served) -> None:
    """AUTHORS-6: the words stay, what was deleted stays in the bin, an older checkpoint and versions are there."""
    server.write("a.md", "start\n")
    server.write("gone.md", "gone\n")
    large = "start\n" + "a line of many words\n" * (saver.CHECKPOINT // 15)
    with somebody(server, NAME) as zeb, somebody(server, "Ann") as ann:
        put(zeb, large)
        server.restart()  # saved, with a checkpoint of the journal
        assert "authors" in [where for where, _ in everything(server.state)]
        put(ann, large + "ann\n")
        found = {each["path"]: each for each in zeb.get("/api/documents").json()["documents"]}
        zeb.put(f"/api/documents/{found['a.md']['id']}/star").raise_for_status()
        zeb.delete(f"/api/documents/{found['gone.md']['id']}", headers={"If-Match": f'"{found["gone.md"]["etag"]}"'}).raise_for_status()
        assert NAME in {each["name"] for each in told(ann)}
        assert holds(server.state, NAME)

        assert server.run("erase", "Nobody").returncode == 2
        erased = server.run("erase", NAME)
        assert (erased.returncode, erased.stderr) == (0, ""), erased.stderr
        assert erased.stdout.startswith("erased: name:")

        authors = told(ann)
        assert [(each["kind"], each["id"], each["name"], each["color"]) for each in authors if each["kind"] not in {"file", "person"}] == [
            ("erased", "", "", "")
        ]
        versions = ann.get("/api/documents/a.md/versions").json()["versions"]
        assert {"id": "", "name": "", "color": ""} in [writer for version in versions for writer in version["writers"]]
        assert [each["by"] for each in ann.get("/api/bin").json()["entries"]] == [""]
        assert zeb.get("/api/shelf").json()["starred"] == []
        assert holds(server.state, NAME) == []
        assert holds(server.root, NAME) == []

        put(zeb, large + "ann\nback\n")
        assert [each["characters"] for each in told(ann) if each["name"] == NAME] == [len("back\n")]
        assert [each["kind"] for each in told(ann)].count("erased") == 1
        assert server.run("erase", NAME).returncode == 0
        assert [each["kind"] for each in told(ann)].count("erased") == 2
        server.stop()
    assert holds(server.state, NAME) == []


async def test_old_rows_leave_a_server_of_databases_too(postgres: Postgres) -> None:
    """AUTHORS-6: PostgreSQL keeps no dead row of the person, and the archive goes on."""
    archive = Archive(postgres.empty())
    try:
        await archive.authors.meet({"zeb": NAME, "ann": "Ann"})
        assert await archive.authors.called(NAME) == ["zeb"]
        assert await archive.authors.erase("zeb")
        await archive.scrub()
        assert await archive.authors.called(NAME) == []
        assert await archive.authors.names(["zeb", "ann"]) == {"ann": "Ann"}
    finally:
        await archive.close()


async def test_two_people_of_one_name_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    """AUTHORS-6: nobody is erased for somebody else."""
    archive = Archive(f"sqlite:///{tmp_path / 'archive.sqlite'}")
    await archive.authors.meet({"one": NAME, "one~1": NAME, "two": NAME})
    assert await archive.authors.called(NAME) == ["one", "one~1", "two"]
    await archive.close()
