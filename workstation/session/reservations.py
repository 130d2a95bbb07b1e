"""What is free to open more with: balances, less what open groups have taken or wait to take. Pure.

Of spot markets only what waits is taken off, since what was bought is paid. Of linear perpetuals a balance is not spent
but stands for what is open: their value, divided by the leverage, is taken off.
"""

from decimal import Decimal

from workstation.model.ids import Currency, Venue
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.order import Order, OrderPurpose
from workstation.model.units import MONEY, Side, exact_decimal
from workstation.session.state import SessionState
from workstation.trading.groups import held_quantity


def free(state: SessionState, venue: Venue, currency: Currency, leverage: float) -> Decimal:
    """The balance that nothing open needs."""
    taken = Decimal(0)
    for group in state.groups.values():
        orders = state.orders_of(group.group_id)
        entries = [one for one in orders if one.request.purpose is OrderPurpose.ENTRY]
        for entry in entries:
            key = entry.request.instrument
            if key.venue != venue:
                continue
            waiting = Decimal(0) if entry.is_final else entry.remaining_quantity
            instrument = state.instruments[key]
            if instrument.kind is InstrumentKind.SPOT:
                taken = MONEY.add(taken, _of_spot(entry, instrument, waiting, currency))
            elif instrument.quote == currency:
                index = entry.request.leg
                held = abs(held_quantity(group.legs[index], index, orders))
                value = _value(entry, instrument, MONEY.add(held, waiting))
                taken = MONEY.add(taken, MONEY.divide(value, exact_decimal(leverage, "leverage")))
    return MONEY.subtract(state.book.available(venue, currency), taken)


def _of_spot(entry: Order, instrument: Instrument, waiting: Decimal, currency: Currency) -> Decimal:
    if entry.request.side is Side.SELL:
        return MONEY.multiply(waiting, instrument.contract_size) if currency == instrument.base else Decimal(0)
    return _value(entry, instrument, waiting) if currency == instrument.quote else Decimal(0)


def _value(entry: Order, instrument: Instrument, quantity: Decimal) -> Decimal:
    """In quote currency, at what was paid; before a fill at the limit, or at the price decided by."""
    request, price = entry.request, entry.average_price
    if price is None:
        price = request.limit_price
    if price is None:
        price = exact_decimal(request.decision_price or 0.0, "price")
    return MONEY.multiply(MONEY.multiply(quantity, instrument.contract_size), price)
