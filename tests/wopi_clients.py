"""Office suites as tests play them, each as its product behaves over HTTP: what it asks in which order, with which headers, and what it does to texts.

A suite fetches once, for all of its people, and saves with the token of any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar

from office import Office, told

if TYPE_CHECKING:
    import httpx

BOM = "\ufeff"


@dataclass(slots=True)
class Product:
    """One document open for several people; the first one opens it."""

    people: list[Office]
    text: str = ""
    """Its paragraphs: without the line end behind the last one."""
    lock: ClassVar[str] = "lock"
    bom: ClassVar[str] = ""

    def fetch(self) -> None:
        """GetFile, with the first one's token."""
        answer = self.people[0].get()
        assert answer.status_code == 200, answer.text
        self.text = answer.content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")

    def write(self, line: str) -> None:
        """Somebody writes a line at the end."""
        self.text = f"{self.text}\n{line}" if self.text else line

    @property
    def body(self) -> bytes:
        """What is saved."""
        return f"{self.bom}{self.text}\n".encode()


def put(person: Office, body: bytes, lock: str, **headers: str) -> httpx.Response:
    """PutFile."""
    return person.ask("POST", "/contents", body, **{"X-WOPI-Override": "PUT", "X-WOPI-Lock": lock, **headers})


@dataclass(slots=True)
class Collabora(Product):
    """LOCK and nothing else renews its lock; it says which time stamp it knows, and takes 409 with 1010 for a conflict."""

    lock: ClassVar[str] = "cool-lock8a7bcd12"
    bom: ClassVar[str] = BOM
    stamp: str = ""
    """The LastModifiedTime that it knows."""

    def open(self) -> None:
        """The first of its people opens the document."""
        self.stamp = str(self.people[0].info()["LastModifiedTime"])
        self.refresh()
        self.fetch()

    def join(self) -> None:
        """The others: it asks who they are, and fetches nothing."""
        for person in self.people[1:]:
            assert person.info()["UserCanWrite"] is True

    def refresh(self) -> None:
        """Every fifteen minutes."""
        assert self.people[0].lock(self.lock).status_code == 200

    def save(self, by: int, *, auto: bool = False, leaving: bool = False) -> None:
        """PutFile with somebody's token."""
        said = {"IsModifiedByUser": "true", "IsAutosave": str(auto).lower(), "IsExitSave": str(leaving).lower(), "Timestamp": self.stamp}
        headers = {f"X-{name}-WOPI-{key}": value for name in ("COOL", "LOOL") for key, value in said.items()}
        self.stamp = str(told(put(self.people[by], self.body, self.lock, **headers), 200)["LastModifiedTime"])
        assert self.people[by].info()["LastModifiedTime"] == self.stamp

    def close(self, by: int) -> None:
        """The last one leaves."""
        self.save(by, leaving=True)
        assert self.people[by].lock(self.lock, "UNLOCK").status_code == 200


@dataclass(slots=True)
class OnlyOffice(Product):
    """It locks in sessions that only read, too; it saves when the last editor has left, and unlocks then."""

    lock: ClassVar[str] = "onlyoffice-key-1"

    def open(self) -> None:
        """The first one."""
        self.people[0].info()
        assert self.people[0].lock(self.lock).status_code == 200
        self.fetch()

    def read(self, viewer: Office) -> None:
        """Somebody only reads: 200, and nothing is locked by it."""
        assert viewer.lock(self.lock).status_code == 200
        assert viewer.get().status_code == 200

    def force(self, by: int) -> None:
        """Somebody presses save."""
        headers = {"X-LOOL-WOPI-IsModifiedByUser": "true", "X-LOOL-WOPI-IsAutosave": "false", "X-LOOL-WOPI-IsExitSave": "false"}
        told(put(self.people[by], self.body, self.lock, **headers), 200)

    def close(self, by: int) -> None:
        """Everybody is gone already: seconds later it saves and unlocks with the token of the last one."""
        headers = {"X-LOOL-WOPI-IsModifiedByUser": "true", "X-LOOL-WOPI-IsAutosave": "true", "X-LOOL-WOPI-IsExitSave": "true"}
        told(put(self.people[by], self.body, self.lock, **headers), 200)
        assert self.people[by].lock(self.lock, "UNLOCK").status_code == 200


@dataclass(slots=True)
class Microsoft(Product):
    """All of the table: it looks who has the lock, refreshes it, changes it when somebody else comes to the document, and compares versions."""

    locks: list[str] = field(default_factory=lambda: ['{"S":"1","F":4}'])
    version: str = ""

    def open(self) -> None:
        """The first one."""
        self.version = str(self.people[0].info()["Version"])
        answer = self.people[0].lock(self.locks[-1])
        assert (answer.status_code, answer.headers["X-WOPI-ItemVersion"]) == (200, self.version)
        self.fetch()

    def join(self, by: int) -> None:
        """A co-author: the same session under another lock."""
        old, new = self.locks[-1], f'{{"S":"{len(self.locks) + 1}","F":4}}'
        assert self.people[by].held() == old
        assert self.people[by].lock(new, old=old).status_code == 200
        self.locks.append(new)

    def refresh(self, by: int) -> None:
        """RefreshLock; an old lock does not count any more."""
        assert self.people[by].lock(self.locks[-1], "REFRESH_LOCK").status_code == 200
        assert all(self.people[by].lock(lock, "REFRESH_LOCK").status_code == 409 for lock in self.locks[:-1])

    def save(self, by: int) -> None:
        """PutFile: a new version, which CheckFileInfo tells, too."""
        answer = put(self.people[by], self.body, self.locks[-1])
        told(answer, 200)
        before, self.version = self.version, answer.headers["X-WOPI-ItemVersion"]
        assert self.people[by].info()["Version"] == self.version != before

    def close(self, by: int) -> None:
        """The last one leaves."""
        self.save(by)
        assert self.people[by].lock(self.locks[-1], "UNLOCK").status_code == 200


def in_turn(product: Product) -> cycle[int]:
    """The people of a suite, one after the other."""
    return cycle(range(len(product.people)))
