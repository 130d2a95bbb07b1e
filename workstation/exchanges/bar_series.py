"""The bars of one instrument and length: closed ones alone, each once, in order. Pure.

ccxt loses the venue's word that a bar is closed. A bar is closed when a later one appears, or, past its end and a
grace, when the venue answers a question with it. A bar that may be incomplete is never passed on: where some were
missed, the later ones wait until the missing ones are fetched.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from workstation.exchanges.ccxt_parse import BarNumbers
from workstation.model.market import Bars


class BarSeries:
    """Times are ns UTC. `held` holds what was told while earlier bars are missing."""

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns
        self._newest: BarNumbers | None = None
        self._closed: int | None = None  # ts_open of the last bar passed on
        self._held: dict[int, BarNumbers] | None = None
        self._ask_again_ns = 0

    @property
    def is_held(self) -> bool:
        return self._held is not None

    @property
    def next_open(self) -> int | None:
        """ts_open of the first bar not passed on yet; None before the first connection."""
        return None if self._closed is None else self._closed + self.interval_ns

    def begin(self, since_ns: int) -> None:
        """A new connection. The first time, bars count from the one open at `since_ns`; later, what was missed first.

        Nothing that another connection told of a bar counts: its end may have come between the two.
        """
        if self._closed is None:
            self._closed = since_ns // self.interval_ns * self.interval_ns - self.interval_ns
            return
        self._newest, self._held, self._ask_again_ns = None, {}, 0

    def told(self, bar: BarNumbers) -> BarNumbers | None:
        """The bar that this one closes. One that leaves a gap behind it makes the series held."""
        if self._closed is not None and bar.ts_open <= self._closed:
            return None
        if self._held is not None:
            self._held[bar.ts_open] = bar
            return None
        before = self._newest
        if before is not None and bar.ts_open < before.ts_open:
            return None
        expected = self.next_open if before is None else before.ts_open + self.interval_ns
        if expected is not None and bar.ts_open > expected:
            self._held = {bar.ts_open: bar} if before is None else {before.ts_open: before, bar.ts_open: bar}
            self._newest, self._ask_again_ns = None, 0
            return None
        return self._advance(bar)

    def is_due(self, now_ns: int, grace_ns: int) -> bool:
        """Whether the venue is to be asked: bars are missing, or one should have closed and nothing told of it."""
        next_open = self.next_open
        if next_open is None or now_ns < self._ask_again_ns:
            return False
        return self.is_held or next_open + self.interval_ns + grace_ns <= now_ns

    def fetched(self, bars: Iterable[BarNumbers], asked_ns: int, grace_ns: int) -> list[BarNumbers]:
        """Takes the venue's answer from `next_open` on, asked for at `asked_ns`, and returns what it closes.

        Only bars that had ended by then, the grace included, are taken from it: how the open one looked is no word on
        its end. The hold goes on while a bar before the last one told was asked for too early.
        """
        told = self._held or ({} if self._newest is None else {self._newest.ts_open: self._newest})
        closed = -1 if self._closed is None else self._closed
        answer = {bar.ts_open: bar for bar in bars if bar.ts_open > closed}
        answer = {at: bar for at, bar in answer.items() if self._has_ended(at, asked_ns, grace_ns)}
        before = max(told, default=0) - self.interval_ns
        if before > closed and not self._has_ended(before, asked_ns, grace_ns):
            self._held, self._newest, self._ask_again_ns = told, None, before + self.interval_ns + grace_ns
            return []
        merged = told | answer
        last = max(merged, default=0)
        passed = [merged[at] for at in sorted(merged) if at < last or at in answer]
        self._closed = passed[-1].ts_open if passed else self._closed
        self._held, self._newest = None, None if last in answer else merged.get(last)
        self._ask_again_ns = self._when_to_ask(asked_ns, grace_ns)
        return passed

    def failed(self, now_ns: int, retry_ns: int) -> None:
        """The venue did not answer; what is held stays held."""
        self._ask_again_ns = now_ns + retry_ns

    def _advance(self, bar: BarNumbers) -> BarNumbers | None:
        before, self._newest = self._newest, bar
        if before is None or before.ts_open == bar.ts_open:
            return None
        self._closed = before.ts_open
        return before

    def _has_ended(self, ts_open: int, now_ns: int, grace_ns: int) -> bool:
        return ts_open + self.interval_ns + grace_ns <= now_ns

    def _when_to_ask(self, asked_ns: int, grace_ns: int) -> int:
        """A bar that the venue has told of is asked for again soon; a silent one, when the next would end."""
        if self._newest is not None:
            return asked_ns + grace_ns
        into_bar = (asked_ns - grace_ns) % self.interval_ns
        return asked_ns + self.interval_ns - into_bar


def as_bars(interval_ns: int, closed: Sequence[BarNumbers]) -> Bars:
    """As columns."""
    columns = dict(zip(BarNumbers._fields, zip(*closed, strict=True), strict=True)) if closed else {}
    return Bars(
        interval_ns=interval_ns,
        ts_open=np.array(columns.get("ts_open", ()), np.int64),
        **{name: np.array(columns.get(name, ()), np.float64) for name in BarNumbers._fields[1:]},
    )
