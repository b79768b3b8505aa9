"""Who somebody is to the cloud: when a token ends, and how to act for a user who is not here (`machine`)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.gateway.calls import Gateway
    from collab.gateway.resources import User

EARLY: Final = 60.0
"""Seconds before its end from which a token of ours is replaced: clocks differ, and a transfer takes a moment."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token, whose it is, and when it ends: UTC seconds, None when it does not say."""

    token: str = field(repr=False)
    user: User
    expires: float | None


def expires(token: str) -> float | None:
    """When a token of the cloud ends: UTC seconds. It is the cloud's to verify; None when it is no JWT, or names no end."""
    try:
        end = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return float(end) if isinstance(end, int | float) else None


class Machine:
    """Acts for users, by a secret that the cloud's operator gave us. `clock` gives UTC seconds. A login is kept until it is about to end."""

    def __init__(self, gateway: Gateway, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._secret = secret
        self._clock = clock
        self._logins: dict[str, Login] = {}

    async def login(self, username: str) -> Login:
        """As this user. Unauthorized: the cloud does not know the secret, or the user; Unavailable."""
        known = self._logins.get(username)
        now = self._clock()
        if known is not None and known.expires is not None and known.expires > now + EARLY:
            return known
        self._logins = {name: each for name, each in self._logins.items() if each.expires is not None and each.expires > now}
        login = await self._gateway.authenticate("machine", username, self._secret)
        if login.expires is not None:
            self._logins[username] = login
        return login

    def forget(self, token: str) -> None:
        """The cloud does not take this login any more, whatever end it names."""
        self._logins = {name: each for name, each in self._logins.items() if each.token != token}
