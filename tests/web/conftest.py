"""What is about time alone runs in virtual time."""

from __future__ import annotations

from asyncio import SelectorEventLoop
from typing import TYPE_CHECKING

from sim.virtual import VirtualLoop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    import pytest


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], AbstractEventLoop]]:
    return {"virtual": VirtualLoop} if item.path.name == "test_carrier.py" else {"real": SelectorEventLoop}
