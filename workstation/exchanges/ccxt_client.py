"""A ccxt.pro client: its addresses rewritten for a simulated exchange, its REST calls through one limiter.

Importing this module imports ccxt: a third of a second and 40 MB, and some more for each exchange that is asked for.
"""

import difflib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from workstation.errors import ConfigError, VenueRefused, VenueUnavailable
from workstation.exchanges.answers import limit_answers
from workstation.exchanges.ccxt_library import ccxt
from workstation.exchanges.rest_limiter import BANNED, TOO_MANY, Line, RestLimiter, limit_told
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import RestLimits, facts_of

ADDRESS = re.compile(r"(http|ws)s?://(.*)", re.DOTALL)
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What ccxt's own parsing raises over an answer that is not what it expects."""
MOST_MESSAGE = 300
"""Characters of a venue's error that are passed on; some answer with a page of HTML."""


def open_client(settings: VenueSettings, limiter: Line | None = None) -> Any:
    """A client that nothing was asked of yet; close it with `await client.close()`. Raises ConfigError.

    Its numbers are floats: for market data. Never set `maxRetriesOnFailure`: it would send orders twice.
    """
    client = exchange_class(settings)(
        {
            "enableRateLimit": True,
            "timeout": round(settings.timeout_s * 1_000),
            "options": {**facts_of(settings.exchange).options, **settings.options},
        }
    )
    client.has["fetchCurrencies"] = False  # what can be deposited and where is no business of ours
    client.streaming = {**client.streaming, "connectionTimeout": round(settings.timeout_s * 1_000)}
    limiter = RestLimiter() if limiter is None else limiter
    if settings.url is not None:
        _redirect(client, settings.url)
        client.timeout_on_exit = 1  # the 250 ms are for TLS to end
    limit_answers(client)
    _limit(client, limiter)
    _restore_address_for_errors(client, settings.url, facts_of(settings.exchange).limits, limiter)
    return client


def exchange_class(settings: VenueSettings) -> Callable[..., Any]:
    """Of ccxt.pro. Raises ConfigError for an id that it does not have, with the nearest."""
    if settings.exchange not in ccxt.pro.exchanges:
        near = difflib.get_close_matches(settings.exchange, ccxt.pro.exchanges, n=1)
        hint = f"did you mean {near[0]}?" if near else "`workstation exchange list` names those that were looked at"
        raise ConfigError(f"venue {settings.venue}: exchange {settings.exchange!r}: no such id in ccxt; {hint}")
    found: Callable[..., Any] = getattr(ccxt.pro, settings.exchange)
    return found


def _redirect(client: Any, url: str) -> None:
    """The real host becomes a segment of the path: ccxt reads kinds of markets from it."""
    hostname = getattr(client, "hostname", None) or ""

    def moved(address: Any) -> Any:
        if isinstance(address, dict):
            return {key: moved(value) for key, value in address.items()}
        match = ADDRESS.match(address.replace("{hostname}", hostname)) if isinstance(address, str) else None
        if match is None:
            return address
        return (url if match[1] == "http" else "ws" + url.removeprefix("http")) + "/" + match[2]

    client.urls["api"] = moved(client.urls["api"])


def _limit(client: Any, limiter: Line) -> None:
    async def turn(cost: float | None = None) -> None:
        await limiter.turn((1.0 if cost is None else cost) * client.rateLimit / 1_000)

    client.throttle = turn  # called before each REST call with what ccxt knows of its weight


def _restore_address_for_errors(client: Any, url: str | None, limits: RestLimits, limiter: Line) -> None:
    """The exchange's own error codes are chosen by its real address; the limiter sees every reply's status."""
    handle = client.handle_errors

    def handle_errors(code: int, reason: str, address: str, method: str, headers: Any, body: Any, *rest: Any) -> Any:
        status, after = limit_told(limits, code, headers or {}, str(body or "")[:MOST_MESSAGE], time.time())
        limiter.answered(client.asyncio_loop.time(), status, after)
        real = address if url is None else re.sub(rf"^{re.escape(url)}/", "https://", address or "")
        try:
            return handle(code, reason, real, method, headers, body, *rest)
        except ccxt.ExchangeError as error:
            if status in (TOO_MANY, BANNED):  # its code means something else to ccxt
                raise ccxt.RateLimitExceeded(str(error)) from error
            raise

    client.handle_errors = handle_errors


@contextmanager
def venue_errors(settings: VenueSettings) -> Iterator[None]:
    """ccxt's errors as ours: those that may pass, and those by which the venue says no."""
    try:
        yield
    except ccxt.OperationFailed as error:
        raise VenueUnavailable(f"{settings.venue} ({settings.exchange}): {told(error)}") from error
    except ccxt.BaseError as error:
        raise VenueRefused(f"{settings.venue} ({settings.exchange}): {told(error)}") from error
    except UNREADABLE as error:
        raise VenueUnavailable(
            f"{settings.venue} ({settings.exchange}): answer not understood: {told(error)}"
        ) from error
    except OSError as error:  # of this machine: no more files may be opened, say
        raise VenueUnavailable(f"{settings.venue} ({settings.exchange}): not asked: {told(error)}") from error


def told(error: Exception) -> str:
    """The kind of an error of ccxt's and the beginning of its text, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:MOST_MESSAGE]}"
