"""Bybit's codes and texts, and which of them each refusal of a simulated venue is. Most of them come with HTTP 200."""

from collections.abc import Mapping

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class BybitError(WireError):
    """An answer other than yes: code and text."""

    def __init__(self, code: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__({"retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}}, 200, headers)
        self.code = code
        self.text = text

    def at(self, now_ms: int) -> "BybitError":
        """The same with the venue's time, which each answer bears."""
        self.content = {"retCode": self.code, "retMsg": self.text, "result": {}, "retExtInfo": {}, "time": now_ms}
        return self

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


OF_REASON = {
    Reason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Reason.NO_PRICE_YET: (170151, "The trading pair is not open yet."),
    Reason.PRICE_FILTER: (170134, "Order price has too many decimals."),
    Reason.LOT_SIZE: (170137, "Order volume decimal too long."),
    Reason.MARKET_LOT_SIZE: (170148, "Market order amount decimal too long."),
    Reason.NOTIONAL: (170140, "Order value exceeded lower limit."),
    Reason.INSUFFICIENT_BALANCE: (170131, "Insufficient balance."),
    Reason.WOULD_TAKE: (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    Reason.WOULD_TRIGGER: (170210, "New order rejected."),
    Reason.DUPLICATE: (170141, "Duplicate clientOrderId."),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
}


def of_refusal(refused: Refused) -> BybitError:
    """The venue's words for a refusal."""
    return BybitError(*OF_REASON[refused.reason])


def wrong(name: str) -> BybitError:
    """A parameter that is missing or cannot be read."""
    return BybitError(10001, f"Request parameter error: {name}.")


def outside_window(sent_ms: int, now_ms: int, window_ms: int) -> BybitError:
    stamps = f"req_timestamp[{sent_ms}],server_timestamp[{now_ms}],recv_window[{window_ms}]"
    return BybitError(10002, f"invalid request, please check your server timestamp or recv_window param. {stamps}")


def too_many(reset_ms: int) -> BybitError:
    """The limit of an endpoint is used up until `reset_ms`."""
    headers = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(reset_ms)}
    return BybitError(10006, "Too many visits!", headers)


UNSIGNED = (10001, "empty value: apiTimestamp[] apiKey[] apiSignature[]: openapi sign params error!")
INVALID_KEY = (10003, "API key is invalid.")
BAD_SIGNATURE = (10004, "error sign! please check your signature generation algorithm.")
NOT_SUPPORTED_SYMBOL = (10001, "Not supported symbols")
NOT_FOUND_PATH = (10017, "Path not found or request method is invalid.")
TIMEOUT = (170007, "Timeout waiting for response from backend server.")
QUANTITY_TOO_SMALL = (170136, "Order quantity exceeded lower limit.")
INVALID_SIDE = (170117, "Invalid side.")
INVALID_TYPE = (170116, "Invalid orderType.")
INVALID_TIME_IN_FORCE = (170115, "Invalid timeInForce.")
INVALID_FILTER = (170202, "Invalid orderFilter parameter.")
NO_TRIGGER_PRICE = (170203, "Please enter the TP/SL price.")
TOO_FREQUENT = WireError("403, access too frequent", 403)
"""The answer to a banned address; it does not say until when."""
BUSY = WireError("<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>", 503)
