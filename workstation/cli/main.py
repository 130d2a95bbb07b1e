"""The command `workstation`. A command's module is loaded only when that command runs, so that help is instant."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workstation import __version__
from workstation.cli import lifeline
from workstation.errors import WorkstationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A command: the module whose `app` (a `typer.Typer`) it is, and its line in the help."""

    module: str
    summary: str


COMMANDS = {
    "demo": Registered(module="workstation.cli.demo", summary="Venues, engine and two sessions; no keys needed."),
    "engine": Registered(
        module="workstation.cli.engine", summary="Market data and sessions, until Ctrl-C; paper only."
    ),
    "session": Registered(
        module="workstation.cli.session", summary="Sessions of the engine: start, watch, stop, verify."
    ),
    "orders": Registered(
        module="workstation.cli.orders", summary="Orders of the sessions: list, place and cancel them."
    ),
    "groups": Registered(module="workstation.cli.groups", summary="Position groups: list them, close one by hand."),
    "positions": Registered(
        module="workstation.cli.positions", summary="What the sessions hold, and close it by hand."
    ),
    "kill": Registered(module="workstation.cli.kill", summary="Stop all opening of positions, now; also lift that."),
    "spreads": Registered(module="workstation.cli.spreads", summary="Spreads between the venues of the engine, now."),
    "data": Registered(module="workstation.cli.data", summary="Take history in, see what is there, remove it."),
    "backtest": Registered(module="workstation.cli.backtest", summary="A bar strategy over stored bars, in one pass."),
    "replay": Registered(module="workstation.cli.replay", summary="A session over history, by the code that trades."),
    "verify": Registered(module="workstation.cli.verify", summary="Make a run's decisions again and compare them."),
    "new-strategy": Registered(
        module="workstation.cli.new_strategy", summary="Write a strategy of one's own, ready to be changed."
    ),
    "report": Registered(module="workstation.cli.report", summary="Back-tests and replays as HTML, to keep and show."),
    "exchange": Registered(module="workstation.cli.exchange", summary="Venues: list them, check one, simulate some."),
    "dashboard": Registered(
        module="workstation.cli.dashboard", summary="The pages in the browser: watch and control what the engine runs."
    ),
    "user": Registered(module="workstation.cli.user", summary="Who may use the dashboard, and in which role."),
    "config": Registered(module="workstation.cli.config", summary="Settings in force, and where each came from."),
    "doctor": Registered(module="workstation.cli.doctor", summary="What is well here, what is not, and what to do."),
}


class LazyGroup(TyperGroup):
    """Help needs only the placeholders that it holds; the command that is run or completed is loaded."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> Any:
    """The command of that name, its module imported."""
    command = typer.main.get_command(importlib.import_module(COMMANDS[name].module).app)
    command.name = name
    return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


def show_version(is_wanted: bool) -> None:
    """Prints the version and ends."""
    if is_wanted:
        typer.echo(f"workstation {__version__}")
        raise typer.Exit


@app.callback()
def workstation(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    end_with_stdin: Annotated[
        bool, typer.Option("--end-with-stdin", hidden=True, help="For a parent process: end when it ends.")
    ] = False,
) -> None:
    """Market history, back-tests and simulated trading of strategies, from a notebook or from here."""
    if end_with_stdin:
        lifeline.end_with_stdin()


def command_line() -> Any:
    """The whole command line, with a placeholder for each command."""
    group: Any = typer.main.get_command(app)
    group.commands = {
        name: TyperGroup(name=name, help=registered.summary, commands={}) for name, registered in COMMANDS.items()
    }
    return group


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 1 what the message on stderr says, 2 wrong usage."""
    try:
        command_line()(args=None if arguments is None else list(arguments), prog_name="workstation")
    except WorkstationError as error:
        typer.echo(f"workstation: {error}", err=True)
        sys.exit(1)
