"""What the page of a link says, in the languages of the other pages. It works without scripts, so the server chooses."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Final[Mapping[str, Mapping[str, str]]] = json.loads((resources.files("collab.web") / "link_words.json").read_text("utf-8"))
"""By language and word."""
