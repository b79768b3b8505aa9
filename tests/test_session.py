"""WIRE-8: what waits before a document is joined is bounded, and roles say who writes."""

from __future__ import annotations

import pytest

from collab.access import Person, Role
from collab.dialects import HOCUSPOCUS
from collab.errors import TooLarge, TooMany
from collab.protocol import Kind
from collab.session import Joining, Limits, Peer


@pytest.mark.parametrize(("role", "writes"), [(Role.VIEWER, False), (Role.EDITOR, True), (Role.OWNER, True)])
def test_editors_and_owners_write(role: Role, *, writes: bool) -> None:
    assert Peer(1, Person("ann", "Ann"), role, HOCUSPOCUS, b"").writes == writes


def test_messages_wait_in_their_order() -> None:
    joining = Joining(Limits(queue=10, queue_messages=3))
    messages = [(Kind.STEP1, b"1234"), (Kind.AWARENESS, b""), (Kind.UPDATE, b"567890")]
    for message in messages:
        joining.add(message)
    assert joining.queue == messages


def test_one_byte_too_many_is_too_large() -> None:
    joining = Joining(Limits(queue=10))
    joining.add((Kind.UPDATE, b"1234567890"))
    with pytest.raises(TooLarge):
        joining.add((Kind.UPDATE, b"1"))


def test_one_message_too_many_is_too_many() -> None:
    joining = Joining(Limits(queue_messages=2))
    joining.add((Kind.UPDATE, b""))
    joining.add((Kind.UPDATE, b""))
    with pytest.raises(TooMany):
        joining.add((Kind.UPDATE, b""))
    assert len(joining.queue) == 2
