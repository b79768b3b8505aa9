"""What somebody wrote in an office suite, without what the suite does to each text that it saves."""

from __future__ import annotations

from collab.formats import tables


def written(base: str, put: str, media: str, *, longer: bool = False) -> tuple[str, bool]:
    """The text that was made of `base` where a suite saved `put` (both with LF only, and without a byte order mark), and whether what was saved is
    longer than that by the line end with which LibreOffice ends each text. `longer`: what the suite has was longer than `base` by it.

    Tables are compared cell by cell.
    """
    longer = put.endswith("\n") and (longer or not base.endswith("\n"))
    text = put[:-1] if longer else put
    return tables.settled(base, text, media) if media in tables.SEPARATORS else text, longer
