"""Who has a document open in an office suite, so that the people in its room see them. Nothing tells when somebody closes a suite's page: whoever is not
heard of goes after a while, and the last save of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab import protocol
from collab.access import color_of
from collab.room import Spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.access import Person
    from collab.runtime.host import Host

SILENCE = 600.0
"""Seconds after which somebody who was not heard of is gone, unless the suite has the document locked."""
MOST = 64
"""People of suites in one document."""
_ID = 4
"""Bytes of an awareness client's id."""


@dataclass(slots=True)
class _Guest:
    client: int
    person: Person
    suite: str
    until: float


class Guests:
    """`live` gives the open room of a document, `clock` is monotonic seconds."""

    def __init__(self, live: Callable[[str], Host | None], clock: Callable[[], float], random: Callable[[int], bytes]) -> None:
        self._live = live
        self._clock = clock
        self._random = random
        self._here: dict[str, dict[tuple[str, str], _Guest]] = {}
        self._locked: dict[tuple[str, str], float] = {}
        """Until when a suite has a document locked, as far as was heard."""

    def heard(self, document: str, person: Person, suite: str) -> None:
        """Somebody does something there."""
        here = self._here.setdefault(document, {})
        known = here.get((person.id, suite))
        until = max(self._clock() + SILENCE, self._locked.get((document, suite), 0.0))
        if known is not None:
            known.until = max(known.until, until)
            return
        if len(here) >= MOST:
            return
        here[person.id, suite] = guest = _Guest(int.from_bytes(self._random(_ID), "big"), person, suite, until)
        self._show(document, [guest])

    def locked(self, document: str, suite: str, seconds: float) -> None:
        """The suite has the document locked from now on for so long: all its people stay."""
        until = self._locked[document, suite] = self._clock() + seconds
        for guest in self._here.get(document, {}).values():
            if guest.suite == suite:
                guest.until = max(guest.until, until)

    def unlocked(self, document: str, suite: str) -> None:
        """The suite is done with the document: its people are gone."""
        self._locked.pop((document, suite), None)
        self._hide(document, [guest for guest in self._here.get(document, {}).values() if guest.suite == suite])

    def opened(self, document: str) -> None:
        """The room was opened."""
        self._show(document, [*self._here.get(document, {}).values()])

    def tick(self) -> None:
        """Who is still here is shown again, since clients forget whom they do not hear of; called every few seconds."""
        now = self._clock()
        self._locked = {key: until for key, until in self._locked.items() if until > now}
        for document, here in [*self._here.items()]:
            self._hide(document, [guest for guest in here.values() if guest.until <= now])
            self._show(document, [*self._here.get(document, {}).values()])

    def _show(self, document: str, guests: list[_Guest]) -> None:
        host = self._live(document)
        if host is None:
            return
        now = self._clock()
        for each in guests:
            said = host.room.presence.show(each.client, each.person, color_of(each.person.id), each.suite, now)
            host.perform([Spread(protocol.awareness(said))])

    def _hide(self, document: str, guests: list[_Guest]) -> None:
        here = self._here.get(document, {})
        for each in guests:
            del here[each.person.id, each.suite]
        if not here:
            self._here.pop(document, None)
        host = self._live(document)
        said = host.room.presence.hide([each.client for each in guests]) if host is not None else b""
        if host is not None and said:
            host.perform([Spread(protocol.awareness(said))])
