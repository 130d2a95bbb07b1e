"""What `workstation data quality --metrics` prints: Prometheus' text format, for a monitor that reads files."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workstation.history.quality import SeriesQuality
from workstation.model.durations import SECOND_NS

LABELS = ("kind", "venue", "symbol", "interval")
COUNTS = {
    "rows": "rows of the series",
    "gaps": "silences that are gaps, or missing bars in a row",
    "duplicates": "bars of one opening, trades of one id, quotes equal to the row above",
    "out_of_order": "rows whose venue time is before that of a row received earlier",
    "crossed": "a bid over its ask, a high or low that does not hold open and close",
    "zero_prices": "prices that are not over 0",
    "outliers": "prices far from those around them",
    "frozen": "stretches in which the price stood still",
    "faults": "rows that cannot be right, and files that cannot be read",
}
SECONDS = {
    "missing": "time in gaps",
    "longest_frozen": "the longest stretch in which the price stood still",
    "clock_offset": "median of receipt minus the venue's time",
    "age": "since the last row",
}


class _Found(Collector):
    def __init__(self, found: Sequence[SeriesQuality]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        for name, meaning in COUNTS.items():
            yield self._family(name, meaning, [getattr(one, name) for one in self._found])
        yield self._family("coverage_ratio", "share of the time that lies in no gap", [o.coverage for o in self._found])
        for name, meaning in SECONDS.items():
            lengths = [getattr(one, f"{name}_ns") for one in self._found]
            in_seconds = [None if length is None else length / SECOND_NS for length in lengths]
            yield self._family(f"{name}_seconds", meaning, in_seconds)

    def _family(self, name: str, meaning: str, values: Sequence[float | None]) -> Metric:
        """What is not known of a series has no line, and is never 0."""
        family = GaugeMetricFamily(f"workstation_data_{name}", meaning, labels=LABELS)
        for one, value in zip(self._found, values, strict=True):
            if value is not None:
                key = one.series.key
                family.add_metric([str(one.series.kind), key.venue, key.symbol, one.interval or ""], value)
        return family


def metrics_text(found: Sequence[SeriesQuality]) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Found(found))
    return generate_latest(registry).decode()
