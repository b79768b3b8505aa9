"""RIGHTS-1, RIGHTS-3: what real clients see of rights that change while they type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from interop.peer import CLIENTS, HOCUSPOCUS
from permitting import permitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.conftest import Peers
    from permitting import Permitted


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Permitted]:
    with permitting(tmp_path_factory.mktemp("rights"), COLLAB_SAVE_DELAY="0.3") as served:
        yield served


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_right_that_goes_and_comes_back_while_somebody_types_costs_nobody_a_word(
    client: str, server: Permitted, peers: Peers
) -> None:
    name, ann = f"{client}.md", f"ann {client}"
    server.write(name, "start\n")
    typist = await (await peers(client, server, name, token=server.token(ann))).synced()
    other = await (await peers("hocuspocus-3", server, name, token=server.token(f"bob {client}"))).synced()
    await typist.insert(0, "1")
    await other.reads("1start\n")
    # What this one is told, counts for all of the same person.
    told = await (await peers("hocuspocus-3", server, name, token=server.token(ann))).synced()

    server.permit(**{ann: "viewer"})
    await told.until(lambda: told.of()["scope"] == "readonly")
    await typist.insert(0, "2")
    if client in HOCUSPOCUS:
        await typist.until(lambda: typist.of()["scope"] == "readonly")
    else:
        await typist.until(lambda: typist.refused)
    await other.insert(other.text.index("start"), "3")
    await typist.until(lambda: "3" in typist.text)
    assert typist.of()["connected"]
    assert "2" not in other.text

    server.permit()
    await other.until(lambda: other.text == typist.text)
    await typist.insert(0, "4")
    await other.until(lambda: other.text == typist.text and other.text.startswith("4"))
    await server.shows(name, other.text)
    assert other.text.count("1") == other.text.count("2") == other.text.count("3") == other.text.count("4") == 1
    assert other.codes == []


@pytest.mark.parametrize("client", CLIENTS)
async def test_access_that_is_taken_back_ends_the_document_with_its_reason_and_nobody_elses(
    client: str, server: Permitted, peers: Peers
) -> None:
    name, ann = f"{client}-gone.md", f"eve {client}"
    server.write(name, "start\n")
    typist = await (await peers(client, server, name, token=server.token(ann))).synced()
    other = await (await peers("hocuspocus-3", server, name, token=server.token(f"bob {client}"))).synced()

    server.permit(**{ann: "none"})
    await typist.denied("forbidden")
    await typist.insert(0, "unheard")
    await other.insert(0, "1")
    await other.stored()
    await server.shows(name, "1start\n")
    assert (other.text, other.codes) == ("1start\n", [])
