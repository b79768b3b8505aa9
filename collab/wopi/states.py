"""What office suites are told of a document: a version and a time that change when there is something new to them, and never come back.

A *live* document is one that people type in meanwhile: while a suite has it locked, version and time stand still, since what the suite saves is merged.
A *plain* one has the bytes that somebody put; while it is locked, what the suite goes on from stands still too, so that a body from outside is noticed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

from collab.ports import OfficeState

APART: Final = 10_000
"""Ticks in which bodies of one time are told apart."""
TICK: Final = 1e-6
"""Seconds between two times that are told apart."""


def seen(known: OfficeState | None, etag: str, modified: float, *, locked: bool, live: bool) -> OfficeState:
    """What is to be told of a document with this etag, whose file was modified then (UTC seconds)."""
    if known is None:
        return OfficeState(1, etag, _rounded(modified))
    if known.etag == etag or (locked and live):
        return known
    told = replace(known, version=known.version + 1, etag=etag, modified=_rounded(_after(known, modified) + _apart(etag)))
    # What somebody outside wrote is none of the bodies that a put may have ended with.
    return told if live or etag in expected(known) else replace(told, given=(), lock="")


def kept(known: OfficeState | None, told: OfficeState, *, locked: bool, live: bool) -> bool:
    """Whether what is told is to be remembered: of a plain document under a lock only what a suite put is."""
    return told != known and (known is None or live or not locked)


def announced(known: OfficeState, digest: str, now: float, *, before: str, lock: str) -> OfficeState:
    """What will be told once a body with this digest, and so this etag, is put; until then the file may still have the etag `before`."""
    given = (before,) if before != digest else ()
    return OfficeState(known.version + 1, digest, _after(known, now), digest, given, before=known.modified, lock=_digest(lock))


def merged(known: OfficeState, etag: str, digest: str, now: float) -> OfficeState:
    """What is told once a body with this digest was merged into a live document, which has this etag then."""
    return OfficeState(known.version + 1, etag, _after(known, now), put=digest)


def expected(known: OfficeState) -> frozenset[str]:
    """Etags of a plain document that a suite may replace: the body that it knows, or, after a crash in the middle of a put, the one before."""
    return frozenset({known.etag, *known.given})


def unanswered(known: OfficeState, timestamp: str, lock: str) -> bool:
    """Whether a suite that names this time just was not told how its own last put ended."""
    return bool(lock) and known.lock == _digest(lock) and same_time(timestamp, time_of(known.before))


def word(state: OfficeState) -> str:
    """The version as suites are told it: it does not come back either when a restored backup counts anew."""
    return f"{state.version}-{state.etag[-16:]}"


def time_of(seconds: float) -> str:
    """A time as ISO 8601 with microseconds, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def same_time(one: str, other: str) -> bool:
    """Whether two times are the same, however many digits each has."""
    try:
        return datetime.fromisoformat(one.strip()) == datetime.fromisoformat(other.strip())
    except (ValueError, TypeError):
        return one.strip() == other.strip()


@lru_cache(1024)
def _digest(lock: str) -> str:
    return sha256(lock.encode()).hexdigest() if lock else ""


def _after(known: OfficeState, modified: float) -> float:
    return _rounded(max(modified, known.modified + TICK))


def _apart(etag: str) -> float:
    """A part of the time that tells bodies apart whose files were modified at one time, or before: a copy may bring its time along."""
    return int(sha256(etag.encode()).hexdigest()[:8], 16) % APART * TICK


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
