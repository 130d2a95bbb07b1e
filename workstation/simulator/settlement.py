"""What one fill moves: what is paid, what is received, and the fee, which is taken from what is received."""

from decimal import Decimal

from workstation.model.units import MONEY, Side
from workstation.simulator.accounts import Payment
from workstation.simulator.order_book import Offer
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import VenueOrder

FEE_STEP = Decimal("0.00000001")


def settlement(market: VenueMarket, order: VenueOrder, match: Offer, *, is_maker: bool) -> tuple[Payment, Decimal]:
    """The payment for a match of an order, and the fee."""
    instrument, is_buy = market.instrument, order.request.side is Side.BUY
    quantity = market.quantity(match.lots)
    worth = MONEY.multiply(market.price(match.price), quantity)
    pays, paid = (instrument.quote, worth) if is_buy else (instrument.base, quantity)
    receives, gross = (instrument.base, quantity) if is_buy else (instrument.quote, worth)
    rate = instrument.maker_fee_rate if is_maker else instrument.taker_fee_rate
    fee = MONEY.multiply(gross, rate).quantize(FEE_STEP, context=MONEY)
    # what is held is so much for each lot that is left, so its share divides without a rest
    per_lot = MONEY.divide(order.held, Decimal(order.lots - order.filled_lots))
    released = MONEY.multiply(per_lot, Decimal(match.lots))
    received = MONEY.subtract(gross, fee)
    return Payment(pays=pays, paid=paid, released=released, receives=receives, received=received), fee
