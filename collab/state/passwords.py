"""The one door to argon2: passwords as what can be kept of them (RFC 9106), made and compared beside the event loop, few at a time."""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from collab.errors import Malformed
from collab.state.threads import beside

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LEAST: Final = 10
"""Characters of a new password: length is what counts (NIST SP 800-63B, section 3.1.1)."""
MOST: Final = 1024
AT_ONCE: Final = 2
"""Each takes 64 MiB and a processor for a moment."""


class Passwords:
    """Makes and compares what is kept of passwords. `hasher` is argon2's, with its parameters (RFC 9106's second choice: 64 MiB, three passes)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, "collab-passwords")
        self._nobody: str | None = None

    async def encoded(self, password: str) -> str:
        """What is kept of a new password: salt, parameters and hash."""
        return await self._beside(lambda: self._hasher.hash(_normal(password)))

    async def fits(self, password: str, encoded: str) -> bool:
        """Whether it is the password. It takes as long when nothing was kept (the empty string), which no password fits."""
        return await self._beside(lambda: self._fits(password, encoded))

    def outdated(self, encoded: str) -> bool:
        """Whether it was made with other parameters than are used now: make it anew when the password is next known."""
        try:
            return self._hasher.check_needs_rehash(encoded)
        except InvalidHashError:
            return False

    def close(self) -> None:
        """No more of them. Idempotent."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _fits(self, password: str, encoded: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("a password that nobody has")
        try:
            matched = self._hasher.verify(encoded or self._nobody, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return matched and bool(encoded)

    async def _beside(self, act: Callable[[], T]) -> T:
        return await asyncio.shield(beside(self._threads, act))


def checked(password: str) -> str:
    """A password that somebody chose; `Malformed` when it is too short or too long. What it is made of is not our business."""
    if not LEAST <= len(_normal(password)) <= MOST:
        raise Malformed(f"a password has at least {LEAST} characters, and at most {MOST}")
    return password


def _normal(password: str) -> str:
    """Keyboards write the same letter in several ways (NIST SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)[: MOST + 1].encode("utf-8", "replace").decode()
