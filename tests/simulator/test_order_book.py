"""The book in ticks and lots: price before time, the venue's liquidity first, nothing taken twice."""

from hypothesis import given
from hypothesis import strategies as st

from workstation.model.units import Side
from workstation.simulator.order_book import LEVELS, Offer, OrderBook, Resting, Touch

QUOTE = Touch(1000, 5, 1010, 7)


def a_book(quote: Touch = QUOTE) -> OrderBook:
    book = OrderBook(level_lots=4)
    book.quote(quote)
    return book


def resting(book: OrderBook, order_id: int, side: Side, price: int, lots: int) -> Resting:
    order = Resting(order_id, side, price, lots)
    book.rest(order)
    return order


def test_the_touch_is_the_quote_and_levels_lie_behind_it() -> None:
    book = a_book()
    assert book.touch() == QUOTE
    bids, asks = list(book.levels(Side.BUY)), list(book.levels(Side.SELL))
    assert bids[0] == 1000 and asks[0] == 1010
    assert bids == sorted(bids, reverse=True) and asks == sorted(asks)
    assert len(bids) == len(asks) == LEVELS


def test_levels_behind_stay_where_they_are_while_the_touch_moves() -> None:
    book = a_book(Touch(100_000, 5, 100_010, 7))
    before = book.levels(Side.BUY)
    book.quote(Touch(99_999, 5, 100_010, 7))
    after = book.levels(Side.BUY)
    assert len(before.items() & after.items()) >= LEVELS - 2


def test_a_taker_walks_the_levels_and_they_come_back_with_the_next_quote() -> None:
    book = a_book()
    levels = list(book.levels(Side.SELL).items())
    taken = book.take(Side.BUY, levels[0][1] + 1, None)
    assert taken == [Offer(levels[0][0], levels[0][1], None), Offer(levels[1][0], 1, None)]
    assert book.take(Side.BUY, 1, 1010) == []
    book.quote(QUOTE)
    assert book.levels(Side.SELL) == dict(levels)


def test_a_taker_stops_at_its_limit() -> None:
    assert a_book().take(Side.SELL, 100, 1000) == [Offer(1000, 5, None)]


def test_clients_at_one_price_are_filled_by_time_behind_the_venue() -> None:
    book = a_book()
    first, second = resting(book, 1, Side.BUY, 1000, 3), resting(book, 2, Side.BUY, 1000, 3)
    taken = book.take(Side.SELL, 10, 1000)
    assert [(match.maker, match.lots) for match in taken] == [(None, 5), (first, 3), (second, 2)]
    assert book.levels(Side.BUY)[1000] == 1


def test_a_better_price_comes_before_time() -> None:
    book = a_book()
    resting(book, 1, Side.SELL, 1009, 1)
    better = resting(book, 2, Side.SELL, 1005, 1)
    assert book.take(Side.BUY, 1, None) == [Offer(1005, 1, better)]


def test_a_quote_that_crosses_fills_at_the_clients_price_as_far_as_it_shows() -> None:
    book = a_book()
    order = resting(book, 1, Side.BUY, 1005, 20)
    assert book.quote(Touch(990, 5, 1005, 7)) == [Offer(1005, 7, order)]
    assert order.lots == 13
    assert 1005 not in book.levels(Side.SELL)


def test_a_trade_through_the_price_fills_and_one_at_the_price_waits_its_turn() -> None:
    book = a_book()
    order = resting(book, 1, Side.BUY, 1000, 4)
    assert order.ahead == 5
    assert book.trade(1000, 3, Side.SELL) == ([], 3)
    assert book.trade(1000, 4, Side.SELL) == ([Offer(1000, 2, order)], 2)
    assert book.trade(999, 9, Side.SELL) == ([Offer(1000, 2, order)], 7)


def test_a_removed_order_is_filled_no_more() -> None:
    book = a_book()
    book.remove(resting(book, 1, Side.BUY, 1000, 4))
    assert book.quote(Touch(900, 1, 950, 9)) == []


def test_what_is_placed_by_hand_replaces_the_market_until_it_is_taken_back() -> None:
    book = a_book()
    book.place_levels(Side.SELL, [(1020, 2), (1015, 1)])
    assert book.levels(Side.SELL) == {1015: 1, 1020: 2}
    book.take(Side.BUY, 1, None)
    book.quote(QUOTE)
    assert book.levels(Side.SELL) == {1020: 2}
    book.place_levels(Side.SELL, [])
    assert book.touch() == QUOTE


STEPS = st.one_of(
    st.tuples(st.just("quote"), st.integers(900, 1100), st.integers(1, 20)),
    st.tuples(st.just("trade"), st.integers(900, 1100), st.integers(1, 20)),
    st.tuples(st.just("buy"), st.integers(900, 1100), st.integers(1, 20)),
    st.tuples(st.just("sell"), st.integers(900, 1100), st.integers(1, 20)),
)


@given(st.lists(STEPS, max_size=40))
def test_the_book_never_crosses_and_no_order_is_overfilled(steps: list[tuple[str, int, int]]) -> None:
    book, orders, filled = a_book(), dict[int, int](), dict[int, int]()

    def booked(matches: list[Offer]) -> None:
        for match in matches:
            assert match.lots > 0
            if match.maker is not None:
                filled[match.maker.order_id] = filled.get(match.maker.order_id, 0) + match.lots

    for number, (what, price, lots) in enumerate(steps):
        if what == "quote":
            booked(book.quote(Touch(price, lots, price + 1 + lots, 21 - lots)))
        elif what == "trade":
            matches, left = book.trade(price, lots, Side.SELL if lots % 2 else Side.BUY)
            booked(matches)
            assert left + sum(match.lots for match in matches) == lots
        else:
            side = Side.BUY if what == "buy" else Side.SELL
            matches = book.take(side, lots, price)
            booked(matches)
            assert all(int(side) * (match.price - price) <= 0 for match in matches)
            left = lots - sum(match.lots for match in matches)
            if left:
                orders[number] = left
                resting(book, number, side, price, left)
        bids, asks = list(book.levels(Side.BUY)), list(book.levels(Side.SELL))
        assert not bids or not asks or bids[0] < asks[0]
        assert all(filled.get(number, 0) <= lots for number, lots in orders.items())
