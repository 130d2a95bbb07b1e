"""Orders by hand: from what was asked to a group of one leg, through the limits that every entry passes. Pure."""

from collections.abc import Callable
from decimal import Decimal

from msgspec import UNSET

from workstation.errors import CallerError
from workstation.model.events import OrderAsked
from workstation.model.group import Leg, PositionGroup
from workstation.model.ids import Currency, GroupId, SignalId, Venue
from workstation.model.instrument import Instrument
from workstation.model.order import OrderPurpose, OrderType
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import MONEY, Side, exact_decimal, price_on_grid, round_quantity, to_float
from workstation.session.entries import venue_refusal
from workstation.session.settings import SessionSettings
from workstation.strategies.by_hand import BY_HAND
from workstation.trading.groups import Draft
from workstation.trading.limits import PlannedLeg, Refusal, check_entry

FURTHEST_FROM_MID = Decimal("0.05")
"""A limit further beyond the mid, on the side where it trades at once, was meant otherwise (a fat finger)."""


def signal_by_hand(asked: OrderAsked, signal_id: SignalId) -> Signal:
    return Signal(
        signal_id=signal_id,
        strategy=BY_HAND,
        action=SignalAction.ENTER,
        legs=(SignalLeg(asked.instrument, asked.side),),
        reason=f"by hand: {asked.by}",
    )


def plan_by_hand(
    asked: OrderAsked,
    signal: Signal,
    settings: SessionSettings,
    instrument: Instrument,
    available: Callable[[Venue, Currency], Decimal],
    open_positions: int,
    now_ns: int,
) -> PositionGroup | Refusal:
    """The group that the order opens, on the venue's grid, or why it may not be."""
    key = asked.instrument
    try:
        sized = _sized(asked, instrument)
    except CallerError as error:  # a number that the grid cannot hold is one person's mistake, and no session's
        return Refusal("grid", "numbers that the venue's grid can hold", str(error), key)
    if isinstance(sized, Refusal):
        return sized
    quantity, price = sized
    leg, leverage = SignalLeg(key, asked.side), settings.sizing.leverage
    notional = MONEY.multiply(MONEY.multiply(quantity, instrument.contract_size), price)
    planned = PlannedLeg(key, notional, asked.seen_age_ns)
    refusal = venue_refusal(leg, instrument, quantity, to_float(price), leverage, available) or check_entry(
        settings.limits, [planned], open_positions
    )
    if refusal is not None:
        return refusal
    timeout = settings.entry_timeout_ns if asked.type is OrderType.MARKET else None
    return PositionGroup(
        group_id=GroupId(f"g{signal.signal_id}"),
        signal_id=signal.signal_id,
        strategy=BY_HAND,
        legs=(Leg(instrument=key, side=asked.side, quantity=quantity),),
        opened_ns=now_ns,
        due_ns=None if timeout is None else now_ns + timeout,
        stop_price=UNSET if asked.stop_price is None else asked.stop_price,
        target_price=UNSET if asked.target_price is None else asked.target_price,
    )


def entry_by_hand(asked: OrderAsked, group: PositionGroup) -> Draft:
    """The entry of a planned group."""
    leg, limit = group.legs[0], asked.limit_price
    price = None if limit is None else to_float(limit)
    return Draft(leg=0, purpose=OrderPurpose.ENTRY, side=leg.side, type=asked.type, quantity=leg.quantity, price=price)


def _sized(asked: OrderAsked, instrument: Instrument) -> tuple[Decimal, Decimal] | Refusal:
    """Whole lots, and the price that they are reckoned at: the limit on its grid, or the mid."""
    key = asked.instrument
    if asked.seen_price is None:
        return Refusal("price", "a price", "none", key)
    mid = exact_decimal(asked.seen_price, "price")
    price = mid if asked.limit_price is None else _on_grid(asked.limit_price, instrument, asked.side)
    refusal = _price_refusal(asked, instrument, mid, price)
    if refusal is not None:
        return refusal
    wanted = asked.quantity
    if wanted is None:
        assert asked.notional_quote is not None
        wanted = MONEY.divide(asked.notional_quote, MONEY.multiply(price, instrument.contract_size))
    quantity = round_quantity(wanted, instrument.lot_size)
    if not quantity:
        figure = f"{asked.quantity}" if asked.notional_quote is None else f"{asked.notional_quote} at {price}"
        return Refusal("size", f"at least one lot of {instrument.lot_size}", figure, key)
    return quantity, price


def _price_refusal(asked: OrderAsked, instrument: Instrument, mid: Decimal, price: Decimal) -> Refusal | None:
    """A limit far beyond the mid; a stop that would trigger, or a target that would trade, at once."""
    side, key = asked.side, asked.instrument
    if price <= 0:
        return Refusal("limit_price", f"at least one tick of {instrument.tick_size}", str(asked.limit_price), key)
    furthest = MONEY.multiply(mid, 1 + side * FURTHEST_FROM_MID)
    if side * price > side * furthest:
        word = "at most" if side is Side.BUY else "at least"
        return Refusal("price_from_mid", f"{word} {furthest} (5 % from the mid of {mid})", str(price), key)
    for name, wanted, away in (("stop_price", asked.stop_price, -side), ("target_price", asked.target_price, side)):
        if wanted is None:
            continue
        level = _on_grid(wanted, instrument, side.opposite)
        if level <= 0 or away * level <= away * price:
            word = "above" if away > 0 else "below"
            kind = f"the {name.split('_')[0]} of a {side.name.lower()}"
            return Refusal(name, f"{word} {price}, as {kind}", str(wanted), key)
    return None


def _on_grid(price: Decimal, instrument: Instrument, side: Side) -> Decimal:
    return price_on_grid(to_float(price), instrument.tick_size, side)
