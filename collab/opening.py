"""Long work on documents as functions of what can be sent to another process: a log or a body in, bytes and what was read in them out."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from collab.document import Document, derived_client
from collab.formats import bodies
from collab.ledger import Base, Ledger, deletions, history

if TYPE_CHECKING:
    from collab.document import Image, Rewriting
    from collab.formats.bodies import Body, Form, Sizes
    from collab.ports import Log


@dataclass(frozen=True, slots=True)
class Opened:
    """What a log makes."""

    image: Image
    ledger: Ledger
    deletions: int
    """Edits that took something out, and are not in the file."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a body makes that has no log yet."""

    image: Image
    form: Form
    endings: tuple[tuple[int, str], ...]
    state: bytes
    """The document as one update."""
    digest: str
    """SHA-256 of the body."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What makes a body of the state that its writer had read."""

    client: int
    """The id under which the edits are made."""
    made: Rewriting
    form: Form
    """The body's form for that document."""


def opened(log: Log) -> Opened:
    """A document from its log, with what is known only once it was read. Poisoned."""
    ledger = Ledger.of(log)
    return Opened(Document.retrace(history(log)).image(), ledger, deletions(log, ledger.base))


def begun(body: bytes, media: str, sizes: Sizes, lineage: int) -> Begun:
    """A document from a file that was never opened. NotText, TooLarge."""
    read = bodies.read_first(body, media, sizes)
    document = Document.seed(read, lineage)
    document.endings = read.endings
    return Begun(document.image(), read.form, read.endings, document.encode(), sha256(body).hexdigest())


def state_upto(log: Log, place: int) -> bytes:
    """The whole state at a place of the log, as one update. Poisoned."""
    return Document.replay(history(log, Base("", place))).encode()


def rewritten(log: Log, base: Base, read: Body, marks: tuple[bytes, ...], live: bytes) -> Rewritten:
    """Make `read` of the state at a base; `marks` tell the body and how it is compared, `live` is the state of the document as it is now."""
    before = Document.replay(history(log, base))
    fork = Document.replay([before.encode()], derived_client(*told(before), base.hash.encode(), *marks))
    now = Document.replay([live])
    made = fork.rewrite(read, None if fork.client in now.state else now)
    return Rewritten(fork.client, made, fork.fitted(read))


def told(document: Document) -> tuple[bytes, bytes]:
    """Lineage and state vector: what tells states apart."""
    return str(document.lineage).encode(), repr(sorted(document.state.items())).encode()
