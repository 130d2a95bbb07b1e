"""What a simulated venue says no to, and why; each venue's wire has its own code and words for a reason."""

from enum import StrEnum

from workstation.errors import CallerError


class Reason(StrEnum):
    UNKNOWN_SYMBOL = "unknown symbol"
    NO_PRICE_YET = "no price yet"
    PRICE_FILTER = "price off the tick grid"
    LOT_SIZE = "quantity off the lot grid"
    MARKET_LOT_SIZE = "market quantity off the lot grid"
    NOTIONAL = "value too small"
    INSUFFICIENT_BALANCE = "insufficient balance"
    WOULD_TAKE = "post-only order would take"
    WOULD_TRIGGER = "stop would trigger at once"
    DUPLICATE = "client id of an open order"
    UNKNOWN_ORDER = "no such open order"


class Refused(CallerError):
    """The venue refuses an order or a cancel; nothing was changed."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(f"{reason}: {what}")
        self.reason = reason
