"""The cloud knows our applications, also after it forgot them (rule APP-1)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from gateway import Cloud, CloudGateway
from serving import free_port, until

from collab.archive.memory import MemoryArchive
from collab.cs3.openings import Openings
from collab.cs3.provider import Place, Provider
from collab.cs3.registering import Registration
from collab.errors import Unavailable
from collab.gateway.calls import Gateway
from collab.gateway.resources import Application
from collab.wopi.addresses import Addresses
from collab.wopi.launch import Launcher
from collab.wopi.suites import Suites

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
        # A channel gives up a connection that a busy machine does not make at once.
        async with asyncio.timeout(60):
            while True:
                with suppress(Unavailable):
                    await made.applications()
                    break
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


@pytest.mark.parametrize("busy", ["Live", "Office"])
async def test_an_address_that_is_taken_costs_the_other_application_nothing(gateway: Gateway, busy: str) -> None:
    """APP-1: it is told in words, and people open what they can."""
    archive, addresses = MemoryArchive(), Addresses("https://docs.example.org", "https://docs.example.org")
    launcher = Launcher(Suites((), (), secure=False, clock=lambda: 0.0), lambda: addresses, bytes(32), now=lambda: 0.0, length=60.0)
    kept = archive.sessions(bytes(32)), archive.resources
    openings = Openings(gateway, *kept, launcher, lambda: addresses.public, "Collab", bytes(32), lambda: 0.0, bytes, length=60.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {name: taken.getsockname()[1] if name == busy else free_port() for name in ("Live", "Office")}
        live, office = (Place(name, f"127.0.0.1:{port}") for name, port in ports.items())
        provider = Provider(openings, live=live, office=office)
        running = asyncio.create_task(provider.run())

        def listens(name: str) -> bool:
            with socket.socket() as caller:
                return caller.connect_ex(("127.0.0.1", ports[name])) == 0

        other = "Office" if busy == "Live" else "Live"
        await until(lambda: listens(other))
        await until(lambda: provider.trouble == f"cannot listen for the cloud on 127.0.0.1:{ports[busy]}: choose another address")
        if other == "Live":
            await until(lambda: provider._registration.trouble is None)
            assert [each.name for each in await gateway.applications()] == ["Live"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not listens(other)
