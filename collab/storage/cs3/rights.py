"""Who may do what with a file of a cloud: what its permission set says to the person's own token, and never more than the session allows."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import Denied, Forbidden, NotFound, Unauthorized
from collab.gateway.roles import SOMEBODY, role_of
from collab.ports import Sight
from collab.runtime.rights import sight_of, told
from collab.storage.cs3.acting import Lost
from collab.storage.cs3.keepers import SIGN_IN

if TYPE_CHECKING:
    from collab.access import Grant
    from collab.gateway.resources import Resource
    from collab.ports import CloudSession, Stat
    from collab.storage.cs3.cloud import Cloud
    from collab.storage.cs3.keepers import Sessions

FRESH: Final = 5.0
"""Seconds for which it is known where somebody's folder is."""
REMEMBERED: Final = 4096
_OUTSIDE: Final = "this is not in the folder that you came by: open it in the cloud's page"


class CloudRights:
    """The port `Rights`. `cloud` asks in the name of whoever asks us."""

    def __init__(self, cloud: Cloud, sessions: Sessions) -> None:
        self._cloud = cloud
        self._sessions = sessions
        self._tops: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """Where folders are in the eyes of a session, and since when that is known."""

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What the cloud says to the person's own token. Errors as those of the port."""
        grant.require(grant.role, stat.path, *([stat.id] if stat.id else []))
        session = await self._session(grant)
        most = min(grant.role, _most(session, stat))
        if not stat.id:
            if grant.within and not _inside(stat.path, await self.top(session)):
                raise Forbidden(_OUTSIDE)
            # A folder: what may be done in it, the cloud says when it is done.
            return most if stat.writable else min(most, Role.VIEWER)
        found = await self._look(session, stat, inside=bool(grant.within) and grant.document is None)
        # What guests may do was said when they came: they are shown the permissions of their link's maker.
        return min(most, role_of(found.permissions, SOMEBODY, view_only=session.view_only))

    async def sight(self, grant: Grant) -> Sight:
        """What the cloud lists to the person is theirs to see, in the folder that they came by; of each, the most that may be done is told."""
        if not grant.within or grant.document is not None:
            return sight_of(grant)
        session = await self._session(grant)
        top = await self.top(session)

        def role(stat: Stat) -> Role | None:
            return told(min(grant.role, _most(session, stat)), stat) if _inside(stat.path, top) else None

        return Sight(role, (top,))

    async def top(self, session: CloudSession) -> str:
        """Where the folder is that somebody came by, in their own eyes. NotFound, Denied."""
        now = self._sessions.timer()
        at, path = self._tops.get(session.id, (now - FRESH, ""))
        if now - at < FRESH:
            return path
        credentials = await self._sessions.credentials(session)
        path = (await self._cloud.find(credentials.token, session.folder)).path
        self._tops[session.id] = now, path
        self._tops.move_to_end(session.id)
        while len(self._tops) > REMEMBERED:
            self._tops.popitem(last=False)
        return path

    async def _session(self, grant: Grant) -> CloudSession:
        session = await self._sessions.get(grant.id)
        if session is None:
            raise Unauthorized(SIGN_IN)
        if grant.within and (session.view_only or grant.within != session.folder):
            raise Forbidden(_OUTSIDE)
        return session

    async def _look(self, session: CloudSession, stat: Stat, *, inside: bool) -> Resource:
        """The document in the person's own eyes; `inside`: it must be in the folder that they came by, wherever both are by now."""
        credentials = await self._sessions.credentials(session)
        try:
            return await self._seen(credentials.token, session, stat, inside=inside)
        except Unauthorized:
            await self._sessions.refused(credentials)
        # The cloud took that token no more, or it was over before the answer came: who can have a new one stays.
        credentials = await self._sessions.credentials(session)
        try:
            return await self._seen(credentials.token, session, stat, inside=inside)
        except Unauthorized:
            await self._sessions.refused(credentials)
            raise

    async def _seen(self, token: str, session: CloudSession, stat: Stat, *, inside: bool) -> Resource:
        cloud = self._cloud
        try:
            found = await cloud.look(token, await cloud.resource(stat.id), keys=())
        except Lost as error:
            # Whether it is gone for everybody, the room finds out.
            raise NotFound(error.detail) from error
        except Denied as error:
            raise Forbidden(error.detail) from error
        if inside:
            try:
                await cloud.roots.below(token, found, await cloud.resource(session.folder))
            except (Denied, NotFound) as error:
                raise Forbidden(_OUTSIDE) from error
        return found


def _most(session: CloudSession, stat: Stat) -> Role:
    """What the session allows with a document or folder at most."""
    return Role.of(session.role if not session.folder or stat.id == session.document else session.below)


def _inside(path: str, top: str) -> bool:
    return not top or path == top or path.startswith(f"{top}/")
