"""A file is read when its writer has come to an end. (A first form by the lead, to be replaced by the one of its builder.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collab.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.ports import Content, Files


async def settled(  # noqa: PLR0913
    files: Files,
    name: str,
    *,
    limit: int,
    known: Callable[[bytes], bool],
    pause: Callable[[float], Awaitable[None]],
    now: Callable[[], float],
) -> Content | None:
    gone, waited = 0.0, 0.0
    last = None
    while True:
        try:
            content = await files.read(name, limit=limit)
        except NotFound:
            if gone > 2:
                return None
            gone += 0.5
            last = None
            await pause(0.5)
            continue
        if last is not None and last.body == content.body and (waited >= 5 or not known(content.body)):
            return content
        if last is not None and last.body != content.body:
            waited = 0.0
        last = content
        await pause(0.5)
        waited += 0.5
