"""A real spread, checked by another engine: DuckDB's as-of join and its window functions over the same quotes."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import workstation as ws
from tests.cli.histories import perpetual
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import Source
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS
from workstation.model.ids import Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    quote_rows,
)
from workstation.simulator.sample import quote_table

VENUES = {"spot": "bybit_btcusdt_spot_1m", "linear": "bybit_btcusdt_linear_1m"}
UNCHANGED_S = 3_600.0
"""A minute that is absent there is one in which the quote did not change; the longest such silence is shorter."""
ASKED = """
with times as (select ts from spot union select ts from linear),
joined as (
  select times.ts, 1e4 * ln((s.bid + s.ask) / (l.bid + l.ask)) as spread_bps,
    1e4 * (s.bid - l.ask) / l.ask as edge_ab_bps, 1e4 * (l.bid - s.ask) / s.ask as edge_ba_bps,
    1e4 * (s.bid * (1 - 0.0005) / (l.ask * (1 + 0.0005)) - 1) as net_edge_ab_bps
  from times asof join spot s on times.ts >= s.ts asof join linear l on times.ts >= l.ts
)
select *, avg(spread_bps) over before as mean_bps, stddev_pop(spread_bps) over before as deviation_bps,
  count(*) over before as points
from joined window before as (order by ts range between 1800000000000 preceding and 1 preceding) order by ts
"""


def quotes_of(shared_dir: Path, name: str) -> pd.DataFrame:
    """The last quote of each minute, at the minute's end."""
    bars = pd.read_parquet(shared_dir / "data" / "bbo_bars" / f"{name}.parquet")
    ts = bars["ts"].dt.as_unit("ns").astype("int64") + MINUTE_NS
    return pd.DataFrame({"ts": ts, "bid": bars["bid_close"], "ask": bars["ask_close"]})


def stored(folder: Path, quotes: dict[str, pd.DataFrame]) -> HistoryStore:
    store = HistoryStore(folder)
    for place, (venue, frame) in enumerate(quotes.items()):
        rules = perpetual(venue)
        store.put_instrument(rules)
        rows = quote_rows(
            instrument=0, ts_received=frame["ts"].to_numpy(), bid=frame["bid"].to_numpy(), ask=frame["ask"].to_numpy(),
            bid_quantity=np.ones(len(frame)), ask_quantity=np.ones(len(frame)),
        )  # fmt: skip
        source = Source(name=venue, content_hash=str(place) * 64, written_by="test")
        key = InstrumentKey(Venue(venue), rules.symbol)
        store.write(Series(kind=HistoryKind.QUOTES, key=key), quote_table(rows), source)
    return store


@pytest.mark.shared
def test_a_spread_of_spot_against_perpetual_is_duckdbs_asof_join(tmp_path: Path, shared_dir: Path) -> None:
    quotes = {venue: quotes_of(shared_dir, name) for venue, name in VENUES.items()}
    store = stored(tmp_path, quotes)
    symbol = perpetual("spot").symbol
    found = ws.spreads(
        "spot", "linear", symbol, resolution_ms=1, stale_after_seconds=UNCHANGED_S, history=store, min_points=5
    )
    with duckdb.connect() as session:
        for venue, frame in quotes.items():
            session.register(venue, frame)
        expected = session.sql(ASKED).df().set_index("ts")
    found = found[found["spread_bps"].notna()]
    assert len(found) > 700 and found.index.as_unit("ns").asi8.tolist() == expected.index.tolist()
    for name in ("spread_bps", "edge_ab_bps", "edge_ba_bps", "net_edge_ab_bps"):
        assert found[name].to_numpy() == pytest.approx(expected[name].to_numpy(), rel=1e-9, abs=1e-9), name
    is_told = (expected["points"] >= 5).to_numpy()
    assert found["mean_bps"].notna().to_numpy().tolist() == is_told.tolist()
    assert found["mean_bps"][is_told].to_numpy() == pytest.approx(expected["mean_bps"][is_told].to_numpy(), abs=1e-7)
    z = (expected["spread_bps"] - expected["mean_bps"]) / expected["deviation_bps"]
    assert found["z"][is_told].to_numpy() == pytest.approx(z[is_told].to_numpy(), rel=1e-6, abs=1e-6, nan_ok=True)
