"""OANDA's error codes and messages with their HTTP status, and which of them each refusal of a simulated venue is."""

from collections.abc import Mapping
from typing import Any

from workstation.simulator.refusals import Reason, Refused
from workstation.simulator.wire import WireError


class OandaError(WireError):
    """An answer other than yes: what was wrong, with its code where OANDA gives one."""

    def __init__(
        self,
        message: str,
        status: int = 400,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        **beside: Any,
    ) -> None:
        named = {} if code is None else {"errorCode": code}
        super().__init__(beside | named | {"errorMessage": message}, status, headers)


class Rejected(Exception):
    """An order that was never created: OANDA's reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REJECTED: dict[Reason, str] = {
    Reason.UNKNOWN_SYMBOL: "INSTRUMENT_UNKNOWN",
    Reason.PRICE_FILTER: "PRICE_PRECISION_EXCEEDED",
    Reason.LOT_SIZE: "UNITS_PRECISION_EXCEEDED",
    Reason.MARKET_LOT_SIZE: "UNITS_PRECISION_EXCEEDED",
    Reason.NOTIONAL: "UNITS_MINIMUM_NOT_MET",
    Reason.DUPLICATE: "CLIENT_ORDER_ID_ALREADY_EXISTS",
}
"""What is refused before it is an order."""
CANCELLED: dict[Reason, str] = {
    Reason.INSUFFICIENT_BALANCE: "INSUFFICIENT_MARGIN",
    Reason.NO_PRICE_YET: "MARKET_HALTED",
}
"""What an order is cancelled for at once."""
MESSAGES = {
    "INSTRUMENT_UNKNOWN": "The instrument specified is unknown",
    "INSTRUMENT_MISSING": "The instrument is missing",
    "PRICE_PRECISION_EXCEEDED": "The Order price precision exceeds the Instrument's precision",
    "PRICE_MISSING": "The Order price is missing",
    "PRICE_INVALID": "The Order price is invalid",
    "UNITS_PRECISION_EXCEEDED": "The units specified exceed the Instrument's precision",
    "UNITS_MINIMUM_NOT_MET": "The units specified are under the minimum",
    "UNITS_LIMIT_EXCEEDED": "The units specified exceed the maximum",
    "UNITS_MISSING": "The units are missing",
    "UNITS_INVALID": "The units are invalid",
    "TIME_IN_FORCE_INVALID": "The timeInForce is invalid for this type of Order",
    "CLIENT_ORDER_ID_ALREADY_EXISTS": "The Client Order ID specified is already assigned to another pending Order",
    "CLIENT_ORDER_ID_INVALID": "The Client Order ID is invalid",
    "CLOSEOUT_POSITION_DOESNT_EXIST": "The Position requested to be closed out does not exist",
    "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE": "The units to close exceed those of the Trade",
}


def rejection_of(refused: Refused) -> Rejected:
    return Rejected(REJECTED[refused.reason])


def not_simulated(what: str) -> OandaError:
    return OandaError(f"{what}: not part of this simulated venue")


def wrong(name: str, why: str = "") -> OandaError:
    """A parameter that cannot be read, or has no such value."""
    return OandaError(f"Invalid value specified for '{name}'" + (f". {why}" if why else ""))


NO_PATH = ("Not part of this simulated venue", 404)
UNAUTHORIZED = ("Insufficient authorization to perform request.", 401)
FORBIDDEN = ("The provided request was forbidden.", 403)
NO_SUCH_ORDER = ("The order ID specified does not exist", 404, "NO_SUCH_ORDER")
NO_SUCH_TRADE = ("The trade ID specified does not exist", 404, "NO_SUCH_TRADE")
NO_SUCH_TRANSACTION = ("The transaction ID specified does not exist", 404, "NO_SUCH_TRANSACTION")
TOO_MANY = ("Rate limit violation of REST-V20 API: 120 requests per second", 429)
TOO_BUSY = ("Service unavailable, try again later", 503)
TIMEOUT_PAGE = "<html><body><h1>504 Gateway Time-out</h1></body></html>"
