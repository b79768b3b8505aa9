"""Archives of each kind, for tests of what all of them do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from serving import PATIENCE

from collab.archive import engine
from collab.archive.memory import MemoryArchive
from collab.archive.store import Archive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from postgres import Postgres

SMALL = 4_200
"""Bytes of a document's parts in these tests."""


class Place:
    """Where an archive is, for several nodes at once."""

    def __init__(self, kind: str, folder: Path, request: pytest.FixtureRequest) -> None:
        self.kind = kind
        self.memory = MemoryArchive(most=SMALL)
        server: Postgres | None = request.getfixturevalue("postgres") if kind == "postgresql" else None
        self.url = server.empty() if server is not None else f"sqlite:///{folder / 'archive.sqlite'}"
        self.opened: list[Any] = []

    def node(self) -> Any:
        """An archive on the same database."""
        archive = self.memory if self.kind == "memory" else Archive(self.url, most=SMALL)
        self.opened.append(archive)
        return archive


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    # Many write at once, each with a sync of its own: on a slow disk the last one waits for longer than anybody does in a server.
    monkeypatch.setattr(engine, "BUSY", PATIENCE)
    made = Place(request.param, tmp_path, request)
    yield made
    for archive in made.opened:
        await archive.close()


@pytest.fixture
def archive(place: Place) -> Any:
    return place.node()
