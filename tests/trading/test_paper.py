import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import KEY, NOW_NS, an_instrument, an_order, an_order_request
from workstation.errors import BadInput
from workstation.model.events import (
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    Report,
)
from workstation.model.ids import ClientOrderId, TradeId
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.order import Fill, OrderStatus
from workstation.model.units import Side
from workstation.trading.matching import Touch
from workstation.trading.orders import next_order
from workstation.trading.paper import FillAt, Levels, PaperSettings, PaperVenue

BUY, SELL = Side.BUY, Side.SELL
INSTRUMENT = an_instrument()
SPOT = an_instrument(kind=InstrumentKind.SPOT)
QUOTE = Touch(99.98, 100.02, 5.0, 5.0)
NO_QUOTE = Touch(math.nan, math.nan, 0.0, 0.0)
INF = math.inf


class Venue:
    """A paper venue with an account that its fills move."""

    def __init__(self, *, held: str = "0", available: str = "1e9", **settings: Any) -> None:
        self.held = Decimal(held)
        self.available = Decimal(available)
        self.paper = PaperVenue(
            PaperSettings(**settings), lambda venue, currency: self.available, lambda key: self.held
        )

    def take(self, reports: Any) -> list[Report]:
        seen = []
        for report in reports:
            seen.append(report)
            if isinstance(report, OrderFilled):
                self.held += report.fill.side * report.fill.quantity
        return seen

    def place(
        self, touch: Touch = QUOTE, instrument: Instrument = INSTRUMENT, last: float = 100.0, **order: Any
    ) -> list[Report]:
        request = an_order_request(**order)
        self.paper.take(request, instrument, 0)
        return self.take(self.paper.arrive(request.client_order_id, touch, last))

    def quote(self, bid: float, ask: float, bids: float = 5.0, asks: float = 5.0) -> list[Fill]:
        return fills(self.take(self.paper.on_quote(0, Touch(bid, ask, bids, asks))))

    def trade(self, price: float, quantity: float = 5.0) -> list[Fill]:
        return fills(self.take(self.paper.on_trade(0, price, quantity)))

    def bar(self, open_: float, high: float, low: float) -> list[Report]:
        return self.take(self.paper.on_bar_open(0, open_)) + self.take(self.paper.on_bar_range(0, (open_, high, low)))


def fills(reports: list[Report]) -> list[Fill]:
    return [report.fill for report in reports if isinstance(report, OrderFilled)]


def deal(reports: list[Report]) -> list[tuple[str, str, bool]]:
    return [(str(fill.price), str(fill.quantity.normalize()), fill.is_maker) for fill in fills(reports)]


def name(text: str) -> ClientOrderId:
    return ClientOrderId(text)


# -- against quotes


@pytest.mark.parametrize(
    ("side", "slippage_rate", "price"),
    [(BUY, 0.0, "100.02"), (SELL, 0.0, "99.98"), (BUY, 0.001, "100.13"), (SELL, 0.001, "99.88")],
)
def test_a_market_order_pays_the_touch_and_slippage_rounded_against_us(
    side: Side, slippage_rate: float, price: str
) -> None:
    reports = Venue(slippage_rate=slippage_rate).place(side=side)
    assert reports[0] == OrderAccepted(client_order_id=name("order-1"))
    assert deal(reports) == [(price, "1", False)]


def test_an_order_takes_no_more_than_is_displayed() -> None:
    venue = Venue()
    assert deal(venue.place(Touch(99, 100, 5, 0.4009))) == [("100.00", "0.4", False)]
    assert [fill.quantity for fill in venue.quote(100, 101, asks=0.0005)] == []
    rest = venue.quote(100, 101, asks=9)
    assert [(fill.price, fill.quantity, fill.trade_id) for fill in rest] == [
        (101, Decimal("0.6"), TradeId("order-1-1"))
    ]
    assert venue.quote(100, 101) == []


def test_two_orders_share_one_quote() -> None:
    venue = Venue()
    for number in "123":
        venue.place(NO_QUOTE, client_order_id=name(number), quantity=Decimal("0.7"))
    assert [(f.client_order_id, f.quantity) for f in venue.quote(99, 100, asks=1.0)] == [
        ("1", Decimal("0.7")),
        ("2", Decimal("0.3")),
    ]


def test_the_float_noise_of_what_is_left_is_nothing() -> None:
    venue = Venue()
    for number, quantity in (("1", "0.1"), ("2", "0.2"), ("3", "1")):
        venue.place(NO_QUOTE, client_order_id=name(number), quantity=Decimal(quantity))
    assert [f.client_order_id for f in venue.quote(99, 100, asks=0.3)] == ["1", "2"]
    resting = Venue()
    for number, quantity in (("1", "0.1"), ("2", "0.2"), ("3", "1")):
        resting.place(client_order_id=name(number), quantity=Decimal(quantity), limit_price=Decimal(90))
    assert [f.client_order_id for f in resting.trade(89, 0.3)] == ["1", "2"]


def test_an_order_that_takes_nothing_leaves_all_to_the_next() -> None:
    venue = Venue(held="0.1")
    venue.place(NO_QUOTE, client_order_id=name("1"), side=SELL, is_reduce_only=True)
    venue.place(NO_QUOTE, client_order_id=name("2"), side=SELL)
    assert [(f.client_order_id, f.quantity) for f in venue.quote(99, 100, bids=0.5)] == [
        ("1", Decimal("0.1")),
        ("2", Decimal("0.4")),
    ]


def test_a_limit_that_is_marketable_on_arrival_takes_the_touch() -> None:
    assert deal(Venue().place(limit_price=Decimal(101))) == [("100.02", "1", False)]
    assert deal(Venue().place(limit_price=Decimal(99), side=SELL)) == [("99.98", "1", False)]
    assert deal(Venue().place(Touch(1, 100.004, 1, 1), limit_price=Decimal(101))) == [("100.01", "1", False)]


def test_a_resting_limit_makes_at_its_own_price() -> None:
    venue = Venue()
    assert deal(venue.place(limit_price=Decimal("99.50"))) == []
    assert venue.quote(99.4, 99.51) == []
    (fill,) = venue.quote(99.0, 99.2)
    assert (fill.price, fill.is_maker, fill.fee) == (Decimal("99.50"), True, Decimal("99.50") * Decimal("0.0002"))
    seller = Venue()
    seller.place(limit_price=Decimal("100.50"), side=SELL)
    assert seller.quote(100.49, 100.6) == []
    assert [fill.price for fill in seller.quote(100.5, 100.6)] == [Decimal("100.50")]


def test_a_trade_fills_what_it_goes_through_and_not_what_it_touches() -> None:
    venue = Venue()
    venue.place(limit_price=Decimal("99.50"))
    assert venue.trade(99.5) == []
    (fill,) = venue.trade(99.49, 0.3)
    assert (fill.price, fill.quantity, fill.is_maker) == (Decimal("99.50"), Decimal("0.3"), True)
    seller = Venue()
    seller.place(limit_price=Decimal("100.50"), side=SELL)
    assert seller.trade(100.5) == []
    assert len(seller.trade(100.51)) == 1


def test_a_trade_is_shared_and_moves_no_market_or_stop_order() -> None:
    venue = Venue()
    venue.place(NO_QUOTE, client_order_id=name("m"))
    venue.place(NO_QUOTE, client_order_id=name("s"), stop_price=Decimal(101))
    for number in "12":
        venue.place(client_order_id=name(number), limit_price=Decimal(90))
    assert [(f.client_order_id, f.quantity) for f in venue.trade(80, 1.5)] == [("1", 1), ("2", Decimal("0.5"))]


def test_a_stop_sleeps_until_its_price_and_then_is_a_market_order() -> None:
    venue = Venue(slippage_rate=0.001)
    assert deal(venue.place(stop_price=Decimal(101))) == []
    assert venue.quote(100.5, 100.99) == []
    first = venue.take(venue.paper.on_quote(0, Touch(100.9, 101.0, 5.0, 0.25)))
    assert first[0] == OrderTriggered(client_order_id=name("order-1"))
    assert [fill.quantity for fill in fills(first)] == [Decimal("0.25")]
    (fill,) = venue.quote(98, 99)
    assert (fill.price, fill.quantity, fill.is_maker) == (Decimal("99.10"), Decimal("0.75"), False)
    seller = Venue()
    seller.place(stop_price=Decimal(99), side=SELL)
    assert seller.quote(99.01, 99.1) == []
    assert [fill.price for fill in seller.quote(98.5, 99.1)] == [Decimal("98.50")]


def test_a_stop_beyond_the_market_triggers_on_arrival() -> None:
    reports = Venue().place(stop_price=Decimal(99))
    assert [type(report) for report in reports] == [OrderAccepted, OrderTriggered, OrderFilled]
    assert deal(reports) == [("100.02", "1", False)]


def test_a_stop_tells_its_trigger_once_and_where_nothing_is_displayed_too() -> None:
    venue = Venue()
    venue.place(stop_price=Decimal(101))
    assert venue.take(venue.paper.on_quote(0, Touch(101, 102, 0, 0))) == [
        OrderTriggered(client_order_id=name("order-1"))
    ]
    assert venue.take(venue.paper.on_quote(0, Touch(101, 102, 0, 0))) == []
    assert [fill.price for fill in venue.quote(90, 91)] == [91]


def test_without_a_quote_an_order_waits() -> None:
    venue = Venue()
    assert venue.place(NO_QUOTE) == [OrderAccepted(client_order_id=name("order-1"))]
    assert len(venue.quote(99, 100)) == 1


# -- the account


def test_reduce_only_takes_what_is_held_and_never_flips() -> None:
    venue = Venue(held="0.3")
    assert deal(venue.place(side=SELL, is_reduce_only=True)) == [("99.98", "0.3", False)]
    assert venue.held == 0
    assert venue.take(venue.paper.on_quote(0, QUOTE)) == [OrderCancelled(client_order_id=name("order-1"))]
    assert Venue(held="-1").place(side=SELL, is_reduce_only=True)[1:] == [
        OrderCancelled(client_order_id=name("order-1"))
    ]


def test_spot_that_cannot_be_paid_is_refused_with_the_figures() -> None:
    venue = Venue(available="100.07")
    reports = venue.place(instrument=SPOT)
    needed = Decimal("100.02") + Decimal("100.02") * Decimal("0.0005")
    assert reports[1:] == [
        OrderRejected(
            client_order_id=name("order-1"), reason=f"insufficient balance: {needed} USDT needed, 100.07 available"
        )
    ]
    assert venue.quote(99, 100) == []
    assert len(deal(Venue(available=str(needed)).place(instrument=SPOT))) == 1


def test_spot_that_is_not_held_cannot_be_sold() -> None:
    reports = Venue(available="0.999").place(instrument=SPOT, side=SELL)
    assert isinstance(reports[1], OrderRejected) and "1 BTC needed, 0.999 available" in reports[1].reason
    assert len(deal(Venue(available="0").place(side=SELL))) == 1


def test_fees_are_exact_and_count_the_contract_size() -> None:
    instrument = an_instrument(contract_size=Decimal("0.01"), taker_fee_rate=Decimal("0.00055"))
    (fill,) = fills(Venue().place(Touch(1, 12345.67, 1, 9), instrument=instrument, quantity=Decimal("7.123")))
    assert fill.fee == Decimal("12345.67") * Decimal("7.123") * Decimal("0.01") * Decimal("0.00055")
    assert fill.fee_currency == "USDT"
    rebate = an_instrument(maker_fee_rate=Decimal("-0.0001"))
    venue = Venue()
    venue.place(instrument=rebate, limit_price=Decimal(90))
    assert [fill.fee for fill in venue.quote(80, 85)] == [Decimal("-0.0090")]


# -- coming and going


def test_latency_is_the_time_from_decision_to_arrival() -> None:
    assert Venue(latency_ns=7).paper.take(an_order_request(), INSTRUMENT, 0) == NOW_NS + 7


def test_an_order_that_has_not_arrived_is_not_matched() -> None:
    venue = Venue()
    venue.paper.take(an_order_request(), INSTRUMENT, 0)
    assert venue.paper.is_waiting(name("order-1"))
    assert venue.quote(99, 100) == []
    assert venue.paper.levels(0) == Levels()
    assert len(venue.take(venue.paper.arrive(name("order-1"), NO_QUOTE, 100.0))) == 1
    assert not venue.paper.is_waiting(name("order-1"))


def test_an_order_arrives_once_however_often_it_is_sent() -> None:
    venue = Venue()
    venue.place(Touch(99, 100, 1, 0.4))
    assert venue.place(Touch(99, 100, 1, 0.4)) == []
    assert [fill.quantity for fill in venue.quote(99, 100)] == [Decimal("0.6")]


def test_a_cancel_ends_an_order_and_of_a_gone_one_says_nothing() -> None:
    venue = Venue()
    venue.place(limit_price=Decimal(90))
    cancel = [OrderCancelled(client_order_id=name("order-1"))]
    assert venue.take(venue.paper.cancel(name("order-1"))) == cancel
    assert venue.take(venue.paper.cancel(name("order-1"))) == []
    assert venue.quote(80, 81) == []
    filled = Venue()
    filled.place()
    assert filled.take(filled.paper.cancel(name("order-1"))) == []


def test_a_cancel_that_overtakes_its_order_wins() -> None:
    venue = Venue()
    venue.paper.take(an_order_request(), INSTRUMENT, 0)
    assert len(venue.take(venue.paper.cancel(name("order-1")))) == 1
    assert venue.take(venue.paper.arrive(name("order-1"), QUOTE, 100.0)) == []


def test_an_order_cancelled_between_two_reports_of_a_quote_does_not_fill() -> None:
    venue = Venue()
    for number in "12":
        venue.place(NO_QUOTE, client_order_id=name(number))
    reports = venue.paper.on_quote(0, QUOTE)
    assert isinstance(next(reports), OrderFilled)
    venue.take(venue.paper.cancel(name("2")))
    assert list(reports) == []


def test_an_order_is_restored_with_what_remains_of_it() -> None:
    half = {
        "status": OrderStatus.PARTIALLY_FILLED,
        "filled_quantity": Decimal("0.4"),
        "trade_ids": frozenset({TradeId("order-1-0")}),
    }
    venue = Venue()
    venue.paper.restore(an_order(an_order_request(limit_price=Decimal(90)), **half), INSTRUMENT, 0)
    (fill,) = venue.quote(80, 85)
    assert (fill.quantity, fill.trade_id) == (Decimal("0.6"), TradeId("order-1-1"))


QUOTES = st.lists(
    st.tuples(st.integers(97, 103), st.sampled_from([0.0, 0.0, 0.0004, 0.2, 0.5, 5.0])), min_size=1, max_size=12
)


@given(QUOTES, st.integers(0, 11), st.sampled_from([BUY, SELL]))
def test_a_stop_that_is_restored_after_any_quote_goes_on_as_if_nothing_had_been(quotes, cut, side) -> None:
    request = an_order_request(side=side, stop_price=Decimal(100))
    told: list[list[Report]] = []
    for restarts in (False, True):
        venue, order, seen = Venue(), next_order(an_order(request), OrderSubmitted(request=request), NOW_NS), []
        venue.paper.take(request, INSTRUMENT, 0)
        reports = venue.take(venue.paper.arrive(request.client_order_id, NO_QUOTE, math.nan))
        for number, (price, quantity) in enumerate(quotes):
            for report in reports:
                order = next_order(order, report, NOW_NS + number)
            seen += reports
            if restarts and number == cut:
                venue = Venue()
                if not order.is_final:
                    venue.paper.restore(order, INSTRUMENT, 0)
            reports = venue.take(venue.paper.on_quote(0, Touch(price, price + 0.5, quantity, quantity), number))
        told.append(seen + reports)
    assert told[0] == told[1]
    triggers = [place for place, report in enumerate(told[0]) if isinstance(report, OrderTriggered)]
    fills_at = [place for place, report in enumerate(told[0]) if isinstance(report, OrderFilled)]
    assert len(triggers) <= 1
    assert all(triggers and place > triggers[0] for place in fills_at)


@given(
    st.lists(
        st.tuples(st.sampled_from([BUY, SELL]), st.sampled_from(["0.3", "0.1", "1", "7"])), min_size=1, max_size=5
    ),
    st.floats(0, 9),
    st.integers(0, 5),
    st.booleans(),
)
def test_orders_restored_between_two_fills_of_a_row_get_of_it_what_is_left(orders, displayed, cut, is_trade) -> None:
    """The orders behind the cut find the row as it was left; those before it had their share."""
    requests = [
        an_order_request(
            client_order_id=name(str(number)),
            side=side,
            quantity=Decimal(quantity),
            limit_price=(Decimal(101) if side is BUY else Decimal(99)) if is_trade else None,
        )
        for number, (side, quantity) in enumerate(orders)
    ]
    told: list[list[Report]] = []
    for restarts in (False, True):
        venue, tracked, seen = Venue(), {}, []
        for request in requests:
            venue.paper.take(request, INSTRUMENT, 0)
            tracked[request.client_order_id] = next_order(an_order(request), OrderSubmitted(request=request), NOW_NS)
            for report in venue.take(venue.paper.arrive(request.client_order_id, NO_QUOTE, math.nan)):
                tracked[request.client_order_id] = next_order(tracked[request.client_order_id], report, NOW_NS)
        reports = row_reports(venue, displayed, is_trade)
        for report, _ in zip(reports, range(cut if restarts else 99), strict=False):
            seen.append(report)
            tracked[report.fill.client_order_id] = next_order(tracked[report.fill.client_order_id], report, NOW_NS)
        if restarts:
            venue = Venue()
            venue.paper.meet_again(7, [report.fill for report in seen])
            for order in tracked.values():
                if not order.is_final:
                    venue.paper.restore(order, INSTRUMENT, 0)
            seen += row_reports(venue, displayed, is_trade)
        told.append([*seen, *venue.take(venue.paper.on_quote(0, QUOTE, 8))])
    assert told[0] == told[1]


def row_reports(venue: Venue, displayed: float, is_trade: bool) -> Iterator[Report]:
    if is_trade:
        return venue.paper.on_trade(0, 100.0, displayed, 7)
    return venue.paper.on_quote(0, Touch(99.98, 100.02, displayed, displayed), 7)


def test_an_order_that_was_on_its_way_arrives_after_a_restart() -> None:
    venue = Venue(latency_ns=5)
    assert venue.paper.restore(an_order(status=OrderStatus.SUBMITTED), INSTRUMENT, 0) == NOW_NS + 5
    assert venue.paper.is_waiting(name("order-1"))
    venue.paper.restore(
        an_order(an_order_request(client_order_id=name("2")), status=OrderStatus.ACCEPTED), INSTRUMENT, 0
    )
    assert not venue.paper.is_waiting(name("2"))


@pytest.mark.parametrize(
    ("order", "levels"),
    [
        ({"side": BUY}, Levels(buy_touch=INF)),
        ({"side": SELL}, Levels(sell_touch=-INF)),
        ({"side": BUY, "limit_price": Decimal(90)}, Levels(buy_touch=90.0)),
        ({"side": SELL, "limit_price": Decimal(110)}, Levels(sell_touch=110.0)),
        ({"side": BUY, "stop_price": Decimal(110)}, Levels(rise=110.0)),
        ({"side": SELL, "stop_price": Decimal(90)}, Levels(fall=90.0)),
    ],
)
def test_an_order_waits_for_its_level(order: dict[str, Any], levels: Levels) -> None:
    venue = Venue()
    venue.place(NO_QUOTE, **order)
    assert venue.paper.levels(0) == levels
    assert venue.paper.levels(1) == Levels()


def test_the_nearest_level_counts_and_a_triggered_stop_waits_for_any_quote() -> None:
    venue = Venue()
    for number, price in (("1", 90), ("2", 95)):
        venue.place(client_order_id=name(number), limit_price=Decimal(price))
        venue.place(client_order_id=name("s" + number), side=SELL, stop_price=Decimal(price))
    assert venue.paper.levels(0) == Levels(buy_touch=95.0, fall=95.0)
    venue.quote(94, 96, bids=0.5)
    assert venue.paper.levels(0) == Levels(buy_touch=95.0, sell_touch=-INF, fall=90.0)


# -- on bars


def test_a_market_order_trades_at_the_next_open() -> None:
    venue = Venue(on_bars=True, slippage_rate=0.001)
    assert venue.place() == [OrderAccepted(client_order_id=name("order-1"))]
    assert deal(venue.bar(110, 120, 90)) == [("110.11", "1", False)]


def test_a_market_order_trades_at_this_close_where_asked_for() -> None:
    venue = Venue(on_bars=True, fill_at=FillAt.THIS_CLOSE, slippage_rate=0.001)
    assert deal(venue.place(last=100.0, side=SELL)) == [("99.90", "1", False)]


def test_without_a_close_it_waits_for_the_next_open() -> None:
    venue = Venue(on_bars=True, fill_at=FillAt.THIS_CLOSE)
    assert deal(venue.place(last=math.nan)) == []
    assert deal(venue.bar(101, 102, 100)) == [("101.00", "1", False)]


def protected(**settings: Any) -> Venue:
    venue = Venue(held="1", on_bars=True, **settings)
    venue.place(client_order_id=name("target"), side=SELL, limit_price=Decimal(110), is_reduce_only=True)
    venue.place(client_order_id=name("stop"), side=SELL, stop_price=Decimal(90), is_reduce_only=True)
    return venue


def test_the_stop_comes_before_the_target_in_one_bar() -> None:
    reports = protected(slippage_rate=0.001).bar(100, 120, 80)
    assert [(f.client_order_id, f.price) for f in fills(reports)] == [("stop", Decimal("89.91"))]
    assert reports[-1] == OrderCancelled(client_order_id=name("target"))


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    assert deal(protected(slippage_rate=0.001).bar(85, 86, 80)) == [("84.91", "1", False)]


@pytest.mark.parametrize(("bar", "price"), [((100, 110, 99), "110.00"), ((115, 116, 112), "115.00")])
def test_a_target_fills_at_its_price_or_at_the_better_open(bar: tuple[float, float, float], price: str) -> None:
    assert deal(protected().bar(*bar)) == [(price, "1", True)]


def test_a_bar_that_reaches_nothing_fills_nothing() -> None:
    assert protected().bar(100, 109.99, 90.01) == []


@pytest.mark.parametrize(
    "settings", [{"latency_ns": -1}, {"slippage_rate": -0.1}, {"slippage_rate": 1.0}, {"slippage_rate": math.nan}]
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    ((field, value),) = settings.items()
    with pytest.raises(BadInput, match=f"{field} {value}: expected"):
        PaperSettings(**settings)


def test_the_key_of_a_fill_is_the_orders() -> None:
    assert fills(Venue().place())[0].instrument == KEY


def test_a_price_that_the_grid_cannot_hold_names_the_instrument() -> None:
    with pytest.raises(BadInput, match=rf"^{KEY}: price .*e\+98: more than 10\^15 steps"):
        Venue().place(touch=Touch(1e99, 1e99, 5.0, 5.0))
