"""Who may do what until when: people, roles, and grants as signed words (RFC 7519)."""

from __future__ import annotations

import colorsys
import hashlib
import math
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import jwt

from collab.errors import Forbidden, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Use: TypeAlias = Literal["token", "session", "invitation"]
"""What a signed grant is for: `token` in scripts and sockets, `session` in a cookie, `invitation` in a printed address."""

SECRET_BYTES = 32
"""A shorter secret is refused: HS256 is no stronger than its key (RFC 7518, section 3.2)."""

LEASE_SECONDS = 600.0
"""How long a token lives that a page holds in its memory, before it has to be renewed."""

_LONGEST = 8192
_REMEMBERED = 1024
_ALGORITHM = "HS256"
_SPENT = "the token's time is over: make a new one with `collab token`, or sign in again"
_OTHER = "the token is not valid here: make a new one with `collab token`, or sign in again"


class Role(IntEnum):
    """What somebody may do; each role may also do what the ones below it may."""

    VIEWER = 1
    EDITOR = 2
    OWNER = 3

    @property
    def word(self) -> str:
        """The role's name as it is written everywhere: `viewer`, `editor`, `owner`."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role of that name; ValueError when there is none."""
        for role in cls:
            if role.word == word:
                return role
        raise ValueError(f"{word!r} is no role: choose viewer, editor or owner")


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is: `id` is stable and never shown, `name` is shown to others."""

    id: str
    name: str


def again(person: str, number: int) -> str:
    """The id of a person who was erased so often and came back; `person` is the one that was signed."""
    return f"{person}~{number}" if number else person


def same(person: str, other: str) -> bool:
    """Whether both ids are of one person, whatever was erased in between."""
    return person == other or signed(person) == other or person == signed(other)


def signed(person: str) -> str:
    """The id that was signed, of an id in the records."""
    before, mark, number = person.rpartition("~")
    return before if mark and number.isdecimal() else person


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person may do: `document` is a name as given (path or id) or None for all, `expires` UTC seconds since the epoch."""

    person: Person
    role: Role
    document: str | None = None
    expires: float | None = None
    id: str = ""
    """Tells grants apart that are otherwise equal, so that one alone can be revoked (`jti`)."""
    until: float | None = None
    """Of a lease, which can be renewed: the end of the token that it came from."""
    shared: bool = False
    """The role is only the most that it may be: what the person may do is said by shares, document by document (see `shared_role`)."""
    within: str = ""
    """The id of a folder of a cloud: the grant is for what is in it, or for one document of it, and the role only the most; the cloud says it document by
    document.
    """

    @property
    def asks(self) -> bool:
        """Whether the role is only the most, and what may be done is asked for document by document."""
        return self.shared or bool(self.within)

    def covers(self, *names: str) -> bool:
        """Whether the grant is for all documents, or for one of which these are the names."""
        return self.document is None or self.document in names

    def live(self, now: float) -> bool:
        """Whether the grant's time is not over."""
        return self.expires is None or now < self.expires

    def lease(self, now: float) -> Grant:
        """The same for ten minutes from now, and never beyond the end of the first token. ValueError for a grant without an end."""
        end = self.expires if self.until is None else self.until
        if end is None:
            raise ValueError("a lease must come from a grant that has an end")
        until = float(math.floor(end))
        return replace(self, expires=min(math.floor(now) + LEASE_SECONDS, until), until=until)

    def require(self, role: Role, *names: str) -> None:
        """Raise `Forbidden` in words unless the grant covers the document of these names with at least this role."""
        if not self.covers(*names):
            raise Forbidden("your token or session is for another document")
        if self.role < role:
            raise Forbidden(f"this needs the role {role.word}; yours is {self.role.word}")


Kind: TypeAlias = Literal["person", "group", "link"]
"""What something is shared with."""

EVERYTHING = ""
"""The target of a share of all that there is: the root folder's path."""


def subject(kind: Kind, name: str) -> str:
    """Whom something is shared with, in one word: `person:` and an id, `group:` and a name, or `link:` and the SHA-256 of its secret."""
    return f"{kind}:{name}"


@dataclass(frozen=True, slots=True)
class Share:
    """A role that somebody was given on a document, or on a folder with all in it."""

    id: str
    """Tells it apart from all others; a link's is its digest."""
    target: str
    """A document's id, a folder's path, or `EVERYTHING`. A path that begins with `/` is no folder's: that share waits for its folder to come back."""
    subject: str
    """See `subject`."""
    role: Role
    made: float
    """UTC seconds since the epoch."""
    maker: str = ""
    """The id of who gave it; empty: the operator, or somebody who was erased."""
    expires: float | None = None
    """UTC seconds since the epoch; None: never."""
    folder: str = ""
    """The id of the folder, which it keeps wherever it is moved to; empty for documents and `EVERYTHING`."""
    password: bool = False
    """Of a link: one is asked for."""
    uses: int | None = None
    """Of a link: so many are left for who does not have it open; None: any number."""

    def live(self, now: float) -> bool:
        """Whether its time is not over."""
        return self.expires is None or now < self.expires


def targets(path: str, document: str = "", *, folder: bool = False) -> tuple[str, ...]:
    """Everything that may be shared so that it counts for the file of this id at this path, or for the folder there: nearest first."""
    parts = path.split("/") if path else []
    above = range(len(parts) - (not folder), 0, -1)
    return (*([document] if document else []), *("/".join(parts[:count]) for count in above), EVERYTHING)


def shared_role(shares: Iterable[Share], most: Role, subjects: Collection[str], names: Collection[str], now: float) -> Role:
    """The strongest role of those shares that are live, with one of these subjects, and of one of these targets; at most `most`. `Forbidden` when
    there is none, in words that do not tell whether there is a document.
    """
    roles = [share.role for share in shares if share.subject in subjects and share.target in names and share.live(now)]
    if not roles:
        raise Forbidden("nobody shared this with you, or not any more: ask whoever has it")
    return min(most, max(roles))


def sign(grant: Grant, secret: bytes, *, now: float, use: Use = "token") -> str:
    """The grant as a JWT; ValueError for a grant without an end, or a secret under 32 bytes."""
    if grant.expires is None or not math.isfinite(grant.expires):
        raise ValueError("a signed grant must have an end")
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"the secret must have at least {SECRET_BYTES} bytes")
    claims: dict[str, object] = {
        "aud": _audience(use),
        "iat": int(now),
        "exp": math.ceil(grant.expires),
        "sub": grant.person.id,
        "name": grant.person.name,
        "role": grant.role.word,
    }
    if grant.document is not None:
        claims["document"] = grant.document
    if grant.id:
        claims["jti"] = grant.id
    if grant.until is not None:
        claims["until"] = grant.until
    if grant.shared:
        claims["shared"] = True
    if grant.within:
        claims["within"] = grant.within
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(token: str, secret: bytes, *, now: float, use: Use = "token") -> Grant:
    """The grant that we signed for this use; everything else, or one whose time is over, raises `Unauthorized`."""
    if not token or len(token) > _LONGEST or not token.isascii():
        raise Unauthorized(_OTHER)
    grant = _signed(token, secret, use)
    if not grant.live(now):
        raise Unauthorized(_SPENT)
    return grant


@lru_cache(_REMEMBERED)
def _signed(token: str, secret: bytes, use: Use) -> Grant:
    """The grant that we signed for this use, whether its time is over or not; Unauthorized, which is not remembered. The same token comes again
    with each request of a script and of an office suite, and when a client connects again.
    """
    try:
        # The clock is an argument, so the library's own looks at the time are off.
        claims: dict[str, object] = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=_audience(use),
            options={
                "require": ["aud", "exp", "sub", "name", "role"],
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return _grant(claims)
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as e:  # the last two: JSON of huge numbers, of deep nesting
        raise Unauthorized(_OTHER) from e


@lru_cache(_REMEMBERED)
def color_of(person_id: str) -> str:
    """The person's colour as `#rrggbb`, always the same, readable on white and on black (WCAG 2.2, contrast 4.5 : 1)."""
    hue = int.from_bytes(hashlib.sha256(person_id.encode()).digest()[:2], "big") / 65536
    low, high = 0.0, 1.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if _luminance(colorsys.hls_to_rgb(hue, middle, 0.7)) < 0.179 else (low, middle)
    red, green, blue = (round(part * 255) for part in colorsys.hls_to_rgb(hue, low, 0.7))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _audience(use: Use) -> str:
    return f"collab:{use}"


def _grant(claims: dict[str, object]) -> Grant:
    document, until, shared = claims.get("document"), claims.get("until"), claims.get("shared", False)
    if not isinstance(shared, bool):
        raise ValueError(f"{shared!r} is neither true nor false")  # noqa: TRY004  # caught with the library's own errors, a wrong value of the wire
    return Grant(
        person=Person(id=_word(claims["sub"]), name=_word(claims["name"])),
        role=Role.of(_word(claims["role"])),
        document=None if document is None else _word(document),
        expires=_time(claims["exp"]),
        id=_word(claims.get("jti", "")),
        until=None if until is None else _time(until),
        shared=shared,
        within=_word(claims.get("within", "")),
    )


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no time")
    return float(value)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no string")  # noqa: TRY004  # caught with the library's own errors, a wrong value of the wire
    return value


def _luminance(rgb: tuple[float, float, float]) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
