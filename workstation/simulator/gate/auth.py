"""Who sends a request or wants an account's channel: API key, HMAC-SHA512, and a minute within which it is taken."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from workstation.simulator.accounts import Account
from workstation.simulator.gate.errors import BAD_SIGNATURE, EXPIRED, INVALID_KEY, NO_HEADER, GateError
from workstation.simulator.request_numbers import whole_of
from workstation.simulator.wire import WireRequest

WINDOW_S = 60


def signed_account(accounts: Mapping[str, Account], request: WireRequest) -> Account:
    """Who signed a request by HTTP: method, path, plain query, SHA-512 of the body, and time. Raises GateError."""
    api_key, stamp, signature = (request.headers.get(name, "") for name in ("key", "timestamp", "sign"))
    if not api_key or not stamp or not signature:
        raise GateError(*NO_HEADER)
    body_hash = hashlib.sha512(request.body.encode()).hexdigest()
    text = "\n".join((request.method, request.path, unquote_plus(request.query), body_hash, stamp))
    return checked_account(accounts, api_key, text, signature, stamp, request.wall_ns // 10**9)


def checked_account(
    accounts: Mapping[str, Account], api_key: str, text: str, signature: str, stamp: str, now_s: int
) -> Account:
    """The account whose key signed `text` within a minute of the venue's wall clock. Raises GateError."""
    account = accounts.get(api_key)
    if account is None:
        raise GateError(*INVALID_KEY)
    sent_s = whole_of(stamp)
    if sent_s is None or abs(now_s - sent_s) > WINDOW_S:
        raise GateError(*EXPIRED)
    wanted = hmac.new(account.credentials.secret.encode(), _bytes(text), hashlib.sha512).hexdigest()
    if not hmac.compare_digest(wanted.encode(), _bytes(signature.lower())):
        raise GateError(*BAD_SIGNATURE)
    return account


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
