"""The one place that makes a feed of a venue's settings. Importing it imports ccxt."""

from collections.abc import Callable

from workstation.exchanges.ccxt_client import exchange_class
from workstation.exchanges.ccxt_feed import CcxtFeed
from workstation.exchanges.rest_limiter import RestLimiters
from workstation.exchanges.settings import VenueSettings
from workstation.ports.feed import Feed


def open_feed(settings: VenueSettings, now_ns: Callable[[], int], limiters: RestLimiters) -> Feed:
    """The feed of any exchange of ccxt.pro. `limiters` is the process's one: feeds and brokers share its limits.

    Raises ConfigError for an exchange that ccxt.pro does not have.
    """
    exchange_class(settings)
    return CcxtFeed(settings, now_ns, limiter=limiters.of(settings.address))
