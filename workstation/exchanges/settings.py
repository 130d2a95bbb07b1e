"""One venue's settings: our name of it, the exchange by its ccxt id or `oanda`, and how patient to be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from workstation.config.settings import OptionValue, Settings
from workstation.errors import ConfigError
from workstation.exchanges.venue_facts import OANDA
from workstation.model.ids import Venue

MISLEADING = re.compile(r"stream|spot|op-|delivery|fx|futures|private|v2")
"""ccxt tells spot from futures by these words anywhere in an address."""
PRACTICE, LIVE = "practice", "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """`url` is a simulated exchange's address, below which the real hosts' names follow; None is the real one."""

    venue: Venue
    exchange: str
    url: str | None = None
    timeout_s: float = 10.0
    stale_after_s: float = 10.0
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    account: str | None = None
    environment: str = PRACTICE
    token: SecretStr | None = None

    def __post_init__(self) -> None:
        if self.exchange == OANDA:
            if self.options:
                raise ConfigError(f"venue {self.venue}: options: {OANDA} takes none: they are ccxt's")
            return
        if self.account is not None or self.token is not None or self.environment != PRACTICE:
            name = "account" if self.account is not None else "token" if self.token is not None else "environment"
            raise ConfigError(f"venue {self.venue}: {name}: {self.exchange} takes none: market data need no keys")
        if self.url is not None and (word := MISLEADING.search(self.url)):
            raise ConfigError(
                f"venue {self.venue}: url {self.url}: {word[0]!r} in it would be taken for a kind of market; "
                "give the simulated exchange another name"
            )

    @property
    def address(self) -> str:
        """What the limits of an exchange are counted by."""
        if self.url is not None:
            return self.url
        return f"{self.exchange} {self.environment}" if self.exchange == OANDA else self.exchange


def venue_settings(settings: Settings, name: str) -> VenueSettings:
    """The venue of that name; raises ConfigError with the names there are."""
    table = settings.venues.get(name)
    if table is None:
        known = ", ".join(settings.venues) or "none"
        raise ConfigError(
            f'venue {name!r}: not in the settings (there: {known}); add [venues.{name}] with exchange = "…"'
        )
    return VenueSettings(
        venue=Venue(name),
        exchange=table.exchange,
        url=table.url,
        timeout_s=table.timeout_s,
        stale_after_s=table.stale_after_s,
        options=table.options,
        account=table.account,
        environment=table.environment,
        token=table.token,
    )
