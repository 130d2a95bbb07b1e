"""Spreads and opportunities of the past, put into the history as tables that say of what they were made."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from workstation import __version__
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import Span
from workstation.history.opportunities import KeptOpportunity, opportunity_tables
from workstation.history.pairs import pair_key
from workstation.history.segments import SCHEMAS, SPREAD_COLUMNS, Source
from workstation.history.store import HistoryStore, shown_time
from workstation.history.writing import Written
from workstation.windows.opportunities import AB, OpportunitySpec
from workstation.windows.specs import WindowSpec
from workstation.windows.tables import Table

MOST_NAMED = 20
"""Sources of quotes that are named one by one."""


def keep_opportunities(
    store: HistoryStore, window: WindowSpec, wanted: OpportunitySpec, span: Span, found: Table
) -> Written:
    """Those of `found` (`spread_opportunities.opportunity_rows`) that have closed; what is kept already is not doubled.

    Raises HistoryMissing, HistoryCorrupt.
    """
    assert window.instrument_b is not None
    a, b = ((one.venue, one.symbol) for one in (window.instrument_a, window.instrument_b))
    rules: dict[str, Any] = {
        "least_bps": wanted.least_bps,
        "least_value": wanted.least_value,
        "least_ns": wanted.least_ns,
        "latency_ns": wanted.latency_ns,
        "basis": None if window.basis is None else str(window.basis),
    }
    kept = [
        KeptOpportunity(
            sold=a if row["way"] == AB else b,
            bought=b if row["way"] == AB else a,
            left_bps=None if np.isnan(row["left_bps"]) else float(row["left_bps"]),
            opened_ns=int(row["opened_ns"]),
            closed_ns=int(row["closed_ns"]),
            peak_ns=int(row["peak_ns"]),
            peak_bps=float(row["peak_bps"]),
            quantity=float(row["quantity"]),
            **rules,
        )
        for row in found[found["closed_ns"] > 0]
    ]
    if not kept:
        return Written()
    source = _source(store, HistoryKind.OPPORTUNITIES, window, span, rules)
    return _only(store.write_all(opportunity_tables(kept).items(), source))


def keep_spreads(store: HistoryStore, window: WindowSpec, span: Span, frame: pd.DataFrame, every_ns: int) -> Written:
    """The rows of `spread_series.spread_series`; what is kept already is not doubled. Raises as the one above."""
    assert window.instrument_b is not None
    if frame.empty:
        return Written()
    lower, upper = (None, None) if window.quantiles is None else window.quantiles
    rules: dict[str, Any] = {
        "window_ns": window.span_ns,
        "every_ns": every_ns,
        "stale_after_ns": window.stale_after_ns,
        "min_points": window.min_points,
        "band_deviations": window.band_deviations,
        "lower_quantile": lower,
        "upper_quantile": upper,
        "basis": None if window.basis is None else str(window.basis),
    }
    schema = SCHEMAS[HistoryKind.SPREADS]
    columns: dict[str, Any] = {"ts_received": frame.index.as_unit("ns").asi8}  # type: ignore[attr-defined]
    columns |= {name: pa.array(frame[name].to_numpy(), from_pandas=True) for name in SPREAD_COLUMNS}
    columns |= {name: pa.repeat(pa.scalar(value, schema.field(name).type), len(frame)) for name, value in rules.items()}
    table = pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
    series = Series(kind=HistoryKind.SPREADS, key=pair_key(window.instrument_a, window.instrument_b))
    return store.write(series, table, _source(store, HistoryKind.SPREADS, window, span, rules))


def _source(store: HistoryStore, kind: HistoryKind, window: WindowSpec, span: Span, rules: Mapping[str, Any]) -> Source:
    """Which quotes it was made of, and how: the same again is known by it."""
    quotes: dict[str, Any] = {}
    content = hashlib.sha256()
    for key in window.instruments:
        series = Series(kind=HistoryKind.QUOTES, key=key)
        segments = store.segments(series, Span(end_ns=span.end_ns))
        names = list(dict.fromkeys(one.source.name for one in segments))
        quotes[str(series)] = {
            "files": len(segments),
            "sources": names if len(names) <= MOST_NAMED else [names[0], f"and {len(names) - 2} more", names[-1]],
        }
        for one in segments:
            content.update(f"{series} {one.path} {one.source.content_hash} {one.rows}\n".encode())
    begun, ended = shown_time(span.start_ns), shown_time(span.end_ns)
    options = {"from": begun, "to": ended, "quotes": quotes, **rules}
    content.update(f"{kind} {span} {window} {sorted(rules.items())}".encode())
    return Source(
        name=f"{kind} of quotes of {', '.join(map(str, window.instruments))}, {begun} to {ended}",
        content_hash=content.hexdigest(),
        written_by=f"workstation {__version__}",
        options=json.dumps(options),
    )


def _only(written: Mapping[Series, Written]) -> Written:
    (one,) = written.values()
    return one
