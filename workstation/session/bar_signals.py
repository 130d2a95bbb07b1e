"""A bar strategy's decisions, served bar by bar, evaluated per block from an anchor bar.

Live a block is one bar: the strategy sees every bar since the anchor and only its last answer is used. In replay the
whole file is one block, evaluated at once and served only as long as the bars that come are the foreseen ones. A causal
strategy answers the same either way.
"""

from typing import Any, NamedTuple

import numpy as np

from workstation.errors import RowsOutOfOrder
from workstation.model.market import Bars, FloatArray
from workstation.strategies.base import BarStrategy, Signals
from workstation.windows.bars import ClosedBar

FIELDS = ("open", "high", "low", "close", "volume")
FIRST_ROOM = 1024


class BarDecision(NamedTuple):
    """What a strategy says at one bar's close; distances in quote currency, None is no such order."""

    entry: int
    exit_long: bool
    exit_short: bool
    stop_distance: float | None
    target_distance: float | None


class BarSignals:
    """One series of bars and what the strategy says about it."""

    def __init__(self, strategy: BarStrategy, interval_ns: int) -> None:
        self._strategy = strategy
        self._interval_ns = interval_ns
        self._count = 0
        self._ts_open = np.empty(FIRST_ROOM, np.int64)
        self._columns = {name: np.empty(FIRST_ROOM) for name in FIELDS}
        self._foreseen: tuple[Bars, tuple[memoryview, ...], _Served] | None = None
        self.last_close: float | None = None
        self.last_end_ns: int | None = None

    def foresee(self, bars: Bars) -> None:
        """Evaluates a whole block now, for bars that are expected to come; before the first bar."""
        if not self._count:
            signals = self._strategy.signals(bars).checked(len(bars), self._strategy.name_in_cli)
            # memoryviews give plain numbers at half the price of numpy's
            columns = tuple(_numbers(getattr(bars, name)) for name in ("ts_open", *FIELDS))
            self._foreseen = bars, columns, _Served(signals)

    def take(self, bar: ClosedBar, *, is_muted: bool = False) -> BarDecision | None:
        """Takes a closed bar; the decision at its close, None for none. Muted, it only remembers (after a restart)."""
        if self.last_end_ns is not None and bar.ts_open < self.last_end_ns:
            raise RowsOutOfOrder(f"bar that opens at {bar.ts_open}: the last one ended at {self.last_end_ns}")
        self.last_close, self.last_end_ns = bar.close, bar.ts_open + bar.interval_ns
        index = self._count
        if self._foreseen is not None and not self._is_foreseen(index, bar):
            self._forget()
        if self._foreseen is None:
            self._append(bar)
        self._count += 1
        if is_muted:
            return None
        if self._foreseen is not None:
            return self._foreseen[2].at(index)
        signals = self._strategy.signals(self.bars()).checked(self._count, self._strategy.name_in_cli)
        return _Served(signals).at(index)

    def bars(self) -> Bars:
        """All bars since the anchor, as views."""
        if self._foreseen is not None:
            return self._foreseen[0].slice(0, self._count)
        columns: dict[str, FloatArray] = {name: self._columns[name][: self._count] for name in FIELDS}
        return Bars(interval_ns=self._interval_ns, ts_open=self._ts_open[: self._count], **columns)

    def _is_foreseen(self, index: int, bar: ClosedBar) -> bool:
        assert self._foreseen is not None
        bars, (ts_open, *columns), _ = self._foreseen
        if index >= len(bars) or ts_open[index] != bar.ts_open:
            return False
        return [column[index] for column in columns] == [bar.open, bar.high, bar.low, bar.close, bar.volume]

    def _forget(self) -> None:
        """Other bars came than foreseen: keep those that came, and evaluate bar by bar from here."""
        bars = self.bars()
        self._foreseen = None
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


class _Served:
    """A block's signals, bar by bar."""

    def __init__(self, signals: Signals) -> None:
        self._entries = _numbers(signals.entries)
        self._exit_long, self._exit_short = _numbers(signals.exit_long), _numbers(signals.exit_short)
        self._signals = signals

    def at(self, index: int) -> BarDecision | None:
        entry, exit_long, exit_short = self._entries[index], self._exit_long[index], self._exit_short[index]
        if not (entry or exit_long or exit_short):
            return None
        stop, target = self._signals.stop_distance[index], self._signals.target_distance[index]
        return BarDecision(entry, bool(exit_long), bool(exit_short), _known(stop), _known(target))


def _numbers(array: Any) -> memoryview:
    contiguous: Any = np.ascontiguousarray(array)  # a Buffer, which numpy's types do not say before Python 3.12
    return memoryview(contiguous)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
