"""`workstation replay`: a session over history, through the code that is meant to trade live, journaled by default."""

import json
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.cli.trade_table import trades_of_replay
from workstation.config.loading import load_configuration

app = typer.Typer(help="A session over history, by the code that trades.", add_completion=False)


@app.command("replay")
def replay_command(
    strategy: options.StrategyName,
    venue: Annotated[list[str], typer.Option(help="One for a bar strategy; two for a spread.", show_default=False)],
    symbol: options.SymbolName,
    interval: Annotated[str | None, typer.Option(help="A bar's length, such as 1h.", show_default=False)] = None,
    param: options.Parameters = None,
    start: options.Start = None,
    end: options.End = None,
    fill_at: options.FillAtOption = None,
    sizing: Annotated[str | None, typer.Option(help=f"{options.SIZING_HELP}; fixed-notional=500 if absent.")] = None,
    balance: options.Balance = options.OPENING_BALANCE,
    slippage_bps: options.SlippageBps = None,
    leverage: options.Leverage = 1.0,
    latency_ms: options.LatencyMs = None,
    with_trades: Annotated[bool, typer.Option("--with-trades", help="Replay public trades beside quotes.")] = False,
    max_notional: options.MaxNotional = None,
    max_positions: Annotated[int | None, typer.Option(help="Limit of open positions.")] = None,
    max_quote_age_ms: Annotated[int | None, typer.Option(help="Limit of a price's age at an entry.")] = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Instead of those of the settings.")] = False,
    session: options.SessionName = None,
    ledger: options.LedgerFile = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Journal nothing.")] = False,
    durable: Annotated[bool, typer.Option("--durable", help="Wait for the disk before each effect, as live.")] = False,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Replay history through a session, and print its figures, its last trades and the command that verifies it."""
    from workstation.cli import replaying  # with numba and pandas: seconds (measured) that help does without

    settings = load_configuration(config).settings
    replaying.take_in_own_strategies(settings.paths.strategies)
    choices = replaying.choices_of(
        strategy,
        param or (),
        sizing,
        venues=tuple(venue),
        symbol=symbol,
        span=replaying.span_of(start, end),
        interval=interval,
        balance=balance,
        leverage=leverage,
        fill_at=None if fill_at is None else replaying.fill_at_of(fill_at),
        slippage_bps=slippage_bps,
        latency_ms=latency_ms,
        limits=replaying.limits_over(settings, max_notional, max_positions, max_quote_age_ms, no_limits),
        with_trades=with_trades,
    )
    file = replaying.ledger_file(settings, ledger, no_ledger)
    store = replaying.HistoryStore(settings.paths.history if history is None else history.absolute())
    result = replaying.run(store, choices, settings, file=file, session=session, is_durable=durable)
    content = result.to_dict()
    if as_json:
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
    else:
        typer.echo(f"{result}\n\n{trades_of_replay(content, result.manifest)}")
    if file is not None:
        where = () if ledger is None else ("--ledger", file)
        options.note(f"\njournaled in {file}. To verify it:")
        options.note(f"  {options.command_line_of('verify', result.manifest.run_id, *where)}")
