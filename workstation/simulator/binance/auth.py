"""Who sends a request: API key, HMAC-SHA256 over what was sent, and the window of time in which it is taken."""

import hashlib
import hmac
from collections.abc import Mapping

from workstation.simulator.accounts import Account
from workstation.simulator.binance.errors import (
    AHEAD,
    BAD_SIGNATURE,
    INVALID_KEY,
    NO_KEY,
    OUTSIDE_WINDOW,
    ApiError,
    malformed,
    missing,
)
from workstation.simulator.request_numbers import whole_of

DEFAULT_WINDOW_MS = 5000
LARGEST_WINDOW_MS = 60_000
AHEAD_MS = 1000


def signed_account(
    accounts: Mapping[str, Account], api_key: str | None, signed: str, parameters: Mapping[str, str], now_ms: int
) -> Account:
    """The account that signed `signed` and sent it within its window. Raises ApiError.

    `signed` is everything that was sent but the signature; `now_ms` the venue's wall clock.
    """
    if not api_key:
        raise ApiError(*NO_KEY)
    account = accounts.get(api_key)
    if account is None:
        raise ApiError(*INVALID_KEY)
    for name in ("timestamp", "signature"):
        if not parameters.get(name):
            raise missing(name)
    wanted = hmac.new(account.credentials.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), parameters["signature"].lower().encode()):
        raise ApiError(*BAD_SIGNATURE)
    _check_window(parameters, now_ms)
    return account


def _check_window(parameters: Mapping[str, str], now_ms: int) -> None:
    sent_ms, window_ms = _whole(parameters, "timestamp", 0), _whole(parameters, "recvWindow", DEFAULT_WINDOW_MS)
    if window_ms > LARGEST_WINDOW_MS:
        raise ApiError(-1131, f"'recvWindow' must be less than {LARGEST_WINDOW_MS}.")
    if sent_ms > now_ms + AHEAD_MS:
        raise ApiError(*AHEAD)
    if now_ms - sent_ms > window_ms:
        raise ApiError(*OUTSIDE_WINDOW)


def _whole(parameters: Mapping[str, str], name: str, otherwise: int) -> int:
    found = whole_of(parameters.get(name, str(otherwise)))
    if found is None:
        raise malformed(name)
    return found


def signed_text(query: str, body: str) -> str:
    """Query and body joined as Binance joins them, without the signature."""
    return "".join(
        "&".join(part for part in text.split("&") if part and not part.startswith("signature="))
        for text in (query, body)
    )
