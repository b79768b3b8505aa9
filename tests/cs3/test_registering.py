"""The cloud knows our applications, also after it forgot them (rule APP-1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gateway import Cloud, CloudGateway
from serving import until

from collab.cs3.registering import Registration
from collab.gateway.calls import Gateway
from collab.gateway.resources import Application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIVE = Application("Live", "dns:127.0.0.1:9", ("text/markdown", "text/plain"), "collab", "writes", "https://a.example/i.svg", priority=7)
OFFICE = Application("Office", "127.0.0.1:10", ("application/vnd.oasis.opendocument.text",), editor=False)


def troubles(registration: Registration) -> str:
    return registration.trouble or ""


@pytest.fixture
async def cloud() -> AsyncIterator[CloudGateway]:
    async with CloudGateway(Cloud()) as made:
        yield made


@pytest.fixture
async def gateway(cloud: CloudGateway) -> AsyncIterator[Gateway]:
    async with Gateway(cloud.target) as made:
        yield made


async def test_all_of_it_arrives(gateway: Gateway) -> None:
    registration = Registration(gateway, lambda: (LIVE, OFFICE))
    assert troubles(registration)
    await registration.tell()
    assert not troubles(registration)
    assert set(await gateway.applications()) == {LIVE, OFFICE}


async def test_a_registry_that_forgets_is_told_again_and_one_that_is_away_is_a_trouble(cloud: CloudGateway, gateway: Gateway) -> None:
    registration = Registration(gateway, lambda: (LIVE,), every=0.01)
    running = asyncio.create_task(registration.run())
    await until(lambda: not troubles(registration))
    await cloud.stop()
    await until(lambda: "away" in troubles(registration))
    assert cloud.applications == {}
    await cloud.start()
    await until(lambda: not troubles(registration))
    assert await gateway.applications() == [LIVE]
    running.cancel()


async def test_a_registry_that_takes_it_and_keeps_nothing_is_noticed(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.moods.deaf_registry = True
    registration = Registration(gateway, lambda: (LIVE, OFFICE))
    await registration.tell()
    assert troubles(registration)
    assert "Live, Office" in troubles(registration)
    cloud.moods.deaf_registry = False
    await registration.tell()
    assert not troubles(registration)


async def test_what_is_offered_follows_what_suites_open(gateway: Gateway) -> None:
    offered = [LIVE]
    registration = Registration(gateway, lambda: offered)
    await registration.tell()
    offered.append(OFFICE)
    await registration.tell()
    assert set(await gateway.applications()) == {LIVE, OFFICE}


async def test_a_server_that_has_no_registry_is_a_trouble_and_no_crash(cloud: CloudGateway, gateway: Gateway) -> None:
    cloud.moods.lacks.add("AddAppProvider")
    registration = Registration(gateway, lambda: (LIVE,))
    await registration.tell()
    assert troubles(registration)
    assert "cannot do this" in troubles(registration)
