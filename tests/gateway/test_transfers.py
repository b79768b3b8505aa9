"""Bytes to and from the data server, with what real ones do to them."""

from __future__ import annotations

from hashlib import sha1
from random import Random
from typing import TYPE_CHECKING

import pytest

from collab.errors import Changed, Malformed, NotFound, TooLarge, Unauthorized, Unavailable, Unsupported
from collab.gateway.resources import Endpoint, Reference, ResourceId
from gateway.cloud import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from collab.gateway.calls import Gateway
    from collab.gateway.transfers import Transfers
    from gateway import CloudGateway

LARGE = Random(3).randbytes(2**20 + 17)


async def pieces(body: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class Desk:
    """Ann's file, and her token."""

    def __init__(self, cloud: CloudGateway, gateway: Gateway, transfers: Transfers) -> None:
        self.cloud, self.gateway, self.transfers = cloud, gateway, transfers
        self.token = cloud.cloud.token("ann")
        self.ref = Reference(ResourceId.parse(cloud.cloud.root_id("ann")), "work/a.md")

    async def begin(self, body: bytes, *, length: int | None = None, checksum: str | None = None, lock: str = "") -> list[Endpoint]:
        file = await self.gateway.stat(self.token, self.ref)
        digest = sha1(body).hexdigest() if checksum is None else checksum
        size = len(body) if length is None else length
        return await self.gateway.upload(self.token, self.ref, length=size, sha1=digest, if_match=file.etag, lock=lock)

    async def put(self, ways: list[Endpoint], body: bytes, *, lock: str = "") -> str:
        return await self.transfers.upload(
            ways, self.token, pieces(body), length=len(body), about="a.md", lock=lock, holder="collab" if lock else ""
        )

    async def get(self, *, limit: int = 2**22) -> bytes:
        ways = await self.gateway.download(self.token, self.ref)
        return await self.transfers.download(ways, self.token, limit=limit, about="a.md")

    @property
    def body(self) -> bytes:
        return self.cloud.cloud.body("ann", "work/a.md")


@pytest.fixture
def desk(cloud: CloudGateway, gateway: Gateway, transfers: Transfers) -> Desk:
    return Desk(cloud, gateway, transfers)


@pytest.mark.parametrize("body", [b"two", LARGE], ids=["small", "large"])
async def test_what_goes_up_comes_down_with_a_new_etag(desk: Desk, body: bytes) -> None:
    """CS3-7; whatever order the server offers its protocols in."""
    for _ in range(6):
        etag = await desk.put(await desk.begin(body), body)
        assert etag == (await desk.gateway.stat(desk.token, desk.ref)).etag
        assert desk.body == await desk.get() == body
    assert len(await desk.gateway.versions(desk.token, desk.ref)) == 6


async def test_a_file_over_the_limit_is_not_read_to_its_end(desk: Desk) -> None:
    await desk.put(await desk.begin(LARGE), LARGE)
    with pytest.raises(TooLarge):
        await desk.get(limit=1000)


async def test_somebody_else_in_between_is_seen_when_the_bytes_arrive(desk: Desk) -> None:
    """CS3-7."""
    ways = await desk.begin(b"two")
    desk.cloud.cloud.put("ann", "work/a.md", b"theirs")
    with pytest.raises(Changed):
        await desk.put(ways, b"two")
    assert desk.body == b"theirs"


async def test_a_server_that_ignores_conditions_overwrites(desk: Desk) -> None:
    desk.cloud.moods.ignores_if_match = True
    ways = await desk.begin(b"two")
    desk.cloud.cloud.put("ann", "work/a.md", b"theirs")
    await desk.put(ways, b"two")
    assert desk.body == b"two"


@pytest.mark.parametrize(("after", "error"), [("", Changed), ("other", Unavailable)])
async def test_a_lock_that_was_lost_before_the_bytes_came_is_told(desk: Desk, after: str, error: type[Exception]) -> None:
    desk.cloud.cloud.at("ann", "work/a.md").lock = Lock("x", "collab")
    ways = await desk.begin(b"two", lock="x")
    desk.cloud.cloud.at("ann", "work/a.md").lock = Lock(after, "collab") if after else None
    with pytest.raises(error):
        await desk.put(ways, b"two", lock="x")
    assert desk.body == b"one"


async def test_a_lock_that_was_set_in_between_is_told(desk: Desk) -> None:
    ways = await desk.begin(b"two")
    desk.cloud.cloud.at("ann", "work/a.md").lock = Lock("x", "other")
    with pytest.raises(Unavailable):
        await desk.put(ways, b"two")
    assert desk.body == b"one"


async def test_a_body_that_was_damaged_is_not_taken(desk: Desk) -> None:
    """CS3-7."""
    with pytest.raises(Unavailable, match="damaged"):
        await desk.put(await desk.begin(b"two", checksum="0" * 40), b"two")
    assert desk.body == b"one"


async def test_a_body_of_another_length_than_announced_is_not_sent(desk: Desk) -> None:
    """CS3-7; the server would take it: a file that is corrupt, or cut."""
    ways = await desk.begin(b"three")
    for body in (b"two", b"three!"):
        with pytest.raises(Malformed):
            await desk.transfers.upload(ways, desk.token, pieces(body), length=5, about="a.md")
    assert desk.body == b"one"


async def test_an_upload_that_breaks_leaves_the_file(desk: Desk) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"tw"
        raise ConnectionResetError

    ways = await desk.begin(b"two")
    with pytest.raises(ConnectionResetError):
        await desk.transfers.upload(ways, desk.token, broken(), length=3, about="a.md")
    assert desk.body == b"one"


async def test_a_file_in_processing_is_there_later(desk: Desk) -> None:
    desk.cloud.moods.processing = 2
    await desk.put(await desk.begin(b"two"), b"two")
    assert (await desk.gateway.stat(desk.token, desk.ref)).processing
    with pytest.raises(Unavailable):
        await desk.get()
    assert await desk.get() == b"two"
    assert not (await desk.gateway.stat(desk.token, desk.ref)).processing


async def test_a_read_may_be_torn(desk: Desk) -> None:
    await desk.put(await desk.begin(b"twos"), b"twos")
    desk.cloud.moods.torn = 1.0
    assert await desk.get() == b"tne"


async def test_a_transfer_that_the_server_forgot_or_whose_token_is_over_is_told(desk: Desk) -> None:
    ways = await desk.begin(b"two")
    with pytest.raises(Unauthorized):
        await desk.transfers.upload(ways, desk.cloud.cloud.broken_token(), pieces(b"two"), length=3, about="a.md")
    await desk.cloud.restart()
    with pytest.raises((NotFound, Unavailable)):
        await desk.put(ways, b"two")
    assert desk.body == b"one"


async def test_a_data_server_that_is_away_is_unavailable_and_tells_no_address(desk: Desk) -> None:
    """CS3-6."""
    ways = await desk.gateway.download(desk.token, desk.ref)
    await desk.cloud.stop()
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await desk.transfers.download(ways, desk.token, limit=10, about="a.md")
        assert "http" not in str(caught.value)


async def test_an_answer_that_is_lost_is_unavailable_though_the_body_is_there(desk: Desk) -> None:
    ways = await desk.begin(b"two")
    desk.cloud.moods.mute = 1.0
    with pytest.raises(Unavailable):
        await desk.put(ways, b"two")
    assert desk.body == b"two"


async def test_a_server_without_a_plain_protocol_is_told(desk: Desk) -> None:
    with pytest.raises(Unsupported, match="tus"):
        await desk.put([Endpoint("tus", "http://127.0.0.1:9/")], b"two")
