"""What supervisors ask: alive, ready, and how it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collab.errors import Draining, Unavailable
from collab.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from collab.runtime.metrics import Metrics


class _Collected(Collector):
    """Our numbers, for the registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.collect()


@dataclass(slots=True)
class Health:
    """The routes `/healthz`, `/readyz`, `/metrics`. `trouble` tells why nothing can be made durable just now, or None; `archive`, what is wrong with
    the archive, without which people edit and save all the same; `weakness`, why what was acknowledged may be gone after a crash; `offices`, the names
    of office suites that cannot be used; `offer`, why a cloud does not offer our applications, or None.
    """

    metrics: Metrics
    trouble: Callable[[], str | None]
    archive: Callable[[], str | None] = lambda: None
    weakness: Callable[[], str | None] = lambda: None
    offices: Callable[[], Sequence[str]] = tuple
    offer: Callable[[], str | None] = lambda: None
    draining: bool = False
    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))

    def __post_init__(self) -> None:
        self.registry.register(_Collected(self.metrics))
        ProcessCollector(registry=self.registry)

    def routes(self) -> list[Route]:
        """What Starlette routes."""
        return [
            Route("/healthz", self.alive, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.numbers, methods=["GET"]),
        ]

    def drain(self) -> None:
        """From now on the server is not ready: it is about to stop."""
        self.draining = True

    async def alive(self, request: Request) -> Response:
        """The process answers."""
        del request
        return PlainTextResponse("alive\n", headers={"Cache-Control": "no-store"})

    async def ready(self, request: Request) -> Response:
        """Whether to send people here: 503 while the server drains, or can store nothing."""
        del request
        trouble = self.trouble()
        if self.draining:
            return Problem.of(Draining("the server is about to stop"))
        if trouble is not None:
            return Problem.of(Unavailable(f"nothing can be stored: {trouble}"))
        return PlainTextResponse("".join(("ready", *self._flaws())) + "\n", headers={"Cache-Control": "no-store"})

    def _flaws(self) -> Iterator[str]:
        """What does not work, although people can edit and save. Where the database is, is not for everybody: the log says more."""
        flaws = []
        if self.archive() is not None:
            flaws.append("the archive takes nothing: no history, and new versions wait")
        weakness = self.weakness()
        if weakness is not None:
            flaws.append(f"words are received, not stored, until they are in the file: {weakness}")
        away = self.offices()
        if away:
            flaws.append(f"nothing opens in {', '.join(away)}")
        if self.offer() is not None:
            flaws.append("the cloud does not offer our applications")
        return (f"{'; and' if number else ', but'} {flaw}" for number, flaw in enumerate(flaws))

    async def numbers(self, request: Request) -> Response:
        """All numbers in Prometheus' text format."""
        del request
        return Response(generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
