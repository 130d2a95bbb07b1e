"""What can be traded, and by which rules, as a snapshot with a time from which it holds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote

from workstation.errors import BadInput, UnknownInstrument
from workstation.model.ids import Currency, InstrumentIndex, SnapshotId, Symbol, Venue
from workstation.model.units import MONEY


class InstrumentKind(StrEnum):
    SPOT = "spot"
    """Both currencies change hands; what is not held cannot be sold."""
    LINEAR = "linear"
    """A perpetual settled in the quote currency; short is as natural as long."""


class InstrumentKey(NamedTuple):
    venue: Venue
    symbol: Symbol

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One venue's rules for one symbol, valid from `valid_from_ns` until the next snapshot."""

    venue: Venue
    symbol: Symbol
    kind: InstrumentKind
    base: Currency
    quote: Currency
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional_quote: Decimal
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal
    contract_size: Decimal = Decimal(1)
    valid_from_ns: int = 0

    def __post_init__(self) -> None:
        for name in ("venue", "symbol", "base", "quote"):
            if not getattr(self, name):
                raise BadInput(f"instrument {self.key}: {name} is empty")
        if self.base == self.quote:
            raise BadInput(f"{self.key}: base and quote are both {self.base}")
        if self.kind is InstrumentKind.SPOT and self.contract_size != 1:
            raise BadInput(f"{self.key}: contract_size {self.contract_size}: spot counts in base, expected 1")
        for name in ("tick_size", "lot_size", "contract_size"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise BadInput(f"{self.key}: {name} {value}: expected more than 0")
        for name in ("min_quantity", "min_notional_quote"):
            value = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise BadInput(f"{self.key}: {name} {value}: expected 0 or more")
        for name in ("maker_fee_rate", "taker_fee_rate"):
            value = getattr(self, name)
            if not value.is_finite() or not Decimal(-1) < value < Decimal(1):
                raise BadInput(f"{self.key}: {name} {value}: expected a fraction between -1 and 1")

    @property
    def key(self) -> InstrumentKey:
        return InstrumentKey(self.venue, self.symbol)

    @property
    def lot_in_base(self) -> Decimal:
        """The step of the market's quantities, which are in base currency; orders count contracts, by `lot_size`."""
        return MONEY.multiply(self.lot_size, self.contract_size)

    @property
    def snapshot_id(self) -> SnapshotId:
        return SnapshotId(f"{self.venue}:{self.symbol}@{self.valid_from_ns}")


def require_contract_of_one(instrument: Instrument) -> None:
    """Raises BadInput for another: orders count contracts, the market's quantities base currency, and nothing that
    trades reckons from the one to the other."""
    if instrument.contract_size != 1:
        raise BadInput(
            f"{instrument.key}: contract_size {instrument.contract_size}: expected 1, contracts of one base unit; "
            "of others there is market data alone"
        )


SYMBOL = re.compile(r"([^\s/:<>&\"'\\\x00-\x1f\x7f]+)/([^\s/:<>&\"'\\\x00-\x1f\x7f]+)(?::(.+))?")
"""A currency is any word, in any script, without white space, control characters and what is markup to a browser."""


def split_symbol(symbol: str) -> tuple[Currency, Currency, InstrumentKind]:
    """Base, quote and kind of a ccxt symbol: "BTC/USDT" is spot, "BTC/USDT:USDT" linear. Raises BadInput."""
    match = SYMBOL.fullmatch(symbol)
    if match is None or match[3] not in (None, match[2]):
        raise BadInput(f"symbol {symbol!r}: expected BASE/QUOTE, or BASE/QUOTE:QUOTE for a linear perpetual")
    base, quote, settle = match.groups()
    return Currency(base), Currency(quote), InstrumentKind.LINEAR if settle else InstrumentKind.SPOT


VENUE_FORM = re.compile(r"[a-z0-9_-]{1,40}")
FORBIDDEN_IN_SYMBOL = re.compile(r"[\s<>\"'`\\\x00-\x1f\x7f]")
LONGEST_FOLDER_NAME = 200
"""File systems end at 255 bytes, and `symbol=` and temporary names come on top."""


def checked_key(venue: str, symbol: str) -> InstrumentKey:
    """A key that is safe as a folder name and in a report. Raises BadInput."""
    if not VENUE_FORM.fullmatch(venue):
        raise BadInput(f"venue {venue!r}: expected 1 to 40 characters of a-z, 0-9, _ and -")
    split_symbol(symbol)
    if FORBIDDEN_IN_SYMBOL.search(symbol) or not symbol.isprintable():
        raise BadInput(f"symbol {symbol!r}: spaces, quotes, <, > and control characters are not part of a symbol")
    if len(quote(symbol, safe="")) > LONGEST_FOLDER_NAME:
        raise BadInput(f"symbol {symbol!r}: over {LONGEST_FOLDER_NAME} characters when percent-encoded")
    return InstrumentKey(Venue(venue), Symbol(symbol))


class Registry:
    """An integer per (venue, symbol), append-only within a run; and the bar intervals seen."""

    def __init__(self) -> None:
        self._keys: list[InstrumentKey] = []
        self._indices: dict[InstrumentKey, InstrumentIndex] = {}
        self._snapshots: dict[InstrumentKey, Instrument] = {}

    def add(self, instrument: Instrument) -> InstrumentIndex:
        """The instrument's integer, a new one if it has none; the snapshot replaces the one before."""
        index = self._indices.get(instrument.key)
        if index is None:
            index = InstrumentIndex(len(self._keys))
            self._keys.append(instrument.key)
            self._indices[instrument.key] = index
        self._snapshots[instrument.key] = instrument
        return index

    def index(self, key: InstrumentKey) -> InstrumentIndex:
        try:
            return self._indices[key]
        except KeyError:
            known = ", ".join(map(str, self._keys[:5])) or "none"
            raise UnknownInstrument(f"instrument {key}: not in the registry (known: {known})") from None

    def key(self, index: int) -> InstrumentKey:
        if not 0 <= index < len(self._keys):
            raise UnknownInstrument(f"instrument number {index}: the registry has {len(self._keys)}")
        return self._keys[index]

    def snapshot(self, key: InstrumentKey) -> Instrument:
        self.index(key)
        return self._snapshots[key]

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Instrument]:
        return (self._snapshots[key] for key in self._keys)
