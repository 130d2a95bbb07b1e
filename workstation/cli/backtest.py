"""`workstation backtest`: a bar strategy over stored bars, in one compiled pass."""

import json
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.cli.trade_table import last_trades
from workstation.config.loading import load_configuration

app = typer.Typer(help="A bar strategy over stored bars, in one pass.", add_completion=False)


@app.command("backtest")
def backtest_command(
    strategy: options.BarStrategyName,
    venue: Annotated[str, typer.Option(help="Where the bars are from.", show_default=False)],
    symbol: options.SymbolName,
    interval: Annotated[str, typer.Option(help="A bar's length, such as 1h.", show_default=False)],
    param: options.Parameters = None,
    start: options.Start = None,
    end: options.End = None,
    fill_at: options.FillAtOption = None,
    sizing: Annotated[str, typer.Option(help=options.SIZING_HELP)] = "equity-fraction=0.95",
    balance: options.Balance = options.OPENING_BALANCE,
    slippage_bps: options.SlippageBps = None,
    leverage: options.Leverage = 1.0,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Trade a bar strategy on stored bars, and print its figures and its last trades."""
    # numba and pandas take seconds (measured): help and completion do without
    from workstation.config.own_strategies import take_in_own_strategies
    from workstation.config.words import strategy_from_words
    from workstation.research.notebook import backtest

    settings = load_configuration(config).settings
    take_in_own_strategies(settings.paths.strategies)
    result = backtest(
        strategy_from_words(strategy, param or ()),
        venue=venue,
        symbol=symbol,
        interval=interval,
        start=start,
        end=end,
        sizing=sizing,
        balance=balance,
        leverage=leverage,
        fill_at="next-open" if fill_at is None else fill_at,
        slippage_bps=slippage_bps,
        history=settings.paths.history if history is None else history,
        settings=settings,
    )
    content = result.to_dict()
    if as_json:
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    typer.echo(f"{result}\n\n{last_trades(content['trades'], result.instrument.quote)}")
    refused = {str(reason): count for reason, count in result.refused.items() if count}
    if refused:
        options.note(f"entries refused: {', '.join(f'{count:,} {reason}' for reason, count in refused.items())}")
