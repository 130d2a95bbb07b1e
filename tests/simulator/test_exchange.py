"""The core of a simulated venue: what rests, fills, triggers and ends, and that money is conserved."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.ids import Currency, Venue
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.market import RowFlag, RowKind
from workstation.model.units import Side
from workstation.simulator.accounts import Account, Credentials
from workstation.simulator.exchange import Exchange
from workstation.simulator.market_source import Listing
from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.settings import BTC
from workstation.simulator.venue_orders import (
    BalanceChanged,
    Event,
    Execution,
    NewOrder,
    OrderKind,
    Reported,
    Status,
    TimeInForce,
    Traded,
    VenueOrder,
)

USDT, BASE = Currency("USDT"), Currency("BTC")
START_NS = 1_700_000_000_000_000_000
INSTRUMENT = Instrument(
    venue=Venue("nova"),
    symbol=BTC.spot().symbol,
    kind=InstrumentKind.SPOT,
    base=BASE,
    quote=USDT,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional_quote=Decimal(5),
    maker_fee_rate=Decimal("0.0002"),
    taker_fee_rate=Decimal("0.0005"),
)


class Scene:
    """A venue with one market and two accounts, its market moved by hand."""

    def __init__(self) -> None:
        held = {USDT: Decimal(100_000), BASE: Decimal(2)}
        self.alice, self.bob = (Account(Credentials(api_key=name, secret="s"), held) for name in ("alice", "bob"))
        listing = Listing(instrument=INSTRUMENT, level_lots=1000)
        self.exchange = Exchange(Venue("nova"), [listing], [self.alice, self.bob], START_NS)
        self.market = self.exchange.markets["BTCUSDT"]
        self._client_ids = iter(range(10**9))
        self.quote(999.9, 1000.1)
        self.trade(1000.0, 0.001)
        self.exchange.drain()

    def quote(self, bid: float, ask: float, bid_quantity: float = 1.0, ask_quantity: float = 1.0) -> None:
        self._row(RowKind.QUOTE, 0, bid, ask, bid_quantity, ask_quantity)

    def trade(self, price: float, quantity: float, seller_takes: bool = False) -> None:
        self._row(RowKind.TRADE, RowFlag.SELLER_TAKES if seller_takes else 0, price, quantity, 0.0, 0.0)

    def _row(self, kind: int, flags: int, *values: float) -> None:
        now_ns = self.exchange.now_ns + 1_000_000
        row: Any = (0, now_ns, now_ns, 0, kind, flags, 0, *values, 0.0)
        self.exchange.advance([(self.market, row)], now_ns)

    def place(self, side: Side, kind: OrderKind, account: Account | None = None, **fields: Any) -> VenueOrder:
        amounts = ("quantity", "quote_quantity", "price", "stop_price")
        given_ = {name: Decimal(str(value)) if name in amounts else value for name, value in fields.items()}
        given_.setdefault("client_order_id", f"c{next(self._client_ids)}")
        request = NewOrder(market="BTCUSDT", side=side, kind=kind, **given_)
        return self.exchange.place(account or self.alice, request)

    def limit(self, side: Side, price: float, quantity: float, **fields: Any) -> VenueOrder:
        return self.place(side, OrderKind.LIMIT, price=price, quantity=quantity, **fields)

    def total(self, currency: Currency) -> Decimal:
        accounts = self.exchange.accounts.values()
        held = sum((one.free(currency) + one.locked(currency) for one in accounts), Decimal(0))
        return held + self.exchange.house.get(currency, Decimal(0))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def reports(events: list[Event]) -> Iterator[tuple[Execution, Status]]:
    return ((event.execution, event.status) for event in events if isinstance(event, Reported))


def refused_for(reason: Reason) -> Any:
    return pytest.raises(Refused, match=reason.value)


def test_a_market_buy_pays_the_ask_and_its_fee_in_what_it_receives(scene: Scene) -> None:
    order = scene.place(Side.BUY, OrderKind.MARKET, quantity=0.1)
    assert order.status is Status.FILLED
    (fill,) = order.fills
    assert (fill.price, fill.quantity, fill.fee, fill.fee_currency) == (
        Decimal("1000.1"),
        Decimal("0.1"),
        Decimal("0.00005"),
        BASE,
    )
    assert scene.alice.free(USDT) == Decimal(100_000) - Decimal("100.01")
    assert scene.alice.free(BASE) == Decimal("2.09995")


def test_a_market_order_walks_the_levels_and_reports_each_fill(scene: Scene) -> None:
    order = scene.place(Side.SELL, OrderKind.MARKET, quantity=1.5)
    assert order.status is Status.FILLED and len(order.fills) >= 2
    prices = [fill.price for fill in order.fills]
    assert prices == sorted(prices, reverse=True) and prices[0] == Decimal("999.9")
    told = list(reports(scene.exchange.drain()))
    assert told[0] == (Execution.NEW, Status.NEW) and told[-1] == (Execution.TRADE, Status.FILLED)
    assert set(told[1:-1]) <= {(Execution.TRADE, Status.PARTIALLY_FILLED)}


def test_a_market_buy_by_quote_spends_no_more_than_was_said(scene: Scene) -> None:
    order = scene.place(Side.BUY, OrderKind.MARKET, quote_quantity=50.0)
    assert order.status is Status.FILLED
    assert order.filled == Decimal("0.049") and order.filled_quote <= 50


def test_a_limit_order_rests_with_its_money_locked_and_fills_as_a_maker(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 990.0, 0.5)
    assert (order.status, scene.alice.locked(USDT)) == (Status.NEW, 495)
    scene.quote(988.0, 989.9, ask_quantity=0.2)
    # the displayed ask at 989.9 and the level behind it lie at or below 990
    assert order.filled > 0 and order.fills[0].price == Decimal(990) and order.fills[0].is_maker
    scene.trade(989.0, 1.0, seller_takes=True)
    assert order.status is Status.FILLED
    assert scene.alice.locked(USDT) == 0
    assert sum((fill.fee for fill in order.fills), Decimal(0)) == Decimal("0.0001")


def test_a_limit_order_that_crosses_takes_what_it_can_and_rests_with_the_remainder(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 1000.1, 1.5)
    assert (order.status, order.filled) == (Status.PARTIALLY_FILLED, Decimal(1))
    touch = scene.market.book.touch()
    assert touch is not None and (touch.bid, touch.bid_lots) == (10_001, 500)


@pytest.mark.parametrize(
    ("in_force", "filled"), [(TimeInForce.IOC, Decimal(1)), (TimeInForce.FOK, Decimal(0))], ids=["ioc", "fok"]
)
def test_what_must_not_rest_expires(scene: Scene, in_force: TimeInForce, filled: Decimal) -> None:
    order = scene.limit(Side.BUY, 1000.1, 1.5, time_in_force=in_force)
    assert (order.status, order.filled) == (Status.EXPIRED, filled)
    assert scene.alice.locked(USDT) == 0


def test_what_a_market_order_cannot_get_expires(scene: Scene) -> None:
    scene.exchange.place_levels(scene.market, {Side.BUY: [(9_990, 300)]})
    order = scene.place(Side.SELL, OrderKind.MARKET, quantity=1)
    assert (order.status, order.filled) == (Status.EXPIRED, Decimal("0.3"))
    assert scene.alice.free(BASE) == Decimal("1.7")


def test_a_fill_or_kill_that_can_be_filled_is(scene: Scene) -> None:
    assert scene.limit(Side.BUY, 1000.1, 1.0, time_in_force=TimeInForce.FOK).status is Status.FILLED


def test_a_post_only_order_rests_or_is_refused(scene: Scene) -> None:
    with refused_for(Reason.WOULD_TAKE):
        scene.place(Side.BUY, OrderKind.LIMIT_MAKER, price=1000.1, quantity=0.1)
    order = scene.place(Side.BUY, OrderKind.LIMIT_MAKER, price=1000.0, quantity=0.1)
    assert order.status is Status.NEW


def test_two_clients_trade_with_each_other_once_in_public(scene: Scene) -> None:
    maker = scene.limit(Side.SELL, 1000.0, 0.3, account=scene.bob)
    scene.exchange.drain()
    taker = scene.limit(Side.BUY, 1000.0, 0.2)
    assert (taker.status, maker.status) == (Status.FILLED, Status.PARTIALLY_FILLED)
    assert (taker.fills[0].is_maker, maker.fills[0].is_maker) == (False, True)
    trades = [event for event in scene.exchange.drain() if isinstance(event, Traded)]
    assert [(trade.quantity, trade.seller_takes) for trade in trades] == [(0.2, False)]


@pytest.mark.parametrize(
    ("side", "kind", "stop", "reaching"),
    [
        (Side.SELL, OrderKind.STOP_LOSS, 990.0, 990.0),
        (Side.BUY, OrderKind.STOP_LOSS, 1010.0, 1010.1),
        (Side.SELL, OrderKind.TAKE_PROFIT, 1010.0, 1010.0),
        (Side.BUY, OrderKind.TAKE_PROFIT, 990.0, 989.0),
    ],
)
def test_a_stop_sleeps_until_a_trade_reaches_it(
    scene: Scene, side: Side, kind: OrderKind, stop: float, reaching: float
) -> None:
    order = scene.place(side, kind, stop_price=stop, quantity=0.1)
    scene.trade((stop + 1000.0) / 2, 0.001)
    assert (order.status, order.is_waiting) == (Status.NEW, True)
    scene.trade(reaching, 0.001)
    assert order.status is Status.FILLED
    assert scene.alice.locked(USDT) == scene.alice.locked(BASE) == 0


def test_a_stop_limit_rests_at_its_limit_once_it_is_reached(scene: Scene) -> None:
    order = scene.place(Side.SELL, OrderKind.STOP_LOSS_LIMIT, stop_price=990.0, price=1005.0, quantity=0.1)
    scene.trade(990.0, 0.001)
    assert (order.status, order.is_waiting) == (Status.NEW, False)
    assert 10_050 in scene.market.book.levels(Side.SELL)


def test_a_stop_that_is_reached_already_is_refused(scene: Scene) -> None:
    with refused_for(Reason.WOULD_TRIGGER):
        scene.place(Side.SELL, OrderKind.STOP_LOSS, stop_price=1000.0, quantity=0.1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": 1000.05, "quantity": 0.1}, Reason.PRICE_FILTER),
        ({"price": 0, "quantity": 0.1}, Reason.PRICE_FILTER),
        ({"price": 1000, "quantity": 0.0005}, Reason.LOT_SIZE),
        ({"price": 1000, "quantity": 0.004}, Reason.NOTIONAL),
        ({"price": 1000, "quantity": 101}, Reason.INSUFFICIENT_BALANCE),
    ],
)
def test_what_breaks_a_rule_is_refused_and_locks_nothing(scene: Scene, fields: Any, reason: Reason) -> None:
    with refused_for(reason):
        scene.limit(Side.BUY, **fields)
    assert scene.alice.locked(USDT) == 0 and scene.exchange.drain() == []


def test_a_market_order_without_the_money_is_refused(scene: Scene) -> None:
    with refused_for(Reason.INSUFFICIENT_BALANCE):
        scene.place(Side.SELL, OrderKind.MARKET, quantity=2.1)


def test_a_cancel_frees_the_money_and_a_second_one_is_refused(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 990.0, 0.5)
    scene.exchange.cancel(order, "x")
    assert (order.status, scene.alice.free(USDT)) == (Status.CANCELED, 100_000)
    with refused_for(Reason.UNKNOWN_ORDER):
        scene.exchange.cancel(order)


def test_a_client_id_is_taken_while_its_order_is_open_and_free_again_after(scene: Scene) -> None:
    first = scene.limit(Side.BUY, 990.0, 0.1, client_order_id="mine")
    with refused_for(Reason.DUPLICATE):
        scene.limit(Side.BUY, 990.0, 0.1, client_order_id="mine")
    scene.exchange.cancel(first)
    second = scene.limit(Side.BUY, 990.0, 0.1, client_order_id="mine")
    found = scene.exchange.orders.find(scene.alice, "BTCUSDT", None, "mine")
    assert found is second and second.order_id != first.order_id


def test_an_order_is_found_by_its_own_account_only(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 990.0, 0.1)
    assert scene.exchange.orders.find(scene.alice, "BTCUSDT", order.order_id, None) is order
    assert scene.exchange.orders.find(scene.bob, "BTCUSDT", order.order_id, None) is None


def test_a_forced_fill_is_told_like_any_other(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 900.0, 0.5)
    scene.exchange.drain()
    scene.exchange.force_fill(order, Decimal("0.2"))
    assert list(reports(scene.exchange.drain())) == [(Execution.TRADE, Status.PARTIALLY_FILLED)]
    assert scene.alice.locked(USDT) == 270


def test_ids_of_a_venue_that_is_started_again_are_new(scene: Scene) -> None:
    order = scene.limit(Side.BUY, 990.0, 0.1)
    later = Exchange(Venue("nova"), [Listing(instrument=INSTRUMENT, level_lots=1)], [], START_NS + 10**9)
    assert later.orders.take_id() > order.order_id


def test_book_changes_chain_and_give_the_book(scene: Scene) -> None:
    bids: dict[int, int] = {}
    last_id = None
    for number in range(20):
        scene.quote(999.0 + number % 7, 1001.0 + number % 7, 1.0 + number)
        change = scene.market.depth_change()
        assert change is not None
        assert last_id is None or change.first_id == last_id + 1
        assert change.first_id <= change.last_id
        last_id = change.last_id
        bids |= change.bids
        bids = {price: lots for price, lots in bids.items() if lots}
        assert scene.market.depth()[:2] == (last_id, bids)
    assert scene.market.depth_change() is None


def test_an_amended_order_keeps_its_id_locks_anew_and_goes_to_the_end_of_the_line(scene: Scene) -> None:
    first, second = scene.limit(Side.BUY, 990, 0.1), scene.limit(Side.BUY, 990, 0.1, account=scene.bob)
    scene.exchange.drain()
    scene.exchange.amend(first, quantity=Decimal("0.2"))
    assert (first.status, first.quantity, first.held) == (Status.NEW, Decimal("0.2"), Decimal(198))
    assert scene.alice.locked(USDT) == Decimal(198)
    (told, *_rest) = scene.exchange.drain()
    assert isinstance(told, Reported) and told.execution is Execution.AMENDED
    scene.trade(990.0, 0.1, True)
    assert (second.status, first.filled) == (Status.FILLED, Decimal(0))
    scene.trade(990.0, 0.15, True)
    assert first.filled == Decimal("0.15")
    scene.exchange.amend(first, quantity=Decimal("0.16"), price=Decimal("989.5"))
    assert first.held == Decimal("9.895")


def test_what_an_order_cannot_be_amended_to_leaves_it_as_it_was(scene: Scene) -> None:
    order = scene.place(Side.BUY, OrderKind.LIMIT_MAKER, quantity="0.2", price="999")
    scene.exchange.force_fill(order, Decimal("0.1"))
    for changes, reason in (
        ({"quantity": "0.1"}, Reason.LOT_SIZE),
        ({"quantity": "0.1005"}, Reason.LOT_SIZE),
        ({"price": "999.05"}, Reason.PRICE_FILTER),
        ({"price": "1000.1"}, Reason.WOULD_TAKE),
        ({"quantity": "200"}, Reason.INSUFFICIENT_BALANCE),
    ):
        with pytest.raises(Refused) as refused:
            scene.exchange.amend(order, **{name: Decimal(value) for name, value in changes.items()})
        assert refused.value.reason is reason
        assert (order.quantity, order.held, order.resting is not None) == (Decimal("0.2"), Decimal("99.9"), True)
    scene.exchange.cancel(order)
    with pytest.raises(Refused, match="no such open order"):
        scene.exchange.amend(order, price=Decimal("998"))


ACTIONS = st.one_of(
    st.tuples(st.just("quote"), st.integers(9_900, 10_100), st.integers(1, 50)),
    st.tuples(st.just("trade"), st.integers(9_900, 10_100), st.integers(1, 500)),
    st.tuples(st.sampled_from(list(OrderKind)), st.integers(9_900, 10_100), st.integers(1, 900)),
    st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("amend"), st.integers(9_900, 10_100), st.integers(1, 900)),
)


@given(st.lists(st.tuples(ACTIONS, st.booleans(), st.booleans()), max_size=30))
def test_money_is_conserved_whatever_happens(steps: list[tuple[tuple[Any, int, int], bool, bool]]) -> None:
    scene = Scene()
    before = {currency: scene.total(currency) for currency in (USDT, BASE)}
    for (what, price, size), is_buy, is_alice in steps:
        try:
            if what == "quote":
                scene.quote(price / 10, (price + size) / 10, 0.3, 0.3)
            elif what == "trade":
                scene.trade(price / 10, size / 1000, is_buy)
            elif what == "cancel":
                opened = scene.exchange.orders.open_orders()
                if opened:
                    scene.exchange.cancel(opened[price % len(opened)])
            elif what == "amend":
                limits = [one for one in scene.exchange.orders.open_orders() if one.price is not None]
                if limits:
                    changes = {"quantity": Decimal(size) / 1000} if is_buy else {"price": Decimal(price) / 10}
                    scene.exchange.amend(limits[size % len(limits)], **changes)
            else:
                account = scene.alice if is_alice else scene.bob
                _place_some(scene, what, price, size, Side.BUY if is_buy else Side.SELL, account)
        except Refused as refused:
            assert refused.reason in (
                Reason.NOTIONAL,
                Reason.WOULD_TAKE,
                Reason.WOULD_TRIGGER,
                Reason.INSUFFICIENT_BALANCE,
                Reason.LOT_SIZE,  # an order that is amended to no more than is filled
            )
        for currency in (USDT, BASE):
            assert scene.total(currency) == before[currency]
            held = sum(
                (one.held for one in scene.exchange.orders.open_orders() if one.held_currency == currency), Decimal(0)
            )
            assert held == scene.alice.locked(currency) + scene.bob.locked(currency)
    for event in scene.exchange.drain():
        if isinstance(event, BalanceChanged):
            assert all(free >= 0 and locked >= 0 for free, locked in event.balances.values())


def _place_some(scene: Scene, kind: OrderKind, price: int, size: int, side: Side, account: Account) -> None:
    fields: dict[str, Any] = {"quantity": size / 1000}
    if "LIMIT" in kind.value:
        fields["price"] = price / 10
    if "STOP" in kind.value or "PROFIT" in kind.value:
        fields["stop_price"] = (price + 3) / 10
    scene.place(side, kind, account, **fields)
