"""`python -m collab` is the command `collab`."""

from __future__ import annotations

import sys

from collab.cli import main

if __name__ == "__main__":
    sys.exit(main())
