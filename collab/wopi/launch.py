"""Opening a document in an office suite: which suite takes it, where, and with which token."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import Malformed, NotFound, Unavailable
from collab.runtime.rights import told
from collab.wopi.discovery import filled, origin_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collab.access import Grant
    from collab.ports import Stat
    from collab.wopi.addresses import Addresses
    from collab.wopi.discovery import Action, Discovery
    from collab.wopi.suites import Office, Suites

ROLES: Final = {"edit": Role.EDITOR, "view": Role.VIEWER}
"""Actions that people are offered, and what each needs."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Launch:
    """What a page opens a suite with: a form in a frame, which posts the token (WOPI, host pages)."""

    url: str
    access_token: str
    access_token_ttl: int
    """When the token ends, in milliseconds since the epoch."""
    origin: str
    """Whose messages the page believes."""


class Launcher:
    """`length`: seconds that a token lives at most. `now` gives UTC seconds since the epoch."""

    def __init__(
        self, suites: Suites, addresses: Callable[[], Addresses], secret: bytes, *, now: Callable[[], float], length: float
    ) -> None:
        self.suites = suites
        self._addresses = addresses
        self._secret = secret
        self._now = now
        self._length = length

    def kinds(self, office: Office) -> list[tuple[str, str]]:
        """What the suite does with files of which extension: (action, extension)."""
        if office.discovery is None:
            return []
        exts = dict.fromkeys(action.ext for action in office.discovery.actions if action.ext)
        return [(name, ext) for ext in exts for name in ROLES if _action(office.discovery, name, ext, "") is not None]

    def openings(self, stat: Stat, role: Role) -> Iterator[tuple[Office, str, Action]]:
        """Each suite and action that takes the document and that this role may have."""
        for office in self.suites.offices:
            for name, needed in ROLES.items():
                action = None if office.discovery is None else _action(office.discovery, name, _ext(stat), stat.type)
                if action is not None and told(role, stat) >= needed:
                    yield office, name, action

    def launch(self, grant: Grant, stat: Stat, suite: str, name: str, language: str = "") -> Launch:
        """The document, of which this grant may have that action, opens there. NotFound, `Malformed`, Unavailable."""
        if language and not _LANGUAGE.fullmatch(language):
            raise Malformed("a language is written de or de-DE (BCP 47)")
        office, action = self._opening(stat, suite, name)
        granted = self._pass(grant, stat, suite, name)
        token = seal(granted, self._secret, now=self._now())
        url = filled(action, file=self._addresses().file(stat.id), language=language, product=office.product)
        return Launch(url, token, int(granted.expires * 1000), origin_of(url))

    def _opening(self, stat: Stat, suite: str, name: str) -> tuple[Office, Action]:
        office = self.suites.get(suite)
        if office is None or name not in ROLES:
            raise NotFound("there is no such office suite or action: GET /api/office lists them")
        if office.discovery is None:
            raise Unavailable(f"{suite} cannot be opened just now: {office.detail}")
        action = _action(office.discovery, name, _ext(stat), stat.type)
        if action is None:
            raise NotFound(f"{suite} has no action {name} for files such as {stat.path}")
        # Some suites open a file without a byte in another way, so that they know which kind of document it is to become.
        new = office.discovery.find("editnew", _ext(stat), stat.type) if name == "edit" and stat.size == 0 else None
        return office, new or action

    def _pass(self, grant: Grant, stat: Stat, suite: str, name: str) -> Pass:
        """What the grant allows, at most so long as it does: a page's own short token stands for the one that it came from."""
        ends = [end for end in (self._now() + self._length, grant.until or grant.expires) if end is not None]
        return Pass(
            person=grant.person,
            role=min(grant.role, Role.VIEWER) if ROLES[name] is Role.VIEWER else grant.role,
            target=stat.id,
            expires=math.floor(min(ends)),
            # What is shared is shared one by one: no way from here to other files.
            scope=None if grant.document is None and not grant.asks else stat.id,
            suite=suite,
            session=grant.id,
            shared=grant.shared,
        )


def _action(discovery: Discovery, name: str, ext: str, media: str) -> Action | None:
    """Collabora tells one action of a type, which shows the document as well: what may be done is in the token."""
    found = discovery.find(name, ext, media)
    if found is None and name == "view" and discovery.product == "collabora":
        return discovery.find("edit", ext, media)
    return found


def _ext(stat: Stat) -> str:
    name = stat.path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""
