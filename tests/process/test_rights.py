"""RIGHTS-1: requests and office suites are told the same of a person's rights as sockets, from the moment they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asking
import pytest
from office import ANN, opened
from permitting import permitting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from permitting import Permitted


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Permitted]:
    with permitting(tmp_path) as served:
        yield served


def ask(server: Permitted, method: str, path: str = "", **more: object) -> httpx.Response:
    """Ann, over REST."""
    headers = {"Authorization": f"Bearer {server.token('Ann')}", "If-Match": "*"}
    return asking.request(method, f"{server.url}/api/documents/a.md{path}", headers=headers, timeout=60, **more)  # type: ignore[arg-type]


def test_rights_that_change_count_for_requests_and_office_suites_at_once(server: Permitted) -> None:
    server.write("a.md", "one\n")
    suite = opened(server, "a.md").of(ANN)
    assert suite.info()["UserCanWrite"]
    assert ask(server, "PUT", "/content", content=b"two\n").status_code == 200

    assert suite.lock("lock").status_code == 200
    server.permit(Ann="viewer")
    assert not suite.info()["UserCanWrite"]
    refused = ask(server, "PUT", "/content", content=b"three\n")
    assert refused.status_code == 403
    assert "yours is viewer" in refused.json()["detail"]
    assert ask(server, "GET", "/content").text == "two\n"
    assert ask(server, "DELETE").status_code == 403
    assert suite.get().text == "two\n"
    assert suite.put(b"four\n", "lock").status_code >= 400
    assert suite.post("RENAME_FILE", X_WOPI_RequestedName="b").status_code == 404
    (copy,) = server.root.glob("a (conflict*")
    assert copy.read_bytes() == b"four\n", "what cannot be taken is kept beside the file"

    server.permit(Ann="none")
    assert ask(server, "GET", "/content").status_code == 403
    assert suite.get().status_code >= 400
    assert suite.ask("GET").status_code >= 400

    server.permit()
    assert suite.info()["UserCanWrite"]
    assert ask(server, "PUT", "/content", content=b"five\n").status_code == 200
