"""Who may do what with a file of a cloud: what its permission set says to the person's own token, and never more than the session allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import Unauthorized
from collab.gateway.resources import Reference, User
from collab.gateway.roles import role_of
from collab.storage.cs3.keepers import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from collab.access import Grant
    from collab.gateway.calls import Gateway
    from collab.gateway.resources import ResourceId
    from collab.ports import Stat
    from collab.storage.cs3.keepers import Sessions


_SOMEBODY: Final = User("", "", "", "")
"""A user of the cloud, who is no guest: what guests may do was said when they came, since they are shown the permissions of a link's maker."""


class CloudRights:
    """The port `Rights`. `resource` finds the resource of a document."""

    def __init__(self, gateway: Gateway, sessions: Sessions, resource: Callable[[str], Awaitable[ResourceId]]) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._resource = resource

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What the cloud says to the person's own token. Errors as those of the port."""
        grant.require(grant.role, stat.path, *([stat.id] if stat.id else []))
        session = await self._sessions.get(grant.id)
        if session is None:
            raise Unauthorized(SIGN_IN)
        most = min(grant.role, Role.of(session.role))
        if not stat.id:
            # A folder: what may be done in it, the cloud says when it is done.
            return most if stat.writable else min(most, Role.VIEWER)
        credentials = await self._sessions.credentials(session)
        try:
            found = await self._gateway.stat(credentials.token, Reference(await self._resource(stat.id)), keys=())
        except Unauthorized:
            await self._sessions.refused(credentials)
            raise
        return min(most, role_of(found.permissions, _SOMEBODY, view_only=session.view_only))
