"""One variable scales the tests: `COLLAB_TEST_SCALE=full` runs the full numbers, anything else the numbers for CI."""

from __future__ import annotations

import os


def scale(ci: int, full: int) -> int:
    """The size for this run."""
    return full if os.environ.get("COLLAB_TEST_SCALE") == "full" else ci
