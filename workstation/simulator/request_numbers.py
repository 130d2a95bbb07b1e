"""Numbers as clients write them in requests: plain, short and not signed, or none."""

import re
from decimal import Decimal, InvalidOperation

WHOLE = re.compile(r"[0-9]{1,20}")
PLAIN = frozenset("0123456789.")
LONGEST = 40


def whole_of(text: str) -> int | None:
    """A whole number of up to 20 digits; None for another text."""
    return int(text) if WHOLE.fullmatch(text) is not None else None


def decimal_of(text: str) -> Decimal | None:
    """A number without sign or exponent, of up to 40 characters; None for another text."""
    if not text or len(text) > LONGEST or not set(text) <= PLAIN:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
