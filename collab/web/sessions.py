"""Browser sessions: a one-time address becomes a signed cookie, and a cookie that signed out is dead for good."""

from __future__ import annotations

import hashlib
import math
import os
import unicodedata
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from collab.access import Grant, Person, Role, sign, verify
from collab.errors import Forbidden, Malformed, Unauthorized
from collab.ports import SignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from collab.ports import SignIns

INVITATION_SECONDS = 86400.0
"""How long a printed address for a named person can be used."""
NAME_LENGTH = 60
"""Characters of a name that a person chose."""
JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
"""Cannot be seen, but without them emoji of several parts, and names in Persian or Indic scripts, fall apart."""


class OneTime(Protocol):
    """Secrets that count once."""

    async def redeem(self, secret: str, now: float) -> bool:
        """Whether the secret was issued, is not too old and was not redeemed before."""


class Spent:
    """Ids of signed words that count no more, kept in a small file (a line each: id, end) until their time is over anyway. `shared`: other
    processes add to it, too, and it is made shorter by nobody.
    """

    def __init__(self, path: Path | None, now: float, *, shared: bool = False) -> None:
        self._path = path
        self._shared = shared
        self._read = 0
        self._ends: dict[str, float] = {}
        if path is not None and path.exists():
            self._learn(path, now)
            if not shared:
                self._shorten(path)

    def __contains__(self, word: str) -> bool:
        return bool(self.among({word}))

    def among(self, words: AbstractSet[str]) -> AbstractSet[str]:
        """Those of these that are spent."""
        if self._shared and self._path is not None and self._path.exists() and self._path.stat().st_size > self._read:
            self._learn(self._path, 0.0)
        return words & self._ends.keys()

    def _shorten(self, path: Path) -> None:
        """Without what is over, in one step: a crash, or a disk that is full, leaves the list as it was."""
        new = path.with_name(path.name + ".new")
        with suppress(OSError):
            with new.open("w", encoding="ascii") as file:
                file.writelines(f"{word} {math.ceil(end)}\n" for word, end in self._ends.items())
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)

    def _learn(self, path: Path, now: float) -> None:
        """What was added since the last look."""
        with path.open("rb") as file:
            file.seek(self._read)
            # Of what somebody is writing just now the end may be missing.
            added = file.read().rpartition(b"\n")[0]
        self._read += len(added) + bool(added)
        for line in added.decode("ascii").splitlines():
            word, _, end = line.partition(" ")
            if end.isdecimal() and int(end) > now:
                self._ends[word] = int(end)

    def add(self, word: str, end: float) -> None:
        """From now on `word` is spent, after a restart too."""
        self._ends[word] = end
        if self._path is not None:
            with self._path.open("a", encoding="ascii") as file:
                file.write(f"{word} {math.ceil(end)}\n")


class Sessions:
    """Opens, reads and closes sessions. `length` in seconds; `now` gives UTC seconds since the epoch, `random` that many bytes."""

    def __init__(  # noqa: PLR0913  # time and randomness are arguments
        self,
        secret: bytes,
        one_time: OneTime,
        spent: Spent,
        sign_ins: SignIns,
        *,
        owner: Person,
        length: float,
        now: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self._secret = secret
        self._one_time = one_time
        self._spent = spent
        self.sign_ins = sign_ins
        self._owner = owner
        self.length = length
        self.now = now
        self._random = random

    async def redeem(self, word: str) -> tuple[str, Grant]:
        """The cookie's value for the word of a printed address; `Unauthorized` when it was used or is too old."""
        if word.count(".") == 2:
            invitation = self._invited(word)
            return self._open(invitation.person, invitation.role)
        if not word.isascii() or not await self._one_time.redeem(word, self.now()):
            raise Unauthorized("this address was used before, or is too old: `collab login` prints a new one")
        return self._open(self._owner, Role.OWNER)

    async def begin(  # noqa: PLR0913  # what is known of a session
        self,
        person: Person,
        kind: str,
        *,
        most: Role = Role.OWNER,
        groups: Iterable[str] = (),
        links: Iterable[str] = (),
        agent: str = "",
        length: float | None = None,
    ) -> tuple[str, Grant]:
        """The cookie's value and grant of a new session with a record (`SignIn`): its person may do what was shared with them, at most `most`.
        `length` in seconds, at most that of all sessions. `Unavailable`.
        """
        now = self.now()
        expires = float(math.floor(now + min(self.length, length or self.length)))
        grant = Grant(person, most, expires=expires, id=self._random(16).hex(), shared=True)
        await self.sign_ins.add(
            SignIn(
                grant.id, person.id, person.name, kind, now, now, expires, tuple(sorted(set(groups))), tuple(dict.fromkeys(links)), agent
            )
        )
        return sign(grant, self._secret, now=now, use="session"), grant

    def read(self, cookie: str) -> Grant:
        """Whose session it is; `Unauthorized` when it is over, was signed out or is not ours."""
        grant = verify(cookie, self._secret, now=self.now(), use="session")
        if grant.id in self._spent:
            raise Unauthorized("you have signed out: `collab login` prints an address to sign in again")
        return grant

    def renamable(self, grant: Grant) -> bool:
        """Whether the session's name is the person's own to choose: nobody gave one, neither the operator nor a provider."""
        return grant.person.id == self._owner.id or (grant.shared and grant.person.id.startswith("guest:"))

    async def rename(self, grant: Grant, name: str) -> tuple[str, Grant]:
        """The cookie's value for the same session under another name; `Forbidden` when the name was given."""
        if not self.renamable(grant):
            raise Forbidden("your name was given with what signed you in: ask who gave it for another")
        renamed = replace(grant, person=replace(grant.person, name=name))
        if grant.shared:
            await self.sign_ins.rename(grant.person.id, name)
        return sign(renamed, self._secret, now=self.now(), use="session"), renamed

    def left(self, grant: Grant) -> int:
        """Seconds for which the session goes on."""
        return max(0, math.ceil((grant.expires or 0.0) - self.now()))

    async def close(self, grant: Grant) -> None:
        """Sign out: the session's cookie is refused from now on, wherever a copy of it is."""
        self._spent.add(grant.id, grant.expires or self.now() + self.length)
        if grant.shared:
            await self.sign_ins.end(grant.id, self.now())

    def _open(self, person: Person, role: Role) -> tuple[str, Grant]:
        now = self.now()
        grant = Grant(person, role, expires=now + self.length, id=self._random(16).hex())
        return sign(grant, self._secret, now=now, use="session"), grant

    def _invited(self, word: str) -> Grant:
        invitation = verify(word, self._secret, now=self.now(), use="invitation")
        if not invitation.id or invitation.id in self._spent:
            raise Unauthorized("this address was used before: `collab login` prints a new one")
        self._spent.add(invitation.id, invitation.expires or self.now() + INVITATION_SECONDS)
        return invitation


def person_name(text: str) -> str:
    """What somebody wants to be called; `Malformed` unless it has 1 to 60 characters that can be seen (and the two that join others)."""
    name = unicodedata.normalize("NFC", text.strip())
    seen = name.translate(JOINERS)
    if not seen or len(name) > NAME_LENGTH or not seen.isprintable():
        raise Malformed(f"a name has 1 to {NAME_LENGTH} characters that can be printed")
    return name


def named(name: str) -> Person:
    """The person that an operator calls by this name: the same name is the same person."""
    return Person(id="name:" + hashlib.sha256(name.encode()).hexdigest()[:24], name=name)


def invite(name: str, role: Role, secret: bytes, *, now: float, random: Callable[[int], bytes]) -> str:
    """The word of an address that signs one named person in, once."""
    grant = Grant(named(name), role, expires=now + INVITATION_SECONDS, id=random(16).hex())
    return sign(grant, secret, now=now, use="invitation")
