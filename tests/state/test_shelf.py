"""What each person keeps at hand (HTTP-13)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from collab.errors import Conflict
from collab.state.database import Database
from collab.state.shelf import MISSED, RECENT, STARS, Kept, Shelf
from collab.state.tables import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    database = Database(None, STATE)
    yield Shelf(database)
    database.close()


async def kept(shelf: Shelf, person: str = "ann") -> list[Kept]:
    return sorted(await shelf.kept(person), key=lambda each: each.document)


async def test_a_star_keeps_its_first_time_and_can_be_taken_twice(shelf: Shelf) -> None:
    await shelf.star("ann", "id:a", 1)
    await shelf.star("ann", "id:a", 2)
    assert await kept(shelf) == [Kept("id:a", 1, None, None)]
    assert await shelf.starred("ann") == {"id:a"}
    for _ in range(2):
        await shelf.unstar("ann", "id:a")
    assert await kept(shelf) == []


async def test_a_visit_counts_with_its_last_time_and_leaves_the_star(shelf: Shelf) -> None:
    await shelf.visit("ann", "id:a", 1)
    await shelf.star("ann", "id:a", 2)
    await shelf.visit("ann", "id:a", 3)
    assert await kept(shelf) == [Kept("id:a", 2, 3, None)]
    await shelf.unstar("ann", "id:a")
    assert await kept(shelf) == [Kept("id:a", None, 3, None)]


async def test_each_person_has_a_shelf_of_their_own(shelf: Shelf) -> None:
    await shelf.star("ann", "id:a", 1)
    await shelf.visit("bob", "id:a", 1)
    assert await kept(shelf, "bob") == [Kept("id:a", None, 1, None)]
    assert await shelf.starred("bob") == frozenset()


async def test_the_last_visits_are_kept_and_every_star(shelf: Shelf) -> None:
    await shelf.star("ann", "id:0", 0)
    for number in range(RECENT + 3):
        await shelf.visit("ann", f"id:{number}", number)
    documents = {each.document: each for each in await shelf.kept("ann")}
    assert len(documents) == RECENT + 1
    assert documents["id:0"] == Kept("id:0", 0, None, None)
    assert "id:2" not in documents
    assert documents["id:3"].opened == 3


async def test_too_many_stars_are_refused_and_one_that_is_there_is_none_more(shelf: Shelf) -> None:
    for number in range(STARS):
        await shelf.star("ann", f"id:{number}", number)
    with pytest.raises(Conflict, match="take a star"):
        await shelf.star("ann", "id:more", 1)
    await shelf.star("ann", "id:0", 1)
    await shelf.star("bob", "id:more", 1)
    assert len(await shelf.starred("ann")) == STARS


async def test_what_is_gone_is_remembered_for_a_while(shelf: Shelf) -> None:
    await shelf.star("ann", "id:a", 1)
    await shelf.star("bob", "id:a", 1)
    await shelf.tidy("ann", gone=["id:a"], back=[], now=10)
    await shelf.tidy("ann", gone=["id:a"], back=[], now=10 + MISSED - 1)
    assert await kept(shelf) == [Kept("id:a", 1, None, 10)]
    await shelf.tidy("ann", gone=[], back=["id:a"], now=11)
    assert await kept(shelf) == [Kept("id:a", 1, None, None)]
    await shelf.tidy("ann", gone=["id:a"], back=[], now=20)
    await shelf.tidy("ann", gone=["id:a"], back=[], now=20 + MISSED)
    assert await kept(shelf) == []
    assert await kept(shelf, "bob") == [Kept("id:a", 1, None, None)]


async def test_the_state_of_an_older_version_gets_a_shelf(tmp_path: Path) -> None:
    old = Database(tmp_path / "state.sqlite", STATE[:1])
    old.run_sync(lambda connection: connection.execute("INSERT INTO logins VALUES (?, 1)", (b"x",)))
    old.close()
    database = Database(tmp_path / "state.sqlite", STATE)
    await Shelf(database).star("ann", "id:a", 1)
    database.close()
    connection = sqlite3.connect(tmp_path / "state.sqlite")
    assert connection.execute("SELECT count(*) FROM logins").fetchone() == (1,)
    assert connection.execute("SELECT person, document FROM shelf").fetchall() == [("ann", "id:a")]
    connection.close()
