"""In which order several processes run the tests: what waits long begins first, so that at the end nobody waits for one of them."""

from __future__ import annotations

import logging
import os
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("collab", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("collab")
"""The same examples in every run, however busy the machine is."""

SLOW = (
    "tests/deploy/test_clean_clone.py",
    "tests/process/test_chaos.py",
    "tests/sim/test_skies.py",
    "tests/e2e/test_libreoffice.py",
    "tests/interop/test_wopi_validator.py",
    "tests/process/test_redis.py",
    "tests/process/test_killed.py",
    "tests/process/test_workers.py",
    "tests/process/test_crowd.py",
    "tests/process/test_cloud_acceptance.py",
    "tests/process/",
    "tests/deploy/",
    "tests/e2e/",
    "tests/interop/",
    "tests/operations/",
    "tests/sim/",
)
"""Modules and folders of tests that wait for clocks, browsers and other processes, or compute long: the longest first. What is left for the
end are short ones, which are shared out to the last.
"""


@pytest.fixture
def logs() -> Iterator[None]:
    """As they were, after a command has set them up for a process of its own."""
    root, audit = logging.getLogger(), logging.getLogger("collab.audit")
    before = root.handlers[:], root.level, audit.handlers[:], audit.level, audit.propagate
    # The command closes what it replaces.
    root.handlers = []
    yield
    root.handlers, audit.handlers, audit.propagate = before[0], before[2], before[4]
    root.setLevel(before[1])
    audit.setLevel(before[3])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if processes:
        items[:] = dealt(items, processes)


def dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """All of them, in an order whose even shares (pytest-xdist gives each process one, and lets those that are done take from the ends of the
    others') begin with slow modules.
    """
    ranks = {item: next((rank for rank, prefix in enumerate(SLOW) if item.nodeid.startswith(prefix)), len(SLOW)) for item in items}
    slow = sorted((item for item in items if ranks[item] < len(SLOW)), key=lambda item: (ranks[item], item.path))
    others = [item for item in items if ranks[item] == len(SLOW)]
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, (_, module) in enumerate(groupby(slow, key=lambda item: item.path)):
        shares[number % processes].extend(module)
    left = len(items)
    for number, share in enumerate(shares):
        size = left // (processes - number)
        left -= size
        more = max(0, size - len(share))
        share.extend(others[:more])
        del others[:more]
    return [item for share in (*shares, others) for item in share]
