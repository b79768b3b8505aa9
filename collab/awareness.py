"""Who is here. A connection owns its awareness client ids, the server stamps who speaks, and the clock is an argument.

The format is that of y-protocols: a number of entries, each client id, clock, and a state in JSON, `null` for gone.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collab.codec import Reader, var_string, var_uint
from collab.errors import Malformed, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collab.access import Person

OUTDATED = 60.0
"""Seconds after which a state that is not renewed is taken for gone; clients renew every 15 and forget after 30."""
REMEMBERED = 4096
"""Clocks of those who left are kept for so many client ids, so that a state relayed late brings nobody back."""
OWNED = 16
"""Client ids that one connection may own."""
SERVER = 0
"""The owner of the states that the server makes itself; no peer has this number."""
SUITE = "suite"
"""The member of `user` that names the office suite somebody writes in: the server's word only."""
DEPTH = 64
"""Nesting of a state."""


@dataclass(slots=True)
class Entry:
    """One client's state, as it is sent."""

    clock: int
    state: str
    owner: int
    """The peer whose connection owns the client id."""
    seen: float


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who sends awareness. `may_own` tells whether a client id that nobody, or another, owns now may become this peer's."""

    peer: int
    person: Person
    color: str
    may_own: Callable[[int], bool]


class Presence:
    """The states of a room. `limit` is the greatest size of an awareness message in bytes."""

    def __init__(self, limit: int = 65_536) -> None:
        self.limit = limit
        self.entries: dict[int, Entry] = {}
        self._gone: OrderedDict[int, int] = OrderedDict()
        self._owned: Counter[int] = Counter()
        """How many entries each peer owns."""

    def receive(self, data: bytes, speaker: Speaker, now: float) -> bytes:
        """Take what a peer says of itself; gives the awareness update for everybody, empty when nothing changed.

        What it says of client ids that are not its own is passed over: honest clients relay what they heard. Malformed, TooLarge.
        """
        if len(data) > self.limit:
            raise TooLarge(f"An awareness message of {len(data)} bytes; the limit is {self.limit}.")
        changed = [client for client, clock, state in read(data) if self._take(client, clock, state, speaker, now)]
        return self.encode(changed) if changed else b""

    def _take(self, client: int, clock: int, state: str, speaker: Speaker, now: float) -> bool:
        entry = self.entries.get(client)
        if entry is not None and entry.owner == SERVER:
            return False
        if entry is None:
            if state == "null" or clock <= self._gone.get(client, -1) or self._owned[speaker.peer] >= OWNED or not speaker.may_own(client):
                return False
        elif clock < entry.clock or (clock == entry.clock and state != "null"):
            return self._renew(entry, clock, speaker.peer, now)
        elif entry.owner != speaker.peer and (clock == entry.clock or not speaker.may_own(client)):
            return False
        if state == "null":
            self._remove(client, clock)
            return True
        self._gone.pop(client, None)
        self._disown(client)
        self._owned[speaker.peer] += 1
        self.entries[client] = Entry(clock, stamp(state, speaker.person, speaker.color), speaker.peer, now)
        return True

    @staticmethod
    def _renew(entry: Entry, clock: int, peer: int, now: float) -> bool:
        if clock == entry.clock and entry.owner == peer:
            entry.seen = now
        return False

    def _remove(self, client: int, clock: int) -> None:
        self._disown(client)
        self._gone[client] = clock
        self._gone.move_to_end(client)
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def _disown(self, client: int) -> None:
        entry = self.entries.pop(client, None)
        if entry is not None:
            self._owned[entry.owner] -= 1
            if not self._owned[entry.owner]:
                del self._owned[entry.owner]

    def show(self, client: int, person: Person, color: str, suite: str, now: float) -> bytes:
        """Somebody is here who has no connection, but writes in an office suite; again: is still here. Gives the awareness update for everybody."""
        clock = self.entries[client].clock + 1 if client in self.entries else self._gone.get(client, 0) + 1
        user = {"color": color, "id": person.id, "name": person.name, SUITE: suite}
        self.entries[client] = Entry(clock, _written({"user": user}), SERVER, now)
        return self.encode([client])

    def hide(self, clients: Iterable[int]) -> bytes:
        """They are gone; gives the awareness update that says so, empty for nothing."""
        return self._drop([client for client in clients if client in self.entries and self.entries[client].owner == SERVER])

    def leave(self, peer: int) -> bytes:
        """Everything that the peer owned is gone; gives the awareness update that says so, empty for nothing."""
        return self._drop([client for client, entry in self.entries.items() if entry.owner == peer])

    def expire(self, now: float) -> bytes:
        """States that nobody renewed are gone; gives the awareness update that says so, empty for nothing."""
        return self._drop([client for client, entry in self.entries.items() if now - entry.seen > OUTDATED and entry.owner != SERVER])

    def _drop(self, clients: list[int]) -> bytes:
        for client in clients:
            # One above the last clock, else clients keep the state (y-protocols).
            self._remove(client, self.entries[client].clock + 1)
        return self.encode(clients) if clients else b""

    def everybody(self) -> bytes:
        """The awareness update for a newcomer, empty when nobody is here."""
        return self.encode(self.entries) if self.entries else b""

    def encode(self, clients: Iterable[int]) -> bytes:
        """The awareness update about these clients, `null` for those who are gone."""
        parts = []
        for client in clients:
            entry = self.entries.get(client)
            clock, state = (entry.clock, entry.state) if entry else (self._gone.get(client, 0), "null")
            parts.append(var_uint(client) + var_uint(clock) + var_string(state))
        return var_uint(len(parts)) + b"".join(parts)


def read(data: bytes) -> list[tuple[int, int, str]]:
    """The entries (client id, clock, JSON state) of an awareness update. Malformed when a state is no JSON object or `null`."""
    reader = Reader(data)
    entries = []
    for _ in range(reader.var_uint(len(data))):
        client, clock, state = reader.var_uint(), reader.var_uint(2**31 - 1), reader.var_string()
        if state != "null":
            parse(state)
        entries.append((client, clock, state))
    reader.end()
    return entries


def parse(state: str) -> dict[str, object]:
    """A state as every client's JSON parser would read it. Malformed for anything but an object."""
    try:
        value = json.loads(state, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("An awareness state that is not JSON.") from error
    if not isinstance(value, dict):
        raise Malformed("An awareness state that is not a JSON object.")
    if state.count("{") + state.count("[") > DEPTH and _depth(value) > DEPTH:
        raise Malformed("An awareness state that is nested too deep.")
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        level = [child for item in level for child in _children(item)]
    return depth


def _children(item: object) -> list[object]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


def stamp(state: str, person: Person, color: str) -> str:
    """The state with the server's word on whose it is: `user.name` and `user.id`, and no `user.suite`; a colour of the client's own stays."""
    value = parse(state)
    user = value.get("user")
    said = {name: each for name, each in user.items() if name != SUITE} if isinstance(user, dict) else {}
    value["user"] = {"color": color, **said, "id": person.id, "name": person.name}
    return _written(value)


def _written(value: dict[str, object]) -> str:
    # A lone surrogate (a JSON escape) is kept as an escape: it has no UTF-8.
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise Malformed("An awareness state with a number that is too great for JSON.") from error
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
