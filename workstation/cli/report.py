"""`workstation report`: back-tests and replays as HTML files that open without a network."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from workstation.cli import strategy_options as options
from workstation.cli.progress import Progress
from workstation.cli.tables import aligned
from workstation.config.loading import load_configuration

app = typer.Typer(help="Back-tests and replays as HTML, to keep and show.", no_args_is_help=True, add_completion=False)

StrategyOption = Annotated[
    str,
    typer.Option(help="Such as ma-cross.", autocompletion=options.known_strategies, show_default=False),
]


@app.command("run")
def run_command(
    kind: Annotated[Literal["backtest", "replay"], typer.Argument(help="What is reported.", show_default=False)],
    strategy: StrategyOption,
    venue: Annotated[list[str], typer.Option(help="One; two for a spread.", show_default=False)],
    symbol: options.SymbolName,
    interval: Annotated[str | None, typer.Option(help="A bar's length, such as 1h.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="The file; otherwise one in the folder paths.reports.")] = None,
    param: options.Parameters = None,
    start: options.Start = None,
    end: options.End = None,
    fill_at: options.FillAtOption = None,
    sizing: Annotated[str | None, typer.Option(help=f"{options.SIZING_HELP}; that of the command if absent.")] = None,
    balance: options.Balance = options.OPENING_BALANCE,
    slippage_bps: options.SlippageBps = None,
    leverage: options.Leverage = 1.0,
    latency_ms: options.LatencyMs = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Of a replay, instead of the settings'.")] = False,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Run the report's notebook with these parameters, and keep what its cells show as one HTML file."""
    from workstation.cli import reporting  # with numba, pandas and charts: seconds that help does without

    chosen: dict[str, Any] = {
        "fill_at": fill_at,
        "sizing": sizing,
        "balance": float(balance),
        "slippage_bps": slippage_bps,
        "leverage": leverage,
        "latency_ms": latency_ms,
    }
    settings = load_configuration(config).settings
    request = reporting.request_of(
        settings,
        kind=kind,
        strategy=strategy,
        pairs=param or (),
        venues=tuple(venue),
        symbol=symbol,
        interval=interval,
        start=start,
        end=end,
        has_limits=not no_limits,
        options={name: value for name, value in chosen.items() if value is not None},
    )
    with Progress("report", unit="cell") as progress:
        entry = reporting.run(request, settings, out=out, history=history, config=config, progress=progress.show)
    typer.echo(entry.model_dump_json(indent=2) if as_json else str(entry.file))
    if not as_json:
        options.note(f"{entry.title}. {entry.summary}")


@app.command("list")
def list_command(as_json: options.AsJson = False, config: options.ConfigFile = None) -> None:
    """List the reports that were made, the newest first."""
    from workstation.research.reports.shelf import reports

    folder = load_configuration(config).settings.paths.reports
    kept = reports(folder)
    for fault in kept.faults:
        options.note(fault)
    if as_json:
        typer.echo(json.dumps([entry.model_dump(mode="json") for entry in kept.entries], indent=2))
    elif not kept.entries:
        options.note(f"no report in {folder} yet; `workstation report run --help` tells how to make one")
    else:
        rows = [
            (f"{one.made:%Y-%m-%d %H:%M}", one.title, _return(one.figures), _place(one.file)) for one in kept.entries
        ]
        typer.echo(aligned(("MADE (UTC)", "OF", "RETURN", "FILE"), rows, right=frozenset({2})))


def _return(figures: dict[str, float | None]) -> str:
    value = figures.get("total_return")
    return "–" if value is None else f"{value:+.2%}"


def _place(file: Path) -> str:
    return str(file) if file.exists() else f"{file} (gone)"
