"""Binance's error codes and texts, and which of them each refusal of a simulated venue is."""

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class ApiError(WireError):
    """An answer other than yes: HTTP status, code and text."""

    def __init__(self, code: int, text: str, status: int = 400, retry_after_s: float | None = None) -> None:
        headers = None if retry_after_s is None else {"Retry-After": str(max(round(retry_after_s), 1))}
        super().__init__({"code": code, "msg": text}, status, headers)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


OF_REASON = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.NO_PRICE_YET: (-1013, "Market is closed."),
    Reason.PRICE_FILTER: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.LOT_SIZE: (-1013, "Filter failure: LOT_SIZE"),
    Reason.MARKET_LOT_SIZE: (-1013, "Filter failure: MARKET_LOT_SIZE"),
    Reason.NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    Reason.INSUFFICIENT_BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.DUPLICATE: (-2010, "Duplicate order sent."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
}


def of_refusal(refused: Refused) -> ApiError:
    """The venue's words for a refusal."""
    return ApiError(*OF_REASON[refused.reason])


def missing(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def malformed(name: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")


def unread(sent: int, read: int) -> ApiError:
    return ApiError(-1101, f"Too many parameters; expected '{read}' and received '{sent}'.")


def not_required(name: str) -> ApiError:
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


INVALID_KEY = (-2015, "Invalid API-key, IP, or permissions for action.", 401)
NO_KEY = (-2014, "API-key format invalid.", 401)
BAD_SIGNATURE = (-1022, "Signature for this request is not valid.")
OUTSIDE_WINDOW = (-1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
INVALID_INTERVAL = (-1120, "Invalid interval.")
INVALID_TYPE = (-1116, "Invalid orderType.")
INVALID_SIDE = (-1117, "Invalid side.")
INVALID_TIME_IN_FORCE = (-1115, "Invalid timeInForce.")
EMPTY_COMBINATION = (-1128, "Combination of optional parameters invalid.")
UNKNOWN_STATUS = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    504,
)
BUSY = (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503)
TOO_MANY = (
    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)
