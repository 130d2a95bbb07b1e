"""Pairs as the page Spreads names them: in its address, in its choices, and to its channel."""

from collections.abc import Iterable, Mapping, Sequence

from workstation.client.messages import SpreadView
from workstation.errors import BadInput
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.sides import Sides, checked_sides, named_key

Choices = Mapping[str, Sequence[Sides]]
"""By what stands in the list of symbols."""


def sides_told(view: SpreadView) -> Sides:
    """As the engine names them, whatever they are: nothing is opened by it."""
    a, b = ((view.venue_a, view.symbol), (view.venue_b, view.symbol_b))
    basis = None if view.basis is None else view.basis.partition(":")
    return Sides(_key(*a), _key(*b), None if basis is None else _key(basis[0], basis[2]))


def name_of(sides: Sides) -> str:
    """ "nova:BTC/USDT orion:BTC/USDC nova:USDC/USDT": as scripts and channels have it."""
    return " ".join(map(str, sides.instruments))


def sides_named(name: str) -> Sides | None:
    """What `name_of` wrote; None for anything that is no pair."""
    parts = name.split(" ")
    try:
        return checked_sides(*map(named_key, parts)) if len(parts) in (2, 3) else None
    except BadInput:
        return None


def choices_of(spreads: Iterable[SpreadView]) -> dict[str, list[Sides]]:
    """The engine tells the best edge first, and choices are to keep their places."""
    told = sorted({sides_told(view) for view in spreads}, key=lambda one: (one.a, one.b, str(one.basis or "")))
    bases: dict[tuple[InstrumentKey, InstrumentKey], int] = {}
    for one in told:
        bases[one[:2]] = bases.get(one[:2], 0) + 1
    choices: dict[str, list[Sides]] = {}
    for one in told:
        choices.setdefault(label_of(one, says_basis=bases[one[:2]] > 1), []).append(one)
    return {label: choices[label] for label in sorted(choices)}


def label_of(sides: Sides, *, says_basis: bool = False) -> str:
    """The symbol, or both; and the basis, where the same two are compared over several."""
    if sides.a.symbol == sides.b.symbol:
        return sides.a.symbol
    over = f" over {sides.basis}" if says_basis and sides.basis is not None else ""
    return f"{sides.a.symbol} – {sides.b.symbol}{over}"


def nearest(sides: Iterable[Sides], wanted: Sides) -> Sides | None:
    """The one wanted, in whichever order it names two venues; else one of its symbols with most of its venues and its
    basis; else the first."""

    def likeness(one: Sides) -> tuple[int, ...]:
        venues = {one.a.venue, one.b.venue} & {wanted.a.venue, wanted.b.venue}
        places = [mine.venue == theirs.venue for mine, theirs in zip(one[:2], wanted[:2], strict=True)]
        symbols = (one.a.symbol, one.b.symbol) == (wanted.a.symbol, wanted.b.symbol)
        return symbols, one.basis == wanted.basis, len(venues), sum(places)

    return max(sides, key=likeness, default=None)


def _key(venue: str, symbol: str) -> InstrumentKey:
    return InstrumentKey(Venue(venue), Symbol(symbol))
