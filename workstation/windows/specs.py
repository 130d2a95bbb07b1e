"""What may be declared: windows, and conditions on their fields."""

import math
from dataclasses import dataclass
from enum import IntEnum

from workstation.errors import BadInput
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.instrument import InstrumentKey


class WindowKind(IntEnum):
    QUOTE = 1
    """The mid of one instrument."""
    SPREAD = 2
    """10⁴ · ln(mid_A / mid_B) in bps, of one symbol at two venues."""
    TRADE_BARS = 3
    """Bars built from public trades."""


class Field(IntEnum):
    """What can be read of a window, and tested by a condition."""

    VALUE = 1
    """Now: mid in quote currency, or mid spread in bps. NaN while a side is stale."""
    MEAN = 2
    DEVIATION = 3
    """Population standard deviation of the window's points."""
    Z = 4
    """(value - mean) / deviation, both of the points before the current bucket; NaN until `min_points`."""
    UPPER_BAND = 5
    LOWER_BAND = 6
    EDGE_AB = 7
    """Gross, bps: sell A at its bid, buy B at its ask: 10⁴ · (bid_A - ask_B) / ask_B."""
    EDGE_BA = 8
    NET_EDGE_AB = 9
    """Both taker fees paid: 10⁴ · (bid_A · (1 - f_A) / (ask_B · (1 + f_B)) - 1)."""
    NET_EDGE_BA = 10
    LOWER_QUANTILE = 11
    """Of the window's points, within 0.025 bps; NaN unless the window declares `quantiles`, and until `min_points`."""
    UPPER_QUANTILE = 12
    MIN = 13
    """The smallest of the window's points, and the largest; NaN until `min_points`."""
    MAX = 14


class Operator(IntEnum):
    ABOVE = 1
    BELOW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """A sliding window; equal specs share one slot.

    One point per `resolution_ns` bucket, its last value; 0 keeps every quote, up to `max_points`. Statistics are over
    the points of the last `span_ns`, unweighted, and NaN until `min_points`. A side older than `stale_after_ns` makes
    a gap. `quantiles` of a spread, the lower and the upper, are bands where its tails are not a normal's; they cost
    160 kB a window. `basis` is an instrument that is quoted in A's quote currency and whose base is B's, such as
    USDC/USDT for BTC/USDT against BTC/USDC: B's prices are turned by it, at its mid for the spread, and at the price
    that the conversion would pay for the edges; its fee is not counted.
    """

    kind: WindowKind
    instrument_a: InstrumentKey
    instrument_b: InstrumentKey | None = None
    span_ns: int = 30 * MINUTE_NS
    resolution_ns: int = 100_000_000
    anchor_ns: int = 5 * MINUTE_NS
    min_points: int = 30
    stale_after_ns: int = 10 * SECOND_NS
    band_deviations: float = 2.0
    max_points: int | None = None
    quantiles: tuple[float, float] | None = None
    basis: InstrumentKey | None = None

    def __post_init__(self) -> None:
        subject = f"window {self.kind.name} {self.instrument_a}"
        if (self.kind is WindowKind.SPREAD) != (self.instrument_b is not None):
            raise BadInput(f"{subject}: instrument_b {self.instrument_b}: a spread has two instruments, others one")
        if self.instrument_a == self.instrument_b:
            raise BadInput(f"{subject}: both sides are the same instrument")
        if self.basis is not None and (
            self.kind is not WindowKind.SPREAD or self.basis in (self.instrument_a, self.instrument_b)
        ):
            raise BadInput(f"{subject}: basis {self.basis}: expected a third instrument, and a spread")
        for name in ("span_ns", "anchor_ns", "stale_after_ns"):
            if getattr(self, name) <= 0:
                raise BadInput(f"{subject}: {name} {getattr(self, name)}: expected more than 0")
        if self.resolution_ns < 0 or (self.resolution_ns and self.span_ns % self.resolution_ns):
            expected = f"expected 0 or a divisor of span_ns {self.span_ns}"
            raise BadInput(f"{subject}: resolution_ns {self.resolution_ns}: {expected}")
        if self.resolution_ns == 0 and self.kind is WindowKind.TRADE_BARS:
            raise BadInput(f"{subject}: resolution_ns 0: expected the length of a bar")
        if self.resolution_ns == 0 and self.max_points is None:
            raise BadInput(f"{subject}: resolution_ns 0 keeps every quote and needs max_points")
        if not 0 <= self.band_deviations < math.inf:
            raise BadInput(f"{subject}: band_deviations {self.band_deviations}: expected 0 or more")
        if self.quantiles is not None:
            self._check_quantiles(subject)
        if self.min_points < 2:
            raise BadInput(f"{subject}: min_points {self.min_points}: expected 2 or more")
        if self.kind is not WindowKind.TRADE_BARS and self.min_points > self.capacity:
            room = f"it has room for {self.capacity}, and would never speak"
            raise BadInput(f"{subject}: min_points {self.min_points}: {room}")

    def _check_quantiles(self, subject: str) -> None:
        if self.kind is not WindowKind.SPREAD:
            raise BadInput(f"{subject}: quantiles {self.quantiles}: only a spread has them, which is in bps")
        assert self.quantiles is not None
        lower, upper = self.quantiles
        if not 0 < lower < upper < 1:
            raise BadInput(f"{subject}: quantiles {self.quantiles}: expected a lower and an upper, between 0 and 1")

    @property
    def instruments(self) -> tuple[InstrumentKey, ...]:
        """Whose rows it takes: A, B and the basis, as far as there are any."""
        return tuple(key for key in (self.instrument_a, self.instrument_b, self.basis) if key is not None)

    @property
    def span_buckets(self) -> int:
        """How far back its points reach, in buckets; without a resolution a bucket is a nanosecond."""
        return self.span_ns // (self.resolution_ns or 1)

    @property
    def capacity(self) -> int:
        """Points it has room for; 16 bytes each."""
        if self.kind is WindowKind.TRADE_BARS:
            return 0
        full = self.span_buckets if self.resolution_ns else 0
        return full if self.max_points is None else (min(full, self.max_points) if full else self.max_points)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSpec:
    """One row of the condition table: true when `field` of `window` is beyond `threshold`, and true until it is back at
    `rearm` (hysteresis). The loop reports changes of truth. A NaN changes nothing."""

    name: str
    window: str
    field: Field
    operator: Operator
    threshold: float
    rearm: float | None = None

    def __post_init__(self) -> None:
        if self.threshold != self.threshold:
            raise BadInput(f"condition {self.name}: threshold NaN: expected a number")
        if self.rearm is not None and not (
            self.rearm <= self.threshold if self.operator is Operator.ABOVE else self.rearm >= self.threshold
        ):
            raise BadInput(f"condition {self.name}: rearm {self.rearm} lies beyond threshold {self.threshold}")
