"""A page of a venue's bars, trades or funding rates as columns of the history."""

from collections.abc import Sequence

import pyarrow as pa

from workstation.exchanges.ccxt_parse import BarNumbers, FundingNumbers, TradeNumbers
from workstation.history.layout import HistoryKind
from workstation.history.segments import SCHEMAS, Table


def bar_page_table(bars: Sequence[BarNumbers]) -> Table:
    """Bars without a time of receipt: they were fetched long after."""
    return _table(HistoryKind.BARS, {name: [getattr(bar, name) for bar in bars] for name in BarNumbers._fields})


def trade_page_table(trades: Sequence[TradeNumbers]) -> Table:
    """Trades by the venue's time alone."""
    return _table(HistoryKind.TRADES, {name: [getattr(one, name) for one in trades] for name in TradeNumbers._fields})


def funding_page_table(rates: Sequence[FundingNumbers]) -> Table:
    """Rates that were paid, by the venue's time alone."""
    columns = {name: [getattr(one, name) for one in rates] for name in ("ts_event", "rate")}
    return _table(HistoryKind.FUNDING, columns)


def _table(kind: HistoryKind, columns: dict[str, list[object]]) -> Table:
    schema = SCHEMAS[kind]
    rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)
