"""What the commands of `workstation session` do with the engine."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from workstation.cli.connection import engine_of, named
from workstation.cli.tables import aligned
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration, StrategyDeclaration
from workstation.client.messages import OrderView, PositionView, SessionDetail, SessionSummary, SignalView
from workstation.config.loading import load_configuration
from workstation.config.toml_file import read_toml
from workstation.config.words import strategy_from_words
from workstation.errors import BadInput
from workstation.ledger.journal import read_runs

LAST_SIGNALS = 5
WHOLE_NUMBERS = ("max_open_positions", "max_quote_age_ms")
HEADER = ("SESSION", "STATUS", "STRATEGY", "INSTRUMENTS", "EQUITY", "REALIZED", "OPEN", "ORDERS", "SIGNALS", "REFUSED")
FIGURES = frozenset(range(4, 10))

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
    fields = declared(given, limits, pairs, file)
    with engine_of(config) as engine:
        if "session" not in fields:
            fields["session"] = free_name(engine, str(fields["strategy"]), config)
        summary = engine.start_session(checked(SessionDeclaration, fields))
    _print([summary], as_json, f"session {summary.session}: {summary.status}, run {summary.run}")


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
    return next(name for number in count(1) if (name := f"{strategy}-{number}") not in known)


def list_all(config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine:
        sessions = engine.sessions()
    _print(sessions, as_json, session_table(sessions) if sessions else "no session; `workstation session start` …")


def act(session: str, config: Path | None, ask: Callable[[Client], SessionSummary], *, as_json: bool) -> None:
    """Asks for a change of one session, and prints how it is now."""
    with engine_of(config) as engine, named(engine, session):
        summary = ask(engine)
    reason = f" ({summary.reason})" if summary.reason else ""
    _print([summary], as_json, f"session {summary.session}: {summary.status}{reason}")


def show(session: str, config: Path | None, *, as_json: bool) -> None:
    with engine_of(config) as engine, named(engine, session):
        detail = engine.session(session)
        positions, orders = engine.positions(session), engine.orders(session, open_only=True)
        signals = engine.signals(session)[-LAST_SIGNALS:]
    if as_json:
        parts: dict[str, Sequence[BaseModel]] = {"positions": positions, "open_orders": orders, "signals": signals}
        content = detail.model_dump(mode="json") | {
            name: [one.model_dump(mode="json") for one in part] for name, part in parts.items()
        }
        typer.echo(json.dumps(content, indent=2))
        return
    typer.echo("\n\n".join(part for part in (figures(detail), *tables(positions, orders, signals)) if part))


def figures(detail: SessionDetail) -> str:
    """One line for each thing that is known of it."""
    reason = f" ({detail.reason})" if detail.reason else ""
    fees = ", ".join(f"{fee:,.4f} {currency}" for currency, fee in detail.fees.items()) or "none"
    equity = "unknown before every leg has a price" if detail.equity is None else f"{detail.equity:,.2f}"
    rows = {
        "session": f"{detail.session}, {detail.mode}, {detail.status}{reason}",
        "run": f"{detail.run} of {len(detail.runs)}, since {shown(detail.started_ns)}",
        "strategy": ", ".join([detail.strategy, *(f"{name}={value}" for name, value in detail.parameters.items())]),
        "instruments": ", ".join(detail.instruments) + (f", {detail.interval} bars" if detail.interval else ""),
        "sizing": detail.sizing,
        "limits": ", ".join(f"{name}={value}" for name, value in detail.limits.items()) or "none",
        "equity": f"{equity} {detail.currency}, opened with {detail.opening_equity:,.2f}",
        "realized": f"{detail.realized_pnl:,.2f} {detail.currency}, fees {fees}",
        "open": f"{detail.open_groups} groups, {detail.open_orders} orders",
        "signals": f"{detail.signals}, {detail.refusals} refused; {detail.facts} facts in the journal",
    }
    if detail.gap_ns is not None:
        rows["gap"] = f"not watched from {shown(detail.gap_ns[0])} to {shown(detail.gap_ns[1])}"
    return aligned(("FIGURE", "VALUE"), list(rows.items()))


def tables(positions: Sequence[PositionView], orders: Sequence[OrderView], signals: Sequence[SignalView]) -> list[str]:
    """Positions, open orders and last signals; nothing for what there is none of."""
    held = [
        (p.venue, p.symbol, f"{p.quantity:f}", priced(p.average_price), priced(p.mark), priced(p.unrealized_pnl, 2))
        for p in positions
        if p.quantity
    ]
    resting = [(o.venue, o.symbol, o.side, o.type, f"{o.quantity:f}", priced(o.limit_price), o.status) for o in orders]
    said = [(shown(s.time_ns), s.action, ", ".join(s.legs), s.reason, s.refusal or "-") for s in signals]
    of_positions = ("VENUE", "SYMBOL", "QUANTITY", "AVERAGE", "MARK", "UNREALIZED")
    of_orders = ("VENUE", "SYMBOL", "SIDE", "TYPE", "QUANTITY", "LIMIT", "STATUS")
    of_signals = ("SIGNAL AT (UTC)", "ACTION", "LEGS", "REASON", "REFUSED BY")
    found = []
    if held:
        found.append(aligned(of_positions, held, right=frozenset((2, 3, 4, 5))))
    if resting:
        found.append(aligned(of_orders, resting, right=frozenset((4, 5))))
    if said:
        found.append(aligned(of_signals, said))
    return found


def session_table(sessions: Sequence[SessionSummary]) -> str:
    rows = [
        (
            one.session,
            one.status,
            one.strategy,
            ", ".join(one.instruments),
            priced(one.equity, 2),
            priced(one.realized_pnl, 2),
            str(one.open_groups),
            str(one.open_orders),
            str(one.signals),
            str(one.refusals),
        )
        for one in sessions
    ]
    return aligned(HEADER, rows, right=FIGURES)


def priced(value: Any, places: int | None = None) -> str:
    """A number for eyes; "-" for none."""
    if value is None:
        return "-"
    return f"{float(value):,.10g}" if places is None else f"{value:,.{places}f}"


def shown(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"


def _print(messages: Sequence[BaseModel], as_json: bool, text: str) -> None:
    if not as_json:
        typer.echo(text)
        return
    typer.echo(json.dumps([one.model_dump(mode="json") for one in messages], indent=2))
