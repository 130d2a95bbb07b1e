"""Small tables of history and the names around them."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import SCHEMAS, Source
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, split_symbol

DAY_START_NS = 1_723_075_200_000_000_000  # 2024-08-08T00:00:00Z
BTC = InstrumentKey(Venue("binance"), Symbol("BTC/USDT"))
ETH = InstrumentKey(Venue("binance"), Symbol("ETH/USDT"))
QUOTES = Series(kind=HistoryKind.QUOTES, key=BTC)
TRADES = Series(kind=HistoryKind.TRADES, key=BTC)
HOURS = Series(kind=HistoryKind.BARS, key=BTC, interval_ns=HOUR_NS)


def a_source(name: str = "quotes.csv") -> Source:
    return Source(name=name, content_hash=sha256(name.encode()).hexdigest(), written_by="workstation test")


def a_table(kind: HistoryKind, **columns: Any) -> Any:
    """The columns given, null for the rest."""
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in SCHEMAS[kind]
    ]
    return pa.table(arrays, schema=SCHEMAS[kind])


def quotes_at(times: Any, bid: float = 100.0) -> Any:
    """Quotes received at `times`, one cent wide; the bid rises by a cent with each row."""
    times = np.asarray(times, np.int64)
    bids = np.round(bid + np.arange(len(times)) / 100, 2)
    ones = np.ones(len(times))
    columns = {"bid": bids, "ask": np.round(bids + 0.01, 2), "bid_quantity": ones, "ask_quantity": ones * 2}
    return a_table(HistoryKind.QUOTES, ts_received=times, **columns)


def bars_from(start_ns: int, count: int, interval_ns: int = HOUR_NS, close: float = 100.0) -> Any:
    times = start_ns + np.arange(count, dtype=np.int64) * interval_ns
    flat = np.full(count, close)
    prices = {"open": flat, "high": flat + 1, "low": flat - 1, "close": flat, "volume": np.arange(1.0, count + 1)}
    return a_table(HistoryKind.BARS, ts_open=times, **prices)


def an_instrument(key: InstrumentKey = BTC, *, tick_size: str = "0.01", valid_from_ns: int = 0) -> Instrument:
    base, quote, kind = split_symbol(key.symbol)
    return Instrument(
        venue=key.venue,
        symbol=key.symbol,
        kind=kind,
        base=base,
        quote=quote,
        tick_size=Decimal(tick_size),
        lot_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        min_notional_quote=Decimal(5),
        maker_fee_rate=Decimal("0.001"),
        taker_fee_rate=Decimal("0.001"),
        valid_from_ns=valid_from_ns,
    )


def segment_files(store: HistoryStore, series: Series) -> list[Path]:
    return sorted((store.root / series.folder).rglob("*.parquet"))
