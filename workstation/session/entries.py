"""From a signal to the orders that serve it: prices seen, size, the risk gate, the grid. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from workstation.kernels.sizing import INSUFFICIENT_BALANCE, entry_refusal
from workstation.model.group import Leg, PositionGroup
from workstation.model.ids import Currency, GroupId, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.order import OrderPurpose, OrderRequest, OrderType
from workstation.model.signal import Signal, SignalLeg
from workstation.model.units import MONEY, Side, common_lot, exact_decimal, price_on_grid, round_quantity, to_float
from workstation.session.settings import SessionSettings
from workstation.trading.groups import Draft
from workstation.trading.limits import PlannedLeg, Refusal, check_entry
from workstation.trading.order_ids import client_order_id
from workstation.trading.sizing import entry_size


class Seen(NamedTuple):
    """A price (quote currency) and its age."""

    price: float
    age_ns: int


PriceOf = Callable[[InstrumentKey], Seen | None]
Available = Callable[[Venue, Currency], Decimal]


def plan_entry(
    signal: Signal,
    settings: SessionSettings,
    instruments: Mapping[InstrumentKey, Instrument],
    price_of: PriceOf,
    equity: Decimal,
    available: Available,
    open_positions: int,
    now_ns: int,
) -> PositionGroup | Refusal:
    """The group that a signal opens, every leg with the same quantity, or why it may not be."""
    seen = {leg.instrument: price_of(leg.instrument) for leg in signal.legs}
    quantity = _quantity(signal, settings, instruments, seen, to_float(equity))
    if isinstance(quantity, Refusal):
        return quantity
    planned = []
    for leg in signal.legs:
        view = seen[leg.instrument]
        notional = Decimal(0) if view is None else MONEY.multiply(quantity, exact_decimal(view.price, "price"))
        planned.append(PlannedLeg(leg.instrument, notional, None if view is None else view.age_ns))
        if view is not None:
            instrument = instruments[leg.instrument]
            refusal = venue_refusal(leg, instrument, quantity, view.price, settings.sizing.leverage, available)
            if refusal is not None:
                return refusal
    refusal = check_entry(settings.limits, planned, open_positions)
    if refusal is not None:
        return refusal
    timeout = settings.entry_timeout_ns
    return PositionGroup(
        group_id=GroupId(f"g{signal.signal_id}"),
        signal_id=signal.signal_id,
        strategy=signal.strategy,
        legs=tuple(Leg(instrument=leg.instrument, side=leg.side, quantity=quantity) for leg in signal.legs),
        stop_distance=signal.stop_distance,
        target_distance=signal.target_distance,
        opened_ns=now_ns,
        due_ns=None if timeout is None else now_ns + timeout,
    )


def market_entries(group: PositionGroup) -> list[Draft]:
    """The entries of a group, one a leg, at the market."""
    market, entry = OrderType.MARKET, OrderPurpose.ENTRY
    return [
        Draft(leg=index, purpose=entry, side=leg.side, type=market, quantity=leg.quantity)
        for index, leg in enumerate(group.legs)
    ]


def _quantity(
    signal: Signal,
    settings: SessionSettings,
    instruments: Mapping[InstrumentKey, Instrument],
    seen: Mapping[InstrumentKey, Seen | None],
    equity: float,
) -> Decimal | Refusal:
    """One quantity for all legs, so that they hedge each other: whole lots of each, at most what any leg allows."""
    share = equity / len(signal.legs)
    quantities = []
    for key, view in seen.items():
        if view is not None:
            size = entry_size(settings.sizing, instruments[key], share, view.price, signal.stop_distance)
            if size.refusal is not None:
                return Refusal("size", str(size.refusal), f"equity {share} at price {view.price}", key)
            quantities.append(size.quantity)
    least = min(quantities, default=Decimal(0))
    # one lot after the other would do only where the coarser is a multiple of the finer
    lot = common_lot([instruments[key].lot_size for key in seen])
    if 0 < least < lot:
        return Refusal("size", f"at least {lot.normalize():f}, whole lots of each leg", f"{least.normalize():f}")
    return round_quantity(least, lot)


def venue_refusal(
    leg: SignalLeg, instrument: Instrument, quantity: Decimal, price: float, leverage: float, available: Available
) -> Refusal | None:
    """What the leg's own venue would refuse: too little of it, or too little money (or coins) there."""
    if leg.side is Side.SELL and instrument.kind is InstrumentKind.SPOT:
        coins = available(instrument.venue, instrument.base)
        if quantity > coins:
            return Refusal("balance", f"{coins} {instrument.base}", str(quantity), instrument.key)
        money = Decimal("Infinity")
    else:
        money = available(instrument.venue, instrument.quote)
    least = to_float(instrument.min_quantity), to_float(instrument.min_notional_quote)
    code = entry_refusal(to_float(quantity), price, to_float(money), leverage, *least)
    if not code:
        return None
    allowed = f"{money} {instrument.quote}" if code == INSUFFICIENT_BALANCE else f"at least {least[0]} and {least[1]}"
    limit = "balance" if code == INSUFFICIENT_BALANCE else "size"
    return Refusal(limit, allowed, f"{quantity} at {price}", instrument.key)


def request_for(
    draft: Draft,
    group: PositionGroup,
    settings: SessionSettings,
    instrument: Instrument,
    attempt: int,
    seen_price: float | None,
    now_ns: int,
) -> OrderRequest | None:
    """The order of a draft, on the venue's grid; None where its price is below one tick."""
    price = None
    if draft.price is not None:
        price = price_on_grid(draft.price, instrument.tick_size, draft.side)
        if price <= 0:
            return None
    return OrderRequest(
        client_order_id=client_order_id(settings.session_id, group.signal_id, draft.leg, draft.purpose, attempt),
        group_id=group.group_id,
        signal_id=group.signal_id,
        leg=draft.leg,
        purpose=draft.purpose,
        instrument=instrument.key,
        snapshot_id=instrument.snapshot_id,
        side=draft.side,
        type=draft.type,
        quantity=draft.quantity,
        limit_price=price if draft.type is OrderType.LIMIT else None,
        stop_price=price if draft.type is OrderType.STOP else None,
        is_reduce_only=draft.purpose is not OrderPurpose.ENTRY,
        decision_price=seen_price,
        decided_ns=now_ns,
    )
