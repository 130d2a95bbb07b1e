"""One ordered stream out of many series: by receipt, then rank, then place in the file."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.series import (
    BTC,
    DAY_START_NS,
    ETH,
    HOURS,
    QUOTES,
    a_source,
    a_table,
    an_instrument,
    bars_from,
    quotes_at,
    segment_files,
)
from workstation.errors import HistoryMissing, UnknownInstrument
from workstation.history.blocks import Selection, count_rows, merged_blocks, merging_prices, received_bars
from workstation.history.layout import HistoryKind, Series
from workstation.history.market_rows import PRICES, PriceForm, RowForm, Span
from workstation.history.merging import merge_cursors
from workstation.history.segments import Table, open_segment
from workstation.history.store import HistoryStore
from workstation.kernels.merging import merge_rows
from workstation.model.durations import DAY_NS, HOUR_NS
from workstation.model.instrument import Registry
from workstation.model.market import (
    MARKET_ROW,
    IntArray,
    RowKind,
    Rows,
)
from workstation.windows.advance import price_fault, quote_fault

ETH_QUOTES = Series(kind=HistoryKind.QUOTES, key=ETH)
BOTH = [Selection(key=BTC, kind=HistoryKind.QUOTES), Selection(key=ETH, kind=HistoryKind.QUOTES)]
offsets = st.lists(st.integers(0, 40), min_size=1, max_size=60).map(sorted)


def a_registry() -> Registry:
    registry = Registry()
    for key in (BTC, ETH):
        registry.add(an_instrument(key))
    return registry


def all_rows(store: HistoryStore, selections: list[Selection], **options: int) -> Rows:
    blocks = [block.copy() for block in merged_blocks(store, selections, a_registry(), **options)]
    return np.concatenate([np.zeros(0, MARKET_ROW), *blocks])


def rows_if_any(store: HistoryStore, selections: list[Selection], **span: int) -> Rows:
    """The rows of a span, none where a series has none in it; the count must say as many."""
    try:
        rows = all_rows(store, selections, **span)
    except HistoryMissing:
        with pytest.raises(HistoryMissing, match="nothing received in"):
            count_rows(store, selections, **span)
        return np.zeros(0, MARKET_ROW)
    assert count_rows(store, selections, **span) == len(rows)
    return rows


def priced(store: HistoryStore, **span: int) -> Rows:
    """What a spread of BTC and ETH is walked by, in the order of `merged_blocks`."""
    merging, sides = merging_prices(store, [BTC, ETH], Span(**span))
    assert sorted(set(sides.tolist())) == [0, 1]
    parts = [part.copy() for part in merge_cursors(merging, np.zeros(7, PRICES), merge_rows)]
    return np.concatenate([np.zeros(0, PRICES), *parts])


def without_receipt(times: IntArray | list[int], bid: float = 100.0) -> Table:
    """Quotes that bear the venue's time alone."""
    table = quotes_at(times, bid)
    columns = {name: table[name] for name in ("bid", "ask", "bid_quantity", "ask_quantity")}
    return a_table(HistoryKind.QUOTES, ts_event=table["ts_received"], **columns)


@settings(max_examples=30)  # each example writes and syncs files
@given(offsets, offsets, st.integers(1, 17), st.booleans())
def test_the_stream_is_a_stable_sort_of_all_rows(
    first: list[int], second: list[int], block_rows: int, is_turned: bool
) -> None:
    selections = BOTH[::-1] if is_turned else BOTH
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder), segment_rows=7)
        store.write(QUOTES, quotes_at(DAY_START_NS + np.array(first)), a_source())
        store.write(ETH_QUOTES, quotes_at(DAY_START_NS + np.array(second), bid=200), a_source())
        got = all_rows(store, selections, block_rows=block_rows)
        registry = a_registry()
        parts = [store.rows(one.key, one.kind, registry.index(one.key)) for one in selections]
    joined = np.concatenate(parts)
    assert got.tobytes() == joined[np.argsort(joined["ts_received"], kind="stable")].tobytes()


def test_blocks_are_full_but_the_last_and_share_one_buffer(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(25)), a_source())
    blocks = list(merged_blocks(store, BOTH[:1], a_registry(), block_rows=10))
    assert [len(block) for block in blocks] == [10, 10, 5]
    assert np.shares_memory(blocks[0], blocks[1])


def test_the_count_is_known_before_the_rows_are_read(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(100) * HOUR_NS), a_source())
    store.write(ETH_QUOTES, quotes_at(DAY_START_NS + np.arange(50) * HOUR_NS), a_source())
    span = {"start_ns": DAY_START_NS + 3 * HOUR_NS, "end_ns": DAY_START_NS + 60 * HOUR_NS}
    assert count_rows(store, BOTH, **span) == len(all_rows(store, BOTH, **span)) == 57 + 47
    assert count_rows(store, BOTH) == len(all_rows(store, BOTH)) == 150


def test_bars_and_quotes_interleave_at_the_end_of_the_bar(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at([DAY_START_NS, DAY_START_NS + HOUR_NS, DAY_START_NS + HOUR_NS + 1]), a_source())
    store.write(HOURS, bars_from(DAY_START_NS, 1), a_source())
    bars = Selection(key=BTC, kind=HistoryKind.BARS, interval_ns=HOUR_NS)
    kinds = all_rows(store, [bars, BOTH[0]])["kind"].tolist()
    assert kinds == [RowKind.QUOTE, RowKind.BAR, RowKind.QUOTE, RowKind.QUOTE]
    assert all_rows(store, [BOTH[0], bars])["kind"].tolist() == [1, 1, 3, 1]


def test_replayed_bars_are_the_bars_of_the_same_span(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(HOURS, bars_from(DAY_START_NS, 24 * 300), a_source())
    bars = Selection(key=BTC, kind=HistoryKind.BARS, interval_ns=HOUR_NS)
    span = {"start_ns": DAY_START_NS + 100 * DAY_NS, "end_ns": DAY_START_NS + 200 * DAY_NS}
    received = {name: moment + HOUR_NS + 7 for name, moment in span.items()}
    rows = all_rows(store, [bars], assumed_delay_ns=7, **received)
    expected = store.bars(BTC, HOUR_NS, **span)
    assert (rows["ts_event"] - HOUR_NS).tolist() == expected.ts_open.tolist()
    assert rows["x4"].tolist() == expected.volume.tolist()
    foreseen = received_bars(store, BTC, HOUR_NS, assumed_delay_ns=7, **received)
    assert foreseen.ts_open.tolist() == expected.ts_open.tolist()
    assert foreseen.volume.tolist() == expected.volume.tolist()


def test_two_clocks_in_one_series_make_one_order_by_receipt(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, without_receipt([DAY_START_NS - 10]), a_source("without receipt"))
    store.write(QUOTES, quotes_at([DAY_START_NS + 5]), a_source("with receipt"))
    rows = all_rows(store, BOTH[:1], assumed_delay_ns=100)
    assert (rows["ts_received"] - DAY_START_NS).tolist() == [5, 90]


@settings(max_examples=30)  # each example writes and syncs files
@given(offsets, offsets, offsets, st.integers(0, 30), st.integers(-5, 30), st.integers(1, 80), st.integers(0, 40))
def test_a_shorter_span_is_the_beginning_of_a_longer_one_whatever_the_clocks(
    recorded: list[int], dated: list[int], other: list[int], delay_ns: int, start: int, length: int, more: int
) -> None:
    midnight = DAY_START_NS + 20  # both clocks of BTC cross it, a delay apart
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder), segment_rows=7)
        store.write(QUOTES, quotes_at(midnight - 20 + np.array(recorded)), a_source("recorded"))
        store.write(QUOTES, without_receipt(midnight - 20 + np.array(dated), bid=150), a_source("dated"))
        store.write(ETH_QUOTES, without_receipt(midnight - 20 + np.array(other), bid=200), a_source())
        whole = all_rows(store, BOTH, assumed_delay_ns=delay_ns)
        ends = [DAY_START_NS + start + length, DAY_START_NS + start + length + more]
        spans = [{"start_ns": DAY_START_NS + start, "end_ns": end, "assumed_delay_ns": delay_ns} for end in ends]
        shorter, longer = (rows_if_any(store, BOTH, **span) for span in spans)
    assert shorter.tobytes() == longer[: len(shorter)].tobytes()
    for rows, end in zip((shorter, longer), ends, strict=True):
        if len(rows):
            received = whole["ts_received"]
            assert rows.tobytes() == whole[(received >= DAY_START_NS + start) & (received < end)].tobytes()


@settings(max_examples=30)  # each example writes and syncs files
@given(offsets, offsets, offsets, st.integers(0, 30), st.integers(31, 80))
def test_prices_alone_are_those_of_the_whole_rows(
    recorded: list[int], dated: list[int], other: list[int], start: int, end: int
) -> None:
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder), segment_rows=7)
        store.write(QUOTES, quotes_at(DAY_START_NS + np.array(recorded)), a_source("recorded"))
        store.write(QUOTES, quotes_at(DAY_START_NS + np.array(recorded[::2]), bid=130), a_source("recorded twice"))
        store.write(QUOTES, without_receipt(DAY_START_NS + np.array(dated), bid=150.123456), a_source("dated"))
        store.write(ETH_QUOTES, quotes_at(DAY_START_NS + np.array(other), bid=1 / 3), a_source())
        try:
            span = {"start_ns": DAY_START_NS + start, "end_ns": DAY_START_NS + end}
            whole, prices = all_rows(store, BOTH, **span), priced(store, **span)
        except HistoryMissing:
            return
    assert list(PRICES.names or ()) == ["ts_received", "x0", "x1"]
    for name in PRICES.names or ():
        assert prices[name].tobytes() == np.ascontiguousarray(whole[name]).tobytes()


@pytest.mark.parametrize("odd", [1.0, 0.0, -0.0, -1.0, math.inf, 1e101, 1 / 3, None])
@pytest.mark.parametrize("side", ["bid_quantity", "ask_quantity"])
def test_prices_leave_out_what_the_loop_would(tmp_path: Path, odd: float | None, side: str) -> None:
    """A quote is true or not by its quantities too, which are read where their file does not say that all are."""
    store = HistoryStore(tmp_path)
    quantities = {"bid_quantity": [2.0, 3.0], "ask_quantity": [2.0, 3.0]} | {side: [2.0, odd]}
    times = DAY_START_NS + np.arange(2)
    table = a_table(
        HistoryKind.QUOTES, ts_received=times, ts_event=times, bid=[99.0, 99.0], ask=[101.0, 101.0], **quantities
    )
    store.write(QUOTES, table, a_source())
    store.write(ETH_QUOTES, quotes_at([DAY_START_NS + 7]), a_source())
    whole, prices = all_rows(store, BOTH), priced(store)
    taken = [not quote_fault(row) for row in whole]
    assert [not price_fault(row["x0"], row["x1"]) for row in prices] == taken
    assert taken == [True, odd is not None and 0 <= odd < 1e100, True]


def test_quantities_that_their_file_says_are_true_are_not_read(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(5)), a_source())
    (segment,) = store.segments(QUOTES, Span())
    with open_segment(tmp_path / QUOTES.folder, segment) as file:
        assert PriceForm().columns(segment, file, 0) == ["ts_received", "bid", "ask"]
        assert RowForm(instrument=0).columns(segment, file, 0) is None


def test_bars_that_came_late_stand_where_they_were_received(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path, segment_rows=3)
    year_end_ns = 1_735_689_600_000_000_000  # 2025-01-01: a bar of either side lies in a partition of its own
    opens = year_end_ns + HOUR_NS * np.arange(-4, 4)
    late = np.array([0, 0, 0, 3 * HOUR_NS, 0, 0, 0, 0])  # the year's last bar comes after three of the next year
    table = bars_from(int(opens[0]), 8).drop_columns(["ts_received"])
    table = table.append_column("ts_received", [opens + HOUR_NS + late + 1])
    store.write(HOURS, table, a_source())
    bars = [Selection(key=BTC, kind=HistoryKind.BARS, interval_ns=HOUR_NS)]
    whole = all_rows(store, bars)
    assert ((whole["ts_event"] - year_end_ns) // HOUR_NS).tolist() == [-3, -2, -1, 1, 2, 0, 3, 4]
    for hours in range(-2, 6):
        span = {"end_ns": year_end_ns + hours * HOUR_NS}
        rows = all_rows(store, bars, **span)
        assert rows.tobytes() == whole[: len(rows)].tobytes()
        assert len(rows) == count_rows(store, bars, **span) == int((whole["ts_received"] < span["end_ns"]).sum())


def test_a_span_reads_only_the_files_that_have_rows_of_it(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    days = DAY_START_NS + DAY_NS * np.arange(10) + HOUR_NS
    store.write(QUOTES, without_receipt(days), a_source())
    for path in segment_files(store, QUOTES):
        if "08-12" not in str(path):
            path.unlink()
    span = {"start_ns": DAY_START_NS + 5 * DAY_NS, "end_ns": DAY_START_NS + 5 * DAY_NS + 2 * HOUR_NS}
    rows = all_rows(store, BOTH[:1], assumed_delay_ns=DAY_NS, **span)
    assert rows["ts_event"].tolist() == [int(days[4])]
    assert count_rows(store, BOTH[:1], assumed_delay_ns=DAY_NS, **span) == 1


def test_what_is_not_registered_or_not_stored_is_named(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    with pytest.raises(HistoryMissing, match="ETH/USDT"):
        list(merged_blocks(store, BOTH[1:], a_registry()))
    store.write(ETH_QUOTES, quotes_at([DAY_START_NS]), a_source())
    with pytest.raises(UnknownInstrument, match="ETH/USDT"):
        list(merged_blocks(store, BOTH[1:], Registry()))


def test_of_a_series_that_was_not_recorded_a_recording_has_no_rows(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    later = {"start_ns": DAY_START_NS + DAY_NS}
    for span in ({}, later):
        assert len(all_rows(store, BOTH, as_recorded=True, **span)) == 0
        assert count_rows(store, BOTH, as_recorded=True, **span) == 0
        store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    assert len(all_rows(store, BOTH, as_recorded=True, **later)) == count_rows(store, BOTH, as_recorded=True) == 0


def recorded_bars(opens: list[int], received: list[int], close: float) -> Table:
    """Hours (numbers from DAY_START_NS on) as a recorder took them, some nanoseconds after the day began."""
    flat = np.full(len(opens), close)
    prices = {"open": flat, "high": flat + 1, "low": flat - 1, "close": flat, "volume": flat}
    table = a_table(
        HistoryKind.BARS,
        ts_open=DAY_START_NS + HOUR_NS * np.array(opens),
        ts_received=DAY_START_NS + np.array(received),
        **prices,
    )
    return table.append_column("sequence", pa.array(np.arange(1, len(opens) + 1)))


BARS = [Selection(key=BTC, kind=HistoryKind.BARS, interval_ns=HOUR_NS)]
some_hours = st.lists(st.integers(0, 12), min_size=1, max_size=8).map(sorted)


@settings(max_examples=30)  # each example writes and syncs files
@given(st.integers(0, 6), st.integers(1, 10), some_hours, st.integers(0, 3), st.booleans(), st.integers(0, 20))
def test_a_bar_that_was_imported_and_recorded_comes_as_it_was_recorded(
    first: int, count: int, recorded: list[int], late_hours: int, has_receipt: bool, end: int
) -> None:
    """Whatever the imported one's values are, and however short the span is."""
    received = [(one + 1 + late_hours) * HOUR_NS + 5 for one in recorded]
    imported = bars_from(DAY_START_NS + first * HOUR_NS, count, close=50.0)
    if has_receipt:
        place = imported.schema.get_field_index("ts_received")
        times = pa.array(imported["ts_open"].to_numpy() + HOUR_NS + 9)
        imported = imported.set_column(place, "ts_received", times)
    with TemporaryDirectory() as folder:
        store = HistoryStore(Path(folder))
        store.write(HOURS, imported, a_source("imported"))
        store.write(HOURS, recorded_bars(recorded, received, 100.0), a_source("recorded"))
        whole = all_rows(store, BARS, assumed_delay_ns=7)
        shorter = rows_if_any(store, BARS, assumed_delay_ns=7, end_ns=DAY_START_NS + end * HOUR_NS)
        assert count_rows(store, BARS) == len(whole)
        foreseen = received_bars(store, BTC, HOUR_NS)
    opens = ((whole["ts_event"] - DAY_START_NS) // HOUR_NS - 1).tolist()
    alone = set(range(first, first + count)) - set(recorded)
    assert sorted(opens) == sorted([*recorded, *alone])
    assert {one for one, close in zip(opens, whole["x3"], strict=True) if close == 50.0} == alone
    assert shorter.tobytes() == whole[: len(shorter)].tobytes()
    assert foreseen.close.tolist() == [50.0 if one in alone else 100.0 for one in sorted(alone | set(recorded))]
