"""Options that commands on strategies share. Declaring them loads neither numba nor pandas: help must not wait."""

import shlex
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workstation.config.loading import load_configuration

if TYPE_CHECKING:
    from workstation.strategies.base import Strategy


def a_number(text: str | Decimal) -> Decimal:
    """An exact, finite number as written."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise typer.BadParameter(f"{text!r}: expected a number such as 0.01")
    return number


def known_strategies() -> list[str]:
    """For completion in a shell."""
    return sorted(_kinds())


def known_bar_strategies() -> list[str]:
    """Those that a back-test takes."""
    from workstation.strategies.base import BarStrategy

    return sorted(name for name, kind in _kinds().items() if issubclass(kind, BarStrategy))


def _kinds() -> "dict[str, type[Strategy]]":
    """The shipped ones and one's own."""
    # with the compiler: seconds that help need not wait
    from workstation.config.own_strategies import take_in_own_strategies
    from workstation.strategies import catalog

    take_in_own_strategies(load_configuration().settings.paths.strategies)
    return catalog.known_strategies()


BarStrategyName = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help="One that trades on bars, such as ma-cross.",
        autocompletion=known_bar_strategies,
        show_default=False,
    ),
]
StrategyName = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        help="Such as ma-cross or spread-reversion.",
        autocompletion=known_strategies,
        show_default=False,
    ),
]
SymbolName = Annotated[
    str, typer.Option("--symbol", help="BASE/QUOTE, or BASE/QUOTE:QUOTE for a linear perpetual.", show_default=False)
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the strategy; repeatable.", show_default=False),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DATE",
        help="First moment, such as 2024-05-01 or 2024-05-01T13:30 (UTC): of bars their opening, else their receipt.",
    ),
]
End = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="First moment that is not taken any more, as for --from.")
]
FillAtOption = Annotated[
    Literal["next-open", "this-close"] | None,
    typer.Option("--fill-at", help="Where an order decided at a bar's close trades; next-open if absent."),
]
SIZING_HELP = "equity-fraction=0.95, fixed-quantity=…, fixed-notional=… or risk-fraction=…"
Balance = Annotated[
    Decimal, typer.Option("--balance", parser=a_number, metavar="NUMBER", help="Opening balance, in quote currency.")
]
OPENING_BALANCE = Decimal(10_000)
SlippageBps = Annotated[
    float | None,
    typer.Option(help="By how much worse market and stop orders trade; otherwise the setting paper.slippage_bps."),
]
LatencyMs = Annotated[
    int | None, typer.Option(help="From decision to the venue, at most a day; otherwise the setting paper.latency_ms.")
]
MaxNotional = Annotated[
    Decimal | None, typer.Option(parser=a_number, metavar="NUMBER", help="Limit of one position, in quote currency.")
]
SessionName = Annotated[
    str | None, typer.Option(help="One that the ledger knows goes on where its journal ends; else a new one.")
]
Leverage = Annotated[float, typer.Option(help="The most notional / equity.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
HistoryFolder = Annotated[
    Path | None,
    typer.Option("--history", help="The history's folder; otherwise the setting paths.history.", show_default=False),
]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", help="The ledger's file; otherwise the setting paths.ledger.", show_default=False),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The TOML file; otherwise workstation.toml in WORKSTATION_HOME.", show_default=False),
]


def command_line_of(*words: object, program: str = "workstation") -> str:
    """A command as a person can paste it into a shell."""
    return shlex.join([program, *map(str, words)])


def note(sentence: str) -> None:
    """For eyes, on stderr: stdout is for results."""
    typer.echo(sentence, err=True)
