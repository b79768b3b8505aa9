"""pycrdt-websocket as its documentation serves it with an ASGI server: `python pycrdt_server.py PORT`, in an environment of its own."""

import asyncio
import sys

import uvicorn
from pycrdt.websocket import ASGIServer, WebsocketServer


async def main(port: int) -> None:
    """Serve until killed."""
    websockets = WebsocketServer()
    server = uvicorn.Server(uvicorn.Config(ASGIServer(websockets), host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    async with websockets:
        await server.serve()


asyncio.run(main(int(sys.argv[1])))
