"""A bar strategy's decisions, served bar by bar, evaluated per block from an anchor bar.

Live a block is one bar: the strategy sees every bar since the anchor and only its last answer is used. In replay the
whole file is one block, evaluated at once, and served only as long as the bars that come are the foreseen ones. A
causal strategy answers the same either way. Of rows that were compared beforehand (`expect`) only the bars at which
the strategy says something need to wake anybody.
"""

from typing import Any, NamedTuple

import numpy as np

from workstation.errors import RowsOutOfOrder
from workstation.model.market import Bars, FloatArray, IntArray, RowFlag, RowKind, Rows, interval_code
from workstation.model.units import Side
from workstation.strategies.base import BarStrategy, Signals
from workstation.windows.bars import ClosedBar

FIELDS = ("open", "high", "low", "close", "volume")
ROW_FIELDS = ("x0", "x1", "x2", "x3", "x4")
FIRST_ROOM = 1024


class BarDecision(NamedTuple):
    """What a strategy says at one bar's close; distances in quote currency, None is no such order."""

    entry: int
    exit_long: bool
    exit_short: bool
    stop_distance: float | None
    target_distance: float | None


def leaves(decision: BarDecision, side: Side) -> bool:
    """Whether it ends a position of that side: by an exit, or by an entry against it."""
    if decision.entry:
        return decision.entry == -side
    return decision.exit_long if side is Side.BUY else decision.exit_short


class Foreseen(NamedTuple):
    """Bars that are expected to come, and what the strategy says at each; `spoken`: where it says anything."""

    bars: Bars
    ends: IntArray
    signals: Signals
    spoken: IntArray


class BarSignals:
    """One series of bars and what the strategy says about it."""

    def __init__(self, strategy: BarStrategy, interval_ns: int) -> None:
        self._strategy = strategy
        self._interval_ns = interval_ns
        self._count = 0
        self._ts_open = np.empty(FIRST_ROOM, np.int64)
        self._columns = {name: np.empty(FIRST_ROOM) for name in FIELDS}
        self._foreseen: Foreseen | None = None
        self._compared = 0
        """Foreseen bars before this one are known to be those that come."""
        self.warm_until_ns = 0
        """End of the last bar that was known before the run; a feed may tell it once more, and it passes."""

    def foresee(self, bars: Bars) -> None:
        """Evaluates a whole block now, for bars that are expected to come; before the first bar.

        A block with a bar that the gate would not take is left to be evaluated bar by bar.
        """
        if self._count or not _all_possible(bars):
            return
        signals = self._evaluated(bars)
        spoken = np.flatnonzero((signals.entries != 0) | signals.exit_long | signals.exit_short)
        self._foreseen = Foreseen(bars, bars.ts_open + bars.interval_ns, signals, spoken)

    def expect(self, rows: Rows, instrument: int) -> None:
        """Compares the bars in `rows`, about to come, with the foreseen ones; forgets these if they differ."""
        if self._foreseen is None:
            return
        bars = self._foreseen.bars
        of_series = (rows["kind"] == RowKind.BAR) & (rows["instrument"] == instrument)
        mine = rows[of_series & (rows["interval_code"] == interval_code(bars.interval_ns))]
        self._count = max(self._count, self._compared)
        first, stop = self._count, self._count + len(mine)
        same = stop <= len(bars) and bool((mine["flags"] & RowFlag.IS_CLOSED).all())
        same = same and np.array_equal(self._foreseen.ends[first:stop], mine["ts_event"])
        for name, field in zip(FIELDS, ROW_FIELDS, strict=True):
            same = same and np.array_equal(getattr(bars, name)[first:stop], mine[field])
        if same:
            self._compared = stop
        else:
            self._forget()

    def silent_until(self) -> int | None:
        """End (ns) of the next bar that somebody must see; None: every bar must be seen."""
        if self._foreseen is None or self._count >= self._compared:
            return None
        spoken = self._foreseen.spoken
        place = int(np.searchsorted(spoken, self._count))
        index = int(spoken[place]) if place < len(spoken) else self._compared
        last = int(self._foreseen.ends[self._compared - 1])
        return int(self._foreseen.ends[index]) if index < self._compared else last + 1

    def take(self, bar: ClosedBar, *, is_muted: bool = False) -> BarDecision | None:
        """Takes a closed bar; the decision at its close, None for none. Muted, it only remembers (after a restart)."""
        if bar.ts_open + self._interval_ns <= self.warm_until_ns:
            return None
        index = self._count
        if self._foreseen is not None and index < self._compared:
            index = int(np.searchsorted(self._foreseen.bars.ts_open, bar.ts_open))  # it slept through silent ones
        last = self._last_end_ns(index)
        if last is not None and bar.ts_open < last:
            raise RowsOutOfOrder(f"bar that opens at {bar.ts_open}: the last one ended at {last}")
        if self._foreseen is not None and not _is_same(self._foreseen.bars, index, bar):
            self._forget()
            index = self._count
        if self._foreseen is None:
            self._append(bar)
        self._count = index + 1
        if is_muted:
            return None
        signals = self._evaluated(self.bars()) if self._foreseen is None else self._foreseen.signals
        return _decision(signals, index)

    def missed(self, since_ns: int) -> list[BarDecision]:
        """What the strategy says at those of the warm bars that end behind `since_ns`."""
        bars = self.bars()
        ends = bars.ts_open + self._interval_ns
        places = np.flatnonzero((ends > since_ns) & (ends <= self.warm_until_ns))
        if not places.size:
            return []
        signals = self._evaluated(bars)
        found = (_decision(signals, int(place)) for place in places)
        return [decision for decision in found if decision is not None]

    def bars(self) -> Bars:
        """All bars since the anchor, as views."""
        if self._foreseen is not None:
            return self._foreseen.bars.slice(0, max(self._count, self._compared))
        columns: dict[str, FloatArray] = {name: self._columns[name][: self._count] for name in FIELDS}
        return Bars(interval_ns=self._interval_ns, ts_open=self._ts_open[: self._count], **columns)

    def last_seen(self, now_ns: int) -> tuple[float, int] | None:
        """Close of the last bar that a session awake at `now_ns` knows, and its end (ns): taken, or ended before."""
        count = self._count
        if self._foreseen is not None and count < self._compared:
            count = max(count, int(np.searchsorted(self._foreseen.ends[: self._compared], now_ns)))
        end = self._last_end_ns(count)
        if end is None:
            return None
        closes = self._columns["close"] if self._foreseen is None else self._foreseen.bars.close
        return float(closes[count - 1]), end

    def _last_end_ns(self, count: int) -> int | None:
        if not count:
            return None
        opens = self._ts_open if self._foreseen is None else self._foreseen.bars.ts_open
        return int(opens[count - 1]) + self._interval_ns

    def _evaluated(self, bars: Bars) -> Signals:
        return self._strategy.signals(bars).checked(len(bars), self._strategy.name_in_cli)

    def _forget(self) -> None:
        """Other bars come than foreseen: keep those that came, and evaluate bar by bar from here."""
        assert self._foreseen is not None
        bars = self._foreseen.bars.slice(0, self._count)
        self._foreseen, self._compared = None, 0
        room = max(FIRST_ROOM, 2 * len(bars))
        self._ts_open = np.resize(bars.ts_open, room)
        self._columns = {name: np.resize(getattr(bars, name), room) for name in FIELDS}

    def _append(self, bar: ClosedBar) -> None:
        index = self._count
        if index == len(self._ts_open):
            self._ts_open = np.resize(self._ts_open, 2 * index)
            self._columns = {name: np.resize(column, 2 * index) for name, column in self._columns.items()}
        self._ts_open[index] = bar.ts_open
        for name in FIELDS:
            self._columns[name][index] = getattr(bar, name)


def _is_same(bars: Bars, index: int, bar: ClosedBar) -> bool:
    if index >= len(bars) or bars.ts_open[index] != bar.ts_open:
        return False
    return all(getattr(bars, name)[index] == getattr(bar, name) for name in FIELDS)


def _all_possible(bars: Bars) -> bool:
    """Whether the gate takes every bar (windows.advance.bar_fault)."""
    low, high, volume = bars.low, bars.high, bars.volume
    inside = (low <= bars.open) & (bars.open <= high) & (low <= bars.close) & (bars.close <= high)
    finite = (low > 0) & (high < np.inf) & (volume >= 0) & (volume < np.inf)
    return bool((inside & finite).all())


def _decision(signals: Signals, index: int) -> BarDecision | None:
    entry, exit_long, exit_short = signals.entries[index], signals.exit_long[index], signals.exit_short[index]
    if not (entry or exit_long or exit_short):
        return None
    stop, target = _known(signals.stop_distance[index]), _known(signals.target_distance[index])
    return BarDecision(int(entry), bool(exit_long), bool(exit_short), stop, target)


def _known(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
