"""Replay of a year of one-minute bars through the session, orders, paper venue and journal included."""

import hashlib
import resource
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from tests.session.desks import NOVA, USDT, linear, random_bars
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import SCHEMAS, Source
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.durations import MINUTE_NS
from workstation.model.events import BalanceSet
from workstation.model.ids import SessionId
from workstation.model.market import (
    Bars,
)
from workstation.research.backtest import backtest
from workstation.research.replay import ReplayRequest, replay
from workstation.session.manifest import SourceSelection
from workstation.session.settings import SessionSettings
from workstation.strategies.ma_cross import MACross
from workstation.trading.limits import NO_LIMITS
from workstation.trading.paper import PaperSettings

YEAR = 525_600
PARAMETERS = {"average": "sma", "fast": 50, "slow": 200}


def store_bars(folder: Path, bars: Bars) -> HistoryStore:
    store = HistoryStore(folder / "history")
    store.put_instrument(linear(NOVA))
    schema = SCHEMAS[HistoryKind.BARS]
    columns = {name: getattr(bars, name) for name in ("ts_open", "open", "high", "low", "close", "volume")}
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(len(bars), f.type) for f in schema]
    source = Source(name="benchmark", content_hash=hashlib.sha256(b"bars").hexdigest(), written_by="benchmark")
    series = Series(kind=HistoryKind.BARS, key=NOVA, interval_ns=MINUTE_NS)
    store.write(series, pa.table(arrays, schema=schema), source)
    return store


def request(session_id: str) -> ReplayRequest:
    return ReplayRequest(
        session=SessionSettings(
            session_id=SessionId(session_id),
            strategy="ma-cross",
            parameters=PARAMETERS,
            instruments=(NOVA,),
            interval_ns=MINUTE_NS,
            currency=USDT,
            limits=NO_LIMITS,
        ),
        paper=PaperSettings(on_bars=True),
        balances=(BalanceSet(venue=NOVA.venue, currency=USDT, amount=Decimal(10_000_000)),),
        sources=(SourceSelection(key=NOVA, kind="bars", interval_ns=MINUTE_NS),),
    )


def main() -> None:
    bars = random_bars(1, YEAR, MINUTE_NS, jump=0.0005)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = store_bars(folder, bars)
        replay(store, request("warm"))
        began = time.perf_counter()
        result = replay(store, request("memory"))
        alone = time.perf_counter() - began
        with Ledger.open(folder / "ledger.db") as ledger:
            began = time.perf_counter()
            journaled = replay(store, request("journaled"), ledger=ledger)
            kept = time.perf_counter() - began
        backtest(MACross(**PARAMETERS), bars, linear(NOVA))
        began = time.perf_counter()
        fast = backtest(MACross(**PARAMETERS), bars, linear(NOVA), initial_balance=10_000_000.0)
        floor = time.perf_counter() - began
    trades = len(result.trades)
    assert trades == len(fast.trade_rows) == len(journaled.trades)
    print(f"fast backtest             {YEAR / floor / 1e6:8.2f} M bars/s  {trades:,} trades")
    print(f"replay, journal in memory {YEAR / alone:10,.0f} bars/s  {result.state.facts:,} facts")
    print(f"replay, journal on disk   {YEAR / kept:10,.0f} bars/s  written behind")
    print(f"resident memory at most   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    main()
