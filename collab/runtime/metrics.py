"""What is counted: plain numbers that cost nothing to change, and their form for Prometheus (docs/reference/metrics.md)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


class Histogram:
    """How often a number fell under each bound; `bounds` ascend, what is over the last is counted too."""

    __slots__ = ("bounds", "counts", "largest", "total")

    def __init__(self, bounds: tuple[float, ...] = LATENCIES) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.largest = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count `value` as often as told."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times
        self.largest = max(self.largest, value)

    @property
    def count(self) -> int:
        """How many were observed."""
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Prometheus' form: each upper bound with the number at or under it."""
        return list(zip((*map(str, self.bounds), "+Inf"), map(float, accumulate(self.counts)), strict=True))


@dataclass(slots=True)
class Metrics:
    """The numbers of one server; changed on the event loop only."""

    connections: Callable[[], int] = int
    """Gives the connections of rooms that are open now."""
    carried: Callable[[], int] = int
    """Gives those of them that go over plain HTTP."""
    resumed: int = 0
    """Streams over plain HTTP that were cut and went on without losing anything."""
    tasks: Callable[[], int] = int
    """Gives the tasks of the event loop."""
    relayed: Callable[[], int] = int
    """Gives the sessions of sockets here in rooms on other nodes."""
    guests: Callable[[], int] = int
    """Gives the sessions of sockets on other nodes in rooms here."""
    readers: Callable[[], int] = int
    """Gives the readers who are sent changes."""
    renderings: int = 0
    """Documents that were rendered for readers."""
    rooms: int = 0
    """Documents that are open now."""
    memory: int = 0
    """Bytes that they take, estimated."""
    messages: int = 0
    """Messages received from peers."""
    slowed: int = 0
    """Pauses of connections that sent too much."""
    edits: int = 0
    """Updates that peers sent and that were taken."""
    acknowledged: Histogram = field(default_factory=Histogram)
    """Seconds from an edit's arrival to its acknowledgement."""
    saves: Counter[str] = field(default_factory=Counter)
    """Attempts to bring a document into its file, by outcome: `written`, `unchanged`, `merged`, `failed`."""
    rejected: int = 0
    """Bodies of office suites that no document could take; each is kept beside it."""
    failures: Counter[str] = field(default_factory=Counter)
    """What went wrong on our side, by part: `load`, `save`, `archive`, `guard`, `rebuild`, `task`, `request`."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Peers and requests that were refused, by reason (`CollabError.reason`)."""
    journal_pending: Callable[[], int] = int
    """Gives the bytes that wait to be made durable."""
    archive_behind: Callable[[], int] = int
    """Gives the documents of which the archive does not have every version yet."""
    offices: Callable[[], Mapping[str, bool]] = dict
    """Gives for each office suite whether it can be used."""
    loop_stall: Histogram = field(default_factory=Histogram)
    """Seconds that the event loop came late to a timer."""
    loop_held: float = 0.0
    """The most processor seconds for which the event loop was held by one piece of work, of which 20 ms are not counted."""

    def refused(self, reason: str) -> None:
        """Count a refusal."""
        self.refusals[reason] += 1

    def saved(self, outcome: str) -> None:
        """Count a save."""
        self.saves[outcome] += 1

    def failed(self, part: str) -> None:
        """Count a failure of our side."""
        self.failures[part] += 1

    def collect(self) -> Iterator[Metric]:
        """All of it as Prometheus' metric families."""
        yield GaugeMetricFamily("collab_connections", "Connections of rooms that are open.", value=self.connections())
        yield GaugeMetricFamily("collab_connections_http", "Those of them that go over plain HTTP.", value=self.carried())
        yield CounterMetricFamily("collab_streams_resumed", "Streams over plain HTTP that were cut and went on.", value=self.resumed)
        yield GaugeMetricFamily("collab_tasks", "Tasks of the event loop.", value=self.tasks())
        yield GaugeMetricFamily("collab_sessions_relayed", "Sessions of sockets here in rooms on other nodes.", value=self.relayed())
        yield GaugeMetricFamily("collab_sessions_guests", "Sessions of sockets on other nodes in rooms here.", value=self.guests())
        yield GaugeMetricFamily("collab_readers", "Readers who are sent changes.", value=self.readers())
        yield CounterMetricFamily("collab_renderings", "Documents that were rendered for readers.", value=self.renderings)
        yield GaugeMetricFamily("collab_rooms", "Documents that are open.", value=self.rooms)
        yield GaugeMetricFamily("collab_documents_bytes", "Memory that open documents take, estimated.", value=self.memory)
        yield CounterMetricFamily("collab_messages_received", "Messages received from peers.", value=self.messages)
        yield CounterMetricFamily("collab_slowed", "Pauses in reading connections that sent too much.", value=self.slowed)
        yield CounterMetricFamily("collab_edits", "Updates of peers that were taken.", value=self.edits)
        yield _histogram("collab_acknowledgement_seconds", "Time from an edit's arrival to its acknowledgement.", self.acknowledged)
        yield _labelled("collab_saves", "Saves by outcome.", "outcome", self.saves)
        yield CounterMetricFamily("collab_rejected_bodies", "Bodies of office suites that were kept beside.", value=self.rejected)
        yield _labelled("collab_failures", "Failures of the server by part.", "part", self.failures)
        yield _labelled("collab_refusals", "Refused peers and requests by reason.", "reason", self.refusals)
        yield GaugeMetricFamily("collab_journal_pending_bytes", "Bytes that wait to be durable.", value=self.journal_pending())
        yield GaugeMetricFamily("collab_archive_behind", "Documents whose versions wait for the archive.", value=self.archive_behind())
        suites = GaugeMetricFamily(
            "collab_office_suite_up", "Whether the office suite answered the last time, with something to open.", labels=["suite"]
        )
        for suite, up in self.offices().items():
            suites.add_metric([suite], up)
        yield suites
        yield _histogram("collab_event_loop_stall_seconds", "How late the event loop came to a timer.", self.loop_stall)
        yield GaugeMetricFamily("collab_event_loop_stall_max_seconds", "The longest stall since the start.", value=self.loop_stall.largest)
        yield GaugeMetricFamily(
            "collab_event_loop_held_max_seconds",
            "The most processor time that one piece of work held the event loop.",
            value=self.loop_held,
        )


def _histogram(name: str, words: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, words, buckets=histogram.buckets(), sum_value=histogram.total)


def _labelled(name: str, words: str, label: str, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family
