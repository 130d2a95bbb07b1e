"""Replay is the truth; the fast backtester must agree with it, trade by trade, on anything."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.desks import a_desk, linear, random_bars, run
from workstation.model.durations import MINUTE_NS
from workstation.model.events import OrderRejected
from workstation.model.ids import Symbol
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.market import (
    Bars,
    bar_rows,
)
from workstation.research.backtest import backtest
from workstation.research.results import BacktestResult
from workstation.research.trade_log import TradeLog
from workstation.strategies.ma_cross import MACross
from workstation.trading.paper import FillAt, PaperSettings
from workstation.trading.sizing import SizingMode, SizingSettings

SIZINGS = st.one_of(
    st.builds(
        SizingSettings,
        mode=st.just(SizingMode.EQUITY_FRACTION),
        value=st.sampled_from([0.1, 0.5, 0.95, 1.0]),
        slippage_rate=st.sampled_from([0.0, 0.0005]),
    ),
    st.builds(SizingSettings, mode=st.just(SizingMode.FIXED_QUANTITY), value=st.sampled_from([0.0004, 0.5, 3.7])),
    st.builds(SizingSettings, mode=st.just(SizingMode.FIXED_NOTIONAL), value=st.sampled_from([0.5, 333.33, 20_000.0])),
    st.builds(SizingSettings, mode=st.just(SizingMode.RISK_FRACTION), value=st.sampled_from([0.001, 0.02])),
)
STRATEGIES = st.builds(
    MACross,
    average=st.sampled_from(["sma", "ema", "wma"]),
    fast=st.integers(1, 6),
    slow=st.integers(7, 20),
    atr_window=st.integers(1, 10),
    atr_stop=st.sampled_from([None, 0.3, 1.0, 2.5]),
    atr_target=st.sampled_from([None, 0.3, 1.5, 4.0]),
    side=st.sampled_from(["long", "short", "both"]),
)
INSTRUMENTS = st.builds(
    linear,
    tick_size=st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal("0.00000001")]),
    lot_size=st.sampled_from([Decimal("0.001"), Decimal("0.01"), Decimal(1)]),
    min_quantity=st.sampled_from([Decimal("0.001"), Decimal("0.1")]),
    min_notional_quote=st.sampled_from([Decimal(0), Decimal(5)]),
    maker_fee_rate=st.sampled_from([Decimal("-0.0001"), Decimal(0), Decimal("0.0002")]),
    taker_fee_rate=st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.002")]),
)


def on_grid(bars: Bars, instrument: Instrument) -> Bars:
    """The same bars on the instrument's tick."""
    tick = float(instrument.tick_size)
    columns = {n: np.round(np.round(getattr(bars, n) / tick) * tick, 8) for n in ("open", "high", "low", "close")}
    return Bars(interval_ns=bars.interval_ns, ts_open=bars.ts_open, volume=bars.volume, **columns)


def fast_trades(result: BacktestResult) -> list[tuple[object, ...]]:
    reasons = result.trades["exit_reason"]
    return [
        (
            int(row["side"]),
            float(row["quantity"]),
            float(row["entry_price"]),
            None if reason == "open" else float(row["exit_price"]),
            reason,
            int(result.bars.ts_open[row["entry_bar"]]) + result.bars.interval_ns,
            None if reason == "open" else int(result.bars.ts_open[row["exit_bar"]]) + result.bars.interval_ns,
        )
        for row, reason in zip(result.trade_rows, reasons, strict=True)
    ]


def slow_trades(log: TradeLog) -> list[tuple[object, ...]]:
    return [
        (
            int(leg.side),
            float(leg.entry_quantity),
            float(leg.entry_price or 0),
            None if leg.is_open else float(leg.exit_price or 0),
            "open" if leg.is_open else leg.exit_reason,
            leg.entry_ns,
            None if leg.is_open else leg.exit_ns,
        )
        for leg in log.entered_legs
    ]


@given(
    seed=st.integers(0, 100_000),
    strategy=STRATEGIES,
    instrument=INSTRUMENTS,
    sizing=SIZINGS,
    fill_at=st.sampled_from(FillAt),
    slippage_rate=st.sampled_from([0.0, 0.0002, 0.003]),
    jump=st.sampled_from([0.0005, 0.004, 0.02]),
    kind=st.sampled_from(InstrumentKind),
)
@settings(max_examples=150)
def test_replay_makes_the_trades_of_the_fast_backtest(
    seed, strategy, instrument, sizing, fill_at, slippage_rate, jump, kind
):
    if kind is InstrumentKind.SPOT:
        instrument = replace(instrument, kind=kind, symbol=Symbol("BTC/USDT"))
        strategy.side = "long"
    bars = on_grid(random_bars(seed, 250, jump=jump), instrument)
    fast = backtest(
        strategy,
        bars,
        instrument,
        sizing=sizing,
        initial_balance=1000.0,
        fill_at=fill_at,
        slippage_rate=slippage_rate,
    )
    log = TradeLog()
    desk = a_desk(
        strategy,
        [instrument],
        paper=PaperSettings(on_bars=True, fill_at=fill_at, slippage_rate=slippage_rate),
        interval_ns=MINUTE_NS,
        now_ns=int(bars.ts_open[0]),
        sizing=sizing,
        balance="1000",
        bars=bars,
        watch=lambda fact: log.watch([fact]),
    )
    run(desk, bar_rows(bars, 0))
    assert slow_trades(log) == fast_trades(fast)
    marks = {instrument.key: Decimal(repr(float(bars.close[-1])))}
    equity = float(desk.session.state.book.equity_quote(marks))
    np.testing.assert_allclose(equity, fast.equity[-1], rtol=1e-9)
    # what a spot purchase cannot pay is refused by the venue, not by us
    at_the_venue = sum(isinstance(fact.event, OrderRejected) for fact in desk.journal.facts)
    assert desk.session.state.refusals + at_the_venue == sum(fast.refused.values())
