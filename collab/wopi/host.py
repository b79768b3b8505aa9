"""The WOPI host: what an office suite may do with a file, on the same rooms and files as everybody.

Each operation takes the pass that the token was, and answers with plain values; what is refused says so with `collab.wopi.refusals` and the errors of
`Documents`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit
from weakref import WeakValueDictionary

from collab.access import Role
from collab.errors import Changed, CollabError, Conflict, Exists, Forbidden, Malformed, NotFound, NotText, TooLarge, Unauthorized
from collab.ports import Lock, OfficeState, Stat
from collab.runtime.documents import Held
from collab.runtime.rights import require_moving
from collab.wopi import claiming, locks, names, states
from collab.wopi.addresses import key_of, with_token
from collab.wopi.incoming import Incoming
from collab.wopi.info import SHARES, Facts, Product, check_file_info
from collab.wopi.locks import Answer, Holder, Operation, decide, holder_of
from collab.wopi.refusals import BadName, LockMismatch, NameTaken, NotOffered, OutOfStep, OverExpected, Refused
from collab.wopi.tokens import DOWNLOAD, Pass, seal, unseal

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence

    from collab.access import Grant
    from collab.ports import Authors, Claim, Draft, Locks, OfficeStates, Reader, Rights, UserInfos, Within
    from collab.runtime.bin import Trash
    from collab.runtime.documents import Documents
    from collab.wopi.addresses import Addresses
    from collab.wopi.claiming import Claiming
    from collab.wopi.incoming import Body
    from collab.wopi.live import Live

log = logging.getLogger("collab.wopi")

DIGEST: Final = 64
"""Characters of an etag that is a hash."""
FILE_URL_SECONDS: Final = 600.0
"""How long an address lives that gives a file's bytes to whoever has it."""
USER_INFO: Final = 1024
"""Characters of PutUserInfo."""
OWNER: Final = "owner"
"""The id of the person to whom all files belong: who runs the server."""
REMEMBERED: Final = 4096
"""Documents of which it is known what was put last."""
ACTIVITY_UNSUPPORTED: Final = 3
"""AddActivities: the host does nothing with this. The operation is offered all the same, since each activity has an answer of its own."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the host stands on. `now` gives UTC seconds since the epoch."""

    documents: Documents
    rights: Rights
    view_only: Callable[[Grant], Awaitable[bool]]
    """Whether whoever has this grant was let in to look only."""
    trash: Trash
    live: Live
    locks: Locks
    claiming: Claiming
    states: OfficeStates
    infos: UserInfos
    authors: Authors
    addresses: Callable[[], Addresses]
    """Where things are; the port may be known only when the server listens."""
    keep: Callable[[Stat, bytes | Draft, str, Pass], Awaitable[str]]
    """Keep a body that cannot be taken beside the file, for this reason; the path of the copy."""
    product: Callable[[str], Product]
    """What a suite is, by its name in the settings."""
    secret: bytes
    now: Callable[[], float]
    over: Callable[[str], bool]
    """Whether the session or grant of this id counts no more."""
    containers: bool
    """Whether folders are served."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file as a suite gets it."""

    reader: Reader
    """To be closed by whoever gets it."""
    version: str


@dataclass(frozen=True, slots=True)
class Put:
    """A body that is stored."""

    stat: Stat
    version: str
    modified: str


@dataclass(frozen=True, slots=True)
class Locked:
    """How the lock stands after the operation; empty: nobody has it, or whoever asks may only read."""

    lock: str
    version: str


class WopiHost:
    """The operations on files."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._incoming = Incoming(surroundings.documents, surroundings.live.covers)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lately: dict[str, Stat] = {}
        """Documents as their last bodies left them."""

    # --- passes

    def admit(self, token: str, target: str | None, *, audience: str | None = None) -> Pass:
        """The pass for this file or folder, None: for any. Unauthorized for a token that is none, or whose session is over; NotFound for another target's."""
        granted = unseal(token, self._around.secret, now=self._around.now(), **({} if audience is None else {"audience": audience}))
        if granted.session and self._around.over(granted.session):
            raise Unauthorized("the session that this token came from is over: open the document again")
        if target is not None and granted.target != target:
            raise NotFound("this token is for another file")
        return granted

    def token(self, granted: Pass, target: str) -> str:
        """A token for another target of the same person: what this one allows, until the same time."""
        return seal(replace(granted, target=target), self._around.secret, now=self._around.now())

    @property
    def addresses(self) -> Addresses:
        """Where things are."""
        return self._around.addresses()

    def file_pointer(self, granted: Pass, stat: Stat) -> dict[str, object]:
        """Name and address of a file, as suites are told them."""
        return {"Name": _name(stat), "Url": with_token(self.addresses.file(stat.id), self.token(granted, stat.id))}

    def pages(self, granted: Pass, stat: Stat) -> dict[str, object]:
        """Where people open a file in this suite."""
        return {"HostViewUrl": self._page(granted, stat, "view"), "HostEditUrl": self._page(granted, stat, "edit")}

    async def dated(self, stat: Stat) -> dict[str, object]:
        """Version and time of a file in a list, as CheckFileInfo would tell them."""
        around = self._around
        # A list does not hash what is large.
        now = stat if len(stat.etag) == DIGEST else await around.documents.find(stat.id)
        known = await around.states.get(now.id)
        locked = known is not None and known.etag != now.etag and await self._held(now.id) is not None
        told = states.seen(known, now.etag, now.modified, locked=locked, live=around.live.covers(now))
        return {"Version": states.word(told), "LastModifiedTime": states.time_of(told.modified)}

    async def held(self, document: str) -> str:
        """The id of the lock that stands, or the empty string."""
        return _id(await self._held(document))

    @property
    def containers(self) -> bool:
        """Whether folders are served."""
        return self._around.containers

    # --- what is told

    async def check_file_info(self, granted: Pass) -> dict[str, object]:
        """CheckFileInfo."""
        around, stat = self._around, await self._file(granted)
        self._heard(granted, stat)
        told, info = await self._told(stat), await around.infos.get(granted.person.id)
        role = await self._role(granted, stat)
        writes = role >= Role.EDITOR
        view_only = await around.view_only(granted.grant)
        public = self.addresses.public
        facts = Facts(
            stat=stat,
            state=told,
            person=granted.person,
            owner=_shown(OWNER),
            user=_shown(granted.person.id),
            writes=writes,
            owns=(role if granted.shared else granted.role) >= Role.OWNER,
            relative=self._relative(granted, stat),
            containers=self.serves_folders(granted),
            live=around.live.covers(stat),
            info=info,
            origin=_origin(public),
            edit_url=self._page(granted, stat, "edit"),
            view_url=self._page(granted, stat, "view"),
            close_url=f"{public}/",
            folder_url=self.addresses.folder(stat.path.rpartition("/")[0]) if granted.scope is None else "",
            download_url="" if view_only else f"{public}/api/documents/{quote(stat.id, safe=':')}/content",
            file_url="" if view_only else self._file_url(granted, stat),
            view_only=view_only,
        )
        return check_file_info(facts, around.product(granted.suite))

    def serves_folders(self, granted: Pass) -> bool:
        """Whether this pass reaches folders: those of one document do not."""
        return self._around.containers and granted.scope is None

    async def get_file(self, granted: Pass, *, most: int | None = None) -> Given:
        """GetFile; OverExpected above `most` bytes."""
        given = await self._give(granted, most)
        self._heard(granted, given.reader.stat)
        return given

    async def get_bytes(self, signed: str, target: str) -> Given:
        """The current bytes, for whoever has the address that CheckFileInfo told."""
        granted = self.admit(signed, target, audience=DOWNLOAD)
        if await self._around.view_only(granted.grant):
            raise Forbidden("this was opened to be looked at only")
        return await self._give(granted)

    def _heard(self, granted: Pass, stat: Stat) -> None:
        """Who types in it sees who has it open in a suite."""
        if self._around.live.covers(stat):
            self._around.live.heard(stat.id, granted.person, granted.suite)

    async def _give(self, granted: Pass, most: int | None = None) -> Given:
        around, document = self._around, granted.target
        reader = await around.documents.open(document)
        try:
            await self._role(granted, reader.stat)
            if not around.live.covers(reader.stat):
                _check_expected(reader.stat, most)
                return Given(reader, states.word(await self._told(reader.stat)))
        except BaseException:
            reader.close()
            raise
        reader.close()
        now, body = await around.live.give(document)
        _check_expected(now, most)
        return Given(Held(now, body), states.word(await self._told(now)))

    def _file_url(self, granted: Pass, stat: Stat) -> str:
        now = self._around.now()
        short = Pass(
            granted.person,
            Role.VIEWER,
            stat.id,
            min(granted.expires, now + FILE_URL_SECONDS),
            session=granted.session,
            suite=granted.suite,
            shared=granted.shared,
        )
        signed = seal(short, self._around.secret, now=now, audience=DOWNLOAD)
        return f"{self.addresses.base}/wopi/file-url/{key_of(stat.id)}/{signed}"

    def _page(self, granted: Pass, stat: Stat, action: str) -> str:
        asked = urlencode({"suite": granted.suite, "action": action} if granted.suite else {"action": action})
        return f"{self.addresses.public}/office/{quote(stat.id, safe=':')}?{asked}"

    # --- locks

    async def lock(self, granted: Pass, operation: Operation, given: str, old: str = "") -> Locked:
        """Lock, UnlockAndRelock (`old`), RefreshLock, Unlock, GetLock. LockMismatch, Malformed."""
        stat = await self._file(granted)
        role = await self._role(granted, stat) if granted.shared and operation is not Operation.UNLOCK else granted.role
        if operation is Operation.GET:
            held = await self._held(stat.id)
            return Locked("" if held is None else held.id, states.word(await self._told(stat)))
        compared = locks.check(old if operation is Operation.RELOCK else given)
        lock = Lock(locks.NAME, locks.check(given), Holder(granted.suite, granted.person.name).sealed(), locks.SECONDS)
        if role < Role.EDITOR:
            # Some suites lock in sessions that only read, too, and take a refusal for a fault.
            return Locked("", states.word(await self._told(stat)))
        async with self._around.claiming.turn(stat.id):
            return await self._locked(granted, operation, stat, lock, compared)

    async def _locked(self, granted: Pass, operation: Operation, stat: Stat, lock: Lock, compared: str) -> Locked:
        held = await self._held(stat.id)
        answer = decide(operation, _id(held), compared)
        if answer is Answer.TAKE and held is None and await self._role(granted, stat) < Role.EDITOR:
            return Locked("", states.word(await self._told(stat)))
        # What the suite goes on from is known before the lock stands: it is what CheckFileInfo told, whatever was typed since.
        told = await self._told(stat, locked=True)
        if answer is Answer.TAKE:
            await self._claim(granted, stat, again=held is not None)
        if answer is not Answer.REFUSE:
            held = await self._change(answer, stat.id, lock, compared)
            if held is None:
                await self._around.claiming.leave(stat.id)
            if (held is None) == (answer is Answer.FREE) and (held is None or held.id == lock.id):
                await self._followed(granted, operation, stat)
                return Locked(_id(held), states.word(told))
        raise _mismatch(held)

    async def _claim(self, granted: Pass, stat: Stat, *, again: bool) -> None:
        """What nobody merges is one application's at a time, also for those outside. LockMismatch; not for a lock that stands already."""
        if self._around.live.covers(stat):
            return
        other = await self._around.claiming.take(stat.id, Holder(granted.suite, granted.person.name))
        if other is not None and not again:
            raise LockMismatch("", claiming.words(other))

    async def unclaimed(self, document: str, held: str = "") -> None:
        """LockMismatch while somebody outside has the document open."""
        _check_unclaimed(await self._around.claiming.outside(document), held)

    async def _change(self, answer: Answer, document: str, lock: Lock, compared: str) -> Lock | None:
        """One step of the archive, and what stands after it: somebody may have come between."""
        kept = self._around.locks
        if answer is Answer.TAKE:
            return await kept.acquire(document, lock)
        if answer is Answer.SWAP:
            return await kept.replace(document, lock, compared)
        if answer is Answer.EXTEND:
            return await kept.refresh(document, lock)
        return await kept.release(document, lock.name, compared)

    async def _followed(self, granted: Pass, operation: Operation, stat: Stat) -> None:
        """What follows in the room. The lock is what it says whatever becomes of that."""
        live = self._around.live
        if not live.covers(stat):
            return
        if operation is not Operation.UNLOCK:
            live.locked(stat.id, granted.person, granted.suite)
            return
        live.left(stat.id, granted.suite)
        try:
            await live.unlocked(stat.id)
        except CollabError as error:
            log.warning("%s: it is not noted that it was unlocked: %s", stat.id, error.detail)

    async def _held(self, document: str) -> Lock | None:
        return await self._around.locks.get(document, locks.NAME)

    async def _allowed(self, operation: Operation, stat: Stat, given: str) -> Lock | None:
        """The lock that stands, when it lets the operation through. LockMismatch."""
        held = await self._held(stat.id)
        answer = decide(operation, _id(held), given)
        if answer is Answer.ONLY_EMPTY and stat.size:
            raise LockMismatch("", "the document is not locked: it takes a body without a lock only while it is empty")
        if answer is Answer.REFUSE:
            raise _mismatch(held)
        return held

    # --- changes

    async def put_file(self, granted: Pass, body: AsyncIterable[bytes], *, given: str, timestamp: str = "") -> Put:
        """PutFile. What cannot be taken is kept beside the file before it is refused: LockMismatch, OutOfStep, TooLarge and others.

        `given` is the lock's id, `timestamp` the LastModifiedTime that the suite knows, both empty when it does not say.
        """
        if granted.role < Role.EDITOR:
            raise NotFound("this token opens the document for reading only")
        if granted.shared:
            # Whom it is not shared with any more leaves nothing here, not even a copy beside it.
            await self._role(granted, await self._there(granted))
        async with self._incoming.received(body, lambda: self._there(granted)) as came, self._turn(granted.target):
            put = await self._put_again(granted, came, given, timestamp)
            if put is not None:
                return put
            try:
                stat, outside = await self._around.claiming.find(granted.target)
            except NotFound:
                await self._around.keep(await self._lost(granted), came.kept, "the document was deleted", granted)
                raise
            stat = await self._around.documents.seen(stat)
            try:
                held = await self._allowed(Operation.PUT, stat, given)
                await self._check_writes(granted, stat)
                if self._around.live.covers(stat):
                    return await self._put_live(stat, came.text, granted)
                _check_unclaimed(outside, _id(held))
                async with self._incoming.draft(stat, came) as draft:
                    return await self._put_plain(stat, draft, granted, timestamp, _id(held))
            except (LockMismatch, OutOfStep, NotText, TooLarge, Changed, Conflict, Forbidden) as error:
                await self._around.keep(stat, came.kept, error.detail, granted)
                raise

    async def _put_again(self, granted: Pass, came: Body, given: str, timestamp: str) -> Put | None:
        """A body that follows another one, so that the file need not be looked at before: whether it is still that is seen when it is replaced. None: it is
        not, or something else is in the way, and nothing was done.
        """
        stat = self._lately.pop(granted.target, None)
        if stat is None or self._around.live.covers(stat):
            return None
        try:
            held = await self._allowed(Operation.PUT, stat, given)
            await self._check_writes(granted, stat)
            async with self._incoming.draft(stat, came) as draft:
                return await self._put_plain(stat, draft, granted, timestamp, _id(held))
        except (CollabError, Refused):
            return None

    async def _there(self, granted: Pass) -> Stat:
        """The document, also one that was deleted while it was open. NotFound."""
        try:
            return await self._file(granted)
        except NotFound:
            return await self._lost(granted)

    async def _lost(self, granted: Pass) -> Stat:
        """What was deleted while it was open: what comes now is kept where it was. NotFound."""
        for entry in await self._around.trash.entries():
            if granted.target in entry.documents:
                return Stat(granted.target, entry.path, entry.type, 0, "", 0.0, writable=False)
        raise NotFound("the document was deleted")

    async def _put_live(self, stat: Stat, body: bytes, granted: Pass) -> Put:
        self._heard(granted, stat)
        known = await self._told(stat)
        after = await self._around.live.put(stat.id, body, granted.person)
        digest = sha256(body).hexdigest()
        while True:
            told = states.merged(known, after.etag, digest, self._around.now())
            stands = await self._around.states.put(stat.id, told, before=known)
            if stands == told:
                return _put(after, told)
            known = stands

    async def _put_plain(self, stat: Stat, body: Draft, granted: Pass, timestamp: str, held: str) -> Put:
        around, known = self._around, await self._known(stat)
        told = states.seen(known, stat.etag, stat.modified, locked=True, live=False)
        overwrites = not timestamp and around.product(granted.suite) is Product.COLLABORA
        if not overwrites and not self._read(known, told, timestamp, held) and body.hash != stat.etag:
            raise OutOfStep("the document was changed by somebody else since the office suite read it", held)
        now = around.now()
        announced: list[OfficeState] = []

        def coming() -> OfficeState:
            if not announced:
                announced.append(states.announced(told, body.hash, now, before=stat.etag, lock=held))
            return announced[0]

        async def replaced(put: Within) -> Stat:
            def first(found: Stat, outside: Claim | None) -> None:
                _check_unclaimed(outside, held)
                if found != stat:
                    raise Changed("the document was changed by somebody else at the same moment")
                # Known before the body is in its place: after a crash in between it is the suite's own, and not taken for another's.
                put(coming())

            return await around.documents.put_draft(stat.id, body, if_match=stat.etag, first=first)

        try:
            after = await around.states.put_within(stat.id, before=known, act=replaced)
        except (CollabError, Refused):
            await around.states.put(stat.id, known, before=coming())
            raise
        state = coming()
        if after.etag != state.put:
            # A storage, or a size, whose etags cannot be foreseen.
            final = replace(state, etag=after.etag)
            await self._must_put(stat.id, final, before=state)
            state = final
        self._remember(after)
        return _put(after, state)

    def _remember(self, stat: Stat) -> None:
        self._lately.pop(stat.id, None)
        self._lately[stat.id] = stat
        if len(self._lately) > REMEMBERED:
            del self._lately[next(iter(self._lately))]

    @staticmethod
    def _read(known: OfficeState, told: OfficeState, timestamp: str, held: str) -> bool:
        """Whether the suite has read what is in the file. Who says of what time that was, is taken at the word: under a lock, too, it may read again."""
        if timestamp and states.same_time(timestamp, states.time_of(told.modified)):
            return True
        return told.etag in states.expected(known) and (not timestamp or states.unanswered(known, timestamp, held))

    async def _must_put(self, document: str, state: OfficeState, *, before: OfficeState) -> None:
        if await self._around.states.put(document, state, before=before) != state:
            raise Changed("the document was saved by somebody else at the same moment")

    async def put_relative(
        self, granted: Pass, body: AsyncIterable[bytes], *, suggested: str, relative: str, overwrite: bool
    ) -> dict[str, object]:
        """PutRelativeFile; one of the two headers has a name, in UTF-7. NotOffered, BadName, NameTaken."""
        stat = await self._seen(granted)
        if not self._relative(granted, stat):
            raise NotOffered("this token makes no new files")
        if bool(suggested) == bool(relative):
            raise Malformed("send either X-WOPI-SuggestedTarget or X-WOPI-RelativeTarget")
        folder = stat.path.rpartition("/")[0]
        if suggested:
            made = await self._make(folder, names.suggested(wanted(suggested), _name(stat)), body)
        else:
            made = await self._exactly(granted, folder, wanted(relative), body, overwrite=overwrite)
        return {
            **self.file_pointer(granted, made),
            **self.pages(granted, made),
        }

    async def beside(self, granted: Pass, relative: str) -> str:
        """The id of the document of this name, as a header has it, beside the pass's; empty for none."""
        try:
            stat = await self._file(granted)
            return (await self._around.documents.find(_path(stat.path.rpartition("/")[0], wanted(relative)))).id
        except (CollabError, BadName):
            return ""

    async def _make(self, folder: str, tried: Iterator[str], body: AsyncIterable[bytes]) -> Stat:
        async with self._incoming.drafted(folder, body) as draft:
            for name in tried:
                try:
                    return await draft.create(_path(folder, names.check(name)))
                except Exists:
                    continue
        raise BadName(Malformed("there are too many files of this name already"))

    async def _exactly(self, granted: Pass, folder: str, name: str, body: AsyncIterable[bytes], *, overwrite: bool) -> Stat:
        path = _path(folder, _checked(name))
        try:
            there = await self._around.documents.find(path)
        except Malformed as error:
            raise BadName(error) from error
        except NotFound:
            async with self._incoming.drafted(folder, body) as draft:
                return await self._new(draft, folder, name)
        if there.folder or not overwrite:
            raise await self._taken(folder, name)
        async with self._incoming.received(body, partial(self._around.documents.find, there.id)) as came, self._turn(there.id):
            there = await self._around.documents.find(there.id)
            held = await self._held(there.id)
            if decide(Operation.OVERWRITE, _id(held), "") is Answer.REFUSE:
                raise _mismatch(held)
            if self._around.live.covers(there):
                # It was made of something else: it takes the place of what is there.
                return (await self._around.documents.put(there.id, came.text, if_match="*", writer=granted.person))[0]
            await self.unclaimed(there.id)
            async with self._incoming.draft(there, came) as draft:
                return await self._around.documents.put_draft(there.id, draft, if_match=there.etag)

    async def _new(self, draft: Draft, folder: str, name: str) -> Stat:
        try:
            return await draft.create(_path(folder, name))
        except Malformed as error:
            raise BadName(error) from error
        except Exists:
            raise await self._taken(folder, name) from None

    async def _taken(self, folder: str, name: str) -> NameTaken:
        return NameTaken(f"there is something of this name: {name}", await self._free(folder, name))

    async def _free(self, folder: str, name: str) -> str:
        for each in names.variants(name):
            try:
                await self._around.documents.find(_path(folder, each))
            except NotFound:
                return each
        return name

    async def rename(self, granted: Pass, wanted_name: str, given: str) -> str:
        """RenameFile: the new name, without extension. LockMismatch, also while somebody outside has the document open; BadName."""
        stat = await self._changeable(granted)
        await self._check_moves(granted, stat)
        held = await self._allowed(Operation.RENAME, stat, given)
        # Who has it open outside would save it under the name that it had.
        await self.unclaimed(stat.id, _id(held))
        folder, extension = stat.path.rpartition("/")[0], names.split(_name(stat))[1]
        stem = _checked(wanted(wanted_name))
        for name in names.variants(stem + extension):
            if name == _name(stat):
                return names.split(name)[0] if extension else name
            try:
                moved = await self._around.documents.move(stat.id, _path(folder, name), if_match="*")
            except Exists:
                continue
            except Malformed as error:
                raise BadName(error) from error
            await self._around.claiming.follow(moved.id)
            return names.split(_name(moved))[0] if extension else _name(moved)
        raise BadName(Malformed("there are too many files of this name already"))

    async def delete(self, granted: Pass) -> Stat:
        """DeleteFile: it goes into the bin. LockMismatch, as for RenameFile."""
        stat = await self._changeable(granted)
        await self._check_moves(granted, stat)
        await self._allowed(Operation.DELETE, stat, "")
        await self.unclaimed(stat.id)
        await self._around.trash.discard(stat.id, if_match="*", by=granted.person.name)
        return stat

    # --- the rest

    async def put_user_info(self, granted: Pass, info: bytes) -> None:
        """PutUserInfo. Malformed over 1024 characters, or other than ASCII."""
        await self._seen(granted)
        if len(info) > USER_INFO or not info.isascii():
            raise Malformed(f"the information about a user has at most {USER_INFO} ASCII characters")
        # So that whoever erases the person finds it by name.
        await self._around.authors.meet({granted.person.id: granted.person.name})
        await self._around.infos.put(granted.person.id, info.decode("ascii"))

    async def share_url(self, granted: Pass, kind: str) -> str:
        """GetShareUrl. NotOffered for another type than `ReadOnly` and `ReadWrite`."""
        stat = await self._seen(granted)
        if kind not in SHARES:
            raise NotOffered(f"there are addresses of the types {' and '.join(SHARES)}")
        return self._page(granted, stat, "view" if kind == "ReadOnly" else "edit")

    async def ecosystem(self, granted: Pass) -> str:
        """The address of the ecosystem. NotFound for a pass of one document only."""
        stat = await self._seen(granted)
        if not self.serves_folders(granted):
            raise NotFound("folders are not served here")
        return with_token(self.addresses.ecosystem, self.token(granted, stat.id))

    async def activities(self, granted: Pass, listed: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """AddActivities: one answer each, in order. Nobody is told of comments here, and that is said. Malformed."""
        await self._seen(granted)
        ids = [each.get("Id") for each in listed]
        if any(not isinstance(each, str) for each in ids):
            raise Malformed("each activity has an Id, a string")
        return [{"Id": each, "Status": ACTIVITY_UNSUPPORTED, "Message": "The host keeps no activities."} for each in ids]

    # --- what they share

    async def _file(self, granted: Pass) -> Stat:
        stat = await self._around.documents.find(granted.target)
        if stat.folder:
            raise NotFound("this is a folder")
        return stat

    async def _seen(self, granted: Pass) -> Stat:
        """The file, for whom it is still shared with. Forbidden."""
        stat = await self._file(granted)
        if granted.shared:
            await self._role(granted, stat)
        return stat

    async def _check_moves(self, granted: Pass, stat: Stat) -> None:
        """Forbidden for whom the file was shared with, but not its place."""
        if granted.shared:
            await require_moving(self._around.rights, granted.grant, stat)

    async def _role(self, granted: Pass, stat: Stat) -> Role:
        """What the person may do with it now, as far as the pass goes. Forbidden, Unauthorized."""
        return await self._around.rights.role(granted.grant, stat)

    async def _check_writes(self, granted: Pass, stat: Stat) -> None:
        """Forbidden for whose right was taken away since the pass was made; what the storage lets nobody write, it refuses itself."""
        if await self._role(granted, stat) < Role.EDITOR and stat.writable:
            raise Forbidden("you may only read this document now")

    async def _changeable(self, granted: Pass) -> Stat:
        stat = await self._file(granted)
        if await self._role(granted, stat) < Role.EDITOR:
            raise NotFound("this token may not change the file")
        return stat

    def _relative(self, granted: Pass, stat: Stat) -> bool:
        """Whether this pass makes files beside this one."""
        return granted.relative and granted.scope is None and granted.role >= Role.EDITOR and stat.id == granted.target

    async def _told(self, stat: Stat, *, locked: bool = False) -> OfficeState:
        """What the suite is told of the document now, and remembers of it; `locked`: as under a lock that is just being taken."""
        around = self._around
        while True:
            known = await around.states.get(stat.id)
            if known is not None and known.etag == stat.etag:
                return known
            live = around.live.covers(stat)
            held = (locked and live) or (known is not None and await self._held(stat.id) is not None)
            told = states.seen(known, stat.etag, stat.modified, locked=held, live=live)
            if not states.kept(known, told, locked=held, live=live):
                return told
            if await around.states.put(stat.id, told, before=known) == told:
                return told

    async def _known(self, stat: Stat) -> OfficeState:
        """What is remembered of the document: under a lock what its suite goes on from."""
        told = await self._told(stat)
        return await self._around.states.get(stat.id) or told

    def _turn(self, document: str) -> asyncio.Lock:
        """Bodies of one document are taken one after the other."""
        return self._turns.get(document) or self._turns.setdefault(document, asyncio.Lock())


def wanted(header: str) -> str:
    """The name that a header asks for. BadName."""
    try:
        return names.from_header(header)
    except Malformed as error:
        raise BadName(error) from error


def _checked(name: str) -> str:
    try:
        return names.check(name)
    except Malformed as error:
        raise BadName(error) from error


def _mismatch(held: Lock | None) -> LockMismatch:
    if held is None:
        return LockMismatch("", "the document is not locked")
    return LockMismatch(held.id, holder_of(held.holder).words)


def _check_unclaimed(outside: Claim | None, held: str) -> None:
    """LockMismatch while somebody outside has the document open: what we wrote now, that application would write over, unread."""
    if outside is not None:
        raise LockMismatch(held, claiming.words(outside))


def _id(held: Lock | None) -> str:
    return "" if held is None else held.id


def _put(stat: Stat, state: OfficeState) -> Put:
    return Put(stat, states.word(state), states.time_of(state.modified))


def _check_expected(stat: Stat, most: int | None) -> None:
    if most is not None and stat.size > most:
        raise OverExpected(f"the file has {stat.size} bytes; at most {most} are wanted")


def _shown(person: str) -> str:
    """What tells people apart for suites, which show it: letters and digits, and not the id itself."""
    return sha256(b"collab:wopi:person\0" + person.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _name(stat: Stat) -> str:
    return stat.path.rpartition("/")[2]


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
