"""Spreads and opportunities of stored quotes put into the history: the same figures, each once, with where from."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

import workstation as ws
from tests.cli.histories import BTC, START_NS, store_quotes
from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS

PAIR = ("nova", "orion")
END_NS = START_NS + 3_000 * SECOND_NS


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    made = HistoryStore(tmp_path)
    store_quotes(made)
    return made


def test_opportunities_are_kept_once_whichever_side_is_named_first(store: HistoryStore) -> None:
    found = ws.opportunities(*PAIR, BTC, end=END_NS, least_bps=0.0, keep=True, history=store)
    closed = found[found["closed"].notna()].sort_values("closed", kind="stable")
    assert len(closed) > 3
    kept = ws.history(PAIR, BTC, "opportunities", history=store)
    assert list(kept.index) == list(closed["closed"]) and list(kept["opened"]) == list(closed["opened"])
    for name in ("peak_bps", "quantity", "seconds"):
        assert kept[name].tolist() == closed[name].tolist()
    assert kept["left_bps"].tolist() == pytest.approx(closed["left_bps"].tolist(), nan_ok=True)
    sold = ["nova" if way == "ab" else "orion" for way in closed["way"]]
    assert kept["sell_at"].tolist() == sold and set(kept["least_bps"]) == {0.0}
    ws.opportunities(*PAIR[::-1], BTC, end=END_NS, least_bps=0.0, keep=True, history=store)
    ws.opportunities(*PAIR, BTC, end=END_NS - SECOND_NS, least_bps=0.0, keep=True, history=store)
    pd.testing.assert_frame_equal(ws.history(PAIR, BTC, "opportunities", history=store), kept)
    ws.opportunities(*PAIR, BTC, end=END_NS, least_bps=1.0, keep=True, history=store)
    assert set(ws.history(PAIR, BTC, "opportunities", history=store)["least_bps"]) == {0.0, 1.0}
    span = ws.history(PAIR, BTC, "opportunities", start=kept.index[1], end=kept.index[3], history=store)
    assert sorted(set(span.index)) == list(kept.index[1:3])


def test_spreads_are_kept_with_their_gaps_and_what_they_are_of(store: HistoryStore) -> None:
    told = ws.spreads(*PAIR, BTC, end=END_NS, window_minutes=1, min_points=5, keep=True, history=store)
    kept = ws.history(PAIR, BTC, "spreads", history=store)
    pd.testing.assert_frame_equal(kept[told.columns], told, check_freq=False)
    assert (set(kept["window_ns"]), set(kept["every_ns"])) == ({60 * SECOND_NS}, {SECOND_NS})
    assert set(kept["min_points"]) == {5} and kept["basis"].isna().all()
    ws.spreads(*PAIR, BTC, end=END_NS, window_minutes=1, min_points=5, keep=True, history=store)
    assert len(ws.history(PAIR, BTC, "spreads", history=store)) == len(told)
    with pytest.raises(HistoryMissing, match="spreads orion~nova"):
        ws.history(PAIR[::-1], BTC, "spreads", history=store)  # the other way round it has the other sign


def test_the_lineage_names_the_quotes_and_the_rules(store: HistoryStore) -> None:
    ws.opportunities(*PAIR, BTC, end=END_NS, least_bps=0.0, keep=True, history=store)
    (series,) = (one for one in store.series() if one.kind is HistoryKind.OPPORTUNITIES)
    (segment,) = store.segments(series, Span())
    source = segment.source
    assert source.name.startswith(f"opportunities of quotes of nova:{BTC}, orion:{BTC}, … to 2024-05-01T00:50:00Z")
    options = json.loads(source.options or "")
    assert options["least_bps"] == 0.0 and options["basis"] is None
    assert set(options["quotes"]) == {f"quotes nova:{BTC}", f"quotes orion:{BTC}"}
    for of in options["quotes"].values():
        assert of["files"] == 1 and len(of["sources"]) == 1


def test_nothing_found_is_nothing_kept(store: HistoryStore) -> None:
    assert ws.opportunities(*PAIR, BTC, end=END_NS, least_bps=1e3, keep=True, history=store).empty
    with pytest.raises(HistoryMissing, match="workstation data opportunities nova orion"):
        ws.history(PAIR, BTC, "opportunities", history=store)


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "sentence"),
    [
        ("nova", BTC, "opportunities", "expected two venues"),
        (("nova", "orion", "vega"), BTC, "spreads", "expected two venues"),
        (("nova", "nova"), BTC, "spreads", "both sides are the same instrument"),
        (("nova", "orion"), BTC, "quotes", "expected one of each"),
        (("nova", "<b>"), BTC, "spreads", "venue '<b>'"),
    ],
)
def test_what_is_no_pair_is_refused(store: HistoryStore, venue: object, symbol: str, kind: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        ws.history(venue, symbol, kind, history=store)


def test_figures_that_nobody_knows_are_missing_not_zero(store: HistoryStore) -> None:
    ws.opportunities(*PAIR, BTC, end=END_NS, least_bps=0.0, latency_ms=86_400_000, keep=True, history=store)
    left = ws.history(PAIR, BTC, "opportunities", history=store)["left_bps"]
    assert all(value is None or math.isnan(value) or math.isfinite(value) for value in left)
    answer = store.query("SELECT count(*) AS n FROM opportunities WHERE isnan(left_bps)").to_pylist()
    assert answer == [{"n": 0}]
