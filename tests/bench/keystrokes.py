"""Edits for a load: somebody types words, goes elsewhere now and then, and takes back one letter of ten. Always the same ones.

Form: "YUPD2" and three zero bytes, the client id and the number of updates; for each its bytes, its clock (2³² - 1: a deletion), its UTF-16 units
and itself. Numbers are little-endian, of 4, 4; 2, 4 and 1 bytes.
"""

from __future__ import annotations

import random
import struct
from typing import Any

from pycrdt import Doc, Text

BASE = 0x40000000
"""The client id: five bytes, and so are those that stand in its place for other writers."""
DELETION = 0xFFFFFFFF
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
ELSEWHERE = 1 / 40
"""How often somebody goes on typing at another place."""
BACK = 1 / 10
"""How often the last letter is taken back."""


def typed(count: int, seed: int = 20261129) -> bytes:
    """So many single-character edits."""
    rng = random.Random(seed)
    document: Doc[Any] = Doc(client_id=BASE)
    text = document.get("text", type=Text)
    made: list[bytes] = []
    held = document.observe(lambda event: made.append(event.update))
    place = size = clock = 0
    parts = [b"YUPD2\0\0\0", struct.pack("<II", BASE, count)]
    for _ in range(count):
        if rng.random() < ELSEWHERE:
            place = rng.randint(0, size)
        if place and rng.random() < BACK:
            del text[place - 1]
            place, size, at = place - 1, size - 1, DELETION
        else:
            text.insert(place, rng.choice(LETTERS) if rng.random() < 0.83 else " ")
            place, size, clock, at = place + 1, size + 1, clock + 1, clock
        update = made.pop()
        parts += [struct.pack("<HIB", len(update), at, 1), update]
    document.unobserve(held)
    return b"".join(parts)
