"""Same inputs, same decisions: however rows are cut, whoever else looks on, and whether or not the strategy sleeps."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.desks import (
    NOVA,
    ORION,
    DeskInMemory,
    a_desk,
    decisions,
    journal_bytes,
    linear,
    random_bars,
    random_quotes,
    run,
    with_trades,
)
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.events import FeedLagChanged, OrderFilled, SessionPaused, SessionResumed, SessionStopped
from workstation.model.market import (
    bar_rows,
    rows_taken,
)
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import FillAt, PaperSettings
from workstation.windows.specs import WindowKind, WindowSpec

ROWS = 600
CUTS = st.lists(st.integers(1, ROWS - 1), max_size=12)
SEEDS = st.integers(0, 10_000)
INPUTS = st.dictionaries(
    st.integers(1, ROWS - 1),
    st.sampled_from(
        [
            SessionPaused(by="tester"),
            SessionResumed(by="tester"),
            FeedLagChanged(is_lagging=True),
            FeedLagChanged(is_lagging=False),
            SessionStopped(by="tester", flatten=True),
        ]
    ),
    max_size=4,
)


class Counting(SpreadReversion):
    """Counts how often it is asked."""

    asked = 0

    def on_wake(self, changes, view):
        self.asked += 1
        return super().on_wake(changes, view)


class WokenByEveryRow(Counting):
    is_woken_by_every_row = True


def spread_desk(kind: type[SpreadReversion] = Counting, *, latency_ns: int = 50_000_000) -> DeskInMemory:
    strategy = kind(
        entry_z=1.5, exit_z=0.2, window_minutes=1, min_points=5, stale_after_seconds=2, min_net_edge_bps=None
    )
    return a_desk(
        strategy,
        [linear(NOVA), linear(ORION)],
        paper=PaperSettings(latency_ns=latency_ns, slippage_rate=0.0001),
        entry_timeout_ns=SECOND_NS,
    )


def bar_desk(seed: int, *, foresees: bool = True, every_row: bool = False) -> tuple[DeskInMemory, object]:
    bars = random_bars(seed, ROWS)
    desk = a_desk(
        MACross(fast=3, slow=8, atr_window=5),
        [linear()],
        paper=PaperSettings(on_bars=True, slippage_rate=0.0002),
        interval_ns=MINUTE_NS,
        now_ns=int(bars.ts_open[0]),
        bars=bars if foresees else None,
        every_row=every_row,
    )
    return desk, bar_rows(bars, 0)


@given(SEEDS, CUTS, INPUTS)
@settings(max_examples=40)
def test_cutting_quotes_into_batches_anywhere_changes_nothing(seed, cuts, inputs):
    rows = random_quotes(seed, ROWS)
    whole = run(spread_desk(), rows, inputs=inputs)
    assert journal_bytes(run(spread_desk(), rows, cuts=cuts, inputs=inputs)) == journal_bytes(whole)


@given(SEEDS, CUTS, INPUTS)
@settings(max_examples=25)
def test_cutting_bars_into_batches_anywhere_changes_nothing(seed, cuts, inputs):
    desk, rows = bar_desk(seed)
    cut_desk, _ = bar_desk(seed)
    whole = run(desk, rows, inputs=inputs)
    assert journal_bytes(run(cut_desk, rows, cuts=cuts, inputs=inputs)) == journal_bytes(whole)


@given(SEEDS, CUTS)
@settings(max_examples=25)
def test_viewers_that_come_and_go_change_nothing(seed, cuts):
    rows = random_quotes(seed, ROWS)
    specs = [
        WindowSpec(kind=WindowKind.SPREAD, instrument_a=ORION, instrument_b=NOVA, span_ns=SECOND_NS, min_points=2),
        WindowSpec(kind=WindowKind.QUOTE, instrument_a=NOVA, span_ns=2 * SECOND_NS, min_points=2),
    ]

    def look(desk: DeskInMemory) -> None:
        spec = specs[rows_taken(desk.market.gate.sequence) % 2]
        if spec in desk.market.windows.slots:
            desk.market.windows.release(spec)
        else:
            desk.market.subscribe_window(spec)

    alone = run(spread_desk(), rows)
    assert journal_bytes(run(spread_desk(), rows, cuts=cuts, between=look)) == journal_bytes(alone)


@given(SEEDS)
@settings(max_examples=25)
def test_spread_strategy_woken_at_every_row_decides_the_same(seed):
    rows = random_quotes(seed, ROWS)
    asleep, awake = spread_desk(), spread_desk(WokenByEveryRow)
    assert decisions(run(awake, rows)) == decisions(run(asleep, rows))
    assert awake.session.strategy.asked > ROWS // 2 > asleep.session.strategy.asked


@given(SEEDS)
@settings(max_examples=15)
def test_ma_cross_woken_at_every_row_decides_the_same(seed):
    (asleep, rows), (awake, _) = bar_desk(seed), bar_desk(seed, every_row=True)
    assert decisions(run(awake, rows)) == decisions(run(asleep, rows))


@given(SEEDS)
@settings(max_examples=8)
def test_bars_evaluated_one_by_one_give_the_journal_of_a_whole_block(seed):
    (block, rows), (single, _) = bar_desk(seed), bar_desk(seed, foresees=False)
    assert journal_bytes(run(single, rows)) == journal_bytes(run(block, rows))


def test_the_random_quotes_make_the_spread_strategy_trade():
    filled = [run(spread_desk(), random_quotes(seed, ROWS)) for seed in range(5)]
    assert all(sum(isinstance(f.event, OrderFilled) for f in facts) >= 8 for facts in filled)


def test_every_fill_mode_of_bars_trades():
    bars = random_bars(3, ROWS)
    for fill_at in FillAt:
        desk = a_desk(
            MACross(fast=3, slow=8, atr_window=5),
            [linear()],
            paper=PaperSettings(on_bars=True, fill_at=fill_at),
            interval_ns=MINUTE_NS,
            now_ns=int(bars.ts_open[0]),
        )
        facts = run(desk, bar_rows(bars, 0))
        assert sum(isinstance(f.event, OrderFilled) for f in facts) > 40


def trade_bar_desk() -> DeskInMemory:
    """Bars of one second built from trades; orders fill against quotes."""
    return a_desk(
        MACross(fast=2, slow=5, atr_window=3),
        [linear()],
        paper=PaperSettings(latency_ns=20_000_000),
        interval_ns=SECOND_NS,
        bars_from_trades=True,
    )


@given(SEEDS, CUTS)
@settings(max_examples=15)
def test_bars_built_from_trades_trade_on_quotes_and_cutting_changes_nothing(seed, cuts):
    rows = with_trades(random_quotes(seed, ROWS, keys=1, step_ns=300_000_000))
    whole = run(trade_bar_desk(), rows)
    assert sum(isinstance(fact.event, OrderFilled) for fact in whole) >= 2
    assert journal_bytes(run(trade_bar_desk(), rows, cuts=cuts)) == journal_bytes(whole)
