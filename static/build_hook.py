"""Builds the web client into `collab/web/client` when a wheel is made, so that nothing built is ever committed."""  # noqa: INP001 -- hatchling loads it by its path

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = frozenset({"node_modules", "test", "__pycache__", "build_hook.py"})
"""Names in `static/` that are no source of the client."""


class ClientBuildError(Exception):
    """The web client can't be built; the message says what to do."""


class ClientBuild(BuildHookInterface[Any]):
    """Hatchling's custom hook: a wheel gets the client, an editable install and a source archive don't."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the client when it is missing or older than its sources. `version` is `standard` or `editable`."""
        del build_data
        root = Path(self.root)
        if self.target_name == "wheel" and version == "standard" and stale(root):
            build(root)


def sources(folder: Path) -> Iterator[Path]:
    """The files under `folder` that the client is built from."""
    for path in folder.iterdir():
        if path.name in LEFT_OUT:
            continue
        if path.is_dir():
            yield from sources(path)
        else:
            yield path


def stale(root: Path) -> bool:
    """Whether the client in the checkout `root` is missing or older than a source."""
    page = root / "collab" / "web" / "client" / "index.html"
    return not page.exists() or any(path.stat().st_mtime > page.stat().st_mtime for path in sources(root / "static"))


def installed(root: Path) -> bool:
    """Whether npm has installed the libraries since the lock file is as it is; the Makefile asks the same."""
    static = root / "static"
    stamp = static / "node_modules" / ".package-lock.json"
    return stamp.exists() and all(
        stamp.stat().st_mtime >= (static / name).stat().st_mtime for name in ("package.json", "package-lock.json")
    )


def build(root: Path) -> None:
    """Run `npm run build`, after `npm ci` when the libraries are not those of the lock file; raises `ClientBuildError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise ClientBuildError("collab's web client is built by npm, which is not installed: install Node 20 or newer and try again")
    install = [] if installed(root) else [["ci", "--no-audit", "--no-fund"]]
    for words in (*install, ["run", "build"]):
        done = subprocess.run([npm, *words], cwd=root / "static", check=False, text=True, capture_output=True)  # noqa: S603 -- no user input
        if done.returncode:
            raise ClientBuildError(f"npm {words[0]} failed while building collab's web client:\n{done.stdout}{done.stderr}")
