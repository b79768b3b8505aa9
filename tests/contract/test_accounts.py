"""What is known of people who may sign in: in memory, on SQLite, and on a PostgreSQL that the tests start."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from archives import archive, place
from postgres import postgres

from collab.errors import Exists, NotFound
from collab.ports import Account, Member

if TYPE_CHECKING:
    from archives import Place

__all__ = ["archive", "place", "postgres"]


def account(login: str = "ada", name: str = "Ada Lovelace", groups: tuple[str, ...] = ("physics", "staff")) -> Account:
    return Account(login, f"account:{login}", name, groups, 1.0, password="$argon2id$…", changed=1.0)


def member(person: str = "oidc:bob", name: str = "Bob Ø", login: str = "bob@example.org", **more: Any) -> Member:
    return replace(Member(person, "oidc", name, login, ("chemistry",), 2.0), **more)


async def test_an_account_comes_back_as_it_was_at_every_node(place: Place) -> None:
    """SIGN-4."""
    here, there = place.node(), place.node()
    assert not await here.accounts.any()
    assert await here.accounts.find("ada") is None
    await here.accounts.add(account())
    assert await there.accounts.find("ada") == account()
    assert await there.accounts.any()
    assert await there.members.get("account:ada") == Member("account:ada", "account", "Ada Lovelace", "ada", ("physics", "staff"), 1.0)
    assert account().password not in repr(account())


async def test_a_name_is_taken_once(place: Place) -> None:
    """SIGN-4."""
    nodes = [place.node() for _ in range(3)]
    done = await asyncio.gather(
        *(node.accounts.add(replace(account(), person=f"account:{number}")) for number, node in enumerate(nodes)), return_exceptions=True
    )
    assert sum(isinstance(each, Exists) for each in done) == 2
    assert done.count(None) == 1
    assert len(await nodes[0].accounts.list()) == 1
    assert len(await nodes[0].members.find("")) == 1


async def test_an_account_is_described_disabled_and_given_another_password(archive: Any) -> None:
    """SIGN-4."""
    for login in ("bob", "ada"):
        await archive.accounts.add(account(login))
    assert await archive.accounts.describe("ada", name="Ada King") == account(name="Ada King")
    assert (await archive.accounts.describe("ada", groups=["b", "a", "b"])).groups == ("a", "b")
    assert (await archive.accounts.describe("ada")).name == "Ada King"
    await archive.accounts.set_password("ada", "another", 5.0, before="not this one")
    assert (await archive.accounts.find("ada")).changed == 1.0
    await archive.accounts.set_password("ada", "another", 5.0)
    await archive.accounts.set_password("ada", "third", 6.0, before="another")
    assert ((await archive.accounts.find("ada")).password, (await archive.accounts.find("ada")).changed) == ("third", 6.0)
    assert (await archive.accounts.disable("ada", 7.0)).disabled == 7.0
    assert [each.login for each in await archive.accounts.list()] == ["ada", "bob"]
    assert await archive.accounts.any()
    await archive.accounts.disable("bob", 7.0)
    assert not await archive.accounts.any()
    assert (await archive.accounts.disable("ada", None)).disabled is None
    assert (await archive.accounts.remove("ada")).login == "ada"
    assert await archive.members.get("account:ada") is None
    for call in (
        archive.accounts.describe("ada"),
        archive.accounts.set_password("ada", "x", 1.0),
        archive.accounts.disable("ada", None),
        archive.accounts.remove("ada"),
    ):
        with pytest.raises(NotFound):
            await call


async def test_people_are_found_by_parts_of_their_names(archive: Any) -> None:
    """SIGN-4."""
    await archive.accounts.add(account())
    await archive.members.put(member())
    await archive.members.put(member("oidc:c", "100%_er", "c"))

    async def found(words: str) -> list[str]:
        return [each.person for each in await archive.members.find(words)]

    assert await found("") == ["oidc:c", "account:ada", "oidc:bob"]
    assert await found("LOVE") == ["account:ada"]
    assert await found("ada love") == ["account:ada"]
    assert await found("love ada") == ["account:ada"]
    assert await found("bø") == []
    assert await found("ø") == ["oidc:bob"]
    assert await found("%") == ["oidc:c"]
    assert await found("_") == ["oidc:c"]
    assert await found("\\") == []
    assert len(await archive.members.find("", limit=2)) == 2
    await archive.accounts.disable("ada", 1.0)
    assert await found("ada") == []
    assert await archive.members.groups() == ["chemistry", "physics", "staff"]


async def test_that_somebody_signed_in_changes_nothing_else_and_makes_nobody_known(archive: Any) -> None:
    """SIGN-4."""
    await archive.members.put(member())
    await archive.members.see("oidc:bob", 7.0)
    await archive.members.see("oidc:nobody", 7.0)
    assert await archive.members.get("oidc:bob") == member(seen=7.0)
    assert await archive.members.get("oidc:nobody") is None


async def test_what_is_known_of_a_member_is_the_newest_and_goes_with_an_account(archive: Any) -> None:
    """SIGN-4."""
    await archive.members.put(member())
    renewed = member(name="Robert", groups=("b", "a"), made=9.0, seen=9.0, orcid="0000-0002-1825-0097")
    await archive.members.put(renewed)
    assert await archive.members.get("oidc:bob") == replace(renewed, made=2.0, groups=("a", "b"))
    await archive.accounts.add(account())
    await archive.members.forget("account:ada")
    await archive.members.forget("oidc:bob")
    assert await archive.accounts.find("ada") is None
    assert await archive.members.find("") == []
