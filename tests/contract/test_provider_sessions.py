"""What every store of what providers gave does: in memory, on SQLite, and on a PostgreSQL that the tests start (SIGN-8, SIGN-10)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from archives import archive, place
from postgres import postgres

from collab.archive.store import Archive
from collab.errors import Unavailable
from collab.ports import ProviderSession

if TYPE_CHECKING:
    from pathlib import Path

    from archives import Place

__all__ = ["archive", "place", "postgres"]

SECRET = b"a secret of 32 characters or more"
ANN, BOB = "oidc:ann", "oidc:bob"


def made(session: str = "s1", *, person: str = ANN, due: float = 10.0) -> ProviderSession:
    return ProviderSession(session, person, f'{{"refresh": "of {session}: ø", "sub": "1"}}', due)


async def test_what_a_provider_gave_comes_back_when_it_is_due_longest_first(archive: Any) -> None:
    sessions = archive.provider_sessions(SECRET)
    for each in (made("s1", due=3.0), made("s2", due=1.0), made("s3", due=2.0), made("later", due=9.0)):
        await sessions.put(each)
    assert await sessions.take(0.5, 100.0, limit=9) == []
    assert list(await sessions.take(5.0, 100.0, limit=2)) == [made("s2", due=1.0), made("s3", due=2.0)]
    assert list(await sessions.take(5.0, 100.0, limit=2)) == [made("s1", due=3.0)]
    assert await sessions.take(5.0, 100.0, limit=2) == []
    assert list(await sessions.take(9.0, 100.0, limit=9)) == [made("later", due=9.0)]
    # Who took them and fell silent has them no longer.
    assert {each.sign_in for each in await sessions.take(100.0, 200.0, limit=9)} == {"s1", "s2", "s3", "later"}


async def test_what_is_known_now_replaces_what_was_known(archive: Any) -> None:
    sessions = archive.provider_sessions(SECRET)
    await sessions.put(made())
    newer = replace(made(), tokens='{"refresh": "the next"}', due=20.0)
    await sessions.put(newer)
    assert await sessions.take(10.0, 100.0, limit=9) == []
    assert list(await sessions.take(20.0, 100.0, limit=9)) == [newer]
    await sessions.postpone("s1", 30.0)
    await sessions.postpone("never", 1.0)
    assert await sessions.take(29.0, 100.0, limit=9) == []
    assert list(await sessions.take(30.0, 100.0, limit=9)) == [replace(newer, due=30.0)]


async def test_what_is_over_is_kept_no_more_one_by_one_or_with_its_person(archive: Any) -> None:
    sessions = archive.provider_sessions(SECRET)
    for each in (made("s1"), made("s2"), made("s3"), made("other", person=BOB)):
        await sessions.put(each)
    await sessions.end("s1")
    await sessions.end("s1")
    assert {each.sign_in for each in await sessions.take(10.0, 10.0, limit=9)} == {"s2", "s3", "other"}
    await sessions.forget(ANN)
    await sessions.forget(ANN)
    assert list(await sessions.take(10.0, 100.0, limit=9)) == [made("other", person=BOB)]


async def test_each_is_given_to_one_node_alone(place: Place) -> None:
    nodes = [place.node().provider_sessions(SECRET) for _ in range(4)]
    for number in range(40):
        await nodes[0].put(made(f"s{number}"))
    taken = await asyncio.gather(*(nodes[number % 4].take(10.0, 100.0, limit=3) for number in range(24)))
    # Nodes that ask at the same moment may be given fewer, and then ask again.
    found = [each.sign_in for some in taken for each in some]
    while more := await nodes[1].take(10.0, 100.0, limit=9):
        found += [each.sign_in for each in more]
    assert sorted(found) == sorted(f"s{number}" for number in range(40))


async def test_what_was_sealed_under_another_secret_is_given_to_nobody_and_goes(tmp_path: Path) -> None:
    """SIGN-8: nothing that a provider gave can be read at rest."""
    archive = Archive(f"sqlite:///{tmp_path / 'archive.sqlite'}")
    ours, others = archive.provider_sessions(SECRET), archive.provider_sessions(b"another secret, as long as the 1st")
    await others.put(made())
    await ours.put(made("s2"))
    for file in sorted(tmp_path.iterdir()):  # noqa: ASYNC240  # three small files
        assert b"refresh" not in file.read_bytes()
    assert list(await ours.take(10.0, 10.0, limit=9)) == [made("s2")]
    assert list(await others.take(10.0, 10.0, limit=9)) == []
    await archive.close()


async def test_a_store_that_is_away_says_so(place: Place) -> None:
    node = place.node()
    sessions = node.provider_sessions(SECRET)
    if place.kind == "memory":
        node.refuse("the disk is away")
    else:
        await node.close()
    for call in (
        sessions.put(made()),
        sessions.take(1.0, 2.0, limit=1),
        sessions.postpone("s1", 1.0),
        sessions.end("s1"),
        sessions.forget(ANN),
    ):
        with pytest.raises(Unavailable):
            await call
