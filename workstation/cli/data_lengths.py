"""Lengths of time as a person types them and as a table shows them."""

import re

from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
UNITS = ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"), (1_000_000, "ms"), (1_000, "us"))


def seconds_of(length: str, option: str = "--for") -> float:
    """ "10m" -> 600.0. Raises BadInput."""
    match = LENGTH.fullmatch(length.strip())
    if match is None or float(match[1]) == 0.0:
        raise BadInput(f"{option} {length!r}: expected a length of time such as 90s, 10m, 2h or 1d")
    return float(match[1]) * UNITS_S[match[2] or "s"]


def shown_length(length_ns: int) -> str:
    """1 270 000 000 -> "1.27 s"; three digits of the largest unit that it fills."""
    unit_ns, unit = next(((size, name) for size, name in UNITS if abs(length_ns) >= size), (1, "ns"))
    value = length_ns / unit_ns
    return f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"
