"""What differs between families of clients, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of clients speaks on its path."""

    name: str
    addressed: bool
    """Every message has the address of its document before it, and one socket carries many documents."""
    statuses: bool
    """Each step 2 and update is answered by a status once it is durable."""
    echo: bool
    """A writer gets its own update back once it is durable."""


YWEBSOCKET = Dialect("y-websocket", addressed=False, statuses=False, echo=True)
"""y-websocket 1 to 4: one document on a socket, the token in the query."""

HOCUSPOCUS = Dialect("hocuspocus", addressed=True, statuses=True, echo=False)
"""Providers 2 to 4 of Hocuspocus: signing in, statuses and many documents in band."""
