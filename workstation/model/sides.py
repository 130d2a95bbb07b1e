"""What a spread compares: two instruments and, where their quote currencies differ, a third that turns the one into the
other. One dollar coin is never taken for another."""

from typing import NamedTuple

from workstation.errors import BadInput
from workstation.model.instrument import InstrumentKey, checked_key, split_symbol


class Sides(NamedTuple):
    """A, B, and the basis that turns B's prices into A's quote currency; None where the two are one currency."""

    a: InstrumentKey
    b: InstrumentKey
    basis: InstrumentKey | None = None

    @property
    def instruments(self) -> tuple[InstrumentKey, ...]:
        return tuple(key for key in self if key is not None)

    def __str__(self) -> str:
        return f"{self.a} with {self.b}" if self.basis is None else f"{self.a} with {self.b} over {self.basis}"


def named_key(name: str) -> InstrumentKey:
    """ "nova:BTC/USDT" as a key. Raises BadInput."""
    venue, colon, symbol = name.partition(":")
    if not colon:
        raise BadInput(f"{name!r}: expected VENUE:SYMBOL, such as nova:BTC/USDT")
    return checked_key(venue, symbol)


def checked_sides(a: InstrumentKey, b: InstrumentKey, basis: InstrumentKey | None = None) -> Sides:
    """Raises BadInput for one instrument twice, another base, and a basis that does not turn the one quote currency
    into the other, or is missing."""
    if a == b:
        raise BadInput(f"{a} and {b}: expected two instruments")
    (base, quote), (base_b, quote_b) = (split_symbol(key.symbol)[:2] for key in (a, b))
    if base != base_b:
        raise BadInput(f"{a} and {b}: {base} and {base_b} are not the same thing")
    needed = None if quote == quote_b else (quote_b, quote)
    given = None if basis is None else split_symbol(basis.symbol)[:2]
    if needed != given or basis in (a, b):
        wanted = "none" if needed is None else f"VENUE:{quote_b}/{quote}, as {quote_b} is not {quote}"
        raise BadInput(f"{a} and {b}: basis {basis or 'none'}: expected {wanted}")
    return Sides(a, b, basis)
