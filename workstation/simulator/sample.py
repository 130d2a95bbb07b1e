"""The sample data of notebooks, demo and tests: a history of the seeded market, small enough to be committed.

Two perpetuals. Quotes at three venues for 75 minutes, with enough dislocations for a spread strategy to earn its fees;
trades of one symbol in the same minutes; bars of one minute for 45 days and of one hour for two years.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from workstation import __version__
from workstation.errors import ConfigError
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import SCHEMAS, Source, Table
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    Bars,
    RowFlag,
    Rows,
)
from workstation.simulator.markets import MarketModel
from workstation.simulator.settings import BTC, ETH, NOVA, ORION, VEGA, Climate

SAMPLE_SEED = 20240501
SAMPLE_DAY_NS = 19_844 * DAY_NS
"""2024-05-01, the day of the quotes; bars end with it."""
QUOTES_START_NS = SAMPLE_DAY_NS + 13 * HOUR_NS + 30 * MINUTE_NS
QUOTES_STOP_NS = QUOTES_START_NS + 75 * MINUTE_NS
BARS_STOP_NS = SAMPLE_DAY_NS + DAY_NS
BAR_SPANS_NS = {MINUTE_NS: 45 * DAY_NS, HOUR_NS: 731 * DAY_NS}
"""Interval to length of history."""

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSeries:
    """One series of the sample, not yet stored."""

    series: Series
    table: Table


def sample_market(seed: int = SAMPLE_SEED) -> MarketModel:
    """The market of the sample: slower quotes than by default, so that it stays small, and more dislocations."""
    venues = (
        replace(NOVA, quotes_per_second=2.6, trades_per_second=0.5, dislocations_per_hour=5.0),
        replace(ORION, quotes_per_second=1.9, trades_per_second=0.3, dislocations_per_hour=6.0),
        replace(VEGA, quotes_per_second=1.3, trades_per_second=0.2, dislocations_per_hour=7.0),
    )
    climate = Climate(dislocation_bps=(15.0, 60.0), dislocation_ns=(20 * SECOND_NS, 240 * SECOND_NS))
    origin_ns = BARS_STOP_NS - max(BAR_SPANS_NS.values())
    return MarketModel(seed=seed, venues=venues, symbols=(BTC, ETH), climate=climate, origin_ns=origin_ns)


def write_sample(folder: Path, seed: int = SAMPLE_SEED) -> HistoryStore:
    """Generates the sample into an empty or new folder. Raises ConfigError for one that holds something."""
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"sample folder {folder}: holds {len(list(folder.iterdir()))} entries: expected an empty one")
    market, store = sample_market(seed), HistoryStore(folder)
    for instrument in market.instruments():
        store.put_instrument(instrument)
    for part in tqdm(sample_series(market), total=len(_plan(market)), unit="series", desc="sample", delay=2):
        content_hash = hashlib.sha256(repr(part.table.to_pydict()).encode()).hexdigest()
        name = f"workstation.simulator seed {seed}"
        source = Source(name=name, content_hash=content_hash, written_by=f"workstation {__version__}")
        store.write(part.series, part.table, source)
    return store


def sample_series(market: MarketModel) -> Iterator[SampleSeries]:
    """Every series of the sample, one at a time."""
    for series in _plan(market):
        yield SampleSeries(series=series, table=_table(market, series))


def _plan(market: MarketModel) -> list[Series]:
    keys = [instrument.key for instrument in market.instruments()]
    home = [key for key in keys if key.venue == NOVA.venue]
    return [
        *(Series(kind=HistoryKind.QUOTES, key=key) for key in keys),
        *(Series(kind=HistoryKind.TRADES, key=key) for key in keys if key.symbol == BTC.symbol),
        *(Series(kind=HistoryKind.BARS, key=key, interval_ns=length_ns) for key in home for length_ns in BAR_SPANS_NS),
    ]


def _table(market: MarketModel, series: Series) -> Table:
    if series.interval_ns is not None:
        start_ns = BARS_STOP_NS - BAR_SPANS_NS[series.interval_ns]
        return bar_table(market.bars(series.key, start_ns, BARS_STOP_NS, series.interval_ns))
    keys: list[InstrumentKey] = [series.key]
    if series.kind is HistoryKind.QUOTES:
        return quote_table(market.quotes(QUOTES_START_NS, QUOTES_STOP_NS, keys))
    return trade_table(market.trades(QUOTES_START_NS, QUOTES_STOP_NS, keys))


def quote_table(quotes: Rows) -> Table:
    """The columns that history keeps of MARKET_ROWs of quotes."""
    fields = {"bid": "x0", "ask": "x1", "bid_quantity": "x2", "ask_quantity": "x3"}
    columns = {name: quotes[field] for name, field in fields.items()}
    return _arrow(HistoryKind.QUOTES, quotes, columns)


def trade_table(trades: Rows) -> Table:
    """The columns that history keeps of MARKET_ROWs of one venue's trades, numbered from 1."""
    columns = {
        "price": trades["x0"],
        "quantity": trades["x1"],
        "seller_takes": (trades["flags"] & RowFlag.SELLER_TAKES) != 0,
        "trade_id": np.arange(1, len(trades) + 1).astype(str),
    }
    return _arrow(HistoryKind.TRADES, trades, columns)


def bar_table(bars: Bars) -> Table:
    """The columns that history keeps of bars; without receipt times, as downloaded ones have none."""
    names = ("ts_open", "open", "high", "low", "close", "volume")
    columns = {name: getattr(bars, name) for name in names} | {"ts_received": pa.nulls(len(bars), pa.int64())}
    return pa.table(columns, schema=SCHEMAS[HistoryKind.BARS])


def _arrow(kind: HistoryKind, rows: Rows, columns: Mapping[str, AnyArray]) -> Table:
    times: dict[str, AnyArray] = {name: rows[name] for name in ("ts_received", "ts_event")}
    # a field of structured rows is strided, and Arrow wants its values side by side
    whole = {name: np.ascontiguousarray(values) for name, values in (*times.items(), *columns.items())}
    return pa.table(whole, schema=SCHEMAS[kind])
