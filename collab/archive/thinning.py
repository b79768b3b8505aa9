"""Which versions stay, by age: all of a day, then the last of each hour, after a week the last of each day (UTC)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collab.ports import Version

HOUR = 3_600.0
DAY = 24 * HOUR
WEEK = 7 * DAY


def surplus(versions: Sequence[Version], now: float) -> list[Version]:
    """Those that go; `versions` ascend. Those with names, the first and the newest stay."""
    last: dict[tuple[float, int], int] = {}
    for version in versions:
        slot = _slot(version, now)
        if slot is not None:
            last[slot] = version.number
    stay = set(last.values()) | {version.number for version in (*versions[:1], *versions[-1:])}
    return [version for version in versions if not version.name and version.number not in stay and _slot(version, now) is not None]


def due(versions: Iterable[Version], now: float) -> float | None:
    """When something may have to go next, None: never, as it is."""
    # Those with names, too: they may take the place of others.
    ages = [version.at + (DAY if now - version.at < DAY else WEEK) for version in versions if now - version.at < WEEK]
    return min(ages, default=None)


def _slot(version: Version, now: float) -> tuple[float, int] | None:
    """The hour or the day of which one version stays."""
    age = now - version.at
    if age < DAY:
        return None
    length = HOUR if age < WEEK else DAY
    return length, int(version.at // length)
