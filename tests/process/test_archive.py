"""A running server whose archive goes away and comes back (HISTORY-5): a real PostgreSQL that is killed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
from postgres import Postgres, postgres
from serving import Served, serving, until

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["postgres"]

NAME = "notes.md"


def asker(server: Served) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token('Ann')}"}, timeout=60)


async def write(server: Served, text: str) -> None:
    """Somebody says what the text is now; until the file says so too."""
    with asker(server) as ask:
        put = await asyncio.to_thread(ask.put, f"/api/documents/{NAME}/content", content=text, headers={"If-Match": "*"})
    assert put.status_code < 300, put.text
    await server.shows(NAME, text)


def told(server: Served, path: str) -> tuple[int, str]:
    answer = httpx.get(server.url + path)
    return answer.status_code, answer.text


def bodies(server: Served) -> list[str]:
    """What the history has, oldest first; nothing while it does not answer."""
    with asker(server) as ask:
        answer = ask.get(f"/api/documents/{NAME}/versions")
        if answer.status_code == 503:
            return []
        found = [version["number"] for version in answer.json()["versions"]]
        return [ask.get(f"/api/documents/{NAME}/versions/{number}/content").text for number in reversed(found)]


async def test_people_edit_and_save_while_postgresql_is_away_and_no_version_is_missing_afterwards(
    tmp_path: Path, postgres: Postgres
) -> None:
    """HISTORY-5."""
    with serving(tmp_path, COLLAB_ARCHIVE=postgres.new(), COLLAB_SAVE_DELAY="0.1") as server:
        server.write(NAME, "start\n")
        await write(server, "start\none\n")
        postgres.stop()
        try:
            for text in ("start\none\ntwo\n", "start\none\ntwo\nthree\n"):
                await write(server, text)
            assert await until(lambda: "collab_archive_behind 1.0" in told(server, "/metrics")[1])
            status, words = told(server, "/readyz")
            assert (status, "the archive takes nothing" in words) == (200, True)
            assert bodies(server) == []
        finally:
            postgres.start()
        wanted = ["start\n", "start\none\n", "start\none\ntwo\n", "start\none\ntwo\nthree\n"]
        await until(lambda: bodies(server) == wanted, within=60, saying=lambda: bodies(server))
        assert "collab_archive_behind 0.0" in told(server, "/metrics")[1]
        assert told(server, "/readyz") == (200, "ready\n")
