"""A running server whose archive goes away and comes back (HISTORY-5): a real PostgreSQL that is killed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import asking
import httpx
import pytest
from postgres import SECONDS, Postgres, postgres, programs
from serving import Served, serving, until

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["postgres"]

NAME = "notes.md"


def asker(server: Served) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token('Ann')}"}, timeout=60, verify=False)


async def write(server: Served, text: str) -> None:
    """Somebody says what the text is now; until the file says so too."""
    with asker(server) as ask:
        put = await asyncio.to_thread(ask.put, f"/api/documents/{NAME}/content", content=text, headers={"If-Match": "*"})
    assert put.status_code < 300, put.text
    await server.shows(NAME, text)


def told(server: Served, path: str) -> tuple[int, str]:
    answer = asking.get(server.url + path)
    return answer.status_code, answer.text


def bodies(server: Served) -> list[str]:
    """What the history has, oldest first; nothing while it does not answer."""
    with asker(server) as ask:
        answer = ask.get(f"/api/documents/{NAME}/versions")
        if answer.status_code == 503:
            return []
        found = [version["number"] for version in answer.json()["versions"]]
        return [ask.get(f"/api/documents/{NAME}/versions/{number}/content").text for number in reversed(found)]


@pytest.mark.parametrize("way", ["gone", "silent"])
async def test_people_edit_and_save_while_postgresql_is_away_and_no_version_is_missing_afterwards(
    tmp_path: Path, postgres: Postgres, way: str
) -> None:
    """HISTORY-5."""
    with serving(tmp_path, COLLAB_ARCHIVE=postgres.new(), COLLAB_SAVE_DELAY="0.1") as server:
        server.write(NAME, "start\n")
        await write(server, "start\none\n")
        if way == "gone":
            postgres.stop()
        else:
            postgres.pause()
        try:
            for text in ("start\none\ntwo\n", "start\none\ntwo\nthree\n"):
                await write(server, text)
            assert await until(lambda: "collab_archive_behind 1.0" in told(server, "/metrics")[1])
            await until(lambda: "the archive takes nothing" in told(server, "/readyz")[1], within=60)
            assert told(server, "/readyz")[0] == 200
            assert bodies(server) == []
        finally:
            if way == "gone":
                postgres.start()
            else:
                postgres.resume()
        wanted = ["start\n", "start\none\n", "start\none\ntwo\n", "start\none\ntwo\nthree\n"]
        await until(lambda: bodies(server) == wanted, within=60, saying=lambda: bodies(server))
        # The last version is there a moment before the server knows that nothing is owed any more.
        await until(lambda: "collab_archive_behind 0.0" in told(server, "/metrics")[1])
        await until(lambda: told(server, "/readyz") == (200, "ready\n"), saying=lambda: told(server, "/readyz"))


async def test_an_archive_in_postgresql_comes_back_from_its_own_dump_beside_the_backup(tmp_path: Path, postgres: Postgres) -> None:
    """RESTORE-1, RESTORE-2: the commands of docs/how-to/backup.md; what was saved since the backup is merged from the file."""
    dump, backup = tmp_path / "archive.dump", str(tmp_path / "state.tar")

    def program(name: str, *arguments: str) -> None:
        where = ("--host", str(postgres.folder), "--username", "collab")
        subprocess.run([programs() / name, *where, *arguments], check=True, capture_output=True, timeout=SECONDS)

    with serving(tmp_path, COLLAB_ARCHIVE=postgres.new(), COLLAB_SAVE_DELAY="0.1") as server:
        texts = ["start\n", "start\none\n", "start\none\ntwo\n"]
        server.write(NAME, texts[0])
        for text in texts[1:]:
            await write(server, text)
        await until(lambda: bodies(server) == texts, saying=lambda: bodies(server))
        made = await asyncio.to_thread(server.run, "backup", "--to", backup)
        assert made.returncode == 0, made.stderr
        program("pg_dump", "--format=custom", f"--file={dump}", f"test{postgres.made}")
        await write(server, "start\none\ntwo\nthree\n")

        await asyncio.to_thread(server.stop)
        shutil.rmtree(server.state)
        server.environment["COLLAB_ARCHIVE"] = postgres.new()
        program("pg_restore", "--no-owner", f"--dbname=test{postgres.made}", str(dump))
        restored = await asyncio.to_thread(server.run, "restore", backup)
        assert restored.returncode == 0, restored.stderr
        await asyncio.to_thread(server.start)
        await write(server, "start\none\ntwo\nthree\nfour\n")
        wanted = [*texts, "start\none\ntwo\nthree\n", "start\none\ntwo\nthree\nfour\n"]
        await until(lambda: bodies(server) == wanted, saying=lambda: bodies(server))
