"""Who may ask: the one token, made at the first start and readable by its owner alone; and loopback only."""

import hmac
import ipaddress
import os
import secrets
from pathlib import Path

from starlette.datastructures import Headers

from workstation.client.access import TOKEN_FILE, read_token
from workstation.errors import AccessRefused, ConfigError

TOKEN_BYTES = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def api_token(home: Path) -> str:
    """The token of this home; made, with mode 0600, where there is none."""
    file = home / TOKEN_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_token(file)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        opened.write(token + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return token


def _kept_token(file: Path) -> str:
    mode = file.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        raise AccessRefused(f"{file}: mode {mode:o} lets others read the token; remove it and a new one is made")
    return read_token(file.parent)


def bearer_of(headers: Headers) -> str | None:
    """What an Authorization header shows; None without one, "" for one of another kind."""
    value = headers.get("authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_same_token(shown: str, token: str) -> bool:
    """Takes the same time wherever they differ."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode("ascii"))


def check_bind(host: str) -> None:
    """Raises ConfigError for an address that other machines reach: there is one token, and no encryption."""
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"api.host = {host!r}: expected an address of this machine alone, such as 127.0.0.1; "
            "for others, put a proxy with TLS and a login before it"
        )
