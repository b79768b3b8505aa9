"""A bare file server, the floor below which no host of office files comes: `python tests/bench/floor.py FOLDER PORT`.

One connection at a time. `GET /name` sends the file with sendfile; `POST /name` takes the place of it with what comes: hashed, written beside it, synced,
renamed. No names are checked, nobody is asked who he is: it is for a measurement on this machine only.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path

PIECE = 256 * 1024
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def head_of(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of the next request, and what came of its body; an empty head at the end."""
    came = b""
    while b"\r\n\r\n" not in came:
        piece = connection.recv(PIECE)
        if not piece:
            return b"", b""
        came += piece
    head, _, rest = came.partition(b"\r\n\r\n")
    return head, rest


def give(connection: socket.socket, path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, socket.MSG_MORE)
        at = 0
        while at < size:
            at += os.sendfile(connection.fileno(), descriptor, at, size - at)
    finally:
        os.close(descriptor)


def take(connection: socket.socket, path: Path, head: bytes, rest: bytes) -> None:
    size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    hashed, buffer = hashlib.sha256(), memoryview(bytearray(PIECE))
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        piece, left = memoryview(rest), size - len(rest)
        while True:
            hashed.update(piece)
            while piece:
                piece = piece[os.write(descriptor, piece) :]
            if not left:
                break
            count = connection.recv_into(buffer, min(PIECE, left))
            if not count:
                raise ConnectionError("half a body")
            piece, left = buffer[:count], left - count
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    connection.sendall(DONE)


def serve(connection: socket.socket, folder: Path) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        head, rest = head_of(connection)
        if not head:
            return
        method, target, _ = head.split(b" ", 2)
        path = folder / target.decode().rpartition("/")[2]
        if method == b"GET":
            give(connection, path)
        else:
            take(connection, path, head, rest)


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                serve(connection, folder)


if __name__ == "__main__":
    main()
