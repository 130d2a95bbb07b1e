"""Bitvavo's codes and texts with their HTTP status, and which of them each refusal of a simulated venue is."""

from collections.abc import Mapping

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class BitvavoError(WireError):
    """An answer other than yes: code, text and HTTP status."""

    def __init__(self, code: int, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__({"errorCode": code, "error": text}, status, headers)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


REJECTED = (230, "The order is rejected by the matching engine.")
OF_REASON: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (205, "market parameter is invalid."),
    Reason.NO_PRICE_YET: (231, "The order is rejected by the matching engine. The market is paused."),
    Reason.PRICE_FILTER: (214, "Price is too detailed."),
    Reason.LOT_SIZE: (205, "amount parameter is invalid."),
    Reason.MARKET_LOT_SIZE: (205, "amount parameter is invalid."),
    Reason.NOTIONAL: (217, "Minimum order size in quote currency is not met."),
    Reason.INSUFFICIENT_BALANCE: (216, "You do not have sufficient balance to complete this operation."),
    Reason.WOULD_TAKE: REJECTED,
    Reason.WOULD_TRIGGER: REJECTED,
    Reason.DUPLICATE: (220, "clientOrderId is already in use within this market."),
    Reason.UNKNOWN_ORDER: (233, "Order must be active (status new or partiallyFilled) to allow updating/cancelling."),
}


def of_refusal(refused: Refused) -> BitvavoError:
    """The venue's words for a refusal."""
    return BitvavoError(*OF_REASON[refused.reason])


def wrong(name: str) -> BitvavoError:
    """A parameter that cannot be read, or has no such value."""
    return BitvavoError(205, f"{name} parameter is invalid.")


def missing(name: str) -> BitvavoError:
    return BitvavoError(203, f"{name} parameter is required.")


def too_many(reset_ms: int) -> BitvavoError:
    """The weight of a minute is used up: nothing is answered until `reset_ms`."""
    text = "You have been rate limited. Please observe the Bitvavo-Ratelimit-ResetAt header."
    return BitvavoError(110, text, 429, limit_headers(0, reset_ms))


def banned(expiry_ms: int) -> BitvavoError:
    """The limit was not respected."""
    text = "Your IP or API key has been banned for not respecting the rate limit."
    return BitvavoError(105, f"{text} The ban expires at {expiry_ms}.", 429, limit_headers(0, expiry_ms))


def limit_headers(remaining: int, reset_ms: int) -> dict[str, str]:
    """How much of a minute's weight is left, and when it begins again."""
    return {
        "Bitvavo-Ratelimit-Limit": str(MOST_WEIGHT),
        "Bitvavo-Ratelimit-Remaining": str(remaining),
        "Bitvavo-Ratelimit-ResetAt": str(reset_ms),
    }


MOST_WEIGHT = 1000
INVALID_JSON = (102, "Invalid JSON.")
BUSY = (107, "The matching engine is overloaded. Please wait 500ms and resubmit your order.", 503)
NO_RESPONSE = (109, "The matching engine did not respond in time. Operation may or may not have succeeded.", 503)
NO_ENDPOINT = (110, "Invalid endpoint. Please check url and HTTP method.", 404)
NO_SUCH_ORDER = (
    240,
    "No order found. Please be aware that simultaneously updating the same order may return this error.",
)
NO_MARKET_UPDATE = (234, "Market orders cannot be updated.")
NO_CHANGE = (232, "You must change at least one of amount, amountRemaining, price or triggerAmount.")
TWO_AMOUNTS = (236, "You can only update amount or amountRemaining, not both.")
UNSIGNED = (300, "Authentication is required for this endpoint.", 403)
BAD_TIME = (302, "Timestamp is invalid. This must be a timestamp in ms.", 403)
BAD_WINDOW = (303, "Window must be between 100 and 60000 ms.", 403)
OUTSIDE_WINDOW = (304, "Request was not received within acceptable window of Bitvavo-Access-Timestamp header.", 403)
NO_KEY = (305, "No active API key found.", 403)
SHORT_SIGNATURE = (
    308,
    "The signature length is invalid (HMAC-SHA256 should return a 64 length hexadecimal string).",
    403,
)
BAD_SIGNATURE = (309, "The signature is invalid.", 403)
