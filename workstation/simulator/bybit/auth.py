"""Who sends a request or opens a private socket: API key, HMAC-SHA256, and the window of time in which it is taken."""

import hashlib
import hmac
from collections.abc import Mapping

from workstation.simulator.accounts import Account
from workstation.simulator.bybit.errors import BAD_SIGNATURE, INVALID_KEY, UNSIGNED, BybitError, outside_window, wrong
from workstation.simulator.request_numbers import whole_of

DEFAULT_WINDOW = "5000"
"""In ms, as it is signed."""
AHEAD_MS = 1000
SOCKET_TEXT = "GET/realtime"
"""What a socket's signature is of, before the time at which it expires."""


def signed_account(accounts: Mapping[str, Account], headers: Mapping[str, str], sent: str, now_ms: int) -> Account:
    """The account that signed `sent`, the query or the body, and sent it within its window. Raises BybitError.

    `now_ms` is the venue's wall clock.
    """
    api_key, signature = headers.get("x-bapi-api-key"), headers.get("x-bapi-sign")
    stamp, window = headers.get("x-bapi-timestamp"), headers.get("x-bapi-recv-window", DEFAULT_WINDOW)
    if not api_key or not signature or not stamp:
        raise BybitError(*UNSIGNED)
    account = _known(accounts, api_key)
    # the window is looked at first: a clock that is off is told as such, however well the request is signed
    check_window(stamp, window, now_ms)
    _check(account, f"{stamp}{api_key}{window}{sent}", signature)
    return account


def socket_account(accounts: Mapping[str, Account], arguments: object, now_ms: int) -> Account:
    """The account that signed [key, expiry in ms, signature] for a socket. Raises BybitError."""
    if not isinstance(arguments, list) or len(arguments) != 3:
        raise BybitError(*UNSIGNED)
    api_key, expires, signature = (str(argument) for argument in arguments)
    account = _known(accounts, api_key)
    expires_ms = whole_of(expires)
    if expires_ms is None or expires_ms <= now_ms:
        raise outside_window(expires_ms or 0, now_ms, 0)
    _check(account, f"{SOCKET_TEXT}{expires}", signature)
    return account


def check_window(stamp: str, window: str, now_ms: int) -> None:
    """Raises BybitError for what was sent too long ago, or ahead of the venue's clock."""
    sent_ms, window_ms = whole_of(stamp), whole_of(window)
    if sent_ms is None or window_ms is None:
        raise wrong("timestamp or recv_window")
    if not now_ms - window_ms <= sent_ms < now_ms + AHEAD_MS:
        raise outside_window(sent_ms, now_ms, window_ms)


def _known(accounts: Mapping[str, Account], api_key: str) -> Account:
    account = accounts.get(api_key)
    if account is None:
        raise BybitError(*INVALID_KEY)
    return account


def _check(account: Account, text: str, signature: str) -> None:
    wanted = hmac.new(account.credentials.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.lower().encode("utf-8", "surrogateescape")):
        raise BybitError(*BAD_SIGNATURE)
