"""Lengths of time as a person types them."""

import re

from workstation.errors import BadInput

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
LENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")


def seconds_of(length: str, option: str = "--for") -> float:
    """ "10m" -> 600.0. Raises BadInput."""
    match = LENGTH.fullmatch(length.strip())
    if match is None or float(match[1]) == 0.0:
        raise BadInput(f"{option} {length!r}: expected a length of time such as 90s, 10m, 2h or 1d")
    return float(match[1]) * UNITS_S[match[2] or "s"]
