"""In whose name the storage is asked: it knows no right but that of a user's token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from collab.errors import Denied

if TYPE_CHECKING:
    from collab.gateway.identity import Machine


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token of the cloud, whose it is (the user's opaque id), and when it ends: UTC seconds, None when it does not say."""

    token: str = field(repr=False)
    user: str
    expires: float | None


class Lost(Denied):
    """Whoever asks does not find a file, nor sees where it was: they have lost it, or it was deleted and they could not know."""


class Acting(Protocol):
    """Who acts. Both raise `Unauthorized`, in words that say who has to sign in, and `Unavailable`."""

    async def credentials(self, document: str | None) -> Credentials:
        """For what concerns this document (an id of ours), or none of them."""

    async def refused(self, credentials: Credentials) -> None:
        """The cloud does not take them (any more), whatever they say."""

    def doubted(self, document: str | None) -> None:
        """Who acted for this document did not find it, or could not do it: what is known of who may do what with it counts no more."""


class Alone:
    """One user for everybody, by the machine secret: for servers that have one owner, and for tests."""

    def __init__(self, machine: Machine, username: str) -> None:
        self._machine = machine
        self._username = username

    async def credentials(self, document: str | None) -> Credentials:
        """The user's, kept until they are about to end."""
        del document
        login = await self._machine.login(self._username)
        return Credentials(login.token, login.user.id, login.expires)

    async def refused(self, credentials: Credentials) -> None:
        """The next ones are new."""
        self._machine.forget(credentials.token)

    def doubted(self, document: str | None) -> None:
        """There is nobody else."""
