from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from serving import until
from suites import FakeSuite, fake_suite

from collab.wopi import suites
from collab.wopi.discovery import MOST_BYTES
from collab.wopi.suites import EXTRA_LOOKS, EXTRA_SECONDS, Office, Suites

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite() as suite:
        yield suite


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def configured(*listed: FakeSuite, hosts: tuple[str, ...] = (), secure: bool = False, clock: Clock | None = None) -> Suites:
    named = [(f"S{number}", each.url) for number, each in enumerate(listed)]
    return Suites(named, hosts, secure=secure, clock=clock or Clock())


async def asked(suite: FakeSuite, **options: object) -> Office:
    office = configured(suite, **options).offices[0]  # type: ignore[arg-type]
    assert await office.renew()
    return office


async def test_a_suite_tells_what_it_opens(suite: FakeSuite) -> None:
    office = await asked(suite)
    assert (office.healthy, office.detail, office.product) == (True, "", "collabora")
    assert office.discovery is not None
    assert office.discovery.find("edit", "odt", "") is not None
    assert suite.asked == ["/hosting/discovery"]


async def test_nobody_knows_a_suite_that_was_not_asked(suite: FakeSuite) -> None:
    known = configured(suite)
    assert (known.offices[0].healthy, known.product("S0"), known.product(""), known.product("S1")) == (False, "", "", "")
    await known.offices[0].renew()
    assert (known.product("S0"), known.product(""), known.product("S1")) == ("collabora", "collabora", "")


async def test_it_is_known_where_a_suite_is_opened(suite: FakeSuite) -> None:
    """WOPI-22."""
    suite.office = "http://LocalHost:9980"
    known = configured(suite, hosts=("localhost",))
    assert known.origins("S0") == []
    await known.offices[0].renew()
    assert (known.origins("S0"), known.origins("S1")) == (["http://localhost:9980"], [])


async def test_of_two_suites_none_is_meant_without_a_name(suite: FakeSuite) -> None:
    with fake_suite("onlyoffice") as other:
        known = configured(suite, other)
        await asyncio.gather(*(office.renew() for office in known.offices))
        assert [known.product(name) for name in ("S0", "S1", "")] == ["collabora", "onlyoffice", ""]


async def test_what_it_said_last_counts_while_it_is_away(suite: FakeSuite) -> None:
    office = await asked(suite)
    before = office.discovery
    suite.status = 503
    await office.renew()
    assert (office.healthy, office.discovery) == (False, before)
    assert "503" in office.detail
    suite.status = 200
    await office.renew()
    assert office.healthy


async def test_a_suite_that_is_not_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        known = Suites([("Gone", f"http://127.0.0.1:{free.getsockname()[1]}/hosting/discovery")], (), secure=False, clock=Clock())
        for _ in range(2):
            await known.offices[0].renew()
    assert "does not answer: ConnectError" in known.offices[0].detail
    assert len([record for record in caplog.records if "Gone" in record.message]) == 1


@pytest.mark.parametrize("way", ["delay", "drip"])
async def test_a_suite_that_is_slow_is_given_up(suite: FakeSuite, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "AT_MOST", 0.3)
    if way == "delay":
        suite.delay = threading.Event()
    else:
        suite.drip = True
    office = await asked(suite)
    assert "does not answer: TimeoutError" in office.detail


async def test_one_look_is_enough_for_all_who_wait(suite: FakeSuite) -> None:
    suite.delay = threading.Event()
    office = configured(suite).offices[0]
    waiting = [asyncio.create_task(office.renew()) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    suite.delay.set()
    assert await asyncio.gather(*waiting[1:]) == [True] * 19
    assert office.healthy
    assert len(suite.asked) == 1


async def test_it_is_not_asked_again_and_again(suite: FakeSuite) -> None:
    """WOPI-4."""
    clock = Clock()
    office = configured(suite, clock=clock).offices[0]
    assert [await office.renew() for _ in range(EXTRA_LOOKS + 2)] == [True] * EXTRA_LOOKS + [False] * 2
    clock.seconds += EXTRA_SECONDS
    assert [await office.renew() for _ in range(2)] == [True, False]
    clock.seconds += 1000 * EXTRA_SECONDS
    assert [await office.renew() for _ in range(EXTRA_LOOKS + 1)] == [True] * EXTRA_LOOKS + [False]


async def test_a_huge_answer_is_not_read_to_its_end(suite: FakeSuite) -> None:
    suite.body = b" " * (MOST_BYTES + 1)
    assert "larger than" in (await asked(suite)).detail


async def test_a_packed_answer_is_not_unpacked(suite: FakeSuite) -> None:
    suite.body = gzip.compress(b" " * 100_000_000, 1)
    suite.headers["Content-Encoding"] = "gzip"
    assert "packed" in (await asked(suite)).detail
    assert suite.heard[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("body", [b"", b"<html>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><wopi-discovery>&b;</wopi-discovery>"])
async def test_what_cannot_be_used_is_told(suite: FakeSuite, body: bytes) -> None:
    """WOPI-3."""
    suite.body = body
    office = await asked(suite)
    assert "cannot be used" in office.detail
    assert office.discovery is None


async def test_a_suite_may_move_within_its_host(suite: FakeSuite) -> None:
    with fake_suite() as before:
        before.status, before.headers["Location"] = 302, "/moved/discovery"
        office = configured(before).offices[0]
        await office.renew()
        assert "in circles" in office.detail
        assert before.asked[0] == "/hosting/discovery"
        assert set(before.asked[1:]) == {"/moved/discovery"}
    del suite


@pytest.mark.parametrize(
    "location",
    [
        "{other}",
        "file:///etc/passwd",
        "//evil.example/",
        "http://[::1",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://a..b/",
        "http://\u00ff\u00fe/",
        "https://127.0.0.1:1/",
        "",
    ],
)
async def test_a_suite_cannot_send_us_elsewhere(suite: FakeSuite, location: str) -> None:
    """WOPI-3."""
    with fake_suite() as other:
        suite.status, suite.headers["Location"] = 302, location.format(other=other.url)
        office = await asked(suite)
        assert not office.healthy
        assert office.discovery is None
        assert other.asked == []


@pytest.mark.parametrize("source", ["javascript:alert(1)", "file:///etc", "https://evil.example/cool.html?"])
async def test_a_suite_that_opens_elsewhere_is_not_offered(suite: FakeSuite, source: str) -> None:
    """WOPI-3."""
    suite.office = source
    office = await asked(suite)
    assert not office.healthy
    assert "COLLAB_WOPI_SUITE_HOSTS" in office.detail
    assert office.discovery is not None
    assert office.discovery.actions == ()


async def test_a_suite_may_open_at_a_name_that_the_settings_know(suite: FakeSuite) -> None:
    suite.office = "https://office.example"
    assert (await asked(suite, hosts=("office.example",), secure=True)).healthy
    suite.office = "http://office.example"
    assert not (await asked(suite, hosts=("office.example",), secure=True)).healthy


async def test_a_suite_opens_at_its_own_host_not_at_another_suites(suite: FakeSuite) -> None:
    """WOPI-3."""
    known = Suites([("A", suite.url), ("B", "https://b.example/hosting/discovery")], (), secure=False, clock=Clock())
    suite.office = "https://b.example"
    await known.offices[0].renew()
    assert not known.offices[0].healthy
    assert known.hosts.know("https://b.example/")


async def test_all_are_looked_at_until_the_end(suite: FakeSuite) -> None:
    with fake_suite("microsoft") as other:
        known = configured(suite, other)
        watching = asyncio.create_task(known.watch_loop())
        await until(lambda: all(office.healthy for office in known.offices))
        suite.delay = threading.Event()
        looking = asyncio.create_task(known.offices[0].renew())
        await until(lambda: len(suite.asked) == 2)
        watching.cancel()
        known.close()
        await asyncio.gather(watching, looking, return_exceptions=True)
        assert watching.cancelled()
