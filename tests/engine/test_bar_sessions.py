"""A bar strategy in an engine: the bars before it, none missed or taken twice, and exits spoken while it was down."""

from pathlib import Path

import numpy as np
import pytest

from tests.builders import a_quote
from tests.engine.bench import Bench, a_bench
from tests.session.desks import NOVA, linear, random_bars
from workstation.history.layout import HistoryKind
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import GroupChanged, GroupOpened, OrderFilled, RunStarted, SignalGenerated
from workstation.model.market import (
    MARKET_ROW,
    Bars,
    RowFlag,
    RowKind,
    Rows,
    interval_code,
)
from workstation.model.signal import SignalAction
from workstation.strategies.ma_cross import MACross

BARS = random_bars(5, 240)
CROSSING = {"average": "sma", "fast": 3, "slow": 15, "atr_stop": None, "atr_target": None}
ENTRIES = MACross(**CROSSING).signals(BARS).entries
KNOWN = 60
"""Bars that had closed when the session is started."""
SOON_NS = 300_000_000


def end_ns(place: int) -> int:
    return int(BARS.ts_open[place]) + MINUTE_NS


def bar_row(place: int) -> Rows:
    row = np.zeros(1, MARKET_ROW)
    row["kind"], row["flags"], row["interval_code"] = RowKind.BAR, RowFlag.IS_CLOSED, interval_code(MINUTE_NS)
    row["ts_event"], row["ts_received"] = end_ns(place), end_ns(place) + SOON_NS
    for field, name in zip(("x0", "x1", "x2", "x3", "x4"), ("open", "high", "low", "close", "volume"), strict=True):
        row[field] = getattr(BARS, name)[place]
    return row


def minute(place: int) -> Rows:
    """A bar as it is told, and a quote a second later."""
    price = float(BARS.close[place])
    quote = a_quote(
        bid=price, ask=price + 0.01, bid_quantity=99, ask_quantity=99, ts_received=end_ns(place) + SECOND_NS + SOON_NS
    )
    return np.concatenate([bar_row(place), quote])


def play(bench: Bench, first: int, stop: int) -> None:
    for place in range(first, stop):
        bench.play(minute(place), keys=(NOVA,), each=1)


def a_bar_bench(home: Path, known: int = KNOWN):
    return a_bench(home, [linear(NOVA)], now_ns=end_ns(known - 1) + SECOND_NS)


def start(bench: Bench, past: Bars | None) -> None:
    bench.feed["nova"].past = past
    limits = {"max_quote_age_ms": "none", "max_position_notional": "none"}
    bench.start(strategy="ma-cross", venues=("nova",), interval="1m", parameters=CROSSING, limits=limits)


def test_it_decides_what_it_decides_on_the_whole_file_and_its_run_verifies(tmp_path: Path) -> None:
    with a_bar_bench(tmp_path / "home") as bench:
        start(bench, BARS.slice(0, KNOWN))
        play(bench, KNOWN - 1, len(BARS))  # the last bar before the start is told once more, and passes
        told = [fact.ts_received for fact in bench.facts() if isinstance(fact.event, SignalGenerated)]
        assert told == [end_ns(place) + SOON_NS for place in np.flatnonzero(ENTRIES) if place >= KNOWN]
        assert len(bench.events(OrderFilled)) > 10
        (started,) = bench.events(RunStarted)
        assert (started.anchor_ns, started.warm_until_ns) == (int(BARS.ts_open[0]), end_ns(KNOWN - 1))
        assert bench.verify_all()["s.1"].beyond == 0


def test_without_earlier_bars_it_begins_with_the_first_that_comes(tmp_path: Path) -> None:
    with a_bar_bench(tmp_path / "home") as bench:
        start(bench, None)
        play(bench, KNOWN, len(BARS))
        alone = MACross(**CROSSING).signals(BARS.slice(KNOWN, len(BARS))).entries
        assert len(bench.events(SignalGenerated)) == np.count_nonzero(alone)
        assert bench.events(RunStarted)[0].anchor_ns is None
        assert bench.verify_all()["s.1"].beyond == 0


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_bar_that_closes_while_the_earlier_ones_are_fetched_is_not_missed(tmp_path: Path, is_taken: bool) -> None:
    """The venue tells it over the socket while the answer to our question has only those before it."""
    with a_bar_bench(tmp_path / "home") as bench:

        def meanwhile() -> None:
            play(bench, KNOWN - 1, KNOWN)
            if is_taken:
                play(bench, KNOWN, KNOWN + 1)
            else:  # it still waits in the channel when the answer is there
                bench.clock.time_ns = end_ns(KNOWN) + SOON_NS
                bench.tell(bar_row(KNOWN)[0], (NOVA,))

        bench.feed["nova"].meanwhile = meanwhile
        start(bench, BARS.slice(0, KNOWN))
        assert bench.events(RunStarted)[0].warm_until_ns == end_ns(KNOWN)
        play(bench, KNOWN + 1, len(BARS))
        told = [fact.ts_received for fact in bench.facts() if isinstance(fact.event, SignalGenerated)]
        assert told == [end_ns(place) + SOON_NS for place in np.flatnonzero(ENTRIES) if place > KNOWN]
        assert bench.verify_all()["s.1"].beyond == 0


def test_what_is_fetched_is_stored(tmp_path: Path) -> None:
    with a_bar_bench(tmp_path / "home") as bench:
        start(bench, BARS.slice(0, KNOWN))
        stored = bench.store.bars(NOVA, MINUTE_NS)
        assert np.array_equal(stored.close, BARS.close[:KNOWN])
        assert [one.kind for one in bench.store.series()] == [HistoryKind.BARS]


def crossings_behind(place: int) -> list[int]:
    return [int(one) for one in np.flatnonzero(ENTRIES) if one >= place]


FIRST, SECOND = crossings_behind(KNOWN)[:2]


@pytest.mark.parametrize("killed_at", [FIRST, SECOND - 1])
def test_an_exit_spoken_while_it_was_down_is_taken_at_the_start(tmp_path: Path, killed_at: int) -> None:
    with a_bar_bench(tmp_path / "home") as bench:
        start(bench, BARS.slice(0, KNOWN))
        play(bench, KNOWN, killed_at + 1)
        assert len(bench.sessions.of("s").session.state.groups) == 1
        home = bench.crashed(tmp_path / "again")
    with a_bar_bench(home, SECOND + 2) as again:
        again.feed["nova"].past = BARS.slice(0, SECOND + 2)
        again.recover()
        again.wait(0)
        last = again.events(SignalGenerated)[-1].signal
        assert (last.action, last.reason) == (SignalAction.EXIT, "exit signal while it was down")
        play(again, SECOND + 2, SECOND + 4)
        assert again.events(GroupChanged)[-1].status == "closed"
        assert not again.sessions.of("s").session.state.groups
        assert {run: one.beyond for run, one in again.verify_all().items()} == {"s.1": 0, "s.2": 0}


@pytest.mark.parametrize("killed_at", [FIRST, SECOND - 1])
def test_without_an_exit_meanwhile_a_position_stays(tmp_path: Path, killed_at: int) -> None:
    with a_bar_bench(tmp_path / "home") as bench:
        start(bench, BARS.slice(0, KNOWN))
        play(bench, KNOWN, killed_at + 1)
        home = bench.crashed(tmp_path / "again")
    with a_bar_bench(home, SECOND) as again:
        again.feed["nova"].past = BARS.slice(0, SECOND)
        again.recover()
        again.wait(0)
        assert len(again.events(SignalGenerated)) == len(again.events(GroupOpened)) == 1
        play(again, SECOND, SECOND + 3)  # and now it is turned round
        assert len(again.events(SignalGenerated)) == 2
        assert {run: one.beyond for run, one in again.verify_all().items()} == {"s.1": 0, "s.2": 0}
