"""What every archive does: in memory, on SQLite, and on a PostgreSQL that the tests start."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from archives import SMALL, Place, archive, place
from postgres import postgres

from collab.access import EVERYTHING, Role, Share, subject
from collab.archive.store import Archive
from collab.errors import Changed, NotFound, Unavailable
from collab.ports import Checkpoint, CloudSession, Kept, Link, Lock, OfficeState, Part, Rejection, Version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

__all__ = ["archive", "place", "postgres"]

DAY = 86_400.0
A = "id:" + "a" * 26
B = "id:" + "b" * 26


def hashed(body: bytes) -> str:
    return sha256(body).hexdigest()


def version(number: int, body: bytes, *, at: float | None = None, writers: tuple[str, ...] = (), source: str = "save") -> Version:
    return Version(number, float(number) if at is None else at, hashed(body), len(body), source, writers)


def kept(place: int, *, merges: tuple[int, ...] = (), at: float = 0.0, ours: bool = True) -> Kept:
    return Kept(hashed(f"{place} {merges}".encode()), place, merges, at, ours, b"\x00sketch")


def rejection(document: str, since: float = 1.0) -> Rejection:
    return Rejection(document, since, since, "id:copy", "a (conflict).docx", hashed(b"body"), 4, "it was locked", "ann", "Collabora")


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


# --- what writers may have read


async def test_nothing_is_known_of_a_document_that_nobody_told_of(archive: Any) -> None:
    assert await archive.bases.recent(A, 10) == []
    assert await archive.bases.find(A, hashed(b"")) == []
    assert await archive.bases.parts(A, 0, 100) == []
    assert list(await archive.versions.list(A)) == []
    assert await archive.versions.find(A, hashed(b"")) is None
    assert await archive.authors.get(A) is None


async def test_a_part_and_its_bases_come_back_as_they_were(archive: Any) -> None:
    """MERGE-8."""
    part = Part(0, 9, b"\0\xff" * 50)
    bases = [kept(3, at=1.5), replace(kept(5, merges=(7, 8), at=2.0), ours=False), kept(9, at=3.0)]
    await archive.bases.keep(A, part, bases)
    assert await archive.bases.parts(A, 3, 9) == [part]
    assert await archive.bases.recent(A, 10) == bases[::-1]
    assert await archive.bases.recent(A, 2) == bases[:0:-1]
    assert await archive.bases.find(A, bases[1].hash) == [bases[1]]
    assert await archive.bases.recent(B, 10) == []


async def test_parts_are_found_by_the_positions_that_they_hold_in_order(archive: Any) -> None:
    for first in (20, 0, 10):
        await archive.bases.keep(A, Part(first, first + 10, b"%d" % first), [kept(first + 10)])
    found = {span: [part.first for part in await archive.bases.parts(A, *span)] for span in ((5, 25), (11, 20), (12, 13), (31, 40))}
    assert found == {(5, 25): [0, 10, 20], (11, 20): [10], (12, 13): [10], (31, 40): []}


async def test_bases_with_the_same_body_are_told_newest_first(archive: Any) -> None:
    twice = [replace(kept(place), hash=hashed(b"same")) for place in (2, 4)]
    await archive.bases.keep(A, Part(0, 5, b"x"), twice)
    assert await archive.bases.find(A, hashed(b"same")) == twice[::-1]


@pytest.mark.parametrize("etag", ["*", "", 'W/"weak"', hashed(b"x").upper(), "é" * 32, "\ud800"])
async def test_what_is_no_hash_is_found_nowhere(archive: Any, etag: str) -> None:
    await archive.bases.keep(A, Part(0, 5, b"x"), [kept(5)])
    await archive.versions.add(A, version(5, b"x"), b"x")
    assert (await archive.bases.find(A, etag), await archive.versions.find(A, etag)) == ([], None)


async def test_the_same_part_again_changes_nothing(archive: Any) -> None:
    for _ in range(3):
        await archive.bases.keep(A, Part(0, 9, b"part"), [kept(3), kept(9)])
    assert await archive.bases.recent(A, 10) == [kept(9), kept(3)]
    assert await archive.bases.parts(A, 0, 9) == [Part(0, 9, b"part")]


async def test_of_two_parts_with_one_beginning_the_longer_one_stays(archive: Any) -> None:
    """MERGE-8: a crash came between archive and journal, and the journal went on."""
    await archive.bases.keep(A, Part(0, 9, b"part"), [kept(9)])
    await archive.bases.keep(A, Part(0, 15, b"part and more"), [kept(9), kept(12), kept(15)])
    await archive.bases.keep(A, Part(0, 9, b"part"), [kept(9)])
    assert await archive.bases.parts(A, 0, 15) == [Part(0, 15, b"part and more")]
    assert await archive.bases.recent(A, 10) == [kept(15), kept(12), kept(9)]


async def test_what_is_older_than_thirty_days_goes_with_its_bases(archive: Any) -> None:
    """MERGE-8."""
    await archive.bases.keep(A, Part(0, 9, b"old"), [kept(3, at=0.0), kept(9, at=DAY)])
    await archive.bases.keep(A, Part(9, 19, b"new"), [kept(19, at=2 * DAY)])
    await archive.bases.keep(B, Part(0, 9, b"other"), [kept(9, at=DAY)])
    await archive.bases.trim(31 * DAY)
    assert [part.first for part in await archive.bases.parts(A, 0, 100)] == [0, 9]
    await archive.bases.trim(31 * DAY + 1)
    assert [part.first for part in await archive.bases.parts(A, 0, 100)] == [9]
    assert await archive.bases.recent(A, 10) == [kept(19, at=2 * DAY)]
    assert await archive.bases.recent(B, 10) == []


async def test_a_part_stays_as_long_as_a_newer_base_is_made_of_it(archive: Any) -> None:
    """MERGE-8."""
    await archive.bases.keep(A, Part(0, 9, b"old"), [kept(9, at=0.0)])
    await archive.bases.keep(A, Part(9, 19, b"between"), [])
    await archive.bases.keep(A, Part(19, 29, b"new"), [kept(5, merges=(22,), at=20 * DAY)])
    await archive.bases.trim(40 * DAY)
    assert [part.first for part in await archive.bases.parts(A, 5, 29)] == [0, 9, 19]
    await archive.bases.trim(50 * DAY + 1)
    assert await archive.bases.parts(A, 0, 100) == []
    assert await archive.bases.recent(A, 10) == []


async def test_over_the_bound_the_oldest_parts_of_that_document_go(archive: Any) -> None:
    """MERGE-8."""
    for first in range(0, 50, 10):
        await archive.bases.keep(A, Part(first, first + 10, noise(1_000, first)), [kept(first + 10)])
    await archive.bases.keep(B, Part(0, 10, noise(1_000)), [kept(10)])
    await archive.bases.trim(0.0)
    assert [part.first for part in await archive.bases.parts(A, 0, 100)] == [10, 20, 30, 40]
    assert [base.place for base in await archive.bases.recent(A, 10)] == [50, 40, 30, 20]
    assert len(await archive.bases.parts(B, 0, 100)) == 1


async def test_a_base_goes_with_each_part_that_it_is_made_of(archive: Any) -> None:
    for first in (0, 10):
        await archive.bases.keep(A, Part(first, first + 10, noise(SMALL * 2 // 3, first)), [kept(first + 10), kept(5, merges=(first + 8,))])
    await archive.bases.trim(0.0)
    assert await archive.bases.recent(A, 10) == [kept(20)]


async def test_a_forgotten_document_leaves_nothing_and_may_begin_again(archive: Any) -> None:
    """FILE-14."""
    link = Link(hashed(b"secret"), A, "viewer", "ann", 1.0)
    for document in (A, B):
        await archive.bases.keep(document, Part(0, 9, b"part"), [kept(9)])
        await archive.versions.add(document, version(3, b"body"), b"body")
        await archive.authors.put(document, 3, b"who")
        await archive.links.add(replace(link, digest=hashed(document.encode()), target=document))
        await archive.locks.acquire(document, Lock("x", "one", "ann", 60.0))
        await archive.rejections.put(rejection(document))
    await archive.bases.forget(A)
    await archive.bases.forget(A)
    assert (await archive.bases.parts(A, 0, 100), await archive.bases.recent(A, 9), list(await archive.versions.list(A))) == ([], [], [])
    assert (await archive.authors.get(A), list(await archive.links.list(A)), await archive.locks.get(A, "x")) == (None, [], None)
    assert [each.document for each in await archive.rejections.list()] == [B]
    assert len(await archive.bases.parts(B, 0, 100)) == len(await archive.versions.list(B)) == len(await archive.links.list(B)) == 1
    await archive.versions.add(A, version(1, b"again"), b"again")
    assert (await archive.versions.read(A, 1))[1] == b"again"


# --- versions

BODIES = [b"", b"one\n", b"\xff\xfe\0 not text \x80", "Grüße 😀\r\n".encode(), b"a" * 300_000, noise(300_000), b"", b"end"]


async def test_versions_come_back_byte_for_byte(archive: Any) -> None:
    """HISTORY-2."""
    told = [version(number, body, at=number / 3, source="outside") for number, body in enumerate(BODIES, 1)]
    for each, body in zip(told, BODIES, strict=True):
        await archive.versions.add(A, each, body)
    for each, body in zip(told, BODIES, strict=True):
        assert await archive.versions.read(A, each.number) == (each, body)
    assert list(await archive.versions.list(A)) == told[::-1]


async def test_a_version_of_twenty_megabytes_comes_back(archive: Any) -> None:
    """HISTORY-2."""
    body = noise(1_000_000) * 20
    await archive.versions.add(A, version(1, body), body)
    await archive.versions.add(A, version(2, body + b"more"), body + b"more")
    assert (await archive.versions.read(A, 1))[1] == body
    assert (await archive.versions.read(A, 2))[1] == body + b"more"


async def test_the_list_is_cut_where_it_is_asked_to_be(archive: Any) -> None:
    for number in range(1, 8):
        await archive.versions.add(A, version(number * 10, b"%d" % number), b"%d" % number)
    assert [each.number for each in await archive.versions.list(A, limit=3)] == [70, 60, 50]
    assert [each.number for each in await archive.versions.list(A, before=50, limit=3)] == [40, 30, 20]
    assert list(await archive.versions.list(A, before=10)) == []
    assert list(await archive.versions.list(A, limit=0)) == []


async def test_the_same_number_or_the_newest_body_again_changes_nothing(archive: Any) -> None:
    """HISTORY-1."""
    await archive.versions.add(A, version(1, b"one"), b"one")
    await archive.versions.add(A, version(2, b"two"), b"two")
    await archive.versions.add(A, version(1, b"other"), b"other")
    await archive.versions.add(A, version(3, b"two"), b"two")
    await archive.versions.add(A, version(4, b"one"), b"one")
    assert [each.number for each in await archive.versions.list(A)] == [4, 2, 1]
    assert (await archive.versions.read(A, 1))[1] == b"one"


async def test_a_version_that_comes_late_is_put_where_it_belongs(archive: Any) -> None:
    await archive.versions.add(A, version(5, b"five"), b"five")
    await archive.versions.add(A, version(3, b"three"), b"three")
    assert [each.number for each in await archive.versions.list(A)] == [5, 3]
    assert (await archive.versions.read(A, 3))[1] == b"three"


async def test_the_newest_version_with_a_body_is_found(archive: Any) -> None:
    for number, body in ((1, b"x"), (2, b"y"), (3, b"x"), (4, b"z")):
        await archive.versions.add(A, version(number, body), body)
    found = await archive.versions.find(A, hashed(b"x"))
    assert found == version(3, b"x")
    assert await archive.versions.find(B, hashed(b"x")) is None


async def test_what_is_not_there_is_not_found(archive: Any) -> None:
    await archive.versions.add(A, version(1, b"x"), b"x")
    for document, number in ((A, 2), (B, 1)):
        with pytest.raises(NotFound, match=f"no version {number}"):
            await archive.versions.read(document, number)
        with pytest.raises(NotFound, match=f"no version {number}"):
            await archive.versions.name(document, number, "name")


async def test_a_name_is_given_and_taken_away(archive: Any) -> None:
    """HISTORY-4."""
    await archive.versions.add(A, version(1, b"x", writers=("ann",)), b"x")
    named = await archive.versions.name(A, 1, "Draft 😀")
    assert named == replace(version(1, b"x", writers=("ann",)), name="Draft 😀")
    assert list(await archive.versions.list(A)) == [named]
    assert (await archive.versions.name(A, 1, "")).name == ""


async def test_versions_are_thinned_by_age_and_the_rest_comes_back_byte_for_byte(archive: Any) -> None:
    """HISTORY-2, HISTORY-4."""
    start = 20_000 * DAY
    bodies = {number: b"line\n" * 200 + b"%d\n" % number for number in range(1, 101)}
    for number, body in bodies.items():
        await archive.versions.add(A, version(number, body, at=start + number * 1_200), body)
    await archive.versions.name(A, 2, "kept")
    await archive.versions.thin(start + 101 * 1_200)
    hours = {each.number for each in await archive.versions.list(A, limit=1000)}
    assert hours == {1, 2} | set(range(2, 30, 3)) | set(range(30, 101))
    await archive.versions.thin(start + 9 * DAY)
    there = [each.number for each in await archive.versions.list(A, limit=1000)]
    assert there == [100, 71, 2, 1]
    assert [(await archive.versions.read(A, number))[1] for number in there] == [bodies[number] for number in there]
    await archive.versions.thin(start + 900 * DAY)
    assert [each.number for each in await archive.versions.list(A)] == [100, 71, 2, 1]


async def test_a_name_that_is_taken_away_lets_the_version_go(archive: Any) -> None:
    """HISTORY-4."""
    for number in range(1, 5):
        await archive.versions.add(A, version(number, b"%d" % number, at=float(number)), b"%d" % number)
    await archive.versions.name(A, 2, "kept")
    await archive.versions.thin(30 * DAY)
    assert [each.number for each in await archive.versions.list(A)] == [4, 2, 1]
    await archive.versions.name(A, 2, "")
    await archive.versions.thin(30 * DAY)
    assert [each.number for each in await archive.versions.list(A)] == [4, 1]


# --- authors and people


async def test_who_wrote_what_is_replaced_by_what_is_known_up_to_a_later_position(archive: Any) -> None:
    await archive.authors.put(A, 5, b"\0five")
    await archive.authors.put(A, 4, b"four")
    assert await archive.authors.get(A) == (5, b"\0five")
    await archive.authors.put(A, 5, b"five again")
    await archive.authors.put(A, 6, b"")
    assert await archive.authors.get(A) == (6, b"")
    assert await archive.authors.get(B) is None


async def test_the_newest_name_of_a_person_counts(archive: Any) -> None:
    await archive.authors.meet({})
    await archive.authors.meet({"ann": "Ann", "bob": "Bob"})
    await archive.authors.meet({"ann": "Ann Ü"})
    assert await archive.authors.names(["ann", "bob", "cyd"]) == {"ann": "Ann Ü", "bob": "Bob"}
    assert await archive.authors.names([]) == {}


async def test_an_erased_person_is_nowhere_and_does_not_come_back(archive: Any) -> None:
    link = Link(hashed(b"secret"), A, "viewer", "ann", 1.0)
    await archive.authors.meet({"ann": "Ann", "bob": "Bob"})
    await archive.versions.add(A, version(1, b"x", writers=("bob", "ann")), b"x")
    await archive.links.add(link)
    assert await archive.authors.erase("ann") is True
    assert await archive.authors.erase("ann") is False
    assert await archive.authors.erase("nobody") is False
    await archive.authors.meet({"ann": "Ann"})
    await archive.versions.add(A, version(2, b"y", writers=("ann",)), b"y")
    assert await archive.authors.names(["ann", "bob"]) == {"bob": "Bob"}
    assert [each.writers for each in await archive.versions.list(A)] == [("",), ("bob", "")]
    assert await archive.links.find(link.digest) == replace(link, maker="")


async def test_a_writer_whom_nobody_met_is_known_by_id_only(archive: Any) -> None:
    await archive.versions.add(A, version(1, b"x", writers=("zoe", "ann")), b"x")
    assert (await archive.versions.list(A))[0].writers == ("zoe", "ann")
    assert await archive.authors.names(["ann"]) == {}


async def test_many_people_are_asked_for_at_once(archive: Any) -> None:
    everybody = {f"person {number}": f"Name {number}" for number in range(501)}
    await archive.authors.meet(everybody)
    assert await archive.authors.names(everybody) == everybody


@pytest.mark.parametrize("word", ["\0", "a\0b", "\ud83d", "\udc00x"])
async def test_words_that_are_no_text_do_no_harm(archive: Any, word: str) -> None:
    await archive.authors.meet({word: word})
    await archive.versions.add(A, version(1, b"x", writers=(word,)), b"x")
    await archive.versions.name(A, 1, word)
    assert len(await archive.versions.list(A)) == 1


# --- links


async def test_a_link_comes_back_as_it_was_whatever_became_of_it(archive: Any) -> None:
    first = Link(hashed(b"1"), A, "viewer", "ann", 1.0)
    second = Link(hashed(b"2"), A, "editor", "bob", 2.0, expires=9.0, password="$scrypt$…", uses=3)
    third = Link(hashed(b"3"), "a folder/ü", "viewer", "ann", 3.0)
    for link in (first, second, third, replace(second, role="owner")):
        await archive.links.add(link)
    assert await archive.links.find(second.digest) == second
    assert list(await archive.links.list(A)) == [second, first]
    assert list(await archive.links.list("a folder/ü")) == [third]
    await archive.links.revoke(first.digest, 5.0)
    await archive.links.revoke(first.digest, 6.0)
    assert list(await archive.links.list(A)) == [second, replace(first, revoked=5.0)]


async def test_each_use_of_a_link_is_counted_until_none_is_left(archive: Any) -> None:
    link = Link(hashed(b"1"), A, "viewer", "ann", 1.0, uses=2)
    await archive.links.add(link)
    assert [(await archive.links.use(link.digest, 2.0)).uses for _ in range(2)] == [1, 0]
    with pytest.raises(NotFound, match="used as often"):
        await archive.links.use(link.digest, 2.0)
    assert (await archive.links.find(link.digest)).uses == 0


async def test_a_link_without_a_number_may_be_used_always(archive: Any) -> None:
    link = Link(hashed(b"1"), A, "viewer", "ann", 1.0)
    await archive.links.add(link)
    assert [await archive.links.use(link.digest, 1e12) for _ in range(3)] == [link] * 3


async def test_a_link_that_is_over_taken_back_or_unknown_opens_nothing(archive: Any) -> None:
    over, back = (Link(hashed(word), A, "viewer", "ann", 1.0, expires=expires, uses=5) for word, expires in ((b"1", 10.0), (b"2", None)))
    for link in (over, back):
        await archive.links.add(link)
    await archive.links.revoke(back.digest, 2.0)
    assert (await archive.links.use(over.digest, 9.9)).uses == 4
    for digest, words in ((over.digest, "time is over"), (back.digest, "taken back"), (hashed(b"3"), "no such link")):
        with pytest.raises(NotFound, match=words):
            await archive.links.use(digest, 10.0)
    assert [link.uses for link in await archive.links.list(A)] == [5, 4]
    for verb in (archive.links.find(hashed(b"3")), archive.links.revoke(hashed(b"3"), 1.0)):
        with pytest.raises(NotFound, match="no such link"):
            await verb


# --- shares

ANNS = subject("person", "ann")


def shared(number: int, target: str = A, whom: str = ANNS, role: Role = Role.VIEWER, **more: Any) -> Share:
    return Share(f"s{number}", target, whom, role, float(number), **more)


async def test_shares_come_back_as_they_were_by_what_and_with_whom_they_are(archive: Any) -> None:
    """SHARE-2."""
    first, second = shared(1, maker="bob", expires=9.0), shared(2, "a folder/ü", "group:Größe ☃", Role.OWNER, folder=B)
    third = shared(3, EVERYTHING, role=Role.EDITOR)
    for share in (third, second, first):
        assert await archive.shares.add(share) == share
    link = Link(hashed(b"1"), A, "editor", "bob", 4.0, expires=7.0, password="$argon2id$…", uses=3)
    await archive.links.add(link)
    opened = Share(link.digest, A, subject("link", link.digest), Role.EDITOR, 4.0, "bob", 7.0, password=True, uses=3)
    assert list(await archive.shares.on([A, "elsewhere"])) == [first, opened]
    assert list(await archive.shares.on(["a folder/ü", EVERYTHING, A])) == [first, second, third, opened]
    assert list(await archive.shares.given([ANNS, opened.subject, "link:x", "group:x"])) == [first, third, opened]
    assert list(await archive.shares.given(["group:Größe ☃"])) == [second]
    assert await archive.shares.on([]) == await archive.shares.given([]) == await archive.shares.given(["link:" + hashed(b"2")]) == []


async def test_the_same_share_again_is_another_role_and_end(archive: Any) -> None:
    await archive.shares.add(shared(1, expires=5.0, maker="bob"))
    assert await archive.shares.add(shared(2, role=Role.EDITOR)) == shared(1, role=Role.EDITOR, maker="bob")
    await archive.shares.add(shared(3, B))
    assert await archive.shares.change(A, "s1", role=Role.OWNER, expires=8.0) == shared(1, role=Role.OWNER, expires=8.0, maker="bob")
    assert await archive.shares.change(A, "s1", expires=None) == shared(1, role=Role.OWNER, maker="bob")
    assert list(await archive.shares.given([ANNS])) == [shared(1, role=Role.OWNER, maker="bob"), shared(3, B)]


async def test_what_is_taken_back_is_no_share_and_a_link_neither(archive: Any) -> None:
    """SHARE-3."""
    link = Link(hashed(b"1"), A, "editor", "bob", 4.0)
    await archive.links.add(link)
    await archive.shares.add(shared(1))
    assert (await archive.shares.change(A, link.digest, role=Role.VIEWER, expires=6.0)).expires == 6.0
    assert await archive.links.find(link.digest) == replace(link, role="viewer", expires=6.0)
    assert await archive.shares.remove(A, "s1", 7.0) == shared(1)
    assert (await archive.shares.remove(A, link.digest, 7.0)).subject == subject("link", link.digest)
    assert list(await archive.shares.on([A])) == list(await archive.shares.given([ANNS, subject("link", link.digest)])) == []
    assert (await archive.links.find(link.digest)).revoked == 7.0
    for verb in (
        archive.shares.change(A, "s1", expires=None),
        archive.shares.remove(A, link.digest, 1.0),
        archive.shares.remove(B, "x", 1.0),
    ):
        with pytest.raises(NotFound, match="no such share"):
            await verb


async def test_a_share_is_found_by_its_own_target_only(archive: Any) -> None:
    await archive.shares.add(shared(1))
    await archive.links.add(Link(hashed(b"1"), A, "editor", "bob", 4.0))
    for share in ("s1", hashed(b"1")):
        with pytest.raises(NotFound):
            await archive.shares.remove(B, share, 1.0)
        with pytest.raises(NotFound):
            await archive.shares.change(B, share, role=Role.OWNER, expires=None)


async def test_shares_go_where_their_folders_go(archive: Any) -> None:
    """SHARE-8: also when two change places, or one comes to where another was."""
    for number, (folder, path) in enumerate([(A, "x"), (B, "y"), ("id:c", "z")]):
        await archive.shares.add(shared(number, path, folder=folder))
    link = Link(hashed(b"1"), "x", "viewer", "ann", 4.0, folder=A)
    await archive.links.add(link)
    assert dict(await archive.shares.folders()) == {A: "x", B: "y", "id:c": "z"}
    await archive.shares.move({A: "y", B: "x", "nobody": "w"})
    assert [(share.folder, share.target) for share in await archive.shares.given([ANNS])] == [(A, "y"), (B, "x"), ("id:c", "z")]
    await archive.shares.move({A: "z"})
    assert (await archive.links.find(link.digest)).target == "z"
    await archive.shares.move({"id:c": "/id:c"})
    assert dict(await archive.shares.folders()) == {A: "z", B: "x", "id:c": "/id:c"}
    await archive.links.revoke(link.digest, 5.0)
    await archive.shares.remove("z", "s0", 5.0)
    assert set(await archive.shares.folders()) == {B, "id:c"}


async def test_a_document_that_is_gone_for_good_takes_its_shares_with_it(archive: Any) -> None:
    """SHARE-8."""
    for number, document in enumerate((A, B)):
        await archive.shares.add(shared(number, document))
        await archive.links.add(Link(hashed(document.encode()), document, "viewer", "ann", 9.0))
    await archive.bases.forget(A)
    assert [share.target for share in await archive.shares.on([A, B])] == [B, B]


async def test_a_person_who_was_erased_has_no_shares_and_is_nobodys_giver(archive: Any) -> None:
    await archive.authors.meet({"ann": "Ann", "bob": "Bob"})
    await archive.shares.add(shared(1, maker="bob"))
    await archive.shares.add(shared(2, whom="person:bob", maker="ann"))
    await archive.shares.forget("bob")
    await archive.authors.erase("bob")
    assert list(await archive.shares.on([A])) == [shared(1)]


async def test_a_number_grows_with_each_change_of_who_may_do_what_and_with_nothing_else(place: Place) -> None:
    """SHARE-4: at every node."""
    here, there = place.node(), place.node()
    link = Link(hashed(b"1"), A, "editor", "bob", 4.0, uses=5)
    last = await there.shares.changes()
    changes: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: here.shares.add(shared(1)),
        lambda: here.shares.add(shared(1, role=Role.OWNER)),
        lambda: here.links.add(link),
        lambda: here.shares.change(A, "s1", expires=5.0),
        lambda: here.shares.move({B: "x"}),
        lambda: here.links.revoke(link.digest, 1.0),
        lambda: here.shares.remove(A, "s1", 1.0),
        lambda: here.bases.forget(A),
        lambda: here.shares.forget("ann"),
    )
    for change in changes:
        await change()
        grown = await there.shares.changes()
        assert grown > last
        last = grown
    await here.links.add(replace(link, digest=hashed(b"2")))
    last = await there.shares.changes()
    await here.links.use(hashed(b"2"), 1.0)
    await here.shares.move({})
    assert await there.shares.changes() == last


async def test_many_nodes_share_at_once_and_every_share_and_every_growth_is_there(place: Place) -> None:
    """SHARE-4."""
    await everywhere(place, lambda node, number: node.shares.add(shared(number, f"folder {number % 8}", f"person:{number % 3}")))
    node = place.node()
    assert len(await node.shares.given([f"person:{number}" for number in range(3)])) == 24
    assert await node.shares.changes() >= 24


# --- locks

ANN = Lock("wopi", "ann's", "ann", 60.0)
BOB = Lock("wopi", "bob's", "bob", 60.0)


def told(lock: Lock | None) -> tuple[str, str] | None:
    assert lock is None or 0 < lock.seconds <= 60.0
    return None if lock is None else (lock.id, lock.holder)


async def test_all_locks_of_a_name_that_stand_are_told(archive: Any) -> None:
    assert await archive.locks.standing("wopi") == {}
    await archive.locks.acquire(A, ANN)
    await archive.locks.acquire(B, BOB)
    await archive.locks.acquire(A, replace(BOB, name="other"))
    assert {document: told(lock) for document, lock in (await archive.locks.standing("wopi")).items()} == {
        A: ("ann's", "ann"),
        B: ("bob's", "bob"),
    }
    await archive.locks.refresh(A, replace(ANN, seconds=0.0))
    assert list(await archive.locks.standing("wopi")) == [B]


async def test_a_lock_is_held_by_whoever_came_first(archive: Any) -> None:
    assert told(await archive.locks.get(A, "wopi")) is None
    assert told(await archive.locks.acquire(A, ANN)) == ("ann's", "ann")
    assert told(await archive.locks.acquire(A, BOB)) == ("ann's", "ann")
    assert told(await archive.locks.get(A, "wopi")) == ("ann's", "ann")
    assert told(await archive.locks.acquire(A, replace(BOB, name="other"))) == ("bob's", "bob")
    assert told(await archive.locks.acquire(B, BOB)) == ("bob's", "bob")


async def test_who_takes_a_lock_again_by_its_id_holds_it_longer(archive: Any) -> None:
    await archive.locks.acquire(A, replace(ANN, seconds=1.0))
    assert (await archive.locks.acquire(A, replace(ANN, holder="ann's other window"))).seconds > 50
    assert told(await archive.locks.get(A, "wopi")) == ("ann's", "ann's other window")


async def test_a_lock_that_is_over_is_none(archive: Any) -> None:
    await archive.locks.acquire(A, replace(ANN, seconds=0.0))
    assert await archive.locks.get(A, "wopi") is None
    assert await archive.locks.refresh(A, ANN) is None
    assert await archive.locks.replace(A, BOB, ANN.id) is None
    assert await archive.locks.release(A, "wopi", BOB.id) is None
    assert told(await archive.locks.acquire(A, BOB)) == ("bob's", "bob")


async def test_only_its_id_refreshes_replaces_and_frees_a_lock(archive: Any) -> None:
    """Each verb with each id: mine, somebody else's, and where there is no lock."""
    locks = archive.locks
    assert [await locks.refresh(A, ANN), await locks.replace(A, BOB, ANN.id), await locks.release(A, "wopi", ANN.id)] == [None] * 3
    await locks.acquire(A, replace(ANN, seconds=1.0))
    assert told(await locks.refresh(A, BOB)) == ("ann's", "ann")
    assert (await locks.get(A, "wopi")).seconds <= 1.0
    assert (await locks.refresh(A, replace(ANN, holder="nobody"))).seconds > 50
    assert told(await locks.replace(A, replace(BOB, id="new"), BOB.id)) == ("ann's", "ann")
    assert told(await locks.release(A, "wopi", BOB.id)) == ("ann's", "ann")
    assert told(await locks.replace(A, BOB, ANN.id)) == ("bob's", "bob")
    assert told(await locks.release(A, "wopi", ANN.id)) == ("bob's", "bob")
    assert await locks.release(A, "wopi", BOB.id) is None
    assert await locks.get(A, "wopi") is None


# --- bodies that were kept beside their documents


async def test_rejected_bodies_are_told_newest_first_of_one_document_or_of_all(archive: Any) -> None:
    made = [rejection(A, 1.0), rejection(B, 2.0), replace(rejection(A, 3.0), size=2**40, path="Größe \U0001f600.docx", suite="")]
    for each in made:
        await archive.rejections.put(each)
    assert list(await archive.rejections.list()) == made[::-1]
    assert list(await archive.rejections.list(A)) == [made[2], made[0]]
    assert list(await archive.rejections.list(limit=1)) == [made[2]]
    assert list(await archive.rejections.list("id:" + "c" * 26)) == []


async def test_a_rejection_is_known_by_its_document_and_its_beginning(archive: Any) -> None:
    first = rejection(A, 1.0)
    later = replace(first, at=5.0, copy="id:other", path="b", etag=hashed(b"later"), size=5, reason="it was changed", writer="bob", count=3)
    await archive.rejections.put(first)
    await archive.rejections.put(later)
    assert list(await archive.rejections.list(A)) == [later]


async def test_a_person_who_was_erased_is_named_by_no_rejection(archive: Any) -> None:
    await archive.authors.meet({"ann": "Ann"})
    await archive.rejections.put(rejection(A))
    await archive.authors.erase("ann")
    assert [each.writer for each in await archive.rejections.list()] == [""]


# --- where logs begin


async def test_a_checkpoint_comes_back_as_it_was_and_a_later_one_replaces_it_never_the_other_way(archive: Any) -> None:
    """REDIS-6."""
    assert await archive.checkpoints.get(A) is None
    early, late = Checkpoint(2**41, noise(5_000), {"base": ["é", 1, []]}), Checkpoint(2**41 + 5, b"", {})
    await archive.checkpoints.put(A, early)
    assert await archive.checkpoints.get(A) == early
    await archive.checkpoints.put(A, late)
    await archive.checkpoints.put(A, early)
    assert await archive.checkpoints.get(A) == late
    assert await archive.checkpoints.get(B) is None


async def test_a_checkpoint_is_forgotten_alone_or_with_everything(archive: Any) -> None:
    for document in (A, B):
        await archive.checkpoints.put(document, Checkpoint(1, b"state", {}))
        await archive.authors.put(document, 1, b"who")
    await archive.checkpoints.forget(A)
    await archive.checkpoints.forget(A)
    await archive.bases.forget(B)
    assert [await archive.checkpoints.get(document) for document in (A, B)] == [None, None]
    assert await archive.authors.get(A) == (1, b"who")


# --- many at once


async def everywhere(place: Place, act: Callable[[Any, int], Any], times: int = 24) -> list[Any]:
    """`act`, so often at once, on three nodes (one process cannot open SQLite as several nodes do, so there it is one)."""
    nodes = [place.node() for _ in range(3 if place.kind == "postgresql" else 1)]
    return list(await asyncio.gather(*(act(nodes[number % len(nodes)], number) for number in range(times)), return_exceptions=True))


async def test_many_nodes_add_different_versions_at_once(place: Place) -> None:
    body = b"text " * 100
    failed = await everywhere(
        place, lambda node, number: node.versions.add(A, version(number, body + b"%d" % number), body + b"%d" % number)
    )
    assert failed == [None] * 24
    archive = place.node()
    assert {each.number for each in await archive.versions.list(A)} == set(range(24))
    for number in range(24):
        assert (await archive.versions.read(A, number))[1] == body + b"%d" % number


async def test_many_nodes_add_the_same_at_once(place: Place) -> None:
    async def act(node: Any, _: int) -> None:
        await node.versions.add(A, version(7, b"seven", writers=("bob", "ann")), b"seven")
        await node.bases.keep(A, Part(0, 9, b"part"), [kept(3), kept(9)])
        await node.authors.put(A, 7, b"who")
        await node.authors.meet({"bob": "Bob", "ann": "Ann"})

    assert await everywhere(place, act) == [None] * 24
    archive = place.node()
    assert list(await archive.versions.list(A)) == [version(7, b"seven", writers=("bob", "ann"))]
    assert await archive.bases.recent(A, 9) == [kept(9), kept(3)]
    assert await archive.authors.names(["ann", "bob"]) == {"ann": "Ann", "bob": "Bob"}


async def test_people_who_are_met_in_different_orders_hold_up_nobody(place: Place) -> None:
    people = [f"person {number}" for number in range(8)]

    async def act(node: Any, number: int) -> None:
        mixed = random.Random(number).sample(people, len(people))
        await node.authors.meet({person: person for person in mixed})
        await node.versions.add(A, version(number, b"%d" % number, writers=tuple(mixed)), b"%d" % number)

    assert await everywhere(place, act) == [None] * 24
    assert len(await place.node().authors.names(people)) == 8


async def test_versions_are_read_while_others_are_thinned_out(place: Place) -> None:
    """HISTORY-2: what a body stands on never goes away below it."""
    bodies = {number: b"line\n" * 50 + b"%d\n" % number for number in range(1, 61)}
    archive = place.node()
    for number, body in bodies.items():
        await archive.versions.add(A, version(number, body, at=number * 400.0), body)

    async def act(node: Any, number: int) -> bytes:
        if number % 4 == 0:
            await node.versions.thin(DAY + number * 1_500.0)
            return bodies[60]
        return bytes((await node.versions.read(A, 60))[1])

    assert await everywhere(place, act, 48) == [bodies[60]] * 48


async def test_a_link_with_three_uses_is_used_three_times_however_many_come_at_once(place: Place) -> None:
    link = Link(hashed(b"1"), A, "viewer", "ann", 1.0, uses=3)
    await place.node().links.add(link)
    results = await everywhere(place, lambda node, _: node.links.use(link.digest, 2.0))
    assert {each.uses for each in results if isinstance(each, Link)} == {0, 1, 2}
    assert sum(isinstance(each, NotFound) for each in results) == 21


async def test_one_of_many_gets_a_lock(place: Place) -> None:
    held = await everywhere(place, lambda node, number: node.locks.acquire(A, Lock("x", str(number), "node", 60.0)))
    assert len({each.id for each in held}) == 1
    winner = held[0].id
    moved = await everywhere(place, lambda node, number: node.locks.replace(A, Lock("x", f"new {number}", "node", 60.0), winner))
    assert len({each.id for each in moved}) == 1


# --- what office suites know and keep


STATE = OfficeState(1, "etag", 1_800_000_000.123456)


async def test_what_office_suites_know_of_a_document_comes_back_as_it_was(archive: Any) -> None:
    assert await archive.office.get(A) is None
    assert await archive.office.put(A, STATE, before=None) == STATE
    after = OfficeState(2**40, hashed(b"2"), 1_800_000_001.000001, hashed(b"put"), (hashed(b"1"), "weak-1"))
    assert await archive.office.put(A, after, before=STATE) == after
    assert (await archive.office.get(A), await archive.office.get(B)) == (after, None)


async def test_what_office_suites_know_is_replaced_by_who_knows_what_stands(archive: Any) -> None:
    other = replace(STATE, version=7)
    assert await archive.office.put(A, STATE, before=None) == STATE
    assert await archive.office.put(A, other, before=None) == STATE
    assert await archive.office.put(A, other, before=other) == STATE
    assert await archive.office.get(A) == STATE


async def test_what_is_put_within_something_else_is_there_when_that_goes_on(archive: Any) -> None:
    after, other = replace(STATE, version=2), replace(STATE, version=3)
    assert await archive.office.put(A, STATE, before=None) == STATE

    async def act(put: Any) -> str:
        await asyncio.to_thread(put, after)
        assert await archive.office.get(A) == after
        with pytest.raises(Changed):
            await asyncio.to_thread(put, other)
        return "made"

    assert await archive.office.put_within(A, before=STATE, act=act) == "made"
    with pytest.raises(Changed):
        await archive.office.put_within(A, before=STATE, act=lambda put: asyncio.to_thread(put, other))
    assert await archive.office.get(A) == after


async def test_of_many_who_put_within_something_else_one_is_first(place: Place) -> None:
    told = [replace(STATE, version=number + 2) for number in range(24)]

    async def put(node: Any, number: int) -> int:
        await node.office.put(A, STATE, before=None)
        try:
            await node.office.put_within(A, before=STATE, act=lambda put: asyncio.to_thread(put, told[number % 24]))
        except Changed:
            return 0
        return 1

    assert sum(await everywhere(place, put)) == 1


async def test_of_many_who_tell_office_suites_something_new_one_is_first(place: Place) -> None:
    told = [replace(STATE, version=number) for number in range(24)]
    stands = await everywhere(place, lambda node, number: node.office.put(A, told[number % 24], before=None))
    assert len(set(stands)) == 1


async def test_a_document_that_is_forgotten_is_new_to_office_suites(archive: Any) -> None:
    for document in (A, B):
        await archive.office.put(document, STATE, before=None)
    await archive.bases.forget(A)
    assert (await archive.office.get(A), await archive.office.get(B)) == (None, STATE)


async def test_what_an_office_suite_keeps_about_a_person_is_told_until_it_is_forgotten(archive: Any) -> None:
    assert await archive.infos.get("ann") == ""
    for info in ("first", "second " * 100):
        await archive.infos.put("ann", info)
        assert (await archive.infos.get("ann"), await archive.infos.get("ben")) == (info, "")
    for _ in range(2):
        await archive.infos.forget("ann")
    assert await archive.infos.get("ann") == ""


# --- resources of a cloud


async def test_a_document_is_the_resource_that_was_remembered(archive: Any) -> None:
    await archive.resources.remember({})
    assert await archive.resources.find(A) is None
    await archive.resources.remember({A: "s$a!1", B: "s$a!é\N{PILE OF POO}"})
    await archive.resources.remember({A: "s$a!1"})
    assert [await archive.resources.find(each) for each in (A, B)] == ["s$a!1", "s$a!é\N{PILE OF POO}"]
    await archive.bases.forget(A)
    assert await archive.resources.find(A) == "s$a!1"


async def test_many_nodes_remember_the_same_resources_at_once(place: Place) -> None:
    known = {f"id:{letter * 26}": f"s$a!{letter}" for letter in "abcdefghijklmnop"}
    failed = await everywhere(place, lambda node, _: node.resources.remember(known))
    assert [each for each in failed if each is not None] == []
    assert await place.node().resources.find("id:" + "p" * 26) == "s$a!p"


async def test_a_closed_archive_says_so(place: Place) -> None:
    if place.kind == "memory":
        return
    archive = place.node()
    await archive.close()
    await archive.close()
    with pytest.raises(Unavailable, match="closed"):
        await archive.versions.list(A)


# --- sessions of people who came from a cloud

SECRET = b"a secret of thirty-two bytes or more"
TOKEN = "eyJ-the-whole-token-of-the-cloud"


def came(session: str = "s1", *, document: str = A, until: float = 100.0, person: str = "ann") -> CloudSession:
    return CloudSession(session, document, person, "u-1", "ann", TOKEN + session, 50.5, until, "editor")


async def test_a_session_of_a_cloud_is_known_at_every_node_until_it_ends(place: Place) -> None:
    """CLOUD-1."""
    here, there = place.node().sessions(SECRET), place.node().sessions(SECRET)
    assert await here.get("s1") is None
    await here.put(came())
    assert await there.get("s1") == came()
    renewed = replace(came(), token="another", expires=None, guest=True)
    await there.put(renewed)
    assert await here.get("s1") == renewed
    await here.end("s1")
    await here.end("s1")
    assert await there.get("s1") is None


async def test_sessions_are_found_by_document_and_erased_by_person_and_by_time(archive: Any) -> None:
    """CLOUD-1."""
    sessions = archive.sessions(SECRET)
    for each in (came("s1", until=10), came("s2", until=30, person="bob"), came("s3", until=20), came("s4", document="")):
        await sessions.put(each)
    assert [each.id for each in await sessions.of(A)] == ["s2", "s3", "s1"]
    await sessions.sweep(10.0)
    assert [each.id for each in await sessions.of(A)] == ["s2", "s3"]
    await sessions.forget("ann")
    assert [each.id for each in await sessions.of(A)] == ["s2"]
    assert await sessions.get("s4") is None


async def test_at_rest_the_token_of_a_cloud_cannot_be_read_nor_moved_to_another_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """CLOUD-1, AUTH-9: neither in the file, nor in what is told of a session."""
    path = tmp_path / "archive.sqlite"
    archive = Archive(f"sqlite:///{path}")
    sessions = archive.sessions(SECRET)
    for each in (came("s1"), came("s2")):
        await sessions.put(each)
        assert TOKEN not in repr(each)
    await archive._database.run(
        lambda connection: connection.exec_driver_sql(
            "UPDATE cloud_sessions SET token = (SELECT token FROM cloud_sessions WHERE id = 's1')"
        )
    )
    assert (await sessions.get("s1")) == came("s1")
    assert await sessions.get("s2") is None
    assert await archive.sessions(b"another secret of thirty-two bytes").get("s1") is None
    await archive.close()
    held = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert b"cloud_sessions" in held
    assert TOKEN.encode() not in held
    assert TOKEN not in caplog.text
