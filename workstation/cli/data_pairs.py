"""`workstation data spreads`, `data opportunities`: of two venues' stored quotes, found again and kept beside them."""

from typing import Annotated

import typer

from workstation.cli import strategy_options as options

VenueA = Annotated[str, typer.Argument(help="Such as nova.", show_default=False)]
VenueB = Annotated[str, typer.Argument(help="Such as orion.", show_default=False)]
SymbolName = Annotated[str, typer.Argument(help="BASE/QUOTE, or BASE/QUOTE:QUOTE.", show_default=False)]
SymbolB = Annotated[
    str | None, typer.Option(help="Where the second venue quotes another currency.", show_default=False)
]
Basis = Annotated[
    str | None,
    typer.Option(help="VENUE:SYMBOL that turns its prices, such as nova:USDC/USDT.", show_default=False),
]
StaleAfter = Annotated[float, typer.Option(min=0.001, help="Seconds; a side without a quote for so long is a gap.")]


def spreads(
    venue_a: VenueA,
    venue_b: VenueB,
    symbol: SymbolName,
    start: options.Start = None,
    end: options.End = None,
    window: Annotated[float, typer.Option(min=0.01, help="Minutes of the rolling window.")] = 30.0,
    every: Annotated[int, typer.Option(min=1, help="Milliseconds of a row.")] = 1_000,
    min_points: Annotated[int, typer.Option(min=2, help="Before mean and band are known.")] = 30,
    stale_after: StaleAfter = 10.0,
    symbol_b: SymbolB = None,
    basis: Basis = None,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Spread, mean, band and edges of two venues' stored quotes, kept beside them."""
    from workstation.cli import pair_keeping  # with numba and pandas, which the other commands do without

    wanted = pair_keeping.Wanted(venue_a, venue_b, symbol, symbol_b, basis, start, end, stale_after, history, config)
    pair_keeping.spreads(wanted, window_minutes=window, every_ms=every, min_points=min_points)


def opportunities(
    venue_a: VenueA,
    venue_b: VenueB,
    symbol: SymbolName,
    start: options.Start = None,
    end: options.End = None,
    least_bps: Annotated[
        float | None, typer.Option(help="Net edge; otherwise opportunities.least_bps.", show_default=False)
    ] = None,
    least_value: Annotated[
        float | None, typer.Option(min=0, help="In quote; otherwise opportunities.least_value.", show_default=False)
    ] = None,
    least_ms: Annotated[
        int | None, typer.Option(min=0, help="Otherwise opportunities.least_ms.", show_default=False)
    ] = None,
    latency_ms: Annotated[
        int | None, typer.Option(min=0, help="Of a late order; otherwise that setting.", show_default=False)
    ] = None,
    stale_after: StaleAfter = 10.0,
    symbol_b: SymbolB = None,
    basis: Basis = None,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """When crossing two venues would have paid, by their stored quotes, kept beside them; each once."""
    from workstation.cli import pair_keeping

    wanted = pair_keeping.Wanted(venue_a, venue_b, symbol, symbol_b, basis, start, end, stale_after, history, config)
    given = {"least_bps": least_bps, "least_value": least_value, "least_ms": least_ms, "latency_ms": latency_ms}
    pair_keeping.opportunities(wanted, given)
