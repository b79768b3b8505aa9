from __future__ import annotations

import base64
import random
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from suites import FakeSuite, fake_suite, key, signature, ticks

from collab.access import Person, Role
from collab.errors import Unauthorized
from collab.wopi.proof import OLDEST, Proofs, Signed, Unproven
from collab.wopi.suites import EXTRA_LOOKS, Suites
from collab.wopi.tokens import Pass

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://docs.example/collab"
TARGET = "/wopi/files/abc/contents?access_token=t0ken"
NOW = 1_800_000_000.25
PASS = Pass(Person("a", "Ada"), Role.EDITOR, "id:" + "a" * 26, NOW + 3600, suite="One")


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite() as suite:
        yield suite


class World:
    """What checks, and what it is told."""

    def __init__(self, *listed: tuple[str, FakeSuite], required: bool = True) -> None:
        self.seconds = 0.0
        self.suites = Suites([(name, each.url) for name, each in listed], (), secure=False, clock=lambda: self.seconds)
        self.proofs = Proofs(self.suites, lambda: BASE, lambda: NOW, required=required)

    async def takes(self, headers: dict[str, str], granted: Pass = PASS, *, token: str = "t0ken", target: str = TARGET) -> bool:
        request = Signed.of(token, target, {name.lower(): value for name, value in headers.items()})
        try:
            await self.proofs.check(granted, request)
        except Unproven:
            return False
        return True


def signed(proof: int | None, old: int | None, *, url: str = BASE + TARGET, token: str = "t0ken", at: float = NOW) -> dict[str, str]:
    """Headers with the signatures of the keys of these numbers; None: of nothing."""
    stamp = ticks(at)
    made = {
        name: signature(key(number), token, url, stamp) for name, number in (("X-WOPI-Proof", proof), ("X-WOPI-ProofOld", old)) if number
    }
    return {**made, "X-WOPI-TimeStamp": str(stamp)}


KEYS = {"current": 101, "old": 102, "next": 103, "other": 104}
"""Of a suite whose discovery tells `current` and `old`; it will rotate to `next`."""


@pytest.mark.parametrize("proof", ["current", "old", "next", "other", None])
@pytest.mark.parametrize("old", ["current", "old", "next", "other", None])
async def test_of_all_combinations_of_keys_three_fit(suite: FakeSuite, proof: str | None, old: str | None) -> None:
    """WOPI-7."""
    suite.current, suite.old = KEYS["current"], KEYS["old"]
    suite.discovery()  # which makes the keys: who asks waits only for so long
    fits = proof == "current" or old == "current" or proof == "old"
    headers = signed(None if proof is None else KEYS[proof], None if old is None else KEYS[old])
    assert await World(("One", suite)).takes(headers) is fits


@pytest.mark.parametrize("seed", range(6))
async def test_keys_may_change_between_any_two_requests(suite: FakeSuite, seed: int) -> None:
    """WOPI-7."""
    chance, world = random.Random(seed), World(("One", suite))
    stale: dict[str, str] = {}
    for _ in range(30):
        before = suite.sign("t0ken", BASE + TARGET, now=NOW)
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
            suite.rotate()
            stale = before
        world.seconds += 60
        assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW))
        assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW))
    assert stale
    for _ in range(2):
        suite.rotate()
    await world.suites.offices[0].renew()
    assert not await world.takes(stale)


async def test_of_a_rotation_that_nobody_told_us_the_old_signature_tells(suite: FakeSuite) -> None:
    """WOPI-7."""
    world = World(("One", suite))
    assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW))
    suite.rotate()
    assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW))
    assert len(suite.asked) == 1
    suite.rotate()
    assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW))
    assert len(suite.asked) == 2


async def test_wrong_signatures_do_not_make_us_ask_without_end(suite: FakeSuite) -> None:
    """WOPI-4."""
    world = World(("One", suite))
    for _ in range(50):
        assert not await world.takes(signed(KEYS["other"], KEYS["other"]))
    assert len(suite.asked) <= EXTRA_LOOKS
    for headers in ({}, {"X-WOPI-TimeStamp": str(ticks(NOW))}, signed(KEYS["other"], None, at=NOW - 2 * OLDEST)):
        world.seconds += 3600
        assert not await world.takes(headers)
    assert len(suite.asked) <= EXTRA_LOOKS


@pytest.mark.parametrize(
    ("seconds", "timely"),
    [(0, True), (-OLDEST + 1, True), (OLDEST - 1, True), (-OLDEST - 1, False), (OLDEST + 1, False), (-NOW, False)],
)
async def test_a_request_is_not_taken_again_later(suite: FakeSuite, seconds: float, timely: bool) -> None:
    """WOPI-7."""
    assert await World(("One", suite)).takes(suite.sign("t0ken", BASE + TARGET, now=NOW + seconds)) is timely


@pytest.mark.parametrize("stamp", ["", "x", "-1", "0", "1e18", "9" * 18, "9" * 19, "9" * 400, "٣" * 18])
async def test_what_is_no_time_is_refused(suite: FakeSuite, stamp: str) -> None:
    headers = suite.sign("t0ken", BASE + TARGET, now=NOW) | {"X-WOPI-TimeStamp": stamp}
    assert not await World(("One", suite)).takes(headers)


@pytest.mark.parametrize("proof", ["", "INVALID", "%", "=", "A" * 100_000, base64.b64encode(b"INVALID").decode(), "größe"])
async def test_what_is_no_signature_is_refused(suite: FakeSuite, proof: str) -> None:
    headers = suite.sign("t0ken", BASE + TARGET, now=NOW)
    world = World(("One", suite))
    assert await world.takes(headers | {"X-WOPI-Proof": proof, "X-WOPI-ProofOld": headers["X-WOPI-Proof"]})
    assert not await world.takes(headers | {"X-WOPI-Proof": proof, "X-WOPI-ProofOld": proof})


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (TARGET, "https://evil.example/collab" + TARGET),
        (TARGET, "http://docs.example/collab" + TARGET),
        (TARGET, "https://docs.example" + TARGET),
        (TARGET, "https://docs.example:443/collab" + TARGET),
        (TARGET, BASE + TARGET + "&a"),
        ("/wopi/files/xyz?access_token=t0ken", BASE + TARGET),
        ("/wopi/files/a%2Db", BASE + "/wopi/files/a-b"),
        ("/wopi/files/a-b", BASE + "/wopi/files/a%2Db"),
        ("/wopi/files/a?b=%20", BASE + "/wopi/files/a?b=+"),
    ],
)
async def test_the_address_is_the_configured_one_and_what_was_sent(suite: FakeSuite, sent: str, said: str) -> None:
    """WOPI-7."""
    assert not await World(("One", suite)).takes(suite.sign("t0ken", said, now=NOW), target=sent)
    right = suite.sign("t0ken", BASE + sent, now=NOW)
    assert await World(("One", suite)).takes(right, target=sent)


async def test_an_address_is_signed_in_upper_case_as_it_was_sent(suite: FakeSuite) -> None:
    """WOPI-7."""
    target = f"/wopi/files/{quote('größe+ß', safe='')}?access_token=t0ken&x=%e2%98%83"
    world = World(("One", suite))
    assert await world.takes(suite.sign("t0ken", (BASE + target).upper(), now=NOW), target=target)


async def test_the_token_is_signed_too(suite: FakeSuite) -> None:
    """WOPI-7."""
    headers = suite.sign("other", BASE + TARGET, now=NOW)
    assert not await World(("One", suite)).takes(headers)


async def test_a_token_for_one_suite_is_worth_nothing_with_another_ones_key(suite: FakeSuite) -> None:
    """WOPI-7."""
    with fake_suite("onlyoffice") as other:
        world = World(("One", suite), ("Other", other))
        theirs = other.sign("t0ken", BASE + TARGET, now=NOW)
        assert not await world.takes(theirs)
        assert await world.takes(theirs, replace(PASS, suite="Other"))
        assert await world.takes(theirs, replace(PASS, suite=""))
        assert await world.takes(suite.sign("t0ken", BASE + TARGET, now=NOW), replace(PASS, suite=""))
        assert not await world.takes(signed(KEYS["other"], KEYS["other"]), replace(PASS, suite=""))


async def test_a_token_of_a_suite_that_left_the_settings_is_over(suite: FakeSuite) -> None:
    world = World(("One", suite), required=False)
    with pytest.raises(Unauthorized):
        await world.proofs.check(replace(PASS, suite="Gone"), Signed("t0ken", TARGET))


async def test_a_suite_without_keys_need_not_sign(suite: FakeSuite) -> None:
    with fake_suite(signs=False) as plain:
        world = World(("One", plain), ("Signs", suite))
        assert await world.takes({})
        assert not await world.takes({}, replace(PASS, suite="Signs"))
        assert not await world.takes({}, replace(PASS, suite=""))
        assert await World(("One", plain)).takes({}, replace(PASS, suite=""))


async def test_without_suites_and_when_told_so_nothing_is_signed(suite: FakeSuite) -> None:
    assert await World().takes({}, replace(PASS, suite=""))
    assert await World(("One", suite), required=False).takes({})


async def test_while_nobody_knows_a_suites_keys_nothing_is_taken_for_it(suite: FakeSuite) -> None:
    """WOPI-4."""
    suite.status = 503
    world = World(("One", suite))
    right = suite.sign("t0ken", BASE + TARGET, now=NOW)
    assert not await world.takes({})
    assert not await world.takes(right)
    suite.status = 200
    assert await world.takes(right)
    suite.status = 503
    world.seconds += 3600
    await world.suites.offices[0].renew()
    assert await world.takes(right)
    assert not await world.takes({})


async def test_nothing_of_a_token_is_told_or_logged(suite: FakeSuite, caplog: pytest.LogCaptureFixture) -> None:
    world = World(("One", suite))
    caplog.set_level("DEBUG")
    with pytest.raises(Unproven) as refused:
        await world.proofs.check(PASS, Signed.of("t0ken", TARGET, signed(KEYS["other"], None)))
    assert refused.value.status == 500
    assert "t0ken" not in refused.value.detail
    assert caplog.records
    assert "t0ken" not in caplog.text
