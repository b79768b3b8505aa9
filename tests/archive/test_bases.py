"""RESTORE-2: the archive of a restored backup, on SQLite and on PostgreSQL whose dump is newer than the journal."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from postgres import Postgres, postgres

from collab.archive.store import Archive
from collab.ports import Kept, Part, Version

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
async def archive(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Archive]:
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    archive = Archive(server.empty() if server is not None else f"sqlite:///{tmp_path / 'archive.sqlite'}")
    yield archive
    await archive.close()


def kept(place: int, *merges: int) -> Kept:
    return Kept(f"{place}", place, merges, 1.0, ours=True)


async def test_parts_are_rewritten_and_what_the_journal_does_not_know_goes(archive: Archive) -> None:
    bases = archive.bases
    await bases.keep("id:a", Part(0, 4, b"one"), [kept(2), kept(3, 4), kept(4)])
    await bases.keep("id:a", Part(4, 9, b"two"), [kept(6), kept(5, 8)])
    await bases.keep("id:b", Part(0, 9, b"other"), [kept(9)])
    for number, body in ((3, b"x"), (9, b"y")):
        await archive.versions.add("id:a", Version(number, 1.0, sha256(body).hexdigest(), 1, "save"), body)
    await archive.authors.put("id:a", 9, b"authors")

    for _ in range(2):  # a restore that was cut off is done again
        await bases.rewrite("id:a", lambda part: Part(part.first, part.last, part.body.upper()), 6)

    assert await bases.parts("id:a", 0, 100) == [Part(0, 4, b"ONE")]
    assert {each.place for each in await bases.recent("id:a", 10)} == {2, 3, 4, 6}
    assert await archive.authors.get("id:a") is None
    assert [each.number for each in await archive.versions.list("id:a")] == [9, 3]
    assert await archive.versions.last() == 9
    assert [part.body for part in await bases.parts("id:b", 0, 100)] == [b"other"]
    await bases.rewrite("id:none", lambda part: part, 6)
