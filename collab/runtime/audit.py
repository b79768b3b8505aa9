"""Audit events as JSON lines: who did what to which document, from where. No token or secret is ever among them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.access import Person
    from collab.ports import Stat

log = logging.getLogger("collab.audit")


class Audit:
    """Writes events to the logger `collab.audit`, a line of JSON each; `now` gives UTC seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def __call__(self, event: str, person: Person, document: Stat | None, address: str, detail: str = "") -> None:
        """`event` is open, write, create, rename, delete, restore, purge, download, office, sign-in, sign-out, name.

        `detail` is the role, the path or name before, the template, or suite and action.
        """
        if not log.isEnabledFor(logging.INFO):
            return
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event,
            "person": {"id": person.id, "name": person.name},
            "address": address,
        }
        if document is not None:
            line["document"] = {"id": document.id, "path": document.path}
        if detail:
            line["detail"] = detail
        log.info("%s", json.dumps(line, ensure_ascii=False))
