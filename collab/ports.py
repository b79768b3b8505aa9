"""What is needed from outside: the storage (`Files`, `Folders`, `Bin`, `Watch`), the `Journal` (the hot log), the archive (`Bases`, `Checkpoints`,
`Versions`, `Authors`, `Links`, `Shares`, `Locks`, `Metadata`): what is kept for long, and with several nodes the `Placement`. Every error that may be raised is named.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collab.about import About, Change
    from collab.access import Grant, Role, Share

T = TypeVar("T")

Meta = Mapping[str, object]
"""A JSON object."""
First: TypeAlias = "Callable[[Stat, Claim | None], None]"
"""What has a last word before a file is replaced (`Draft.replace`)."""
Within: TypeAlias = "Callable[[OfficeState], None]"
"""What is put within something else (`OfficeStates.put_within`)."""


@dataclass(frozen=True, slots=True)
class Stat:
    """One file or folder of the storage. `path` is relative to the root, `/` between parts, no leading slash, as stored."""

    id: str
    """`id:` and 26 lower-case letters; survives renames. Folders have the empty string."""
    path: str
    type: str
    """Media type; `inode/directory` for a folder."""
    size: int
    etag: str
    """Lower-case hex SHA-256 of the content; for files over the hashing limit a weaker opaque word. Empty for folders."""
    modified: float
    """UTC seconds since the epoch."""
    writable: bool = True
    folder: bool = False


class Displaced(Protocol):
    """What a write found in the place of the file (CASES: the local write is an exchange, then a look)."""

    @property
    def body(self) -> bytes:
        """The bytes that were displaced, read after the exchange."""

    async def reread(self) -> bytes | None:
        """The displaced inode read again: new bytes when an in-place writer still held it, else None. Never raises."""

    async def discard(self) -> None:
        """Drop the displaced bytes for good: what they say is merged and in the journal. Idempotent, never raises."""

    def leave(self) -> None:
        """Nobody here looks after the displaced bytes any more: whoever reads the document next, finds them beside it. Idempotent."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file as read. `leftovers` are displaced bodies of writes that a crash cut off before `discard`."""

    stat: Stat
    body: bytes
    leftovers: tuple[Displaced, ...] = ()
    traces: bool = True
    """A write that was made leaves what it displaced, until that is discarded: where there is no leftover, none was made. False: nobody can tell."""


@dataclass(frozen=True, slots=True)
class Written:
    """A write that is durable in the storage; `displaced` is None for a new file, and where a storage compares by itself and keeps versions."""

    stat: Stat
    displaced: Displaced | None = None
    replaced: bool = False
    """`displaced` had been in the file when it was replaced: the storage could not prevent that."""


Piece: TypeAlias = bytes | memoryview
"""Bytes that lie somewhere."""


class Line(Protocol):
    """Where many bytes go."""

    @property
    def full(self) -> bool:
        """It takes nothing just now."""

    @property
    def lost(self) -> bool:
        """It takes nothing any more."""

    def soon(self) -> bool:
        """Whether it takes more in a moment, for which this blocks."""

    def send(self, piece: Piece) -> int:
        """How many bytes of the piece it takes, at once; they are copied. Never blocks. Raises OSError when the piece cannot be read."""


class Reader(Protocol):
    """A file that is open for reading, whatever becomes of its name meanwhile."""

    @property
    def stat(self) -> Stat:
        """As the file was when it was opened: size and etag are those of the bytes that are read."""

    async def read(self, start: int, size: int) -> bytes:
        """So many bytes from an offset, fewer only at the end. `Changed`: somebody wrote into the file since it was opened, so its pieces are no whole
        any more. Also raises `Unavailable`.
        """

    async def give(self, line: Line, start: int, size: int) -> int:
        """Send so many bytes from an offset, as many of them as go at once, and how many that were. The last of them go only when the file is found
        unchanged after all before were read: `Changed`, as above.
        """

    def close(self) -> None:
        """Let it go. Idempotent, never raises."""


class Former(Protocol):
    """The file whose place a draft took, unread, while a program that had opened it may still write into it."""

    async def end(self) -> bool:
        """Drop it, unless somebody has written into it since: then it stays beside the file, hidden. Whether it stayed. Idempotent, never raises."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A draft that is in its place, durable; `former` is None when nobody can have anything more to say in what was there."""

    stat: Stat
    former: Former | None = None


class Draft(Protocol):
    """A body that comes in pieces: on the storage, hidden, and no document yet. Who begins one ends it with `discard`, whatever became of it."""

    @property
    def size(self) -> int:
        """Bytes so far."""

    @property
    def hash(self) -> str:
        """Lower-case hex SHA-256 of the bytes so far; for a body of any size once it is in its place, before that for small ones."""

    async def add(self, piece: bytes) -> None:
        """One more piece, not before the last one was taken. Raises `Denied`, `NotFound` (the folder is gone), `Unavailable` (disk full, quota)."""

    async def replace(self, name: str, *, if_match: str, first: First | None = None) -> Replaced:
        """Take the place of the file with this etag, and of nothing else: `Changed` also when somebody else wrote at the last moment, whose file then
        stands. Other errors as `Files.write`. After any error the draft is what it was.

        `first` is called once when the file is the expected one, right before its place is taken: with the file as it is, and who has it open in an
        application outside. That may be on any thread, where it may block. What it raises ends it, and nothing was changed.
        """

    async def create(self, path: str) -> Stat:
        """Become a new file at a free path; parents must exist. Errors as `Files.write`; after any error the draft is what it was."""

    async def discard(self) -> None:
        """Nothing is left of what did not become a file. Idempotent, never raises."""


class Files(Protocol):
    """Files by id or path. All raise `Malformed` (a name that can't be one), `NotFound`, `Denied`, `Unavailable`.

    A *name* is a path under the root or an id, raw (never percent-decoded here), matched byte for byte.
    """

    async def stat(self, name: str) -> Stat:
        """What the name stands for now. The root itself is the empty path."""

    async def read(self, name: str, *, limit: int) -> Content:
        """The whole file. Also raises `TooLarge` over `limit` bytes."""

    async def write(self, name: str, body: bytes, *, if_match: str | None) -> Written:
        """Replace the file if its etag is `if_match`, else `Changed` (also when it is gone: `NotFound`).

        With `if_match=None` the file is created at the path `name`, parents must exist; `Exists` when there is one.
        Also raises `TooLarge` (quota, disk full, file size limit: `Unavailable`).
        """

    async def reader(self, name: str) -> Reader:
        """The file, open: for what is too large to be held, and for what nobody merges, so leftovers are not looked for."""

    async def draft(self, name: str) -> Draft:
        """A body for the document of this name, or for a new one at this free path or in this folder: there it waits.

        What is wrong with that is said here, or by `Draft.add`, or at the latest when it is to become a file.
        """

    async def list(self, path: str) -> list[Stat]:
        """The entries of a folder, sorted by name; no hidden files, no links, no special files."""

    async def move(self, name: str, path: str, *, if_match: str | None) -> Stat:
        """Rename or move to a free `path`; the id stays. Raises `Exists`, `Changed`."""

    async def delete(self, name: str, *, if_match: str | None) -> None:
        """Remove the file. Raises `Changed`."""


class Folders(Protocol):
    """The folders that hold the files. All raise `Malformed`, `NotFound`, `Denied`, `Unavailable`, as `Files`, and `Exists`."""

    async def make(self, path: str) -> Stat:
        """An empty folder; the one around it must exist."""

    async def move(self, path: str, to: str) -> Stat:
        """Rename or move a folder with all in it to the free path `to`; ids stay. Also `Malformed` when `to` is inside it."""

    async def identify(self, paths: Sequence[str]) -> list[str]:
        """The ids of folders, in order: `id:` and 26 letters, the root's is empty. They survive renames, also those made outside."""

    async def find(self, folder: str) -> Stat:
        """The folder with this id, where it is now; its `Stat` has no id. What is in the bin is `NotFound`."""


@dataclass(frozen=True, slots=True)
class Binned:
    """What was deleted and can come back: one file, or a folder with all in it."""

    key: str
    path: str
    """Where it was."""
    type: str
    size: int
    """Bytes; 0 for a folder."""
    deleted: float
    """UTC seconds since the epoch."""
    by: str
    """The name of who deleted it."""
    documents: tuple[str, ...] = ()
    """The ids that are in it; they stay its own."""

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.type == "inode/directory"


class Bin(Protocol):
    """Where deleted files and folders wait. All raise `Denied`, `Unavailable`; what is in the bin is `NotFound` for `Files`."""

    async def discard(self, name: str, *, if_match: str | None, by: str, now: float) -> Binned:
        """Move a file, or a folder (by its path, with `if_match=None`), into the bin, in one step. Raises `Malformed`, `NotFound`, `Changed`."""

    async def entries(self) -> list[Binned]:
        """What is there and can be restored, newest first."""

    async def restore(self, key: str, path: str | None) -> Stat:
        """Back to where it was, or to `path`; missing folders around it are made. Ids are as before. `NotFound`, `Malformed`, `Exists`."""

    async def purge(self, key: str) -> list[str]:
        """Gone for good; gives the ids that are gone with it. Raises `NotFound`."""

    async def mend(self) -> list[str]:
        """Finish what a crash cut off, at the start; gives the ids that are gone for good."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody has a document open in an application outside, which asks others to leave it alone."""

    by: str
    """The name of the person, as the application has it; it may be empty."""
    application: str
    since: float
    """UTC seconds since the epoch."""


class Claims(Protocol):
    """What applications leave beside a file while they have it open, and the one lock of ours. All but `beside` take ids; they raise `NotFound`,
    `Unavailable`.

    What others left and did not touch for a day counts for nothing: it is what a crash left.
    """

    async def look(self, document: str) -> Claim | None:
        """Who else has it open."""

    async def beside(self, folder: str) -> dict[str, Claim]:
        """Who else has which files of the folder at this path open, by path. What cannot be read is not told."""

    async def find(self, document: str) -> tuple[Stat, Claim | None]:
        """The file as it is, and who else has it open: one look for both."""

    async def hold(self, document: str, name: str) -> Claim | None:
        """Lock it, in the name that others are shown; again changes nothing, and the lock goes where the document went. Somebody outside who has it
        open is given back, and nothing is locked. Where no lock can be left, there is none.
        """

    async def free(self, document: str) -> None:
        """Take our lock away, never another's. A document that is gone is no error."""

    async def held(self) -> dict[str, float]:
        """The documents that we hold, also since before a crash, and since when: UTC seconds."""


class RoomLocks(Protocol):
    """The storage's own lock of a document whose room may write it: one, in our application's name and in no person's. The fencing number of the room
    (`Place.fence`) is a part of it (CASES: a paused saver). All raise `Denied`, `Unauthorized` (nobody for whom we act may lock it), `NotFound` and
    `Unavailable`.
    """

    @property
    def seconds(self) -> float:
        """For how long a lock stands that nobody refreshes."""

    async def take(self, document: str, fence: int) -> Claim | None:
        """Ours from now on, with this number; one of ours with another one, also of before a crash, is replaced. Somebody else's is given back, and
        nothing changes. `Fenced`: one of ours has a greater number.
        """

    async def refresh(self, document: str, fence: int) -> bool:
        """Hold it for so long again. False: it is not ours with this number any more."""

    async def give(self, document: str, fence: int) -> None:
        """Free it, if it is ours with this number. Somebody else's, and a document that is gone, are no error."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees of everything, for lists: one look for many documents."""

    role: Callable[[Stat], Role | None]
    """What may be done with a document or folder; None: not even seen."""
    among: tuple[str, ...] | None = None
    """Documents (by id or path) and folders (by path): these and what is in them is all that is seen. None: nothing is hidden."""


class Rights(Protocol):
    """Who may do what with a document just now: one decision for sockets, requests, pages and office suites."""

    async def role(self, grant: Grant, stat: Stat) -> Role:
        """What the grant's person may do with it. Raises `Forbidden` for who may not even see it, `Unauthorized` for whose sign-in is over, `NotFound`
        when it is nowhere in this person's eyes, and `Unavailable`: then what was known last goes on.
        """

    async def sight(self, grant: Grant) -> Sight:
        """What the grant's person sees. Raises `Unauthorized` and `Unavailable`."""


class Watch(Protocol):
    """Who else changes the storage."""

    def notices(self) -> AsyncIterator[frozenset[str]]:
        """Paths of files and folders that may have been changed, moved, deleted or made by anybody, ourselves included, soon after; also of what
        applications leave beside a file that they have open (`collab.storage.habits`). The empty path: all may. A hint, never a proof: what is told too often costs a look, and a look before each save finds what was not told. Raises `Unavailable`.
        """


class Kind(StrEnum):
    """Kinds of journal records."""

    SEED = "seed"
    """The first state of a document: lineage and the file's text."""
    UPDATE = "update"
    """Edits of a peer."""
    MEND = "mend"
    """Pairs of surrogates that the next update cuts; meta `places`."""
    MERGE = "merge"
    """An outside body: update, writer, hash and new base in one record."""
    ANNOUNCE = "announce"
    """A save is about to be made; the place of this record in the log is the state that it holds."""
    GIVEN = "given"
    """A body was given to a writer outside; the place of this record is the state that it holds; meta `hash`, and `office` when it was a suite."""
    SAVED = "saved"
    """The announced save is in the file; meta `place` is the position of its ANNOUNCE."""
    OFFICE = "office"
    """An office suite is done with the document, and has unlocked it; meta `office`."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a document's log."""

    kind: Kind
    body: bytes = b""
    meta: Meta = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Log:
    """A document's log: a checkpoint (state and meta up to and with `position`) and the records after it, in order."""

    checkpoint: bytes | None = None
    meta: Meta = field(default_factory=dict)
    position: int = 0
    records: tuple[tuple[int, Record], ...] = ()


class Journal(Protocol):
    """The log of each document; positions grow, are unique in a document, and are given in the order of the calls."""

    def append(self, document: str, record: Record) -> Awaitable[int]:
        """Queue a record at once (call order is log order); the result is its position, given when the record and all before it of the
        document are durable. While the medium refuses, the record waits and is tried again: see `trouble`.
        Raises `Unavailable` only when the journal is closed; the result may be `Fenced`: the document is another node's.
        """

    async def load(self, document: str) -> Log:
        """The log with everything appended before this call, an empty one for a document that has none."""

    async def checkpoint(self, document: str, position: int, state: bytes, meta: Meta) -> None:
        """Replace everything up to and with `position` by `state` and `meta`; durable on return."""

    async def forget(self, document: str) -> None:
        """Drop the document's log."""

    async def unsaved(self) -> list[str]:
        """The documents that have an UPDATE or MERGE after the `place` of their last SAVED (or none SAVED)."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can be made durable just now, in words, or None."""


class Refillable(Protocol):
    """A journal whose medium may lose its memory."""

    async def refill(self, document: str, state: bytes, meta: Meta, *, ahead: bool) -> int:
        """The log begins anew with a state that has everything which was appended before the call, at the position that is given back, above all that
        were given before. `ahead`: the file does not hold the state. A record that waits and whose place was to name a state before this one
        fails with `Unavailable`. Raises `Fenced`, `Unavailable`.
        """


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document's log that a checkpoint replaced: the state at `first` and the records up to and with `last`, packed."""

    first: int
    last: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A body that a writer may have read: its SHA-256, and the state that it came from as places in the log (see `ledger.Base`)."""

    hash: str
    place: int
    merges: tuple[int, ...]
    at: float
    """UTC seconds since the epoch."""
    ours: bool
    """We wrote it; else somebody else did."""
    sketch: bytes = b""
    """What tells bodies apart at a glance (`merge.sketch`)."""


class Bases(Protocol):
    """What writers may have read, for as long as they may come back. All raise `Unavailable`."""

    async def keep(self, document: str, part: Part, bases: Sequence[Kept]) -> None:
        """A part and the bases that are places in it, in one step; durable on return. The same again changes nothing; of two parts with the same
        beginning the longer one stays.
        """

    async def recent(self, document: str, count: int) -> list[Kept]:
        """The newest ones, newest first."""

    async def find(self, document: str, digest: str) -> list[Kept]:
        """Those with this SHA-256, newest first."""

    async def parts(self, document: str, first: int, last: int) -> list[Part]:
        """The parts that hold positions from `first` to `last`, in order; fewer when some are gone."""

    async def trim(self, now: float) -> None:
        """What is too old goes, and the oldest of what is too much; a base goes with the parts that it is made of."""

    async def forget(self, document: str) -> None:
        """Everything that the archive has of the document goes: bases, versions, authors, links, locks."""


@dataclass(frozen=True, slots=True)
class Version:
    """A body that the file held."""

    number: int
    """The position of its record in the document's log; grows."""
    at: float
    """UTC seconds since the epoch."""
    hash: str
    """SHA-256 of the body."""
    size: int
    """Bytes."""
    source: str
    """`first` (as it was found), `save`, `outside` (another program wrote it), `restore`."""
    writers: tuple[str, ...] = ()
    """The ids of the people who wrote since the version before."""
    name: str = ""
    """Given by a person; what has a name is kept for ever."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log begins with: state and meta up to and with `position`."""

    position: int
    state: bytes
    meta: Meta


class Checkpoints(Protocol):
    """The beginnings of logs whose records are kept elsewhere (a Redis). All raise `Unavailable`; `Bases.forget` takes them away, too."""

    async def put(self, document: str, checkpoint: Checkpoint) -> None:
        """Replaces what was known up to an earlier position, never a later one; durable on return."""

    async def get(self, document: str) -> Checkpoint | None:
        """The last one."""

    async def forget(self, document: str) -> None:
        """There is none any more."""


class Versions(Protocol):
    """Bodies that the file held. All raise `Unavailable`."""

    async def add(self, document: str, version: Version, body: bytes) -> None:
        """One more; durable on return. The same number again, or a body equal to the newest one, changes nothing."""

    async def list(self, document: str, *, before: int | None = None, limit: int = 100) -> Sequence[Version]:
        """Newest first, those with a number less than `before`."""

    async def read(self, document: str, number: int) -> tuple[Version, bytes]:
        """One of them, byte for byte. Raises `NotFound`."""

    async def find(self, document: str, digest: str) -> Version | None:
        """The newest with this SHA-256."""

    async def name(self, document: str, number: int, name: str) -> Version:
        """Give it a name, or take it away with the empty one. Raises `NotFound`."""

    async def thin(self, now: float) -> None:
        """By age: all of a day, then one an hour, after a week one a day (the last of each); those with names, the first and the newest stay."""


@dataclass(frozen=True, slots=True)
class StorageVersion:
    """A body that the storage kept by itself."""

    key: str
    """What the storage calls it."""
    at: float
    """UTC seconds since the epoch."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class StorageHistory:
    """What the storage kept of a file, newest first."""

    versions: tuple[StorageVersion, ...]
    may_restore: bool
    """Whether whoever asks may make one of them the present body."""


class StorageVersions(Protocol):
    """Versions that the storage keeps by itself, beside ours. Both raise `NotFound`, `Denied` (whoever asks may not see them), `Unsupported` (it keeps none),
    `Unauthorized` and `Unavailable`.
    """

    async def list(self, document: str) -> StorageHistory:
        """All of a document."""

    async def read(self, document: str, key: str, *, limit: int) -> bytes:
        """One of them, byte for byte; a key that is no version of this document is `NotFound`. `TooLarge` over `limit` bytes."""


class Authors(Protocol):
    """Who wrote what, and what people are called. All raise `Unavailable`."""

    async def put(self, document: str, position: int, authors: bytes) -> None:
        """Who wrote what is in the document's log up to and with `position`; replaces what was known up to an earlier one."""

    async def get(self, document: str) -> tuple[int, bytes] | None:
        """The last that was put."""

    async def meet(self, people: Mapping[str, str]) -> None:
        """Ids and names of people; the newest name counts. Nobody who was erased comes back by this."""

    async def names(self, people: Iterable[str]) -> dict[str, str]:
        """What they are called; nobody who is not known or was erased is in it."""

    async def called(self, name: str) -> list[str]:
        """The ids of the people who are called this, in order."""

    async def erase(self, person: str) -> bool:
        """The name goes for ever, one row; False when nobody of this id is known."""


@dataclass(frozen=True, slots=True)
class Link:
    """What opens a document or a folder for whoever has its secret."""

    digest: str
    """SHA-256 of the secret, which itself is nowhere."""
    target: str
    """A document's id, or a folder's path."""
    role: str
    """What it allows: a role's word."""
    maker: str
    """The id of who made it; empty when that person was erased."""
    made: float
    """UTC seconds since the epoch."""
    expires: float | None = None
    """UTC seconds since the epoch; None: never."""
    password: str = ""
    """The hash of a password that is asked for, in a form that names its parameters; empty: none is."""
    uses: int | None = None
    """So many are left; None: any number."""
    revoked: float | None = None
    """UTC seconds since the epoch."""
    folder: str = ""
    """The id of the folder, as `Share.folder`."""

    def ended(self, now: float) -> str | None:
        """Why it opens nothing any more, in words, or None."""
        if self.revoked is not None:
            return "the link was taken back"
        if self.expires is not None and self.expires <= now:
            return "the link's time is over"
        return "the link was used as often as it may be" if self.uses is not None and self.uses <= 0 else None


class Links(Protocol):
    """Links that were given away. One that is not taken back is a share (`Shares`), whose id is its digest. All raise `Unavailable`."""

    async def add(self, link: Link) -> None:
        """One more; durable on return. The same digest again changes nothing."""

    async def find(self, digest: str) -> Link:
        """The link, whatever became of it. Raises `NotFound`."""

    async def list(self, target: str) -> Sequence[Link]:
        """Those of a document or a folder, whatever became of them, newest first."""

    async def use(self, digest: str, now: float) -> Link:
        """Take one of its uses, in one step however many come at once. Raises `NotFound`, also for one that opens nothing any more (see `Link.ended`)."""

    async def revoke(self, digest: str, now: float) -> None:
        """It opens nothing any more; again changes nothing. Raises `NotFound`."""


class Shares(Protocol):
    """Who was given which role on what. Links that were not taken back are among them, however many uses are left. All raise `Unavailable`;
    `Bases.forget` takes those of a document away, too.
    """

    async def add(self, share: Share) -> Share:
        """One more, with a person or a group; durable on return. Who has one on this target already has the role and the end of the new one instead.
        The share that stands.
        """

    async def change(self, target: str, share: str, *, role: Role | None = None, expires: float | None) -> Share:
        """Another role (None: as it was) and end of the share of this target and id. What stands. Raises `NotFound`."""

    async def remove(self, target: str, share: str, now: float) -> Share:
        """It counts no more; a link is taken back. What it was. Raises `NotFound`."""

    async def on(self, targets: Iterable[str]) -> Sequence[Share]:
        """All of these targets, oldest first."""

    async def given(self, subjects: Iterable[str]) -> Sequence[Share]:
        """All with one of these subjects, oldest first."""

    async def folders(self) -> Mapping[str, str]:
        """The folders that are shared, by id, and where each was last seen (see `Share.target`)."""

    async def move(self, places: Mapping[str, str]) -> None:
        """Folders (by id) are at these paths now. What is known already changes nothing."""

    async def forget(self, person: str) -> None:
        """What was shared with a person is not any more."""

    async def changes(self) -> int:
        """Grows with every change, on whichever node it is made, and of links as well."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What somebody was given, as its sharers are told; or somebody whom something can be given to (`role` None)."""

    id: str
    kind: str
    """`person`, `group` or `link`."""
    party: str
    """Of a person or a group."""
    name: str
    role: Role | None
    """None: what has no name here, as uploading only."""
    expires: float | None = None
    """UTC seconds since the epoch; None: never."""
    inherited: str | None = None
    """The path of the folder that it was given with; None: it was given itself."""
    password: bool = False
    """Of a link: one is asked for."""
    uses: int | None = None
    """Of a link: so many are left; None: any number."""
    address: str = ""
    """Of a link, where it is known."""
    detail: str = ""
    """What tells those of one name apart."""
    made: float | None = None
    """UTC seconds since the epoch, where it is known."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be given, and how."""

    roles: Sequence[Role]
    person: bool
    group: bool
    link: bool
    password: bool
    expires: bool
    uses: bool


class SharingDesk(Protocol):
    """Where people share what is theirs, by whatever decides about it: this server, or the cloud whose files it shows. It acts for whoever asks. All
    raise `Forbidden` for who may not share it, `NotFound`, `Unavailable`, and `Malformed` or `Unsupported` for what cannot be given like this.
    """

    async def offers(self, stat: Stat) -> Offers:
        """What can be given of a document or a folder."""

    async def shares(self, stat: Stat) -> Sequence[Shared]:
        """What was given, also with the folders around it."""

    async def give(self, stat: Stat, kind: str, party: str, role: Role, expires: float | None) -> Shared:
        """A role for a person or a group. Also `Exists`."""

    async def link(self, stat: Stat, role: Role, expires: float | None, password: str, uses: int | None) -> Shared:
        """A new link, with its address."""

    async def change(self, stat: Stat, share: str, *, role: Role | None, ends: bool, expires: float | None) -> Shared:
        """Another role unless it is None, and another end if `ends`."""

    async def take(self, stat: Stat, share: str) -> Shared:
        """It counts no more. What it was."""

    async def parties(self, words: str) -> Sequence[Shared]:
        """People and groups with these words in their names."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of a document."""

    name: str
    """Which one of the document's locks."""
    id: str
    """What its holder made up to know it again."""
    holder: str
    seconds: float
    """For which it is taken; as an answer: those that are left, by the archive's own clock."""


class Locks(Protocol):
    """Locks of documents, each compared and changed in one step. The answer of each verb is the lock that stands now: it is the caller's if it has the
    caller's id. A lock that is over is none. All raise `Unavailable`.
    """

    async def acquire(self, document: str, lock: Lock) -> Lock:
        """Take it, if nobody holds it or it has this id already; then holder and time are the new ones."""

    async def refresh(self, document: str, lock: Lock) -> Lock | None:
        """Hold it from now on for so many seconds, if it has this id."""

    async def replace(self, document: str, lock: Lock, old: str) -> Lock | None:
        """Put this one in its place, if it has the old id."""

    async def release(self, document: str, name: str, lock: str) -> Lock | None:
        """Free it, if it has this id; None: it is free."""

    async def get(self, document: str, name: str) -> Lock | None:
        """The one that stands now."""

    async def standing(self, name: str) -> Mapping[str, Lock]:
        """All of this name that stand now, by document; at most 1000 are told."""


@dataclass(frozen=True, slots=True)
class OfficeState:
    """What office suites know of a document. They are told a version and a time, which stand still for them while people type in browsers."""

    version: int
    """Grows with each body that is new to them."""
    etag: str
    """Of the body that has this version."""
    modified: float
    """UTC seconds since the epoch, as they were told; never goes back."""
    put: str = ""
    """SHA-256 of the body that a suite put last: what it goes on from; or empty."""
    given: tuple[str, ...] = ()
    """SHA-256 of the bodies that were given since, newest last: what it may go on from, too. Of a file that nobody types in: its etag before the put."""
    before: float = 0.0
    """The time that was told before the put: all that is known to a suite that was never answered."""
    lock: str = ""
    """SHA-256 of the id of the lock under which it was put; empty: there was none."""


class OfficeStates(Protocol):
    """What office suites know. Both raise `Unavailable`; `Bases.forget` takes it away, too."""

    async def get(self, document: str) -> OfficeState | None:
        """What they know; None: nothing yet."""

    async def put(self, document: str, state: OfficeState, *, before: OfficeState | None) -> OfficeState:
        """Replace what they knew `before`, if that is so; what stands then. Durable on return."""

    async def put_within(self, document: str, *, before: OfficeState, act: Callable[[Within], Awaitable[T]]) -> T:
        """What `act` returns. It is given a call that does what `put` does, for one state; to be made once, on any thread, and it blocks there until
        that is durable. `Changed` when something else stood, then nothing was put.
        """


class UserInfos(Protocol):
    """What office suites keep about people (PutUserInfo). All raise `Unavailable`."""

    async def put(self, person: str, info: str) -> None:
        """Replaces what was kept; durable on return."""

    async def get(self, person: str) -> str:
        """What was put last, or the empty string."""

    async def forget(self, person: str) -> None:
        """Nothing is kept any more."""


class Metadata(Protocol):
    """What people say about documents: it stays with a document through renames, saves and the bin. All raise `Denied`, `NotFound` (where that is known),
    `Unavailable`, and `Unsupported` where nothing of the kind can be kept.
    """

    async def get(self, document: str) -> About:
        """What is said."""

    async def put(self, document: str, change: Change, *, before: About | None = None) -> About:
        """Say this from now on, and what is said then; durable on return. `Changed`: it was not as `before`. Also `Locked`: another application holds the
        storage's lock.
        """

    async def of(self, stats: Sequence[Stat]) -> Mapping[str, About]:
        """What is said of these files, by id; those of which nothing is said, or that cannot be looked at, are left out."""


class Resources(Protocol):
    """Which resource of a cloud a document or folder is, by the id that is derived from it: for every node, and for ever. Both raise `Unavailable`."""

    async def remember(self, known: Mapping[str, str]) -> None:
        """These documents (ids of ours) are these resources; durable on return. What is known already changes nothing."""

    async def find(self, document: str) -> str | None:
        """The resource, as it was remembered; None: nobody has seen it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A body that could not be put into its document, and was kept beside it."""

    document: str
    since: float
    """UTC seconds since the epoch, of the first body of this copy: with the document the key."""
    at: float
    """The same of the body that the copy holds."""
    copy: str
    """The id of the copy."""
    path: str
    """Where the copy was made."""
    etag: str
    """Of the body that was kept."""
    size: int
    """Its bytes."""
    reason: str
    """Why it was not taken, in words."""
    writer: str
    """The id of the person; empty when that person was erased."""
    suite: str
    """The name of the office suite that sent it; empty: not known."""
    count: int = 1
    """So many bodies came since."""


class Rejections(Protocol):
    """Bodies that were kept beside their documents. All raise `Unavailable`; `Bases.forget` takes those of a document away, too."""

    async def put(self, rejection: Rejection) -> None:
        """One more, or what is known now of the one with this document and `since`; durable on return."""

    async def list(self, document: str | None = None, *, limit: int = 200) -> Sequence[Rejection]:
        """Those of a document, or of all, the newest first."""


@dataclass(frozen=True, slots=True)
class CloudSession:
    """Somebody who came from a cloud, as long as that counts. The cloud's token is for all their files: it never leaves the server."""

    id: str
    """That of our grants (`jti`)."""
    document: str
    """The document that it was made for; empty: for all."""
    person: str
    """The id of our person."""
    user: str
    """The opaque id of the cloud's user."""
    username: str
    """What they sign in with there, and the cloud's operator may act for."""
    token: str = field(repr=False)
    expires: float | None
    """When the token ends, UTC seconds since the epoch; None: it does not say."""
    until: float
    """When the session ends, the same."""
    role: str
    """A role's word: more is not allowed, whatever the cloud says."""
    guest: bool = False
    """Of a public link, whose user in the cloud is the one who made it."""
    view_only: bool = False
    """It was opened to be looked at, and neither downloaded, printed nor copied."""
    folder: str = ""
    """The id of the folder around the document, which the cloud lets them list: they may go on in it. Empty: they see the document alone."""
    below: str = ""
    """A role's word: more is not allowed in that folder, whatever the cloud says."""


def viewing(session: str) -> str:
    """The id of the session beside one that may look only: with its token the server reads the file."""
    return f"{session}-view"


class CloudSessions(Protocol):
    """Sessions of people who came from a cloud; at rest their tokens are sealed. All raise `Unavailable`."""

    async def put(self, session: CloudSession) -> None:
        """A new one, or what is known of it now; durable on return."""

    async def get(self, session: str) -> CloudSession | None:
        """One of them, also when its time is over; None: it was ended, or erased, or never was."""

    async def of(self, document: str) -> Sequence[CloudSession]:
        """Those that were made for a document, the one that ends last first; at most 100."""

    async def end(self, session: str) -> None:
        """It is over. Again changes nothing."""

    async def forget(self, person: str) -> None:
        """All of a person are over."""

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session that the server keeps a record of: its grant says at most what may be done, and this whether it still counts."""

    id: str
    """That of the session's grant (`jti`)."""
    person: str
    """The id of the person: `account:…`, `oidc:…` or `guest:…`."""
    name: str
    """What the person is called."""
    kind: str
    """`account`, `oidc` or `guest`."""
    made: float
    """UTC seconds since the epoch."""
    seen: float
    """The same: when it was used last, to the minute."""
    expires: float
    """The same: it counts until then."""
    groups: tuple[str, ...] = ()
    """Names of the groups that the person is in, sorted."""
    links: tuple[str, ...] = ()
    """Digests of the links that it opened, in that order."""
    agent: str = ""
    """The browser and the system in words, as far as they are known."""
    ended: float | None = None
    """UTC seconds since the epoch; None: it goes on."""

    def live(self, now: float) -> bool:
        """Whether it still counts."""
        return self.ended is None and now < self.expires


class SignIns(Protocol):
    """Sessions that the server keeps a record of. All raise `Unavailable`; what changes them is durable on return."""

    async def add(self, sign_in: SignIn) -> None:
        """A new one. The same id again changes nothing."""

    async def get(self, session: str) -> SignIn | None:
        """One of them, also when it is over; None: it never was, or was swept away."""

    async def live(self, now: float, person: str | None = None) -> Sequence[SignIn]:
        """Those that still count, of a person or of everybody, the one that was used last first; at most 1000."""

    async def see(self, session: str, now: float) -> None:
        """It was used."""

    async def open(self, session: str, link: str) -> None:
        """It opened the link of this digest. Again changes nothing; of more than 200 the oldest go."""

    async def rename(self, person: str, name: str) -> None:
        """What the person is called from now on, in all of theirs."""

    async def regroup(self, person: str, groups: Iterable[str]) -> None:
        """The groups that the person is in from now on, in all of theirs."""

    async def end(self, session: str, now: float) -> bool:
        """It is over; False: it was before, or is not known."""

    async def end_all(self, person: str, now: float, *, but: str = "") -> int:
        """All of a person are over, but for one; how many those were."""

    async def forget(self, person: str) -> None:
        """There is no record of the person's any more, and none of theirs counts."""

    async def sweep(self, now: float) -> None:
        """Those whose time is over are erased; an ended one stays until its time would be over, because of copies of its cookie."""

    async def changes(self) -> int:
        """A number that grows, for every node, whenever one ends, opens a link, or its name or groups change; never when one is only used."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who has an account or signed in by a provider: with whom something can be shared."""

    person: str
    """The person's id."""
    kind: str
    """`account` or `oidc`."""
    name: str
    """What others see."""
    login: str
    """What the person signs in with, or is known by at the provider."""
    groups: tuple[str, ...]
    """Names, sorted; of a provider's user as they were at the last sign-in or renewal."""
    made: float
    """UTC seconds since the epoch: of the account, or of the first sign-in."""
    seen: float | None = None
    """The same: the last sign-in; None: there was none."""
    orcid: str = ""
    """The researcher's id at ORCID, `0000-0002-1825-0097`; empty: not known."""


class Members(Protocol):
    """Everybody who may sign in, or did. All raise `Unavailable`."""

    async def put(self, member: Member) -> None:
        """A new one, or what is known of it now; `made` stays as it was first."""

    async def see(self, person: str, now: float) -> None:
        """One of them signed in; all else that is known stays, and who is not known does not become so."""

    async def get(self, person: str) -> Member | None:
        """One of them."""

    async def find(self, words: str, *, limit: int = 20) -> Sequence[Member]:
        """Those in whose name or login each of the words is, by name; nobody whose account is disabled."""

    async def groups(self) -> Sequence[str]:
        """All groups that anybody is in, sorted."""

    async def forget(self, person: str) -> None:
        """Nothing is known any more; an account goes, too."""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    login: str
    """What the person signs in with, in small letters."""
    person: str
    """The person's id, `account:` and random letters: who gets the same name later is somebody else."""
    name: str
    """What others see."""
    groups: tuple[str, ...]
    """Names, sorted."""
    made: float
    """UTC seconds since the epoch."""
    seen: float | None = None
    """The same: the last sign-in."""
    password: str = field(default="", repr=False)
    """Its hash (Argon2id), with salt and parameters; no password fits the empty one."""
    changed: float = 0.0
    """UTC seconds since the epoch: when the password was set."""
    disabled: float | None = None
    """The same: since when it may not sign in; None: it may."""


class Accounts(Protocol):
    """Local accounts. All raise `Unavailable`; those that change a certain one raise `NotFound`. Durable on return. Sessions are not ended here."""

    async def add(self, account: Account) -> None:
        """A new one, and its member. Raises `Exists`."""

    async def find(self, login: str) -> Account | None:
        """The one of this name."""

    async def list(self) -> Sequence[Account]:
        """All, by name."""

    async def any(self) -> bool:
        """Whether there is one that may sign in."""

    async def describe(self, login: str, *, name: str | None = None, groups: Iterable[str] | None = None) -> Account:
        """What the person is called, and the groups they are in; None: as before."""

    async def set_password(self, login: str, password: str, now: float, *, before: str | None = None) -> None:
        """Another hash; with `before` only if that is the one that is kept."""

    async def disable(self, login: str, at: float | None) -> Account:
        """It may not sign in since then; None: it may again."""

    async def remove(self, login: str) -> Account:
        """It is gone, and its member; what it was."""


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """What a provider gave for a session, so that it can be asked whether that still counts."""

    sign_in: str
    """The id of the session (`SignIn`)."""
    person: str
    """The id of the person."""
    tokens: str = field(repr=False)
    """JSON. It never leaves the server."""
    due: float = 0.0
    """UTC seconds since the epoch: when the provider is asked again."""


class ProviderSessions(Protocol):
    """What providers gave; sealed at rest. All raise `Unavailable`; durable on return."""

    async def put(self, session: ProviderSession) -> None:
        """A new one, or what is known of it now."""

    async def take(self, now: float, until: float, *, limit: int) -> Sequence[ProviderSession]:
        """Those that are due, longest first; each is given to one node alone, and is due again at `until` unless something else is said."""

    async def postpone(self, sign_in: str, due: float) -> None:
        """It is due then."""

    async def end(self, sign_in: str) -> None:
        """Nothing is kept of it any more. Again changes nothing."""

    async def forget(self, person: str) -> None:
        """Nothing is kept of all of a person's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document's room lives."""

    node: str
    """The id of the node."""
    address: str
    """Where other nodes reach it."""
    fence: int
    """The fencing number: grows whenever the room moves, and when its node lost it and has it again."""


class Placement(Protocol):
    """On which node each document's room lives: on one at most, at any time. All raise `Unavailable`."""

    @property
    def node(self) -> str:
        """The id of this node."""

    async def claim(self, document: str) -> Place:
        """Where the room lives. When it lives nowhere, or on a node that is gone: here, from now on, with a greater fencing number.

        What lives here already is answered at once, with the number that stands. Else it may take as long as a heartbeat counts, while nobody
        can know yet who has the document.
        """

    async def release(self, document: str) -> None:
        """The room was closed here. Nothing happens if it lives elsewhere by now."""

    async def others(self) -> dict[str, str]:
        """The ids of the other nodes that are there now, and where each is reached."""

    def lost(self) -> AsyncIterator[str]:
        """Documents whose rooms were here and live elsewhere now, or may: nothing of what they hold is durable any more, and nothing may be written."""

    def orphaned(self) -> AsyncIterator[frozenset[str]]:
        """Documents whose node is gone, soon after; each is told to every node that is left, and the first that claims it has it."""
