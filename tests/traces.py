"""A long history of one text, as somebody types it: characters, and runs of characters that are taken out again."""

from __future__ import annotations

import random

from collab.codec import var_uint
from collab.document import CONTENT

CLIENT = 0x40000001
LETTERS = "abcdefghijklmnopqrstuvwxyz      \n"


def trace(edits: int, *, seed: int = 1, client: int = CLIENT) -> tuple[list[bytes], str]:
    """An update for each edit of one character, and the text that they make in an empty document."""
    dice = random.Random(seed)
    us = var_uint(client)
    made: list[bytes] = []
    text: list[str] = []
    """Every character that was ever typed; empty when it is gone."""
    while len(made) < edits:
        for _ in range(min(dice.randrange(5, 80), edits - len(made))):
            letter = dice.choice(LETTERS)
            clock = len(text)
            origin = b"\x84" + us + var_uint(clock - 1) if clock else b"\x04\x01" + var_uint(len(CONTENT)) + CONTENT.encode()
            made.append(b"\x01\x01" + us + var_uint(clock) + origin + b"\x01" + letter.encode() + b"\x00")
            text.append(letter)
        run, start = dice.randrange(1, 30), dice.randrange(len(text))
        for clock in range(start, min(start + run, len(text), start + edits - len(made))):
            if text[clock]:
                made.append(b"\x00\x01" + us + b"\x01" + var_uint(clock) + b"\x01")
                text[clock] = ""
    return made, "".join(text)
