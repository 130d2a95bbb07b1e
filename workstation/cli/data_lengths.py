"""Lengths of time as a table shows them."""

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

UNITS = ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"), (1_000_000, "ms"), (1_000, "us"))


def shown_length(length_ns: int) -> str:
    """1 270 000 000 -> "1.27 s"; three digits of the largest unit that it fills."""
    unit_ns, unit = next(((size, name) for size, name in UNITS if abs(length_ns) >= size), (1, "ns"))
    value = length_ns / unit_ns
    return f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"
