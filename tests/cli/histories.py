"""Small histories for tests of commands, made from a printed seed; and how a test runs a command."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workstation.cli.main import main
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source, Table
from workstation.history.store import HistoryStore
from workstation.model.durations import HOUR_NS, SECOND_NS
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    Bars,
    quote_rows,
)
from workstation.simulator.sample import bar_table, quote_table

BTC = "BTC/USDT:USDT"
START_NS = 19_844 * 24 * HOUR_NS
"""2024-05-01T00:00Z."""
SEED = 7


def run(*arguments: object) -> Any:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that must fail says: one sentence on stderr, exit code 1, nothing on stdout."""
    code = run(*arguments)
    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert printed.err.startswith("workstation: ") and printed.err.count("\n") == 1
    return printed.err.removeprefix("workstation: ")


SPOT = "BTC/USDT"


def perpetual(venue: str) -> Instrument:
    return Instrument(
        venue=Venue(venue),
        symbol=Symbol(BTC),
        kind=InstrumentKind.LINEAR,
        base=Currency("BTC"),
        quote=Currency("USDT"),
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        min_notional_quote=Decimal(5),
        maker_fee_rate=Decimal("0.0002"),
        taker_fee_rate=Decimal("0.0005"),
    )


def some_bars(count: int, *, seed: int = SEED, interval_ns: int = HOUR_NS) -> Bars:
    """A random walk from 50 000 on a grid of 0.1."""
    print(f"bars of seed {seed}")
    random = np.random.default_rng(seed)
    close = np.round(50_000 * np.exp(np.cumsum(random.normal(0, 0.01, count))), 1)
    open_ = np.concatenate([[50_000.0], close[:-1]])
    return Bars(
        interval_ns=interval_ns,
        ts_open=START_NS + interval_ns * np.arange(count),
        open=open_,
        high=np.round(np.maximum(open_, close) + 20.0, 1),
        low=np.round(np.minimum(open_, close) - 20.0, 1),
        close=close,
        volume=np.ones(count),
    )


def store_spot_bars(store: HistoryStore, count: int = 400) -> None:
    """Hourly bars of BTC/USDT at nova, which cannot be sold short."""
    spot = replace(perpetual("nova"), symbol=Symbol(SPOT), kind=InstrumentKind.SPOT)
    store.put_instrument(spot)
    _write(store, Series(kind=HistoryKind.BARS, key=spot.key, interval_ns=HOUR_NS), bar_table(some_bars(count)))


def store_bars(store: HistoryStore, count: int = 400, *, seed: int = SEED, venue: str = "nova") -> None:
    """Hourly bars of BTC."""
    key = _listed(store, venue)
    series = Series(kind=HistoryKind.BARS, key=key, interval_ns=HOUR_NS)
    _write(store, series, bar_table(some_bars(count, seed=seed)))


def store_quotes(
    store: HistoryStore, seconds: int = 1200, *, venues: tuple[str, ...] = ("nova", "orion"), has_receipt: bool = True
) -> None:
    """Two quotes a second at each venue; every fifth minute the first venue is 100 bps dear for twenty seconds.

    Without `has_receipt` they bear the venue's time alone.
    """
    for rank, venue in enumerate(venues):
        key = _listed(store, venue)
        step = np.arange(2 * seconds)
        noise = np.random.default_rng(SEED + rank).integers(-20, 21, len(step)) * 0.1
        is_dear = (rank == 0) & (step % 600 >= 500) & (step % 600 < 540)
        bid = np.round(50_000.0 + noise + is_dear * 500.0, 1)
        received = START_NS + step * (SECOND_NS // 2) + rank * (SECOND_NS // 4)
        size = np.full(len(step), 5.0)
        rows = quote_rows(
            instrument=0, ts_received=received, bid=bid, ask=bid + 0.1, bid_quantity=size, ask_quantity=size
        )
        table = quote_table(rows)
        if not has_receipt:
            event, received = (table.schema.get_field_index(name) for name in ("ts_event", "ts_received"))
            times = table["ts_received"]
            table = table.set_column(event, "ts_event", times)
            table = table.set_column(received, "ts_received", pa.nulls(len(times), pa.int64()))
        _write(store, Series(kind=HistoryKind.QUOTES, key=key), table)


def _listed(store: HistoryStore, venue: str) -> InstrumentKey:
    instrument = perpetual(venue)
    store.put_instrument(instrument)
    return instrument.key


def _write(store: HistoryStore, series: Series, table: Table) -> None:
    digest = hashlib.sha256(repr((str(series), table.to_pydict())).encode()).hexdigest()
    store.write(series, table, Source(name="test", content_hash=digest, written_by="tests"))
