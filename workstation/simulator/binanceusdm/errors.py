"""The codes and texts of Binance's USD-M futures, with their HTTP status."""

from workstation.simulator.wire import WireError


class UsdmError(WireError):
    """An answer other than yes: code, text and HTTP status."""

    def __init__(self, code: int, text: str, status: int = 400, retry_after_s: float | None = None) -> None:
        headers = {} if retry_after_s is None else {"Retry-After": str(max(round(retry_after_s), 1))}
        super().__init__({"code": code, "msg": text}, status, headers)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def missing(name: str) -> UsdmError:
    return UsdmError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_valid(name: str) -> UsdmError:
    """A number out of its range."""
    return UsdmError(-1130, f"Data sent for parameter '{name}' is not valid.")


def no_permission() -> UsdmError:
    """What a key without the permission for futures is told, whatever it asks for."""
    return UsdmError(-2015, "Invalid API-key, IP, or permissions for action, request ip: 127.0.0.1", 401)


def no_path(method: str, path: str) -> UsdmError:
    return UsdmError(-5000, f"Path {path}, Method {method} is invalid", 404)


def too_many(most_weight: int, seconds: float) -> UsdmError:
    """A minute's weight is used up."""
    text = (
        f"Too many requests; current limit of IP(127.0.0.1) is {most_weight} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )
    return UsdmError(-1003, text, 429, seconds)


def banned(until_ms: int, seconds: float) -> UsdmError:
    """Asked on and on although it was too much."""
    text = (
        f"Way too many requests; IP(127.0.0.1) banned until {until_ms}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return UsdmError(-1003, text, 418, seconds)


NO_KEY = (-2014, "API-key format invalid.", 401)
NO_SUCH_ORDER = (-2013, "Order does not exist.", 400)
INVALID_SYMBOL = (-1121, "Invalid symbol.")
INVALID_INTERVAL = (-1120, "Invalid interval.")
EMPTY_COMBINATION = (-1128, "Combination of optional parameters invalid.")
LONG_SPAN = (-1127, "More than 1 hours between startTime and endTime.")
UNKNOWN_STATUS = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    408,
)
BUSY = (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503)
