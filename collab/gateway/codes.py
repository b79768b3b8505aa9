"""What a CS3 gateway and its data server answer, as our errors. gRPC's status codes and CS3's `rpc.v1beta1.Code` have the same names for the same facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.errors import Changed, CollabError, Denied, Exists, Full, Locked, Malformed, NotFound, Unauthorized, Unavailable, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

OK: Final = "OK"

ERRORS: Final[Mapping[str, tuple[type[CollabError], str]]] = {
    "INVALID": (Unavailable, "the storage gave no answer that can be read"),
    "CANCELLED": (Unavailable, "the storage broke off"),
    "UNKNOWN": (Unavailable, "the storage failed"),
    "INVALID_ARGUMENT": (Malformed, "the storage does not take this"),
    "DEADLINE_EXCEEDED": (Unavailable, "the storage did not answer in time"),
    "NOT_FOUND": (NotFound, "the storage has no such thing"),
    "ALREADY_EXISTS": (Exists, "there is something of this name"),
    "PERMISSION_DENIED": (Denied, "the storage does not allow this"),
    "UNAUTHENTICATED": (Unauthorized, "the cloud does not know who you are (any more): sign in again"),
    "RESOURCE_EXHAUSTED": (Unavailable, "the storage has too much to do"),
    "FAILED_PRECONDITION": (Changed, "the storage has another file than expected"),
    "ABORTED": (Changed, "somebody else did something in between"),
    "OUT_OF_RANGE": (Malformed, "the storage has nothing there"),
    "UNIMPLEMENTED": (Unsupported, "the storage cannot do this"),
    "INTERNAL": (Unavailable, "the storage failed"),
    "UNAVAILABLE": (Unavailable, "the storage is away"),
    "DATA_LOSS": (Unavailable, "the storage says that it has lost data"),
    "REDIRECTION": (Unavailable, "the storage sends us elsewhere"),
    "INSUFFICIENT_STORAGE": (Full, "the storage is full, or the quota is used up"),
    "LOCKED": (Locked, "somebody else holds the lock"),
    "TOO_EARLY": (Unavailable, "the storage is not done with the file yet"),
}
"""By name, without `CODE_`. NOT_FOUND is what an expired token gets, too: who reads it as "deleted" asks first whether the token is good."""

LOCK_ERRORS: Final[Mapping[str, tuple[type[CollabError], str]]] = {
    "FAILED_PRECONDITION": (Locked, "the lock is not as expected"),
    "ABORTED": (Locked, "somebody else holds the lock, or nobody"),
    "LOCKED": (Locked, "somebody else holds the lock"),
    "PERMISSION_DENIED": (Denied, "the lock is another application's, or you may not write"),
}
"""What differs for SetLock, RefreshLock and Unlock: there a precondition is about the lock."""

HTTP_ERRORS: Final[Mapping[int, tuple[type[CollabError], str]]] = {
    400: (Malformed, "the storage does not take this body"),
    401: (Unauthorized, "the cloud does not know who you are (any more): sign in again"),
    403: (Denied, "the storage does not allow this"),
    404: (NotFound, "the storage has no such file"),
    409: (Changed, "somebody else did something in between"),
    412: (Changed, "the storage has another file than expected, or the lock was lost"),
    413: (Unavailable, "the storage takes no file of this size"),
    419: (Unavailable, "the body was damaged on its way to the storage"),
    423: (Locked, "somebody else holds the lock"),
    425: (Unavailable, "the storage is not done with the file yet"),
    507: (Full, "the storage is full, or the quota is used up"),
}
"""What the data server says of a transfer; all others are `Unavailable`."""


def refusal(code: str, about: str, said: str = "", *, lock: bool = False, told: bool = False) -> CollabError:
    """The error for a code of gRPC or CS3 (its name). `about`: which thing, as its user names it; `said`: the server's own words, for unknown facts, and with
    `told` also for what it does not take or allow.
    """
    kind, words = (LOCK_ERRORS if lock else {}).get(code) or ERRORS.get(code, (Unavailable, f"the storage says {code}"))
    return kind(_told(words, about, said if kind is Unavailable or (told and kind in {Malformed, Denied}) else ""))


def transfer_refusal(status: int, about: str) -> CollabError:
    """The error for an HTTP status of the data server."""
    kind, words = HTTP_ERRORS.get(status, (Unavailable, f"the storage's data server says {status}"))
    return kind(_told(words, about, ""))


def _told(words: str, about: str, said: str) -> str:
    own = " ".join(said.split())[:200]
    return f"{words}{f' ({own})' if own else ''}: {about}" if about else words
