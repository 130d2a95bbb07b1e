"""Where a series lies on disk: the names of its folders, and which partition a moment belongs to.

    kind=bars/venue=binance/symbol=BTC%2FUSDT/interval=1h/date=2024/<name>.parquet
    kind=bars/venue=binance/symbol=BTC%2FUSDT/interval=1m/date=2024-08/<name>.parquet
    kind=quotes/venue=binance/symbol=BTC%2FUSDT/date=2024-08-08/<name>.parquet
    kind=opportunities/venue=binance~okx/symbol=BTC%2FUSDT/date=2024-08/<name>.parquet

Bars have longer partitions than quotes: a year from 1h on, a month below. A day of hourly bars is 24 rows, and a file
per day would make ten years of one symbol 3,650 files of a kilobyte. Funding rates, of which a day has three, lie by
the year, opportunities of two venues by the month.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

import numpy as np

from workstation.errors import BadInput
from workstation.history.pairs import sides_of_pair
from workstation.model.durations import HOUR_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.model.market import (
    IntArray,
    interval_label,
    interval_ns,
)


class HistoryKind(StrEnum):
    BARS = "bars"
    QUOTES = "quotes"
    TRADES = "trades"
    BOOKS = "books"
    MARKS = "marks"
    FUNDING = "funding"
    SPREADS = "spreads"
    OPPORTUNITIES = "opportunities"


PAIR_KINDS = frozenset({HistoryKind.SPREADS, HistoryKind.OPPORTUNITIES})
"""Found between two instruments, and kept as tables: no market rows, so they are not replayed, judged or imported."""


def require_market_rows(kind: HistoryKind) -> None:
    """Raises BadInput for a kind that has none."""
    if kind in PAIR_KINDS:
        raise BadInput(f"{kind}: found between two venues, no market rows: read them as a table, see `ws.history`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One stored series: what, where traded, and for bars how long each is. Raises BadInput for an impossible one.

    Of a pair the key is `pairs.pair_key`'s.
    """

    kind: HistoryKind
    key: InstrumentKey
    interval_ns: int | None = None

    def __post_init__(self) -> None:
        if self.kind in PAIR_KINDS:
            sides_of_pair(self.key)
        else:
            checked_key(*self.key)
        if (self.kind is HistoryKind.BARS) == (self.interval_ns is None):
            raise BadInput(f"{self.kind} of {self.key}: interval {self.interval_ns}: bars have one, other kinds none")
        if self.interval_ns is not None:
            interval_label(self.interval_ns)

    def __str__(self) -> str:
        interval = "" if self.interval_ns is None else f" {interval_label(self.interval_ns)}"
        return f"{self.kind} {self.key}{interval}"

    @property
    def sides(self) -> tuple[InstrumentKey, InstrumentKey]:
        """Of a pair. Raises BadInput for another series."""
        return sides_of_pair(self.key)

    @property
    def folder(self) -> Path:
        """Relative to the root of the history."""
        folder = Path(f"kind={self.kind}", f"venue={self.key.venue}", f"symbol={quote(self.key.symbol, safe='')}")
        return folder if self.interval_ns is None else folder / f"interval={interval_label(self.interval_ns)}"

    @property
    def as_options(self) -> str:
        """The series as a person types it: --kind, --venue, --symbol and for bars --interval."""
        options = f"--kind {self.kind} --venue {self.key.venue} --symbol {self.key.symbol}"
        return options if self.interval_ns is None else f"{options} --interval {interval_label(self.interval_ns)}"

    @property
    def period(self) -> Literal["Y", "M", "D"]:
        """The length of a partition, as numpy's unit of dates."""
        if self.interval_ns is None:
            return _PERIODS.get(self.kind, "D")
        return "Y" if self.interval_ns >= HOUR_NS else "M"


_PERIODS: dict[HistoryKind, Literal["Y", "M"]] = {HistoryKind.FUNDING: "Y", HistoryKind.OPPORTUNITIES: "M"}


def series_of_folder(folder: Path) -> Series:
    """The series that lies in `folder` (relative to the root). Raises BadInput for a folder of another form."""
    parts = dict(part.partition("=")[::2] for part in folder.parts)
    try:
        key = InstrumentKey(Venue(parts["venue"]), Symbol(unquote(parts["symbol"])))
        interval = interval_ns(parts["interval"]) if "interval" in parts else None
        return Series(kind=HistoryKind(parts["kind"]), key=key, interval_ns=interval)
    except (KeyError, ValueError) as error:
        raise BadInput(f"history folder {folder}: {error}: expected kind=/venue=/symbol=[/interval=]") from None


def partition_of(ts_ns: int, period: Literal["Y", "M", "D"]) -> str:
    """The label of the partition in which `ts_ns` lies: "2024", "2024-08" or "2024-08-08", in UTC."""
    return str(np.datetime64(ts_ns, "ns").astype(f"datetime64[{period}]"))


def partition_end_ns(label: str, period: Literal["Y", "M", "D"]) -> int:
    """The first nanosecond after the partition."""
    return int((np.datetime64(label, period) + 1).astype("datetime64[ns]").astype(np.int64))


def partition_slices(times: IntArray, period: Literal["Y", "M", "D"]) -> Iterator[tuple[str, int, int]]:
    """Label, first row and row after the last of each partition that sorted `times` touch."""
    start = 0
    while start < len(times):
        label = partition_of(int(times[start]), period)
        stop = int(np.searchsorted(times, partition_end_ns(label, period)))
        yield label, start, stop
        start = stop
