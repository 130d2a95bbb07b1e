"""The compiled bar simulator against the naive one, and each rule by an example."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive_backtest import Outcome, Rules, Run
from tests.research.bar_runs import Scripted, an_instrument, random_bars, random_signals, some_bars, some_signals
from workstation.model.instrument import InstrumentKind
from workstation.model.market import Bars
from workstation.research.backtest import backtest
from workstation.research.results import EXIT_REASONS, BacktestResult
from workstation.strategies.base import Signals
from workstation.trading.paper import FillAt
from workstation.trading.sizing import Refusal, SizingMode, SizingSettings

VALUES = {
    "FIXED_QUANTITY": (0.5, 3.0, 500.0),
    "FIXED_NOTIONAL": (40.0, 5000.0),
    "EQUITY_FRACTION": (0.3, 0.95, 1.0, 2.5),
}
VALUES["RISK_FRACTION"] = (0.001, 0.02)


def rules_of_a_run() -> st.SearchStrategy[Rules]:
    sizing = st.sampled_from([(mode, value) for mode, values in VALUES.items() for value in values])
    return st.builds(
        lambda sizing, **rest: Rules(sizing=sizing[0], value=sizing[1], **rest),
        sizing,
        tick=st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.25")]),
        lot=st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1)]),
        min_quantity=st.sampled_from([0.0, 1.0]),
        min_notional=st.sampled_from([0.0, 100.0]),
        maker=st.sampled_from([0.0, 0.0002, -0.0001]),
        taker=st.sampled_from([0.0, 0.0005]),
        slippage=st.sampled_from([0.0, 0.0002, 0.003]),
        sizing_slippage=st.sampled_from([0.0, 0.001]),
        leverage=st.sampled_from([1.0, 3.0]),
        balance=st.sampled_from([10_000.0, 777.77, 3.0]),
        spot=st.booleans(),
        at_close=st.booleans(),
        finalize=st.booleans(),
    )


def ours(rules: Rules, bars: Bars, signals: Signals) -> BacktestResult:
    instrument = an_instrument(
        kind=InstrumentKind.SPOT if rules.spot else InstrumentKind.LINEAR,
        tick_size=rules.tick,
        lot_size=rules.lot,
        min_quantity=Decimal(repr(rules.min_quantity)),
        min_notional_quote=Decimal(repr(rules.min_notional)),
        maker_fee_rate=Decimal(repr(rules.maker)),
        taker_fee_rate=Decimal(repr(rules.taker)),
    )
    return backtest(
        Scripted(signals),
        bars,
        instrument,
        sizing=SizingSettings(
            mode=SizingMode[rules.sizing],
            value=rules.value,
            leverage=rules.leverage,
            slippage_rate=rules.sizing_slippage,
        ),
        initial_balance=rules.balance,
        fill_at=FillAt.THIS_CLOSE if rules.at_close else FillAt.NEXT_OPEN,
        slippage_rate=rules.slippage,
        finalize=rules.finalize,
    )


def naive(rules: Rules, bars: Bars, signals: Signals) -> Outcome:
    prices = np.column_stack([bars.open, bars.high, bars.low, bars.close]).tolist()
    decisions = zip(
        signals.entries.tolist(),
        signals.exit_long.tolist(),
        signals.exit_short.tolist(),
        signals.stop_distance.tolist(),
        signals.target_distance.tolist(),
        strict=True,
    )
    return Run(rules=rules, bars=[tuple(row) for row in prices], signals=list(decisions)).go()


def assert_same(result: BacktestResult, expected: Outcome) -> None:
    rows = result.trade_rows
    assert [EXIT_REASONS[code] for code in rows["exit_reason"]] == [trade.reason for trade in expected.trades]
    for name in ("side", "entry_bar", "exit_bar", "quantity", "entry_price", "exit_price"):
        assert rows[name].tolist() == [getattr(trade, name) for trade in expected.trades], name
    assert rows["fees"] == pytest.approx([trade.fees for trade in expected.trades], rel=1e-9)
    assert result.equity == pytest.approx(expected.equity, rel=1e-9, abs=1e-6)
    assert {reason.value: count for reason, count in result.refused.items()} == expected.refused


@given(rules=rules_of_a_run(), seed=st.integers(0, 10**9), length=st.integers(0, 120), steps=st.sampled_from([3, 40]))
def test_compiled_run_trades_like_the_naive_one(rules: Rules, seed: int, length: int, steps: int) -> None:
    bars = random_bars(seed, length, tick=float(rules.tick), start=float(rules.tick * 4000), steps=steps)
    signals = random_signals(seed + 1, length, tick=float(rules.tick), shorts=not rules.spot)
    assert_same(ours(rules, bars, signals), naive(rules, bars, signals))


@pytest.mark.parametrize("at_close", [False, True])
@pytest.mark.parametrize("length", [0, 1])
def test_no_bar_and_one_bar_give_an_equity_of_that_length(length: int, at_close: bool) -> None:
    rules = Rules(tick=Decimal("0.01"), lot=Decimal("0.001"), at_close=at_close, taker=0.001)
    bars, signals = some_bars([100.0] * length), some_signals(length, dict.fromkeys(range(length), 1))
    result = ours(rules, bars, signals)
    assert_same(result, naive(rules, bars, signals))
    assert len(result.equity) == length
    assert len(result.trade_rows) == (1 if at_close and length else 0)


def run(bars: Bars, signals: Signals, at_close: bool = False, **rules: object) -> BacktestResult:
    values = {"tick": Decimal("0.01"), "lot": Decimal("0.001"), "sizing": "FIXED_QUANTITY", "value": 1.0} | rules
    return ours(Rules(at_close=at_close, **values), bars, signals)  # type: ignore[arg-type]


def test_entry_waits_for_the_next_open() -> None:
    result = run(some_bars([100, 101, 102], close=[100.5, 101.5, 102.5]), some_signals(3, {0: 1}))
    assert result.trade_rows["entry_bar"].tolist() == [1]
    assert result.trade_rows["entry_price"].tolist() == [101.0]


def test_entry_at_the_last_bar_is_never_filled_at_the_next_open() -> None:
    assert len(run(some_bars([100, 101, 102]), some_signals(3, {2: 1})).trade_rows) == 0


def test_stop_comes_before_the_target_in_a_bar_that_reaches_both() -> None:
    bars = some_bars([100, 100, 100], high=[100, 105, 100], low=[100, 95, 100], close=[100, 100, 100])
    result = run(bars, some_signals(3, {0: 1}, stop=2.0, target=2.0), at_close=True)
    assert result.trade_rows["exit_price"].tolist() == [98.0]


def test_stop_that_the_open_jumped_over_fills_at_the_open() -> None:
    bars = some_bars([100, 100, 90], close=[100, 100, 91])
    row = run(bars, some_signals(3, {0: 1}, stop=5.0)).trade_rows[0]
    assert (row["exit_bar"], row["exit_price"]) == (2, 90.0)


def test_target_that_the_open_jumped_over_fills_at_the_better_open_without_slippage() -> None:
    bars = some_bars([100, 100, 90], close=[100, 100, 91])
    row = run(bars, some_signals(3, {0: -1}, target=5.0), slippage=0.01).trade_rows[0]
    assert (row["exit_bar"], row["exit_price"]) == (2, 90.0)


def test_position_is_protected_in_the_bar_that_opened_it() -> None:
    bars = some_bars([100, 100, 100], low=[100, 94, 100])
    row = run(bars, some_signals(3, {0: 1}, stop=5.0)).trade_rows[0]
    assert (row["entry_bar"], row["exit_bar"], row["exit_price"]) == (1, 1, 95.0)


def test_entry_at_a_close_is_protected_from_the_next_bar_on() -> None:
    bars = some_bars([100, 100, 100], low=[90, 94, 100])
    row = run(bars, some_signals(3, {0: 1}, stop=5.0), at_close=True).trade_rows[0]
    assert (row["entry_bar"], row["exit_bar"]) == (0, 1)


def test_reversal_is_sized_with_what_the_close_left() -> None:
    bars = some_bars([100, 100, 100, 200, 200])
    result = run(bars, some_signals(5, {0: 1, 2: -1}), sizing="EQUITY_FRACTION", value=1.0)
    assert result.trade_rows["quantity"].tolist() == [100.0, 100.0]
    assert result.trade_rows["entry_bar"].tolist() == [1, 3]


def test_entry_from_flat_is_sized_at_the_signal_s_close() -> None:
    result = run(
        some_bars([100, 125, 125], close=[80, 125, 125]), some_signals(3, {0: 1}), sizing="FIXED_NOTIONAL", value=400.0
    )
    assert result.trade_rows["quantity"].tolist() == [5.0]


def test_same_side_entry_is_ignored_and_wins_over_the_exit() -> None:
    result = run(some_bars([100] * 5), some_signals(5, {0: 1, 2: 1}, exit_long=[2]))
    assert [EXIT_REASONS[code] for code in result.trade_rows["exit_reason"]] == ["open"]


def test_slippage_and_tick_make_the_price_worse_on_both_sides() -> None:
    row = run(some_bars([100.0] * 4), some_signals(4, {0: 1}, exit_long=[1]), slippage=0.00015).trade_rows[0]
    assert (row["entry_price"], row["exit_price"]) == (100.02, 99.98)


def test_target_pays_the_maker_fee_and_all_else_the_taker_fee() -> None:
    bars = some_bars([100, 100, 100], high=[100, 110, 100])
    row = run(bars, some_signals(3, {0: 1}, target=10.0), maker=0.001, taker=0.01).trade_rows[0]
    assert row["fees"] == pytest.approx(100 * 0.01 + 110 * 0.001)
    assert row["pnl"] == pytest.approx(10 - row["fees"])


def test_entry_larger_than_the_equity_is_refused_and_counted() -> None:
    result = run(some_bars([100.0] * 3), some_signals(3, {0: 1}), value=101.0)
    assert len(result.trade_rows) == 0
    assert result.refused[Refusal.INSUFFICIENT_BALANCE] == 1


def test_leverage_lets_the_larger_entry_through() -> None:
    assert len(run(some_bars([100.0] * 3), some_signals(3, {0: 1}), value=101.0, leverage=2.0).trade_rows) == 1


def test_spot_purchase_that_a_gap_made_too_dear_is_refused_at_its_fill() -> None:
    result = run(some_bars([100, 101, 101], close=[100, 101, 101]), some_signals(3, {0: 1}), value=100.0, spot=True)
    assert result.refused[Refusal.INSUFFICIENT_CASH] == 1
    assert result.equity.tolist() == [10_000.0] * 3


def test_open_position_at_the_end_is_marked_without_an_exit_fee() -> None:
    result = run(some_bars([100, 100, 110]), some_signals(3, {0: 1}), taker=0.001)
    assert result.trade_rows["pnl"].tolist() == pytest.approx([10 - 0.1])
    assert result.equity[-1] == pytest.approx(10_009.9)


def test_finalized_position_pays_the_exit_at_the_last_close() -> None:
    result = run(some_bars([100, 100, 110]), some_signals(3, {0: 1}), taker=0.001, finalize=True)
    assert result.equity[-1] == pytest.approx(10_010 - 0.1 - 0.11)
    assert result.metrics["trades"] == 1


def test_stop_below_one_tick_is_no_stop() -> None:
    bars = some_bars([100, 100, 1, 1], low=[100, 100, 0.01, 0.01], high=[100, 100, 100, 100])
    assert run(bars, some_signals(4, {0: 1}, stop=100.0)).metrics["open_trades"] == 1


def test_the_inputs_are_not_written_to() -> None:
    bars, signals = random_bars(5, 50), random_signals(6, 50)
    for array in (bars.open, bars.high, bars.low, bars.close, signals.entries, signals.stop_distance):
        array.flags.writeable = False
    assert_same(
        run(bars, signals),
        naive(Rules(tick=Decimal("0.01"), lot=Decimal("0.001"), sizing="FIXED_QUANTITY", value=1.0), bars, signals),
    )
