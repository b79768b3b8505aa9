"""What nodes say of documents, people and errors to each other: JSON objects."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from collab import errors
from collab.access import Grant, Person, Role
from collab.dialects import HOCUSPOCUS, YWEBSOCKET
from collab.errors import CollabError, Unavailable
from collab.ports import Stat
from collab.session import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIALECTS = {dialect.name: dialect for dialect in (HOCUSPOCUS, YWEBSOCKET)}
_ERRORS = {name: each for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, CollabError)}

Facts = dict[str, Any]
"""A JSON object of another node, which is one of us."""


def pack(facts: Mapping[str, object]) -> bytes:
    """As it is sent."""
    return json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass")


def unpack(body: bytes) -> Facts:
    """As it was packed; ValueError for anything else."""
    facts = json.loads(body.decode("utf-8", "surrogatepass"))
    if not isinstance(facts, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - a wrong value of the wire
    return facts


def of_stat(stat: Stat) -> Facts:
    """A file."""
    return asdict(stat)


def stat_of(facts: Facts) -> Stat:
    """A file."""
    return Stat(**facts)


def of_error(error: CollabError) -> Facts:
    """An error, by the nearest class that every node knows."""
    name = next((each.__name__ for each in type(error).__mro__ if _ERRORS.get(each.__name__) is each), "Unavailable")
    return {"error": name, "detail": error.detail}


def error_of(facts: Facts) -> CollabError:
    """An error."""
    return _ERRORS.get(str(facts["error"]), Unavailable)(str(facts["detail"]))


def of_grant(grant: Grant) -> Facts:
    """What somebody may do."""
    return {**asdict(grant), "role": grant.role.word}


def grant_of(facts: Facts) -> Grant:
    """What somebody may do."""
    return Grant(**{**facts, "person": Person(**facts["person"]), "role": Role.of(facts["role"])})


def of_peer(peer: Peer, document: str) -> Facts:
    """Somebody who joins a document."""
    return {
        "document": document,
        "person": asdict(peer.person),
        "role": peer.role.word,
        "dialect": peer.dialect.name,
        "address": peer.address.decode("latin-1"),
        "color": peer.color,
        "session": peer.session,
    }


def peer_of(facts: Facts, number: int) -> Peer:
    """Somebody who joins; `number` is the node's own."""
    return Peer(
        number,
        Person(**facts["person"]),
        Role.of(facts["role"]),
        _DIALECTS[facts["dialect"]],
        facts["address"].encode("latin-1"),
        facts["color"],
        str(facts.get("session", "")),
    )
