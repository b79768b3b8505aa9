"""The storages of files that the contract is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from folders import EVERYWHERE, FOLDERS, Outside, OutsideCloud, outside_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=EVERYWHERE)
async def outside(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outside]:
    """Each storage."""
    made = await outside_of(request.param, tmp_path)
    yield made
    await made.close()


@pytest.fixture(params=FOLDERS)
async def folder(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outside]:
    """Those where programs rename files aside, hold them open and write into them, so that a path tells which document it is."""
    made = await outside_of(request.param, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[OutsideCloud]:
    """The one where each file has an id, and each upload is a version: what it has instead of what `folder` is for."""
    made = await outside_of("cs3", tmp_path)
    assert isinstance(made, OutsideCloud)
    yield made
    await made.close()
