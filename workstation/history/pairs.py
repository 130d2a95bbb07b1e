"""Series of two instruments: "nova~orion" in the place of the venue, and of the symbol where there are two of them."""

from urllib.parse import quote

from workstation.errors import BadInput
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import LONGEST_FOLDER_NAME, InstrumentKey, checked_key

BETWEEN = "~"


def pair_key(a: InstrumentKey, b: InstrumentKey) -> InstrumentKey:
    """(nova:BTC/USDT, orion:BTC/USDT) -> nova~orion:BTC/USDT. Raises BadInput for what cannot be a folder's name."""
    for one in (a, b):
        checked_key(*one)
    if a == b:
        raise BadInput(f"{a} and {b}: both sides are the same instrument")
    symbol = a.symbol if a.symbol == b.symbol else Symbol(f"{a.symbol}{BETWEEN}{b.symbol}")
    if len(quote(symbol, safe="")) > LONGEST_FOLDER_NAME:
        raise BadInput(f"symbols {symbol!r}: over {LONGEST_FOLDER_NAME} characters together when percent-encoded")
    return InstrumentKey(Venue(f"{a.venue}{BETWEEN}{b.venue}"), symbol)


def sides_of_pair(key: InstrumentKey) -> tuple[InstrumentKey, InstrumentKey]:
    """The other way round. Raises BadInput for the key of one instrument."""
    venues = key.venue.split(BETWEEN)
    if len(venues) != 2:
        raise BadInput(f"venue {key.venue!r}: expected two, such as nova{BETWEEN}orion")
    a, b = (checked_key(*one) for one in zip(venues, _symbols(key.symbol), strict=True))
    if a == b:
        raise BadInput(f"{key}: both sides are the same instrument")
    return a, b


def _symbols(text: str) -> tuple[str, str]:
    """Each has a slash; a currency's name might have a "~" as well, and none of those that there are does."""
    first, between, second = text.partition(BETWEEN)
    return (first, second) if between and "/" in first and "/" in second else (text, text)
