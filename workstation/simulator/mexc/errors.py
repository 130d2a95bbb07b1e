"""MEXC's codes and texts with their HTTP status, and which of them each refusal of a simulated venue is."""

from collections.abc import Mapping
from typing import Any

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class MexcError(WireError):
    """An answer other than yes in the form of spot: code, text and HTTP status."""

    def __init__(self, code: int, text: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__({"code": code, "msg": text}, status, headers)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    def of_contract(self) -> WireError:
        """The same in the form of the perpetuals."""
        content: dict[str, Any] = {"success": False, "code": self.code, "message": self.text}
        return WireError(content, self.status, self.headers)


OF_REASON: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.NO_PRICE_YET: (30010, "no valid trade price"),
    Reason.PRICE_FILTER: (400, "price scale is invalid"),
    Reason.LOT_SIZE: (400, "quantity scale is invalid"),
    Reason.MARKET_LOT_SIZE: (400, "quantity scale is invalid"),
    Reason.NOTIONAL: (30002, "The minimum transaction volume cannot be less than the symbol's quoteAmountPrecision"),
    Reason.INSUFFICIENT_BALANCE: (30004, "Insufficient position"),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (30041, "current order type can not place order"),
    Reason.DUPLICATE: (-2010, "Duplicate order sent."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
}


def of_refusal(refused: Refused) -> MexcError:
    """The venue's words for a refusal."""
    return MexcError(*OF_REASON[refused.reason])


def missing(name: str) -> MexcError:
    return MexcError(-1128, f"Combination of optional parameters invalid: {name} must be sent.")


def illegal(name: str) -> MexcError:
    """A parameter that cannot be read, or has no such value."""
    return MexcError(700008, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9.]{{1,40}}$'.")


def too_many(status: int, seconds: float) -> MexcError:
    """The limit is used up: 429, or 418 for an address that went on all the same."""
    text = "Too Many Requests" if status == 429 else "Way too many requests; IP banned"
    return MexcError(429, text, status, {"Retry-After": str(max(round(seconds), 1))})


NO_PATH = (404, "Not part of this simulated venue", 404)
NO_KEY = (400, "api key required")
UNKNOWN_KEY = (10072, "Api key info invalid")
BAD_SIGNATURE = (700002, "Signature for this request is not valid.")
OUTSIDE_WINDOW = (700003, "Timestamp for this request is outside of the recvWindow.")
LARGE_WINDOW = (700005, "recvWindow must less than 60000")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
NO_ID = (700004, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
NO_INTERVAL = (-1120, "Invalid interval.")
BOTH_TIMES = (-1128, "startTime and endTime must be used at the same time.")
NO_TYPE = (30041, "current order type can not place order")
NO_LISTEN_KEY = (730002, "Your input param is invalid")
BUSY = (503, "service not available, please try again", 503)
TIMEOUT = (504, "Gateway Time-out", 504)
NO_CONTRACT = (1001, "Contract does not exist!", 200)
NO_TRADING = (1002, "Contract not allow place order!", 200)
PARAMETER = (600, "Parameter error!", 200)
