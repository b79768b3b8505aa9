"""In whose name requests and rooms ask a cloud: of the sessions that people came with, and when there is none, by the cloud's machine secret."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import CollabError, Forbidden, NotFound, Unauthorized
from collab.ports import viewing
from collab.runtime import acting
from collab.storage.cs3.acting import Credentials, Lost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from collab.gateway.identity import Machine
    from collab.gateway.resources import Permissions
    from collab.ports import CloudSession, CloudSessions

log = logging.getLogger("collab.storage")

FRESH: Final = 15.0
"""Seconds for which a session is known without asking the archive: another node may have ended it."""
EARLY: Final = 10.0
"""Seconds before a token's end from which it is not used any more."""
REMEMBERED: Final = 10_000
"""Documents of which it is known who had them open last, and sessions that are known."""
_NOTHING, _MISSES, _SEES, _READS, _WRITES = range(5)
"""What somebody may do with a document, in the order in which their name is used: who misses it sees that it was deleted, who has lost it sees nothing."""
SIGN_IN: Final = "your sign-in at the cloud is over: open the document there again"


class Sessions:
    """The sessions of people who came from a cloud, as they count now. `clock` gives UTC seconds, `timer` monotonic ones."""

    def __init__(self, kept: CloudSessions, machine: Machine | None, *, clock: Callable[[], float], timer: Callable[[], float]) -> None:
        self.kept = kept
        self.clock = clock
        self._machine = machine
        self.timer = timer
        self._known: OrderedDict[str, tuple[float, CloudSession | None]] = OrderedDict()
        self._bad: OrderedDict[str, None] = OrderedDict()
        """Sessions whose token the cloud does not take, whatever it says of its end."""

    async def get(self, session: str) -> CloudSession | None:
        """The session of a grant, None when it is over."""
        if not session:
            return None
        now, known = self.timer(), self._known.get(session)
        if known is not None and now - known[0] < FRESH:
            found = known[1]
        else:
            found = await self.kept.get(session)
            since = self._known.get(session)
            if since is not None and since is not known:
                # It may have been ended since it was asked for.
                found = since[1]
            else:
                self._known[session] = now, found
                self._known.move_to_end(session)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return found if found is not None and found.until > self.clock() else None

    async def end(self, session: str) -> None:
        """It counts no more, here at once, elsewhere in a moment."""
        await self.kept.end(session)
        self._known[session] = self.timer(), None

    def ends(self, session: CloudSession) -> float:
        """When nothing can be done in its name any more, UTC seconds."""
        if self._outlives(session) or session.expires is None:
            return session.until
        return min(session.until, session.expires)

    async def credentials(self, session: CloudSession) -> Credentials:
        """In its name: with its own token, and when that is over with a new one, if the cloud lets us make some. Unauthorized, Unavailable."""
        good = session.id not in self._bad and (session.expires is None or session.expires > self.clock() + EARLY)
        if good:
            return Credentials(session.token, session.user, session.expires)
        if self._machine is None or session.guest:
            raise Unauthorized(SIGN_IN)
        login = await self._machine.login(session.username)
        if login.user.id != session.user:
            # The name is somebody else's by now.
            raise Unauthorized(SIGN_IN)
        return Credentials(login.token, login.user.id, login.expires)

    async def refused(self, credentials: Credentials) -> None:
        """The cloud does not take this token, whatever it says of itself."""
        if self._machine is not None:
            self._machine.forget(credentials.token)
        for name, (_, session) in self._known.items():
            if session is not None and session.token == credentials.token:
                self._bad[name] = None
        while len(self._bad) > REMEMBERED:
            self._bad.popitem(last=False)

    def _outlives(self, session: CloudSession) -> bool:
        """Whether the session goes on when its token is over."""
        return self._machine is not None and not session.guest


class Caller:
    """See `Acting`: whoever asks; for what nobody asks for, such as the end of a lock, the document's keepers."""

    def __init__(self, sessions: Sessions, keepers: Keepers) -> None:
        self._sessions = sessions
        self._keepers = keepers

    async def credentials(self, document: str | None) -> Credentials:
        """Those of the session that asks."""
        if not acting.caller():
            return await self._keepers.credentials(document)
        session = await self._sessions.get(acting.caller())
        if session is None:
            raise Unauthorized(SIGN_IN)
        beside = await self._sessions.get(viewing(session.id)) if session.view_only else None
        return await self._sessions.credentials(beside or session)

    async def refused(self, credentials: Credentials) -> None:
        """The cloud does not take them."""
        await self._sessions.refused(credentials)

    def doubted(self, document: str | None) -> None:
        """Who asks hears it; for what nobody asks for, the keepers know."""
        self._keepers.doubted(document)


class Keepers:
    """See `Acting`: for rooms, which ask in the name of the people who have the document open, or had it open last. `present` gives the sessions in a
    document's room, and whether each may write.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.present: Callable[[str], Sequence[tuple[str, bool]]] = _nobody
        self.permissions: Callable[[str, str], Awaitable[Permissions]] | None = None
        """What the cloud lets the owner of a token do with a document."""
        self._judged: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        """By session and document, and when that was: see `_judge`."""
        self._last: OrderedDict[str, dict[str, bool]] = OrderedDict()
        """By document the sessions that were there last."""

    async def credentials(self, document: str | None) -> Credentials:
        """Of who may write first, then of who is good for longest. Unauthorized: nobody is left."""
        name = document or acting.document()
        found = await self._found(name)
        best, failed = await self._best(found, name)
        if name and (best is None or best[0] <= _MISSES):
            # Those who are here have lost it: of who had opened it, somebody may still see whether it is there.
            asked = {session.id for session in found}
            others = [each for each in await self._sessions.kept.of(name) if each.id not in asked and self._good(each)]
            other, _ = await self._best(others, name)
            best = other if best is None or (other is not None and other[0] > best[0]) else best
        if best is None:
            raise failed or Unauthorized("nobody who has the document open is signed in at the cloud: open it there again, and it is saved")
        return best[1]

    async def _best(self, sessions: Iterable[CloudSession], name: str) -> tuple[tuple[int, Credentials] | None, CollabError | None]:
        """In whose name most may be done with the document now, the first of those; and why the last one who can't act any more can't."""
        best: tuple[int, Credentials] | None = None
        failed: CollabError | None = None
        for session in sessions:
            try:
                credentials = await self._sessions.credentials(session)
                may = await self._judge(session, credentials, name)
            except Unauthorized as error:
                failed = error
                continue
            if best is None or may > best[0]:
                best = may, credentials
            if may == _WRITES:
                break
        return best, failed

    async def _judge(self, session: CloudSession, credentials: Credentials, document: str) -> int:
        """What may be done with the document in this name now: who has lost it, finds nothing, as if it were deleted. Unauthorized."""
        if self.permissions is None or not document:
            return _WRITES
        now, key = self._sessions.timer(), (session.id, document)
        at, may = self._judged.get(key, (now - FRESH, 0))
        if now - at < FRESH:
            return may
        try:
            allowed = await self.permissions(credentials.token, document)
        except Lost:
            may = _NOTHING
        except NotFound:
            may = _MISSES
        except Forbidden:
            may = _SEES
        except Unauthorized:
            await self._sessions.refused(credentials)
            raise
        except CollabError:
            # Nobody can say so now: whoever asks will hear it.
            return _WRITES
        else:
            may = (_WRITES if allowed.upload else _READS) if allowed.download else _SEES
        self._judged[key] = now, may
        self._judged.move_to_end(key)
        while len(self._judged) > REMEMBERED:
            self._judged.popitem(last=False)
        return may

    async def refused(self, credentials: Credentials) -> None:
        """The cloud does not take them."""
        await self._sessions.refused(credentials)

    def doubted(self, document: str | None) -> None:
        """Of each session it is asked again what it may do there."""
        name = document or acting.document()
        for key in [key for key in self._judged if key[1] == name]:
            del self._judged[key]

    async def ends(self, document: str) -> float | None:
        """When nobody is left in whose name the document can be saved, UTC seconds; None: nobody is."""
        return max((self._sessions.ends(session) for session in await self._found(document)), default=None)

    async def _found(self, document: str) -> list[CloudSession]:
        """Whose name will do, the best first."""
        here = dict(self.present(document)) if document else {}
        if here:
            self._last[document] = here
            self._last.move_to_end(document)
            while len(self._last) > REMEMBERED:
                self._last.popitem(last=False)
        elif document:
            here = self._last.get(document, {})
        writes = dict(here)
        if acting.caller():
            # Who opens it is not in the room yet.
            writes.setdefault(acting.caller(), False)
        found = [session for name in writes if (session := await self._sessions.get(name)) is not None]
        if document and not any(writes[session.id] and self._good(session) for session in found):
            # After a restart, or when everybody has left: of those who had opened it.
            found += [each for each in await self._sessions.kept.of(document) if each.id not in writes and self._good(each)]
        return self._sorted(found, writes)

    def _good(self, session: CloudSession) -> bool:
        return self._sessions.ends(session) > self._sessions.clock()

    def _sorted(self, found: Iterable[CloudSession], writes: dict[str, bool]) -> list[CloudSession]:
        def rank(session: CloudSession) -> tuple[bool, bool, float]:
            may_write = Role.of(session.role) >= Role.EDITOR
            return not writes.get(session.id, False), not may_write, -self._sessions.ends(session)

        return sorted(found, key=rank)


def _nobody(document: str) -> Sequence[tuple[str, bool]]:
    """There are no rooms yet."""
    del document
    return ()
