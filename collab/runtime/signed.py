"""Sessions with a record, as this node knows them: one that was ended anywhere counts nowhere a second later."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, Unauthorized
from collab.runtime.counted import Counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collab.access import Grant
    from collab.ports import SignIn, SignIns

log = logging.getLogger("collab.runtime")

SEEN: Final = 60.0
"""Seconds between notes that a session is used."""
SWEEP: Final = 3600.0
"""Seconds between looks for records whose time is over."""
MOST: Final = 20_000
"""Sessions that are remembered."""
ENDED: Final = "this session was ended: sign in again"


class SignedIn:
    """The records behind grants with `shared`. `now` gives UTC seconds since the epoch, `clock` monotonic seconds."""

    def __init__(self, sign_ins: SignIns, *, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self._sign_ins = sign_ins
        self._now = now
        self._counted = Counted(sign_ins.changes, self._fetch, clock=clock, most=MOST, what="which sessions were ended")

    async def of(self, grant: Grant) -> SignIn | None:
        """The record of a session, None for a grant that needs none. `Unauthorized`: it was ended, or its time is over. `Unavailable`: nobody can say."""
        if not grant.shared:
            return None
        record = (await self._counted.get([grant.id])).get(grant.id)
        if record is None or record.person != grant.person.id or not record.live(self._now()):
            raise Unauthorized(ENDED)
        await self._see(record)
        return record

    def forget(self) -> None:
        """Something was changed here just now."""
        self._counted.forget()

    async def sweep_loop(self) -> None:
        """Erase records whose time is over, each hour, until cancelled."""
        while True:
            try:
                await self._sign_ins.sweep(self._now())
            except CollabError as error:
                log.info("sessions whose time is over are not erased just now: %s", error.detail)
            await asyncio.sleep(SWEEP)

    async def _fetch(self, sessions: Sequence[str]) -> Mapping[str, SignIn]:
        records = [await self._sign_ins.get(session) for session in sessions]
        return {record.id: record for record in records if record is not None}

    async def _see(self, record: SignIn) -> None:
        now = self._now()
        if now - record.seen < SEEN:
            return
        with suppress(CollabError):
            await self._sign_ins.see(record.id, now)
            fresh = await self._sign_ins.get(record.id)
            if fresh is not None:
                self._counted.renew(record.id, record, fresh)
