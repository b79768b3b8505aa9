"""NODES-6: the worker of a document."""

from __future__ import annotations

from collections import Counter

from collab.cluster.fixed import FixedPlacement, worker_of

NAMES = [f"id:{number}" for number in range(4000)]


async def test_every_worker_says_the_same_and_each_has_its_share() -> None:
    workers = [FixedPlacement(index, 4, "unix:/state/{}.sock".format) for index in range(4)]
    for name in NAMES[:100]:
        (place,) = {await worker.claim(name) for worker in workers}
        assert place.address == f"unix:/state/{worker_of(name, 4)}.sock"
    shares = Counter(worker_of(name, 4) for name in NAMES)
    assert all(800 < share < 1200 for share in shares.values()), shares
    assert await workers[1].others() == {f"worker-{index}": f"unix:/state/{index}.sock" for index in (0, 2, 3)}


def test_one_worker_more_takes_its_share_and_moves_nothing_else() -> None:
    moved = {worker_of(name, 5) for name in NAMES if worker_of(name, 5) != worker_of(name, 4)}
    assert moved == {4}
