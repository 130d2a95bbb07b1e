"""Lengths of time and prices in words and digits, as a person writes them."""

import numpy as np

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.market import (
    FloatArray,
)

MOST_DECIMALS = 8
LOOKED_AT = 500
"""Newest prices whose digits are counted."""
UNITS = ((7 * DAY_NS, "week"), (DAY_NS, "day"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"))


def length_words(length_ns: int) -> str:
    """28 800 000 000 000 -> "8 h"."""
    for unit_ns, word in UNITS:
        if length_ns % unit_ns == 0:
            count = length_ns // unit_ns
            return f"{count} {word}{'s' if count > 1 and len(word) > 3 else ''}"
    return f"{length_ns / SECOND_NS:g} s"


def price_decimals(prices: FloatArray) -> int:
    """The fewest digits behind the point that tell these prices in full, as far as a float does."""
    known = prices[np.isfinite(prices)][-LOOKED_AT:]
    for decimals in range(MOST_DECIMALS):
        if np.allclose(known, np.round(known, decimals), rtol=1e-9, atol=0):
            return decimals
    return MOST_DECIMALS
