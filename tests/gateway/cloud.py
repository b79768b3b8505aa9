"""What the tests' cloud has: users, spaces, files with their etags, versions, locks, metadata and shares, bins. All of it outlives the gateway."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "the cloud's own secret, which signs its tokens"
MACHINE = "machine-secret"
EVERYTHING = frozenset(
    [
        "stat",
        "list_container",
        "initiate_file_download",
        "initiate_file_upload",
        "create_container",
        "delete",
        "move",
        "add_grant",
        "list_grants",
        "list_file_versions",
        "restore_file_version",
        "list_recycle",
        "restore_recycle_item",
        "purge_recycle",
        "get_path",
        "get_quota",
    ]
)
READING = frozenset(["stat", "list_container", "initiate_file_download", "get_path", "get_quota", "list_grants"])
ROLES = {
    "manager": EVERYTHING,
    "editor": EVERYTHING - {"add_grant", "purge_recycle"},
    "viewer": READING,
    "uploader": frozenset({"stat", "list_container", "initiate_file_upload", "create_container"}),
    "secure-viewer": frozenset({"stat", "list_container", "get_path"}),
}
"""What each role of a share or a link allows: fields of CS3's `ResourcePermissions`."""


@dataclass(eq=False)
class Lock:
    """As it was set. `until` in UTC seconds, None: for ever."""

    id: str
    application: str = ""
    user: str = ""
    until: float | None = None
    type: int = 2


@dataclass(eq=False)
class Version:
    """A body of before."""

    key: str
    body: bytes
    etag: str
    mtime: float


@dataclass(eq=False)
class Node:
    """A file, or a folder (`body` None)."""

    id: str
    name: str
    parent: Node | None
    body: bytes | None
    etag: str
    mtime: float
    children: dict[str, Node] = field(default_factory=dict)
    lock: Lock | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    shares: dict[str, str] = field(default_factory=dict)
    """Roles by the name of a user."""
    writable: bool = True
    processing: int = 0
    former: bytes = b""

    @property
    def folder(self) -> bool:
        return self.body is None

    @property
    def sha1(self) -> str:
        return sha1(self.body or b"").hexdigest()

    def path(self) -> str:
        """Under the space's root."""
        parts = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return "/".join(reversed(parts))

    def above(self) -> Iterator[Node]:
        """Itself and what it is in."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def below(self) -> Iterator[Node]:
        """Itself and all in it."""
        yield self
        for child in self.children.values():
            yield from child.below()


@dataclass(eq=False)
class Binned:
    """What was deleted, and where it was."""

    node: Node
    path: str
    at: float


@dataclass(eq=False)
class Space:
    """A tree with members."""

    id: str
    name: str
    kind: str
    owner: str
    root: Node
    members: dict[str, str]
    quota: int | None = None
    """Bytes that its files may have together."""
    bin: dict[str, Binned] = field(default_factory=dict)

    def used(self) -> int:
        return sum(len(node.body or b"") for node in self.root.below())


@dataclass(eq=False)
class Person:
    """A user."""

    name: str
    display: str
    password: str
    kind: int = 1
    groups: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Link:
    """A public link."""

    token: str
    node: Node
    space: Space
    role: str
    owner: str
    expires: float | None = None
    password: str = ""
    creator: str = ""


@dataclass(eq=False)
class Given:
    """What a user or a group was given over the wire."""

    id: str
    node: Node
    subject: str
    group: bool
    rights: frozenset[str]
    expires: float | None
    creator: str


@dataclass(frozen=True)
class Caller:
    """Whose token it is; `link`: of a guest of that link, who has the owner's name."""

    name: str
    link: Link | None = None


class Cloud:
    """See the package's words. `clock` gives UTC seconds."""

    ROLES = ROLES

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.storage = "storage-1"
        self.people: dict[str, Person] = {}
        self.spaces: dict[str, Space] = {}
        self.links: dict[str, Link] = {}
        self.given: dict[str, Given] = {}
        self.over: set[str] = set()
        """Tokens that are not taken any more, whatever they say of themselves."""
        self.numbers = itertools.count(1)
        self.nodes: dict[str, Node] = {}

    # --- people and tokens

    def add_user(self, name: str, display: str = "", *, password: str = "pw") -> Person:
        """Somebody, with a personal space of that name."""
        person = self.people[name] = Person(name, display or name.capitalize(), password)
        self.add_space(name, owner=name, kind="personal")
        return person

    def token(self, name: str, *, lifetime: float = 86_400.0, link: str = "") -> str:
        """What signs in as that user, for so many seconds; of a link's guest when `link` is its token."""
        claims: dict[str, Any] = {"sub": name, "aud": "reva", "exp": int(self.clock() + lifetime), "jti": str(next(self.numbers))}
        if link:
            claims["link"] = link
        return jwt.encode(claims, SECRET, "HS256")

    @staticmethod
    def broken_token() -> str:
        """Signed by somebody else."""
        return jwt.encode({"sub": "ann", "exp": 2**33}, "another secret, which is just as long as that", "HS256")

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None: nobody's, or over."""
        try:
            claims = jwt.decode(token, SECRET, ["HS256"], options={"verify_exp": False, "verify_aud": False})
        except jwt.InvalidTokenError:
            return None
        if token in self.over or claims["exp"] <= self.clock() or claims["sub"] not in self.people:
            return None
        if "link" not in claims:
            return Caller(claims["sub"])
        link = self.links.get(claims["link"])
        if link is None or (link.expires is not None and link.expires <= self.clock()):
            return None
        return Caller(link.owner, link)

    # --- spaces, shares, links

    def add_space(self, name: str, *, owner: str, kind: str = "project", members: dict[str, str] | None = None) -> Space:
        """A space; its owner is its manager."""
        identity = f"space-{next(self.numbers)}"
        root = self._node("", None, None, identity)
        space = self.spaces[identity] = Space(identity, name, kind, owner, root, {owner: "manager", **(members or {})})
        return space

    def space(self, name: str) -> Space:
        """The space of this name."""
        return next(space for space in self.spaces.values() if space.name == name)

    def space_of(self, node: Node) -> Space:
        """Where it is, or was."""
        *_, root = node.above()
        return next(
            space for space in self.spaces.values() if space.root is root or any(binned.node is root for binned in space.bin.values())
        )

    def root_id(self, space: str) -> str:
        """The id of a space's root, as `COLLAB_CS3_ROOT` takes it."""
        found = self.space(space)
        return f"{self.storage}${found.id}!{found.root.id}"

    def share(self, space: str, path: str, user: str, role: str) -> None:
        """Give a user a role on a file or a folder; again: another one."""
        self.at(space, path).shares[user] = role

    def unshare(self, space: str, path: str, user: str) -> None:
        """Take it away."""
        self.at(space, path).shares.pop(user, None)

    def link(self, space: str, path: str, role: str, *, expires: float | None = None, password: str = "") -> Link:
        """A public link; its guests sign in with its token."""
        found = self.space(space)
        link = Link(f"link{next(self.numbers)}", self.at(space, path), found, role, found.owner, expires, password)
        self.links[link.token] = link
        return link

    def allowed(self, caller: Caller, node: Node) -> frozenset[str]:
        """What the caller may really do there."""
        space = self.space_of(node)
        above = list(node.above())
        if caller.link is not None:
            rights = ROLES[caller.link.role] if caller.link.node in above else frozenset()
        else:
            roles = [space.members.get(caller.name), *(each.shares.get(caller.name) for each in above)]
            rights = frozenset().union(*(ROLES[role] for role in roles if role), *self._given(caller, above))
        if not node.writable:
            rights &= READING
        return rights

    def _given(self, caller: Caller, above: list[Node]) -> Iterator[frozenset[str]]:
        groups = self.people[caller.name].groups
        for each in self.given.values():
            mine = each.subject in groups if each.group else each.subject == caller.name
            if mine and each.node in above and (each.expires is None or each.expires > self.clock()):
                yield each.rights

    def shown(self, caller: Caller, node: Node) -> frozenset[str]:
        """What Stat says that the caller may do: the guest of a link looks like the owner."""
        if caller.link is not None and self.allowed(caller, node):
            return EVERYTHING
        return self.allowed(caller, node)

    # --- files, from outside

    def put(self, space: str, path: str, body: bytes) -> Node:
        """A file with this body, whatever was there; folders around it are made."""
        *folders, name = path.split("/")
        parent = self.space(space).root
        for folder in folders:
            parent = parent.children.get(folder) or self.make(parent, folder)
        node = parent.children.get(name)
        if node is None:
            return self._node(name, parent, body)
        self.write(node, body)
        return node

    def make(self, parent: Node, name: str) -> Node:
        """An empty folder."""
        return self._node(name, parent, None)

    def create(self, parent: Node, name: str, body: bytes) -> Node:
        """A new file."""
        return self._node(name, parent, body)

    def find(self, space: Space, path: str) -> Node | None:
        """What is there."""
        node: Node | None = space.root
        for part in path.split("/") if path else []:
            node = node.children.get(part) if node is not None and node.folder else None
        return node

    def at(self, space: str, path: str) -> Node:
        """What is there; KeyError."""
        node = self.find(self.space(space), path)
        if node is None:
            raise KeyError(path)
        return node

    def body(self, space: str, path: str) -> bytes:
        """The bytes of a file; KeyError."""
        node = self.at(space, path)
        assert node.body is not None
        return node.body

    def write(self, node: Node, body: bytes) -> None:
        """A new body, etag and version, also for the same bytes."""
        assert node.body is not None
        node.versions.append(Version(f"{node.id}.REV.{next(self.numbers):012d}", node.body, node.etag, node.mtime))
        node.former, node.body, node.mtime, node.etag = node.body, body, self.clock(), self.fresh_etag()

    def move(self, node: Node, parent: Node, name: str) -> None:
        """Another place; the id and the etag stay. What is there already is gone."""
        assert node.parent is not None
        del node.parent.children[node.name]
        node.parent, node.name = parent, name
        parent.children[name] = node

    def delete(self, node: Node) -> str:
        """Into the bin of its space; the key there."""
        space, path = self.space_of(node), node.path()
        assert node.parent is not None
        del node.parent.children[node.name]
        node.parent = None
        space.bin[node.id] = Binned(node, path, self.clock())
        return node.id

    def restore(self, space: Space, key: str, parent: Node, name: str) -> None:
        """Out of the bin."""
        node = space.bin.pop(key).node
        node.parent, node.name = parent, name
        parent.children[name] = node

    def purge(self, space: Space, key: str) -> None:
        """Out of the bin, for good."""
        for node in space.bin.pop(key).node.below():
            self.nodes.pop(node.id, None)

    def binned(self, node: Node) -> bool:
        """Whether it is in a bin."""
        *_, root = node.above()
        return not any(space.root is root for space in self.spaces.values())

    def lock_of(self, node: Node) -> Lock | None:
        """The lock that holds now."""
        if node.lock is not None and node.lock.until is not None and node.lock.until <= self.clock():
            return None
        return node.lock

    def fresh_etag(self) -> str:
        """With the double quotes inside."""
        return f'"{next(self.numbers):032x}"'

    def _node(self, name: str, parent: Node | None, body: bytes | None, identity: str = "") -> Node:
        node = Node(identity or f"node-{next(self.numbers)}", name, parent, body, self.fresh_etag(), self.clock())
        if parent is not None:
            parent.children[name] = node
        self.nodes[node.id] = node
        return node
