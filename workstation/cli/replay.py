"""`workstation replay`: a session over history, through the code that trades live, journaled unless told otherwise."""

import json
from collections import Counter
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.cli.progress import Progress
from workstation.cli.trade_table import last_trades
from workstation.config.loading import load_configuration
from workstation.config.settings import Settings
from workstation.errors import BadInput
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.events import EntryRefused
from workstation.model.market import rows_taken
from workstation.research.choices import span_of
from workstation.research.replay import replay
from workstation.research.replay_result import ReplayResult
from workstation.research.session_request import (
    DEFAULT_SIZING,
    Choices,
    free_session,
    limits_of,
    open_ledger,
    replay_request,
    run_before,
)
from workstation.session.state import fold
from workstation.strategies.base import BarStrategy
from workstation.trading.limits import NO_LIMITS, Limits

app = typer.Typer(help="A session over history, by the code that trades.", add_completion=False)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


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
    sizing: Annotated[str | None, typer.Option(help=f"{options.SIZING_HELP}; {DEFAULT_SIZING} if absent.")] = None,
    balance: options.Balance = options.OPENING_BALANCE,
    slippage_bps: options.SlippageBps = None,
    leverage: options.Leverage = 1.0,
    latency_ms: Annotated[
        int | None, typer.Option(help="From decision to the venue; otherwise the setting paper.latency_ms.")
    ] = None,
    with_trades: Annotated[bool, typer.Option("--with-trades", help="Replay public trades beside quotes.")] = False,
    max_notional: Annotated[
        Decimal | None,
        typer.Option(parser=options.a_number, metavar="NUMBER", help="Limit of one position, in quote currency."),
    ] = None,
    max_positions: Annotated[int | None, typer.Option(help="Limit of open positions.")] = None,
    max_quote_age_ms: Annotated[int | None, typer.Option(help="Limit of a price's age at an entry.")] = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Instead of those of the settings.")] = False,
    session: Annotated[
        str | None, typer.Option(help="One that the ledger knows goes on where its journal ends; else a new one.")
    ] = None,
    ledger: options.LedgerFile = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Journal nothing.")] = False,
    durable: Annotated[bool, typer.Option("--durable", help="Wait for the disk before each effect, as live.")] = False,
    as_json: options.AsJson = False,
    history: options.HistoryFolder = None,
    config: options.ConfigFile = None,
) -> None:
    """Replay history through a session, and print its figures, its last trades and the command that verifies it."""
    settings = load_configuration(config).settings
    store = HistoryStore(settings.paths.history if history is None else history.absolute())
    choices = Choices(
        strategy=options.made_strategy(strategy, param),
        venues=tuple(venue),
        symbol=symbol,
        span=span_of(start, end),
        interval=interval,
        sizing=DEFAULT_SIZING if sizing is None else sizing,
        balance=balance,
        leverage=leverage,
        fill_at=fill_at,
        slippage_bps=slippage_bps,
        latency_ms=latency_ms,
        limits=chosen_limits(settings, max_notional, max_positions, max_quote_age_ms, no_limits),
        with_trades=with_trades,
    )
    if sizing is None and isinstance(choices.strategy, BarStrategy):
        options.note(f"sizing {DEFAULT_SIZING}; that of a back-test is equity-fraction=0.95 (--sizing)")
    file = chosen_ledger(settings, ledger, no_ledger)
    result = run(store, choices, settings, file=file, session=session, is_durable=durable)
    content = result.to_dict()
    if as_json:
        typer.echo(json.dumps(content, indent=2, allow_nan=False))
    else:
        typer.echo(f"{result}\n\n{last_trades(content['trades'], result.manifest.session.currency)}")
    if file is not None:
        where = () if ledger is None else ("--ledger", file)
        options.note(f"\njournaled in {file}. To verify it:")
        options.note(f"  {options.command_line_of('verify', result.manifest.run_id, *where)}")


def chosen_limits(
    settings: Settings, notional: Decimal | None, positions: int | None, age_ms: int | None, no_limits: bool
) -> Limits:
    """The settings' limits, each with its option over it. Raises BadInput."""
    if no_limits:
        if any(given is not None for given in (notional, positions, age_ms)):
            raise BadInput("--no-limits: given together with a limit")
        return NO_LIMITS
    default = limits_of(settings)
    return Limits(
        max_position_notional_quote=default.max_position_notional_quote if notional is None else notional,
        max_open_positions=default.max_open_positions if positions is None else positions,
        max_quote_age_ns=default.max_quote_age_ns if age_ms is None else age_ms * 1_000_000,
    )


def chosen_ledger(settings: Settings, ledger: Path | None, no_ledger: bool) -> Path | None:
    """The ledger's file; None to journal nothing. Raises BadInput."""
    if not no_ledger:
        return (settings.paths.ledger if ledger is None else ledger).absolute()
    if ledger is not None:
        raise BadInput(f"--no-ledger: given together with --ledger {ledger}")
    return None


def run(
    store: HistoryStore,
    choices: Choices,
    settings: Settings,
    *,
    file: Path | None,
    session: str | None,
    is_durable: bool,
) -> ReplayResult:
    """Replays with progress; Ctrl-C ends the command with a sentence, the journal whole."""
    with nullcontext() if file is None else open_ledger(file) as ledger:
        name = free_session(ledger, choices.strategy) if session is None else session
        request = replay_request(store, choices, name, settings)
        if ledger is not None and run_before(ledger, request) is not None:
            taken = rows_taken(fold(ledger.facts(request.session.session_id)).last_sequence)
            options.note(f"session {name} goes on after row {taken:,}, where its journal ends")
        try:
            with Progress(name) as progress:
                result = replay(store, request, ledger=ledger, is_durable=is_durable, progress=progress.show)
        except KeyboardInterrupt:
            options.note(interrupted(name, file))
            raise typer.Exit(INTERRUPTED) from None
        for sentence in refusals(ledger, result):
            options.note(sentence)
    return result


def interrupted(session: str, file: Path | None) -> str:
    """What Ctrl-C left behind, and how to go on."""
    if file is None:
        return "\nstopped by Ctrl-C; nothing was journaled"
    return f"\nstopped by Ctrl-C; the journal is whole: the same options and --session {session} go on from there"


def refusals(ledger: Ledger | None, result: ReplayResult) -> list[str]:
    """For each limit, how many entries it refused; from the journal, which alone has the reasons."""
    if ledger is None:
        return []
    events = (fact.event for fact in ledger.facts(result.manifest.session.session_id))
    refused = [event for event in events if isinstance(event, EntryRefused)]
    last = {event.limit: event for event in refused}
    return [
        f"{count:,} entries refused by {limit} {last[limit].allowed}, the last one at {last[limit].figure}"
        for limit, count in Counter(event.limit for event in refused).items()
    ]
