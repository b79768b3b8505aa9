"""The server with rights that a test changes while people are in rooms: run as a program, it is `collab`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving import Served, running

from collab import cli
from collab.access import Role
from collab.app import serving
from collab.errors import Forbidden
from collab.runtime.rights import GrantRights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collab.access import Grant
    from collab.app.stores import Store
    from collab.ports import Rights, Stat

INTERVAL = "0.3"
"""Seconds between two looks."""
_FILE = "COLLAB_TEST_RIGHTS"


class Noted(GrantRights):
    """A role, or `none`, by the person's name, in a file; who is not named there has the grant's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def role(self, grant: Grant, stat: Stat) -> Role:
        word = json.loads(self.path.read_bytes()).get(grant.person.name)
        if word == "none":
            raise Forbidden("your access was taken back")
        allowed = await super().role(grant, stat)
        return allowed if word is None else min(allowed, Role.of(word))


class Permitted(Served):
    """A server of this program."""

    def permit(self, **roles: str) -> None:
        """From now on these people have these roles, and nobody else another than the token's."""
        path = Path(self.environment[_FILE])
        made = path.with_suffix(".new")
        made.write_text(json.dumps(roles))
        made.replace(path)


@contextmanager
def permitting(folder: Path, **environment: str) -> Iterator[Permitted]:
    """As `serving`."""
    notes = folder / "rights.json"
    notes.write_text("{}")
    given = {"COLLAB_RIGHTS_INTERVAL": INTERVAL, _FILE: str(notes), "PYTHONPATH": str(Path(__file__).parent)} | environment
    with running(Permitted(folder / "root", folder / "state", given, program=(__file__,))) as served:
        yield served


def _noted(store: Store) -> Rights:
    del store
    return Noted(Path(os.environ[_FILE]))


if __name__ == "__main__":
    serving._rights = _noted
    sys.exit(cli.main())
