"""Single requests as tests make them: without TLS, as to load certificates takes httpx 30 ms of the processor each time, and patient on a busy machine."""

from __future__ import annotations

from functools import partial
from typing import Final

import httpx

SECONDS: Final = 60.0
"""How long an answer may take."""

request = partial(httpx.request, verify=False, timeout=SECONDS)
get = partial(httpx.get, verify=False, timeout=SECONDS)
post = partial(httpx.post, verify=False, timeout=SECONDS)
put = partial(httpx.put, verify=False, timeout=SECONDS)
delete = partial(httpx.delete, verify=False, timeout=SECONDS)
