"""The engine's plain counters in the form that monitors read."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workstation.client.control import Control
from workstation.client.messages import FeedView, Health, RecorderView
from workstation.engine.bus import Bus
from workstation.server.stream import Stream

GAUGES = {
    "rows_per_second": "market rows taken in, each second",
    "waiting": "rows that wait in the channel",
    "loop_lag_ms_p99": "receipt to windows over the last minute, milliseconds",
    "journal_lag_ms": "age of the oldest fact that is not durable, milliseconds",
    "sessions": "sessions in the engine",
    "memory_mb": "resident memory, megabytes",
    "clock_drift_ms": "how far the wall clock has moved against the engine's, milliseconds",
}
COUNTERS = {
    "rows": "market rows taken in",
    "dropped": "rows that a full channel lost",
    "conflated": "quotes that gave way to a newer one",
    "rejected": "values from venues that were refused",
    "journal_rows": "facts written to the journal",
}


class EngineMetrics(Collector):
    """Asks when it is asked; holds no figure itself."""

    def __init__(self, control: Control, bus: Bus, stream: Stream) -> None:
        self._control, self._bus, self._stream = control, bus, stream
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._refused = 0

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def count_refusal(self) -> None:
        self._refused += 1

    def describe(self) -> list[Metric]:
        return []  # otherwise registering would collect, before there is an engine

    def collect(self) -> Iterator[Metric]:
        health = self._control.health()
        for name, meaning in GAUGES.items():
            yield _gauge(name, meaning, getattr(health, name))
        for name, meaning in COUNTERS.items():
            yield _counter(name, meaning, getattr(health, name))
        yield _gauge("problems", "sentences in the problems of /health", len(health.problems))
        yield _gauge("uptime_seconds", "since the engine's start", (health.now_ns - health.started_ns) / 1e9)
        yield from _feeds(health)
        if health.recorder is not None:
            yield from _recorder(health.recorder)
        yield from self._server()

    def _server(self) -> Iterator[Metric]:
        stream = self._stream
        yield _counter("events", "events published", self._bus.sequence)
        yield _gauge("stream_clients", "clients of the event stream", stream.clients)
        yield _gauge("stream_waiting", "events that clients of the stream have yet to take", stream.waiting)
        yield _counter("stream_lost", "events dropped for slow clients", stream.lost)
        yield _counter("stream_conflated", "market data that gave way to newer for slow clients", stream.conflated)
        yield _counter("requests_refused", "requests refused before any route", self._refused)


def _feeds(health: Health) -> Iterator[Metric]:
    def by_venue(family: Metric, value_of: dict[str, float]) -> Metric:
        for venue, value in value_of.items():
            family.add_metric([venue], value)  # type: ignore[attr-defined]
        return family

    def of(name: str) -> dict[str, float]:
        return {feed.venue: float(getattr(feed, name)) for feed in health.feeds}

    states = GaugeMetricFamily("workstation_feed_state", "1 for the feed's present state", labels=["venue", "state"])
    for feed in health.feeds:
        states.add_metric([feed.venue, feed.state], 1.0)
    yield states
    stale = {feed.venue: float(len(feed.stale)) for feed in health.feeds}
    yield by_venue(GaugeMetricFamily("workstation_feed_stale", "symbols with stale quotes", labels=["venue"]), stale)
    for name in ("messages", "reconnects", "rejected"):
        family = CounterMetricFamily(f"workstation_feed_{name}", FeedView.__name__ + "." + name, labels=["venue"])
        yield by_venue(family, of(name))


def _recorder(recorder: RecorderView) -> Iterator[Metric]:
    yield _counter("recorder_rows", "rows given to the recorder", recorder.rows)
    yield _counter("recorder_bytes", "bytes written by the recorder", recorder.bytes)
    yield _gauge("recorder_lag_ms", "age of the oldest row that is not on the disk, milliseconds", recorder.lag_ms)
    missed = recorder.opportunities_missed
    yield _counter("recorder_opportunities_missed", "opportunities that closed and were not written", missed)
    yield _gauge("recorder_failed", "1 while the recorder cannot write", 0.0 if recorder.failure is None else 1.0)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"workstation_{name}", meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"workstation_{name}", meaning, value=value)
