"""Tokens and logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest

from collab.errors import Unauthorized
from collab.gateway.identity import Machine, expires
from gateway.cloud import MACHINE

if TYPE_CHECKING:
    from collab.gateway.calls import Gateway
    from gateway import CloudGateway
    from gateway.conftest import Clock


def test_the_end_of_a_token_is_read_and_nothing_else_is_believed(cloud: CloudGateway, clock: Clock) -> None:
    assert expires(cloud.cloud.token("ann", lifetime=100.0)) == clock.now + 100.0
    for odd in ("", "a.b.c", "x" * 100, "é", jwt.encode({}, "x" * 32), jwt.encode({"exp": 1}, "x" * 32)[:-80]):
        assert expires(odd) is None


async def test_whose_a_token_is(cloud: CloudGateway, gateway: Gateway) -> None:
    user = await gateway.who_am_i(cloud.cloud.token("ann"))
    assert (user.id, user.username, user.name, user.kind, user.opaque) == ("user-ann", "ann", "Ann", "PRIMARY", {})
    for bad in (cloud.cloud.broken_token(), cloud.cloud.token("ann", lifetime=0.0), ""):
        with pytest.raises(Unauthorized):
            await gateway.who_am_i(bad)


async def test_a_machine_acts_for_a_user_and_keeps_the_login_until_it_is_about_to_end(
    cloud: CloudGateway, gateway: Gateway, clock: Clock
) -> None:
    """CS3-8."""
    machine = Machine(gateway, MACHINE, clock=clock)
    login = await machine.login("ann")
    assert (login.user.id, login.expires) == ("user-ann", clock.now + 86_400.0)
    assert login.token not in repr(login)
    assert await machine.login("ann") is login
    assert (await machine.login("bob")).user.id == "user-bob"
    clock.now += 86_400.0 - 61.0
    assert await machine.login("ann") is login
    clock.now += 2.0
    assert (await machine.login("ann")).expires == clock.now + 86_400.0
    assert cloud.calls["Authenticate"] == 3


async def test_a_wrong_secret_and_an_unknown_user_are_unauthorised(gateway: Gateway) -> None:
    """CS3-8."""
    for secret, name in (("wrong", "ann"), (MACHINE, "nobody")):
        with pytest.raises(Unauthorized):
            await Machine(gateway, secret).login(name)
    assert (await gateway.authenticate("basic", "ann", "pw")).user.username == "ann"
