"""Spreads of the past: a whole history, the as-of join alone and a chart's data, beside polars on plain Parquet.

    python -m tests.benchmarks.spreads

Two venues quote one symbol, each every 20 ms on average. polars takes the same steps by its own expressions: the last
quote of both sides at every quote, spread and both net edges, the last of each point, mean and deviation of 30 minutes.
It neither knows staleness nor bands by anchors, so its figures are near ours and not the same.
"""

import shutil
import tempfile
import timeit
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.benchmarks.history import report
from tests.history.series import DAY_START_NS, a_source, a_table, an_instrument
from workstation.dashboard.hub import encoded
from workstation.dashboard.spread_points import Point, SpreadPoints
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.kernels.asof import asof_places
from workstation.model.durations import MINUTE_NS, MS_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.research import notebook_spreads

ROWS, SYMBOLS = 2_000_000, 100
SYMBOL = "BTC/USDT"
VENUES = ("nova", "orion")
POINT_NS, WINDOW_NS = 100 * MS_NS, 30 * MINUTE_NS
FEE = 0.001


def some_quotes(seed: int, rows: int = ROWS) -> dict[str, Any]:
    """A walk of one-cent ticks, over as long a time however many they are."""
    random = np.random.default_rng(seed)
    times = DAY_START_NS + np.cumsum(random.integers(1, 40_000_000 * (ROWS // rows), rows))
    bid = np.round(60_000 + np.cumsum(random.integers(-1, 2, rows)) / 100, 2)
    quantities = [np.round(random.lognormal(0, 1, rows), 3) for _ in range(2)]
    return {
        "ts_received": times,
        "ts_event": times,
        "bid": bid,
        "ask": np.round(bid + 0.01, 2),
        "bid_quantity": quantities[0],
        "ask_quantity": quantities[1],
    }


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        measure_chart()
        measure(folder / "one")
        measure_many(folder / "many")
    finally:
        shutil.rmtree(folder)


def measure_chart() -> None:
    """What a viewer begins with: a point a second of half an hour, as columns and as the message that is sent."""
    points = SpreadPoints(WINDOW_NS // MS_NS, gap_ms=10_000)
    levels = np.round(np.random.default_rng(3).normal(0, 3, (WINDOW_NS // SECOND_NS, 7)), 3)
    points.begin(Point(1_000 * number, *map(float, row)) for number, row in enumerate(levels))
    least_s = min(timeit.repeat(lambda: encoded({"points": points.columns()}), number=10, repeat=9)) / 10
    print(f"a spread chart's data, {len(levels):,} points: {1e3 * least_s:.2f} ms, {1 / least_s:,.0f} charts a second")


def store_quotes(store: HistoryStore, venue: str, symbol: str, columns: dict[str, Any]) -> None:
    key = InstrumentKey(Venue(venue), Symbol(symbol))
    store.put_instrument(an_instrument(key))
    source = a_source(f"{venue} {symbol}")
    store.write(Series(kind=HistoryKind.QUOTES, key=key), a_table(HistoryKind.QUOTES, **columns), source)


def measure(folder: Path) -> None:
    store, sides = HistoryStore(folder / "history"), []
    for seed, venue in enumerate(VENUES):
        columns = some_quotes(seed)
        store_quotes(store, venue, SYMBOL, columns)
        pl.DataFrame(columns).write_parquet(folder / f"{venue}.parquet", compression="zstd")
        sides.append(columns)
    files = [folder / f"{venue}.parquet" for venue in VENUES]
    report(
        f"a whole history of two venues, a point each {POINT_NS // MS_NS} ms",
        2 * ROWS,
        {
            "ours": lambda: notebook_spreads.spreads(*VENUES, SYMBOL, resolution_ms=POINT_NS // MS_NS, history=store),
            "polars: as-of joins and rolling, by files": lambda: by_polars(*files),
        },
    )
    measure_join(*((side["ts_received"], side["bid"]) for side in sides))


def measure_many(folder: Path) -> None:
    """A hundred symbols, of which polars has one file for each venue; it computes at A's quotes, we at both sides'."""
    store, rows = HistoryStore(folder / "history"), ROWS // SYMBOLS
    names = [f"C{number:02d}/USDT" for number in range(SYMBOLS)]
    for place, venue in enumerate(VENUES):
        frames = []
        for seed, name in enumerate(names):
            columns = some_quotes(place * SYMBOLS + seed, rows)
            store_quotes(store, venue, name, columns)
            frames.append(pl.DataFrame(columns).with_columns(symbol=pl.lit(name)))
        pl.concat(frames).sort("ts_received").write_parquet(folder / f"{venue}.parquet", compression="zstd")
    files = [folder / f"{venue}.parquet" for venue in VENUES]
    report(
        f"the same of {SYMBOLS} symbols, a point for each quote",
        2 * SYMBOLS * rows,
        {
            "ours": lambda: [
                notebook_spreads.spreads(*VENUES, name, resolution_ms=POINT_NS // MS_NS, history=store)
                for name in names
            ],
            "polars: as-of join and rolling by symbol": lambda: many_by_polars(*files),
        },
    )


def measure_join(a: tuple[Any, Any], b: tuple[Any, Any]) -> None:
    """Of one symbol, and of a hundred that lie apart here, as in the store, and in one table there."""
    frames = [pl.DataFrame({"ts": times, f"bid_{name}": bid}) for name, (times, bid) in zip("ab", (a, b), strict=True)]
    symbols = [np.random.default_rng(seed).integers(0, SYMBOLS, ROWS) for seed in (1, 2)]
    apart = [
        [(times[of == symbol], bid[of == symbol]) for symbol in range(SYMBOLS)]
        for (times, bid), of in zip((a, b), symbols, strict=True)
    ]
    together = [frame.with_columns(symbol=of).set_sorted("ts") for frame, of in zip(frames, symbols, strict=True)]
    report(
        "as-of join in memory: B's last bid at each quote of A",
        ROWS,
        {
            "ours": lambda: joined(a[0], *b),
            "polars: join_asof": lambda: frames[0].set_sorted("ts").join_asof(frames[1].set_sorted("ts"), on="ts"),
        },
    )
    report(
        f"the same of {SYMBOLS} symbols",
        ROWS,
        {
            "ours": lambda: [joined(times, *other) for (times, _), other in zip(*apart, strict=True)],
            "polars: join_asof by symbol": lambda: together[0].join_asof(
                together[1], on="ts", by="symbol", check_sortedness=False
            ),
        },
    )


def joined(times: Any, other_times: Any, values: Any) -> Any:
    places = asof_places(times, other_times)
    known = values[places]
    known[places < 0] = np.nan
    return known


def by_polars(a: Path, b: Path) -> pl.DataFrame:
    sides = [
        pl.scan_parquet(file).select(
            pl.col("ts_received").alias("ts"), pl.col("bid").alias(f"bid_{name}"), pl.col("ask").alias(f"ask_{name}")
        )
        for file, name in ((a, "a"), (b, "b"))
    ]
    times = pl.concat([side.select("ts") for side in sides]).sort("ts")
    mids = [(pl.col(f"bid_{name}") + pl.col(f"ask_{name}")) / 2 for name in "ab"]
    edges = {
        "net_edge_ab": pl.col("bid_a") * (1 - FEE) / (pl.col("ask_b") * (1 + FEE)),
        "net_edge_ba": pl.col("bid_b") * (1 - FEE) / (pl.col("ask_a") * (1 + FEE)),
        "edge_ab": pl.col("bid_a") / pl.col("ask_b"),
        "edge_ba": pl.col("bid_b") / pl.col("ask_a"),
    }
    points = (
        times.join_asof(sides[0], on="ts")
        .join_asof(sides[1], on="ts")
        .group_by(point=pl.col("ts") // POINT_NS, maintain_order=True)
        .last()
        .with_columns(
            ((mids[0] / mids[1]).log() * 1e4).alias("spread"),
            *(((ratio - 1) * 1e4).alias(name) for name, ratio in edges.items()),
        )
    )
    places = WINDOW_NS // POINT_NS
    return points.with_columns(
        pl.col("spread").rolling_mean_by(pl.col("point").cast(pl.Int64), window_size=f"{places}i").alias("mean"),
        pl.col("spread").rolling_std_by(pl.col("point").cast(pl.Int64), window_size=f"{places}i").alias("deviation"),
    ).collect()


def many_by_polars(a: Path, b: Path) -> pl.DataFrame:
    sides = [
        pl.scan_parquet(file).select(
            "symbol",
            ts=pl.col("ts_received").cast(pl.Datetime("ns")),
            **{f"mid_{name}": (pl.col("bid") + pl.col("ask")) / 2},
        )
        for file, name in ((a, "a"), (b, "b"))
    ]
    spread = (pl.col("mid_a") / pl.col("mid_b")).log() * 1e4
    points = sides[0].join_asof(sides[1], on="ts", by="symbol", check_sortedness=False).with_columns(spread=spread)
    window = {"by": "ts", "window_size": f"{WINDOW_NS}ns"}
    return points.with_columns(
        pl.col("spread").rolling_mean_by(**window).over("symbol").alias("mean"),
        pl.col("spread").rolling_std_by(**window).over("symbol").alias("deviation"),
    ).collect()


if __name__ == "__main__":
    main()
