"""The channel between feeds and market, and the measure of how long rows wait."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.bench import HandClock
from workstation.engine.channel import BLOCK, Channel
from workstation.engine.latency import BUFFERED, Latency
from workstation.errors import BadInput
from workstation.model.durations import SECOND_NS
from workstation.model.ids import InstrumentIndex
from workstation.model.market import (
    RowKind,
)

KINDS = st.sampled_from([RowKind.QUOTE, RowKind.TRADE, RowKind.BAR])
STEPS = st.lists(st.tuples(KINDS, st.integers(0, 3), st.integers(0, 400)), min_size=1, max_size=60)
"""Kind, instrument, and milliseconds since the row before."""


def a_channel(clock: HandClock, **options: int) -> Channel:
    return Channel(clock.now_ns, lambda status: None, **options)


def tell(channel: Channel, kind: RowKind, index: int, number: int) -> None:
    one = InstrumentIndex(index)
    if kind is RowKind.QUOTE:
        channel.quote(one, 7, float(number), number + 1.0, 2.0, 3.0)
    elif kind is RowKind.TRADE:
        channel.trade(one, 7, float(number), 2.0, True)
    else:
        channel.bar(one, 4, 7, float(number), 9.0, 1.0, 5.0, 6.0)


@given(steps=STEPS)
def test_rows_leave_in_the_order_in_which_they_came_with_stamps_that_never_fall(steps) -> None:
    clock = HandClock(SECOND_NS)
    channel = a_channel(clock, max_lag_ns=10**18)
    taken = []
    for number, (kind, index, wait_ms) in enumerate(steps, 1):
        clock.time_ns += wait_ms * 1_000_000
        tell(channel, kind, index, number)
        if wait_ms % 3 == 0:
            taken.append(channel.take().copy())
    rows = np.concatenate([*taken, channel.take()])
    assert rows["x0"].tolist() == list(range(1, len(steps) + 1))
    assert rows["kind"].tolist() == [kind for kind, _, _ in steps]
    assert rows["instrument"].tolist() == [index for _, index, _ in steps]
    assert (np.diff(rows["ts_received"]) >= 0).all() and channel.received == len(steps)


@given(steps=STEPS)
def test_a_backlog_keeps_every_trade_and_bar_and_the_last_quote_of_each_instrument(steps) -> None:
    clock = HandClock(SECOND_NS)
    channel = a_channel(clock)
    for number, (kind, index, _) in enumerate(steps, 1):
        tell(channel, kind, index, number)
    clock.time_ns += 2 * SECOND_NS
    rows = channel.take()
    last = {index: number for number, (kind, index, _) in enumerate(steps, 1) if kind is RowKind.QUOTE}
    kept = [n for n, (kind, index, _) in enumerate(steps, 1) if kind is not RowKind.QUOTE or last[index] == n]
    assert rows["x0"].tolist() == kept
    assert channel.is_lagging and channel.conflated == len(steps) - len(kept)
    channel.take()
    assert not channel.is_lagging


@given(count=st.integers(0, 50), capacity=st.integers(2, 12))
def test_a_full_channel_drops_the_oldest_and_counts_them(count: int, capacity: int) -> None:
    channel = a_channel(HandClock(SECOND_NS), capacity=capacity)
    for number in range(1, count + 1):
        tell(channel, RowKind.TRADE, 0, number)
    rows = channel.take()
    assert rows["x0"].tolist() == list(range(channel.dropped + 1, count + 1))
    assert len(rows) >= min(count, capacity // 2) and len(rows) + channel.dropped == channel.received == count


BOOKS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20)
"""Instrument, and how many levels each side has."""


def tell_book(channel: Channel, index: int, bids: int, asks: int, number: int) -> None:
    channel.book(
        InstrumentIndex(index),
        number,
        [(100.0 - level, number) for level in range(bids)],
        [(101.0 + level, number) for level in range(asks)],
    )


def books_in(rows) -> list[tuple[int, int, int, int]]:
    """Instrument, number, bids and asks of each whole book, in order; anything else is no book."""
    found = []
    place = 0
    while place < len(rows):
        levels = int(rows["x4"][place])
        book = rows[place : place + levels]
        assert len(book) == levels and book["interval_code"].tolist() == list(range(levels))
        assert len({tuple(one) for one in book[["ts_received", "ts_event", "instrument", "x4"]].tolist()}) == 1
        bids, asks = int((book["x0"] > 0).sum()), int((book["x1"] > 0).sum())
        assert book["x0"][:bids].tolist() == [100.0 - level for level in range(bids)]
        assert book["x1"][:asks].tolist() == [101.0 + level for level in range(asks)]
        found.append((int(book["instrument"][0]), int(book["ts_event"][0]), bids, asks))
        place += levels
    return found


@given(books=BOOKS)
def test_a_book_comes_as_its_levels_and_a_backlog_keeps_the_last_of_each_instrument(books) -> None:
    clock = HandClock(SECOND_NS)
    channel = a_channel(clock)
    told = [(index, number, bids, asks) for number, (index, bids, asks) in enumerate(books, 1) if bids or asks]
    for late in (False, True):
        for index, number, bids, asks in told:
            clock.time_ns += 1
            tell_book(channel, index, bids, asks, number)
        clock.time_ns += 2 * SECOND_NS * late
        last = {index: number for index, number, _, _ in told}
        kept = [one for one in told if not late or last[one[0]] == one[1]]
        assert books_in(channel.take()) == kept


def test_a_book_that_lost_its_best_levels_to_a_full_channel_is_none_in_a_backlog() -> None:
    clock = HandClock(SECOND_NS)
    channel = a_channel(clock, capacity=8)
    for number in (1, 2, 3):
        tell_book(channel, number % 2, 3, 3, number)
    assert channel.dropped == 2  # of the book of instrument 1 its best two levels, when the third came
    clock.time_ns += 2 * SECOND_NS
    assert books_in(channel.take()) == [(0, 2, 3, 3), (1, 3, 3, 3)]


def test_a_book_deeper_than_the_channel_is_refused() -> None:
    with pytest.raises(BadInput, match="a book of 5 levels: expected 4 or fewer"):
        tell_book(a_channel(HandClock(SECOND_NS), capacity=8), 0, 5, 1, 1)


def test_a_rate_is_due_at_a_time_and_a_mark_has_an_index() -> None:
    channel = a_channel(HandClock(SECOND_NS))
    channel.funding(InstrumentIndex(1), 7, -0.0001, 1_723_075_200_000 * 1_000_000)
    channel.mark(InstrumentIndex(2), 8, 100.5, 100.25)
    rows = channel.take()
    assert rows["kind"].tolist() == [RowKind.FUNDING, RowKind.MARK]
    assert rows["x0"].tolist() == [-0.0001, 100.5] and rows["x1"].tolist() == [1_723_075_200_000.0, 100.25]


def test_a_channel_has_room_for_two_rows_at_least() -> None:
    with pytest.raises(BadInput, match="capacity 1"):
        a_channel(HandClock(0), capacity=1)


def test_a_burst_is_taken_in_blocks_while_the_feed_still_tells_it() -> None:
    taken: list[int] = []
    channel = Channel(
        HandClock(SECOND_NS).now_ns, lambda status: None, on_block=lambda: taken.append(len(channel.take()))
    )
    for number in range(5 * BLOCK // 2):
        tell(channel, RowKind.QUOTE, 0, number)
    assert taken == [BLOCK, BLOCK] and channel.waiting == BLOCK // 2


def test_a_block_is_valid_until_the_next_is_taken() -> None:
    channel = a_channel(HandClock(SECOND_NS))
    tell(channel, RowKind.TRADE, 0, 1)
    first = channel.take()
    tell(channel, RowKind.TRADE, 0, 2)
    assert first["x0"].tolist() == [1.0]
    assert channel.take()["x0"].tolist() == [2.0]


def test_waiting_ends_with_a_row_with_a_call_and_with_time() -> None:
    async def walk() -> list[bool]:
        channel = a_channel(HandClock(SECOND_NS))
        ended = []
        for end in (lambda: tell(channel, RowKind.QUOTE, 0, 1), channel.wake):
            waiting = asyncio.ensure_future(channel.wait(None))
            await asyncio.sleep(0)
            ended.append(waiting.done())
            end()
            await asyncio.wait_for(waiting, 5)
            channel.take()
        await channel.wait(0.001)
        tell(channel, RowKind.QUOTE, 0, 1)
        await channel.wait(None)  # rows are there already
        return ended

    assert asyncio.run(walk()) == [False, False]


@given(waits_ms=st.lists(st.floats(0.02, 5e4), min_size=1, max_size=300), share=st.floats(0.01, 1.0))
def test_the_percentile_is_numpy_s_to_eight_percent(waits_ms, share: float) -> None:
    latency = Latency()
    for place, wait in enumerate(waits_ms):
        latency.add(60 * SECOND_NS + place % 50 * SECOND_NS, np.array([int(wait * 1e6)]))
    exact = float(np.percentile(waits_ms, share * 100, method="inverted_cdf"))
    found = latency.percentile_ms(110 * SECOND_NS, share)
    assert exact * 0.999 <= found <= exact * 1.09


@given(sizes=st.lists(st.sampled_from([0, 1, 7, BUFFERED - 1, BUFFERED, BUFFERED + 5]), max_size=6))
def test_every_wait_is_counted_once_whatever_the_blocks(sizes) -> None:
    latency = Latency()
    for size in sizes:
        latency.add(109 * SECOND_NS, np.full(size, 3_000_000))
    assert latency.rows_per_second(110 * SECOND_NS) == sum(sizes) / 10
    assert latency.percentile_ms(110 * SECOND_NS, 0.5) == pytest.approx(3, rel=0.1) or not sum(sizes)


def test_what_waited_more_than_a_minute_ago_is_forgotten() -> None:
    latency = Latency()
    latency.add(SECOND_NS, np.array([5_000_000]))
    assert latency.percentile_ms(60 * SECOND_NS, 0.5) > 4
    assert latency.percentile_ms(62 * SECOND_NS, 0.5) == 0.0


def test_rows_per_second_are_of_the_last_ten_whole_seconds() -> None:
    latency = Latency()
    for second in range(100, 131):
        latency.add(second * SECOND_NS, np.zeros(second))
    assert latency.rows_per_second(130 * SECOND_NS) == sum(range(120, 130)) / 10
