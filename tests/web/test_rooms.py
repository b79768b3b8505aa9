"""From the handshake of a room's path to its connection (WIRE-11, LIMIT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from runtime.stage import Stage
from web.test_admission import NOW, SECRET, admission

from collab.access import Grant, Person, Role, sign
from collab.runtime.connection import Connection
from collab.runtime.refusals import HELD
from collab.web.handshake import Handshake, Refusal
from collab.web.rooms import RoomDoor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.runtime.outbound import Inbound


class Deaf:
    """The door's end of a connection that nobody looks at."""

    limit = 0

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def close(self, code: int, reason: str) -> None:
        """It is over."""

    def pause(self) -> None:
        """Nothing comes."""

    def resume(self) -> None:
        """Nothing comes."""

    def buffered(self) -> int:
        return 0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    made.files.poke("notes.md", b"one\n")
    await made.start()
    yield made
    await made.end()


def opened(stage: Stage, path: bytes, query: bytes = b"") -> Inbound | Refusal:
    door = RoomDoor(stage.rooms, admission(), "")
    return door.open(Handshake(path, query, [(b"host", b"127.0.0.1:8000")], ("192.0.2.7", 4000), "http"), Deaf())


async def test_while_very_many_refused_clients_are_held_others_still_come_in(stage: Stage) -> None:
    """WIRE-11: Hocuspocus clients sign in after the handshake, and whoever has a token is no refused client."""
    for number in range(HELD):
        assert isinstance(opened(stage, b"/ws/notes.md", b"token=%d" % number), Connection)
    assert stage.rooms.refusals.full
    refused = opened(stage, b"/ws/notes.md", b"token=wrong")
    assert isinstance(refused, Refusal)
    assert refused.status == 429
    assert isinstance(opened(stage, b"/collaboration"), Connection)
    token = sign(Grant(Person("name:Ada", "Ada"), Role.EDITOR, expires=NOW + 60), SECRET, now=NOW)
    assert isinstance(opened(stage, b"/ws/notes.md", b"token=" + token.encode()), Connection)
