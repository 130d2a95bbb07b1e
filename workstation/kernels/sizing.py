"""How much to buy or sell: plain formulas that Python calls as they are and the bar simulator compiles unchanged.

Quantities are in base currency, prices and equity in quote currency, rates and shares are fractions.
"""

from workstation.kernels.formula import formula
from workstation.model.units import LARGEST_STEPS, floor_steps, grid_value

FIXED_QUANTITY, FIXED_NOTIONAL, EQUITY_FRACTION, RISK_FRACTION = 1, 2, 3, 4
"""What `value` means: base quantity; quote currency; share of equity bought; share of equity lost at the stop."""

ACCEPTED, BELOW_MINIMUM, INSUFFICIENT_BALANCE, INSUFFICIENT_CASH = 0, 1, 2, 3
"""Why an entry is refused; the last one when it is filled, the others when it is decided."""
MONEY_NOISE = 1e-12
"""The relative float noise of equity, cash and notional."""
LARGEST_LOTS = LARGEST_STEPS / 2.0
"""Half of what the door to Decimal lets through, so that rounding stays below it."""


@formula
def size_quantity(
    mode: int,
    value: float,
    equity: float,
    price: float,
    fee_rate: float,
    slippage_rate: float,
    stop_distance: float,
) -> float:
    """The quantity before it is floored to the lot; 0 without equity, and for RISK_FRACTION without a stop distance.

    FIXED_QUANTITY: value. FIXED_NOTIONAL: value / price. RISK_FRACTION: equity * value / stop_distance.
    EQUITY_FRACTION: equity * value / (price * (1 + slippage_rate) * (1 + fee_rate)), so that a share of 1 can be paid.
    """
    if not equity > 0.0:
        return 0.0
    if mode == FIXED_QUANTITY:
        return value
    if mode == FIXED_NOTIONAL:
        return value / price
    if mode == EQUITY_FRACTION:
        return equity * value / (price * (1.0 + slippage_rate) * (1.0 + fee_rate))
    return equity * value / stop_distance if stop_distance > 0.0 else 0.0


@formula
def whole_lots(quantity: float, lot_numerator: float, lot_scale: float) -> float:
    """`quantity` floored to the lot grid (`units.Grid`), at most LARGEST_LOTS, so that every count is exact."""
    largest = grid_value(LARGEST_LOTS, lot_numerator, lot_scale)
    return grid_value(floor_steps(min(quantity, largest), lot_numerator, lot_scale), lot_numerator, lot_scale)


@formula
def entry_refusal(
    quantity: float,
    price: float,
    equity: float,
    leverage: float,
    min_quantity: float,
    min_notional_quote: float,
) -> int:
    """ACCEPTED, BELOW_MINIMUM (or no quantity at all), INSUFFICIENT_BALANCE: quantity * price > equity * leverage."""
    notional = quantity * price
    if not (quantity > 0.0 and quantity >= min_quantity and notional * (1.0 + MONEY_NOISE) >= min_notional_quote):
        return BELOW_MINIMUM
    return INSUFFICIENT_BALANCE if notional > equity * leverage * (1.0 + MONEY_NOISE) else ACCEPTED


@formula
def is_affordable(quantity: float, price: float, fee: float, cash: float) -> bool:
    """Whether a spot purchase can be paid out of `cash`."""
    return quantity * price + fee <= cash * (1.0 + MONEY_NOISE)
