"""Single requests to a provider: nowhere else than where they are sent, and no more of an answer than is read."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from collab.errors import Unavailable

MOST: Final = 1024 * 1024
"""Bytes of an answer."""
AT_MOST: Final = 10.0
"""Seconds for an answer."""


async def ask(method: str, url: str, headers: dict[str, str], content: bytes | None = None) -> tuple[int, bytes]:
    """Status and body, of a size that may be; redirections lead nowhere. `Unavailable`."""
    try:
        async with asyncio.timeout(AT_MOST), httpx.AsyncClient(timeout=AT_MOST, follow_redirects=False) as http:
            # An answer that grows while it is unpacked could be of any size.
            asked = {**headers, "Accept-Encoding": "identity", "User-Agent": "collab"}
            async with http.stream(method, url, headers=asked, content=content) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST:
                        raise Unavailable(f"an answer has more than {MOST} bytes")
                status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        raise Unavailable(f"it cannot be reached: {type(error).__name__}") from error
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise Unavailable(f"it answers {status}")
    return status, bytes(body)
