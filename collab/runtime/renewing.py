"""Sessions by a provider are looked at again and again: who is signed out or disabled there is signed off here, and a provider that is away signs
nobody off.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Final

from collab.access import Person
from collab.errors import CollabError, Unavailable
from collab.oidc.identity import identity
from collab.oidc.provider import Refused
from collab.ports import Member, ProviderSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.oidc.identity import Claims
    from collab.oidc.provider import Provider
    from collab.ports import Members, ProviderSessions, SignIns
    from collab.runtime.audit import Audit

log = logging.getLogger("collab.oidc")

AT_ONCE: Final = 8
"""Sessions that are renewed at the same time."""
TAKEN: Final = 64
"""Sessions that a node takes at once."""
LEASE: Final = 120.0
"""Seconds after which another node tries a session that this one took."""
AGAIN: Final = 60.0
"""Seconds until a provider that was away is asked again for a session, at most."""


class Renewing:
    """The work of one node, beside that of the others. `interval` in seconds; `ended` is told the ids of sessions that are over."""

    def __init__(  # noqa: PLR0913, PLR0917 - the surroundings
        self,
        provider: Provider,
        sessions: ProviderSessions,
        sign_ins: SignIns,
        members: Members,
        names: Claims,
        audit: Audit,
        *,
        now: Callable[[], float],
        interval: float,
        ended: Callable[[set[str]], None],
    ) -> None:
        self._provider = provider
        self._sessions, self._sign_ins, self._members = sessions, sign_ins, members
        self._names = names
        self._audit = audit
        self._now = now
        self._interval = interval
        self._ended = ended
        self._unkept: dict[str, ProviderSession] = {}
        """What the provider gave, and the archive has not taken."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(min(self._interval / 10, 5.0))
            try:
                while await self.step():
                    pass
            except CollabError as error:
                log.info("sessions by the provider cannot be looked at just now: %s", error.detail)
            except Exception:
                log.exception("sessions by the provider were not looked at")

    async def step(self) -> bool:
        """Look at some that are due; whether there may be more. `Unavailable`."""
        await self._keep_rest()
        now = self._now()
        due = await self._sessions.take(now, now + LEASE, limit=TAKEN)
        waiting = list(due)

        async def work() -> None:
            while waiting:
                session = waiting.pop()
                # With a slow provider some wait: another node takes them when the time is over, and whoever comes second would be refused.
                if self._now() < now + LEASE / 2:
                    await self._look(session)

        await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(waiting)))))
        return len(due) == TAKEN

    async def _look(self, session: ProviderSession) -> None:
        try:
            await self._renew(session)
        except Unavailable as error:
            log.info("a session by the provider cannot be looked at just now: %s", error.detail)
            if session.sign_in in self._unkept:
                # Nobody shall take it with the token that is worth nothing any more; ours for a while, it is kept as soon as can be.
                return
            again = self._now() + min(self._interval, AGAIN)
            try:
                await self._sessions.postpone(session.sign_in, again)
            except Unavailable:
                # It was taken for a while only.
                return

    async def _renew(self, session: ProviderSession) -> None:
        record = await self._sign_ins.get(session.sign_in)
        if record is None or not record.live(self._now()):
            await self._sessions.end(session.sign_in)
            return
        held = json.loads(self._unkept.get(session.sign_in, session).tokens)
        try:
            tokens = await self._provider.renew(held["refresh"], held["sub"])
        except Refused as error:
            log.info("the provider ended a session: %s", error.detail)
            await self._sign_ins.end(record.id, self._now())
            await self._sessions.end(record.id)
            self._ended({record.id})
            self._audit("session-end", Person(record.person, record.name), None, "", "provider")
            return
        # First of all: the token that was used may be worth nothing any more.
        kept = json.dumps({"refresh": tokens.refresh, "sub": held["sub"]})
        await self._keep(ProviderSession(record.id, record.person, kept, self._now() + self._interval))
        if tokens.claims.keys() - {"sub"}:
            known = identity(tokens.claims, self._provider.client.issuer, self._names)
            before = await self._members.get(record.person)
            seen = None if before is None else before.seen
            await self._members.put(Member(known.person, "oidc", known.name, known.login, known.groups, record.made, seen, known.orcid))
            await self._sign_ins.regroup(record.person, known.groups)

    async def _keep_rest(self) -> None:
        """What the archive did not take before, of sessions that still are: one that it never takes holds up no other."""
        for session in tuple(self._unkept.values()):
            try:
                record = await self._sign_ins.get(session.sign_in)
                if record is not None and record.live(self._now()):
                    await self._keep(session)
                else:
                    self._unkept.pop(session.sign_in, None)
            except CollabError as error:
                log.info("what the provider gave is not kept yet: %s", error.detail)

    async def _keep(self, session: ProviderSession) -> None:
        self._unkept[session.sign_in] = session
        await self._sessions.put(session)
        self._unkept.pop(session.sign_in, None)
