"""The operator's commands in this process, beside a server in its own: what a process costs more is the interpreter's start."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING
from unittest.mock import patch

from collab.cli import main

if TYPE_CHECKING:
    from serving import Served


def operate(served: Served, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """As `served.run`, with what is typed. The command is given no variables but root and state."""
    out, err = io.StringIO(), io.StringIO()
    given = [*arguments, "--root", str(served.root), "--state", str(served.state)]
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "stdin", io.StringIO(typed)):
        try:
            status = main(given)
        except SystemExit as end:
            status = int(str(end.code))
    return subprocess.CompletedProcess(given, status, out.getvalue(), err.getvalue())
