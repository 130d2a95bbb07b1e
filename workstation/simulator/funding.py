"""What holds a perpetual to the spot price: index, mark, and the rate that longs pay to shorts every eight hours.

All of it follows from the simulated market. The rate of a settlement is the interest of eight hours and the mean
premium over the index at the ends of the minutes since the one before, within bounds; the rate to come is that of the
minutes so far.
"""

from collections.abc import Mapping
from typing import NamedTuple

from workstation.model.durations import HOUR_NS, MINUTE_NS
from workstation.model.instrument import InstrumentKind
from workstation.simulator.bar_history import BarHistory, interval_start
from workstation.simulator.market_queries import last_price
from workstation.simulator.venue_market import VenueMarket

CYCLE_NS = 8 * HOUR_NS
"""Settled at 00:00, 08:00 and 16:00 UTC."""
CYCLE_HOURS = CYCLE_NS // HOUR_NS
INTEREST = 0.0001
MOST_RATE = 0.0005
DECIMALS = 6


class FundingRate(NamedTuple):
    """A fraction of the position's value, and when it is paid, in ns UTC. Over 0, longs pay."""

    rate: float
    settles_ns: int


class Funding:
    """Of one perpetual. Its index is the spot market beside it; without one, it is its own."""

    def __init__(
        self, perpetual: VenueMarket, history: BarHistory, index_market: VenueMarket, index_history: BarHistory
    ) -> None:
        self.perpetual, self.history = perpetual, history
        self.index_market, self.index_history = index_market, index_history
        self._settled: dict[int, float] = {}
        self._running = FundingRate(INTEREST, 0), -1

    def mark(self) -> float:
        """The middle of the book, on the tick grid."""
        return _on_grid(self.perpetual, self.perpetual)

    def index(self) -> float:
        """The middle of the spot market's book, on the perpetual's tick grid."""
        return _on_grid(self.perpetual, self.index_market)

    def coming(self, now_ns: int) -> FundingRate:
        """The rate that is paid next, as far as it is known; it changes each minute."""
        minute_ns = interval_start(now_ns, MINUTE_NS)
        found, of_minute = self._running
        if of_minute != minute_ns:
            start_ns = interval_start(now_ns, CYCLE_NS)
            found = FundingRate(_rate(self._premiums(start_ns, minute_ns)), start_ns + CYCLE_NS)
            self._running = found, minute_ns
        return found

    def settled(self, now_ns: int, count: int, skip: int = 0) -> list[FundingRate]:
        """The last `count` that were paid, the newest first, behind the `skip` after them."""
        last_ns = interval_start(now_ns, CYCLE_NS) - skip * CYCLE_NS
        times = [at for number in range(count) if (at := last_ns - number * CYCLE_NS) > 0]
        for at in times:
            if at not in self._settled:
                self._settled[at] = _rate(self._premiums(at - CYCLE_NS, at))
        return [FundingRate(self._settled[at], at) for at in times]

    def _premiums(self, start_ns: int, stop_ns: int) -> list[float]:
        """At the end of each whole minute in [start, stop), as a fraction of the index."""
        if stop_ns <= start_ns:
            return []
        own, index = (
            {one.ts_open: one.close for one in history.candles(MINUTE_NS, start_ns, stop_ns, None)}
            for history in (self.history, self.index_history)
        )
        return [own[at] / index[at] - 1.0 for at in own if at in index and at < stop_ns]


def fundings(markets: Mapping[str, VenueMarket], histories: Mapping[str, BarHistory]) -> dict[str, Funding]:
    """Of each perpetual among a venue's markets, by its name."""
    spots = {_pair(one): name for name, one in markets.items() if one.instrument.kind is InstrumentKind.SPOT}
    found = {}
    for name, market in markets.items():
        if market.instrument.kind is InstrumentKind.LINEAR:
            spot = spots.get(_pair(market), name)
            found[name] = Funding(market, histories[name], markets[spot], histories[spot])
    return found


def _pair(market: VenueMarket) -> tuple[str, str]:
    return market.instrument.base, market.instrument.quote


def _rate(premiums: list[float]) -> float:
    mean = sum(premiums) / len(premiums) if premiums else 0.0
    return round(min(max(INTEREST + mean, -MOST_RATE), MOST_RATE), DECIMALS)


def _on_grid(perpetual: VenueMarket, market: VenueMarket) -> float:
    price = market.mid()
    ticks = round((last_price(market) if price is None else price) / perpetual.float_price(1))
    return perpetual.float_price(ticks)
