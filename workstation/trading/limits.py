"""The risk gate: what an entry must pass. A refusal is a value with a reason, never an exception.

Only entries are checked: reducing a position is always allowed, on stale data too.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None is no such limit. Notional is of one position, in quote currency."""

    max_position_notional_quote: Decimal | None = Decimal(1000)
    max_open_positions: int | None = 5
    max_quote_age_ns: int | None = 5_000_000_000

    def __post_init__(self) -> None:
        for name in ("max_position_notional_quote", "max_open_positions", "max_quote_age_ns"):
            value = getattr(self, name)
            if value is not None and (not math.isfinite(value) or value < 0):
                raise BadInput(f"{name} {value}: expected 0 or more, or none")


NO_LIMITS = Limits(max_position_notional_quote=None, max_open_positions=None, max_quote_age_ns=None)


class Refusal(NamedTuple):
    """Which limit, its value, and the figure that broke it."""

    limit: str
    allowed: str
    figure: str
    instrument: InstrumentKey | None = None


class PlannedLeg(NamedTuple):
    """What an entry would do on one instrument; `price_age_ns` is None where there is no price."""

    instrument: InstrumentKey
    notional_quote: Decimal
    price_age_ns: int | None


def check_entry(limits: Limits, legs: Iterable[PlannedLeg], open_positions: int) -> Refusal | None:
    """The first limit that an entry would break; None where it may pass. One entry takes one position."""
    if limits.max_open_positions is not None and open_positions + 1 > limits.max_open_positions:
        return Refusal("max_open_positions", str(limits.max_open_positions), str(open_positions + 1))
    for leg in legs:
        if leg.price_age_ns is None:
            return Refusal("price", "a price", "none", leg.instrument)
        if limits.max_quote_age_ns is not None and leg.price_age_ns > limits.max_quote_age_ns:
            allowed, age = _milliseconds(limits.max_quote_age_ns), _milliseconds(leg.price_age_ns)
            return Refusal("max_quote_age_ms", f"at most {allowed}", f"age {age}", leg.instrument)
        largest = limits.max_position_notional_quote
        if largest is not None and leg.notional_quote > largest:
            return Refusal("max_position_notional_quote", str(largest), str(leg.notional_quote), leg.instrument)
    return None


def _milliseconds(age_ns: int) -> str:
    """In the unit of the option and the setting; exact."""
    return f"{Decimal(age_ns).scaleb(-6).normalize():,f} ms"
