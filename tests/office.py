"""An office suite as a test plays it: requests with a token for one file, as the WOPI specification has them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import asking

from collab.access import Person, Role
from collab.wopi.addresses import key_of
from collab.wopi.tokens import Pass, seal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx
    from serving import Served

ANN = Person("name:ann", "Ann")
BEN = Person("name:ben", "Ben ✍")


def id_of(server: Served, path: str) -> str:
    """The id of a file below the root."""
    answer = asking.get(
        f"{server.url}/api/documents/{path.replace('/', '%2F')}", headers={"Authorization": f"Bearer {server.token()}"}, timeout=60
    )
    return str(answer.raise_for_status().json()["id"])


@dataclass(frozen=True, slots=True)
class Office:
    """One person's session in a suite, with one file."""

    server: Served
    granted: Pass
    token: str

    @property
    def src(self) -> str:
        """The WOPISrc."""
        return f"{self.server.url}/wopi/files/{key_of(self.granted.target)}"

    def of(self, person: Person = BEN, **changes: Any) -> Office:
        """The same file for somebody else, or with another pass."""
        granted = replace(self.granted, person=person, **changes)
        return Office(self.server, granted, sealed(self.server, granted))

    def ask(self, method: str, path: str = "", body: bytes | Iterator[bytes] | None = None, **headers: str) -> httpx.Response:
        """Any request; `X_WOPI_Lock` is the header X-WOPI-Lock."""
        return asking.request(
            method,
            self.src + path,
            params={"access_token": self.token},
            content=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            timeout=60,
        )

    def info(self) -> dict[str, Any]:
        """CheckFileInfo."""
        found: dict[str, Any] = self.ask("GET").raise_for_status().json()
        return found

    def get(self) -> httpx.Response:
        """GetFile."""
        return self.ask("GET", "/contents")

    def put(self, body: bytes, lock: str | None = None, timestamp: str | None = None) -> httpx.Response:
        """PutFile, with Collabora's time stamp or without."""
        more = {} if lock is None else {"X-WOPI-Lock": lock}
        more |= {} if timestamp is None else {"X-COOL-WOPI-Timestamp": timestamp}
        return self.ask("POST", "/contents", body, **{"X-WOPI-Override": "PUT", **more})

    def post(self, override: str, body: bytes | None = None, **headers: str) -> httpx.Response:
        """Another operation."""
        return self.ask("POST", "", body, **{"X-WOPI-Override": override, **headers})

    def lock(self, lock: str, override: str = "LOCK", old: str | None = None) -> httpx.Response:
        """Lock, UnlockAndRelock, RefreshLock, Unlock."""
        return self.post(override, None, X_WOPI_Lock=lock, **({} if old is None else {"X-WOPI-OldLock": old}))

    def held(self) -> str:
        """GetLock."""
        return str(self.post("GET_LOCK").raise_for_status().headers["X-WOPI-Lock"])

    def relative(self, body: bytes = b"new", *, suggested: str = "", relative: str = "", overwrite: str = "") -> httpx.Response:
        """PutRelativeFile."""
        named = {"X-WOPI-SuggestedTarget": suggested, "X-WOPI-RelativeTarget": relative, "X-WOPI-OverwriteRelativeTarget": overwrite}
        return self.post("PUT_RELATIVE", body, **{name: value for name, value in named.items() if value})


def sealed(server: Served, granted: Pass) -> str:
    """The pass as a token of this server."""
    return seal(granted, server.secret(), now=time.time())


def opened(server: Served, path: str, body: bytes | None = b"stored", **changes: Any) -> Office:
    """A file with this body, and Ann's session with it; None: the file is there."""
    if body is not None:
        server.write(path, "").write_bytes(body)
    granted = Pass(ANN, Role.EDITOR, id_of(server, path), time.time() + 3600)
    office = Office(server, granted, sealed(server, granted))
    return office.of(ANN, **changes) if changes else office


def told(answer: httpx.Response, status: int) -> Mapping[str, Any]:
    """The JSON of an answer with this status."""
    assert answer.status_code == status, answer.text
    found: Mapping[str, Any] = answer.json()
    return found
