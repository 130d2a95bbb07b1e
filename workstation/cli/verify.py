"""`workstation verify`: makes a journaled run's decisions again, and compares them byte for byte."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration
from workstation.errors import VerifyMismatch

if TYPE_CHECKING:
    from workstation.research.verify import Verified

app = typer.Typer(help="Make a run's decisions again and compare them.", add_completion=False)


@app.command("verify")
def verify_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Such as ma-cross-1.1.", show_default=False)],
    ledger: options.LedgerFile = None,
    history: options.HistoryFolder = None,
    as_json: options.AsJson = False,
    config: options.ConfigFile = None,
) -> None:
    """Feed a run's rows and inputs to this code; exit 0 if every decision is the same, byte for byte, 1 if not."""
    # numba and pandas take seconds (measured): help and completion do without
    from workstation.config.own_strategies import take_in_own_strategies
    from workstation.history.store import HistoryStore
    from workstation.model.ids import RunId
    from workstation.research.verify import verify

    paths = load_configuration(config).settings.paths
    take_in_own_strategies(paths.strategies)
    file = paths.ledger if ledger is None else ledger
    store = None if history is None else HistoryStore(history.absolute())
    try:
        verified = verify(file, RunId(run), store)
    except VerifyMismatch as difference:
        if as_json:
            typer.echo(json.dumps({"run_id": run, "is_same": False, "difference": str(difference)}, indent=2))
        raise
    if as_json:
        typer.echo(json.dumps(asdict(verified) | {"is_same": True}, indent=2))
    else:
        typer.echo(as_sentence(verified))


def as_sentence(verified: "Verified") -> str:
    """What was compared, and whether by the code that had decided."""
    sentence = f"run {verified.run_id}: {verified.inputs:,} inputs, {verified.decisions:,} decisions, all the same"
    changed = [] if verified.is_same_code else ["the code has changed since the run"]
    changed += [] if verified.is_same_strategy else ["the strategy's file has changed since the run"]
    return f"{sentence} ({'; '.join(changed)})" if changed else sentence
