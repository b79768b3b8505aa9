"""Sessions by a provider are renewed by one node at a time (SIGN-10)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from collab.archive.memory import MemoryArchive
from collab.oidc.provider import Refused, Tokens
from collab.ports import ProviderSession, SignIn
from collab.runtime.renewing import AT_ONCE, LEASE, Renewing

SECRET = b"a secret of 32 characters or more"


class Slow:
    """A provider that takes each refresh token once, gives another one for it, and answers late."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.busy, self.answer = asyncio.Event(), asyncio.Event()

    async def renew(self, refresh: str, subject: str) -> Tokens:
        if refresh in self.used:
            raise Refused("the provider does not take this any more: sign in again")
        self.used.append(refresh)
        if len(self.used) == AT_ONCE:
            self.busy.set()
        await self.answer.wait()
        return Tokens({"sub": subject}, f"{refresh}+")


async def test_what_waited_too_long_behind_a_slow_provider_is_left_to_the_node_that_takes_it_next() -> None:
    """SIGN-10: with its old refresh token it would be signed off, for nothing."""
    archive, provider, now = MemoryArchive(), Slow(), 1000.0
    sessions = archive.provider_sessions(SECRET)
    for number in range(AT_ONCE + 1):
        name = f"s{number}"
        await archive.sign_ins.add(SignIn(name, "oidc:ann", "Ann", "oidc", 1.0, 1.0, 1e6))
        await sessions.put(ProviderSession(name, "oidc:ann", json.dumps({"refresh": name, "sub": "ann"}), 10.0))
    ended: list[set[str]] = []
    given: Any = (provider, sessions, archive.sign_ins, archive.members, None, lambda *_: None)
    renewing = Renewing(*given, now=lambda: now, interval=300.0, ended=ended.append)
    step = asyncio.ensure_future(renewing.step())
    await provider.busy.wait()
    now += LEASE
    for each in await sessions.take(now, now + LEASE, limit=99):
        if each.sign_in not in provider.used:
            # Another node renews it.
            provider.used.append(each.sign_in)
            await sessions.put(ProviderSession(each.sign_in, each.person, json.dumps({"refresh": "next", "sub": "ann"}), now + 300.0))
    provider.answer.set()
    await step
    assert ended == []
    assert len(await archive.sign_ins.live(now)) == AT_ONCE + 1
