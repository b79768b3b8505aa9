"""What the bytes of a file say that it is, whatever its name says. The door to puremagic."""

from __future__ import annotations

from typing import Final

import puremagic

BEGINNING: Final = 4096
"""Bytes that are looked at."""
PICTURES: Final = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/avif": (".avif",),
}
"""Pictures that hold no script, and the ends of their names."""
_ENDS: Final = {end: kind for kind, ends in PICTURES.items() for end in ends}


def sniffed(beginning: bytes) -> str:
    """The media type that the first bytes of a file tell; empty: they tell nothing, as those of most texts."""
    try:
        found = puremagic.magic_string(beginning[:BEGINNING])
    except (puremagic.PureError, ValueError):
        return ""
    # A picture that shows in place must be one by its first bytes, and not by what somebody wrote behind them.
    return next((each.mime_type for each in found if each.mime_type), "")


def named_picture(name: str) -> str:
    """The media type of a picture that shows in place, as the end of its name says it; empty: it says none."""
    return next((kind for end, kind in _ENDS.items() if name.lower().endswith(end)), "")
