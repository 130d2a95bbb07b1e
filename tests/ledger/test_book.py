"""Money is conserved to the last digit, whatever is filled."""

import json
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.examples import BNB, BTC, KEY, SPOT_KEY, USDT, VENUE, a_fill
from workstation.errors import BadInput
from workstation.ledger.book import Book
from workstation.model.events import BalanceSet
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.units import EXACT, Side

LINEAR, SPOT = InstrumentKind.LINEAR, InstrumentKind.SPOT
OPENING = Decimal("10000.5")
EUR = Currency("EUR")


def a_book(*balances):
    book = Book()
    for currency, amount in balances or [(USDT, OPENING)]:
        book.apply_balance(BalanceSet(venue=VENUE, currency=currency, amount=Decimal(amount)))
    return book


def take(book, side, quantity, price, fee="0", fee_currency=USDT, kind=LINEAR, contract_size="1"):
    fill = a_fill(
        instrument=KEY if kind is LINEAR else SPOT_KEY,
        side=Side.BUY if side == "buy" else Side.SELL,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        fee_currency=fee_currency,
    )
    book.apply_fill(fill, kind, USDT, BTC, Decimal(contract_size))
    return fill


def steps(digits, most):
    return st.integers(1, most).map(lambda n: Decimal(n).scaleb(-digits))


FILLS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.one_of(steps(3, 50), steps(8, 10**12), st.just(Decimal(1))),
        st.one_of(steps(2, 10**8), steps(8, 10**14)),
        st.integers(-(10**6), 10**7).map(lambda n: Decimal(n).scaleb(-9)),
        st.sampled_from([USDT, BTC, BNB]),
    ),
    min_size=1,
    max_size=12,
)


@given(fills=FILLS, mark=steps(2, 10**8), contract_size=st.sampled_from(["1", "0.001", "100"]))
def test_a_linear_book_conserves_money_exactly(fills, mark, contract_size):
    book = a_book()
    size, notional, quantity, paid = Decimal(contract_size), Decimal(0), Decimal(0), {USDT: Decimal(0)}
    with localcontext(EXACT):
        for side, lots, price, fee, currency in fills:
            fill = take(book, side, lots, price, fee, currency, LINEAR, contract_size)
            notional += fill.side * lots * price * size
            quantity += fill.side * lots
            paid[currency] = paid.get(currency, Decimal(0)) + fee
            position = book.position(KEY)
            wallet = book.available(VENUE, USDT)
            value = OPENING - notional + quantity * size * mark - paid[USDT]
            assert wallet + position.unrealized_pnl_quote(mark) == value
            assert position.signed_quantity == quantity
            assert position.cost_quote - position.realized_pnl_quote == notional
            assert position.fees == {name: fee for name, fee in paid.items() if name in position.fees}
            assert book.available(VENUE, BNB) == -paid.get(BNB, 0)
            assert not quantity or position.cost_quote * quantity >= 0
            assert quantity or position.cost_quote == 0


@given(fills=FILLS, mark=steps(2, 10**8))
def test_a_spot_book_conserves_money_exactly(fills, mark):
    book = a_book((USDT, OPENING), (BTC, "3"))
    notional, base, fees_quote = Decimal(0), Decimal(3), Decimal(0)
    with localcontext(EXACT):
        for side, lots, price, fee, currency in fills:
            fill = take(book, side, lots, price, fee, currency, SPOT)
            notional += fill.side * lots * price
            base += fill.side * lots - (fee if currency == BTC else 0)
            fees_quote += fee if currency == USDT else 0
            position = book.position(SPOT_KEY)
            assert book.available(VENUE, USDT) == OPENING - notional - fees_quote
            assert book.available(VENUE, BTC) == base
            assert position.signed_quantity == base - 3
            assert position.cost_quote - position.realized_pnl_quote == notional
            by_position = OPENING + 3 * mark + position.realized_pnl_quote + position.unrealized_pnl_quote(mark)
            assert book.available(VENUE, USDT) + base * mark == by_position - fees_quote


@given(fills=FILLS, cut=st.integers(0, 12), kind=st.sampled_from([LINEAR, SPOT]))
def test_a_restored_book_goes_on_digit_for_digit(fills, cut, kind):
    whole, parts = a_book(), a_book()
    for number, fill in enumerate(fills):
        if number == cut:
            parts = Book.restore(json.loads(json.dumps(parts.snapshot())))
        take(whole, *fill, kind)
        take(parts, *fill, kind)
    assert parts.snapshot() == whole.snapshot()
    assert parts.positions == whole.positions


def test_a_partial_close_rounds_the_cost_and_gives_the_rest_to_profit():
    book = a_book()
    take(book, "buy", "3", "100.01")
    take(book, "buy", "4", "100.03")
    take(book, "sell", "1", "101")
    position = book.position(KEY)
    assert position.cost_quote == Decimal("700.15") - Decimal("100.021428571428571429")
    assert position.realized_pnl_quote == Decimal("0.978571428571428571")


def test_one_fill_flips_a_long_into_a_short():
    book = a_book()
    take(book, "buy", "2", "100")
    take(book, "sell", "5", "110")
    position = book.position(KEY)
    assert (position.signed_quantity, position.average_price) == (Decimal(-3), Decimal(110))
    assert (position.realized_pnl_quote, book.available(VENUE, USDT)) == (Decimal(20), OPENING + 20)


def test_a_closed_short_realizes_what_it_earned():
    book = a_book()
    take(book, "sell", "2", "100", "0.1")
    take(book, "buy", "2", "90", "0.1")
    assert book.available(VENUE, USDT) == OPENING + 20 - Decimal("0.2")
    assert book.position(KEY).average_price is None


def test_a_contract_size_scales_profit_and_average():
    book = a_book()
    take(book, "buy", "10", "100", contract_size="0.01")
    take(book, "sell", "5", "110", contract_size="0.01")
    assert book.position(KEY).average_price == 100
    assert book.available(VENUE, USDT) == OPENING + Decimal("0.5")


def test_a_fee_in_the_base_coin_leaves_the_position():
    book = a_book()
    take(book, "buy", "1", "100", "0.001", BTC, SPOT)
    position = book.position(SPOT_KEY)
    assert position.signed_quantity == book.available(VENUE, BTC) == Decimal("0.999")
    assert (position.average_price, position.realized_pnl_quote) == (Decimal(100), Decimal("-0.1"))


def test_equity_counts_open_profits_and_foreign_coins_at_their_marks():
    book = a_book((USDT, "1000"), (BTC, "0.5"))
    take(book, "sell", "1", "100")
    marks = {KEY: Decimal(90), SPOT_KEY: Decimal(91)}
    assert book.equity_quote(marks) == 1000 + 10 + Decimal("45.5")
    assert book.equity_quote({KEY: Decimal(90)}) == 1000 + 10 + 45


def test_equity_without_fills_needs_no_marks():
    assert a_book().equity_quote({}) == OPENING


@pytest.mark.parametrize("mark", [None, 90.0, Decimal(0), Decimal(-1), Decimal("NaN")])
def test_equity_refuses_a_mark_that_is_no_price(mark):
    book = a_book()
    take(book, "sell", "1", "100")
    with pytest.raises(BadInput, match="BTC/USDT:USDT: mark"):
        book.equity_quote({} if mark is None else {KEY: mark})


def test_equity_names_the_currency_it_cannot_value():
    with pytest.raises(BadInput, match=r"holds EUR.*in USDT"):
        a_book((USDT, "1"), (EUR, "5")).equity_quote({}, USDT)


def test_equity_asks_for_the_currency_where_there_are_several():
    with pytest.raises(BadInput, match="EUR, USDT"):
        a_book((USDT, "1"), (EUR, "5")).equity_quote({})


def test_marks_of_another_venue_value_nothing():
    with pytest.raises(BadInput, match="holds BTC"):
        a_book((BTC, "1")).equity_quote({InstrumentKey(Venue("kraken"), Symbol("BTC/USDT")): Decimal(1)}, USDT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": Decimal(0)},
        {"price": Decimal("NaN")},
        {"quantity": Decimal(-1)},
        {"fee": Decimal("Infinity")},
        {"price": Decimal("1." + "1" * 60)},
    ],
    ids=str,
)
def test_a_refused_fill_changes_nothing(wrong):
    book = a_book()
    take(book, "buy", "1", "100")
    before = book.snapshot()
    with pytest.raises(BadInput):
        book.apply_fill(a_fill(**wrong), LINEAR, USDT, BTC, Decimal(1))
    assert book.snapshot() == before


def test_a_balance_that_is_no_number_is_refused():
    with pytest.raises(BadInput, match="USDT NaN"):
        a_book((USDT, "NaN"))


def test_a_snapshot_of_something_else_is_refused():
    with pytest.raises(BadInput, match="book snapshot"):
        Book.restore({"balances": []})
