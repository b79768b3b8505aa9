"""In whose name something is done: the session of whoever asks, and the document that a room works on. A storage that knows nobody but its own users
(a cloud) looks here; others do not.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_CALLER: ContextVar[str] = ContextVar("caller", default="")
_DOCUMENT: ContextVar[str] = ContextVar("document", default="")


def caller() -> str:
    """The id of the session (`Grant.id`) of whoever asks for what is being done; empty: nobody does, or it has none."""
    return _CALLER.get()


def document() -> str:
    """The id of the document whose room is at work; empty: none is."""
    return _DOCUMENT.get()


class asked_by:  # noqa: N801 - it is read as what is done inside; each request comes through here twice, and a generator costs six calls more
    """What is done inside, and by tasks that begin there, is asked for by this session."""

    __slots__ = ("_session", "_token")

    def __init__(self, session: str) -> None:
        self._session = session

    def __enter__(self) -> None:
        self._token = _CALLER.set(self._session)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _CALLER.reset(self._token)


@contextmanager
def working_on(name: str) -> Iterator[None]:
    """What is done inside, and by tasks that begin there, is a room's work on this document, and nobody asks for it."""
    tokens = _DOCUMENT.set(name), _CALLER.set("")
    try:
        yield
    finally:
        _DOCUMENT.reset(tokens[0])
        _CALLER.reset(tokens[1])
