"""The rules of WOPI locks as a table: what an operation may do, by whether the file is locked, and with the same id or another one.

From Microsoft's WOPI specification (`Lock`, `Unlock`, `RefreshLock`, `UnlockAndRelock`, `GetLock`, `PutFile`, `PutRelativeFile`, `RenameFile`,
`DeleteFile`). Ids are compared to the byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collab.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "wopi"
"""Which of a document's locks it is."""
SECONDS: Final = 1800.0
"""A lock that nobody takes again or refreshes is over. Nothing else prolongs it."""
LONGEST: Final = 1024
"""Characters of an id."""


class Operation(StrEnum):
    """What is asked for."""

    LOCK = "Lock"
    RELOCK = "UnlockAndRelock"
    """The id that counts is the old one."""
    REFRESH = "RefreshLock"
    UNLOCK = "Unlock"
    GET = "GetLock"
    PUT = "PutFile"
    OVERWRITE = "PutRelativeFile over a file"
    RENAME = "RenameFile"
    DELETE = "DeleteFile"


class Standing(StrEnum):
    """How the file is locked."""

    FREE = "not at all"
    SAME = "with the id that is given"
    OTHER = "with another id, or none is given"


class Answer(StrEnum):
    """What is to be done."""

    TAKE = "take the lock, for 30 minutes from now"
    SWAP = "put the new lock in the old one's place"
    EXTEND = "hold it for 30 minutes from now"
    FREE = "free it"
    TELL = "say which one stands"
    GO = "do what is asked, and leave the lock alone"
    ONLY_EMPTY = "do it if the stored file has no bytes, else refuse"
    REFUSE = "409, with the id that stands"


_T, _S, _E, _F = Answer.TAKE, Answer.SWAP, Answer.EXTEND, Answer.FREE
_TELL, _GO, _EMPTY, _NO = Answer.TELL, Answer.GO, Answer.ONLY_EMPTY, Answer.REFUSE

RULES: Final[Mapping[Operation, tuple[Answer, Answer, Answer]]] = {
    #                     FREE    SAME   OTHER
    Operation.LOCK:      (_T,     _T,    _NO),
    Operation.RELOCK:    (_NO,    _S,    _NO),
    Operation.REFRESH:   (_NO,    _E,    _NO),
    Operation.UNLOCK:    (_NO,    _F,    _NO),
    Operation.GET:       (_TELL,  _TELL, _TELL),
    Operation.PUT:       (_EMPTY, _GO,   _NO),
    Operation.OVERWRITE: (_GO,    _NO,   _NO),
    Operation.RENAME:    (_GO,    _GO,   _NO),
    Operation.DELETE:    (_GO,    _NO,   _NO),
}  # fmt: skip


_COLUMNS: Final = {column: number for number, column in enumerate(Standing)}


def standing(held: str, given: str) -> Standing:
    """How the id that holds the file (empty: nobody's) stands to the one that is given (empty: none is)."""
    if not held:
        return Standing.FREE
    return Standing.SAME if held == given else Standing.OTHER


def decide(operation: Operation, held: str, given: str) -> Answer:
    """The cell of the table."""
    return RULES[operation][_COLUMNS[standing(held, given)]]


def check(given: str) -> str:
    """An id as it came in a header. Malformed unless it has 1 to 1024 ASCII characters."""
    if not given:
        raise Malformed("this needs the id of a lock: X-WOPI-Lock is missing or empty")
    if len(given) > LONGEST or not given.isascii():
        raise Malformed(f"the id of a lock has at most {LONGEST} characters, all of them ASCII")
    return given


@dataclass(frozen=True, slots=True)
class Holder:
    """Who locked the file."""

    suite: str
    """As the settings call it; empty: not known."""
    name: str
    """The person whose token came with the lock."""

    def sealed(self) -> str:
        """As it is kept beside the lock."""
        return json.dumps({"suite": self.suite, "name": self.name})

    @property
    def words(self) -> str:
        """Why others cannot have the lock."""
        return f"the document is open in {self.suite or 'another office suite'}" + (f" ({self.name})" if self.name else "")


def holder_of(kept: str) -> Holder:
    """The inverse of `Holder.sealed`; what cannot be read is nobody."""
    try:
        fields = json.loads(kept)
        return Holder(str(fields["suite"]), str(fields["name"]))
    except (ValueError, KeyError, TypeError):
        return Holder("", "")
