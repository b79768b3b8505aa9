"""The formats of documents, by media type: how the body of a file becomes what is shared, and how it is written again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from collab.errors import NotText, TooLarge
from collab.formats import NOTEBOOK_TYPE
from collab.formats import notebook as notebooks
from collab.formats import text as texts
from collab.formats.looks import Looks
from collab.formats.notebook import NotebookForm
from collab.formats.text import Form as TextForm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from collab.formats.notebook import Notebook

TEXT: Final = "text"
NOTEBOOK: Final = "notebook"
Form: TypeAlias = "TextForm | NotebookForm"


class Sizes(Protocol):
    """Bytes that a document may have."""

    @property
    def text(self) -> int:
        """Of a text."""

    @property
    def notebook(self) -> int:
        """Of a notebook's file."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a file, read: its text (of a notebook: all but its ids), and how it is written."""

    text: str
    form: Form
    endings: tuple[tuple[int, str], ...] = ()
    """Of a text: the UTF-8 offsets of the line ends that differ from the form's, and how the file writes them."""
    notebook: Notebook | None = None

    @property
    def looks(self) -> Looks:
        """What it is compared by."""
        return Looks(self.text) if self.notebook is None else self.notebook.looks()

    @property
    def format(self) -> str:
        """TEXT or NOTEBOOK."""
        return TEXT if self.notebook is None else NOTEBOOK


def format_of(media: str) -> str:
    """The format that files of this media type have if they can."""
    return NOTEBOOK if media == NOTEBOOK_TYPE else TEXT


def read(body: bytes, given: str, sizes: Sizes) -> Body:
    """A body in a given format. NotText, TooLarge."""
    return _READERS[given](body, sizes)


def read_first(body: bytes, media: str, sizes: Sizes) -> Body:
    """A body that nobody has opened before: in the format of its media type, or as text where it is no such thing. NotText, TooLarge."""
    try:
        return read(body, format_of(media), sizes)
    except NotText:
        return read(body, TEXT, sizes)


def form_of(value: Mapping[str, object]) -> Form:
    """The inverse of a form's `to_json`. Malformed."""
    return NotebookForm.from_json(value) if value.get("format") == NOTEBOOK else TextForm.from_json(value)


def most(sizes: Sizes, media: str = NOTEBOOK_TYPE) -> int:
    """Bytes that the file of a document may have: line ends may take two, a notebook is set in, and there may be a byte order mark."""
    return 2 * (max(sizes.text, sizes.notebook) if media == NOTEBOOK_TYPE else sizes.text) + 3


def readable(body: bytes, media: str, sizes: Sizes) -> str:
    """The text of a body for people: of a notebook its sources under headings. NotText, TooLarge."""
    found = read_first(body, media, sizes)
    return found.text if found.notebook is None else found.notebook.readable()


def _text(body: bytes, sizes: Sizes) -> Body:
    text, form, marks = texts.decode(body)
    if len(text) > sizes.text or len(text.encode()) > sizes.text:
        raise TooLarge(f"The text has over {sizes.text} bytes; it can be downloaded, not edited here.")
    return Body(text, form, tuple((mark.utf8, mark.ending) for mark in marks))


def _notebook(body: bytes, sizes: Sizes) -> Body:
    notebook, form = notebooks.decode(body, sizes.notebook)
    return Body(notebook.text(), form, (), notebook)


_READERS: Final[dict[str, Callable[[bytes, Sizes], Body]]] = {TEXT: _text, NOTEBOOK: _notebook}
