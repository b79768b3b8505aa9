"""Documents as they are read: bytes to blocks of clean HTML, without scripts, and what changed between two renderings. Nothing here does I/O."""

from __future__ import annotations

from typing import Final

RENDERER: Final = "1"
"""Grows whenever the same bytes become other HTML: what readers keep is then not taken for the newest."""
