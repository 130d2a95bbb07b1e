"""`workstation session`: start, list, show, pause, resume and stop the engine's sessions; replay and verify."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer

from workstation.cli import strategy_options as options

app = typer.Typer(
    help="Sessions of the engine: start, watch, stop, verify.", no_args_is_help=True, add_completion=False
)

Name = Annotated[str, typer.Argument(metavar="SESSION", help="Such as ma-cross-1.", show_default=False)]
Money = Annotated[
    Decimal | None, typer.Option(parser=options.a_number, metavar="NUMBER", help="Of the quote currency at each venue.")
]
Limit = Annotated[
    str | None, typer.Option(metavar="NUMBER", help='"none" is no limit; otherwise that of the settings.')
]
StrategyWord = Annotated[
    str | None,
    typer.Argument(
        help="Such as ma-cross or spread-reversion.",
        autocompletion=options.known_strategies,
        show_default=False,
    ),
]
Venues = Annotated[list[str] | None, typer.Option("--venue", help="One for a bar strategy; two for a spread.")]
SymbolWord = Annotated[str | None, typer.Option(help="BASE/QUOTE.")]
Interval = Annotated[str | None, typer.Option(help="Length of a bar strategy's bars, such as 1m.")]
Sizing = Annotated[str | None, typer.Option(help=f"{options.SIZING_HELP}; fixed-notional=500 if absent.")]
Coins = Annotated[
    Decimal | None,
    typer.Option(parser=options.a_number, metavar="NUMBER", help="Of the base currency at each venue (spot)."),
]
Leverage = Annotated[float | None, typer.Option(help="The most notional / equity.")]
EntryTimeout = Annotated[int | None, typer.Option(help="Cancels an entry that is not filled by then.")]
NewName = Annotated[str | None, typer.Option(help="Its name; otherwise STRATEGY-1, -2, …")]
DeclarationFile = Annotated[
    Path | None, typer.Option(help="A TOML file of the same fields; options go over it.", show_default=False)
]


# what each command does is imported when it runs: help waits for neither pydantic's messages nor the compiler


@app.command()
def start(
    strategy: StrategyWord = None,
    venue: Venues = None,
    symbol: SymbolWord = None,
    interval: Interval = None,
    param: options.Parameters = None,
    sizing: Sizing = None,
    balance: Money = None,
    coins: Coins = None,
    leverage: Leverage = None,
    slippage_bps: options.SlippageBps = None,
    latency_ms: options.LatencyMs = None,
    entry_timeout_ms: EntryTimeout = None,
    no_trades: Annotated[bool, typer.Option("--no-trades", help="Public trades fill no resting orders.")] = False,
    max_notional: Limit = None,
    max_positions: Limit = None,
    max_quote_age_ms: Limit = None,
    session: NewName = None,
    file: DeclarationFile = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Start a paper session in the running engine: live market data, orders to the paper venue."""
    from workstation.cli import session_start

    given = {
        "session": session,
        "strategy": strategy,
        "venues": venue,
        "symbol": symbol,
        "interval": interval,
        "sizing": sizing,
        "balance": balance,
        "coins": coins,
        "leverage": leverage,
        "slippage_bps": slippage_bps,
        "latency_ms": latency_ms,
        "entry_timeout_ms": entry_timeout_ms,
        "with_trades": False if no_trades else None,
    }
    limits = {
        "max_position_notional": max_notional,
        "max_open_positions": max_positions,
        "max_quote_age_ms": max_quote_age_ms,
    }
    session_start.start(given, limits, param or (), file, config, as_json=as_json)


@app.command()
def replay(
    strategy: StrategyWord = None,
    venue: Venues = None,
    symbol: SymbolWord = None,
    interval: Interval = None,
    param: options.Parameters = None,
    start: options.Start = None,
    end: options.End = None,
    fill_at: options.FillAtOption = None,
    sizing: Sizing = None,
    balance: Money = None,
    coins: Coins = None,
    leverage: Leverage = None,
    slippage_bps: options.SlippageBps = None,
    latency_ms: options.LatencyMs = None,
    entry_timeout_ms: EntryTimeout = None,
    with_trades: Annotated[bool, typer.Option("--with-trades", help="Replay public trades beside quotes.")] = False,
    max_notional: Limit = None,
    max_positions: Limit = None,
    max_quote_age_ms: Limit = None,
    session: NewName = None,
    file: DeclarationFile = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Replay stored history as a job of the running engine, and follow it; Ctrl-C leaves it to the engine."""
    from workstation.cli import session_replay

    given = {
        "session": session,
        "strategy": strategy,
        "venues": venue,
        "symbol": symbol,
        "interval": interval,
        "fill_at": fill_at,
        "sizing": sizing,
        "balance": balance,
        "coins": coins,
        "leverage": leverage,
        "slippage_bps": slippage_bps,
        "latency_ms": latency_ms,
        "entry_timeout_ms": entry_timeout_ms,
        "with_trades": with_trades or None,
    }
    limits = {
        "max_position_notional": max_notional,
        "max_open_positions": max_positions,
        "max_quote_age_ms": max_quote_age_ms,
    }
    session_replay.replay(given, limits, param or (), file, (start, end), config, as_json=as_json)


@app.command("list")
def list_(
    mode: Annotated[
        Literal["paper", "replay", "backtest", "download"],
        typer.Option(help="Sessions on live market data, or jobs of that kind."),
    ] = "paper",
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Every session of the engine, or every job; those that have ended too."""
    if mode == "paper":
        from workstation.cli import session_acts

        session_acts.list_all(config, as_json=as_json)
    else:
        from workstation.cli import session_replay

        session_replay.list_jobs(config, mode, as_json=as_json)


@app.command()
def show(session: Name, as_json: options.AsJson = False, config: options.ConfigFile = None) -> None:
    """One session: its settings, figures, positions, open orders and last signals; or one job, such as replay-1."""
    from workstation.cli import session_acts, session_replay

    job = session_replay.job_named(session, config)
    if job is None:
        session_acts.show(session, config, as_json=as_json)
    else:
        session_replay.print_job(job, as_json=as_json)


@app.command()
def pause(
    session: Name,
    reason: Annotated[str, typer.Option(help="For the journal.")] = "",
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """No entries any more; what is open is watched and closed as usual."""
    from workstation.cli import session_acts

    session_acts.act(session, config, lambda engine: engine.pause_session(session, reason=reason), as_json=as_json)


@app.command()
def resume(session: Name, as_json: options.AsJson = False, config: options.ConfigFile = None) -> None:
    """Entries again, after a pause."""
    from workstation.cli import session_acts

    session_acts.act(session, config, lambda engine: engine.resume_session(session), as_json=as_json)


@app.command()
def stop(
    session: Name,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close what is open at market prices first.")] = False,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """End a session for good, or a job before its end; its journal stays, and can be verified."""
    from workstation.cli import session_acts, session_replay

    if session_replay.job_named(session, config) is not None:
        session_replay.cancel(session, config, as_json=as_json)
        return
    session_acts.act(session, config, lambda engine: engine.stop_session(session, flatten=flatten), as_json=as_json)


@app.command()
def verify(
    run: Annotated[
        str, typer.Argument(metavar="RUN|SESSION", help="Such as ma-cross-1.1, or ma-cross-1 for all runs.")
    ],
    ledger: options.LedgerFile = None,
    history: options.HistoryFolder = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Make a run's decisions again and compare them byte for byte; here, whether or not an engine runs."""
    from workstation.cli import session_verification

    session_verification.verify_named(run, ledger, history, config, as_json=as_json)
