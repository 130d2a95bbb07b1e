"""Who sends a request or opens an account's channel: API key, HMAC-SHA256, and a window in which it is taken."""

import hashlib
import hmac
from collections.abc import Mapping

from workstation.simulator.accounts import Account
from workstation.simulator.bitvavo.errors import (
    BAD_SIGNATURE,
    BAD_TIME,
    BAD_WINDOW,
    NO_KEY,
    OUTSIDE_WINDOW,
    SHORT_SIGNATURE,
    UNSIGNED,
    BitvavoError,
)
from workstation.simulator.request_numbers import whole_of
from workstation.simulator.wire import WireRequest

SOCKET_TEXT = "GET/v2/websocket"
"""What a socket's signature is of, behind the time."""
DEFAULT_WINDOW = "10000"
SHORTEST_MS, LONGEST_MS = 100, 60_000
SIGNATURE_LENGTH = 64


def signed_account(accounts: Mapping[str, Account], request: WireRequest) -> Account:
    """Who signed time, method, path with query, and body. Raises BitvavoError."""
    key, signature, stamp, window = (
        request.headers.get(f"bitvavo-access-{name}", "") for name in ("key", "signature", "timestamp", "window")
    )
    query = f"?{request.query}" if request.query else ""
    text = f"{request.method}{request.path}{query}{request.body}"
    return checked_account(
        accounts, key, signature, stamp, text, request.wall_ns // 1_000_000, window or DEFAULT_WINDOW
    )


def checked_account(
    accounts: Mapping[str, Account],
    key: str,
    signature: str,
    stamp: str,
    text: str,
    now_ms: int,
    window: str = DEFAULT_WINDOW,
) -> Account:
    """The account whose key signed the time with `text` within its window. Raises BitvavoError."""
    if not key or not signature or not stamp:
        raise BitvavoError(*UNSIGNED)
    if len(signature) != SIGNATURE_LENGTH:
        raise BitvavoError(*SHORT_SIGNATURE)
    account = accounts.get(key)
    if account is None:
        raise BitvavoError(*NO_KEY)
    sent_ms, window_ms = whole_of(stamp), whole_of(window)
    if sent_ms is None:
        raise BitvavoError(*BAD_TIME)
    if window_ms is None or not SHORTEST_MS <= window_ms <= LONGEST_MS:
        raise BitvavoError(*BAD_WINDOW)
    if abs(now_ms - sent_ms) > window_ms:
        raise BitvavoError(*OUTSIDE_WINDOW)
    wanted = hmac.new(account.credentials.secret.encode(), (stamp + text).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.lower().encode("utf-8", "surrogateescape")):
        raise BitvavoError(*BAD_SIGNATURE)
    return account
