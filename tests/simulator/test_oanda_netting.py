"""Fills become trades, the oldest closed first; what they bring is what the fills themselves brought."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.simulator.oanda.netting import Netting

MARKET = "EUR_USD"
FILLS = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool).map(Decimal), st.integers(90_000, 130_000)), min_size=1, max_size=30
)


def netted(fills: Sequence[tuple[Decimal, int]], rate: str = "1") -> Netting:
    book = Netting(lambda market: Decimal(rate))
    for number, (units, points) in enumerate(fills):
        book.fill(MARKET, units, price_of(points), number, str(number))
    return book


def price_of(points: int) -> Decimal:
    return Decimal(points) / 100_000


@given(FILLS, st.integers(90_000, 130_000))
def test_what_trades_brought_and_would_bring_is_what_buying_and_selling_brought(
    fills: list[tuple[Decimal, int]], points: int
) -> None:
    book, price = netted(fills), price_of(points)
    position = sum((units for units, _ in fills), Decimal(0))
    cash = sum((-units * price_of(paid) for units, paid in fills), Decimal(0))
    brought = sum(book.realized.values(), Decimal(0))
    would_bring = sum((book.unrealized(one, price) for one in book.open_trades()), Decimal(0))
    assert book.units(MARKET) == position
    assert brought + would_bring == cash + position * price


@given(FILLS)
def test_open_trades_are_on_one_side_and_the_newest(fills: list[tuple[Decimal, int]]) -> None:
    book = netted(fills)
    signs = {one.current > 0 for one in book.open_trades()}
    assert len(signs) <= 1
    states = [one.closed_ns is None for one in book.trades.values()]
    assert states == sorted(states)
    for one in book.trades.values():
        assert abs(one.current) <= abs(one.initial)
        assert (one.current == 0) == (one.closed_ns is not None)
        assert bool(one.closing_ids) == (one.current != one.initial)


def test_a_fill_larger_than_the_position_turns_it_around() -> None:
    book = netted([(Decimal(100), 110_000), (Decimal(50), 111_000)])
    outcome = book.fill(MARKET, Decimal(-200), Decimal("1.12"), 9, "9")
    assert [(one.trade.trade_id, one.units, one.realized) for one in outcome.closed] == [
        ("0", -100, 2),
        ("1", -50, 0.5),
    ]
    assert outcome.opened is not None
    assert (outcome.opened.trade_id, outcome.opened.current) == ("9", -50)


def test_one_trade_can_be_closed_before_an_older_one() -> None:
    book = netted([(Decimal(100), 110_000), (Decimal(50), 111_000)])
    outcome = book.fill(MARKET, Decimal(-50), Decimal("1.12"), 9, "9", only="1")
    assert [one.trade.trade_id for one in outcome.closed] == ["1"]
    assert [one.trade_id for one in book.open_trades()] == ["0"]
    assert outcome.opened is None


@pytest.mark.parametrize(("rate", "profit"), [("1", 10), ("0.01", Decimal("0.1"))])
def test_profit_is_counted_in_the_accounts_currency(rate: str, profit: Decimal) -> None:
    book = netted([(Decimal(1_000), 110_000), (Decimal(-1_000), 111_000)], rate)
    assert sum(book.realized.values(), Decimal(0)) == profit
