"""What every journal does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis_server import RedisServer, a_node, known, redis_server

from collab.errors import Unavailable
from collab.journal.memory import MemoryJournal
from collab.journal.sqlite import SqliteJournal
from collab.ports import Kind, Log, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from collab.ports import Journal

__all__ = ["redis_server"]

A = "id:" + "a" * 26
B = "id:" + "b" * 26


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        prefix = server.prefix()
        await known(server.url, prefix)
        async with a_node(server.url, prefix) as node:
            for document in (A, B):
                await node.placement.claim(document)
            yield node.journal
        return
    made: Any = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.sqlite")
    yield made
    await made.close()


def update(number: int) -> Record:
    return Record(Kind.UPDATE, b"%d" % number)


async def test_an_unknown_document_has_an_empty_log(journal: Journal) -> None:
    assert await journal.load(A) == Log()


async def test_records_come_back_as_they_were_in_the_order_of_the_calls(journal: Journal) -> None:
    records = [
        Record(Kind.SEED, b"seed", {"lineage": 7, "form": {"bom": True}}),
        Record(Kind.UPDATE, b"\0\xff"),
        Record(Kind.MERGE, b"", {"hash": "é"}),
        Record(Kind.ANNOUNCE, meta={"hash": "x"}),
        Record(Kind.SAVED, meta={"place": 4}),
    ]
    positions = [await journal.append(A, record) for record in records]
    log = await journal.load(A)
    assert log.records == tuple(zip(positions, records, strict=True))
    assert positions == sorted(set(positions))


async def test_call_order_is_log_order_without_waiting(journal: Journal) -> None:
    futures = [journal.append(A if number % 2 else B, update(number)) for number in range(500)]
    positions = await asyncio.gather(*futures)
    assert positions == sorted(positions)
    assert [record.body for _, record in (await journal.load(B)).records] == [b"%d" % number for number in range(0, 500, 2)]


async def test_load_sees_what_was_appended_before_and_not_awaited(journal: Journal) -> None:
    waiting = [journal.append(A, update(number)) for number in range(50)]
    assert len((await journal.load(A)).records) == 50
    await asyncio.gather(*waiting)


async def test_an_append_that_nobody_awaits_or_that_is_given_up_is_durable_all_the_same(journal: Journal) -> None:
    given_up = asyncio.ensure_future(journal.append(A, update(1)))
    journal.append(A, update(2))
    given_up.cancel()
    assert [record.body for _, record in (await journal.load(A)).records] == [b"1", b"2"]


async def test_a_checkpoint_replaces_the_records_up_to_and_with_its_position(journal: Journal) -> None:
    first, second, third = [await journal.append(A, update(number)) for number in range(3)]
    other = await journal.append(B, update(9))
    await journal.checkpoint(A, second, b"state", {"lineage": 7})
    log = await journal.load(A)
    assert (log.checkpoint, log.meta, log.position) == (b"state", {"lineage": 7}, second)
    assert [at for at, _ in log.records] == [third]
    assert [at for at, _ in (await journal.load(B)).records] == [other]
    assert first < second


async def test_a_later_checkpoint_replaces_an_earlier_one_and_never_the_other_way(journal: Journal) -> None:
    first, second = [await journal.append(A, update(number)) for number in range(2)]
    await journal.checkpoint(A, second, b"later", {})
    await journal.checkpoint(A, first, b"earlier", {})
    assert (await journal.load(A)).checkpoint == b"later"


async def test_forget_drops_one_documents_log(journal: Journal) -> None:
    position = await journal.append(A, update(1))
    await journal.append(B, update(2))
    await journal.checkpoint(A, position, b"state", {})
    journal.append(A, update(3))
    await journal.forget(A)
    assert await journal.load(A) == Log()
    assert len((await journal.load(B)).records) == 1
    assert await journal.unsaved() == [B]


async def test_a_forgotten_document_may_begin_again(journal: Journal) -> None:
    await journal.append(A, update(1))
    await journal.forget(A)
    await journal.append(A, update(2))
    assert [record.body for _, record in (await journal.load(A)).records] == [b"2"]


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.MERGE])
async def test_a_document_is_unsaved_from_an_edit_until_its_place_is_saved(journal: Journal, kind: Kind) -> None:
    await journal.append(A, Record(Kind.SEED, b"seed"))
    assert await journal.unsaved() == []
    await journal.append(A, Record(kind, b"edit"))
    assert await journal.unsaved() == [A]
    place = await journal.append(A, Record(Kind.ANNOUNCE, meta={"hash": "x"}))
    assert await journal.unsaved() == [A]
    await journal.append(A, Record(Kind.SAVED, meta={"place": place}))
    assert await journal.unsaved() == []


async def test_an_edit_between_announce_and_saved_leaves_the_document_unsaved(journal: Journal) -> None:
    await journal.append(A, update(1))
    place = await journal.append(A, Record(Kind.ANNOUNCE))
    await journal.append(A, update(2))
    await journal.append(A, Record(Kind.SAVED, meta={"place": place}))
    assert await journal.unsaved() == [A]


async def test_a_checkpoint_does_not_change_what_is_unsaved(journal: Journal) -> None:
    await journal.checkpoint(A, await journal.append(A, update(1)), b"state", {})
    place = await journal.append(B, Record(Kind.ANNOUNCE))
    await journal.checkpoint(B, await journal.append(B, Record(Kind.SAVED, meta={"place": place})), b"state", {})
    assert await journal.unsaved() == [A]


async def test_a_closed_journal_takes_nothing(journal: Journal) -> None:
    closing: Any = journal
    await closing.close()
    with pytest.raises(Unavailable):
        await journal.append(A, update(1))
    with pytest.raises(Unavailable):
        await journal.load(A)
    await closing.close()


async def test_closing_makes_durable_what_waits(journal: Journal) -> None:
    closing: Any = journal
    futures = [journal.append(A, update(number)) for number in range(100)]
    await closing.close()
    assert len(await asyncio.gather(*futures)) == 100


async def test_meta_that_is_no_json_fails_at_the_call_and_harms_nobody(journal: Journal) -> None:
    with pytest.raises(TypeError):
        journal.append(A, Record(Kind.UPDATE, b"", {"what": object()}))
    await journal.append(A, update(1))
    assert len((await journal.load(A)).records) == 1


async def test_there_is_no_trouble_when_there_is_none(journal: Journal) -> None:
    await journal.append(A, update(1))
    assert journal.trouble is None
