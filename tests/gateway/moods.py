"""What real servers do to their clients now and then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


@dataclass
class Moods:
    """All are off at the beginning; those that are numbers between 0 and 1 are the chance that it happens, drawn from the gateway's seeded random."""

    processing: int = 0
    """After each upload so many looks (Stat or download) find the file in processing: Stat says so in its opaque, a download answers 500."""
    torn: float = 0.0
    """A download during or after an upload gives a mixture of the former bytes and the present ones, with status 200."""
    ignores_if_match: bool = False
    """As Reva v3 over gRPC: neither Initiate nor the PUT compares etags."""
    loses_locks: float = 0.0
    """The file's lock is gone: at an upload, after the lock was looked at and before the bytes are in place, which stay there."""
    forgets_locks: float = 0.0
    """The file's lock is gone before a call about the file."""
    away: float = 0.0
    """A call is answered UNAVAILABLE by gRPC, a transfer with 503, and nothing was done."""
    mute: float = 0.0
    """What was asked for is done, but the answer is lost: UNAVAILABLE, or a connection that ends."""
    slow: float = 0.0
    """Seconds that each call and each transfer takes at most; the time itself is drawn."""
    lacks: set[str] = field(default_factory=set)
    """Names of calls that this server does not have: UNIMPLEMENTED by gRPC."""
    refuses: dict[str, str] = field(default_factory=dict)
    """CS3 codes (without `CODE_`) that calls of these names answer, whatever is asked."""
    paths_only: bool = False
    """As Reva v3: no spaces; a Stat tells absolute paths, and home is what GetHome says."""
    odd_etags: bool = False
    """The answer to an upload has the etag in another form than Stat."""
    no_checksums: bool = False
    """Stat tells no checksum."""
    deaf_registry: bool = False
    """As a registry whose driver is fixed: it says OK to whoever registers, and keeps nothing."""
    passwords: bool = False
    """Public links need a password of some length."""
    deaf_metadata: bool = False
    """As a driver that says OK to arbitrary metadata, and keeps none."""
    holds: dict[str, asyncio.Event] = field(default_factory=dict)
    """Calls of these names, and `GET` or `PUT`, wait for their event."""
