"""An instrument's rules from what the user gave and, for the rest, from the decimals in the data."""

from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from workstation.errors import BadInput, HistoryMissing
from workstation.history.layout import HistoryKind, Series
from workstation.history.scaling import scale_exponent
from workstation.history.segments import Table, float_columns
from workstation.history.store import HistoryStore
from workstation.model.instrument import Instrument, split_symbol
from workstation.model.units import grid_of

FINEST_EXPONENT = 8
DEFAULT_FEE_RATE = Decimal("0.001")
LARGEST_FEE_RATE = Decimal("0.05")
LARGEST_MINIMUM = Decimal(10) ** 15
_QUANTITIES = ("volume", "quantity", "bid_quantity", "ask_quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRules:
    """What the user said; None is not said. Steps and minima in the instrument's own units, rates as fractions.

    Raises BadInput, naming the option and what it may be.
    """

    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional_quote: Decimal | None = None
    maker_fee_rate: Decimal | None = None
    taker_fee_rate: Decimal | None = None

    def __post_init__(self) -> None:
        for option, step in (("--tick-size", self.tick_size), ("--lot-size", self.lot_size)):
            if step is not None:
                _check_step(option, step)
        most = LARGEST_MINIMUM
        for option, least in (("--min-quantity", self.min_quantity), ("--min-notional", self.min_notional_quote)):
            if least is not None and not (least.is_finite() and 0 <= least <= most):
                raise BadInput(f"{option} {least}: expected 0 to 10^15")
        for option, rate in (("--maker-fee", self.maker_fee_rate), ("--taker-fee", self.taker_fee_rate)):
            if rate is not None and not (rate.is_finite() and abs(rate) <= LARGEST_FEE_RATE):
                raise BadInput(f"{option} {rate}: expected a fraction from -0.05 to 0.05 (0.001 is 0.1 %)")

    @property
    def is_empty(self) -> bool:
        return all(getattr(self, name) is None for name in self.__dataclass_fields__)


def settled_instrument(
    store: HistoryStore, series: Series, table: Table, given: GivenRules
) -> tuple[Instrument | None, list[str]]:
    """The instrument's rules, None where they are stored and nothing was given; and in sentences what holds."""
    known = _known(store, series)
    seen = _seen_steps(series.kind, table)
    if known is not None and given.is_empty:
        return None, [f"rules of {known.key} as stored: {_steps(known)}", *_too_coarse(seen, known)]
    before = _inferred(series, seen, given) if known is None else known
    said = {name: value for name, value in asdict(given).items() if value is not None}
    instrument = replace(before, **said)
    origin = "from the decimals in the file" if known is None else "as stored before"
    sentence = (
        f"rules of {instrument.key}, {', '.join(said) or 'nothing'} as given, the rest {origin}: {_steps(instrument)}, "
        f"fees {instrument.maker_fee_rate} maker and {instrument.taker_fee_rate} taker"
    )
    is_whole = known is None and given.lot_size is None and instrument.lot_size == 1
    warning = (
        "warning: every quantity in the file is a whole number, so the lot size is 1: nothing smaller can be traded"
    )
    whole = [f"{warning}. Where the venue trades smaller lots, name them: --lot-size 0.001"] if is_whole else []
    return instrument, [sentence, *whole, *_too_coarse(seen, instrument)]


def _check_step(option: str, step: Decimal) -> None:
    try:
        grid_of(step)
    except BadInput as error:
        raise BadInput(f"{option} {step}: expected 10^-15 to 10^15, with at most 15 digits") from error


def _steps(instrument: Instrument) -> str:
    return f"tick {instrument.tick_size:f}, lot {instrument.lot_size:f}"


def _too_coarse(seen_steps: tuple[Decimal, Decimal], instrument: Instrument) -> list[str]:
    pairs = zip(("tick", "lot"), (instrument.tick_size, instrument.lot_in_base), seen_steps, strict=True)
    return [
        f"warning: the file has prices or quantities in steps of {seen:f}, the rules say {name} {step:f}"
        for name, step, seen in pairs
        if seen % step  # not a whole number of steps
    ]


def _inferred(series: Series, seen_steps: tuple[Decimal, Decimal], given: GivenRules) -> Instrument:
    tick, lot = seen_steps
    base, quote, kind = split_symbol(series.key.symbol)
    return Instrument(
        venue=series.key.venue,
        symbol=series.key.symbol,
        kind=kind,
        base=base,
        quote=quote,
        tick_size=tick,
        lot_size=lot,
        min_quantity=lot if given.lot_size is None else given.lot_size,
        min_notional_quote=Decimal(0),
        maker_fee_rate=DEFAULT_FEE_RATE,
        taker_fee_rate=DEFAULT_FEE_RATE,
    )


def _known(store: HistoryStore, series: Series) -> Instrument | None:
    try:
        return store.instrument(series.key)
    except HistoryMissing:
        return None


def _seen_steps(kind: HistoryKind, table: Table) -> tuple[Decimal, Decimal]:
    """Tick and lot: the largest powers of ten on whose grid all values lie, 10^-8 at the finest."""
    exponents = {"tick": 0, "lot": 0}
    for name in float_columns(kind):
        exponent = scale_exponent(table[name].to_numpy())
        finest = FINEST_EXPONENT if exponent is None else min(exponent, FINEST_EXPONENT)
        which = "lot" if name in _QUANTITIES else "tick"
        exponents[which] = max(exponents[which], finest)
    return Decimal(1).scaleb(-exponents["tick"]), Decimal(1).scaleb(-exponents["lot"])
