"""ID-8, ID-9, LIMIT-3: who is here, and who says so."""

from __future__ import annotations

import json

import pytest

from collab.access import Person
from collab.awareness import OUTDATED, OWNED, Presence, Speaker, read
from collab.codec import var_string, var_uint
from collab.errors import Malformed, TooLarge

ALICE = Person("a", "Alice")
MALLORY = Person("m", "Mallory")


def message(*entries: tuple[int, int, str]) -> bytes:
    return var_uint(len(entries)) + b"".join(var_uint(client) + var_uint(clock) + var_string(state) for client, clock, state in entries)


def speaker(peer: int = 1, person: Person = ALICE, *, may_own: bool = True) -> Speaker:
    return Speaker(peer, person, "#123456", lambda _: may_own)


def states(data: bytes) -> dict[int, object]:
    return {client: json.loads(state) for client, _, state in read(data)}


def test_the_server_stamps_the_name_and_keeps_what_else_is_said() -> None:
    said = json.dumps({"user": {"name": "The Dean", "color": "#ff0000"}, "cursor": {"anchor": 3}})
    heard = states(Presence().receive(message((7, 1, said)), speaker(), 0.0))
    assert heard == {7: {"user": {"name": "Alice", "id": "a", "color": "#ff0000"}, "cursor": {"anchor": 3}}}


def test_a_state_without_a_user_gets_one_with_a_colour() -> None:
    assert states(Presence().receive(message((7, 1, "{}")), speaker(), 0.0)) == {
        7: {"user": {"name": "Alice", "id": "a", "color": "#123456"}}
    }


def test_nobody_speaks_under_a_client_id_that_another_connection_owns() -> None:
    presence = Presence()
    presence.receive(message((7, 1, "{}")), speaker(), 0.0)
    assert presence.receive(message((7, 5, '{"user":{"name":"x"}}')), speaker(2, MALLORY, may_own=False), 0.0) == b""
    assert presence.receive(message((7, 9, "null")), speaker(2, MALLORY, may_own=False), 0.0) == b""
    assert presence.entries[7].clock == 1


def test_the_same_person_takes_the_client_id_over_with_a_newer_state_only() -> None:
    presence = Presence()
    presence.receive(message((7, 1, "{}")), speaker(), 0.0)
    assert presence.receive(message((7, 1, "{}")), speaker(2), 0.0) == b""
    assert presence.receive(message((7, 2, "{}")), speaker(2), 0.0) != b""
    assert presence.leave(1) == b""
    assert states(presence.leave(2)) == {7: None}


def test_who_leaves_takes_its_states_along_and_a_relayed_state_brings_nobody_back() -> None:
    presence = Presence()
    presence.receive(message((7, 4, "{}")), speaker(), 0.0)
    assert read(presence.leave(1)) == [(7, 5, "null")]
    assert presence.receive(message((7, 4, "{}")), speaker(2), 0.0) == b""
    assert presence.everybody() == b""


def test_an_old_clock_changes_nothing_and_the_same_clock_renews() -> None:
    presence = Presence()
    presence.receive(message((7, 4, '{"a":1}')), speaker(), 0.0)
    assert presence.receive(message((7, 3, '{"a":2}')), speaker(), 10.0) == b""
    assert presence.receive(message((7, 4, '{"a":1}')), speaker(), OUTDATED) == b""
    assert presence.expire(OUTDATED + 1.0) == b""
    assert read(presence.expire(2 * OUTDATED + 1.0)) == [(7, 5, "null")]


def test_the_client_itself_may_say_that_it_is_gone() -> None:
    presence = Presence()
    presence.receive(message((7, 4, "{}")), speaker(), 0.0)
    assert read(presence.receive(message((7, 4, "null")), speaker(), 0.0)) == [(7, 4, "null")]


def test_a_connection_owns_a_bounded_number_of_client_ids() -> None:
    presence = Presence()
    heard = presence.receive(message(*((client, 1, "{}") for client in range(1, 100))), speaker(), 0.0)
    assert len(read(heard)) == OWNED


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        "1",
        '"x"',
        "{'a':1}",
        '{"a":NaN}',
        '{"a":1e999}',
        '{"a":' + "[" * 99 + "]" * 99 + "}",
        "[" * 100_000,
        '{"a":' + "9" * 5000 + "}",
    ],
)
def test_a_state_that_a_browser_could_not_parse_is_malformed(state: str) -> None:
    with pytest.raises(Malformed):
        Presence(2**20).receive(message((7, 1, state)), speaker(), 0.0)


def test_a_lone_surrogate_in_a_state_goes_on_as_an_escape() -> None:
    heard = Presence().receive(message((7, 1, '{"a":"\\ud800"}')), speaker(), 0.0)
    assert b"\\ud800" in heard


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02\x07\x01\x02{}", b"\x01\x07\x01\x02{}x", b"\x01\x07\x01\x01\xff"])
def test_an_awareness_update_is_read_to_its_last_byte(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_an_awareness_message_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        Presence(100).receive(message((7, 1, json.dumps({"a": "x" * 100}))), speaker(), 0.0)
