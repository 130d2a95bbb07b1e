"""A ccxt market as an Instrument: steps and minima exact, from the venue's own text where its place is known."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from workstation.errors import BadInput
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKind

_BINANCE = {
    "tick_size": (("PRICE_FILTER", "tickSize"),),
    "lot_size": (("LOT_SIZE", "stepSize"),),
    "min_quantity": (("LOT_SIZE", "minQty"),),
    "min_notional_quote": (("NOTIONAL", "minNotional"), ("MIN_NOTIONAL", "minNotional"), ("MIN_NOTIONAL", "notional")),
}
EXACT: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "binance": _BINANCE,
    "binanceusdm": _BINANCE,
    "bybit": {
        "tick_size": (("priceFilter", "tickSize"),),
        "lot_size": (("lotSizeFilter", "basePrecision"), ("lotSizeFilter", "qtyStep")),
        "min_quantity": (("lotSizeFilter", "minOrderQty"),),
        "min_notional_quote": (("lotSizeFilter", "minOrderAmt"), ("lotSizeFilter", "minNotionalValue")),
    },
    "okx": {"tick_size": (("tickSz",),), "lot_size": (("lotSz",),), "min_quantity": (("minSz",),)},
    "kucoin": {
        "tick_size": (("priceIncrement",),),
        "lot_size": (("baseIncrement",),),
        "min_quantity": (("baseMinSize",),),
    },
}
"""Paths to exact text in `market["info"]`; a list of filters is taken by each one's "filterType"."""
LARGEST_EXPONENT = 27
"""Of a rule, either way: no market has such steps, and decimal's own 28 digits hold no more."""


def instrument_of(market: Mapping[str, Any], venue: Venue, exchange: str, valid_from_ns: int) -> Instrument:
    """Raises BadInput, with the subject, for a market that is neither spot nor a linear perpetual or lacks a rule."""
    symbol = str(market.get("symbol"))
    subject = f"{venue}:{symbol}"
    kind = _kind(market, subject)
    limits = market.get("limits") or {}
    unified = {
        "tick_size": (market.get("precision") or {}).get("price"),
        "lot_size": (market.get("precision") or {}).get("amount"),
        "min_quantity": (limits.get("amount") or {}).get("min"),
        "min_notional_quote": (limits.get("cost") or {}).get("min"),
    }
    exact = {name: _exact(market.get("info"), EXACT.get(exchange, {}).get(name, ())) for name in unified}
    rules = {name: _decimal(exact[name] or value, subject, name) for name, value in unified.items()}
    for name, field in (("maker_fee_rate", "maker"), ("taker_fee_rate", "taker")):
        rules[name] = _decimal(market.get(field), subject, name)
    for name in ("tick_size", "lot_size", "maker_fee_rate", "taker_fee_rate"):
        if rules[name] is None:
            raise BadInput(f"{subject}: the venue gives no {name}; it cannot be traded here")
    found: dict[str, Any] = {name: Decimal(0) if value is None else value for name, value in rules.items()}
    return Instrument(
        venue=venue,
        symbol=Symbol(symbol),
        kind=kind,
        base=Currency(str(market.get("base"))),
        quote=Currency(str(market.get("quote"))),
        contract_size=contract_size_of(market, subject),
        valid_from_ns=valid_from_ns,
        **found,
    )


def contract_size_of(market: Mapping[str, Any], subject: str) -> Decimal:
    """In base currency; 1 of a spot market, and where ccxt tells none. Raises BadInput for another kind of market."""
    is_spot = _kind(market, subject) is InstrumentKind.SPOT
    size = None if is_spot else _decimal(market.get("contractSize"), subject, "contract_size")
    return Decimal(1) if size is None else size


def is_tradable(market: Mapping[str, Any]) -> bool:
    """Spot or linear perpetual, and not switched off by the venue."""
    is_known = market.get("spot") is True or (market.get("swap") is True and market.get("linear") is True)
    return is_known and market.get("active") is not False


def _kind(market: Mapping[str, Any], subject: str) -> InstrumentKind:
    if market.get("spot") is True:
        return InstrumentKind.SPOT
    if market.get("swap") is True and market.get("linear") is True:
        return InstrumentKind.LINEAR
    what = "inverse perpetual" if market.get("swap") is True else str(market.get("type"))
    raise BadInput(f"{subject}: {what}: expected spot or a linear perpetual")


def _exact(info: object, paths: tuple[tuple[str, ...], ...]) -> str | None:
    for path in paths:
        value = info
        for step in path:
            value = _filters(value).get(step)
        if isinstance(value, str) and value:
            return value
    return None


def _filters(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    if isinstance(filters := value.get("filters"), list):
        return {str(each.get("filterType")): each for each in filters if isinstance(each, Mapping)}
    return value


def _decimal(value: object, subject: str, name: str) -> Decimal | None:
    """None for none. A float's shortest text is the decimal it was parsed from, up to 15 digits."""
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"{subject}: {name} {value!r}: expected a number") from None
    if not number.is_finite():
        return number  # the instrument refuses it by name
    if number and abs(number.adjusted()) > LARGEST_EXPONENT:
        raise BadInput(f"{subject}: {name} {value!r:.60}: expected a number of a market")
    plain = number.normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain
