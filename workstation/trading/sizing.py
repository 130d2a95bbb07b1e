"""How much an entry buys or sells: one rule for the session and for the bar simulator."""

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple

from workstation.errors import BadInput
from workstation.kernels import sizing
from workstation.model.instrument import Instrument
from workstation.model.units import grid_of, quantity_from_float, to_float


class SizingMode(IntEnum):
    """What a SizingSettings' `value` means."""

    FIXED_QUANTITY = sizing.FIXED_QUANTITY
    """Quantity in base currency."""
    FIXED_NOTIONAL = sizing.FIXED_NOTIONAL
    """Value in quote currency."""
    EQUITY_FRACTION = sizing.EQUITY_FRACTION
    """Share of the equity that is bought, fee and slippage included."""
    RISK_FRACTION = sizing.RISK_FRACTION
    """Share of the equity that is lost when the stop is hit at its price; without a stop nothing is entered."""


class Refusal(StrEnum):
    """Why an entry gets no quantity."""

    BELOW_MINIMUM = "below minimum"
    """Less than one lot, the minimal quantity or the minimal notional."""
    INSUFFICIENT_BALANCE = "insufficient balance"
    """Its notional is over equity * leverage."""
    INSUFFICIENT_CASH = "insufficient cash"
    """A spot purchase that could not be paid when it was to be filled."""


REFUSALS = {
    sizing.BELOW_MINIMUM: Refusal.BELOW_MINIMUM,
    sizing.INSUFFICIENT_BALANCE: Refusal.INSUFFICIENT_BALANCE,
    sizing.INSUFFICIENT_CASH: Refusal.INSUFFICIENT_CASH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingSettings:
    """`slippage_rate`: what EQUITY_FRACTION sets aside for a worse price; `leverage`: the most notional / equity."""

    mode: SizingMode
    value: float
    leverage: float = 1.0
    slippage_rate: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.mode, SizingMode):
            raise BadInput(f"sizing: mode {self.mode!r}: expected one of {', '.join(mode.name for mode in SizingMode)}")
        for name, lowest in (("value", 0.0), ("leverage", 0.0)):
            number = getattr(self, name)
            if not (math.isfinite(number) and number > lowest):
                raise BadInput(f"sizing: {name} {number!r}: expected a finite number over {lowest:g}")
        if not 0.0 <= self.slippage_rate < 1.0:
            raise BadInput(f"sizing: slippage_rate {self.slippage_rate!r}: expected a fraction from 0 to below 1")


class EntrySize(NamedTuple):
    quantity: Decimal
    """Whole lots of base currency; zero where refused."""
    refusal: Refusal | None


def entry_size(
    settings: SizingSettings, instrument: Instrument, equity: float, price: float, stop_distance: float | None
) -> EntrySize:
    """The quantity of an entry at `price`, or why there is none; equity, price and distance in quote currency.

    Raises BadInput for a price that is not positive or an equity that is not finite.
    """
    if not (math.isfinite(price) and price > 0.0) or not math.isfinite(equity):
        raise BadInput(f"{instrument.key}: sizing at price {price!r}, equity {equity!r}: expected finite, price > 0")
    raw = sizing.size_quantity(
        settings.mode,
        settings.value,
        equity,
        price,
        to_float(instrument.taker_fee_rate),
        settings.slippage_rate,
        math.nan if stop_distance is None else stop_distance,
    )
    lot = grid_of(instrument.lot_size)
    quantity = quantity_from_float(sizing.whole_lots(raw, lot.numerator, lot.scale), instrument.lot_size)
    code = sizing.entry_refusal(
        to_float(quantity),
        price,
        equity,
        settings.leverage,
        to_float(instrument.min_quantity),
        to_float(instrument.min_notional_quote),
    )
    return EntrySize(quantity, None) if code == sizing.ACCEPTED else EntrySize(Decimal(0), REFUSALS[code])


def entry_quantity(
    settings: SizingSettings, instrument: Instrument, equity: float, price: float, stop_distance: float | None
) -> Decimal:
    """The quantity of `entry_size` alone: zero where refused. Raises BadInput like it."""
    return entry_size(settings, instrument, equity, price, stop_distance).quantity
