"""What OANDA lists as an Instrument.

A position there is one figure of units, long or short, whose profit is counted in the quote currency; no currency
changes hands. That is what `InstrumentKind.LINEAR` says; what a night costs (financing) the venue does not stream, and
it is not counted. Commission is paid in the spread, or by an agreement that is not told: fee rates are 0.
"""

from decimal import Decimal, InvalidOperation

import msgspec

from workstation.errors import BadInput
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKind, split_symbol

MOST_DECIMALS = 20
NONE = Decimal(0)


class Listed(msgspec.Struct):
    """One entry of an account's instruments; decimals of a price, of units, and the least number of units."""

    name: str
    displayPrecision: int  # noqa: N815 (OANDA's names)
    tradeUnitsPrecision: int  # noqa: N815
    minimumTradeSize: str  # noqa: N815


class ListedInstruments(msgspec.Struct):
    instruments: list[Listed]


def symbol_of(name: str) -> Symbol:
    """ "EUR_USD" -> "EUR/USD"; an index has its currency behind the last sign: "DE30/EUR"."""
    base, _, quote = name.rpartition("_")
    return Symbol(f"{base}/{quote}")


def name_of(symbol: Symbol) -> str:
    """ "EUR/USD" -> "EUR_USD"."""
    return symbol.replace("/", "_")


def instrument_of(listed: Listed, venue: Venue, valid_from_ns: int) -> Instrument:
    """Raises BadInput, with the subject, for an entry that is no instrument of ours."""
    symbol = symbol_of(listed.name)
    subject = f"{venue}:{symbol}"
    base, quote, _ = split_symbol(symbol)
    for name in ("displayPrecision", "tradeUnitsPrecision"):
        decimals = getattr(listed, name)
        if not 0 <= decimals <= MOST_DECIMALS:
            raise BadInput(f"{subject}: {name} {decimals}: expected 0 to {MOST_DECIMALS}")
    try:
        least = Decimal(listed.minimumTradeSize)
    except InvalidOperation:
        raise BadInput(f"{subject}: minimumTradeSize {listed.minimumTradeSize!r:.40}: expected a number") from None
    return Instrument(
        venue=venue,
        symbol=symbol,
        kind=InstrumentKind.LINEAR,
        base=Currency(base),
        quote=Currency(quote),
        tick_size=Decimal(1).scaleb(-listed.displayPrecision),
        lot_size=Decimal(1).scaleb(-listed.tradeUnitsPrecision),
        min_quantity=least,
        min_notional_quote=NONE,
        maker_fee_rate=NONE,
        taker_fee_rate=NONE,
        valid_from_ns=valid_from_ns,
    )
