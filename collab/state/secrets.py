"""Secrets of the state directory: the key that signs tokens, and one-time secrets for signing in."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING

from collab.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collab.state.database import Connection, Database

KEY_BYTES = 32
LOGIN_SECONDS = 15 * 60.0
"""How long a printed sign-in address may be used."""


def signing_key(state: Path, *, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """The key in the file `secret` (mode 0600, 32 bytes), made at the first call; the same for all processes that call at once."""
    path = state / "secret"
    try:
        if not path.exists():
            _place(path, random)
        key = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{error.strerror}: {path}") from error
    if len(key) != KEY_BYTES:
        raise Unavailable(f"{path} is damaged: it must hold {KEY_BYTES} bytes. Without it everybody signs in again: delete it")
    return key


def _place(path: Path, random: Callable[[int], bytes]) -> None:
    """A whole and durable file appears under the name, or somebody else's stays."""
    temporary = path.with_name(f".secret-{random(8).hex()}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(random(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Logins:
    """One-time secrets in the state database, of which only the SHA-256 is kept; any process may issue and redeem."""

    def __init__(self, database: Database, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._database = database
        self._random = random

    def issue(self, now: float, *, seconds: float = LOGIN_SECONDS) -> str:
        """A new secret (43 characters, URL-safe) that is good for `seconds` after `now` (UTC seconds)."""
        secret = base64.urlsafe_b64encode(self._random(32)).rstrip(b"=").decode()
        digest = _digest(secret)

        def insert(connection: Connection) -> None:
            connection.execute("DELETE FROM logins WHERE expires <= ?", (now,))
            connection.execute("INSERT INTO logins VALUES (?, ?)", (digest, now + seconds))

        self._database.run_sync(insert)
        return secret

    async def redeem(self, secret: str, now: float) -> bool:
        """True once for each secret that was issued and has not expired. Looked up by hash: its time tells nothing of a secret."""
        return await self._database.run(lambda connection: _take(connection, secret, now))

    def redeem_sync(self, secret: str, now: float) -> bool:
        """As `redeem`, on this thread."""
        return self._database.run_sync(lambda connection: _take(connection, secret, now))


def _take(connection: Connection, secret: str, now: float) -> bool:
    return connection.execute("DELETE FROM logins WHERE sha256 = ? AND expires > ?", (_digest(secret), now)).rowcount == 1


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
