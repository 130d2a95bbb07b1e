"""The quote path: 100 symbols × 3 venues, every pair's 30-minute window full, beside a bare loop on the same rows."""

import resource
import time
from collections.abc import Callable
from decimal import Decimal

import numba
import numpy as np
import psutil

from tests.benchmarks.spread_desk import Crowd
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, InstrumentKind
from workstation.model.market import (
    Rows,
    quote_rows,
)
from workstation.research.collection import rare_collection
from workstation.session.market import Market
from workstation.session.wake import Wake
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.pair import side_windows
from workstation.windows.specs import ConditionSpec, Field, Operator, WindowKind, WindowSpec

SYMBOLS, VENUES = 100, 3
PAIRS = ((0, 1), (0, 2), (1, 2))
SPAN_NS, RESOLUTION_NS = 1800 * SECOND_NS, SECOND_NS // 10
BLOCK = 65_536
FILL_ROWS = SYMBOLS * VENUES * 18_000
ENTRY_Z = 3.85


class Nobody:
    """A subscriber whose conditions never come true; they are tested on every row all the same."""

    def handle(self, wake: Wake) -> None:
        raise AssertionError("nobody should wake")


def full_market(*, is_watched: bool = False, quantiles: tuple[float, float] | None = None) -> Market:
    """All pairs' windows subscribed, with a condition above and below on each; `is_watched` as the engine's own are:
    for opportunities, and with the sides' windows."""
    market, nobody = Market(), Nobody()
    keys = [[key(venue, symbol) for venue in range(VENUES)] for symbol in range(SYMBOLS)]
    for row in keys:
        for one in row:
            market.list_instrument(instrument(one))
    for row in keys:
        for a, b in PAIRS:
            spread = WindowSpec(kind=WindowKind.SPREAD, instrument_a=row[a], instrument_b=row[b], quantiles=quantiles)
            slot = market.subscribe_window(spread)
            if is_watched:
                market.windows.watch(spread, OpportunitySpec())
                for side in side_windows(spread):
                    market.subscribe_window(side)
            for name, operator, at in (("rich", Operator.ABOVE, 1e9), ("cheap", Operator.BELOW, -1e9)):
                spec = ConditionSpec(name=name, window="", field=Field.Z, operator=operator, threshold=at)
                market.subscribe_condition(nobody, spec, slot)
    return market


def key(venue: int, symbol: int) -> InstrumentKey:
    return InstrumentKey(Venue(f"v{venue}"), Symbol(f"S{symbol}/USDT:USDT"))


def instrument(of: InstrumentKey) -> Instrument:
    return Instrument(
        venue=of.venue,
        symbol=of.symbol,
        kind=InstrumentKind.LINEAR,
        base=Currency(of.symbol.split("/")[0]),
        quote=Currency("USDT"),
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        min_notional_quote=Decimal(1),
        maker_fee_rate=Decimal("0.0002"),
        taker_fee_rate=Decimal("0.0005"),
    )


def quotes(count: int, seed: int, start_ns: int) -> Rows:
    """Each of the 300 instruments quotes once per bucket, in a shuffled order: time compressed, windows full."""
    rng = np.random.default_rng(seed)
    streams = SYMBOLS * VENUES
    order = np.concatenate([rng.permutation(streams) for _ in range(-(-count // streams))])[:count]
    symbol = order // VENUES
    walk = np.cumsum(rng.integers(-2, 3, count)) % 400 / 100.0
    mid = 100.0 + symbol + walk * 0.05 + rng.integers(-8, 9, count) / 100.0
    rows = quote_rows(
        instrument=0,
        ts_received=start_ns + np.arange(count, dtype=np.int64) * (RESOLUTION_NS // streams),
        bid=np.round(mid - 0.01, 2),
        ask=np.round(mid + 0.01, 2),
        bid_quantity=np.full(count, 50.0),
        ask_quantity=np.full(count, 50.0),
    )
    rows["instrument"] = order
    return rows


def take(market: Market, rows: Rows) -> float:
    """Seconds to take all rows in blocks."""
    began = time.perf_counter()
    for start in range(0, len(rows), BLOCK):
        for wake in market.advance(rows[start : start + BLOCK]):
            wake.subscriber.handle(wake)
    return time.perf_counter() - began


@numba.njit(cache=True)
def bare_loop(rows: object, log_mid: object, rings: object, places: object, moments: object) -> None:
    """The floor: last log mid, two pairs, a ring with mean and m2; no buckets, ages, conditions, levels or checks."""
    size = rings.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        one = row["instrument"]
        log_mid[one] = np.log(0.5 * (row["x0"] + row["x1"]))
        first = one // 3 * 3
        for other in range(first, first + 3):
            if other != one:
                pair = first + (one - first) + (other - first) - 1
                x = 1e4 * (log_mid[first] - log_mid[other]) if one == first else 1e4 * (log_mid[one] - log_mid[other])
                place = places[pair]
                old = rings[pair, place]
                mean = moments[pair, 0]
                moved = mean + (x - old) / size
                moments[pair, 1] += (x - old) * ((x - moved) + (old - mean))
                moments[pair, 0] = moved
                rings[pair, place] = x
                places[pair] = place + 1 if place + 1 < size else 0


def bare(rows: Rows) -> float:
    """Rows a second of the bare loop, its rings full."""
    streams = SYMBOLS * VENUES
    state = (np.zeros(streams), np.zeros((streams, 18_000)), np.zeros(streams, np.int64), np.zeros((streams, 2)))
    bare_loop(rows[:1000], *state)
    return rate(lambda: bare_loop(rows, *state), len(rows))


def rate(work: Callable[[], object], count: int, repeats: int = 5) -> float:
    """Items a second, median."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return count / sorted(seconds)[repeats // 2]


def fill_windows(market: Market) -> int:
    """Quotes until every window is full; returns the time to go on from."""
    start = 1_700_000_000 * SECOND_NS
    for part in range(18):
        take(market, quotes(FILL_ROWS // 18, part, start))
        start = market.gate.now_ns + RESOLUTION_NS
    return start


def in_blocks(market: Market, what: str) -> None:
    """With all windows full, and nobody who trades."""
    start, rates = fill_windows(market), []
    for part in range(5):
        rows = quotes(500_000, 100 + part, start)
        rates.append(len(rows) / take(market, rows))
        start = market.gate.now_ns + RESOLUTION_NS
    print(f"in blocks, {what:<15}{sorted(rates)[2] / 1e6:7.2f} M quotes/s   bare loop {bare(rows) / 1e6:.2f} M/s")


def one_by_one(market: Market, start: int) -> int:
    rows = quotes(100_000, 99, start)
    singles = [rows[i : i + 1] for i in range(len(rows))]
    began = time.perf_counter()
    for one in singles:
        for wake in market.advance(one):
            wake.subscriber.handle(wake)
    print(f"one quote a call          {len(singles) / (time.perf_counter() - began) / 1e6:7.2f} M quotes/s")
    return market.gate.now_ns + RESOLUTION_NS


def trading(market: Market, start: int) -> None:
    """A hundred sessions of the spread strategy; a wake is anything that enters Python, fills and deadlines too."""
    crowd = Crowd(market, [key(v, s) for s in range(SYMBOLS) for v in range(2)], entry_z=ENTRY_Z)
    crowd.take(quotes(200_000, 6, start))
    crowd.reset()
    taken, seconds = 0, 0.0
    for part in range(10):
        rows = quotes(200_000, 7 + part, market.gate.now_ns + RESOLUTION_NS)
        began = time.perf_counter()
        with rare_collection():  # as a replay does
            for first in range(0, len(rows), BLOCK):
                crowd.take(rows[first : first + BLOCK])
        seconds, taken = seconds + time.perf_counter() - began, taken + len(rows)
    share = crowd.wakes / taken
    print(
        f"spread strategy trading   {taken / seconds / 1e6:7.2f} M quotes/s   woken on {share:.2%} of the rows,",
        end=" ",
    )
    print(f"{crowd.orders:,} orders, {crowd.facts:,} facts")


def resident_mb() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def main() -> None:
    before = resident_mb()
    market = full_market()
    start = fill_windows(market)
    full, points = resident_mb(), market.tables.points.itemsize * market.tables.slots["capacity"].sum() / 2**20
    print(f"resident memory {full:.0f} MB with all windows full: libraries {before:.0f}, points at least {points:.0f}")
    counts, rows = market.tables.slots["count"], market.tables.clock["rows"][0]
    print(f"{len(counts)} windows of {counts.min():,} to {counts.max():,} points, {rows:,} rows taken")
    start = one_by_one(market, start)
    trading(market, start)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"resident memory at most   {most:7.0f} MB, the benchmark's own rows and the crowd's sessions with it")
    del market
    in_blocks(full_market(), "nobody wakes")
    in_blocks(full_market(is_watched=True), "opportunities")
    in_blocks(full_market(quantiles=(0.05, 0.95)), "quantiles")


if __name__ == "__main__":
    main()
