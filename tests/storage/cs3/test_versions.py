"""The cloud's own versions of a file (HISTORY-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folders import OutsideCloud
from gateway.cloud import ROLES

from collab.errors import Denied, NotFound, TooLarge, Unsupported
from collab.storage.cs3.versions import CloudVersions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODIES = [b"one\n", b"one\ntwo\n", b""]


@pytest.fixture
async def outside() -> AsyncIterator[OutsideCloud]:
    made = OutsideCloud()
    await made.open()
    for body in [*BODIES, b"now\n"]:
        made.put("a.md", body)
        made.time.pass_(60)
    made.put("b.md", b"other\n")
    made.put("b.md", b"another\n")
    yield made
    await made.close()


async def document(outside: OutsideCloud, path: str = "a.md") -> str:
    return (await outside.files.stat(path)).id


async def test_they_are_told_newest_first_and_read_byte_for_byte(outside: OutsideCloud) -> None:
    versions, one = CloudVersions(outside.adapter), await document(outside)
    found = await versions.list(one)
    assert [each.size for each in found.versions] == [0, 8, 4]
    assert found.may_restore
    assert [each.at for each in found.versions] == sorted((each.at for each in found.versions), reverse=True)
    bodies = [await versions.read(one, each.key, limit=8) for each in found.versions]
    assert bodies == BODIES[::-1]
    with pytest.raises(TooLarge):
        await versions.read(one, found.versions[1].key, limit=7)


async def test_a_key_opens_versions_of_that_document_alone(outside: OutsideCloud) -> None:
    """A key of another file, and the id of another file, are no versions of this one."""
    versions, one = CloudVersions(outside.adapter), await document(outside)
    other = outside.cloud.at("ann", "b.md")
    for key in (other.versions[0].key, other.id, outside.cloud.at("ann", "a.md").id, "", "../b.md"):
        with pytest.raises(NotFound):
            await versions.read(one, key, limit=100)


async def test_who_may_not_see_or_restore_them_is_told(outside: OutsideCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    versions, one = CloudVersions(outside.adapter), await document(outside)
    key = (await versions.list(one)).versions[0].key
    everything = ROLES["manager"]
    monkeypatch.setitem(ROLES, "manager", everything - {"restore_file_version"})
    assert not (await versions.list(one)).may_restore
    monkeypatch.setitem(ROLES, "manager", everything - {"list_file_versions"})
    for act in (versions.list(one), versions.read(one, key, limit=100)):
        with pytest.raises(Denied, match="does not let you see"):
            await act
    # A guest of a link is shown the permissions of its maker: the call itself says no.
    monkeypatch.setitem(ROLES, "manager", everything)
    outside.gateway.moods.refuses["ListFileVersions"] = "PERMISSION_DENIED"
    with pytest.raises(Denied, match="does not let you see"):
        await versions.list(one)
    outside.gateway.moods.refuses.clear()
    outside.gateway.moods.lacks.add("ListFileVersions")
    with pytest.raises(Unsupported, match="keeps no versions"):
        await versions.list(one)
