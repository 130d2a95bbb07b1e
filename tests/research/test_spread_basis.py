"""Two quote currencies are compared over a basis, and never taken for one another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workstation as ws
from tests.cli.histories import START_NS, perpetual
from workstation.errors import BadInput
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Currency, Symbol
from workstation.model.instrument import InstrumentKind
from workstation.model.market import (
    quote_rows,
)
from workstation.simulator.sample import quote_table

PAIR: dict[str, Any] = {"symbol": "BTC/USDT", "symbol_b": "BTC/USDC", "basis": "nova:USDC/USDT"}
SECONDS = 120


def put(store: HistoryStore, venue: str, symbol: str, mids: np.ndarray, half_spread: float) -> None:
    """One quote a second, of quantities that are worth about 50,000."""
    base, quote = symbol.split("/")
    rules = replace(
        perpetual(venue), symbol=Symbol(symbol), kind=InstrumentKind.SPOT, base=Currency(base), quote=Currency(quote)
    )
    store.put_instrument(rules)
    times, size = START_NS + np.arange(len(mids)) * SECOND_NS, 50_000 / mids
    rows = quote_rows(
        instrument=0, ts_received=times, bid=mids - half_spread, ask=mids + half_spread, bid_quantity=size,
        ask_quantity=size,
    )  # fmt: skip
    source = Source(name=symbol, content_hash=symbol.encode().hex().ljust(64, "0"), written_by="test")
    store.write(Series(kind=HistoryKind.QUOTES, key=rules.key), quote_table(rows), source)


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    """A coin at both venues at one price, in dollars of which one is 20 bps dearer from the middle on."""
    made, walk = HistoryStore(tmp_path), 50_000 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 1e-4, SECONDS)))
    basis = np.where(np.arange(SECONDS) < SECONDS // 2, 1.0, 1.002)
    put(made, "nova", "BTC/USDT", walk, 0.5)
    put(made, "orion", "BTC/USDC", walk / basis, 0.5)
    put(made, "nova", "USDC/USDT", basis, 0.0001)
    return made


def test_over_its_basis_a_dearer_dollar_is_no_spread(store: HistoryStore) -> None:
    frame = ws.spreads("nova", "orion", **PAIR, min_points=5, history=store)
    known = frame[frame["spread_bps"].notna()]
    assert len(known) == SECONDS and known["spread_bps"].abs().max() < 1e-6
    assert known["net_edge_ab_bps"].max() < -10  # both fees, and the conversion's own spread


def test_opportunities_and_pairs_go_by_the_basis_too(store: HistoryStore) -> None:
    assert ws.opportunities("nova", "orion", **PAIR, least_bps=0.0, history=store).empty
    found = ws.pairs("nova", "orion", **PAIR, window_minutes=1.0, every_seconds=60.0, history=store)
    assert found["correlation"].iloc[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"basis": None}, "basis none: expected VENUE:USDC/USDT, as USDC is not USDT"),
        ({"basis": "nova:ETH/USDT"}, "basis nova:ETH/USDT: expected VENUE:USDC/USDT"),
        ({"basis": "USDC/USDT"}, "basis 'USDC/USDT': expected VENUE:SYMBOL"),
        ({"symbol_b": "BTC/USDT"}, "basis nova:USDC/USDT: expected none"),
        ({"symbol_b": "ETH/USDC"}, "BTC and ETH are not the same thing"),
    ],
)
def test_what_cannot_be_compared_is_refused(store: HistoryStore, changes: dict[str, Any], sentence: str) -> None:
    for ask in (ws.spreads, ws.opportunities, ws.pairs):
        with pytest.raises(BadInput, match=sentence):
            ask("nova", "orion", **(PAIR | changes), history=store)
