"""What `workstation demo --replay` does: the sample data, a journaled run of each strategy, and their proof."""

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import typer

from workstation.cli import strategy_options as options
from workstation.cli.progress import Progress
from workstation.cli.trade_table import trades_of_replay
from workstation.cli.verify import as_sentence
from workstation.config.settings import Settings
from workstation.config.words import strategy_from_words
from workstation.errors import OperatorError
from workstation.history.durable import write_durably
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.research.replay import replay
from workstation.research.replay_result import ReplayResult
from workstation.research.sample import sample_history
from workstation.research.session_request import Choices, free_session, open_ledger, replay_request
from workstation.research.verify import verify
from workstation.trading.limits import NO_LIMITS

NAME = "workstation"
BARS = ("--venue", "nova", "--symbol", "BTC/USDT:USDT", "--interval", "1h")


class DemoFolder(NamedTuple):
    """WORKSTATION_HOME/demo: nothing of the replayed demo lies elsewhere."""

    root: Path

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.db"

    @property
    def history(self) -> Path:
        return self.root / "history"

    def run_file(self, run_id: str) -> Path:
        return self.root / "runs" / f"{run_id}.json"


def demonstrate(settings: Settings) -> None:
    """Replays, prints and verifies. Raises OperatorError where the home cannot be written."""
    folder = DemoFolder(make_folder(settings.paths.home / "demo"))
    store = sample_history(folder.history, tell=options.note)
    results = replay_both(store, folder, settings)
    for result in results:
        content = result.to_dict()
        write_durably(folder.run_file(result.manifest.run_id), json.dumps(content, allow_nan=False).encode())
        manifest = result.manifest
        typer.echo(f"\n{result}\n\n{trades_of_replay(content, manifest)}\n")
        typer.echo(as_sentence(verify(folder.ledger, manifest.run_id, store)))
    typer.echo("\nNext:")
    for command in next_commands(store, folder, results[-1]):
        typer.echo(f"  {command}")


def make_folder(folder: Path) -> Path:
    """Returns it, made where it was missing. Raises OperatorError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"folder {folder}: cannot be made: {error.strerror}; WORKSTATION_HOME names another place"
        ) from error
    return folder


def replay_both(store: HistoryStore, folder: DemoFolder, settings: Settings) -> list[ReplayResult]:
    """A run of each strategy, in a new session."""
    results = []
    with open_ledger(folder.ledger) as ledger:
        for choices in demo_choices():
            name = free_session(ledger, choices.strategy)
            request = replay_request(store, choices, name, settings)
            with Progress(name, patience_s=0) as progress:
                results.append(replay(store, request, ledger=ledger, progress=progress.show))
    return results


def demo_choices() -> tuple[Choices, Choices]:
    """What the demo replays: a bar strategy with nearly all of its equity, a spread with half of it in each leg."""
    bars = Choices(
        strategy=strategy_from_words("ma-cross"),
        venues=("nova",),
        symbol="BTC/USDT:USDT",
        interval="1h",
        span=Span(),
        sizing="equity-fraction=0.95",
        limits=NO_LIMITS,
    )
    spread = Choices(
        strategy=strategy_from_words("spread-reversion"),
        venues=("nova", "orion"),
        symbol="ETH/USDT:USDT",
        span=Span(),
        sizing="fixed-notional=5000",
        limits=NO_LIMITS,
    )
    return bars, spread


def called_as(executable: str = sys.executable) -> str:
    """The program as another terminal finds it: by its path, unless its name leads there before anything is activated.

    `make demo` runs it in an environment that the shell does not know.
    """
    installed, found = Path(executable).with_name(NAME), shutil.which(NAME)
    if not installed.exists() or (found is not None and Path(found).samefile(installed)):
        return NAME
    return str(installed)


def next_commands(store: HistoryStore, folder: DemoFolder, result: ReplayResult) -> list[str]:
    """What to try after the demo, ready to be pasted."""
    history, program = ("--history", store.root), called_as()
    return [
        options.command_line_of("data", "list", *history, program=program),
        options.command_line_of("backtest", "ma-cross", *BARS, "--param", "fast=10", *history, program=program),
        options.command_line_of("verify", result.manifest.run_id, "--ledger", folder.ledger, program=program),
    ]
