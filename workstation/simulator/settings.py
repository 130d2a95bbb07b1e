"""What a simulated market is made of: symbols, venues and the climate they share."""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from workstation.errors import BadInput
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import split_symbol

MAX_DELAY_NS = 2 * SECOND_NS
"""No message arrives later than this."""
MAX_LAG_NS = 5 * SECOND_NS


def require(subject: str, name: str, value: float, low: float, high: float) -> None:
    """Raises BadInput unless low <= value <= high."""
    if not (math.isfinite(value) and low <= value <= high):
        raise BadInput(f"{subject}: {name} {value}: expected {low} to {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """One symbol; spot and perpetual of one base share a price path. Sizes are in base currency."""

    symbol: Symbol
    initial_price: float
    daily_volatility: float
    """Standard deviation of a day's log return."""
    tick_size: Decimal
    lot_size: Decimal
    touch_quantity: float
    """Median quantity at the best bid or ask."""
    trade_quantity: float
    basis_bps: float = 0.0
    """How far it may be from the common price, either way and at all venues alike: of a perpetual."""
    min_notional_quote: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        split_symbol(self.symbol)
        require(self.symbol, "initial_price", self.initial_price, float(self.tick_size) * 100, 1e9)
        require(self.symbol, "daily_volatility", self.daily_volatility, 1e-6, 1.0)
        for name in ("touch_quantity", "trade_quantity"):
            require(self.symbol, name, getattr(self, name), float(self.lot_size), 1e12)
        require(self.symbol, "basis_bps", self.basis_bps, 0, 1000)

    @property
    def base(self) -> Currency:
        return split_symbol(self.symbol)[0]

    def spot(self) -> "SymbolSettings":
        """The spot variant: "BTC/USDT:USDT" -> "BTC/USDT"."""
        return replace(self, symbol=Symbol(self.symbol.partition(":")[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """How one venue quotes. `delay_ns` is the median way from the venue to us, `clock_offset_ns` its clock's error."""

    venue: Venue
    lag_ns: int
    """How far its prices are behind the common one."""
    noise_bps: float
    quoted_spread_bps: float
    quotes_per_second: float
    trades_per_second: float
    delay_ns: int
    clock_offset_ns: int = 0
    tick_multiple: int = 1
    """Its tick is the symbol's times this."""
    dislocations_per_hour: float = 2.0
    dislocation_phase: float | None = None
    """None: they come at random. Else one in each equal part of an hour, from about this share of the part on; a symbol
    shifts it, at all venues alike."""
    maker_fee_rate: Decimal = Decimal("0.0002")
    taker_fee_rate: Decimal = Decimal("0.0005")

    def __post_init__(self) -> None:
        require(self.venue, "lag_ns", self.lag_ns, 0, MAX_LAG_NS)
        require(self.venue, "noise_bps", self.noise_bps, 0, 100)
        require(self.venue, "quoted_spread_bps", self.quoted_spread_bps, 0, 1000)
        require(self.venue, "quotes_per_second", self.quotes_per_second, 0.01, 100_000)
        require(self.venue, "trades_per_second", self.trades_per_second, 0, 100_000)
        require(self.venue, "delay_ns", self.delay_ns, 0, MAX_DELAY_NS)
        require(self.venue, "clock_offset_ns", self.clock_offset_ns, -60 * SECOND_NS, 60 * SECOND_NS)
        require(self.venue, "tick_multiple", self.tick_multiple, 1, 10_000)
        require(self.venue, "dislocations_per_hour", self.dislocations_per_hour, 0, 3600)
        if self.dislocation_phase is not None:
            require(self.venue, "dislocation_phase", self.dislocation_phase, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """What moves all symbols and venues. Activity is 1 on average over a calm weekday; volatility and the rates of
    quotes and trades are proportional to it."""

    correlation: float = 0.7
    """Of the log returns of two symbols."""
    quiet_activity: float = 0.3
    """Activity of the quietest hour (03:00 UTC) as a share of the busiest (15:00 UTC)."""
    weekend_activity: float = 0.6
    activity_deviation: float = 0.35
    """Standard deviation of log activity, on the minute scale and again on the second scale."""
    bursts_per_day: float = 12.0
    burst_minutes: float = 5.0
    burst_activity: float = 3.0
    trend_bps_per_day: float = 120.0
    """Standard deviation of the drift, which is an AR(1)."""
    trend_half_life_days: float = 3.0
    pull_half_life_days: float = 120.0
    """The log price is drawn back to its initial value, so that a decade stays plausible."""
    dislocation_bps: tuple[float, float] = (5.0, 60.0)
    """Smallest and largest; log-uniform between, either sign."""
    dislocation_ns: tuple[int, int] = (5 * SECOND_NS, 300 * SECOND_NS)
    """Shortest and longest, from leaving the common price to being back; log-uniform between."""

    def __post_init__(self) -> None:
        require("climate", "correlation", self.correlation, 0, 1)
        for name in ("quiet_activity", "weekend_activity"):
            require("climate", name, getattr(self, name), 0.01, 1)
        require("climate", "activity_deviation", self.activity_deviation, 0, 2)
        require("climate", "bursts_per_day", self.bursts_per_day, 0, 1440)
        require("climate", "burst_minutes", self.burst_minutes, 1, 1440)
        require("climate", "burst_activity", self.burst_activity, 1, 100)
        require("climate", "trend_bps_per_day", self.trend_bps_per_day, 0, 5000)
        for name in ("trend_half_life_days", "pull_half_life_days"):
            require("climate", name, getattr(self, name), 0.01, 1e6)
        low_bps, high_bps = self.dislocation_bps
        require("climate", "largest dislocation_bps", high_bps, 0, 1000)
        require("climate", "smallest dislocation_bps", low_bps, 1e-3, high_bps)
        short_ns, long_ns = self.dislocation_ns
        require("climate", "longest dislocation_ns", long_ns, 0, 600 * SECOND_NS)
        require("climate", "shortest dislocation_ns", short_ns, SECOND_NS, long_ns)


BTC = SymbolSettings(
    symbol=Symbol("BTC/USDT:USDT"),
    initial_price=60_000.0,
    daily_volatility=0.025,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.001"),
    touch_quantity=1.2,
    trade_quantity=0.05,
)
ETH = SymbolSettings(
    symbol=Symbol("ETH/USDT:USDT"),
    initial_price=3_000.0,
    daily_volatility=0.032,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    touch_quantity=15.0,
    trade_quantity=0.8,
)
SOL = SymbolSettings(
    symbol=Symbol("SOL/USDT:USDT"),
    initial_price=150.0,
    daily_volatility=0.045,
    tick_size=Decimal("0.001"),
    lot_size=Decimal("0.1"),
    touch_quantity=120.0,
    trade_quantity=8.0,
)
EUR_USD = SymbolSettings(
    symbol=Symbol("EUR/USD"),
    initial_price=1.09,
    daily_volatility=0.005,
    tick_size=Decimal("0.00001"),
    lot_size=Decimal(1),
    touch_quantity=1_000_000.0,
    trade_quantity=50_000.0,
    min_notional_quote=Decimal(0),
)
GBP_USD = replace(EUR_USD, symbol=Symbol("GBP/USD"), initial_price=1.27, daily_volatility=0.0055)
USD_JPY = replace(
    EUR_USD,
    symbol=Symbol("USD/JPY"),
    initial_price=148.0,
    daily_volatility=0.006,
    tick_size=Decimal("0.001"),
)
FX_SYMBOLS = (EUR_USD, GBP_USD, USD_JPY)
FX_CLIMATE = Climate(trend_bps_per_day=20.0, pull_half_life_days=20.0, dislocation_bps=(0.5, 4.0))
NOVA = VenueSettings(
    venue=Venue("nova"),
    lag_ns=20_000_000,
    noise_bps=0.2,
    quoted_spread_bps=0.4,
    quotes_per_second=12.0,
    trades_per_second=3.0,
    delay_ns=8_000_000,
)
ORION = VenueSettings(
    venue=Venue("orion"),
    lag_ns=90_000_000,
    noise_bps=0.3,
    quoted_spread_bps=0.7,
    quotes_per_second=8.0,
    trades_per_second=1.5,
    delay_ns=25_000_000,
    clock_offset_ns=4_000_000,
    dislocations_per_hour=3.0,
)
VEGA = VenueSettings(
    venue=Venue("vega"),
    lag_ns=280_000_000,
    noise_bps=0.4,
    quoted_spread_bps=1.2,
    quotes_per_second=5.0,
    trades_per_second=0.8,
    delay_ns=60_000_000,
    clock_offset_ns=-15_000_000,
    tick_multiple=5,
    dislocations_per_hour=4.0,
)


def of_fx(venue: VenueSettings) -> VenueSettings:
    """The venue as it quotes currencies: with the symbols' own ticks, and no fee beside the spread."""
    return replace(venue, tick_multiple=1, maker_fee_rate=Decimal(0), taker_fee_rate=Decimal(0))
