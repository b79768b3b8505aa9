"""A document that people and a suite write runs in virtual time, as the runtime's tests do."""

from __future__ import annotations

from runtime.conftest import pytest_asyncio_loop_factories, stage

__all__ = ["pytest_asyncio_loop_factories", "stage"]
