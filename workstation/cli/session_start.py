"""`workstation session start`: what the file and the options declare. It knows strategies and ledger, whose loading
takes longer than all that the other commands of `session` do."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from workstation.cli.connection import engine_of
from workstation.cli.session_acts import print_sessions
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration, StrategyDeclaration
from workstation.client.declaration import free_name as first_free_name
from workstation.config.loading import load_configuration
from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.toml_file import read_toml
from workstation.config.words import strategy_from_words
from workstation.errors import BadInput
from workstation.ledger.journal import read_runs

WHOLE_NUMBERS = ("max_open_positions", "max_quote_age_ms")

Declared = TypeVar("Declared", bound=StrategyDeclaration)


def start(
    given: Mapping[str, Any],
    limits: Mapping[str, str | None],
    pairs: Sequence[str],
    file: Path | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Starts what the file and the options over it declare. Raises BadInput naming the field."""
    take_in_own_strategies(load_configuration(config).settings.paths.strategies)
    fields = declared(given, limits, pairs, file)
    with engine_of(config) as engine:
        if "session" not in fields:
            fields["session"] = free_name(engine, str(fields["strategy"]), config)
        summary = engine.start_session(checked(SessionDeclaration, fields))
    print_sessions([summary], as_json, f"session {summary.session}: {summary.status}, run {summary.run}")


def declared(
    given: Mapping[str, Any], limits: Mapping[str, str | None], pairs: Sequence[str], file: Path | None
) -> dict[str, Any]:
    """The fields of a declaration: the file's, and those options over them that were given. Raises BadInput."""
    fields: dict[str, Any] = {} if file is None else read_toml(file)[0]
    fields |= {name: value for name, value in given.items() if value is not None}
    for name, example in (("strategy", "ma-cross"), ("venues", "--venue nova"), ("symbol", "--symbol BTC/USDT")):
        if name not in fields:
            raise BadInput(f"{name}: not given; expected one, such as {example}, here or in the --file")
    if pairs:
        given_names = [pair.partition("=")[0] for pair in pairs]
        parameters = strategy_from_words(str(fields["strategy"]), pairs).parameters()
        fields["parameters"] = dict(fields.get("parameters", {})) | {name: parameters[name] for name in given_names}
    over = {name: _limit(name, words) for name, words in limits.items() if words is not None}
    if over:
        fields["limits"] = dict(fields.get("limits", {})) | over
    return fields


def _limit(name: str, words: str) -> str | int:
    if name in WHOLE_NUMBERS and words != "none":
        try:
            return int(words)
        except ValueError:
            raise BadInput(f"limits.{name} {words!r}: expected a whole number, or none") from None
    return words


def checked(kind: type[Declared], fields: Mapping[str, Any]) -> Declared:
    """The fields as a declaration. Raises BadInput naming the first that cannot be."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        told = {
            ".".join(str(part) for part in one["loc"] if isinstance(part, str | int)): one for one in error.errors()
        }
        first, one = next(iter(told.items()))
        raise BadInput(f"{first} {one['input']!r}: {one['msg'][:1].lower()}{one['msg'][1:]}") from error


def free_name(engine: Client, strategy: str, config: Path | None, taken: Iterable[str | None] = ()) -> str:
    """The first of "ma-cross-1", "ma-cross-2", … that neither the engine nor its ledger knows, and is not `taken`."""
    ledger = load_configuration(config).settings.paths.ledger
    known = {one.session for one in engine.sessions()} | {name for name in taken if name is not None}
    if ledger.exists():
        known |= {str(run.session_id) for run in read_runs(ledger)}
    return first_free_name(strategy, known)
