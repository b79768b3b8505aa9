"""What is kept at rest so that nobody reads it without the server's secret: AES-256-GCM under keys that are derived from it (RFC 5869, RFC 5116)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Callable

NONCE: Final = 12
"""Bytes; random ones are good for 2^32 values under one key (NIST SP 800-38D, section 8.3)."""
KEY: Final = 32


class Sealer:
    """Seals and opens values of one `purpose`, which has a key of its own. `secret` is what the server signs with, in no form that could be told."""

    __slots__ = ("_cipher", "_random")

    def __init__(self, secret: bytes, purpose: str, *, random: Callable[[int], bytes] = os.urandom) -> None:
        key = HKDF(algorithm=SHA256(), length=KEY, salt=None, info=f"collab:{purpose}".encode()).derive(secret)
        self._cipher = AESGCM(key)
        self._random = random

    def seal(self, value: str, about: str) -> bytes:
        """The value, which opens for the same `about` only: nobody puts it in another row."""
        nonce = self._random(NONCE)
        return nonce + self._cipher.encrypt(nonce, value.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """The value. ValueError for what was sealed by another secret, for something else, or is damaged."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:
            # The library's own error would be chained with nothing that helps.
            raise ValueError("this was sealed under another secret, or is damaged") from error
