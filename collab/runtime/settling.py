"""A file is taken when it rests: half of a text is not what its writer wants to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Content, Files

REST = 0.5
"""Seconds between two reads that have to agree."""
BEGUN = 5.0
"""Seconds for which what looks like the beginning of a text has to stay so."""
EMPTY = 2.0
"""Seconds for which a name has to stay empty: some programs move the old file aside before they write the new one."""
PATIENCE = 30.0
"""Seconds after which a file that never rests is taken as it is."""


async def settled(  # noqa: PLR0913 - a look, and what it needs
    files: Files,
    name: str,
    *,
    limit: int,
    known: Callable[[bytes], bool],
    pause: Callable[[float], Awaitable[None]],
    now: Callable[[], float],
) -> Content | None:
    """The file when its writer has come to an end, None when it is gone. `known` tells whether a body looks like the beginning of one; `now` is
    the storage's time in UTC seconds. What was changed a while ago rests already. Errors of `Files.read`, but `NotFound`.
    """
    last: Content | None = None
    rested = gone = 0.0
    for _ in range(int(PATIENCE / REST)):
        content = await _read(files, name, limit)
        if content is None:
            last, rested = None, 0.0
            if gone >= EMPTY:
                return None
            gone += REST
        else:
            gone = 0.0
            rested = now() - content.stat.modified if last is None else (rested + REST) * _same(last, content)
            last = content
            if rested >= (BEGUN if known(content.body) else REST):
                return content
        await pause(REST)
    if last is None:
        raise Unavailable("The file comes and goes; looking again soon.")
    return last


async def _read(files: Files, name: str, limit: int) -> Content | None:
    try:
        return await files.read(name, limit=limit)
    except NotFound:
        return None


def _same(a: Content, b: Content) -> bool:
    return (a.stat.size, a.stat.modified, a.stat.etag) == (b.stat.size, b.stat.modified, b.stat.etag)
