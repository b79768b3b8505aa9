"""One step between a local file and a document: what was written here goes there, from what its writer had read; what came there comes here.

The merging is the server's. Here is decided what a local writer had read: an editor may save a text that it read before the last two changes came.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from collab import merge
from collab.errors import Changed, CollabError, Conflict, Exists, Locked, NotFound, NotText, TooLarge, TooMany, Unauthorized, Unavailable
from collab.remote.server import Unasked

if TYPE_CHECKING:
    from collections.abc import Callable

    from collab.remote.local import Displaced, LocalFile
    from collab.remote.memory import Memory
    from collab.remote.server import Body, Found, Remote

STALE: Final = 10.0
"""Seconds after a change of ours in which an older body is a late copy, as on the server; after that it is put back on purpose."""
LARGE: Final = 2**20
"""Characters from which on only the newest bodies are compared."""
_UNTAKEN: Final = (Changed, TooLarge, NotText)
"""Answers that say for sure that the document does not have what was sent, now or from before."""
_PASSING: Final = (Unavailable, TooMany, Unauthorized)
"""Answers to a late change that are waited out: with any other it is kept beside the file."""
_TURNS: Final = 10
"""So often a local program may come in between in one step."""


@dataclass(slots=True)
class Sync:
    """A local file, a document, and what is remembered. `now` is UTC seconds; `tell` is given a line for each thing that happens."""

    local: LocalFile
    remote: Remote
    memory: Memory
    tell: Callable[[str], None]
    now: Callable[[], float]
    displaced: Callable[[Displaced], None] = lambda each: each.drop()
    """What becomes of a file that was replaced."""
    _lately: tuple[bytes, str] | None = None
    """A late change that was sent and is not answered, and the hash of what it is made of."""

    def meet(self) -> None:
        """After a start: what a crash left, and a body that was to be written and is."""
        body = self.local.read()
        # What is held already may be a change that was undone, after it was sent.
        if body is not None and (digest := sha256(body).hexdigest()) != self.memory.held and digest == self._newest():
            self.memory.hold(digest)
        for left in self.local.leftovers():
            if not self._knows(sha256(left.body).hexdigest()):
                self.tell(f"a program wrote while we were stopped: kept as {self.local.keep_beside(left.body, self.now()).name}")
            left.drop()

    def begin(self, found: Found) -> None:
        """From now on the local file is a copy of this document."""
        memory = self.memory
        if memory.document and memory.document != found.id:
            raise Conflict(f"{self.local.path} is a copy of another document ({memory.path}): choose another file")
        memory.base, memory.document, memory.path = self.remote.address.base, found.id, found.path
        made = memory.body(memory.sent) if not memory.held and memory.sent and memory.sent == found.etag else None
        if made is not None:
            # We made it, and nobody here heard that it is made.
            memory.hold(self._learn(made))
        memory.save()

    # --- from there

    def pull(self, body: Body) -> bool:
        """Put what the document is now into the local file; False when that has changes which were not pushed."""
        here = self.local.read()
        if here is None:
            self._learn(body.content)
            if not self.local.create(body.content):
                return False
            self.memory.hold(body.etag)
            self.tell(f"pulled {self.memory.path} ({len(body.content)} bytes)")
            return True
        digest = sha256(here).hexdigest()
        if digest == body.etag:
            self._learn(here)
            self.memory.hold(digest)
            return True
        return digest == self.memory.held and self._install(body, here)

    def _install(self, body: Body, expected: bytes) -> bool:
        digest = self._learn(body.content)
        displaced = self.local.replace(body.content, expected)
        if displaced is None:
            return False
        self.memory.hold(digest)
        self.displaced(displaced)
        self.tell(f"pulled {self.memory.path} ({_change(expected, body.content)})")
        return True

    def _learn(self, content: bytes) -> str:
        return self.memory.learn(content, self.now())

    # --- from here

    def push(self) -> str | None:
        """Merge what was written here into the document, until both are the same; the etag of that, None when the local file is gone.

        What the server refuses is raised, and the local file stays as it is.
        """
        for _ in range(_TURNS):
            body = self.local.rested(self.memory.body(self.memory.held) or b"")
            if body is None:
                return None
            digest = sha256(body).hexdigest()
            settled = self._settle(digest)
            if digest == self.memory.held:
                return digest
            if self._push(body, digest, settled):
                return self.memory.held
        raise Conflict(f"{self.local.path} changes all the time: nothing is lost, but it is not in step")

    def _push(self, body: bytes, digest: str, settled: str) -> bool:
        """True when the local file has what the document is. `settled`: what it is made of, where that is known."""
        try:
            base, etag = self._send(body, digest, settled)
        except Changed as error:
            return self._set_aside(body, error)
        # What was written is what its writer has read from now on.
        self._learn(body)
        self.memory.hold(digest)
        before = self.memory.body(base) or b""
        if etag == digest:
            self.tell(f"pushed {self.memory.path} ({_change(before, body)})")
            return True
        self.tell(f"pushed {self.memory.path} ({_change(before, body)}), merged with what others wrote")
        return self._install_newest(body)

    def _send(self, body: bytes, digest: str, settled: str) -> tuple[str, str]:
        """What its writer had read, and the etag of the document with it. Whoever calls notes that it is taken."""
        memory = self.memory
        again = memory.sent == digest
        base = memory.upon if again else settled or self._base(body, digest)
        memory.send(body, base)
        try:
            return base, self._write(body, digest, base)
        except CollabError as error:
            # A refusal says nothing of what was sent before, and got no answer; but some do. What this is made of is known only now.
            passing = isinstance(error, Unavailable) and not isinstance(error, Unasked)
            waits = settled and isinstance(error, (*_PASSING, Locked))
            if isinstance(error, _UNTAKEN) or not (again or passing or waits):
                memory.answered()
            raise

    def _settle(self, digest: str) -> str:
        """What was sent before, is not this, and got no answer, is said again: the document may have it, and what is written since was made of that. Its hash
        when the document has it now, as if it had been answered then; else nothing.
        """
        memory = self.memory
        if memory.sent in {"", digest}:
            return ""
        body = memory.body(memory.sent)
        if body is None:
            memory.answered()
            return ""
        try:
            self._write(body, memory.sent, memory.upon)
        except (*_PASSING, Locked) as error:
            if digest == memory.held:
                # It was undone: there is nothing else to be said, and what the document is can come.
                return ""
            if isinstance(error, Locked):
                raise Unavailable(error.detail) from error
            raise
        except CollabError:
            memory.answered()
            return ""
        memory.hold(self._learn(body))
        return memory.held

    def _write(self, body: bytes, digest: str, base: str) -> str:
        try:
            return self.remote.write(body, base)
        except Changed:
            # What is no text is not merged with itself: it may be there from before.
            newest = self.remote.read(digest)
            if newest is not None and newest.content != body:
                raise
            return digest

    def late(self, body: bytes) -> None:
        """A program wrote into a file that was replaced already: the document gets it, and the local file from there; or it is kept beside."""
        digest = sha256(body).hexdigest()
        if self._knows(digest):
            return
        base = ""
        if self._lately is not None:
            sent, upon = self._lately
            # Said again, before what was written since: the document may have it.
            base = upon if sent == body else self._tell_late(sent, upon)
        base = base or self._base(body, digest)
        if self._tell_late(body, base) == "":
            self.tell(f"a late change is kept as {self.local.keep_beside(body, self.now()).name}")

    def _tell_late(self, body: bytes, base: str) -> str:
        """Its hash; nothing when it is not taken."""
        self._lately = body, base
        try:
            self._write(body, sha256(body).hexdigest(), base)
        except _PASSING:
            raise
        except CollabError as error:
            self.tell(f"a late change is not taken: {error.detail}")
            self._lately = None
            return ""
        self._lately = None
        # What is written behind it is made of it.
        return self._learn(body)

    def _install_newest(self, expected: bytes) -> bool:
        newest = self.remote.read()
        return newest is None or newest.etag == self.memory.held or self._install(newest, expected)

    def _set_aside(self, body: bytes, error: Changed) -> bool:
        """What was read is not known to the server any more: nothing is overwritten, here or there."""
        copy = self.local.keep_beside(body, self.now())
        self.memory.answered()
        self.tell(f"conflict: {error.detail} Your text is kept as {copy.name}")
        return self._install_newest(body)

    def create(self) -> bool:
        """A new document with what the local file holds; False when there is one."""
        body = self.local.rested(b"")
        if body is None:
            raise NotFound(f"there is no file {self.local.path}")
        self.memory.send(body, "")
        try:
            found = self.remote.create(body)
        except Exists:
            self.memory.answered()
            return False
        self.begin(found)
        self.memory.hold(self._learn(body))
        self.tell(f"made {found.path} ({len(body)} bytes)")
        return True

    # --- what was read

    def _newest(self) -> str:
        return self.memory.bodies[-1].hash if self.memory.bodies else ""

    def _knows(self, digest: str) -> bool:
        return any(each.hash == digest for each in self.memory.bodies)

    def _base(self, body: bytes, digest: str) -> str:
        """What the writer of this had read: the nearest of what the file held, the newer on a tie."""
        known = list(reversed(self.memory.bodies))
        for older, newer in zip(known[1:], known, strict=False):
            if older.hash == digest:
                return digest if self.now() - newer.at < STALE else self.memory.held
        try:
            text = body.decode()
            texts = {each.hash: (self.memory.body(each.hash) or b"").decode() for each in known[: 3 if len(body) > LARGE else None]}
        except UnicodeDecodeError:
            return self.memory.held
        return min(texts, key=lambda each: _cost(texts[each], text), default=self.memory.held)


def _cost(before: str, after: str) -> int:
    return sum(edit.stop - edit.start + len(edit.text.encode()) for edit in merge.edits(before, after))


def _change(before: bytes, after: bytes) -> str:
    """What a line tells of a change."""
    more = len(after) - len(before)
    return f"{more:+} bytes" if more else "as many bytes"
