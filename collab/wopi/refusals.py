"""What an office suite is refused with: the status of the specification, the headers that it asks for, and words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from collab.wopi.names import to_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collab.errors import Malformed


class Refused(Exception):
    """A refusal with headers, and fields of the JSON body for programs. No socket is ever closed with one: it is no `CollabError`."""

    status: ClassVar[int]
    reason: ClassVar[str]
    """A word for programs."""

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None, fields: Mapping[str, object] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.fields = dict(fields or {})


class LockMismatch(Refused):
    """The file is locked with another id than the caller's, or not at all."""

    status: ClassVar[int] = 409
    reason: ClassVar[str] = "lock-mismatch"

    def __init__(self, held: str, detail: str) -> None:
        super().__init__(detail, {"X-WOPI-Lock": held, "X-WOPI-LockFailureReason": printable(detail)})


class OutOfStep(Refused):
    """The stored document is another one than the suite goes on from."""

    status: ClassVar[int] = 409
    reason: ClassVar[str] = "out-of-step"

    def __init__(self, detail: str, held: str) -> None:
        super().__init__(
            detail,
            {"X-WOPI-Lock": held, "X-WOPI-LockFailureReason": printable(detail)},
            # Collabora Online asks the user then; older ones know the second name only.
            {"COOLStatusCode": 1010, "LOOLStatusCode": 1010},
        )


class NameTaken(Refused):
    """The wanted name is another file's."""

    status: ClassVar[int] = 409
    reason: ClassVar[str] = "exists"

    def __init__(self, detail: str, free: str, held: str = "") -> None:
        super().__init__(detail, {"X-WOPI-ValidRelativeTarget": to_header(free), "X-WOPI-Lock": held})


class BadName(Refused):
    """The wanted name cannot be one."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "malformed"

    def __init__(self, error: Malformed) -> None:
        super().__init__(error.detail, {"X-WOPI-InvalidFileNameError": printable(error.detail)})


class BadContainerName(Refused):
    """The wanted name of a folder cannot be one."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "malformed"

    def __init__(self, error: Malformed) -> None:
        super().__init__(error.detail, {"X-WOPI-InvalidContainerNameError": printable(error.detail)})


class NotEmpty(Refused):
    """The folder has something in it."""

    status: ClassVar[int] = 409
    reason: ClassVar[str] = "not-empty"


class NotOffered(Refused):
    """An operation that is not there, or not for this token."""

    status: ClassVar[int] = 501
    reason: ClassVar[str] = "not-offered"


class OverExpected(Refused):
    """The file is larger than the suite takes (X-WOPI-MaxExpectedSize)."""

    status: ClassVar[int] = 412
    reason: ClassVar[str] = "over-expected-size"


def printable(words: str) -> str:
    """Words as a header takes them (RFC 9110, section 5.5)."""
    return "".join(each if " " <= each <= "~" else "?" for each in words)
