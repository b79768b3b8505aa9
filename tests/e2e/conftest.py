"""What tests with real browsers need: one Chromium, people with profiles of their own, and servers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from e2e.people import FLAGS, MILLISECONDS, Company, chromium
from playwright.async_api import async_playwright, expect
from serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from playwright.async_api import Browser

SAVE_DELAY = "0.5"
"""Seconds: files follow sooner than they do by default, so that nobody waits for them long."""

expect.set_options(timeout=MILLISECONDS)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it alone."""
    with serving(tmp_path_factory.mktemp("shared"), COLLAB_SAVE_DELAY=SAVE_DELAY) as served:
        yield served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server of this test's own, which it may stop, kill and restart."""
    with serving(tmp_path, COLLAB_SAVE_DELAY=SAVE_DELAY) as served:
        yield served


def pytest_itemcollected(item: pytest.Item) -> None:
    """One browser and one loop for all tests of this folder that a worker runs."""
    item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def company(browser: Browser, tmp_path: Path) -> AsyncIterator[Company]:
    """People join; afterwards there are pictures of what they saw, and no page may have broken its policy or failed."""
    company = Company(browser)
    yield company
    # Pictures are for whoever looks for a fault: a machine that is too busy for them is none.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            await company.pictures(tmp_path)
    async with asyncio.timeout(60):
        await company.leave()
    for person in company.people:
        assert person.seen.tempted or person.seen.violations == []
        assert person.seen.faults == []
