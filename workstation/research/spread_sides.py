"""What a spread compares, from plain words: two venues, two symbols, and what turns one currency into the other."""

from typing import NamedTuple

from workstation.config.words import keys_of, text_of
from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey, checked_key, split_symbol


class Sides(NamedTuple):
    """What is compared, and what turns B's prices into A's quote currency."""

    a: InstrumentKey
    b: InstrumentKey
    basis: InstrumentKey | None


def sides_of(venue_a: str, venue_b: str, symbol: str, symbol_b: str | None, basis: str | None) -> Sides:
    """Raises BadInput where the quote currencies differ and no basis turns the one into the other."""
    if symbol_b is None:
        a, b = keys_of((venue_a, venue_b), symbol)
    else:
        a, b = _key(venue_a, symbol), _key(venue_b, symbol_b)
    venue, colon, turning = text_of("basis", basis or "").partition(":")
    if basis is not None and not colon:
        raise BadInput(f"basis {basis!r}: expected VENUE:SYMBOL, such as nova:USDC/USDT")
    turn = None if basis is None else _key(venue, turning)
    (base, quote), (base_b, quote_b) = (split_symbol(key.symbol)[:2] for key in (a, b))
    if base != base_b:
        raise BadInput(f"{a} and {b}: {base} and {base_b} are not the same thing")
    needed = None if quote == quote_b else (quote_b, quote)
    given = None if turn is None else split_symbol(turn.symbol)[:2]
    if needed != given:
        wanted = "none" if needed is None else f"VENUE:{quote_b}/{quote}, as {quote_b} is not {quote}"
        raise BadInput(f"{a} and {b}: basis {basis or 'none'}: expected {wanted}")
    return Sides(a, b, turn)


def _key(venue: str, symbol: str) -> InstrumentKey:
    return checked_key(text_of("venue", venue), text_of("symbol", symbol))
