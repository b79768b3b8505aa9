"""What an office suite may do with one file or folder, as a token: short, signed, and what it carries of another system encrypted."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.fernet import Fernet, InvalidToken

from collab.access import SECRET_BYTES, Grant, Person, Role
from collab.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 8192
"""Characters of a token."""
KNOWN: Final = 1024
"""Tokens whose signatures are remembered."""
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "collab:wopi"
DOWNLOAD: Final = "collab:wopi:bytes"
"""The audience of an address that gives one file's bytes and nothing else."""
_OTHER: Final = "the access token is not valid here: open the document again"
_SPENT: Final = "the access token's time is over: open the document again"


@dataclass(frozen=True, slots=True)
class Pass:
    """What one person may do in one suite. It is bound to an id, not to a name, so that it outlives a rename."""

    person: Person
    role: Role
    """As far as this pass goes: a viewer's opens for reading, whatever else the person may do."""
    target: str
    """The id of the file or folder that it is for."""
    expires: float
    """UTC seconds since the epoch."""
    scope: str | None = None
    """The document that the person's own grant is for, None for all: passes for other files are made from this one within it only."""
    suite: str = ""
    """The name of the suite that it was made for, as the settings call it; empty: any."""
    relative: bool = True
    """Whether new files may be made beside the file."""
    session: str = ""
    """The id of the session or grant that it came from: it ends with that."""
    shared: bool = False
    """As `Grant.shared`: the role is the most that it may be."""
    foreign: str = ""
    """Another system's token; encrypted in the signed form."""

    grant: Grant = field(init=False, repr=False, compare=False)
    """What the person may do, as everywhere else; for which document is the pass's own business."""

    def __post_init__(self) -> None:
        grant = Grant(self.person, self.role, expires=self.expires, id=self.session, shared=self.shared)
        object.__setattr__(self, "grant", grant)


def seal(granted: Pass, secret: bytes, *, now: float, audience: str = _AUDIENCE) -> str:
    """The pass as a JWT (RFC 7519); ValueError for a secret under 32 bytes."""
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"the secret must have at least {SECRET_BYTES} bytes")
    claims: dict[str, object] = {
        "aud": audience,
        "iat": int(now),
        "exp": math.ceil(granted.expires),
        "sub": granted.person.id,
        "name": granted.person.name,
        "role": granted.role.word,
        "target": granted.target,
        "suite": granted.suite,
        "relative": granted.relative,
        "session": granted.session,
    }
    if granted.scope is not None:
        claims["scope"] = granted.scope
    if granted.shared:
        claims["shared"] = True
    if granted.foreign:
        claims["foreign"] = _cipher(secret).encrypt(granted.foreign.encode()).decode()
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def unseal(token: str, secret: bytes, *, now: float, audience: str = _AUDIENCE) -> Pass:
    """The pass that we signed for this audience; everything else, or one whose time is over, raises `Unauthorized`."""
    if not token or len(token) > LONGEST or not token.isascii():
        raise Unauthorized(_OTHER)
    try:
        granted = _known(token, secret, audience)
    except (jwt.PyJWTError, InvalidToken, ValueError, OverflowError, RecursionError) as e:
        raise Unauthorized(_OTHER) from e
    if now >= granted.expires:
        raise Unauthorized(_SPENT)
    return granted


@lru_cache(maxsize=KNOWN)
def _known(token: str, secret: bytes, audience: str) -> Pass:
    """What we signed. A suite comes with the same token again and again, and no time counts here."""
    return _pass(_claims(token, secret, audience), secret)


def _claims(token: str, secret: bytes, audience: str) -> Mapping[str, object]:
    claims: Mapping[str, object] = jwt.decode(
        token,
        secret,
        algorithms=[_ALGORITHM],
        audience=audience,
        options={
            "require": ["aud", "exp", "sub", "name", "role", "target"],
            "strict_aud": True,
            # The clock is an argument, so the library's own looks at the time are off.
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    return claims


def _pass(claims: Mapping[str, object], secret: bytes) -> Pass:
    expires, scope, foreign = claims["exp"], claims.get("scope"), _word(claims.get("foreign", ""))
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not math.isfinite(expires):
        raise ValueError(f"{expires!r} is no time")
    return Pass(
        person=Person(_word(claims["sub"]), _word(claims["name"])),
        role=Role.of(_word(claims["role"])),
        target=_word(claims["target"]),
        expires=float(expires),
        scope=None if scope is None else _word(scope),
        suite=_word(claims.get("suite", "")),
        relative=claims.get("relative") is True,
        session=_word(claims.get("session", "")),
        shared=_flag(claims.get("shared", False)),
        foreign=_cipher(secret).decrypt(foreign.encode()).decode() if foreign else "",
    )


def _cipher(secret: bytes) -> Fernet:
    """Its key is another than the one that signs."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"collab:wopi:foreign\0" + secret).digest()))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004  # as `_word`
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no string")  # noqa: TRY004  # caught with the library's own errors, a wrong value of the wire
    return value
