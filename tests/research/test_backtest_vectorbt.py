"""The back-test against vectorbt itself, and a result as a vectorbt Portfolio."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.research.bar_runs import Scripted, an_instrument, random_bars, random_signals, some_bars, some_signals
from tests.research.vectorbt_runs import assert_same_trades, vectorbt_portfolio, without_touched_entries
from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKind
from workstation.model.market import Bars
from workstation.research.backtest import backtest
from workstation.research.results import BacktestResult
from workstation.strategies.base import Signals
from workstation.trading.paper import FillAt
from workstation.trading.sizing import SizingMode, SizingSettings

FINE = Decimal("1e-8")
FEE_RATE = 0.0005
BALANCE = 100_000.0

pytestmark = [pytest.mark.slow, pytest.mark.compiled_only]


def random_case(seed: int, *, stops: bool, targets: bool, shorts: bool) -> tuple[Bars, Signals]:
    rng = np.random.default_rng(seed)
    length = 20_000
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-3, length))), 8)
    open_ = np.round(np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, 3e-4, length)), 8)
    high = np.round(np.maximum(open_, close) * np.exp(rng.exponential(5e-4, length)), 8)
    low = np.round(np.minimum(open_, close) * np.exp(-rng.exponential(5e-4, length)), 8)
    signals = random_signals(seed + 1, length, share=0.05, shorts=shorts)
    absent = np.full(length, np.nan)
    distances = 100 * rng.uniform(1e-3, 8e-3, (2, length))
    return some_bars(open_, high, low, close), Signals(
        entries=signals.entries,
        exit_long=signals.exit_long,
        exit_short=signals.exit_short,
        stop_distance=distances[0] if stops else absent,
        target_distance=distances[1] if targets else absent,
    )


def comparable(bars: Bars, signals: Signals, **options: Any) -> tuple[BacktestResult, Signals]:
    """A run whose signals hold no entry in a bar that touched a stop or target."""
    rate = Decimal(repr(FEE_RATE))
    instrument = an_instrument(tick_size=FINE, lot_size=FINE, maker_fee_rate=rate, taker_fee_rate=rate)
    while True:
        options |= {"fill_at": FillAt.THIS_CLOSE, "initial_balance": BALANCE}
        result = backtest(Scripted(signals), bars, instrument, **options)
        cleaned = without_touched_entries(signals, result)
        if np.array_equal(cleaned.entries, signals.entries):
            return result, signals
        signals = cleaned


@pytest.mark.parametrize(
    ("stops", "targets", "slippage_rate"), [(True, False, 0.0002), (True, True, 0.0), (False, False, 0.0002)]
)
def test_fixed_quantity_long_and_short_trades_like_vectorbt(stops: bool, targets: bool, slippage_rate: float) -> None:
    bars, signals = random_case(11, stops=stops, targets=targets, shorts=True)
    sizing = SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=2.0)
    result, signals = comparable(bars, signals, sizing=sizing, slippage_rate=slippage_rate)
    portfolio = vectorbt_portfolio(
        bars, signals, fee_rate=FEE_RATE, slippage_rate=slippage_rate, balance=BALANCE, quantity=2.0
    )
    assert len(result.trade_rows) > 400
    assert_same_trades(result, portfolio)
    assert result.metrics["total_return"] == pytest.approx(portfolio.total_return(), rel=1e-7)
    assert result.metrics["max_drawdown"] == pytest.approx(portfolio.max_drawdown(), rel=1e-6)
    yearly = np.sqrt(365.25 / 365)
    assert result.metrics["sharpe_ratio"] == pytest.approx(portfolio.sharpe_ratio() * yearly, rel=1e-6)


def test_all_in_long_trades_like_vectorbt() -> None:
    bars, signals = random_case(13, stops=True, targets=False, shorts=False)
    sizing = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=1.0, slippage_rate=0.0002)
    result, signals = comparable(bars, signals, sizing=sizing, slippage_rate=0.0002)
    portfolio = vectorbt_portfolio(bars, signals, fee_rate=FEE_RATE, slippage_rate=0.0002, balance=BALANCE)
    assert len(result.trade_rows) > 400
    assert_same_trades(result, portfolio, rel=1e-6)


@pytest.mark.parametrize("kind", [InstrumentKind.LINEAR, InstrumentKind.SPOT])
@pytest.mark.parametrize("fill_at", list(FillAt))
def test_result_as_a_portfolio_has_the_same_trades_and_final_equity(kind: InstrumentKind, fill_at: FillAt) -> None:
    bars = random_bars(3, 2000)
    signals = random_signals(4, 2000, shorts=kind is InstrumentKind.LINEAR)
    instrument = an_instrument(kind=kind, taker_fee_rate=Decimal("0.0005"), maker_fee_rate=Decimal("0.0002"))
    sizing = SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=3.0)
    result = backtest(Scripted(signals), bars, instrument, fill_at=fill_at, slippage_rate=0.0002, sizing=sizing)
    portfolio = result.to_vectorbt()
    records = portfolio.trades.records
    assert len(records) == len(result.trade_rows) > 100
    np.testing.assert_allclose(records["pnl"], result.trade_rows["pnl"], atol=1e-7)
    assert portfolio.final_value() == pytest.approx(result.equity[-1], rel=1e-9)


def test_a_result_without_trades_is_a_portfolio_without_orders() -> None:
    result = backtest(Scripted(some_signals(5, {})), some_bars([100.0] * 5), an_instrument())
    assert result.to_vectorbt().final_value() == 10_000.0


def test_leverage_has_no_portfolio() -> None:
    sizing = SizingSettings(mode=SizingMode.FIXED_QUANTITY, value=1.0, leverage=2.0)
    result = backtest(Scripted(some_signals(5, {})), some_bars([100.0] * 5), an_instrument(), sizing=sizing)
    with pytest.raises(BadInput, match="leverage 2: vectorbt trades with at most 1"):
        result.to_vectorbt()
