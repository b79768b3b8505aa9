"""What `collab doctor` says of a cloud, in each of its moods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from gateway import Cloud, CloudGateway
from gateway.cloud import MACHINE
from serving import free_port

from collab.cs3 import offering
from collab.gateway.calls import Gateway
from collab.operations.cloud import CloudExamination
from collab.operations.doctor import Finding, Verdict, cloud_steps, examine
from collab.settings import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STEPS = ("cloud", "cloud's sign-in", "spaces", "transfers", "locks", "metadata", "versions", "applications")
LIVE = "dns:docs.internal:9290"


@dataclass
class Patient:
    """A cloud, and our settings for it."""

    folder: Path
    cloud: Cloud
    gateway: CloudGateway

    async def __call__(self, user: str = "ann", **settings: object) -> dict[str, Finding]:
        given = {
            "storage": "cs3",
            "cs3_gateway": self.gateway.target,
            "cs3_machine_secret": MACHINE,
            "state": self.folder / "state",
            "cs3_timeout": 60,
            **settings,
        }
        found: list[Finding] = []
        loaded = load(given)
        cloud = CloudExamination(loaded, user)
        try:
            await examine(loaded, found.append, [step for step in cloud_steps(cloud) if step.name in STEPS])
        finally:
            await cloud.close()
        assert [each.step for each in found] == [*STEPS]
        # Nothing is left, not even in the bin.
        space = self.cloud.space("ann")
        assert list(space.root.children) == ["a.md"]
        assert space.bin == {}
        return {each.step: each for each in found}


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    cloud = Cloud()
    cloud.add_user("ann", "Ann of the Lab")
    cloud.put("ann", "a.md", b"one")
    async with CloudGateway(cloud) as gateway:
        yield Patient(tmp_path, cloud, gateway)


def words(found: dict[str, Finding]) -> str:
    return "\n".join(map(str, found.values()))


async def test_a_cloud_that_lacks_nothing(patient: Patient) -> None:
    async with Gateway(patient.gateway.target) as gateway:
        await gateway.register(offering.live("Collab", LIVE))
    found = await patient(cs3_live=LIVE, frame_ancestors="https://cloud.example.org")
    assert [each.verdict for each in found.values()] == [Verdict.GOOD] * len(STEPS), words(found)
    assert "Ann of the Lab" in found["cloud's sign-in"].detail
    assert MACHINE not in words(found)
    assert not any(token in words(found) for token in patient.gateway.tokens if token)


@pytest.mark.parametrize("root", ["", "id", "/home"])
async def test_each_kind_of_root(patient: Patient, root: str) -> None:
    patient.gateway.moods.paths_only = root == "/home"
    found = await patient(cs3_root=patient.cloud.root_id("ann") if root == "id" else root)
    assert found["spaces"].verdict is Verdict.GOOD, words(found)
    assert found["versions"].verdict is Verdict.GOOD, words(found)
    assert found["applications"].verdict is Verdict.UNTRIED


async def test_a_cloud_that_is_away_is_one_failure_and_not_eight(patient: Patient) -> None:
    found = await patient(cs3_gateway=f"127.0.0.1:{free_port()}", cs3_timeout=1)
    assert found["cloud"].verdict is Verdict.BAD
    assert "COLLAB_CS3_GATEWAY" in found["cloud"].mend
    assert {found[step].verdict for step in ("transfers", "locks", "metadata", "versions")} == {Verdict.UNTRIED}


async def test_a_secret_that_is_wrong_or_missing_and_a_user_who_is_nobody(patient: Patient) -> None:
    assert (await patient(cs3_machine_secret="wrong"))["cloud's sign-in"].verdict is Verdict.BAD
    assert (await patient("nobody"))["cloud's sign-in"].verdict is Verdict.BAD
    assert (await patient(cs3_machine_secret=None))["cloud's sign-in"].verdict is Verdict.WEAK
    found = await patient("")
    assert found["cloud's sign-in"].verdict is Verdict.UNTRIED
    assert "--as" in found["cloud's sign-in"].detail


async def test_what_a_cloud_does_not_do_is_named(patient: Patient) -> None:
    patient.gateway.moods.ignores_if_match = True
    patient.gateway.moods.lacks = {"SetArbitraryMetadata", "ListFileVersions"}
    found = await patient()
    assert [found[step].verdict for step in ("transfers", "metadata", "versions")] == [Verdict.WEAK] * 3, words(found)
    assert found["locks"].verdict is Verdict.GOOD


async def test_locks_that_nobody_gives(patient: Patient) -> None:
    patient.gateway.moods.refuses["SetLock"] = "PERMISSION_DENIED"
    found = await patient()
    assert found["locks"].verdict is Verdict.BAD
    assert found["metadata"].verdict is Verdict.GOOD


async def test_a_clock_that_goes_wrong(patient: Patient) -> None:
    clock = patient.cloud.clock
    patient.cloud.clock = lambda: clock() + 300
    found = await patient()
    assert found["transfers"].verdict is Verdict.BAD
    assert "clock" in found["transfers"].detail


async def test_a_data_server_that_is_away(patient: Patient) -> None:
    await patient.gateway.data.stop()
    found = await patient()
    assert found["transfers"].verdict is Verdict.BAD
    await patient.gateway.data.start()


async def test_what_was_made_goes_also_when_the_cloud_says_nothing_of_it(patient: Patient) -> None:
    patient.gateway.moods.refuses["Stat"] = "INTERNAL"
    found = await patient()
    assert found["transfers"].verdict is Verdict.BAD
    assert found["locks"].verdict is Verdict.UNTRIED


async def test_a_registry_that_does_not_know_us_and_a_cloud_whose_page_may_not_show_us(patient: Patient) -> None:
    found = await patient(cs3_live=LIVE)
    assert found["applications"].verdict is Verdict.BAD
    async with Gateway(patient.gateway.target) as gateway:
        await gateway.register(offering.live("Collab", LIVE))
    found = await patient(cs3_live=LIVE)
    assert found["applications"].verdict is Verdict.WEAK
    assert "COLLAB_FRAME_ANCESTORS" in found["applications"].mend
