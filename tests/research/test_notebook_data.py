"""`ws.datasets`, `ws.quality`, `ws.quality_map` and `ws.make_bars`: what the commands say, as tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workstation as ws
from tests.cli.histories import BTC, START_NS, store_bars, store_quotes
from tests.history.series import BTC as KEY
from tests.history.series import a_source, a_table
from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS


@pytest.fixture
def history(home: Path) -> HistoryStore:
    """Bars of an hour and quotes at nova, in the home's own history."""
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store


def store_trades(store: HistoryStore, *, late_ns: int = 0) -> Series:
    """One a second for ten minutes but for the third, received `late_ns` after the venue's time."""
    seconds = np.delete(np.arange(600), range(120, 180))
    series = Series(kind=HistoryKind.TRADES, key=KEY)
    told = START_NS + seconds * SECOND_NS
    table = a_table(
        HistoryKind.TRADES,
        ts_received=told + late_ns,
        ts_event=told,
        price=100.0 + seconds,
        quantity=np.ones(len(seconds)),
        seller_takes=np.zeros(len(seconds), bool),
        trade_id=[str(one) for one in seconds],
    )
    store.write(series, table, a_source("trades.csv"))
    return series


def test_datasets_are_those_of_the_store(history: HistoryStore) -> None:
    table = ws.datasets()
    stored = history.datasets()
    assert list(zip(table.kind, table.venue, table.symbol, table.rows, table.bytes, strict=True)) == [
        (one.kind, one.venue, one.symbol, one.rows, one.bytes) for one in stored
    ]
    assert (str(table.start.dtype), table.start[0].value) == ("datetime64[ns, UTC]", stored[0].start_ns)
    bars = ws.datasets("bars", venue="nova", interval="1h")
    assert list(bars.interval) == ["1h"] and set(ws.datasets("quotes").kind) == {"quotes"}
    assert ws.datasets("trades").empty and list(ws.datasets("trades").columns) == list(table.columns)


def test_an_empty_history_has_tables_without_rows(tmp_path: Path) -> None:
    assert ws.datasets(history=tmp_path).empty
    table = ws.quality(history=tmp_path)
    assert table.empty and str(table.end.dtype) == "datetime64[ns, UTC]"


def test_quality_tells_a_gap_and_what_is_not_known_is_missing(history: HistoryStore) -> None:
    store_trades(history, late_ns=-2 * SECOND_NS)
    table = ws.quality("trades", symbol=KEY.symbol, gap_seconds=30)
    row = table.iloc[0]
    assert (row.gaps, row.longest_gap, row.rows) == (1, pd.Timedelta(seconds=61), 540)
    assert row.coverage == pytest.approx(1 - 61 / 599)
    assert abs(row.clock_offset + pd.Timedelta(seconds=2)) < pd.Timedelta(milliseconds=5)
    assert row.crossed is pd.NA and row.duplicates == 0 and row.faults == 0
    assert ws.quality("trades", gap_seconds=120).gaps[0] == 0
    bars = ws.quality("bars").iloc[0]
    assert bars.clock_offset is pd.NaT and bars.interval == "1h" and bars.start.value == START_NS


@pytest.mark.usefixtures("history")
def test_the_map_has_a_line_for_each_series() -> None:
    chart = ws.quality_map()
    assert set(chart.source.data["dataset"]) == {str(one) for one in ws.open_history().series()}


def test_bars_of_trades_are_a_table_and_are_kept_only_when_asked(history: HistoryStore) -> None:
    series = store_trades(history)
    before = history.series()
    made = ws.make_bars(KEY.venue, KEY.symbol, "1m")
    assert history.series() == before
    assert list(made.is_empty) == [False, False, True, *[False] * 7]
    assert list(made.has_ended) == [True] * 9 + [False]  # the last trade is at 59 s
    assert made.volume.tolist() == [60.0, 60.0, 0.0, *[60.0] * 7]
    assert (made.open.iloc[0], made.high.iloc[0], made.close.iloc[0]) == (100.0, 159.0, 159.0)
    assert len(ws.make_bars(KEY.venue, KEY.symbol, "1m", empty="left-out")) == 9
    kept = ws.make_bars(KEY.venue, KEY.symbol, "1m", keep=True, into="made")
    stored = ws.history("made", KEY.symbol, "bars", interval="1m")
    pd.testing.assert_frame_equal(stored, kept[kept.has_ended][list(stored.columns)])
    lineage = ws.make_bars("made", KEY.symbol, "5m", source="1m")
    assert lineage.close.iloc[0] == kept.close.iloc[4] and series in history.series()


def test_bars_of_a_span_are_those_of_the_span(history: HistoryStore) -> None:
    store_trades(history)
    made = ws.make_bars(KEY.venue, KEY.symbol, "1m", start=START_NS + 60 * SECOND_NS, end=START_NS + 120 * SECOND_NS)
    assert len(made) == 1 and made.open.iloc[0] == 160.0


@pytest.mark.usefixtures("history")
def test_what_cannot_be_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match=r"kind 'candles': expected bars, quotes"):
        ws.quality("candles")
    with pytest.raises(BadInput, match=r"interval 7: expected text"):
        ws.datasets(interval=7)
    with pytest.raises(BadInput, match=r"calendar 'moon': expected utc"):
        ws.quality(calendar="moon")
    with pytest.raises(HistoryMissing, match=r"venue narnia: not stored in .*ws\.datasets\(\)"):
        ws.quality_map(venue="narnia")
    with pytest.raises(BadInput, match=r"source 'ticks': expected trades, quotes"):
        ws.make_bars("nova", BTC, "1m", source="ticks")
    with pytest.raises(BadInput, match=r"into 'mine': expected it with keep=True"):
        ws.make_bars("nova", BTC, "1d", source="1h", into="mine")
    with pytest.raises(BadInput, match="multiple of 1h"):
        ws.make_bars("nova", BTC, "1m", source="1h")
    with pytest.raises(HistoryMissing, match=r"trades nova:.*not stored"):
        ws.make_bars("nova", BTC, "1m")
