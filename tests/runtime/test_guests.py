"""WOPI-24: who has a document open in an office suite is seen in its room."""

from __future__ import annotations

import json

from runtime.stage import PATH, Guest, Stage, passing, person, soon

from collab import protocol
from collab.access import color_of
from collab.awareness import read
from collab.codec import Reader, var_string, var_uint
from collab.runtime.guests import MOST, SILENCE

EVE = person("Eve")


def seen(guest: Guest) -> dict[int, dict[str, object]]:
    """Everybody whom a peer sees."""
    found: dict[int, dict[str, object]] = {}
    for message in guest.said:
        reader = Reader(message)
        if reader.var_uint() == 1:
            for client, _, state in read(reader.var_bytes()):
                found.pop(client, None)
                if state != "null":
                    found[client] = json.loads(state)["user"]
    return found


def suites(guest: Guest) -> list[tuple[object, object]]:
    return sorted((user["name"], user["suite"]) for user in seen(guest).values() if "suite" in user)


async def test_who_has_it_open_in_a_suite_is_seen_with_name_colour_and_suite_also_by_who_comes_later(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    document = stage.host().id
    stage.rooms.guests.heard(document, EVE, "collabora")
    await soon()
    assert [*seen(ann).values()] == [{"id": "eve", "name": "Eve", "color": color_of("eve"), "suite": "collabora"}]
    ben = await stage.guest("Ben")
    assert suites(ben) == [("Eve", "collabora")]
    ann.leave()
    ben.leave()
    await passing(60)
    assert stage.rooms.live(document) is None
    assert suites(await stage.guest("Cem")) == [("Eve", "collabora")]


async def test_they_stay_while_the_suite_has_the_document_locked_and_else_until_nobody_hears_of_them(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    guests, document = stage.rooms.guests, stage.host().id
    guests.heard(document, EVE, "collabora")
    guests.heard(document, person("Fay"), "onlyoffice")
    guests.locked(document, "collabora", 1800.0)
    await passing(SILENCE - 20)
    assert suites(ann) == [("Eve", "collabora"), ("Fay", "onlyoffice")]
    await passing(40)
    assert suites(ann) == [("Eve", "collabora")]
    await passing(1800.0)
    assert suites(ann) == []


async def test_they_are_gone_when_the_suite_unlocks(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    guests, document = stage.rooms.guests, stage.host().id
    for name in ("Eve", "Fay"):
        guests.heard(document, person(name), "collabora")
    guests.heard(document, EVE, "onlyoffice")
    guests.unlocked(document, "collabora")
    await soon()
    assert suites(ann) == [("Eve", "onlyoffice")]


async def test_they_are_shown_again_before_clients_forget_them(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    stage.rooms.guests.heard(stage.host().id, EVE, "collabora")
    await soon()
    before = len(ann.said)
    await passing(30)
    later = [message for message in ann.said[before:] if message[0] == 1 and len(message) > 3]
    assert len(later) >= 2


async def test_nobody_says_that_it_is_in_a_suite_or_speaks_for_somebody_who_is(stage: Stage) -> None:
    ann, eve = await stage.guest("Ann"), await stage.guest("Mallory")
    stage.rooms.guests.heard(stage.host().id, EVE, "collabora")
    await soon()
    (client,) = seen(ann)
    forged = '{"user":{"name":"Eve","suite":"collabora"}}'
    eve.show(forged)
    for clock in (2, 1000):
        for state in (forged, "null"):
            eve.send(protocol.awareness(var_uint(1) + var_uint(client) + var_uint(clock) + var_string(state)))
    await soon()
    assert suites(ann) == [("Eve", "collabora")]
    assert {user["name"] for user in seen(ann).values()} == {"Eve", "Mallory"}


async def test_there_are_so_many_at_most(stage: Stage) -> None:
    ann = await stage.guest("Ann")
    for number in range(2 * MOST):
        stage.rooms.guests.heard(stage.host().id, person(f"P{number}"), "collabora")
    await soon()
    assert len(suites(ann)) == MOST
    assert stage.host().stat.path == PATH
