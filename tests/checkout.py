"""The checkout as a tree of texts: what is tracked or would be."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


@cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked, or is new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    return tuple(path for name in sorted(set(listed.decode().split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    """The text of a file; bytes that are not UTF-8 are replaced."""
    return path.read_text("utf-8", errors="replace")


def below(folder: str, *suffixes: str) -> list[Path]:
    """The files under a folder of the checkout with one of the suffixes, or all."""
    return [path for path in files() if path.is_relative_to(ROOT / folder) and (not suffixes or path.suffix in suffixes)]
