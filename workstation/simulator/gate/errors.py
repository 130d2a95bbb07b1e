"""Gate's labels and texts with their HTTP status, and which of them each refusal of a simulated venue is."""

from collections.abc import Mapping

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class GateError(WireError):
    """An answer other than yes: label, text and HTTP status."""

    def __init__(self, label: str, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__({"label": label, "message": text}, status, headers)
        self.label = label
        self.text = text

    def __str__(self) -> str:
        return f"{self.label} {self.text}"


OF_REASON: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_SYMBOL: ("INVALID_CURRENCY_PAIR", "Invalid currency pair"),
    Reason.NO_PRICE_YET: ("TRADE_RESTRICTED", "Trading is not open yet"),
    Reason.PRICE_FILTER: ("INVALID_PRECISION", "Invalid price precision"),
    Reason.LOT_SIZE: ("INVALID_PRECISION", "Invalid amount precision"),
    Reason.MARKET_LOT_SIZE: ("INVALID_PRECISION", "Invalid amount precision"),
    Reason.NOTIONAL: ("INVALID_PARAM_VALUE", "Your order size is too small"),
    Reason.INSUFFICIENT_BALANCE: ("BALANCE_NOT_ENOUGH", "Not enough balance"),
    Reason.WOULD_TAKE: ("POC_FILL_IMMEDIATELY", "Order would match and take immediately so its cancelled"),
    Reason.WOULD_TRIGGER: ("INVALID_PARAM_VALUE", "Trigger price is reached already"),
    Reason.DUPLICATE: ("REPEATED_CREATION", "Operation duplicated"),
    Reason.UNKNOWN_ORDER: ("ORDER_NOT_FOUND", "Order not found"),
}


def of_refusal(refused: Refused) -> GateError:
    """The venue's words for a refusal."""
    return GateError(*OF_REASON[refused.reason])


def wrong(name: str) -> GateError:
    """A parameter that cannot be read, or has no such value."""
    return GateError("INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value")


def missing(name: str) -> GateError:
    return GateError("MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")


def too_many(reset_s: int) -> GateError:
    """The limit is used up until `reset_s`, in seconds of Unix time."""
    headers = {
        "X-Gate-RateLimit-Requests-Remain": "0",
        "X-Gate-RateLimit-Limit": "200",
        "X-Gate-RateLimit-Reset-Timestamp": str(reset_s),
    }
    return GateError("TOO_MANY_REQUESTS", "Request Rate limit Exceeded", 429, headers)


NO_HEADER = ("MISSING_REQUIRED_HEADER", "Missing required header: KEY, Timestamp or SIGN", 400)
INVALID_KEY = ("INVALID_KEY", "Invalid key provided", 401)
BAD_SIGNATURE = ("INVALID_SIGNATURE", "Signature mismatch", 401)
EXPIRED = ("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60", 403)
INVALID_BODY = ("INVALID_REQUEST_BODY", "Invalid request body")
NO_SUCH_ORDER = ("ORDER_NOT_FOUND", "Order not found", 404)
CLOSED = ("ORDER_CLOSED", "Order has been closed")
CANCELLED = ("ORDER_CANCELLED", "Order has been cancelled")
TOO_LITTLE = ("INVALID_PARAM_VALUE", "Your order amount is too small")
NO_PATH = ("NOT_FOUND", "Not part of this simulated venue", 404)
TOO_BUSY = ("TOO_BUSY", "System is too busy at the moment", 503)
TIMEOUT_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"
