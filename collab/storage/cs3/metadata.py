"""What people say about files of a cloud (`Metadata`): arbitrary metadata of the cloud under keys of ours. Everybody else's keys stay as they are.

What is said goes where the file goes, also when it is moved by others, and other programs may read it: tags with commas between them, the description as it is.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from collab.about import DESCRIPTION, About, description_of, tags_of
from collab.errors import Changed, CollabError, Denied, Malformed, Unsupported
from collab.gateway.resources import Reference, Resource
from collab.storage.cs3.roots import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from collab.about import Change
    from collab.ports import Stat
    from collab.storage.cs3.cloud import Cloud

TAGS: Final = "collab.tags"
SAID: Final = "collab.description"
KEYS: Final = (TAGS, SAID)
AT_ONCE: Final = 8
"""Files or folders that are looked at at the same time."""
TRIED: Final = 600.0
"""Seconds after which a storage that keeps nothing is tried anew."""
REMEMBERED: Final = 256
_LACKING: Final = "this cloud keeps neither tags nor descriptions of files here"


class CloudMetadata:
    """See `collab.ports.Metadata`. Clouds compare nothing when metadata is changed: `before` is looked at right before. `timer` gives monotonic seconds."""

    def __init__(self, cloud: Cloud, timer: Callable[[], float]) -> None:
        self._cloud = cloud
        self._timer = timer
        self._lacking: OrderedDict[tuple[str, str], float] = OrderedDict()
        """Storages and spaces that kept nothing, and until when that is believed."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, document: str) -> About:
        """What the cloud has."""
        async with self._cloud.acts(document) as token:
            resource = await self._look(token, document)
            if self._lacking.get(_space(resource), 0.0) > self._timer():
                raise Unsupported(_LACKING)
            return _said(resource)

    async def put(self, document: str, change: Change, *, before: About | None = None) -> About:
        """Say this from now on; what was said is looked at again, since some clouds say that they keep it and do not."""
        # Nobody else of this server comes between the look before, what is said, and the look after.
        async with self._turns.setdefault(document, asyncio.Lock()), self._cloud.acts(document) as token:
            resource = await self._look(token, document)
            known = _said(resource)
            if before is not None and known != before:
                raise Changed("somebody else has changed tags or description since: read them again")
            said = change.of(known)
            if said == known:
                return said
            if not resource.permissions.upload:
                raise Denied("the storage does not let you change what is said about this file")
            try:
                await self._say(token, resource, known, said)
            except (Unsupported, Denied) as error:
                raise self._lacks(resource) from error
            now = _said(await self._look(token, document))
            if now != said and now == known:
                raise self._lacks(resource)
            self._lacking.pop(_space(resource), None)
            return now

    async def of(self, stats: Sequence[Stat]) -> Mapping[str, About]:
        """What is said of these: one question for all of a folder."""
        folders: dict[str, list[str]] = defaultdict(list)
        for stat in stats:
            if stat.id:
                folders[stat.path.rpartition("/")[0]].append(stat.id)
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(folder: str, wanted: Sequence[str]) -> dict[str, About]:
            async with places:
                # What cannot be looked at, is not told.
                with suppress(CollabError):
                    if len(wanted) > 1 and folder != SHARED:
                        return await self._in(folder, frozenset(wanted))
                    return {each: await self.get(each) for each in wanted}
            return {}

        found: dict[str, About] = {}
        for each in await asyncio.gather(*(ask(folder, wanted) for folder, wanted in folders.items())):
            found |= each
        return {document: about for document, about in found.items() if about != About()}

    async def _in(self, folder: str, wanted: frozenset[str]) -> dict[str, About]:
        async with self._cloud.acts() as token:
            found = await self._cloud.find(token, folder)
            entries = await self._cloud.gateway.list(token, Reference(found.resource.id), keys=KEYS)
            return {each.id.document: _said(each) for each in entries if each.id.document in wanted}

    async def _look(self, token: str, document: str) -> Resource:
        return await self._cloud.gateway.stat(token, Reference(await self._cloud.resource(document)), keys=KEYS)

    async def _say(self, token: str, resource: Resource, known: About, said: About) -> None:
        cloud, ref = self._cloud, Reference(resource.id)
        lock = cloud.locks.key(resource.id, resource.lock)
        now, former = _values(said), _values(known)
        new = {key: value for key, value in now.items() if former.get(key) != value}
        gone = [key for key in former if key not in now]
        if new:
            await cloud.gateway.set_metadata(token, ref, new, lock=lock)
        if gone:
            await cloud.gateway.unset_metadata(token, ref, gone, lock=lock)

    def _lacks(self, resource: Resource) -> Unsupported:
        """Nothing is kept in this part of the cloud."""
        self._lacking[_space(resource)] = self._timer() + TRIED
        while len(self._lacking) > REMEMBERED:
            self._lacking.popitem(last=False)
        return Unsupported(_LACKING)


def _space(resource: Resource) -> tuple[str, str]:
    return resource.id.storage, resource.id.space


def _values(about: About) -> dict[str, str]:
    """What is under which key; nothing where there is nothing to say."""
    told = {TAGS: ",".join(about.tags), SAID: about.description}
    return {key: value for key, value in told.items() if value}


def _said(resource: Resource) -> About:
    """As it is there, whoever wrote it: what we would not take is cut or left out."""
    tags: list[str] = []
    for each in resource.metadata.get(TAGS, "").split(","):
        with suppress(Malformed):
            tags = [*tags_of([*tags, each])]
    description = resource.metadata.get(SAID, "")[:DESCRIPTION]
    try:
        return About(tuple(tags), description_of(description))
    except Malformed:
        return About(tuple(tags))
