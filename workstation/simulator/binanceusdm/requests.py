"""Single parameters of what is sent to Binance's USD-M futures."""

from workstation.errors import BadInput
from workstation.model.durations import MINUTE_NS
from workstation.model.market import (
    interval_ns,
)
from workstation.simulator.binanceusdm.errors import INVALID_INTERVAL, UsdmError, missing, not_valid
from workstation.simulator.request_fields import Fields
from workstation.simulator.request_numbers import whole_of


def required(fields: Fields, name: str) -> str:
    """Raises UsdmError for one that was not sent."""
    if name not in fields:
        raise missing(name)
    return fields[name]


def whole(fields: Fields, name: str, otherwise: int, most: int | None = None) -> int:
    """A whole number that was sent. Raises UsdmError for what is none, and where there is a `most` for 0 and more."""
    if name not in fields:
        return otherwise
    found = whole_of(fields[name])
    if found is None:
        raise missing(name)
    if most is not None and not 0 < found <= most:
        raise not_valid(name)
    return found


def kline_interval(label: str) -> int:
    """Nanoseconds of a candle's length, from a minute to a week. Raises UsdmError for another."""
    try:
        length_ns = interval_ns(label)
    except BadInput:
        length_ns = 0
    if length_ns < MINUTE_NS:
        raise UsdmError(*INVALID_INTERVAL)
    return length_ns
