"""A position: what our fills of one instrument add up to."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct, field

from workstation.model.ids import Currency
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.model.units import MONEY


class Position(Struct, frozen=True, kw_only=True):
    """`signed_quantity` counts contracts of `contract_size` base; negative is short.

    `cost_quote` is the signed cost of what is held, without fees: the sum of signed notionals is always
    `cost_quote - realized_pnl_quote`, exactly. `fees` are what was paid, by currency; a rebate is negative.
    """

    instrument: InstrumentKey
    kind: InstrumentKind
    base: Currency
    quote: Currency
    contract_size: Decimal = Decimal(1)
    signed_quantity: Decimal = Decimal(0)
    cost_quote: Decimal = Decimal(0)
    realized_pnl_quote: Decimal = Decimal(0)
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.signed_quantity != 0

    @property
    def average_price(self) -> Decimal | None:
        """Quote currency per base, to 50 digits; None when flat."""
        if not self.is_open:
            return None
        return MONEY.divide(self.cost_quote, MONEY.multiply(self.signed_quantity, self.contract_size))

    def signed_notional_quote(self, mark: Decimal) -> Decimal:
        """Its value at `mark`; negative when short."""
        return MONEY.multiply(MONEY.multiply(self.signed_quantity, self.contract_size), mark)

    def unrealized_pnl_quote(self, mark: Decimal) -> Decimal:
        """What closing at `mark` would realize, before fees."""
        return MONEY.subtract(self.signed_notional_quote(mark), self.cost_quote)
