"""What `workstation session verify` does: one run, or every run of a session, made again from ledger and history."""

import json
from dataclasses import asdict
from pathlib import Path

import typer

from workstation.cli.connection import not_found
from workstation.cli.verify import as_sentence
from workstation.config.loading import load_configuration
from workstation.config.own_strategies import take_in_own_strategies
from workstation.errors import VerifyMismatch
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_runs
from workstation.model.ids import RunId
from workstation.research.verify import verify


def verify_named(name: str, ledger: Path | None, history: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Prints a sentence for each run. Raises VerifyMismatch at the first that differs, SessionNotFound for no such."""
    paths = load_configuration(config).settings.paths
    take_in_own_strategies(paths.strategies)
    file = paths.ledger if ledger is None else ledger
    store = None if history is None else HistoryStore(history.absolute())
    results = []
    for run in runs_named(file, name):
        try:
            verified = verify(file, run, store)
        except VerifyMismatch as difference:
            if as_json:
                results.append({"run_id": run, "is_same": False, "difference": str(difference)})
                typer.echo(json.dumps(results, indent=2))
            raise
        results.append(asdict(verified) | {"is_same": True})
        if not as_json:
            typer.echo(as_sentence(verified))
    if as_json:
        typer.echo(json.dumps(results, indent=2))


def runs_named(ledger: Path, name: str) -> list[RunId]:
    """The run of that name, or every run of the session of that name. Raises SessionNotFound with the nearest."""
    runs = read_runs(ledger)
    found = [run.run_id for run in runs if run.run_id == name] or [run.run_id for run in runs if run.session_id == name]
    if not found:
        raise not_found(name, dict.fromkeys(str(word) for run in runs for word in (run.session_id, run.run_id)))
    return found
