"""`python -m gateway [port]` in `tests/`: the tests' cloud in a process of its own, with the user ann, whose password is pw; it ends when its standard input does."""

from __future__ import annotations

import asyncio
import sys

from gateway import Cloud, CloudGateway


async def main(port: int) -> None:
    cloud = Cloud()
    cloud.add_user("ann")
    gateway = CloudGateway(cloud)
    gateway.port = port
    async with gateway:
        print(gateway.target, flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 0))
