"""Who sends a request: API key, HMAC-SHA256 over the query as it was sent, and the window in which it is taken."""

import hashlib
import hmac
from collections.abc import Mapping

from workstation.simulator.accounts import Account
from workstation.simulator.mexc.errors import (
    BAD_SIGNATURE,
    LARGE_WINDOW,
    NO_KEY,
    OUTSIDE_WINDOW,
    UNKNOWN_KEY,
    MexcError,
    missing,
)
from workstation.simulator.mexc.requests import whole
from workstation.simulator.request_fields import Fields
from workstation.simulator.wire import WireRequest

DEFAULT_WINDOW_MS = 5000
LARGEST_WINDOW_MS = 60_000
AHEAD_MS = 1000
SIGNATURE = "signature="


def signed_account(accounts: Mapping[str, Account], request: WireRequest, fields: Fields) -> Account:
    """The account that signed the query, and sent it within its window. Raises MexcError."""
    api_key = request.headers.get("x-mexc-apikey")
    if not api_key:
        raise MexcError(*NO_KEY)
    account = accounts.get(api_key)
    if account is None:
        raise MexcError(*UNKNOWN_KEY)
    for name in ("timestamp", "signature"):
        if name not in fields:
            raise missing(name)
    signed = "&".join(part for part in request.query.split("&") if part and not part.startswith(SIGNATURE))
    wanted = hmac.new(account.credentials.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), fields["signature"].lower().encode("utf-8", "surrogateescape")):
        raise MexcError(*BAD_SIGNATURE)
    now_ms = request.wall_ns // 1_000_000
    sent_ms, window_ms = whole(fields, "timestamp", 0), whole(fields, "recvWindow", DEFAULT_WINDOW_MS)
    if window_ms > LARGEST_WINDOW_MS:
        raise MexcError(*LARGE_WINDOW)
    if not now_ms - window_ms <= sent_ms <= now_ms + AHEAD_MS:
        raise MexcError(*OUTSIDE_WINDOW)
    return account
