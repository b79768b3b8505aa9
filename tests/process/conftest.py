"""What tests of the whole process need: a server, and real clients."""

from __future__ import annotations

from interop.conftest import clients, peers, seeded
from serving import server

__all__ = ["clients", "peers", "seeded", "server"]
