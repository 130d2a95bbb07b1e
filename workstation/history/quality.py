"""Data quality: what each stored series has and lacks, in figures, from one pass over its rows in bounded memory.

gaps           Bars: openings that are missing on the grid. Quotes and trades: silences of over a minute that are ten
               times as long as 99 in 100 distances between two rows; a quote that did not change for a while is none.
coverage       1 - time in gaps / time between first and last row, for the whole and for each UTC day.
duplicates     Bars of one opening, trades of one id (unknown without ids), a quote equal to the row above.
out of order   Rows whose venue time is before that of a row received earlier; bars received before an earlier one.
crossed, zero  Bid over ask; high and low that do not hold open and close. A price not finite and over 0.
outliers       Prices over 10 mean absolute deviations from the median of the 50 rows around, itself left out.
frozen         20 rows or more of one price, over 10 minutes (bars: 20 flat ones); a silence counts a minute at most.
clock offset   Median of receipt minus venue time, within 0.1 %.

Of a book the best level is looked at, and counted as its row; of funding rates only their times.

The rule for outliers is Q4 of Barndorff-Nielsen, Hansen, Lunde and Shephard, "Realized kernels in practice: trades and
quotes", Econometrics Journal 12 (2009), C1-C32, for mid, price or close. In a quiet market its deviation is 0, so a
price must also be a part in a thousand away, which is the role of the granularity in Brownlees and Gallo, "Financial
econometric analysis at ultra-high frequency", Computational Statistics and Data Analysis 51 (2006), 2232-2245.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from workstation.errors import BadInput, HistoryMissing
from workstation.history.calendars import Calendar, sessions_of
from workstation.history.day_coverage import DayCoverage, day_coverage, within
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import PAIR_KINDS, HistoryKind, Series
from workstation.history.ordered_rows import ordered_rows
from workstation.history.quality_kernel import (
    BUCKETS,
    FROZEN_ROWS,
    STATE,
    WINDOW,
    bucket_middle,
    end_frozen,
    judge_last,
    look_at,
)
from workstation.history.segments import Segment
from workstation.history.store import HistoryStore
from workstation.history.trade_ids import repeated_ids
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.market import (
    MARKET_ROW,
    IntArray,
    RowKind,
    Rows,
    interval_label,
)

LONG_RANK, LONG_TIMES = 0.99, 10
"""A silence of so many times this quantile of the distances between two rows is a gap. Of waiting times as chance has
them (exponential) one in 10^20 is so long; the median would call quiet minutes gaps, since ticks come in bursts."""
LEAST_GAP_NS = MINUTE_NS
FROZEN_NS = 10 * MINUTE_NS
OUTLIER_DEVIATIONS = 10.0
SHOWN_GAPS = 10
LEAST_OUTLIER = 0.001
"""No price nearer to its neighbours' median than this fraction is an outlier."""

HAVE_SIDES = frozenset({HistoryKind.QUOTES, HistoryKind.BARS, HistoryKind.BOOKS})
"""Kinds whose rows may be crossed: a bid above its ask, a low above its high."""

OnRows = Callable[[int, int], None]
"""Told how many rows were looked at, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Nothing is stored from `start_ns` to `end_ns`."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuality:
    """One series in figures; times in ns UTC. None is unknown: no such clock, no ids, no such thing for the kind."""

    series: Series
    rows: int
    start_ns: int
    end_ns: int
    """Of the last row; of bars, when the last one ended."""
    gap_limit_ns: int
    """A silence over this is a gap; of bars any missing one is."""
    gaps: int
    longest_gaps: tuple[Gap, ...]
    """At most SHOWN_GAPS, the longest first."""
    missing_ns: int
    """Time in gaps."""
    coverage: float
    age_ns: int
    duplicates: int | None
    out_of_order: int
    crossed: int | None
    zero_prices: int
    outliers: int
    frozen: int
    longest_frozen_ns: int
    clock_offset_ns: int | None
    """Median of receipt minus the venue's time; below 0 the receiver's clock was behind."""
    days: tuple[DayCoverage, ...]
    damaged: tuple[str, ...] = ()
    """Files that could not be read, and why; their rows are in no figure."""

    @property
    def name(self) -> str:
        return str(self.series)

    @property
    def interval(self) -> str | None:
        return None if self.series.interval_ns is None else interval_label(self.series.interval_ns)

    @property
    def missing_bars(self) -> int | None:
        length_ns = self.series.interval_ns
        return None if length_ns is None else self.missing_ns // length_ns

    @property
    def faults(self) -> int:
        """Rows that cannot be right; gaps, outliers and still prices may be the market's own."""
        counted = (self.duplicates or 0) + (self.crossed or 0) + self.out_of_order + self.zero_prices
        return counted + len(self.damaged)


def history_quality(
    store: HistoryStore,
    *,
    now_ns: int,
    series: Iterable[Series] | None = None,
    gap_ns: int | None = None,
    calendar: Calendar = Calendar.UTC,
    on_rows: OnRows | None = None,
) -> list[SeriesQuality]:
    """Every series of a history, or those named, by kind, venue and symbol; what was found between venues is not
    judged, their quotes are. `gap_ns` is the limit of silences; while the market of the `calendar` is closed nothing is
    missing.

    A file that cannot be read is told of in `damaged`. Raises HistoryMissing for a named series that is not there,
    BadInput for a limit below a second.
    """
    return list(each_quality(store, now_ns=now_ns, series=series, gap_ns=gap_ns, calendar=calendar, on_rows=on_rows))


def each_quality(
    store: HistoryStore,
    *,
    now_ns: int,
    series: Iterable[Series] | None = None,
    gap_ns: int | None = None,
    calendar: Calendar = Calendar.UTC,
    on_rows: OnRows | None = None,
    with_logs: bool = True,
) -> Iterator[SeriesQuality]:
    """As `history_quality`, one series after the other, each as soon as it is known; files alone without the logs."""
    if gap_ns is not None and gap_ns < 10**9:
        raise BadInput(f"gap_ns {gap_ns}: expected a second or more")
    stored = {one: segments for one, segments in (store.stored() if with_logs else store.files()).items() if segments}
    wanted = [one for one in (sorted(stored, key=str) if series is None else series) if one.kind not in PAIR_KINDS]
    missing = [one for one in wanted if one not in stored]
    if missing:
        others = ", ".join(str(one) for one in sorted(stored, key=str)[:5]) or "nothing"
        raise HistoryMissing(f"{missing[0]}: not stored in {store.root} (stored are: {others})")
    total = sum(segment.rows for one in wanted for segment in stored[one])
    looking = _Looking(total, on_rows)
    for one in wanted:
        yield _quality(store, one, stored[one], now_ns, gap_ns, calendar, looking)


@dataclass(slots=True)
class _Looking:
    """How far all series together are."""

    total: int
    on_rows: OnRows | None
    done: int = 0

    def took(self, rows: int) -> None:
        self.done += rows
        if self.on_rows is not None:
            self.on_rows(min(self.done, self.total), self.total)


@dataclass(slots=True)
class _Pass:
    """What one pass over a series' rows keeps of them."""

    series: Series
    first_day: int
    days: IntArray
    state: Rows = field(default_factory=lambda: np.zeros(1, STATE))
    before: Rows = field(default_factory=lambda: np.zeros(1, MARKET_ROW))
    recent: Rows = field(default_factory=lambda: np.zeros(WINDOW))
    ordered: Rows = field(default_factory=lambda: np.zeros(WINDOW))
    distances: IntArray = field(default_factory=lambda: np.zeros(BUCKETS, np.int64))
    lags: IntArray = field(default_factory=lambda: np.zeros(2 * BUCKETS, np.int64))
    silences: list[IntArray] = field(default_factory=list)

    @property
    def frozen_ns(self) -> int:
        length_ns = self.series.interval_ns
        return FROZEN_NS if length_ns is None else (FROZEN_ROWS - 1) * length_ns

    def take(self, rows: Rows, least_gap_ns: int) -> None:
        found = np.empty((len(rows), 2), np.int64)
        count = look_at(
            rows,
            self.series.interval_ns or 0,
            least_gap_ns,
            self.frozen_ns,
            OUTLIER_DEVIATIONS,
            LEAST_OUTLIER,
            self.first_day,
            self.state,
            self.before,
            self.recent,
            self.ordered,
            self.distances,
            self.lags,
            self.days,
            found,
        )
        if count:
            self.silences.append(found[:count].copy())

    def end(self) -> None:
        judge_last(self.state, self.recent, self.ordered, OUTLIER_DEVIATIONS, LEAST_OUTLIER)
        end_frozen(self.state, self.frozen_ns)

    def count(self, name: str) -> int:
        return int(self.state[name][0])


def _quality(
    store: HistoryStore,
    series: Series,
    segments: Sequence[Segment],
    now_ns: int,
    gap_ns: int | None,
    calendar: Calendar,
    looking: _Looking,
) -> SeriesQuality:
    length_ns = series.interval_ns or 0
    start_ns = min(one.start_ns for one in segments)
    end_ns = max(one.end_ns for one in segments) + length_ns
    first_day = start_ns // DAY_NS
    last_ns = end_ns - 1 if length_ns else end_ns
    days = np.zeros(last_ns // DAY_NS - first_day + 1, np.int64)
    damages: list[str] = []

    def damaged(error: HistoryCorrupt) -> None:
        damages.append(str(error))

    least_gap_ns = 0 if length_ns else LEAST_GAP_NS if gap_ns is None else gap_ns
    seen = _Pass(series, first_day, days)
    for rows in ordered_rows(store.root, series, segments, damaged):
        seen.take(_judged(series.kind, rows), least_gap_ns)
        looking.took(len(rows))
    seen.end()
    limit_ns = length_ns or gap_ns or max(LEAST_GAP_NS, LONG_TIMES * _quantile(seen.distances, LONG_RANK))
    opened = _opened(calendar, start_ns, end_ns)
    gaps = _gaps(seen.silences, opened, 0 if length_ns else limit_ns)
    repeats: int | None = seen.count("duplicates")
    if series.kind is HistoryKind.TRADES:
        repeats = repeated_ids(store.root / series.folder, segments, damaged)
    elif series.kind is HistoryKind.MARKS:
        repeats = None
    missing_ns, open_ns = (int((spans[:, 1] - spans[:, 0]).sum()) for spans in (gaps, opened))
    return SeriesQuality(
        series=series,
        rows=seen.count("rows"),
        start_ns=start_ns,
        end_ns=end_ns,
        gap_limit_ns=limit_ns,
        gaps=len(gaps),
        longest_gaps=_longest(gaps),
        missing_ns=missing_ns,
        coverage=1.0 - missing_ns / open_ns if open_ns else 1.0,
        age_ns=now_ns - end_ns,
        duplicates=repeats,
        out_of_order=seen.count("out_of_order"),
        crossed=seen.count("crossed") if series.kind in HAVE_SIDES else None,
        zero_prices=0 if series.kind is HistoryKind.FUNDING else seen.count("zero_prices"),
        outliers=seen.count("outliers"),
        frozen=seen.count("frozen"),
        longest_frozen_ns=seen.count("longest_frozen_ns"),
        clock_offset_ns=_signed_median(seen.lags),
        days=day_coverage(first_day, seen.days, opened, gaps),
        damaged=tuple(dict.fromkeys(damages)),
    )


def _judged(kind: HistoryKind, rows: Rows) -> Rows:
    """A book by its best level, as a quote; a mark price as a trade's."""
    if kind is HistoryKind.BOOKS:
        best: Rows = rows[rows["interval_code"] == 0]
        best["kind"] = RowKind.QUOTE
        return best
    if kind is HistoryKind.MARKS:
        rows["kind"] = RowKind.TRADE
    return rows


def _opened(calendar: Calendar, start_ns: int, end_ns: int) -> IntArray:
    """When the market was open between the two, shape (n, 2)."""
    whole = np.array([[start_ns, end_ns]], np.int64)
    if calendar is Calendar.UTC:
        return whole
    sessions = sessions_of(calendar, DAY_NS, start_ns, end_ns)
    return within(whole, np.stack([sessions.opens, sessions.ends], axis=1))


def _gaps(silences: Sequence[IntArray], opened: IntArray, limit_ns: int) -> IntArray:
    """Shape (n, 2): from, to; what of a silence lies in the open hours, and is long enough by itself."""
    pairs: IntArray = np.concatenate([np.zeros((0, 2), np.int64), *silences])
    if len(opened) != 1:
        pairs = within(pairs, opened)
    return pairs[pairs[:, 1] - pairs[:, 0] > limit_ns]


def _longest(gaps: IntArray) -> tuple[Gap, ...]:
    order = np.argsort(gaps[:, 0] - gaps[:, 1], kind="stable")[:SHOWN_GAPS]
    return tuple(Gap(start_ns=start, end_ns=end) for start, end in gaps[order].tolist())


def _quantile(counts: IntArray, share: float) -> int:
    """The value of rank (n - 1) · share, rounded down, in a histogram; 0 of an empty one."""
    total = int(counts.sum())
    return _ranked(counts, int((total - 1) * share)) if total else 0


def _ranked(counts: IntArray, rank: int) -> int:
    return round(bucket_middle(int(np.searchsorted(np.cumsum(counts), rank, side="right"))))


def _signed_median(lags: IntArray) -> int | None:
    """The lower median of lags; None where no row has both times."""
    late, early = lags[:BUCKETS], lags[BUCKETS:]
    below, total = int(early.sum()), int(lags.sum())
    if total == 0:
        return None
    rank = (total - 1) // 2
    if rank >= below:
        return _ranked(late, rank - below)
    # the early ones from the nearest to the furthest: the rank counts from the other end
    return -_ranked(early, below - 1 - rank)
