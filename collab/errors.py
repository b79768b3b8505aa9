"""The error tree: each error knows its WebSocket close code and its HTTP status.

Close codes 44xx are final for the client; 45xx, 1011 and 1013 are passing (docs/reference/protocol.md).
"""

from __future__ import annotations

from typing import ClassVar


class CollabError(Exception):
    """Something that a peer is told in words: `detail` says what happened and what to do."""

    status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011
    reason: ClassVar[str] = "error"
    """A word for programs: metrics label, close reason, problem type."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def final(self) -> bool:
        """Whether coming back with the same brings the same answer."""
        return 4400 <= self.close_code < 4500


class Malformed(CollabError):
    """Bytes, names or values that are not what the protocol says."""

    status = 400
    close_code = 4400
    reason = "malformed"


class Poisoned(Malformed):
    """The CRDT library failed half way: the document is to be rebuilt before its next message."""

    reason = "poisoned"


class Unauthorized(CollabError):
    """No credentials, or credentials that are not valid (any more): sign in again."""

    status = 401
    close_code = 4401
    reason = "unauthorized"


class Forbidden(CollabError):
    """Valid credentials that do not allow this."""

    status = 403
    close_code = 4403
    reason = "forbidden"


class Denied(Forbidden):
    """The storage refuses this to us or to the caller."""

    reason = "denied"


class Unsupported(Denied):
    """The storage has no such feature."""

    status = 501
    reason = "unsupported"


class NotFound(CollabError):
    """No such document."""

    status = 404
    close_code = 4404
    reason = "not-found"


class Conflict(CollabError):
    """The state is another than the caller expects."""

    status = 409
    close_code = 4500
    reason = "conflict"


class Exists(Conflict):
    """The name is taken."""

    reason = "exists"


class Changed(Conflict):
    """The file is not the one that `if_match` names (RFC 9110, section 13.1.1)."""

    status = 412
    reason = "changed"


class Locked(Conflict):
    """Somebody else holds the storage's lock."""

    status = 423
    reason = "locked"


class OtherLineage(CollabError):
    """The peer holds another history of the document; it is never merged."""

    status = 409
    close_code = 4409
    reason = "lineage"


class Equivocation(CollabError):
    """The peer sent other content under a (client, clock) that we hold."""

    status = 409
    close_code = 4409
    reason = "equivocation"


class TooLarge(CollabError):
    """Over a limit that the settings state."""

    status = 413
    close_code = 4413
    reason = "too-large"


class NotText(CollabError):
    """The file is not UTF-8 text: offer it as a download."""

    status = 415
    close_code = 4415
    reason = "not-text"


class TooMany(CollabError):
    """Over a rate or a number that the settings state: come back later."""

    status = 429
    close_code = 1013
    reason = "too-many"


class TooSlow(CollabError):
    """The peer does not read what it is sent."""

    status = 408
    close_code = 1013
    reason = "too-slow"


class TimedOut(CollabError):
    """The peer did not do what it had to do in time."""

    status = 408
    close_code = 4408
    reason = "timeout"


class Unavailable(CollabError):
    """Storage or journal do not answer now: come back with jitter."""

    status = 503
    close_code = 1013
    reason = "unavailable"


class Full(Unavailable):
    """There is no room left in the storage, or for this user (RFC 4918, section 11.5)."""

    status = 507
    reason = "full"


class Draining(Unavailable):
    """The server is about to stop."""

    reason = "draining"


class Fenced(Unavailable):
    """The document's room lives on another node by now: what was sent here is to be sent there."""

    reason = "moved"


class Unreachable(Unavailable):
    """The node where the document lives does not answer just now."""

    reason = "unreachable"
