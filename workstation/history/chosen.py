"""Which stored series a person means, by the words that name them."""

from dataclasses import dataclass

from workstation.errors import BadInput
from workstation.history.layout import HistoryKind, Series
from workstation.model.instrument import checked_key
from workstation.model.market import INTERVALS_NS, interval_label, interval_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSeries:
    """None leaves all. Raises BadInput for a length that no bar has."""

    kind: HistoryKind | None = None
    venue: str | None = None
    symbol: str | None = None
    interval: str | None = None

    def __post_init__(self) -> None:
        if self.interval is not None:
            interval_ns(self.interval)

    def has(self, series: Series) -> bool:
        """Whether a series is meant."""
        own = (series.kind, series.key.venue, series.key.symbol)
        names = (self.kind, self.venue, self.symbol)
        is_named = all(name is None or name == value for name, value in zip(names, own, strict=True))
        return is_named and (self.interval is None or series.interval_ns == interval_ns(self.interval))

    @property
    def words(self) -> str:
        """ "kind quotes, venue nova": as it was chosen."""
        named = {"kind": self.kind, "venue": self.venue, "symbol": self.symbol, "interval": self.interval}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None) or "every series"


def bar_source(words: str, venue: str, symbol: str) -> Series:
    """What bars are made of: "trades", "quotes" or a shorter bar's length as the series. Raises BadInput."""
    key = checked_key(venue, symbol)
    if words in (HistoryKind.TRADES, HistoryKind.QUOTES):
        return Series(kind=HistoryKind(words), key=key)
    known = [interval_label(length_ns) for length_ns in INTERVALS_NS]
    if words not in known:
        raise BadInput(f"source {words!r}: expected trades, quotes or a bar's length: {', '.join(known)}")
    return Series(kind=HistoryKind.BARS, key=key, interval_ns=interval_ns(words))
