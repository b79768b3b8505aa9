"""The steps of `collab doctor` for files in a cloud: what the server will ask of it, tried on a small file that is gone afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collab.errors import Changed, CollabError, Conflict, Locked, NotFound, Unauthorized, Unsupported
from collab.gateway.calls import Gateway
from collab.gateway.identity import Login, Machine
from collab.gateway.resources import Reference, ResourceId, StorageLock
from collab.gateway.transfers import Transfers
from collab.operations.examinations import Untried, Weak

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.gateway.resources import Resource
    from collab.settings import Settings

APART: Final = 20.0
"""Seconds by which the clocks may differ: locks end by them."""
LOCK: Final = 60.0
"""Seconds of the lock that is tried."""
KEY: Final = "collab.doctor"
_ONE, _TWO = b"collab doctor was here\n", b"collab doctor was here, and goes\n"
_LOST: Final = "an earlier step of the cloud failed"


@dataclass(frozen=True, slots=True)
class _Probe:
    """The file on which all is tried."""

    ref: Reference
    etag: str


class CloudExamination:
    """In the name of `user`, by the machine secret; the steps are taken in the order in which they stand here, and `close` ends it."""

    def __init__(self, settings: Settings, user: str) -> None:
        self._gateway = Gateway(settings.cs3_gateway, tls=settings.cs3_tls, timeout=settings.cs3_timeout)
        self._transfers = Transfers()
        self._user = user
        self._login: Login | None = None
        self._root: Reference | None = None
        self._name = f".collab-doctor-{os.urandom(6).hex()}"
        self._made: Reference | None = None
        """Where something may be that is to be taken back."""
        self._probe: _Probe | None = None
        self._lock: StorageLock | None = None

    async def address(self, settings: Settings) -> str:
        """Whether a gateway answers there at all."""
        with contextlib.suppress(Unauthorized, NotFound):
            await self._gateway.who_am_i("")
        return f"a gateway answers at {settings.cs3_gateway}{' under TLS' if settings.cs3_tls else ''}"

    async def sign_in(self, settings: Settings) -> str:
        """Whether we may act for people."""
        if settings.cs3_machine_secret is None:
            raise Weak(
                "without COLLAB_CS3_MACHINE_SECRET nobody's session outlives the cloud's token, and nothing can be tried here",
                "let the cloud's operator give the secret of its auth type `machine`",
            )
        if not self._user:
            raise Untried("say in whose name to try: collab doctor --as USER")
        self._login = await Machine(self._gateway, settings.cs3_machine_secret.get_secret_value()).login(self._user)
        left = "" if self._login.expires is None else f", with tokens of {(self._login.expires - time.time()) / 3600:.0f} h"
        return f"we may act for {self._login.user.name}{left}"

    async def spaces(self, settings: Settings) -> str:
        """Where files are."""
        token = self._token()
        if settings.cs3_root.startswith("/"):
            self._root = Reference(None, settings.cs3_root.strip("/"))
        elif settings.cs3_root:
            self._root = Reference(ResourceId.parse(settings.cs3_root))
        else:
            return await self._some_space(token)
        await self._gateway.stat(token, self._root)
        return f"{settings.cs3_root} is there"

    async def _some_space(self, token: str) -> str:
        try:
            found = await self._gateway.spaces(token)
        except Unsupported:
            home = await self._gateway.home(token)
            self._root = Reference(None, home)
            return f"there are no spaces, and home is /{home}"
        own = next((space for space in found if space.kind == "personal"), next(iter(found), None))
        if own is None:
            raise NotFound(f"{self._user} sees no space")
        self._root = Reference(own.root)
        return f"{len(found)} are seen; what follows is tried in {own.name}"

    async def upload(self, settings: Settings) -> str:
        """Whether bytes come and go, and an upload that names another etag is refused."""
        del settings
        token, root = self._token(), self._root
        if root is None:
            raise Untried(_LOST)
        ref = self._made = root.below(self._name)
        await self._put(token, ref, _ONE, None)
        there = await self._gateway.stat(token, ref)
        self._probe = _Probe(Reference(there.id), there.etag)
        await self._check_clock(there)
        read = await self._transfers.download(await self._gateway.download(token, self._probe.ref), token, limit=1000, about=str(ref))
        if read != _ONE:
            raise Conflict("what was read is not what was written")
        await self._put(token, self._probe.ref, _TWO, there.etag)
        try:
            await self._put(token, self._probe.ref, _ONE, there.etag)
        except Changed:
            return "bytes come and go, and an upload is compared with what it replaces"
        raise Weak(
            "bytes come and go, but etags are not compared (as a Reva v3 does): the lock alone guards files",
            "let no other program write into files past the locks; what is lost is found in the versions",
        )

    async def _check_clock(self, there: Resource) -> None:
        apart = there.modified - time.time()
        if abs(apart) > APART:
            raise Conflict(
                f"the cloud's clock is {abs(apart):.0f} s {'before' if apart > 0 else 'behind'} ours: locks end by it; set both by NTP"
            )

    async def lock(self, settings: Settings) -> str:
        """Whether a file can be locked, for whoever writes it here."""
        token, probe = self._token(), self._tried()
        lock = StorageLock(f"collab-doctor-{os.urandom(6).hex()}", settings.cs3_app_name, until=time.time() + LOCK)
        await self._gateway.lock(token, probe.ref, lock)
        self._lock = lock
        held = await self._gateway.locked(token, probe.ref)
        if held is None or held.id != lock.id:
            raise Locked("the lock was taken, and another one is told")
        with contextlib.suppress(Locked):
            await self._gateway.lock(token, probe.ref, replace(lock, id="another"))
            raise Weak("two locks are given for one file", "see how the storage's locks are configured")
        await self._gateway.refresh_lock(token, probe.ref, lock)
        await self._gateway.unlock(token, probe.ref, lock)
        self._lock = None
        return f"a file is locked, held and freed in the name of {settings.cs3_app_name}"

    async def metadata(self, settings: Settings) -> str:
        """Whether something can be noted beside a file."""
        del settings
        token, probe = self._token(), self._tried()
        try:
            await self._gateway.set_metadata(token, probe.ref, {KEY: "here"})
            if (await self._gateway.stat(token, probe.ref)).metadata.get(KEY) != "here":
                raise Weak("metadata is taken, and not told", "tags and descriptions will not be kept")
            await self._gateway.unset_metadata(token, probe.ref, [KEY])
        except Unsupported:
            raise Weak("the cloud keeps no metadata of others", "tags and descriptions will not be kept") from None
        return "is kept, told and taken away"

    async def versions(self, settings: Settings) -> str:
        """Whether what is replaced can be had again."""
        del settings
        token, probe = self._token(), self._tried()
        try:
            found = await self._gateway.versions(token, probe.ref)
        except Unsupported:
            found = ()
        if not found:
            raise Weak(
                "the cloud keeps no versions of a file that was replaced",
                "what another program overwrites at the wrong moment can't be had again",
            )
        return f"{len(found)} of a file that was replaced"

    async def applications(self, settings: Settings) -> str:
        """Whether the cloud's pages offer us."""
        wanted = [
            (name, at) for name, at in ((settings.cs3_live_name, settings.cs3_live), (settings.cs3_office_name, settings.cs3_office)) if at
        ]
        if not wanted:
            raise Untried("there is no COLLAB_CS3_LIVE and no COLLAB_CS3_OFFICE")
        listed = {(each.name, each.address): each for each in await self._gateway.applications()}
        missing = [name for name, at in wanted if (name, at) not in listed]
        if missing:
            raise NotFound(f"{', '.join(missing)}: not in the cloud's registry")
        if not settings.frame_ancestors:
            raise Weak("they are offered, but no page may show them in a frame", "name the cloud's origin in COLLAB_FRAME_ANCESTORS")
        return ", ".join(f"{name}: {len(listed[name, at].types)} types" for name, at in wanted)

    async def close(self) -> None:
        """Take back what was tried. Raises nothing."""
        if self._login is not None and self._made is not None:
            token = self._login.token
            if self._lock is not None and self._probe is not None:
                # It may be over, or never have held.
                with contextlib.suppress(CollabError):
                    await self._gateway.unlock(token, self._probe.ref, self._lock)
            with contextlib.suppress(CollabError):
                await self._gateway.delete(token, self._made)
                await self._purge(token)
        await self._transfers.close()
        await self._gateway.close()

    async def _purge(self, token: str) -> None:
        """Out of the bin, too, where that is ours to do."""
        if self._root is not None:
            for each in await self._gateway.recycled(token, self._root):
                if each.path.rpartition("/")[2] == self._name:
                    await self._gateway.purge(token, self._root, each.key)

    def _token(self) -> str:
        if self._login is None:
            raise Untried(_LOST if self._user else "nobody is signed in")
        return self._login.token

    def _tried(self) -> _Probe:
        if self._probe is None:
            raise Untried(_LOST)
        return self._probe

    async def _put(self, token: str, ref: Reference, body: bytes, etag: str | None) -> None:
        sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        ways = await self._gateway.upload(token, ref, length=len(body), sha1=sha1, if_match=etag)
        await self._transfers.upload(ways, token, _once(body), length=len(body), about=str(ref))


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
