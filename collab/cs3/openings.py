"""A cloud asks to open a file for somebody: with which role, where, and with which token of ours, behind which theirs stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from collab.access import Grant, Person, Role, sign
from collab.errors import CollabError, Malformed, NotText, Unauthorized
from collab.formats import is_textual, media_type, named_type
from collab.gateway.applications import Asked, Mode, Opening
from collab.gateway.identity import expires
from collab.gateway.resources import FILE, FOLDER, Reference
from collab.gateway.roles import link_role, role_of
from collab.ports import CloudSession, Stat, viewing

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.gateway.calls import Gateway
    from collab.gateway.resources import Resource, ResourceId, StorageLock, User
    from collab.ports import CloudSessions, Resources
    from collab.wopi.launch import Launcher

_GUEST: Final = "Guest"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who opens what, as what."""

    grant: Grant
    stat: Stat
    reason: str = ""
    """Why it is for reading, although more was asked for."""
    instead: str = ""
    """The application that has the file."""


@dataclass(frozen=True, slots=True)
class Openings:
    """`address`: ours for people, without a slash at its end. `application`: the name under which our locks are. `now`: UTC seconds. `length`: seconds that a session
    lives when `lasting`, that is when the server may act for people whose token is over; else it ends with the token.
    """

    gateway: Gateway
    sessions: CloudSessions
    resources: Resources
    launcher: Launcher
    address: Callable[[], str]
    application: str
    secret: bytes
    now: Callable[[], float]
    random: Callable[[int], bytes]
    length: float
    lasting: bool = False

    async def live(self, asked: Asked) -> Opening:
        """In our own page, in a frame of the cloud's: it takes a form with a token of ten minutes. NotText for what is none; else as `admit`."""
        if not _editable(asked.resource):
            raise NotText("this is no text that can be written together: open it in an office application")
        admitted = await self.admit(asked)
        now = self.now()
        lease = admitted.grant.lease(now)
        query = f"?{urlencode({'lang': asked.language})}" if asked.language else ""
        return Opening(
            f"{self.address()}/edit/{admitted.stat.id}{query}",
            _form(sign(lease, self.secret, now=now), lease.expires or now),
            reason=admitted.reason,
            instead=admitted.instead,
        )

    async def office(self, asked: Asked) -> Opening:
        """In the first office suite that takes it. NotText when none does; else as `admit`."""
        stat = stat_of(asked.resource)
        offered = [office.name for office, _, _ in self.launcher.openings(stat, Role.EDITOR)]
        if not offered:
            raise NotText("no office suite here opens files of this kind")
        admitted = await self.admit(asked)
        wanted = "edit" if admitted.grant.role >= Role.EDITOR else "view"
        openings = [(office.name, name) for office, name, _ in self.launcher.openings(admitted.stat, admitted.grant.role)]
        suite, action = next((each for each in openings if each[1] == wanted), openings[0])
        launch = self.launcher.launch(admitted.grant, admitted.stat, suite, action, asked.language)
        return Opening(
            launch.url,
            {"access_token": launch.access_token, "access_token_ttl": str(launch.access_token_ttl)},
            reason=admitted.reason,
            instead=admitted.instead,
        )

    async def admit(self, asked: Asked) -> Admitted:
        """A session for whoever has the token, for this file alone. Malformed for what is no file; Unauthorized; Forbidden; Unavailable."""
        resource = asked.resource
        if resource.kind != FILE:
            raise Malformed("this is no file; applications open files")
        user = await self.gateway.who_am_i(asked.token)
        allowed = role_of(resource.permissions, user, view_only=asked.mode is Mode.VIEW_ONLY)
        role, reason, instead = self._role(asked, allowed)
        folder, below = await self._around(asked, allowed if link_role(user) is not None else Role.EDITOR)
        session = await self._session(asked, user, role, folder, below)
        known = {session.document: str(resource.id)}
        await self.resources.remember(known if folder is None else {**known, session.folder: str(folder)})
        grant = Grant(_person(session, user), role, session.document, session.until, session.id)
        return Admitted(grant, stat_of(resource), reason, instead)

    def _role(self, asked: Asked, allowed: Role) -> tuple[Role, str, str]:
        if asked.mode is not Mode.READ_WRITE:
            return Role.VIEWER, "", ""
        if allowed < Role.EDITOR:
            return allowed, "you may read this file, and not change it", ""
        lock = asked.resource.lock
        if lock is not None and self._elsewhere(lock):
            name = lock.application or "another application"
            # Reva takes the application's name from these words.
            return Role.VIEWER, f"the file is open in {name}: use {name} to edit instead", lock.application
        return allowed, "", ""

    async def _around(self, asked: Asked, most: Role) -> tuple[ResourceId | None, Role]:
        """The folder around the file, when the cloud lets the caller list it, and what may be done there at most. What was opened to be looked at only is
        shown alone.
        """
        parent = asked.resource.parent
        if asked.mode is Mode.VIEW_ONLY or parent is None:
            return None, Role.VIEWER
        try:
            folder = await self.gateway.stat(asked.token, Reference(parent), keys=())
        except CollabError:
            # Somebody was given this one file.
            return None, Role.VIEWER
        if folder.kind != FOLDER or not folder.permissions.list:
            return None, Role.VIEWER
        return folder.id, most if asked.mode is Mode.READ_WRITE else Role.VIEWER

    def _elsewhere(self, lock: StorageLock) -> bool:
        return lock.application != self.application and (lock.until is None or lock.until > self.now())

    async def _session(self, asked: Asked, user: User, role: Role, folder: ResourceId | None, below: Role) -> CloudSession:
        now, ends = self.now(), expires(asked.token)
        guest = link_role(user) is not None
        until = now + self.length
        if ends is not None and (guest or not self.lasting):
            until = min(until, ends)
        if until <= now:
            raise Unauthorized("the cloud's sign-in is over: sign in again")
        number = self.random(16).hex()
        person = f"cs3:{user.idp}#{user.id}" if not guest else f"cs3:guest#{number}"
        session = CloudSession(
            id=number,
            document=asked.resource.id.document,
            person=person,
            user=user.id,
            username=user.username,
            token=asked.token,
            expires=ends,
            until=until,
            role=role.word,
            guest=guest,
            view_only=asked.mode is Mode.VIEW_ONLY,
            folder="" if folder is None else folder.document,
            below="" if folder is None else below.word,
        )
        await self.sessions.put(session)
        if asked.view_token:
            # Nobody comes with it: it only reads, in the place of who may not.
            ends = expires(asked.view_token)
            await self.sessions.put(replace(session, id=viewing(number), token=asked.view_token, expires=ends, guest=True))
        return session


def stat_of(resource: Resource) -> Stat:
    """A file of a cloud as a document, as far as it is known without reading it."""
    return Stat(
        id=resource.id.document,
        path=resource.name,
        type=media_type(resource.name) if named_type(resource.name) else resource.type or media_type(resource.name),
        size=resource.size,
        etag="",
        modified=resource.modified,
        writable=resource.permissions.upload,
    )


def _person(session: CloudSession, user: User) -> Person:
    return Person(session.person, _GUEST if session.guest else user.name or user.username)


def _editable(resource: Resource) -> bool:
    """An empty file of an unknown name may become a text."""
    named = named_type(resource.name)
    return is_textual(named or resource.type) or (named is None and (not resource.size or not resource.type or "octet" in resource.type))


def _form(token: str, ends: float) -> dict[str, str]:
    """As web pages of clouds post it: the end in milliseconds since the epoch."""
    return {"access_token": token, "access_token_ttl": str(int(ends * 1000))}
