"""What our applications open, as the cloud is told: types of files, under the names that the cloud may have for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collab.formats import named_type, textual_types
from collab.gateway.resources import Application

if TYPE_CHECKING:
    from collab.wopi.launch import Launcher

ALIASES: Final = (
    "application/vnd.jupyter",
    "application/x-sh",
    "application/x-tex",
    "application/x-yaml",
    "text/x-web-markdown",
    "text/x-yaml",
)
"""What clouds call types that have another name here (Reva's table of extensions)."""
PRODUCT: Final = "collab"


def live(name: str, address: str) -> Application:
    """What is edited in our own page."""
    types = tuple(sorted({*textual_types(), *ALIASES}))
    return Application(name, address, types, PRODUCT, "Write together: text, Markdown, notebooks, tables and code")


def office(name: str, address: str, launcher: Launcher) -> Application | None:
    """What the office suites open, as far as they have said it yet; None: nothing."""
    suites = launcher.suites.offices
    kinds = [kind for each in suites for kind in launcher.kinds(each)]
    types = {media for _, ext in kinds if (media := named_type(f".{ext}")) is not None}
    if not types:
        return None
    names = ", ".join(each.name for each in suites if each.discovery is not None)
    editor = any(action == "edit" for action, _ in kinds)
    return Application(name, address, tuple(sorted(types)), PRODUCT, f"Documents, spreadsheets and slides in {names}", editor=editor)
