import numpy as np
import pytest

from tests.builders import a_bar
from workstation.errors import BadInput
from workstation.model.durations import MINUTE_NS
from workstation.model.market import (
    INTERVALS_NS,
    MARKET_ROW,
    STEP_BITS,
    Bars,
    RowFlag,
    RowKind,
    bar_rows,
    interval_code,
    interval_label,
    interval_ns,
    quote_rows,
    rows_taken,
    trade_rows,
)


def some_bars(length: int = 3) -> Bars:
    numbers = np.arange(length, dtype=np.float64)
    return Bars(
        interval_ns=MINUTE_NS,
        ts_open=np.arange(length, dtype=np.int64) * MINUTE_NS,
        open=numbers + 10,
        high=numbers + 12,
        low=numbers + 9,
        close=numbers + 11,
        volume=numbers,
    )


def test_the_layout_of_a_market_row_is_the_one_on_disk() -> None:
    """Recordings and journals hold these bytes: a change needs a new version of them, not a new expectation."""
    assert MARKET_ROW.itemsize == 72
    fields = [(name, MARKET_ROW.fields[name][0].str, MARKET_ROW.fields[name][1]) for name in MARKET_ROW.names]
    assert fields == [
        ("sequence", "<i8", 0),
        ("ts_received", "<i8", 8),
        ("ts_event", "<i8", 16),
        ("instrument", "<i4", 24),
        ("kind", "|u1", 28),
        ("flags", "|u1", 29),
        ("interval_code", "<u2", 30),
        ("x0", "<f8", 32),
        ("x1", "<f8", 40),
        ("x2", "<f8", 48),
        ("x3", "<f8", 56),
        ("x4", "<f8", 64),
    ]


def test_codes_in_stored_rows_keep_their_meaning() -> None:
    assert [kind.value for kind in (RowKind.QUOTE, RowKind.TRADE, RowKind.BAR)] == [1, 2, 3]
    assert [flag.value for flag in (RowFlag.SELLER_TAKES, RowFlag.IS_CLOSED)] == [1, 2]
    assert STEP_BITS == 20
    labels = ["1s", "5s", "15s", "30s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"]
    assert [interval_label(length) for length in INTERVALS_NS] == labels
    assert [interval_code(interval_ns(label)) for label in labels] == list(range(17))


def test_a_sequence_tells_how_many_rows_came_before() -> None:
    assert [rows_taken(number) for number in (0, 7, 1 << 20, (5 << 20) + 3)] == [0, 0, 1, 5]


def test_an_unknown_interval_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="interval '7m': expected one of 1s, 5s"):
        interval_ns("7m")
    with pytest.raises(BadInput, match="interval of 7 ns: expected one of 1s, 5s"):
        interval_code(7)


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume"])
def test_columns_of_different_lengths_are_refused(name: str) -> None:
    columns = {n: getattr(some_bars(), n) for n in ("ts_open", "open", "high", "low", "close", "volume")}
    columns[name] = columns[name][:2]
    with pytest.raises(BadInput, match=f"{name} has 2 values, ts_open 3"):
        Bars(interval_ns=MINUTE_NS, **columns)


def test_a_slice_of_bars_is_a_view() -> None:
    bars = some_bars(5)
    part = bars.slice(1, 4)
    assert len(part) == 3 and part.close.tolist() == [12.0, 13.0, 14.0]
    assert np.shares_memory(part.close, bars.close)


def test_bars_become_rows_that_are_received_after_their_end() -> None:
    rows = bar_rows(some_bars(), 4, delay_ns=9)
    assert rows["ts_event"].tolist() == [MINUTE_NS, 2 * MINUTE_NS, 3 * MINUTE_NS]
    assert (rows["ts_received"] - rows["ts_event"]).tolist() == [9, 9, 9]
    expected = a_bar(open=11, high=13, low=10, close=12, volume=1, instrument=4, ts_received=2 * MINUTE_NS)
    expected["ts_received"] += 9
    assert rows[1] == expected[0]


def test_quotes_and_trades_become_rows() -> None:
    times, price, size = np.array([5, 6]), np.array([1.0, 2.0]), np.array([3.0, 4.0])
    quotes = quote_rows(
        instrument=2, ts_received=times, bid=price, ask=price + 1, bid_quantity=size, ask_quantity=size + 1
    )
    assert quotes[1].item() == (0, 6, 0, 2, RowKind.QUOTE, 0, 0, 2.0, 3.0, 4.0, 5.0, 0.0)
    trades = trade_rows(
        instrument=2,
        ts_received=times,
        ts_event=times - 1,
        price=price,
        quantity=size,
        seller_takes=np.array([True, False]),
    )
    assert trades[0].item() == (0, 5, 4, 2, RowKind.TRADE, RowFlag.SELLER_TAKES, 0, 1.0, 3.0, 0.0, 0.0, 0.0)
    assert trades["flags"][1] == 0
