"""People of a cloud share what is theirs there from here: the cloud does it, in their name (CS3-16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gateway import Cloud, CloudGateway
from gateway.cloud import MACHINE

from collab.access import Role
from collab.archive.memory import MemoryArchive
from collab.errors import Exists, Forbidden, Malformed, NotFound, Unsupported
from collab.gateway.calls import Gateway
from collab.gateway.identity import Machine
from collab.gateway.transfers import Transfers
from collab.storage.cs3 import Alone, CloudFiles, CloudFolders, CloudSharing
from collab.storage.cs3 import Cloud as CloudAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.ports import Stat

PAGES = "https://cloud.example/s/"


class Place:
    """A cloud in which Ann has a project with Bob in it, and whoever shares as one of them."""

    def __init__(self, server: CloudGateway, gateway: Gateway) -> None:
        self.server, self.cloud, self.gateway = server, server.cloud, gateway
        self.machine = Machine(gateway, MACHINE)
        self.resources = MemoryArchive().resources
        self.transfers = Transfers()

    def adapter(self, user: str) -> CloudAdapter:
        root = self.cloud.root_id("ann")
        return CloudAdapter(self.gateway, self.transfers, Alone(self.machine, user), self.resources, root=root)

    def desk(self, user: str = "ann", pages: str = PAGES) -> CloudSharing:
        return CloudSharing(self.adapter(user), pages)

    async def file(self, user: str = "ann", path: str = "work/notes.md") -> Stat:
        return await CloudFiles(self.adapter(user)).stat(path)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    cloud = Cloud()
    for name, display in (("ann", "Ann Lee"), ("bob", "Bob Ross"), ("cem", "Cem Ok")):
        cloud.add_user(name, display)
    cloud.people["cem"].groups.append("physics")
    cloud.put("ann", "work/notes.md", b"one\n")
    async with CloudGateway(cloud) as server, Gateway(server.target) as gateway:
        made = Place(server, gateway)
        yield made
        await made.transfers.close()


async def test_a_person_and_a_group_are_given_a_role_changed_and_lose_it(place: Place) -> None:
    """CS3-16."""
    desk, file = place.desk(), await place.file()
    bob, physics = [found for words in ("bob", "physics") for found in await desk.parties(words)]
    assert [(each.kind, each.name, each.detail) for each in (bob, physics)] == [
        ("person", "Bob Ross", "bob@cloud.example"),
        ("group", "Group physics", ""),
    ]

    given = await desk.give(file, bob.kind, bob.party, Role.VIEWER, None)
    await desk.give(file, physics.kind, physics.party, Role.EDITOR, 4e9)
    assert [(each.kind, each.name, each.role, each.expires) for each in await desk.shares(file)] == [
        ("person", "Bob Ross", Role.VIEWER, None),
        ("group", "Group physics", Role.EDITOR, 4e9),
    ]
    assert not (await place.file("bob")).writable
    with pytest.raises(Exists):
        await desk.give(file, bob.kind, bob.party, Role.EDITOR, None)

    changed = await desk.change(file, given.id, role=Role.EDITOR, ends=True, expires=5e9)
    assert (changed.role, changed.expires) == (Role.EDITOR, 5e9)
    assert (await place.file("bob")).writable
    assert (await desk.change(file, given.id, role=None, ends=True, expires=None)).expires is None

    await desk.take(file, given.id)
    assert [each.name for each in await desk.shares(file)] == ["Group physics"]
    with pytest.raises(NotFound):
        await place.file("bob")
    with pytest.raises(NotFound, match="no such share"):
        await desk.take(file, given.id)


async def test_a_link_of_the_cloud_has_its_address_and_ends(place: Place) -> None:
    """CS3-16."""
    desk, file = place.desk(), await place.file()
    made = await desk.link(file, Role.EDITOR, 4e9, "a long secret", None)
    (token,) = place.cloud.links
    assert (made.kind, made.role, made.expires, made.password, made.address) == ("link", Role.EDITOR, 4e9, True, PAGES + token)
    assert await desk.shares(file) == [made]
    changed = await desk.change(file, made.id, role=Role.VIEWER, ends=True, expires=None)
    assert (changed.role, changed.expires) == (Role.VIEWER, None)
    await desk.take(file, made.id)
    assert not place.cloud.links


async def test_what_a_folder_gives_is_told_with_its_folder(place: Place) -> None:
    desk, folder = (
        place.desk(),
        await CloudFolders(place.adapter("ann")).find((await CloudFolders(place.adapter("ann")).identify(["work"]))[0]),
    )
    (bob,) = await desk.parties("bob")
    await desk.give(folder, bob.kind, bob.party, Role.EDITOR, None)
    await desk.link(folder, Role.VIEWER, None, "", None)
    found = await desk.shares(await place.file())
    assert [(each.name, each.inherited, each.address) for each in found] == [("Bob Ross", "work", ""), ("", "work", "")]
    # Whose it is not may not take it back here.
    with pytest.raises(NotFound):
        await desk.take(await place.file(), found[0].id)


async def test_who_may_not_share_is_told_so_and_learns_nothing(place: Place) -> None:
    place.cloud.share("ann", "work/notes.md", "bob", "editor")
    file = await place.file("bob")
    for act in (place.desk("bob").offers(file), place.desk("bob").shares(file), place.desk("bob").link(file, Role.VIEWER, None, "", None)):
        with pytest.raises(Forbidden, match="does not let you share"):
            await act


async def test_only_what_the_cloud_can_do_is_offered(place: Place) -> None:
    """CS3-16."""
    file = await place.file()
    offers = await place.desk().offers(file)
    assert (offers.person, offers.group, offers.link, offers.password, offers.uses) == (True, True, True, True, False)
    assert not (await place.desk(pages="").offers(file)).link
    place.server.moods.lacks |= {"CreatePublicShare", "ListPublicShares", "FindGroups"}
    desk = place.desk()
    with pytest.raises(Unsupported):
        await desk.link(file, Role.VIEWER, None, "", None)
    assert not (await desk.offers(file)).link
    assert [each.name for each in await desk.parties("c")] == ["Cem Ok"]
    assert await desk.shares(file) == []


async def test_what_cannot_be_given_is_refused_in_words(place: Place) -> None:
    desk, file = place.desk(), await place.file()
    with pytest.raises(Malformed, match="choose viewer or editor"):
        await desk.link(file, Role.OWNER, None, "", None)
    with pytest.raises(Malformed, match="belongs to this person"):
        await desk.give(file, "person", "user-ann", Role.VIEWER, None)
    with pytest.raises(Unsupported, match="as often as anybody likes"):
        await desk.link(file, Role.VIEWER, None, "", 3)
    place.server.moods.passwords = True
    with pytest.raises(Malformed, match="password protection is enforced"):
        await desk.link(file, Role.VIEWER, None, "", None)
