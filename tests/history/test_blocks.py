"""One ordered stream out of many series: by receipt, then rank, then place in the file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.series import BTC, DAY_START_NS, ETH, HOURS, QUOTES, a_source, an_instrument, bars_from, quotes_at
from workstation.errors import HistoryMissing, UnknownInstrument
from workstation.history.blocks import Selection, count_rows, merged_blocks
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.instrument import Registry
from workstation.model.market import DAY_NS, HOUR_NS, MARKET_ROW, RowKind, Rows

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
    rows = all_rows(store, [bars], **span)
    expected = store.bars(BTC, HOUR_NS, **span)
    assert (rows["ts_event"] - HOUR_NS).tolist() == expected.ts_open.tolist()
    assert rows["x4"].tolist() == expected.volume.tolist()


def test_receipt_never_falls_where_two_clocks_meet_in_one_series(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    late = quotes_at([DAY_START_NS - 10])
    late = late.set_column(1, "ts_event", late["ts_received"]).set_column(0, "ts_received", [[None]])
    store.write(QUOTES, late.cast(quotes_at([0]).schema), a_source("without receipt"))
    store.write(QUOTES, quotes_at([DAY_START_NS + 5]), a_source("with receipt"))
    rows = all_rows(store, BOTH[:1], assumed_delay_ns=100)
    assert (rows["ts_received"] - DAY_START_NS).tolist() == [90, 90]


def test_what_is_not_registered_or_not_stored_is_named(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    with pytest.raises(HistoryMissing, match="ETH/USDT"):
        list(merged_blocks(store, BOTH[1:], a_registry()))
    store.write(ETH_QUOTES, quotes_at([DAY_START_NS]), a_source())
    with pytest.raises(UnknownInstrument, match="ETH/USDT"):
        list(merged_blocks(store, BOTH[1:], Registry()))
