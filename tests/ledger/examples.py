"""Facts to write: one of every event, and orders by number."""

from decimal import Decimal

import numpy as np
from msgspec.structs import replace

from workstation.model.events import (
    BalanceSet,
    CancelAsked,
    CancelRequested,
    CloseAsked,
    ConditionsChanged,
    DayOpened,
    EntryRefused,
    Event,
    Fact,
    FeedLagChanged,
    GroupChanged,
    GroupOpened,
    InstrumentListed,
    OrderAccepted,
    OrderAsked,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTimedOut,
    OrderTriggered,
    RunStarted,
    SessionHalted,
    SessionKilled,
    SessionPaused,
    SessionRearmed,
    SessionResumed,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.ids import ClientOrderId, Currency, GroupId, RunId, SessionId, SignalId, Symbol, TradeId, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import MARKET_ROW
from workstation.model.order import Fill, OrderPurpose, OrderRequest, OrderType
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import Side

SESSION = SessionId("breakout-btc")
RUN = RunId("2026-03-01-a")
VENUE = Venue("binance")
USDT, BTC, BNB = Currency("USDT"), Currency("BTC"), Currency("BNB")
START_NS = 1_772_000_000_000_000_000

INSTRUMENT = Instrument(
    venue=VENUE,
    symbol=Symbol("BTC/USDT:USDT"),
    kind=InstrumentKind.LINEAR,
    base=BTC,
    quote=USDT,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional_quote=Decimal(5),
    maker_fee_rate=Decimal("0.0002"),
    taker_fee_rate=Decimal("0.0005"),
)
KEY = INSTRUMENT.key
SPOT_KEY = InstrumentKey(VENUE, Symbol("BTC/USDT"))

ENTER = Signal(
    signal_id=SignalId("s1"),
    strategy="breakout",
    action=SignalAction.ENTER,
    legs=(SignalLeg(KEY, Side.BUY),),
    stop_distance=150.5,
    target_distance=301.0,
    reason="close above 20 bars' high",
)
EXIT = Signal(signal_id=SignalId("s2"), strategy="breakout", action=SignalAction.EXIT, exit_side=Side.BUY)


def a_request(number: int = 1, type_: OrderType = OrderType.MARKET, **changes: object) -> OrderRequest:
    """A buy of 0.123 BTC whose client order id is `order-<number>`."""
    request = OrderRequest(
        client_order_id=ClientOrderId(f"order-{number}"),
        group_id=GroupId("g1"),
        signal_id=SignalId("s1"),
        leg=0,
        purpose=next(iter(OrderPurpose)),
        instrument=KEY,
        snapshot_id=INSTRUMENT.snapshot_id,
        side=Side.BUY,
        type=type_,
        quantity=Decimal("0.123"),
        limit_price=Decimal("60000.1") if type_ is OrderType.LIMIT else None,
        stop_price=Decimal("59000.0") if type_ is OrderType.STOP else None,
        decision_price=60000.05,
        decided_ns=START_NS,
    )
    return replace(request, **changes)  # type: ignore[arg-type]  # the caller names fields of a request


def a_fill(number: int = 1, **changes: object) -> Fill:
    """A taker's fill of 0.1 BTC at 60000, its fee in USDT; the trade id is `t<number>`."""
    fill = Fill(
        client_order_id=ClientOrderId("order-1"),
        trade_id=TradeId(f"t{number}"),
        instrument=KEY,
        side=Side.BUY,
        price=Decimal("60000.0"),
        quantity=Decimal("0.1"),
        fee=Decimal("3.00"),
        fee_currency=USDT,
        is_maker=False,
    )
    return replace(fill, **changes)  # type: ignore[arg-type]  # the caller names fields of a fill


def a_fact(number: int, event: Event | None = None) -> Fact:
    """A fact with every time but the venue's; without an event, an intent of its own."""
    return Fact(event or OrderSubmitted(request=a_request(number)), number, START_NS + number, None, START_NS + number)


def a_group(number: int, size: int = 3) -> list[Fact]:
    """`size` facts of sequence `number`; each knows its place in the group."""
    return [
        Fact(SessionPaused(by=f"group {number}", reason=f"{place} of {size}"), number, START_NS + number)
        for place in range(size)
    ]


def every_event() -> list[Event]:
    """At least one of each event, in an order that could have happened."""
    order = ClientOrderId("order-1")
    group = PositionGroup(
        group_id=GroupId("g1"),
        signal_id=SignalId("s1"),
        strategy="breakout",
        legs=(Leg(instrument=KEY, side=Side.BUY, quantity=Decimal("0.123")),),
        stop_distance=150.5,
        opened_ns=START_NS,
        due_ns=START_NS + 300_000_000_000,
    )
    sale = a_fill(3, side=Side.SELL, price=Decimal("60100.5"), quantity=Decimal("0.05"), fee=Decimal("-0.0001"))
    return [
        RunStarted(run_id=RUN, manifest_hash="ab" * 32, sequence=0, rebuild_from_ns=START_NS, anchor_ns=None),
        BalanceSet(venue=VENUE, currency=USDT, amount=Decimal("10000.00")),
        InstrumentListed(instrument=INSTRUMENT),
        FeedLagChanged(is_lagging=True),
        FeedLagChanged(is_lagging=False),
        SessionPaused(by="dashboard", reason='lunch, "ünï" 12 €'),
        SessionResumed(by="dashboard"),
        SignalGenerated(signal=ENTER),
        EntryRefused(signal_id=SignalId("s1"), instrument=KEY, limit="max_notional", allowed="1000", figure="7380"),
        EntryRefused(signal_id=SignalId("s1"), instrument=None, limit="open_positions", allowed="5", figure="6"),
        GroupOpened(group=group),
        OrderSubmitted(request=a_request()),
        OrderSubmitted(request=a_request(2, OrderType.LIMIT)),
        OrderSubmitted(request=a_request(3, OrderType.STOP, side=Side.SELL, is_reduce_only=True)),
        OrderAccepted(client_order_id=order),
        OrderFilled(fill=a_fill()),
        OrderFilled(fill=a_fill(2, quantity=Decimal("0.023"), fee=Decimal("0.001"), fee_currency=BNB)),
        OrderFilled(fill=sale),
        CancelRequested(client_order_id=ClientOrderId("order-2"), reason="due"),
        OrderCancelled(client_order_id=ClientOrderId("order-2")),
        OrderRejected(client_order_id=ClientOrderId("order-3"), reason="insufficient margin"),
        OrderExpired(client_order_id=ClientOrderId("order-4")),
        OrderTimedOut(client_order_id=ClientOrderId("order-5")),
        GroupChanged(group_id=GroupId("g1"), status=GroupStatus.CLOSING, reason="exit", next_signal=EXIT),
        SessionHalted(reason="1 order unknown"),
        SessionStopped(by="cli", flatten=True),
        ConditionsChanged(changes=(("rich", True), ("back from rich", False))),
        OrderTriggered(client_order_id=ClientOrderId("order-3")),
        SessionKilled(by="command line", reason="looks wrong", since_ns=START_NS, flatten=True),
        SessionRearmed(by="command line"),
        OrderAsked(
            by="dashboard",
            instrument=KEY,
            side=Side.SELL,
            type=OrderType.LIMIT,
            quantity=Decimal("0.123"),
            limit_price=Decimal("60000.1"),
            stop_price=Decimal("61000"),
            target_price=Decimal("59000.0"),
            seen_price=60000.05,
            seen_age_ns=7,
        ),
        OrderAsked(
            by="api", instrument=KEY, side=Side.BUY, type=OrderType.MARKET, notional_quote=Decimal(500), seen_price=None
        ),
        CancelAsked(by="dashboard", client_order_id=ClientOrderId("order-2")),
        CloseAsked(by="dashboard", group_id=GroupId("g1")),
        CloseAsked(by="dashboard", instrument=KEY),
        DayOpened(day_ns=START_NS // 86_400_000_000_000 * 86_400_000_000_000, made_quote=Decimal("-12.5")),
        GroupOpened(group=replace(group, stop_price=Decimal("59000.5"), target_price=Decimal("61000"))),
    ]


def every_fact() -> list[Fact]:
    """`every_event`, some with all four times and the market row that woke them."""
    row = np.zeros(1, MARKET_ROW)
    row["sequence"], row["ts_received"], row["x0"], row["x1"] = 7, START_NS, 60000.0, 60000.1
    return [
        Fact(event, number, now, now - 5, now, now + 10, row.tobytes()) if number % 3 else Fact(event, number, now)
        for number, event in enumerate(every_event())
        for now in [START_NS + number * 1_000_000]
    ]
