"""What a spread compares, from plain words: two venues, two symbols, and what turns one currency into the other."""

from workstation.config.words import keys_of, text_of
from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.model.sides import Sides, checked_sides


def sides_of(venue_a: str, venue_b: str, symbol: str, symbol_b: str | None, basis: str | None) -> Sides:
    """Raises BadInput where the quote currencies differ and no basis turns the one into the other."""
    if symbol_b is None:
        a, b = keys_of((venue_a, venue_b), symbol)
    else:
        a, b = _key(venue_a, symbol), _key(venue_b, symbol_b)
    venue, colon, turning = text_of("basis", basis or "").partition(":")
    if basis is not None and not colon:
        raise BadInput(f"basis {basis!r}: expected VENUE:SYMBOL, such as nova:USDC/USDT")
    return checked_sides(a, b, None if basis is None else _key(venue, turning))


def _key(venue: str, symbol: str) -> InstrumentKey:
    return checked_key(text_of("venue", venue), text_of("symbol", symbol))
