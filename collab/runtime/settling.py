"""A file is taken when it rests: half of a text is not what its writer wants to say."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from collab.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Content, Displaced, Files

REST = 0.5
"""Seconds between two reads that have to agree."""
BEGUN = 5.0
"""Seconds for which what looks like the beginning of a text has to stay so."""
EMPTY = 2.0
"""Seconds for which a name has to stay empty: some programs move the old file aside before they write the new one."""
END = 64
"""Bytes that tell a body's end."""
ENDS = 16
"""So many ends of bodies are known."""
PATIENCE = 30.0
"""Seconds after which a file that never rests is taken as it is."""
SLOW = 600.0
"""As that, for a text that is being written from its beginning, slowly."""


async def settled(  # noqa: PLR0913 - a look, and what it needs
    files: Files,
    name: str,
    *,
    limit: int,
    known: Callable[[bytes], bool],
    pause: Callable[[float], Awaitable[bool]],
    now: Callable[[], float],
) -> Content | None:
    """The file when its writer has come to an end, None when it is gone. `known` tells whether a body looks like the beginning of one; `now` is
    the storage's time in UTC seconds. What was changed a while ago rests already. Errors of `Files.read`, but `NotFound`.
    """
    last: Content | None = None
    rested = gone = waited = 0.0
    begun, grows = False, True
    while waited < (SLOW if begun and grows else PATIENCE):
        content = await _read(files, name, limit)
        if content is None:
            last, rested = None, 0.0
            if gone >= EMPTY:
                return None
            gone += REST
        else:
            gone = 0.0
            rested = max(now() - content.stat.modified, 0.0) if last is None else (rested + REST) * _same(last, content)
            grows = grows and (last is None or content.body.startswith(last.body))
            begun = begun or known(content.body)
            last = content
            if rested >= (BEGUN if known(content.body) else REST):
                return content
        waited += REST
        grows = await pause(REST) and grows
    if last is None:
        raise Unavailable("The file comes and goes; looking again soon.")
    return last


async def displaced_settled(displaced: Displaced, *, known: Callable[[bytes], bool], pause: Callable[[float], Awaitable[bool]]) -> bytes:
    """What a displaced file holds when its writer has come to an end, as `settled`; as it is when `pause` says that there is no time."""
    body, rested, waited = displaced.body, 0.0, 0.0
    begun, grows = False, True
    while waited < (SLOW if begun and grows else PATIENCE):
        begun = begun or known(body)
        if rested >= (BEGUN if known(body) else REST) or not await pause(REST):
            break
        waited += REST
        late = await displaced.reread()
        grows = grows and (late is None or late.startswith(body))
        body, rested = (body, rested + REST) if late is None else (late, 0.0)
    return body


async def _read(files: Files, name: str, limit: int) -> Content | None:
    try:
        return await files.read(name, limit=limit)
    except NotFound:
        return None


def _same(a: Content, b: Content) -> bool:
    return (a.stat.size, a.stat.modified, a.stat.etag) == (b.stat.size, b.stat.modified, b.stat.etag)


class Ends:
    """How the bodies of a document end: what is shorter and ends otherwise may be the beginning of one."""

    def __init__(self) -> None:
        self._known: deque[bytes] = deque(maxlen=ENDS)

    def add(self, body: bytes) -> None:
        """A whole body, that the file holds or held."""
        self._known.append(body[-END:])

    def begun(self, now: bytes) -> Callable[[bytes], bool]:
        """Whether a body may be a beginning only; `now` is the live one."""

        def known(body: bytes) -> bool:
            if not body or now.startswith(body):
                return len(body) < len(now)
            return len(body) < len(now) and not body.endswith((now[-END:], *self._known))

        return known
