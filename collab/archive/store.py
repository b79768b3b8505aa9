"""The archive on SQLite (embedded) or PostgreSQL (several nodes): bases, checkpoints, versions, authors, links, shares, locks, what office suites know, who signed in."""

from __future__ import annotations

from collab.archive.accounts import SqlAccounts, SqlMembers
from collab.archive.authors import SqlAuthors
from collab.archive.bases import SqlBases
from collab.archive.checkpoints import SqlCheckpoints
from collab.archive.engine import Database
from collab.archive.links import SqlLinks
from collab.archive.locks import SqlLocks
from collab.archive.metadata import SqlMetadata
from collab.archive.office import SqlOfficeStates, SqlUserInfos
from collab.archive.providers import SqlProviderSessions
from collab.archive.rejections import SqlRejections
from collab.archive.resources import SqlResources
from collab.archive.sessions import SqlCloudSessions
from collab.archive.shares import SqlShares
from collab.archive.signins import SqlSignIns
from collab.archive.versions import SqlVersions
from collab.state.sealing import Sealer

DAYS = 30.0
"""Days that a writer may be away."""
PARTS = 64 * 2**20
"""Bytes of a document's older log."""


class Archive:
    """The archive at a database's URL (see `engine.Database`); `days` and `most` (bytes a document) bound what writers may come back to."""

    def __init__(self, url: str, *, days: float = DAYS, most: int = PARTS) -> None:
        self._database = Database(url)
        self.bases = SqlBases(self._database, days=days, most=most)
        self.checkpoints = SqlCheckpoints(self._database)
        self.versions = SqlVersions(self._database)
        self.authors = SqlAuthors(self._database)
        self.links = SqlLinks(self._database)
        self.shares = SqlShares(self._database)
        self.locks = SqlLocks(self._database)
        self.rejections = SqlRejections(self._database)
        self.office = SqlOfficeStates(self._database)
        self.infos = SqlUserInfos(self._database)
        self.resources = SqlResources(self._database)
        self.sign_ins = SqlSignIns(self._database)
        self.metadata = SqlMetadata(self._database)
        self.members = SqlMembers(self._database)
        self.accounts = SqlAccounts(self._database)

    def sessions(self, secret: bytes) -> SqlCloudSessions:
        """The sessions of people who came from a cloud; their tokens are sealed under the server's secret."""
        return SqlCloudSessions(self._database, Sealer(secret, "cloud-session"))

    def provider_sessions(self, secret: bytes) -> SqlProviderSessions:
        """What providers gave for sessions, sealed in the same way."""
        return SqlProviderSessions(self._database, Sealer(secret, "provider-session"))

    @property
    def trouble(self) -> str | None:
        """Why the database takes nothing just now, in words, or None."""
        return self._database.trouble

    async def scrub(self) -> None:
        """What was erased leaves the files of the database, too. Unavailable while others use it without a pause."""
        await self._database.scrub("people")

    async def close(self) -> None:
        """Wait for what runs. Idempotent."""
        await self._database.close()
