"""Sharing in a cloud: by name, in a group, by a link, against a gateway that answers as real ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collab.access import Role
from collab.errors import Denied, Exists, Malformed, Unavailable, Unsupported
from collab.gateway.resources import Reference, ResourceId
from collab.gateway.sharing import GROUP, LINK, PERSON, Party, Sharing

if TYPE_CHECKING:
    from collab.gateway.calls import Gateway
    from collab.gateway.resources import Resource
    from gateway import CloudGateway
    from gateway.conftest import Clock


@pytest.fixture
def sharing(gateway: Gateway, cloud: CloudGateway) -> Sharing:
    cloud.cloud.add_user("cem", "Cem Ok").groups.append("physics")
    return Sharing(gateway)


async def resource(cloud: CloudGateway, gateway: Gateway, path: str = "work/a.md") -> Resource:
    root = Reference(ResourceId.parse(cloud.cloud.root_id("ann")))
    return await gateway.stat(cloud.cloud.token("ann"), root.below(*path.split("/")))


async def somebody(cloud: CloudGateway, sharing: Sharing, name: str) -> Party:
    (found,) = await sharing.people(cloud.cloud.token("ann"), name)
    return found


async def test_people_and_groups_are_found_by_their_names(cloud: CloudGateway, sharing: Sharing) -> None:
    ann = cloud.cloud.token("ann")
    assert await sharing.people(ann, "cem") == [Party(PERSON, "user-cem", "https://cloud.example", "Cem Ok", "cem@cloud.example")]
    assert await sharing.people(ann, "nobody") == []
    assert [(each.kind, each.id, each.name) for each in await sharing.groups(ann, "phys")] == [(GROUP, "group-physics", "Group physics")]
    assert await sharing.name(ann, PERSON, "user-cem") == "Cem Ok"
    assert await sharing.name(ann, GROUP, "group-physics") == "Group physics"


@pytest.mark.parametrize("old", [False, True])
async def test_a_file_is_given_changed_and_taken_back(
    cloud: CloudGateway, gateway: Gateway, sharing: Sharing, clock: Clock, *, old: bool
) -> None:
    """CS3-16."""
    file, ann, bob = await resource(cloud, gateway), cloud.cloud.token("ann"), cloud.cloud.token("bob")
    cloud.moods.paths_only = old
    given = await sharing.give(ann, file, await somebody(cloud, sharing, "bob"), Role.VIEWER, None)
    assert (given.kind, given.party, given.role, given.expires, given.creator) == (PERSON, "user-bob", Role.VIEWER, None, "user-ann")
    assert await sharing.given(ann, file.id) == [given]
    seen = await gateway.stat(bob, Reference(file.id))
    assert (seen.permissions.download, seen.permissions.upload) == (True, False)

    changed = await sharing.change(ann, given.id, folder=False, role=Role.EDITOR)
    assert changed.role is Role.EDITOR
    assert (await gateway.stat(bob, Reference(file.id))).permissions.upload
    ending = await sharing.change(ann, given.id, folder=False, expires=clock.now + 60)
    assert (ending.role, ending.expires) == (Role.EDITOR, clock.now + 60)
    assert (await sharing.change(ann, given.id, folder=False)).expires is None

    await sharing.take(ann, given.id)
    assert await sharing.given(ann, file.id) == []
    assert "stat" not in cloud.cloud.allowed(cloud.cloud.caller(bob), cloud.cloud.at("ann", "work/a.md"))  # type: ignore[arg-type]


async def test_a_folder_is_given_to_a_group_with_what_a_folder_needs(cloud: CloudGateway, gateway: Gateway, sharing: Sharing) -> None:
    folder = await resource(cloud, gateway, "work")
    (physics,) = await sharing.groups(cloud.cloud.token("ann"), "physics")
    given = await sharing.give(cloud.cloud.token("ann"), folder, physics, Role.EDITOR, None)
    assert (given.kind, given.party, given.role) == (GROUP, "group-physics", Role.EDITOR)
    seen = await gateway.stat(cloud.cloud.token("cem"), Reference(folder.id))
    assert (seen.permissions.create, seen.permissions.move, seen.permissions.delete, seen.permissions.share) == (True, True, True, False)


async def test_what_the_cloud_forbids_is_told_in_its_words(cloud: CloudGateway, gateway: Gateway, sharing: Sharing, clock: Clock) -> None:
    file, ann = await resource(cloud, gateway), cloud.cloud.token("ann")
    bob = await somebody(cloud, sharing, "bob")
    await sharing.give(ann, file, bob, Role.VIEWER, None)
    with pytest.raises(Exists):
        await sharing.give(ann, file, bob, Role.EDITOR, None)
    with pytest.raises(Denied, match="no permission to add grants"):
        await sharing.give(cloud.cloud.token("bob"), file, await somebody(cloud, sharing, "cem"), Role.VIEWER, None)
    with pytest.raises(Unavailable, match="owner/creator and grantee are the same"):
        await sharing.give(ann, file, await somebody(cloud, sharing, "ann"), Role.VIEWER, None)
    with pytest.raises(Malformed, match="in the past"):
        await sharing.publish(ann, file, Role.VIEWER, expires=clock.now - 1, password="")
    cloud.moods.passwords = True
    with pytest.raises(Malformed, match="password protection is enforced"):
        await sharing.publish(ann, file, Role.VIEWER, expires=None, password="")
    with pytest.raises(Malformed, match="at least 8 characters"):
        await sharing.publish(ann, file, Role.VIEWER, expires=None, password="short")


async def test_a_link_is_made_changed_and_taken_back(cloud: CloudGateway, gateway: Gateway, sharing: Sharing, clock: Clock) -> None:
    """CS3-16."""
    file, ann = await resource(cloud, gateway), cloud.cloud.token("ann")
    link = await sharing.publish(ann, file, Role.VIEWER, expires=clock.now + 60, password="a long secret")
    assert (link.kind, link.role, link.expires, link.password) == (LINK, Role.VIEWER, clock.now + 60, True)
    assert await sharing.public(ann, file.id) == [link]
    guest = await gateway.authenticate("publicshares", link.party, "password|a long secret")
    assert (await gateway.stat(guest.token, Reference(file.id))).id == file.id

    assert (await sharing.republish(ann, link.id, folder=False, role=Role.EDITOR)).role is Role.EDITOR
    assert not (await sharing.republish(ann, link.id, folder=False, password="")).password
    assert (await sharing.republish(ann, link.id, folder=False)).expires is None

    await sharing.unpublish(ann, link.id)
    assert await sharing.public(ann, file.id) == []
    assert cloud.cloud.caller(guest.token) is None


async def test_a_server_without_links_says_so_once(cloud: CloudGateway, gateway: Gateway, sharing: Sharing) -> None:
    file = await resource(cloud, gateway)
    cloud.moods.lacks.add("CreatePublicShare")
    assert sharing.links
    with pytest.raises(Unsupported):
        await sharing.publish(cloud.cloud.token("ann"), file, Role.VIEWER, expires=None, password="")
    assert not sharing.links
