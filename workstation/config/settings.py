"""What may be set: every section and key, with type, range, unit and default."""

import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from workstation.errors import BadInput
from workstation.model.instrument import split_symbol
from workstation.model.sides import Sides, checked_sides, named_key


def default_home() -> Path:
    """The platform's folder for a user's data."""
    return user_data_path("workstation")


def _not_empty(path: object) -> object:
    if path == "":
        raise PydanticCustomError("empty_path", "Input should be a path, not empty text")
    return path


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _below_home(path: Path, info: ValidationInfo) -> Path:
    # home is absent here when it was itself refused; its own error is the one to report
    home: Path = info.data.get("home", Path())
    return home / path.expanduser()


def _in_home(name: str) -> Callable[[dict[str, Any]], Path]:
    return lambda validated: Path(validated["home"]) / name


BelowHome = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_below_home)]
LONGEST_MS = 86_400_000
"""A day: what is longer was meant in another unit."""
Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_MS)]


class Section(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Paths(Section):
    """Where things are kept; a relative path lies below `home`."""

    home: Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_absolute)] = Field(default_factory=default_home)
    history: BelowHome = Field(default_factory=_in_home("history"))
    ledger: BelowHome = Field(default_factory=_in_home("ledger.db"))
    strategies: BelowHome = Field(default_factory=_in_home("strategies"))
    """Strategies of one's own: every file of Python in it is run when the engine, a command or a notebook starts."""
    reports: BelowHome = Field(default_factory=_in_home("runs/reports"))


class Market(Section):
    """Market data: the delay that is added to venue times where history has no receipt times."""

    assumed_delay_ms: Milliseconds = 0


class Paper(Section):
    """The simulated venue; slippage is worse than the price by so many bps. Fees are the instrument's."""

    latency_ms: Milliseconds = 100
    slippage_bps: Decimal = Field(default=Decimal(0), ge=0, le=1_000)


class Risk(Section):
    """Limits of a session; the notional is in the session's base currency."""

    max_position_notional: Decimal = Field(default=Decimal(1_000), gt=0)
    max_open_positions: int = Field(default=5, gt=0)
    max_quote_age_ms: Milliseconds = Field(default=5_000, gt=0)


class Opportunities(Section):
    """What counts as an opportunity between two venues: a net edge of at least so many bps, both taker fees taken off,
    for a quantity worth so much in the quote currency, for so long; and how late an order would come."""

    least_bps: Annotated[float, Field(gt=-10_000, lt=10_000)] = 2.0
    least_value: Annotated[float, Field(ge=0)] = 100.0
    least_ms: Milliseconds = 250
    latency_ms: Milliseconds = 100


class Api(Section):
    """Where the engine answers programs, pages and notebooks of this machine."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: int = Field(default=8790, ge=1, le=65_535)


def _separate(words: object) -> object:
    # a variable of the environment holds them as one text
    listed = [word.strip() for word in words.split(",") if word.strip()] if isinstance(words, str) else words
    return tuple(listed) if isinstance(listed, list) else listed


class Dashboard(Section):
    """Where the pages are served, on this machine alone; `hosts` are names under which a proxy with TLS shows them."""

    port: int = Field(default=5006, ge=1, le=65_535)
    hosts: Annotated[tuple[str, ...], BeforeValidator(_separate)] = ()


IntervalLabel = Literal[
    "1s", "5s", "15s", "30s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"
]  # fmt: skip
"""The lengths of bars in model.market, which needs numpy; the settings do without."""


def _is_symbol(text: str) -> str:
    try:
        split_symbol(text)
    except BadInput:
        raise PydanticCustomError("symbol", "Input should be symbols such as BTC/USDT") from None
    return text


SENTENCE = "sentence"
"""The kind of a refusal that is a sentence of its own; others say what was expected."""


def _is_instrument(name: str) -> str:
    try:
        named_key(name)
    except BadInput:
        raise PydanticCustomError("instrument", "Input should be VENUE:SYMBOL, such as nova:BTC/USDT") from None
    return name


InstrumentName = Annotated[str, AfterValidator(_is_instrument)]


class PairTable(Section):
    """`[[engine.pairs]]`: two instruments of one base whose spread is watched beside those of `symbols`: quoted in two
    currencies, or a perpetual and its spot."""

    a: InstrumentName
    """Such as nova:BTC/USDT; prices are in its quote currency."""
    b: InstrumentName
    """Such as orion:BTC/USDC."""
    basis: InstrumentName | None = None
    """What turns B's quote currency into A's, such as nova:USDC/USDT; none where they are one."""

    @model_validator(mode="after")
    def _can_be_compared(self) -> Self:
        try:
            sides = self.sides
        except BadInput as error:
            raise PydanticCustomError(SENTENCE, "{why}", {"why": str(error)}) from None
        if sides.a.symbol == sides.b.symbol:
            why = f"{sides.a} and {sides.b}: one symbol at two venues stands in engine.symbols; expected two symbols"
            raise PydanticCustomError(SENTENCE, "{why}", {"why": why})
        return self

    @property
    def sides(self) -> Sides:
        return checked_sides(
            named_key(self.a), named_key(self.b), None if self.basis is None else named_key(self.basis)
        )


def _pairs_in_words(words: object) -> object:
    # a variable of the environment holds them as one text: "A B BASIS, A B"
    if not isinstance(words, str):
        return _separate(words)
    named = [pair.split() for pair in words.split(",") if pair.strip()]
    if any(len(names) not in (2, 3) for names in named):
        raise PydanticCustomError("pairs", "Input should be pairs such as A B or A B BASIS, commas between them")
    return tuple(dict(zip(("a", "b", "basis"), names, strict=False)) for names in named)


def _each_once(pairs: tuple[PairTable, ...]) -> tuple[PairTable, ...]:
    seen = set[object]()
    for pair in pairs:
        sides = pair.sides
        both = frozenset(sides[:2]), sides.basis
        if both in seen:
            raise PydanticCustomError(SENTENCE, "{why}", {"why": f"{sides}: declared twice, expected once"})
        seen.add(both)
    return pairs


def _spare_cores() -> int:
    return min(max((os.cpu_count() or 1) - 1, 1), 64)


class Engine(Section):
    """What the engine watches beside what its sessions need; where it answers stands in `[api]`."""

    symbols: Annotated[tuple[Annotated[str, AfterValidator(_is_symbol)], ...], BeforeValidator(_separate)] = ()
    """Watched at every venue that lists them, whether or not a session needs them."""
    pairs: Annotated[tuple[PairTable, ...], BeforeValidator(_pairs_in_words), AfterValidator(_each_once)] = ()
    """Each a table of its own, `[[engine.pairs]]`; all their instruments are watched."""
    with_trades: bool = True
    with_funding: bool = True
    """Funding rates and mark prices, of perpetuals."""
    book_levels: int = Field(default=0, ge=0, le=50)
    """Levels of each side of the order books; 0 is none. Ten times a second a row for each level is recorded."""
    bar_intervals: Annotated[tuple[IntervalLabel, ...], BeforeValidator(_separate)] = ("1m",)
    record: bool = True
    max_lag_ms: Milliseconds = Field(default=1_000, gt=0)
    jobs: int = Field(default_factory=_spare_cores, ge=1, le=64)
    """At most so many jobs run at a time, each in a process of its own; by default a core is left to the engine."""


VENUE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""A venue's name stands in instruments' keys, in folder names and in the names of environment variables."""
VENUES = "venues"
RETRIES = "maxRetriesOnFailure"
OptionValue = bool | int | float | str


def _is_base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s?#]+", url):
        raise PydanticCustomError("url", "Input should be an address such as http://127.0.0.1:8400/nova")
    return url.rstrip("/")


def _never_sent_twice(options: dict[str, OptionValue]) -> dict[str, OptionValue]:
    # measured: with it, one order whose reply was lost became two filled orders
    if RETRIES in options:
        raise PydanticCustomError("retries", f"Input should be without {RETRIES}: it sends orders twice")
    return options


PRINTED = re.compile(r"[!-~]+")


def _is_one_word(secret: SecretStr) -> SecretStr:
    # it becomes a header of a request; the message must do without it
    if not PRINTED.fullmatch(secret.get_secret_value()):
        raise PydanticCustomError("secret", "Input should be one word of ASCII, without spaces")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_is_one_word)]
"""Taken from the environment alone; shown nowhere."""


class VenueTable(Section):
    """`[venues.NAME]`: an exchange by its ccxt id, or `oanda`."""

    exchange: Annotated[str, Field(min_length=1)]
    url: Annotated[str, AfterValidator(_is_base_url)] | None = None
    """Of a simulated exchange; without it, the real one."""
    account: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None = None
    """The account's number at OANDA, such as 101-001-1234567-001; other exchanges take none."""
    environment: Literal["practice", "live"] = "practice"
    """Which of OANDA's two: play money or real; account and token are of one of them."""
    token: Secret | None = None
    """The account's token at OANDA: in the environment alone, refused in the file, never shown."""
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    stale_after_s: float = Field(default=10.0, gt=0, le=3_600)
    options: Annotated[dict[str, OptionValue], AfterValidator(_never_sent_twice)] = Field(default_factory=dict)


class Settings(Section):
    """Every section; the venues are named by the user."""

    paths: Paths = Field(default_factory=Paths)
    market: Market = Field(default_factory=Market)
    paper: Paper = Field(default_factory=Paper)
    risk: Risk = Field(default_factory=Risk)
    opportunities: Opportunities = Field(default_factory=Opportunities)
    api: Api = Field(default_factory=Api)
    dashboard: Dashboard = Field(default_factory=Dashboard)
    engine: Engine = Field(default_factory=Engine)
    venues: dict[str, VenueTable] = Field(default_factory=dict)


SECRETS = frozenset({"token"})
"""Keys that stand in the environment alone and are never shown."""
SECTIONS: dict[str, type[Section]] = {
    "paths": Paths,
    "market": Market,
    "paper": Paper,
    "risk": Risk,
    "opportunities": Opportunities,
    "api": Api,
    "dashboard": Dashboard,
    "engine": Engine,
}
