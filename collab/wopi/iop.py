"""In the place of wopiserver: a Reva whose driver is `wopi` asks how a file opens in an application. What it asks and is told is that server's contract."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import jwt

from collab.access import Person, Role
from collab.errors import Malformed, Unauthorized
from collab.runtime.rights import told
from collab.wopi.discovery import Action, filled
from collab.wopi.locks import NAME, holder_of
from collab.wopi.tokens import LONGEST, Pass, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collab.ports import Locks, Stat
    from collab.runtime.documents import Documents
    from collab.wopi.addresses import Addresses
    from collab.wopi.suites import Suites

MODES: Final = {
    "VIEW_MODE_READ_WRITE": Role.EDITOR,
    "VIEW_MODE_READ_ONLY": Role.VIEWER,
    "VIEW_MODE_VIEW_ONLY": Role.VIEWER,
    "VIEW_MODE_PREVIEW": Role.VIEWER,
}
"""What a view mode (CS3, `app.provider`) allows."""
FOREIGN: Final = 4096
"""Characters of another system's token."""
_WORD: Final = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be opened. `fileid` is an id or path of ours; the addresses are an application's (WOPI, `urlsrc`)."""

    fileid: str
    mode: str
    person: Person
    foreign: str
    """The token of that system's user: for all files, so it never leaves us, and lies encrypted in ours."""
    edit: str
    view: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], foreign: str) -> Wanted:
        """What the query says; `Malformed` when something is missing."""
        missing = [name for name in ("fileid", "viewmode", "userid", "appurl") if not query.get(name)] + (
            [] if foreign else ["TokenHeader"]
        )
        if missing:
            raise Malformed(f"this is missing: {', '.join(missing)}")
        user, name = query["userid"], query.get("username", "") or query["userid"]
        if not (user + name).isprintable() or max(len(user), len(name)) > _WORD:
            raise Malformed(f"userid and username have at most {_WORD} characters that can be printed")
        if len(foreign) > FOREIGN or not foreign.isascii():
            raise Malformed(f"TokenHeader has at most {FOREIGN} characters, all of them ASCII")
        return cls(
            query["fileid"], query["viewmode"].upper(), Person(f"reva:{user}", name), foreign, query["appurl"], query.get("appviewurl", "")
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """Where an application opens the file, with which token."""

    stat: Stat
    url: str
    access_token: str
    suite: str


@dataclass(frozen=True, slots=True)
class Interop:
    """`length`: seconds that a token lives at most; `now` gives UTC seconds since the epoch."""

    documents: Documents
    suites: Suites
    locks: Locks
    addresses: Callable[[], Addresses]
    secret: bytes
    now: Callable[[], float]
    length: float

    async def open(self, wanted: Wanted) -> Opened:
        """NotFound; `Malformed` for a mode that is none or an address that nobody configured; `Unauthorized` for a token that is over."""
        role = MODES.get(wanted.mode if wanted.mode.startswith("VIEW_MODE_") else f"VIEW_MODE_{wanted.mode}")
        if role is None:
            raise Malformed(f"viewmode is one of {', '.join(MODES)}")
        for address in filter(None, (wanted.edit, wanted.view)):
            if not self.suites.hosts.know(address):
                raise Malformed(
                    "appurl and appviewurl must be at a host that is configured: see COLLAB_WOPI_DISCOVERY, COLLAB_WOPI_SUITE_HOSTS"
                )
        ends = self._ends(wanted.foreign)
        stat = await self.documents.find(wanted.fileid.lstrip("/"))
        if not stat.id:
            raise Malformed("this is a folder; applications open files")
        role = told(role, stat)
        address = wanted.edit if role is Role.EDITOR else wanted.view or wanted.edit
        office = self.suites.at(address)
        suite, product = ("", "") if office is None else (office.name, office.product)
        # The caller vouches for this file alone, so the token reaches no other.
        granted = Pass(wanted.person, role, stat.id, ends, scope=stat.id, suite=suite, foreign=wanted.foreign)
        token = seal(granted, self.secret, now=self.now())
        if len(token) > LONGEST:
            raise Malformed("TokenHeader is too long")
        url = filled(Action("edit", "", "", address), file=self.addresses().file(stat.id), language="", product=product)
        return Opened(stat, url, token, suite)

    async def sessions(self) -> list[dict[str, object]]:
        """Documents that are locked in an office suite, with who locked it and how many seconds are left."""
        told: list[dict[str, object]] = []
        for document, lock in (await self.locks.standing(NAME)).items():
            holder = holder_of(lock.holder)
            told.append({"document": document, "suite": holder.suite, "by": holder.name, "seconds": int(lock.seconds)})
        return told

    def _ends(self, foreign: str) -> float:
        """No token of ours outlives the one that it stands for."""
        ends = self.now() + self.length
        try:
            # Who signed it is its own system's business, which looks when it is used.
            claimed = jwt.decode(foreign, options={"verify_signature": False, "verify_exp": False}).get("exp", ends)
        except (jwt.PyJWTError, ValueError, RecursionError):
            claimed = ends
        if isinstance(claimed, int | float) and math.isfinite(claimed):
            ends = min(ends, float(claimed))
        if ends <= self.now():
            raise Unauthorized("the token in TokenHeader is over")
        return math.floor(ends)
