from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from measured import samples
from serving import until
from standing import Site, stand
from suites import fake_suite

from collab.runtime.metrics import Histogram, Metrics
from collab.runtime.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with stand(tmp_path) as site:
        yield site


async def test_the_server_is_alive_and_ready_by_any_name(site: Site) -> None:
    async with site.client() as probe:
        for path, word in (("/healthz", "alive\n"), ("/readyz", "ready\n")):
            answer = await probe.get(path, headers={"Host": "10.1.2.3:8000"})
            assert (answer.status_code, answer.text) == (200, word)
            assert answer.headers["cache-control"] == "no-store"


async def test_a_server_that_drains_is_alive_and_not_ready(site: Site) -> None:
    """PROC-5."""
    async with site.client() as probe:
        site.app.health.drain()
        answer = await probe.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reason"] == "draining"
        assert (await probe.get("/healthz")).status_code == 200


async def test_a_server_that_can_store_nothing_is_not_ready_and_says_why(site: Site) -> None:
    """JOURNAL-5."""
    async with site.client() as probe:
        site.journal.refuse("the disk is full")
        answer = await probe.get("/readyz")
        assert answer.status_code == 503
        assert "the disk is full" in answer.json()["detail"]
        assert (await probe.get("/healthz")).status_code == 200
        site.journal.refuse(None)
        assert (await probe.get("/readyz")).status_code == 200


async def test_a_server_is_ready_without_its_office_suites_and_tells_which(tmp_path: Path) -> None:
    with fake_suite() as one, fake_suite() as other:
        other.status = 503
        async with stand(tmp_path, wopi_discovery=f"One={one.url} Other={other.url}") as site, site.client() as probe:

            async def ready() -> tuple[int, str]:
                answer = await probe.get("/readyz")
                return answer.status_code, answer.text

            await until(lambda: one.asked and other.asked and site.app.metrics.offices() == {"One": True, "Other": False})
            assert await ready() == (200, "ready, but nothing opens in Other\n")
            numbers = (await probe.get("/metrics")).text
            assert 'collab_office_suite_up{suite="One"} 1.0' in numbers
            assert 'collab_office_suite_up{suite="Other"} 0.0' in numbers


async def test_under_a_prefix_probes_are_at_both_addresses(tmp_path: Path) -> None:
    async with stand(tmp_path, public_url="https://docs.example/collab") as site, site.client() as probe:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await probe.get(path)).status_code == 200
            assert (await probe.get("/collab" + path)).status_code == 200


async def test_all_numbers_are_told(site: Site) -> None:
    metrics = site.app.metrics
    metrics.rooms, metrics.edits, metrics.messages = 2, 41, 99
    metrics.connections = lambda: 3
    metrics.acknowledged.observe(0.004, times=2)
    metrics.acknowledged.observe(70.0)
    metrics.saved("written")
    metrics.failed("save")
    metrics.refused("forbidden")
    metrics.journal_pending = lambda: 512
    metrics.loop_held = 0.75
    metrics.slowed, metrics.memory = 5, 4096
    async with site.client() as probe:
        answer = await probe.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    told = samples(answer.text)
    assert told["collab_connections",] == 3
    assert told["collab_rooms",] == 2
    assert told["collab_edits_total",] == 41
    assert told["collab_messages_received_total",] == 99
    assert told["collab_acknowledgement_seconds_bucket", "0.0025"] == 0
    assert told["collab_acknowledgement_seconds_bucket", "0.005"] == 2
    assert told["collab_acknowledgement_seconds_bucket", "10.0"] == 2
    assert told["collab_acknowledgement_seconds_bucket", "+Inf"] == 3
    assert told["collab_acknowledgement_seconds_count",] == 3
    assert told["collab_acknowledgement_seconds_sum",] == pytest.approx(70.008)
    assert told["collab_saves_total", "written"] == 1
    assert told["collab_failures_total", "save"] == 1
    assert told["collab_refusals_total", "forbidden"] == 1
    assert told["collab_journal_pending_bytes",] == 512
    assert ("collab_event_loop_stall_seconds_count",) in told
    assert ("collab_event_loop_stall_max_seconds",) in told
    assert told["collab_event_loop_held_max_seconds",] == 0.75
    assert told["collab_slowed_total",] == 5
    assert told["collab_documents_bytes",] == 4096
    assert told["process_resident_memory_bytes",] > 0


def test_a_bound_counts_what_is_at_or_under_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        histogram.observe(value)
    assert histogram.buckets() == [("1.0", 2.0), ("2.0", 4.0), ("+Inf", 5.0)]
    assert (histogram.count, histogram.total, histogram.largest) == (5, 7.5, 2.5)


async def test_a_stall_of_the_event_loop_is_measured_while_something_happens() -> None:
    metrics, used = Metrics(), iter([0.0])
    pulse = Pulse(metrics, lambda: next(used, 0.3))
    pulse.beat()
    time.sleep(0.1)  # noqa: ASYNC251  # it is what is measured
    await until(lambda: metrics.loop_stall.count >= 1)
    pulse.stop()
    assert metrics.loop_stall.largest >= 0.05
    assert metrics.loop_held == pytest.approx(0.28)


async def test_when_nothing_happens_no_timer_runs_and_a_message_keeps_it_running() -> None:
    metrics = Metrics()
    rests: list[int] = []
    pulse = Pulse(metrics, quiet=50, rest=lambda: rests.append(metrics.loop_stall.count))
    pulse.beat()
    await until(lambda: metrics.loop_stall.count >= 25)
    metrics.messages += 1
    await until(lambda: pulse.resting)
    looks = metrics.loop_stall.count
    assert looks > 50
    assert rests == [looks]
    pulse.beat()
    assert not pulse.resting
    pulse.stop()
    assert pulse.resting
