"""Who else changes a cloud's files (`Watch`): nobody tells, so those of open rooms are looked at, less often the longer nothing happens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collab.errors import CollabError, NotFound
from collab.gateway.resources import Reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from collab.gateway.resources import Resource, ResourceId
    from collab.storage.cs3.cloud import Cloud

SOON: Final = 2.0
"""Seconds between two looks at a file that was changed lately."""
LATEST: Final = 30.0
"""Seconds between two looks at a file at which nothing happens."""
SLOWER: Final = 1.5
"""So much longer it is left alone each time."""
TOGETHER: Final = 3
"""So many files of one folder are looked at by listing it."""
AT_ONCE: Final = 8
"""Calls at a time."""
STEP: Final = 0.5
"""Seconds between two looks at what is due."""


@dataclass(slots=True)
class _Seen:
    """What was seen of an open document, and when it is looked at next: by the timer."""

    due: float
    wait: float = SOON
    facts: tuple[str, str, str] | None = None
    """Etag, name and the folder's id; None: it is not there, or nobody has looked."""
    parent: ResourceId | None = None
    looked: bool = False


class CloudWatch:
    """`opened` tells the open documents (ids of ours) and their paths. `timer` gives monotonic seconds."""

    def __init__(
        self, cloud: Cloud, opened: Callable[[], Mapping[str, str]] = dict, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self.opened = opened
        self._cloud = cloud
        self._timer = timer
        self._seen: dict[str, _Seen] = {}

    async def notices(self) -> AsyncIterator[frozenset[str]]:
        """Paths of open documents that may be changed. It never ends: a cloud that is away is asked again, less often."""
        while True:
            changed = await self.look()
            if changed:
                yield changed
            await asyncio.sleep(STEP)

    async def look(self) -> frozenset[str]:
        """Look at what is due, once: the paths of what changed."""
        opened, now = self.opened(), self._timer()
        self._seen = {document: self._seen.get(document) or _Seen(now) for document in opened}
        due = [document for document, seen in self._seen.items() if seen.due <= now]
        folders: dict[ResourceId, list[str]] = {}
        for document in due:
            parent = self._seen[document].parent
            if parent is not None:
                folders.setdefault(parent, []).append(document)
        together = {parent: documents for parent, documents in folders.items() if len(documents) >= TOGETHER}
        in_folders = {document for documents in together.values() for document in documents}
        gate = asyncio.Semaphore(AT_ONCE)
        found = await asyncio.gather(
            *(self._listed(gate, parent, documents) for parent, documents in together.items()),
            *(self._stated(gate, document) for document in due if document not in in_folders),
        )
        changed = {document for each in found for document in each}
        for document in due:
            seen = self._seen[document]
            seen.wait = SOON if document in changed else min(seen.wait * SLOWER, LATEST)
            seen.due = self._timer() + seen.wait
        return frozenset(opened[document] for document in changed)

    async def _listed(self, gate: asyncio.Semaphore, parent: ResourceId, documents: Sequence[str]) -> Sequence[str]:
        """Which of a folder's documents changed; those that are not there any more are looked at one by one."""
        async with gate:
            try:
                async with self._cloud.acts(documents[0]) as token:
                    listed = {each.id.document: each for each in await self._cloud.gateway.list(token, Reference(parent))}
            except CollabError:
                listed = {}
        changed = [document for document in documents if document in listed and self._changed(document, listed[document])]
        for document in documents:
            if document not in listed:
                changed += await self._stated(gate, document)
        return changed

    async def _stated(self, gate: asyncio.Semaphore, document: str) -> Sequence[str]:
        async with gate:
            try:
                async with self._cloud.acts(document) as token:
                    resource: Resource | None = await self._cloud.gateway.stat(
                        token, Reference(await self._cloud.resource(document)), keys=()
                    )
            except NotFound:
                resource = None
            except CollabError:
                # Away, or nobody's token is good: that says nothing of the file.
                return []
        return [document] if self._changed(document, resource) else []

    def _changed(self, document: str, resource: Resource | None) -> bool:
        """Whether it is another than when it was last seen. The first sight counts when nobody here has read that body."""
        seen = self._seen[document]
        facts = None if resource is None else (resource.etag, resource.name, str(resource.parent))
        changed = facts != seen.facts if seen.looked else resource is None or self._cloud.etags.digest(resource) is None
        seen.facts, seen.looked = facts, True
        seen.parent = None if resource is None else resource.parent
        return changed
