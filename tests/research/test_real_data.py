"""Real markets through the whole path: import, backtest, replay, verify. Data that nobody here made."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.session.test_parity import fast_trades, slow_trades
from workstation.history.importing import ImportReport, ImportRequest, import_file
from workstation.history.layout import HistoryKind
from workstation.history.rules import GivenRules
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import DAY_NS, HOUR_NS
from workstation.model.events import BalanceSet
from workstation.model.ids import Currency, RunId, SessionId, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.research.backtest import backtest
from workstation.research.replay import ReplayRequest, replay
from workstation.research.replay_result import ReplayResult
from workstation.research.verify import verify
from workstation.session.manifest import SourceSelection
from workstation.session.settings import SessionSettings
from workstation.strategies.ma_cross import MACross
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import FillAt, PaperSettings
from workstation.trading.sizing import SizingMode, SizingSettings

pytestmark = pytest.mark.shared
BINANCE, USDT = Venue("binance"), Currency("USDT")
SPOT = InstrumentKey(BINANCE, Symbol("BTC/USDT"))
LINEAR = InstrumentKey(BINANCE, Symbol("BTC/USDT:USDT"))
INVERSE = InstrumentKey(BINANCE, Symbol("BTC/USD:USD"))
"""Quoted in USD: watched beside the other two, not traded."""


def take_in(
    store: HistoryStore,
    shared_dir: Path,
    name: str,
    kind: HistoryKind,
    key: InstrumentKey,
    interval_ns: int | None = None,
) -> ImportReport:
    """Imports a copy, so that nothing is ever written beside the original."""
    copy = store.root.parent / Path(name).name
    shutil.copy(shared_dir / "data" / name, copy)
    rules = GivenRules(lot_size=Decimal(1)) if key.symbol.startswith("GOOG") else GivenRules()
    request = ImportRequest(kind=kind, venue=key.venue, symbol=key.symbol, interval_ns=interval_ns, rules=rules)
    return import_file(store, copy, request)


def bar_request(
    key: InstrumentKey, interval_ns: int, parameters: dict[str, object], **changes: object
) -> ReplayRequest:
    session = SessionSettings(
        session_id=SessionId("bars"),
        strategy="ma-cross",
        parameters=parameters,
        instruments=(key,),
        interval_ns=interval_ns,
        currency=Currency(key.symbol.split("/")[1].split(":")[0]),
        limits=NO_LIMITS,
    )
    return ReplayRequest(
        session=replace(session, **changes),
        paper=PaperSettings(on_bars=True),
        balances=(BalanceSet(venue=key.venue, currency=session.currency, amount=Decimal(10_000)),),
        sources=(SourceSelection(key=key, kind="bars", interval_ns=interval_ns),),
    )


@pytest.mark.parametrize("fill_at", list(FillAt))
@pytest.mark.parametrize(
    "parameters", [{"fast": 3, "slow": 8}, {"average": "sma", "fast": 2, "slow": 5, "side": "long", "atr_window": 3}]
)
def test_an_hourly_series_imports_backtests_and_replays_with_equal_trades(tmp_path, shared_dir, parameters, fill_at):
    key = LINEAR
    store = HistoryStore(tmp_path / "history")
    report = take_in(store, shared_dir, "bars/binance_BTC_USDT_1h.parquet", HistoryKind.BARS, key, HOUR_NS)
    assert (report.rows_read, report.rows_good) == (120, 120)
    bars, instrument = store.bars(key, HOUR_NS), store.instrument(key)
    fast = backtest(MACross(**parameters), bars, instrument, fill_at=fill_at)
    request = bar_request(key, HOUR_NS, parameters)
    slow = replay(store, replace(request, paper=PaperSettings(on_bars=True, fill_at=fill_at)))
    assert len(fast.trade_rows) >= 3
    assert slow_trades(slow.log) == fast_trades(fast)
    assert slow.metrics["final_equity_quote"] == pytest.approx(fast.metrics["final_equity_quote"], rel=1e-9)


def test_the_published_goog_run_replays_with_the_trades_of_the_backtest(tmp_path, shared_dir):
    key = InstrumentKey(Venue("nasdaq"), Symbol("GOOG/USD:USD"))
    store = HistoryStore(tmp_path / "history")
    take_in(store, shared_dir, "reference/backtestingpy_GOOG.parquet", HistoryKind.BARS, key, DAY_NS)
    instrument = replace(store.instrument(key), taker_fee_rate=Decimal(0), maker_fee_rate=Decimal(0), valid_from_ns=1)
    store.put_instrument(instrument)
    parameters = {"average": "sma", "fast": 10, "slow": 30, "atr_stop": None, "atr_target": None}
    sizing = SizingSettings(mode=SizingMode.EQUITY_FRACTION, value=1.0)
    fast = backtest(MACross(**parameters), store.bars(key, DAY_NS), instrument, sizing=sizing)
    slow = replay(store, bar_request(key, DAY_NS, parameters, sizing=sizing))
    assert slow_trades(slow.log) == fast_trades(fast)
    first = [(t.side * t.entry_quantity, t.entry_price, t.exit_price, t.pnl_quote) for t in slow.legs[:4]]
    assert [tuple(map(float, one)) for one in first] == [
        (-55, 180.36, 186.31, -327.25),
        (51, 186.31, 193.69, 376.38),
        (-51, 193.69, 196.96, -166.77),
        (50, 196.96, 196.50, -23.0),
    ]
    assert len(slow.trades) == 66


def millisecond_store(folder: Path, shared_dir: Path) -> tuple[HistoryStore, list[ImportReport]]:
    store, reports = HistoryStore(folder / "history"), []
    files = ((SPOT, "spot_btcusdt"), (LINEAR, "linear_btcusdt"), (INVERSE, "inverse_btcusd_perp"))
    for key, name in files:
        reports.append(take_in(store, shared_dir, f"bbo/binance_{name}_20240808.parquet", HistoryKind.QUOTES, key))
        folder_name = f"trades/binance_{name}_20240808.parquet"
        reports.append(take_in(store, shared_dir, folder_name, HistoryKind.TRADES, key))
    return store, reports


def spread_request(session_id: str = "spread") -> ReplayRequest:
    """Spot against perpetual; the spot account holds coins, so that it can sell."""
    sources = tuple(
        SourceSelection(key=key, kind=kind) for key in (SPOT, LINEAR, INVERSE) for kind in ("quotes", "trades")
    )
    balances = (("USDT", 10_000), ("BTC", 1))
    return ReplayRequest(
        session=SessionSettings(
            session_id=SessionId(session_id),
            strategy="spread-reversion",
            parameters={"entry_z": 2.0, "window_minutes": 1, "min_points": 100, "min_net_edge_bps": None},
            instruments=(SPOT, LINEAR),
            currency=USDT,
            sizing=SizingSettings(mode=SizingMode.FIXED_NOTIONAL, value=500.0),
            limits=NO_LIMITS,
            entry_timeout_ns=2_000_000_000,
        ),
        paper=PaperSettings(latency_ns=20_000_000),
        balances=tuple(
            BalanceSet(venue=BINANCE, currency=Currency(currency), amount=Decimal(amount))
            for currency, amount in balances
        ),
        sources=sources,
    )


def test_millisecond_quotes_of_three_markets_replay_through_the_spread_strategy_and_verify(tmp_path, shared_dir):
    store, reports = millisecond_store(tmp_path, shared_dir)
    late = [r.median_receive_minus_event_ns for r in reports if r.median_receive_minus_event_ns is not None]
    assert late and all(-1_280_000_000 < median < -1_260_000_000 for median in late), "the receive clock ran behind"
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        result = replay(store, spread_request(), ledger=ledger)
    assert result.rows == sum(report.rows_good for report in reports)
    assert result.state.halted is None
    assert len(result.legs) >= 10 and {leg.instrument for leg in result.legs} == {SPOT, LINEAR}
    closed = {leg.group_id for leg in result.legs if not leg.is_open}
    assert sum(hedged(result, group) for group in closed) >= 5
    assert all(
        leg.exit_quantity == leg.entry_quantity for leg in result.legs if leg.group_id not in result.state.groups
    )
    checked = verify(tmp_path / "ledger.db", RunId("spread.1"), store)
    assert checked.decisions > 50 and checked.is_same_code


def hedged(result: ReplayResult, group: str) -> bool:
    legs = [leg for leg in result.legs if leg.group_id == group]
    return sum(leg.side * leg.entry_quantity for leg in legs) == 0
