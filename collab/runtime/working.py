"""The other end of `collab.runtime.aside`: a process that does what it is sent, until the server is gone."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from collab.errors import CollabError, Unavailable
from collab.runtime.aside import receive, send

if TYPE_CHECKING:
    from typing import IO


def main() -> None:
    """Work on standard input, results on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    # An answer that nobody takes any more: the server ended while it was made.
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "wb") as answers:
        # Whatever prints must not print into the answers.
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers)


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Until nobody asks any more."""
    while (data := receive(asked)) is not None:
        send(answers, pickle.dumps(_done(data), pickle.HIGHEST_PROTOCOL))


def _done(data: bytes) -> tuple[bool, object]:
    try:
        work, given = pickle.loads(data)  # noqa: S301 - the server wrote it
        return True, work(*given)
    except CollabError as error:
        return False, error
    except BaseException as error:  # noqa: BLE001 - the CRDT library panics with a BaseException
        return False, Unavailable(f"Long work failed: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
