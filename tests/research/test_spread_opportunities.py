"""Opportunities and pairs over stored quotes: the loop's own, however blocks are cut and wherever the span begins."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workstation as ws
from tests import naive_windows
from tests.cli.histories import BTC, START_NS, store_quotes
from tests.naive_windows import Quote
from tests.research.test_spread_series import FEE, NOVA, ORION, a_window, store_at
from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.research import spread_opportunities as module
from workstation.research import spread_walk
from workstation.research.pair_series import pair_series
from workstation.research.spread_opportunities import spread_opportunities
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.pair import PairReader, side_windows

WANTED = OpportunitySpec(least_bps=0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    made = HistoryStore(tmp_path_factory.mktemp("history"))
    store_quotes(made)
    return made


def told(store: HistoryStore, until_ns: int) -> list[Quote]:
    rows = [store.rows(key, HistoryKind.QUOTES, side) for side, key in enumerate((NOVA, ORION))]
    return sorted(
        Quote(
            int(row["ts_received"]), side, float(row["x0"]), float(row["x1"]), float(row["x2"]), float(row["x3"])
        )
        for side, of_one in enumerate(rows) for row in of_one if row["ts_received"] < until_ns
    )  # fmt: skip


def test_each_is_the_naive_twins(store: HistoryStore) -> None:
    end_ns = START_NS + 330 * SECOND_NS
    found = spread_opportunities(store, a_window(), WANTED, Span(end_ns=end_ns))
    expected = naive_windows.crossings(told(store, end_ns), a_window(), WANTED, FEE, FEE)
    assert len(expected) > 0
    closed = found[found["closed"].notna()]
    assert [stamp.value for stamp in closed["opened"]] == sorted(one.opened for one in expected)
    for one, row in zip(sorted(expected, key=lambda one: one.opened), closed.itertuples(), strict=True):
        assert (one.closed, one.peak_at) == (row.closed.value, row.peak_at.value)
        assert row.way == ("ab", "ba")[one.way] and row.seconds == (one.closed - one.opened) / SECOND_NS
        assert (row.peak_bps, row.quantity, row.left_bps) == pytest.approx((one.peak, one.quantity, one.left))


@pytest.mark.parametrize("block_rows", [1, 3, 64])
def test_blocks_may_be_cut_anywhere(store: HistoryStore, block_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    span = Span(end_ns=START_NS + 330 * SECOND_NS)
    whole = (
        spread_opportunities(store, a_window(), WANTED, span),
        pair_series(store, a_window(), span, every_ns=MINUTE_NS),
    )
    monkeypatch.setattr(spread_walk, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(module, "CLOSED_KEPT", 4)
    cut = (
        spread_opportunities(store, a_window(), WANTED, span),
        pair_series(store, a_window(), span, every_ns=MINUTE_NS),
    )
    for one, other in zip(whole, cut, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_those_that_closed_in_the_span_are_told_with_their_own_opening(store: HistoryStore) -> None:
    whole = spread_opportunities(store, a_window(), WANTED, Span())
    closed = whole["closed"].dropna()
    middle = closed.iloc[0].value - 5 * SECOND_NS
    part = spread_opportunities(store, a_window(), WANTED, Span(start_ns=middle))
    assert part["opened"].iloc[0].value < middle < part["closed"].iloc[0].value
    pd.testing.assert_frame_equal(whole.iloc[-len(part) :].reset_index(drop=True), part, check_exact=True)


def test_one_that_lasts_has_no_closing(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store_at(store, NOVA, [0.0, 1.0, 2.0], [100.0, 100.9, 100.8])
    store_at(store, ORION, [0.5, 1.5, 2.5], [100.0] * 3)
    (one,) = spread_opportunities(store, a_window(), OpportunitySpec(least_value=0), Span()).itertuples()
    assert one.opened.value == START_NS + SECOND_NS and pd.isna(one.closed) and math.isnan(one.seconds)
    assert one.peak_at == one.opened and one.left_bps > 2.0


def test_none_is_an_empty_table(store: HistoryStore) -> None:
    found = ws.opportunities("nova", "orion", BTC, least_bps=1e6, history=store)
    assert found.empty and list(found.columns) == list(module.COLUMNS)


def test_pairs_are_what_the_engine_would_read_then(store: HistoryStore) -> None:
    window = a_window(span_ns=5 * MINUTE_NS)
    frame = pair_series(store, window, Span(), every_ns=MINUTE_NS)
    walk = spread_walk.SpreadWalk(store, window, Span())
    slots = [walk.market.subscribe_window(side) for side in side_windows(window)]
    rows = np.concatenate([block.copy() for block in walk.blocks()])
    done = 0
    for stamp, values in zip(frame.index, frame.to_numpy(), strict=True):
        until = int(rows["ts_received"].searchsorted(stamp.value))
        walk.take(rows[done:until])
        done = until
        assert PairReader(window).read(walk.market.tables, slots, stamp.value) == pytest.approx(
            tuple(values), rel=0, abs=0, nan_ok=True
        )
    assert frame["correlation"].notna().sum() > 10 and done == len(rows)


def test_a_part_of_the_pairs_equals_the_whole(store: HistoryStore) -> None:
    window = a_window(span_ns=2 * MINUTE_NS)
    whole = pair_series(store, window, Span(), every_ns=MINUTE_NS)
    start_ns = START_NS + 417 * SECOND_NS
    part = pair_series(store, window, Span(start_ns=start_ns), every_ns=MINUTE_NS)
    pd.testing.assert_frame_equal(whole[whole.index.as_unit("ns").asi8 > start_ns], part, check_exact=True)
    plain = ws.pairs("nova", "orion", BTC, start=pd.Timestamp(start_ns, tz="UTC"), window_minutes=2, history=store)
    pd.testing.assert_frame_equal(part, plain, check_exact=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"least_bps": "2"}, "least_bps '2': expected a number, not str"),
        ({"least_value": -1}, "least_value -1.0: expected 0 or more"),
        ({"latency_ms": 1.5}, "latency_ms 1.5: expected a whole number"),
        ({"least_bps": math.nan}, "least_bps nan"),
        ({"venue_b": "nova"}, "venue nova: named twice"),
    ],
)
def test_wrong_words_are_refused(store: HistoryStore, words: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        ws.opportunities(**({"venue_a": "nova", "venue_b": "orion", "symbol": BTC, "history": store} | words))


@pytest.mark.parametrize("quantiles", [0.5, (0.1,), ("a", "b")])
def test_quantiles_that_are_none_are_refused(store: HistoryStore, quantiles: Any) -> None:
    with pytest.raises(BadInput, match="quantiles"):
        ws.spreads("nova", "orion", BTC, quantiles=quantiles, history=store)


def test_quotes_that_nobody_stored_are_named(store: HistoryStore) -> None:
    for ask in (ws.opportunities, ws.pairs):
        with pytest.raises(HistoryMissing, match="quotes vega:BTC/USDT:USDT: not stored"):
            ask("nova", "vega", BTC, history=store)
