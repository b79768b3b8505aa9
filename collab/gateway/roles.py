"""What somebody may do with a file of a cloud, by what the cloud says to their own token: no call tells another user's permission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.access import Role
from collab.errors import Forbidden
from collab.gateway.resources import User

if TYPE_CHECKING:
    from collab.gateway.resources import Permissions

GUEST: Final = "public-share-role"
"""Where a public link's role is in its guests' user, who is the link's maker otherwise: their permissions look like the maker's."""
SOMEBODY: Final = User("", "", "", "")
"""Any user of the cloud who is no guest."""
_WRITING: Final = frozenset({"editor", "collaborator", "manager", "coowner"})
_READING: Final = frozenset({"viewer", "contributor", "internal"})


def link_role(user: User) -> str | None:
    """The role of a public link whose guest this is; None: it is a user."""
    return user.opaque.get(GUEST)


def role_of(permissions: Permissions, user: User, *, view_only: bool = False) -> Role:
    """What they may do. `view_only`: the cloud opened it to be looked at only, which needs no right to download. Forbidden, in words."""
    guest = link_role(user)
    if guest is not None:
        return _of_guest(guest)
    if permissions.stat and permissions.download:
        return Role.EDITOR if permissions.upload else Role.VIEWER
    if permissions.stat and permissions.upload:
        raise Forbidden("you may upload here, and not read what is there")
    if permissions.stat and view_only:
        return Role.VIEWER
    raise Forbidden("the cloud does not let you read this file")


def _of_guest(role: str) -> Role:
    if role in _WRITING:
        return Role.EDITOR
    if role in _READING:
        return Role.VIEWER
    raise Forbidden("this link lets nobody read the file")
