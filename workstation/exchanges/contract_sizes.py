"""Contracts into base currency: of perpetuals many venues tell how many contracts, each a part of a coin or many coins.

ccxt passes such figures on as they come. Which of a venue's count contracts stands in `venue_facts`; here is the one
place that reckons by it, and what the sink is told and the history holds is base currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from workstation.errors import BadInput
from workstation.exchanges.ccxt_instruments import contract_size_of
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import Unit, facts_of
from workstation.model.units import MONEY, exact_decimal, grid_of, to_float

PARTS = 100
"""The smallest lot of the venues that were looked at is a hundredth of a contract, at OKX."""
MOST_QUICKLY = 1e12
"""Contracts; of many more, floats lie further apart than those parts."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract's size in base currency. Raises BadInput for a size that is no positive number of 15 digits."""

    size: Decimal
    _numerator: int = field(init=False, repr=False)
    _scale: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        grid = grid_of(self.size)
        object.__setattr__(self, "_numerator", int(grid.numerator))
        object.__setattr__(self, "_scale", int(grid.scale) * PARTS)

    def in_base(self, contracts: float) -> float:
        """The float nearest to the decimal product of the size and a finite number of contracts."""
        if contracts <= MOST_QUICKLY:
            parts = round(contracts * PARTS)
            if parts / PARTS == contracts:  # a division of whole numbers is rounded once, and to the nearest
                return parts * self._numerator / self._scale
        return to_float(MONEY.multiply(exact_decimal(contracts, "contracts"), self.size))


class Counting(NamedTuple):
    """What one market's figures count; None: base currency already."""

    quantity: Contract | None = None
    """Of quotes, trades and books."""
    volume: Contract | None = None
    """Of bars."""


IN_BASE = Counting()


def counting_of(market: Mapping[str, Any], settings: VenueSettings) -> Counting:
    """What the figures of a market of ccxt's count.

    Raises BadInput for what is neither spot nor a linear perpetual, and where it is not known what they count.
    """
    subject = f"{settings.venue}:{market.get('symbol')}"
    size = contract_size_of(market, subject)
    if size == 1:
        return IN_BASE
    facts = facts_of(settings.exchange)
    if facts.quantities_in is None or facts.bars_in is None:
        raise BadInput(
            f"{subject}: contract_size {size}: expected 1 on {settings.exchange}, of which it was not looked at "
            "whether its quantities count contracts or base currency"
        )
    contract = Contract(size)
    quantity, volume = (contract if unit is Unit.CONTRACTS else None for unit in (facts.quantities_in, facts.bars_in))
    return Counting(quantity, volume)
