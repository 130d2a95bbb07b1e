"""The one place that chooses what speaks to a venue, by its settings. Importing it imports ccxt."""

from collections.abc import Callable

from workstation.exchanges.ccxt_client import exchange_class
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.download import CcxtPast
from workstation.exchanges.oanda_client import require_account
from workstation.exchanges.oanda_feed import OandaFeed
from workstation.exchanges.oanda_past import OandaPast
from workstation.exchanges.past import PastOfVenue
from workstation.exchanges.rest_limiter import RestLimiter, RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_clock import CcxtClock, OandaClock, VenueClock
from workstation.exchanges.venue_facts import OANDA
from workstation.ports.feed import Feed


def require_exchange(settings: VenueSettings) -> None:
    """Raises ConfigError for an exchange that there is not, and for what its settings lack."""
    if settings.exchange == OANDA:
        require_account(settings)
    else:
        exchange_class(settings)


def open_feed(settings: VenueSettings, now_ns: Callable[[], int], limiters: RestLimiters) -> Feed:
    """The feed of OANDA, or of any exchange of ccxt.pro. `limiters` is the process's one: feeds and brokers share its
    limits.

    Raises ConfigError as `require_exchange` does.
    """
    require_exchange(settings)
    if settings.exchange == OANDA:
        limiter, connections = _lines(settings, limiters)
        return OandaFeed(settings, now_ns, limiter=limiter, connections=connections)
    return CcxtFeed(settings, now_ns, limiter=limiters.of(settings.address))


def past_of(
    settings: VenueSettings, now_ns: Callable[[], int], limiters: RestLimiters, tell: Callable[[str], None]
) -> PastOfVenue:
    """What can be downloaded. Raises ConfigError as `require_exchange` does."""
    require_exchange(settings)
    if settings.exchange == OANDA:
        return OandaPast(settings, *_lines(settings, limiters), now_ns, tell=tell)
    return CcxtPast(settings, limiters.of(settings.address), now_ns, tell=tell)


def clock_of(settings: VenueSettings, limiters: RestLimiters) -> VenueClock:
    """Raises ConfigError as `require_exchange` does."""
    require_exchange(settings)
    if settings.exchange == OANDA:
        return OandaClock(settings, *_lines(settings, limiters))
    return CcxtClock(settings, limiters.of(settings.address))


def _lines(settings: VenueSettings, limiters: RestLimiters) -> tuple[RestLimiter, RestLimiter]:
    """OANDA's: for requests, and for new connections."""
    return limiters.of(settings.address), limiters.of(f"{settings.address}: connections")
